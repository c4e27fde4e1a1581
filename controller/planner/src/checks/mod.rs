//! Checks: measurements that judge a rollout while ECS carries it out and after it.
//!
//! What comes in: the checks of the spec, what was measured, what ECS says of the rollout. What leaves: what to measure now
//! and when next ([`Analysis`]), and the plan with what the verdict asks for ([`conclude`]). Guarantees: nothing counts as
//! success but measurements that passed; nothing counts as failure but measurements that failed; a rollback is never judged;
//! whatever was said of a rollout counts for that rollout only.

mod analysis;
mod builtin;
mod condition;
mod desired;
mod json_path;
mod judge;
pub mod mark;
pub mod read;
mod stand;
#[cfg(test)]
mod tests;

pub use analysis::{Analysis, AtGate, Part, Tally, Verdict};
pub use condition::{Condition, Measured};
pub use desired::{AlbRule, CHECKS_MAX, DesiredCheck, METRIC_DELAY, Provider, period, resolve};
pub use judge::{AlbFigures, Measurement, Outcome, Reading, judge};
pub use mark::Mark;
pub use stand::{Judged, Leaving, analysis_at, at_gate, conclude, gate_of, remembered, subject};
