//! Which turns may change something now. The others look again when it is their time.
//!
//! AWS's rates for changes are low (aws.md §1.1: one registration a second for a whole account). A turn that waited for
//! them with its plan in hand would act on what it read long ago, and an urgent fix would stand at the end of the line. So
//! only a few turns of a target change anything at a time; the others end without a change and are called back, the newest
//! spec first, and then they read again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crds::{ObjectKey, SpecHash, TargetName};

/// How many turns of one target change something at a time: enough to use the rates up, few enough that a fix waits seconds.
const CHANGING_MAX: usize = 8;

/// The turns that change something, and those that wait to. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Admission(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    targets: HashMap<TargetName, Target>,
    called: Vec<ObjectKey>,
}

#[derive(Debug, Default)]
struct Target {
    changing: usize,
    /// Oldest first.
    waiting: Vec<(ObjectKey, Option<SpecHash>)>,
}

/// The right to change something; given back when it is dropped.
#[derive(Debug)]
pub struct Permit {
    admission: Admission,
    target: TargetName,
}

impl Admission {
    /// Asks to change something. Without a permit the key is called back later, before all that waits already; a key that
    /// waits with this spec, or with this lack of one, keeps its place.
    pub fn enter(&self, key: &ObjectKey, spec: Option<&SpecHash>) -> Option<Permit> {
        let mut state = self.lock();
        let target = state.targets.entry(key.target.clone()).or_default();
        let place = target.waiting.iter().position(|(waiting, _)| waiting == key);
        if target.changing < CHANGING_MAX {
            if let Some(place) = place {
                target.waiting.remove(place);
            }
            target.changing += 1;
            return Some(Permit { admission: self.clone(), target: key.target.clone() });
        }
        let keeps_place = place
            .and_then(|place| target.waiting.get(place))
            .is_some_and(|(_, old)| old.as_ref() == spec);
        if !keeps_place {
            if let Some(place) = place {
                target.waiting.remove(place);
            }
            target.waiting.push((key.clone(), spec.cloned()));
        }
        None
    }

    /// Takes a key out of the line: there is nothing to change for it now. If it was called, the next one is.
    pub fn leave(&self, key: &ObjectKey) {
        let mut state = self.lock();
        let Some(target) = state.targets.get_mut(&key.target) else { return };
        target.waiting.retain(|(waiting, _)| waiting != key);
        if target.changing < CHANGING_MAX
            && let Some((next, _)) = target.waiting.pop()
        {
            state.called.push(next);
        }
    }

    /// The keys whose time has come since this was last asked.
    pub fn called(&self) -> Vec<ObjectKey> {
        std::mem::take(&mut self.lock().called)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.admission.lock();
        let Some(target) = state.targets.get_mut(&self.target) else { return };
        target.changing = target.changing.saturating_sub(1);
        if let Some((key, _)) = target.waiting.pop() {
            state.called.push(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn key(name: &str) -> ObjectKey {
        ObjectKey {
            target: TargetName::default(),
            cluster: "shop".parse().unwrap(),
            name: name.parse().unwrap(),
        }
    }

    fn spec(version: &str) -> SpecHash {
        SpecHash::of(&json!(version))
    }

    fn full(admission: &Admission) -> Vec<Permit> {
        (0..CHANGING_MAX)
            .map(|number| admission.enter(&key(&format!("s{number}")), Some(&spec("v1"))).unwrap())
            .collect()
    }

    #[test]
    fn the_newest_that_waits_is_called_first() {
        let admission = Admission::default();
        let mut permits = full(&admission);
        for name in ["a", "b", "fix"] {
            assert!(admission.enter(&key(name), Some(&spec("v1"))).is_none());
        }
        assert!(admission.called().is_empty());
        permits.pop();
        assert_eq!(admission.called(), [key("fix")]);
        permits.clear();
        assert_eq!(admission.called(), [key("b"), key("a")]);
        assert!(admission.called().is_empty(), "each is called once");
    }

    #[test]
    fn another_look_at_the_same_spec_moves_nobody_and_a_new_spec_does() {
        let admission = Admission::default();
        let permits = full(&admission);
        for (name, version) in [("a", "v1"), ("b", "v1"), ("a", "v1"), ("b", "v1"), ("a", "v1")] {
            assert!(admission.enter(&key(name), Some(&spec(version))).is_none());
        }
        assert!(admission.enter(&key("a"), Some(&spec("v2"))).is_none());
        drop(permits);
        assert_eq!(admission.called(), [key("a"), key("b")]);
    }

    #[test]
    fn who_has_nothing_to_change_any_more_keeps_nobody_waiting() {
        let admission = Admission::default();
        let permits = full(&admission);
        for name in ["a", "b"] {
            assert!(admission.enter(&key(name), Some(&spec("v1"))).is_none());
        }
        admission.leave(&key("b"));
        drop(permits);
        assert_eq!(admission.called(), [key("a")]);
    }

    #[test]
    fn a_place_that_nobody_takes_goes_to_the_next() {
        let admission = Admission::default();
        let mut permits = full(&admission);
        for name in ["a", "b"] {
            assert!(admission.enter(&key(name), Some(&spec("v1"))).is_none());
        }
        permits.pop();
        assert_eq!(admission.called(), [key("b")]);
        admission.leave(&key("b"));
        assert_eq!(admission.called(), [key("a")]);
    }

    #[test]
    fn targets_do_not_wait_for_each_other() {
        let admission = Admission::default();
        let _permits = full(&admission);
        let elsewhere = ObjectKey { target: "abroad".parse().unwrap(), ..key("a") };
        assert!(admission.enter(&elsewhere, Some(&spec("v1"))).is_some());
    }
}
