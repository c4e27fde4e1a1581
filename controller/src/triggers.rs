//! What makes the operator look sooner than it would by itself: webhooks and AWS's events.
//!
//! What comes in: calls of Git hosts ([`crate::http`]), messages of a queue ([`listen`]). What leaves: a source,
//! a release or a value outside that is read now, a key in the queue. Guarantees: a trigger can only cause a look, never
//! decide what comes of it; a thousand of them cost no more than a pass; without any, the regular looks find the same.

pub mod event;
mod followers;
pub mod listen;
mod outside;
mod rouse;
mod sources;

pub use followers::{Followed, Followers};
pub use listen::EventQueue;
pub use outside::OutsideCalls;
pub use sources::Sources;

/// What triggers share with the sources, the releases and the turns. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Triggers {
    /// The sources, to be woken.
    pub sources: Sources,
    /// The releases, to be woken.
    pub followers: Followers,
    /// What others called, for a while.
    pub outside: OutsideCalls,
}
