//! The words a user may write and what Longshore answers.

pub mod ecs;
