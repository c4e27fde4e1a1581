//! stub
pub mod aws;
pub mod clock;
