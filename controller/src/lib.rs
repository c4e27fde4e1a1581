//! The hands: everything that touches the world.

pub mod status_store;
