//! Which services of a target may roll tasks now, where it allows so many at a time. The others wait in line, in the order in
//! which they came.
//!
//! Who rolls tasks is not remembered but seen: each turn says whether ECS moves the tasks of its service. Between the call that
//! begins a rollout and the first look at it the place is kept here. After a start no place is given before every service of
//! the target has been looked at once. Admission paces the calls of turns; this bounds the rollouts that they begin.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crds::{ObjectKey, Target, TargetName};
use planner::waiting::Line;

/// The places of every target that has a limit. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Places(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    targets: HashMap<TargetName, Limited>,
    called: Vec<ObjectKey>,
}

#[derive(Debug)]
struct Limited {
    limit: usize,
    taken: BTreeSet<ObjectKey>,
    /// First come, first.
    line: Vec<ObjectKey>,
    /// Whether every service has been looked at, so that `taken` is complete.
    is_known: bool,
}

impl Places {
    /// The places of these targets.
    pub fn of<'a>(targets: impl IntoIterator<Item = &'a Target>) -> Self {
        let limited = targets.into_iter().filter_map(|target| {
            let limit = usize::try_from(target.max_concurrent_rollouts?.get()).ok()?;
            let (taken, line) = (BTreeSet::new(), Vec::new());
            Some((target.name.clone(), Limited { limit, taken, line, is_known: false }))
        });
        let state = State { targets: limited.collect(), called: Vec::new() };
        Self(Arc::new(Mutex::new(state)))
    }

    /// Notes whether a service rolls tasks, by what AWS says.
    pub fn see(&self, key: &ObjectKey, is_under_way: bool) {
        self.change(key, |target| {
            if is_under_way {
                target.line.retain(|waiting| waiting != key);
                target.taken.insert(key.clone());
            } else {
                target.taken.remove(key);
            }
        });
    }

    /// Takes a place for a rollout that is about to begin; a service that has one keeps it. `unseen` counts the services of
    /// the target that have not been looked at.
    pub fn enter(&self, key: &ObjectKey, unseen: impl FnOnce() -> usize) -> Result<(), Line> {
        let mut state = self.lock();
        let Some(target) = state.targets.get_mut(&key.target) else { return Ok(()) };
        if target.taken.contains(key) {
            return Ok(());
        }
        let place = target.line.iter().position(|waiting| waiting == key);
        let ahead = place.unwrap_or(target.line.len());
        if place.is_none() {
            target.line.push(key.clone());
        }
        if !target.is_known {
            let unseen = unseen();
            if unseen > 0 {
                return Err(Line::Unknown { unseen });
            }
            target.is_known = true;
        }
        if ahead >= target.free() {
            return Err(Line::Behind { limit: target.limit, ahead });
        }
        target.line.remove(ahead);
        target.taken.insert(key.clone());
        Ok(())
    }

    /// Takes a service out of the line: there is nothing to roll for it now.
    pub fn leave(&self, key: &ObjectKey) {
        self.change(key, |target| target.line.retain(|waiting| waiting != key));
    }

    /// Gives a place back with which nothing was begun, or whose service is gone.
    pub fn give_back(&self, key: &ObjectKey) {
        self.change(key, |target| {
            target.line.retain(|waiting| waiting != key);
            target.taken.remove(key);
        });
    }

    /// The services that may have a place since this was last asked.
    pub fn called(&self) -> Vec<ObjectKey> {
        std::mem::take(&mut self.lock().called)
    }

    /// Changes a target's places, and calls those for whom there is one afterwards that there was not before.
    fn change(&self, key: &ObjectKey, change: impl FnOnce(&mut Limited)) {
        let mut state = self.lock();
        let Some(target) = state.targets.get_mut(&key.target) else { return };
        let before = target.next();
        change(target);
        let called: Vec<ObjectKey> =
            target.next().into_iter().filter(|key| !before.contains(key)).collect();
        state.called.extend(called);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Limited {
    fn free(&self) -> usize {
        self.limit.saturating_sub(self.taken.len())
    }

    /// Those of the line for whom there is a place.
    fn next(&self) -> Vec<ObjectKey> {
        self.line.iter().take(self.free()).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> ObjectKey {
        ObjectKey {
            target: TargetName::default(),
            cluster: "shop".parse().unwrap(),
            name: name.parse().unwrap(),
        }
    }

    fn places(limit: u32) -> Places {
        Places::of(&[Target {
            name: TargetName::default(),
            region: None,
            role_arn: None,
            external_id: None,
            max_concurrent_rollouts: std::num::NonZeroU32::new(limit),
        }])
    }

    fn enter(places: &Places, name: &str) -> Result<(), Line> {
        places.enter(&key(name), || 0)
    }

    #[test]
    fn so_many_go_and_the_others_wait_in_the_order_in_which_they_came() {
        let places = places(2);
        assert_eq!([enter(&places, "a"), enter(&places, "b")], [Ok(()), Ok(())]);
        assert_eq!(enter(&places, "c"), Err(Line::Behind { limit: 2, ahead: 0 }));
        assert_eq!(enter(&places, "d"), Err(Line::Behind { limit: 2, ahead: 1 }));
        assert_eq!(enter(&places, "c"), Err(Line::Behind { limit: 2, ahead: 0 }));
        places.see(&key("a"), true);
        assert!(places.called().is_empty());
        places.see(&key("a"), false);
        assert_eq!(places.called(), [key("c")]);
        assert_eq!(enter(&places, "d"), Err(Line::Behind { limit: 2, ahead: 1 }));
        assert_eq!(enter(&places, "c"), Ok(()));
        assert_eq!(enter(&places, "d"), Err(Line::Behind { limit: 2, ahead: 0 }));
    }

    #[test]
    fn who_rolls_already_needs_no_other_place() {
        let places = places(1);
        places.see(&key("a"), true);
        places.see(&key("b"), true);
        assert_eq!([enter(&places, "a"), enter(&places, "b")], [Ok(()), Ok(())]);
        assert!(enter(&places, "c").is_err());
    }

    #[test]
    fn who_has_nothing_to_roll_any_more_keeps_nobody_waiting() {
        let places = places(1);
        assert_eq!(enter(&places, "a"), Ok(()));
        assert!(enter(&places, "b").is_err());
        assert!(enter(&places, "c").is_err());
        places.give_back(&key("a"));
        assert_eq!(places.called(), [key("b")]);
        places.leave(&key("b"));
        assert_eq!(places.called(), [key("c")]);
        assert_eq!(enter(&places, "c"), Ok(()));
    }

    #[test]
    fn nobody_goes_before_all_are_known_and_targets_without_a_limit_never_wait() {
        let places = places(2);
        assert_eq!(places.enter(&key("a"), || 3), Err(Line::Unknown { unseen: 3 }));
        assert_eq!(places.enter(&key("a"), || 0), Ok(()));
        assert_eq!(places.enter(&key("b"), || 3), Ok(()), "known once is known");
        let elsewhere = ObjectKey { target: "abroad".parse().unwrap(), ..key("c") };
        assert_eq!(places.enter(&elsewhere, || 3), Ok(()));
    }
}
