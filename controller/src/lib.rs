//! The hands: everything that touches the world.

pub mod http;
pub mod status_store;
