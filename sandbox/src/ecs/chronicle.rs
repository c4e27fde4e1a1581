//! The event log of a service (aws.md §3.11).

use std::time::Duration;

use jiff::Timestamp;

use super::{
    Ecs,
    agenda::Event,
    model::{Service, ServiceEvent, ServiceId},
    placement::Place,
};
use crate::{clock::after, ids};

impl Ecs {
    pub(super) fn announce_registered(&mut self, service: &mut Service, now: Timestamp) {
        for (group, count) in std::mem::take(&mut service.registered) {
            let text = format!("registered {count} targets in (target-group {group})");
            self.announce(service, now, &text);
        }
    }

    /// Writes into a service's event log.
    pub(super) fn announce(&mut self, service: &mut Service, now: Timestamp, text: &str) {
        let message = format!("(service {}) {text}", service.name);
        self.announce_as_is(service, now, message);
    }

    pub(super) fn announce_as_is(
        &mut self,
        service: &mut Service,
        now: Timestamp,
        message: String,
    ) {
        let id = ids::uuid(&mut self.rng);
        service.events.push_front(ServiceEvent { id, when: now, message });
        service.events.truncate(EVENTS_KEPT);
    }

    /// A steady service says so every six hours.
    pub(super) fn steady_again(&mut self, id: ServiceId, epoch: u32, now: Timestamp) {
        self.with_service(id, |ecs, service| {
            if service.steady && service.steady_epoch == epoch {
                ecs.announce(service, now, "has reached a steady state.");
                let again = Event::SteadyAgain { service: id, epoch };
                ecs.agenda.put(after(now, STEADY_EVERY), again);
            }
        });
    }

    pub(super) fn becomes_steady(&mut self, id: ServiceId, service: &mut Service, now: Timestamp) {
        if !service.steady {
            service.steady = true;
            self.announce(service, now, "has reached a steady state.");
            self.tell_steady(service, now);
            let again = Event::SteadyAgain { service: id, epoch: service.steady_epoch };
            self.agenda.put(after(now, STEADY_EVERY), again);
        }
    }

    /// Says that a task found no room, once, and waits for some.
    pub(super) fn wait_for_room(
        &mut self,
        id: ServiceId,
        service: &mut Service,
        place: &Place,
        now: Timestamp,
    ) {
        self.waiting.insert(id);
        if std::mem::replace(&mut service.unplaced, true) {
            return;
        }
        let closest = match place {
            Place::Full { instance: Some(instance), reason } => {
                let lack = match *reason {
                    "RESOURCE:CPU" => "has insufficient CPU units available",
                    "RESOURCE:MEMORY" => "has insufficient memory available",
                    _ => "is already using a port required by your task",
                };
                format!("The closest matching (container-instance {instance}) {lack}.")
            }
            Place::Full { instance: None, reason } => format!("Reason: {reason}"),
            Place::Found => return,
        };
        let text = format!(
            "was unable to place a task because no container instance met all of its requirements. {closest} For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
        );
        self.announce(service, now, &text);
    }
}

const EVENTS_KEPT: usize = 100;
const STEADY_EVERY: Duration = Duration::from_hours(6);
