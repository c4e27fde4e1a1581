//! What people ask of the operator: taken in ([`Intake`]), kept in the state store, and heeded in every turn.
//!
//! The decisions stand in [`planner::orders`] and [`planner::deed`]; here they are read, written down and carried out.

mod carry;
mod heed;
mod step_back;
mod take;

pub use carry::carry_out;
pub use heed::{Said, after, before, forget, said};
pub use take::{Ask, Intake, Refusal};
