//! The decision: what to do about a service, from what is desired and what is observed.

pub mod drift;
pub mod normal;
