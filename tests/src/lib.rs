//! What stories, simulation and benches share: a world with an operator, a source and an AWS, all on one paused clock.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a failed step fails the test"
)]
#![recursion_limit = "256"]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::large_futures,
    reason = "a test that cannot go on should stop where it stands"
)]

mod fleet;
pub mod specs;

pub use fleet::{Fleet, FleetOptions, Place};
