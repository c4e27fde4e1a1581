//! stub
pub mod manifest;
pub mod references;
pub mod source;
