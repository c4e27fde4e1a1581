//! Terraform states of format 4.

mod address;

pub use address::Address;
