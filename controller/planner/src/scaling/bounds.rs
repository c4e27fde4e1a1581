//! Whose the bounds are: the spec's, or those of a scheduled action that fired.
//!
//! A scheduled action changes the registered bounds for good (aws.md §5.3), and AWS does not say which one fired last. So
//! while the spec has scheduled actions, a bound that one of them sets is in force rightly. The spec's own bounds are
//! registered when they change, which the tag of the service tells ([`Marker`](super::Marker)), and when somebody set a bound
//! that neither the spec nor an action of it names.

use serde_json::Value;

use super::form;

/// The two bounds.
pub(super) const BOUNDS: [&str; 2] = ["minCapacity", "maxCapacity"];

/// The block with the bounds in force in the place of its own, where they may rightly be in force.
pub(super) fn leave_to_actions(block: &mut Value, observed: &Value) {
    let mut kept = Vec::new();
    for name in BOUNDS {
        let Some(in_force) = observed.get(name).and_then(Value::as_i64) else { continue };
        let is_theirs = form::list(block, "scheduled")
            .any(|action| action.get(name).and_then(Value::as_i64) == Some(in_force));
        if is_theirs {
            kept.push((name, in_force));
        }
    }
    let mut changed = block.clone();
    if let Some(members) = changed.as_object_mut() {
        members.extend(kept.into_iter().map(|(name, bound)| (name.to_owned(), Value::from(bound))));
    }
    // A bound of an action beside the other one of the spec may be no range; then both are the spec's.
    let bound = |name: &str| changed.get(name).and_then(Value::as_i64);
    let [min, max] = BOUNDS.map(bound);
    if min <= max {
        *block = changed;
    }
}
