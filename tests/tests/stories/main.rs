//! Stories: what people do, and what the world looks like afterwards. All on one paused clock; none takes real time.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::large_futures,
    reason = "a failed step fails the test, and its stack is as large as it likes"
)]
#![recursion_limit = "256"]

mod checks;
mod colours;
mod crashes;
mod drift;
mod events;
mod explained;
mod failures;
mod fansite;
mod gates;
mod hooks;
mod hopeless;
mod import;
mod incidents;
mod left_versions;
mod lessons;
mod metric_math;
mod order;
mod orders;
mod ownership;
mod preflight;
mod promotion;
mod pruning;
mod pushes;
mod references;
mod releases;
mod retention;
mod rollouts;
mod scale;
mod scaling;
mod secrets;
mod settings;
mod sources;
mod stops;
mod versions;
mod wakes;
mod weather;
mod windows;
mod write_back;
