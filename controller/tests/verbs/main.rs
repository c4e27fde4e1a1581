//! The verbs of the command line: the real program against a real server in this process.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop where it stands"
)]

mod local;
mod orders;
mod reading;
mod waiting;
mod world;
