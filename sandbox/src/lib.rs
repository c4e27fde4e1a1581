//! A small, honest AWS for tests and first steps.
#![doc = ""]

mod error;

pub use error::ApiError;
