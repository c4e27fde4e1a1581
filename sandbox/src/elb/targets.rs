//! Registered targets and their health.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{Elb, Group, members::list, show::group_not_found};
use crate::{ApiError, xml::Xml};

/// An address or an instance, and a port.
pub(super) type TargetId = (String, u16);

/// What a target's health checks say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TargetState {
    /// Registered; no check has passed yet.
    Initial,
    /// The checks pass.
    Healthy,
    /// The checks fail.
    Unhealthy,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Target {
    pub(super) state: TargetState,
    /// When it was removed; it drains for a while.
    pub(super) removed: Option<Timestamp>,
}

/// State, reason and text, as `DescribeTargetHealth` writes them.
type Health = (&'static str, Option<(&'static str, &'static str)>);

impl Elb {
    /// Adds a target, which is `initial` until its health is set.
    pub(crate) fn register(&mut self, group: &str, target: &str, port: u16) {
        if let Some(group) = self.groups.get_mut(group) {
            let entry = Target { state: TargetState::Initial, removed: None };
            group.targets.insert((target.to_owned(), port), entry);
        }
    }

    /// Sets what the health checks of a registered target say.
    pub(crate) fn set_health(&mut self, group: &str, target: &str, port: u16, state: TargetState) {
        let group = self.groups.get_mut(group);
        let entry = group.and_then(|group| group.targets.get_mut(&(target.to_owned(), port)));
        if let Some(entry) = entry {
            entry.state = state;
        }
    }

    /// Removes a target, which drains for the group's deregistration delay.
    pub(crate) fn deregister(&mut self, group: &str, target: &str, port: u16, now: Timestamp) {
        let group = self.groups.get_mut(group);
        let entry = group.and_then(|group| group.targets.get_mut(&(target.to_owned(), port)));
        if let Some(entry) = entry {
            entry.removed.get_or_insert(now);
        }
    }

    /// The state of a target as `DescribeTargetHealth` names it; none when it is not registered.
    pub(crate) fn health(
        &self,
        group: &str,
        target: &str,
        port: u16,
        now: Timestamp,
    ) -> Option<&'static str> {
        let is_used = !self.balancers_of(group).is_empty();
        let group = self.groups.get(group)?;
        let entry = group.targets.get(&(target.to_owned(), port))?;
        entry.health(group, is_used, now).map(|(state, _)| state)
    }

    pub(super) fn describe_target_health(
        &mut self,
        params: &BTreeMap<String, String>,
        now: Timestamp,
    ) -> Result<String, ApiError> {
        let arn = params.get("TargetGroupArn").map(String::as_str).unwrap_or_default();
        let is_used = !self.balancers_of(arn).is_empty();
        let group = self.groups.get_mut(arn).ok_or_else(|| group_not_found(&[arn]))?;
        let delay = group.delay();
        group
            .targets
            .retain(|_, target| target.removed.is_none_or(|removed| removed + delay > now));
        let group = &*group;
        let ports = list(params, "Targets", ".Port");
        let asked: Vec<TargetId> = list(params, "Targets", ".Id")
            .into_iter()
            .map(|(place, id)| {
                let port = ports.get(&place).and_then(|port| port.parse().ok());
                ((*id).to_owned(), port.unwrap_or(group.fixture.port))
            })
            .collect();
        let known = |id: &TargetId| group.targets.get(id)?.health(group, is_used, now);
        let rows: Vec<(TargetId, Health)> = if asked.is_empty() {
            group.targets.keys().filter_map(|id| Some((id.clone(), known(id)?))).collect()
        } else {
            asked.into_iter().map(|id| (id.clone(), known(&id).unwrap_or(NOT_REGISTERED))).collect()
        };
        let mut xml = Xml::new();
        xml.within("TargetHealthDescriptions", |xml| {
            for (id, health) in &rows {
                xml.within("member", |xml| show(xml, id, *health));
            }
        });
        Ok(xml.finish())
    }
}

const NOT_REGISTERED: Health =
    ("unused", Some(("Target.NotRegistered", "Target is not registered to the target group")));

impl Target {
    /// None once it has drained.
    fn health(&self, group: &Group, is_used: bool, now: Timestamp) -> Option<Health> {
        if let Some(removed) = self.removed {
            let reason =
                ("Target.DeregistrationInProgress", "Target deregistration is in progress");
            return (removed + group.delay() > now).then_some(("draining", Some(reason)));
        }
        if !is_used {
            let text = "Target group is not configured to receive traffic from the load balancer";
            return Some(("unused", Some(("Target.NotInUse", text))));
        }
        Some(match self.state {
            TargetState::Initial => (
                "initial",
                Some(("Elb.RegistrationInProgress", "Target registration is in progress")),
            ),
            TargetState::Healthy => ("healthy", None),
            TargetState::Unhealthy => {
                ("unhealthy", Some(("Target.FailedHealthChecks", "Health checks failed")))
            }
        })
    }
}

impl Group {
    fn delay(&self) -> SignedDuration {
        SignedDuration::from_secs(self.fixture.deregistration_delay_seconds)
    }
}

fn show(xml: &mut Xml, (id, port): &TargetId, (state, reason): Health) {
    xml.within("Target", |xml| {
        xml.element("Id", id).element("Port", port);
    });
    xml.element("HealthCheckPort", port);
    xml.within("TargetHealth", |xml| {
        xml.element("State", state);
        if let Some((reason, description)) = reason {
            xml.element("Reason", reason).element("Description", description);
        }
    });
}
