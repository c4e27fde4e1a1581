//! The decision: what to do about one service, from what is wanted and what AWS reports.
//!
//! Pure, synchronous and total: no I/O, no clock, no failure. `now` is an argument. Whatever could not be read never gets
//! here: an [`Observed`] only exists when everything it speaks of was read.

pub mod checks;
pub mod deed;
pub mod deletion;
pub mod desired;
pub mod drift;
pub mod explain;
pub mod gate;
pub mod hook;
pub mod image;
pub mod normal;
pub mod observed;
pub mod orders;
pub mod outside;
pub mod ownership;
pub mod past;
pub mod plan;
pub mod preflight;
pub mod prune;
pub mod release;
pub mod retention;
pub mod rollout;
pub mod rules;
pub mod scaling;
pub mod status;
pub mod unsaid;
pub mod waiting;
mod zone;

pub use desired::{Desired, InvalidSpec};
pub use observed::{Observed, Wants};
pub use orders::Orders;
pub use plan::{Action, Hold, Plan, Requeue, TaskDefinitionRef, plan};
