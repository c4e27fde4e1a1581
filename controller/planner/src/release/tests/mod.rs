//! Tag lists and what becomes of them, as tables.
//!
//! A row has five columns, parted by ` ; `: the policy, what is remembered, the tags, the outcome and a part of its
//! sentence. [`harness`] says how each is written.

mod floor;
mod gates;
mod git;
mod harness;
mod memory;
mod never_back;
mod policies;
mod properties;
mod rules;
mod statuses;
mod write_back;
