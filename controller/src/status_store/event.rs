//! Transitions, kept for people who ask what happened.

use std::collections::VecDeque;
use std::sync::Arc;

use crds::{ConditionStatus, ConditionType, Health, ObjectKey, RolloutStatus, SourceName};
use jiff::Timestamp;
use serde::Serialize;

use super::{ServiceObject, SourceObject};

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum EventKind {
    /// The health or the leading condition of a service.
    Health,
    /// Whether AWS matches the spec.
    Sync,
    /// The spec of a service.
    Spec,
    /// A rollout.
    Rollout,
    /// A change that was made at AWS.
    Action,
    /// A source.
    Source,
}

impl EventKind {
    /// The word for it in JSON and on pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Health => "Health",
            Self::Sync => "Sync",
            Self::Spec => "Spec",
            Self::Rollout => "Rollout",
            Self::Action => "Action",
            Self::Source => "Source",
        }
    }
}

/// Whether an event needs somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum EventLevel {
    /// Good to know.
    Info,
    /// Something is wrong.
    Warning,
}

/// One transition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// When it was noticed.
    pub time: Timestamp,
    /// The service it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<ObjectKey>,
    /// The source it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceName>,
    /// What it is about.
    pub kind: EventKind,
    /// Whether it needs somebody.
    pub level: EventLevel,
    /// Why, for programs: a condition's reason, or the name of a transition.
    pub reason: String,
    /// Why, for people.
    pub message: String,
}

impl Event {
    /// An event of a service.
    pub fn of_service(
        key: ObjectKey,
        time: Timestamp,
        kind: EventKind,
        level: EventLevel,
        (reason, message): (impl Into<String>, impl Into<String>),
    ) -> Self {
        Self {
            time,
            key: Some(key),
            source: None,
            kind,
            level,
            reason: reason.into(),
            message: message.into(),
        }
    }

    /// The event that a source's history is not what it was, and was followed.
    pub fn of_rewritten_source(name: &SourceName, time: Timestamp, what: &str) -> Self {
        Self::of_source(name, time, EventLevel::Warning, ("SourceRewritten", what.to_owned()))
    }

    fn of_source(
        name: &SourceName,
        time: Timestamp,
        level: EventLevel,
        (reason, message): (&str, String),
    ) -> Self {
        Self {
            time,
            key: None,
            source: Some(name.clone()),
            kind: EventKind::Source,
            level,
            reason: reason.to_owned(),
            message,
        }
    }
}

/// The newest events, the oldest of which make room.
#[derive(Debug, Default)]
pub(super) struct Ring(VecDeque<Arc<Event>>);

impl Ring {
    pub(super) fn push(&mut self, event: Arc<Event>, capacity: usize) {
        while self.0.len() >= capacity {
            self.0.pop_front();
        }
        self.0.push_back(event);
    }

    pub(super) fn newest(&self, limit: usize) -> Vec<Arc<Event>> {
        self.0.iter().rev().take(limit).cloned().collect()
    }
}

/// What happened between two publications of a service. The first publication is no transition, or else a restart of
/// the operator would bury every real event; only what is wrong from the start is told.
pub(super) fn service_transitions(
    old: Option<&ServiceObject>,
    new: &ServiceObject,
    now: Timestamp,
) -> Vec<Event> {
    let event = |kind, level, reason: &str, message: String| {
        Event::of_service(new.key.clone(), now, kind, level, (reason, message))
    };
    let mut events = Vec::new();
    if new.invalid.as_slice() != old.map_or(&[][..], |old| &old.invalid) {
        events.push(match new.invalid.as_slice() {
            [] => event(
                EventKind::Spec,
                EventLevel::Info,
                "SpecMended",
                "the spec can be used again".into(),
            ),
            [first, ..] => {
                event(EventKind::Spec, EventLevel::Warning, "InvalidSpec", first.to_string())
            }
        });
    }
    if let (Some(old), Some(attempt)) = (old, &new.status.last_attempted)
        && old.status.last_attempted.as_ref().is_none_or(|was| was.spec_hash != attempt.spec_hash)
    {
        let message =
            format!("trying the spec of {} from {}", attempt.commit.short(), attempt.source);
        events.push(event(EventKind::Spec, EventLevel::Info, "SpecChanged", message));
    }
    if let Some(old) = old
        && old.status.sync != new.status.sync
    {
        let message = format!("{:?} -> {:?}", old.status.sync, new.status.sync);
        let reason = format!("{:?}", new.status.sync);
        events.push(event(EventKind::Sync, EventLevel::Info, &reason, message));
    }
    events.extend(
        rollout_transition(old, new)
            .map(|(level, reason, message)| event(EventKind::Rollout, level, &reason, message)),
    );
    events.extend(
        health_transition(old, new)
            .map(|(level, reason, message)| event(EventKind::Health, level, &reason, message)),
    );
    events
}

fn rollout_transition(
    old: Option<&ServiceObject>,
    new: &ServiceObject,
) -> Option<(EventLevel, String, String)> {
    let rollout = new.status.rollout.as_ref()?;
    let was = old?.status.rollout.as_ref();
    let is_same = |was: &RolloutStatus| {
        was.id == rollout.id
            && was.stage == rollout.stage
            && was.traffic_weights == rollout.traffic_weights
    };
    if was.is_some_and(is_same) {
        return None;
    }
    let level = if rollout.stage.contains("FAILED") || rollout.stage.contains("ROLLBACK") {
        EventLevel::Warning
    } else {
        EventLevel::Info
    };
    let because = rollout.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let traffic = rollout.traffic_weights.and_then(|weights| weights.production);
    let traffic = traffic.map(|share| format!(", {share} % of the traffic")).unwrap_or_default();
    let message = format!(
        "{} {}, {} of {} tasks running{traffic}{because}",
        rollout.strategy, rollout.id, rollout.running, rollout.desired
    );
    Some((level, rollout.stage.clone(), message))
}

fn health_transition(
    old: Option<&ServiceObject>,
    new: &ServiceObject,
) -> Option<(EventLevel, String, String)> {
    let health = new.status.health;
    let was = old.map(|old| old.status.health);
    let headline = new.headline();
    let reason = headline.map(|condition| condition.reason);
    let moved = match old {
        None => health == Health::Degraded,
        Some(old) => {
            was != Some(health) || old.headline().map(|condition| condition.reason) != reason
        }
    };
    if !moved {
        return None;
    }
    let stalled = new
        .status
        .condition(ConditionType::Stalled)
        .is_some_and(|condition| condition.status == ConditionStatus::True);
    let level = if stalled || matches!(health, Health::Degraded | Health::Missing) {
        EventLevel::Warning
    } else {
        EventLevel::Info
    };
    let path = match was {
        Some(was) if was != health => format!("{was:?} -> {health:?}"),
        Some(_) | None => format!("{health:?}"),
    };
    let message = match headline {
        Some(condition) if !condition.message.is_empty() => {
            format!("{path}: {}", condition.message)
        }
        Some(_) | None => path,
    };
    let reason = reason.map_or_else(|| format!("{health:?}"), |reason| reason.as_str().to_owned());
    Some((level, reason, message))
}

/// What happened between two publications of a source.
pub(super) fn source_transitions(
    old: Option<&SourceObject>,
    new: &SourceObject,
    now: Timestamp,
) -> Vec<Event> {
    let event = |level, reason, message| Event::of_source(&new.name, now, level, (reason, message));
    let mut events = Vec::new();
    let error_was = old.and_then(|old| old.error.as_ref());
    match &new.error {
        Some(error) if error_was != Some(error) => {
            events.push(event(EventLevel::Warning, "SourceUnreadable", error.clone()));
        }
        None if error_was.is_some() => {
            events.push(event(EventLevel::Info, "SourceReadable", "it can be read again".into()));
        }
        Some(_) | None => {}
    }
    if let Some(revision) = &new.revision
        && old.and_then(|old| old.revision.as_ref()) != Some(revision)
    {
        let told = new.description.as_deref().map(|text| format!(": {text}")).unwrap_or_default();
        let message = format!("at {}, {} services{told}", revision.short(), new.services);
        events.push(event(EventLevel::Info, "SourceRevision", message));
    }
    let invalid_was = old.map_or(&[][..], |old| &old.invalid);
    events.extend(
        new.invalid
            .iter()
            .filter(|invalid| invalid.key.is_none() && !invalid_was.contains(invalid))
            .map(|invalid| event(EventLevel::Warning, "InvalidSpec", invalid.to_string())),
    );
    events
}
