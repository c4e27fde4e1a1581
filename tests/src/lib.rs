//! What stories, simulation and benches share: a world with an operator, a source and an AWS, all on one paused clock.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a failed step fails the test"
)]
#![recursion_limit = "256"]

mod fleet;
mod probe;
pub mod specs;

pub use fleet::{Fleet, FleetOptions, Keep, Place};
pub use probe::Probe;
