//! What will happen when.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    model::ServiceId,
    task::{TaskId, TaskStep},
};

/// One thing that happens by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    /// The service scheduler looks at a service.
    Turn(ServiceId),
    /// A task takes its next step, unless its course has changed since.
    Task { task: TaskId, epoch: u32, step: TaskStep },
    /// A service deployment leaves PENDING.
    DeploymentBegins { service: ServiceId, record: String },
    /// A service deployment leaves `STOP_REQUESTED`.
    RecordStops { service: ServiceId, record: String },
    /// A service deployment leaves `ROLLBACK_REQUESTED`.
    RollbackBegins { service: ServiceId, record: String },
    /// A service that is still steady says so again.
    SteadyAgain { service: ServiceId, epoch: u32 },
    /// A stopped task is no longer shown.
    Forget(TaskId),
}

/// Events by time; events of one time happen in the order in which they were put.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    events: BTreeMap<(Timestamp, u64), Event>,
    count: u64,
}

impl Agenda {
    pub(super) fn put(&mut self, when: Timestamp, event: Event) {
        self.count += 1;
        self.events.insert((when, self.count), event);
    }

    pub(super) fn next_due(&mut self, now: Timestamp) -> Option<(Timestamp, Event)> {
        let entry = self.events.first_entry()?;
        let (when, _) = *entry.key();
        (when <= now).then(|| (when, entry.remove()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_in_order_of_time_and_then_of_arrival() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut agenda = Agenda::default();
        for (second, id) in [(5, 1), (3, 2), (5, 3), (9, 4)] {
            agenda.put(at(second), Event::Forget(id));
        }
        let due: Vec<_> = std::iter::from_fn(|| agenda.next_due(at(5))).collect();
        let expected = [(3, 2), (5, 1), (5, 3)].map(|(second, id)| (at(second), Event::Forget(id)));
        assert_eq!(due, expected);
    }
}
