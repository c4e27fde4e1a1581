//! What stories, simulation and benches share: a world with an operator, a source and an AWS, all on one paused clock; and what
//! must hold for any input, which libFuzzer runs as well.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a failed step fails the test"
)]
#![recursion_limit = "256"]

mod fleet;
pub mod fuzz;
mod probe;
pub mod specs;

pub use fleet::{Fleet, FleetOptions, Keep, Place};
pub use probe::Probe;
