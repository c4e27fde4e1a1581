//! Steps back that were taken while the store could not be written. They count in this process until they are written down;
//! what must outlive it stands on the service (docs/adr/0012).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crds::{ObjectKey, Order, SpecHash};
use planner::Orders;
use planner::orders::UnderWay;
use tokio::sync::Notify;

use super::Record;

/// A rollback or an abort that the store does not know of, or not all of it.
#[derive(Debug, Clone, PartialEq)]
pub struct StepBack {
    /// The order, and what was sent for it.
    pub deed: UnderWay,
    /// The spec that is left with it.
    pub leaves: Option<SpecHash>,
    /// Whether nothing more is to be done about it but to write it down.
    pub is_over: bool,
}

impl StepBack {
    /// An order that nothing has been done about.
    pub const fn new(order: Order) -> Self {
        Self { deed: UnderWay::new(order), leaves: None, is_over: false }
    }

    /// What people said, with this order as the last that they gave.
    #[must_use]
    pub fn over(&self, mut orders: Orders) -> Orders {
        let given = self.deed.order.time;
        // Whatever was ordered before it has been superseded.
        let is_done = |deed: &UnderWay| deed.order.time <= given;
        if self.is_over && orders.deed.as_ref().is_some_and(is_done) {
            orders.deed = None;
        }
        if !self.is_over {
            orders.deed = Some(self.deed.clone());
        }
        if let Some(spec) = self.leaves.as_ref().filter(|_| !self.is_released(&orders)) {
            let spec_hash = Some(spec.clone());
            orders.left = Some(Order { spec_hash, ..self.deed.order.clone() });
            orders.release = None;
        }
        orders
    }

    /// Whether a person has let its spec go since.
    pub fn is_released(&self, orders: &Orders) -> bool {
        let given = self.deed.order.time;
        orders.release.as_ref().is_some_and(|order| order.time > given)
    }

    /// Puts into the record what is left of it once it is over.
    pub fn write_to(&self, record: &mut Record) {
        let mut step = self.clone();
        if step.deed.order.id == 0 {
            step.deed.order.id = record.taken + 1;
        }
        let orders = step.over(std::mem::take(&mut record.orders));
        if orders.left.as_ref().is_some_and(|left| left.id == step.deed.order.id) {
            record.taken = record.taken.max(step.deed.order.id);
        }
        record.orders = orders;
    }

    /// Whether it is this order: one that was taken without the store has no number of its own.
    pub fn is(&self, order: &Order) -> bool {
        let Order { verb, actor, time, .. } = &self.deed.order;
        (order.verb, &order.actor, order.time) == (*verb, actor, *time)
    }
}

/// The last step back of each service.
#[derive(Debug, Default)]
pub(super) struct Unwritten {
    steps: Mutex<HashMap<ObjectKey, StepBack>>,
    changed: Notify,
}

impl Unwritten {
    pub(super) fn of(&self, key: &ObjectKey) -> Option<StepBack> {
        self.kept().get(key).cloned()
    }

    pub(super) fn put(&self, key: &ObjectKey, step: StepBack) {
        self.kept().insert(key.clone(), step);
        self.changed.notify_waiters();
    }

    /// Waits for one that is still to be carried out.
    pub(super) async fn next(&self, key: &ObjectKey) -> StepBack {
        loop {
            let changed = self.changed.notified();
            if let Some(step) = self.of(key).filter(|step| !step.is_over) {
                return step;
            }
            changed.await;
        }
    }

    /// Puts more that is known of one in its place. A later order that has come there meanwhile stays.
    pub(super) fn renew(&self, key: &ObjectKey, step: StepBack) {
        let mut kept = self.kept();
        let given = step.deed.order.time;
        if kept.get(key).is_none_or(|known| known.deed.order.time <= given) {
            kept.insert(key.clone(), step);
            self.changed.notify_waiters();
        }
    }

    /// Forgets one that is written down, unless something else has taken its place.
    pub(super) fn forget(&self, key: &ObjectKey, step: &StepBack) {
        let mut kept = self.kept();
        if kept.get(key) == Some(step) {
            kept.remove(key);
        }
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<ObjectKey, StepBack>> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn order(id: u64, verb: &str, minute: u32) -> Order {
        let time = format!("2026-03-01T00:{minute:02}:00Z");
        let spec = json!("5bec");
        serde_json::from_value(json!({
            "id": id, "verb": verb, "actor": "ann", "time": time, "specHash": spec,
        }))
        .unwrap()
    }

    fn over(id: u64) -> StepBack {
        let leaves = Some(SpecHash::from_text("5bec"));
        StepBack { leaves, is_over: true, ..StepBack::new(order(id, "rollback", 5)) }
    }

    #[test]
    fn what_is_written_down_late_says_who_left_which_spec_and_gets_a_number() {
        let mut record = Record { taken: 7, ..Record::default() };
        record.orders.release = Some(order(7, "release", 1));
        over(0).write_to(&mut record);
        let left = record.orders.left.as_ref().unwrap();
        assert_eq!((left.id, record.taken, left.actor.as_str()), (8, 8, "ann"));
        assert_eq!(record.orders.release, None, "it was given before");
        // What was taken in time and only not ended keeps its number, and is not carried out again.
        let mut record = Record { taken: 9, ..Record::default() };
        record.orders.deed = Some(UnderWay::new(order(8, "rollback", 5)));
        over(8).write_to(&mut record);
        assert_eq!((record.orders.deed, record.taken), (None, 9));
        assert_eq!(record.orders.left.map(|left| left.id), Some(8));
    }

    #[test]
    fn whoever_released_the_spec_afterwards_is_not_overruled() {
        let mut record = Record { taken: 3, ..Record::default() };
        record.orders.release = Some(order(3, "release", 9));
        over(0).write_to(&mut record);
        assert_eq!((record.orders.left, record.taken), (None, 3));
        assert!(record.orders.release.is_some());
    }

    #[tokio::test]
    async fn one_that_comes_is_seen_by_those_who_wait_and_one_that_is_over_is_not() {
        let key = ObjectKey {
            target: crds::TargetName::default(),
            cluster: "shop".parse().unwrap(),
            name: "web".parse().unwrap(),
        };
        let unwritten = std::sync::Arc::new(Unwritten::default());
        unwritten.put(&key, over(1));
        let waiting = {
            let (unwritten, key) = (unwritten.clone(), key.clone());
            async move { unwritten.next(&key).await }
        };
        let waiting = tokio::spawn(waiting);
        tokio::task::yield_now().await;
        let step = StepBack::new(order(2, "abort", 6));
        unwritten.put(&key, step.clone());
        assert_eq!(waiting.await.unwrap(), step);
        unwritten.forget(&key, &step);
        assert_eq!(unwritten.of(&key), None);
    }

    #[test]
    fn a_later_order_is_neither_overwritten_nor_forgotten_with_the_one_before() {
        let key = ObjectKey {
            target: crds::TargetName::default(),
            cluster: "shop".parse().unwrap(),
            name: "web".parse().unwrap(),
        };
        let unwritten = Unwritten::default();
        let later = StepBack::new(order(0, "abort", 6));
        unwritten.put(&key, later.clone());
        unwritten.renew(&key, over(1));
        unwritten.forget(&key, &over(1));
        assert_eq!(unwritten.of(&key), Some(later.clone()));
        let sent = StepBack { is_over: true, ..later };
        unwritten.renew(&key, sent.clone());
        assert_eq!(unwritten.of(&key), Some(sent.clone()));
        unwritten.forget(&key, &sent);
        assert_eq!(unwritten.of(&key), None);
    }

    #[test]
    fn what_was_ordered_before_a_step_back_is_not_carried_out_after_it() {
        let mut record = Record { taken: 3, ..Record::default() };
        record.orders.deed = Some(UnderWay::new(order(3, "rollback", 4)));
        over(0).write_to(&mut record);
        assert_eq!(record.orders.deed, None);
        record.orders.deed = Some(UnderWay::new(order(4, "restart", 9)));
        over(0).write_to(&mut record);
        assert!(record.orders.deed.is_some(), "it was given afterwards");
    }
}
