//! What stories, simulation and benches share: a world with an operator, a source and an AWS, all on one paused clock.

#![recursion_limit = "256"]

mod fleet;
pub mod specs;

pub use fleet::{Fleet, FleetOptions, Place};
