//! Reads that do not yet see the last write (aws.md §0).

use std::{collections::HashMap, time::Duration};

use jiff::Timestamp;
use serde_json::Value;

use super::{Ecs, definition::DefinitionKey, model::Service};
use crate::clock::after;

/// How a read sees a service.
#[derive(Debug, Clone, Copy)]
pub(super) enum Seen<'a> {
    /// As it is.
    Now,
    /// As it was before its last write.
    Before(&'a Value),
    /// As if it had not been created yet.
    Missing,
}

/// What reads still show.
#[derive(Default)]
pub(super) struct ReadLag {
    lag: Duration,
    /// Whether reads come from two places, of which only one is late: what is late shows in every other second.
    flickers: bool,
    /// How long new rollouts have no record.
    unlisted: Duration,
    /// Services before their last write, by cluster and name; `None` for services that were not there.
    services: HashMap<(String, String), (Timestamp, Option<Value>)>,
    /// Rollouts before they were last answered or stopped, by their ARN.
    records: HashMap<String, (Timestamp, Value)>,
    /// Revisions that lists do not show yet.
    definitions: HashMap<DefinitionKey, Timestamp>,
}

impl ReadLag {
    pub(super) fn new(lag: Duration) -> Self {
        Self { lag, ..Self::default() }
    }

    /// What DescribeServices says about a service.
    pub(super) fn service(&self, service: &Service, now: Timestamp) -> Seen<'_> {
        if self.services.is_empty() {
            return Seen::Now;
        }
        match self.services.get(&(service.cluster.clone(), service.name.clone())) {
            Some((until, Some(before))) if self.is_late(*until, now) => Seen::Before(before),
            Some((until, None)) if self.is_late(*until, now) => Seen::Missing,
            Some(_) | None => Seen::Now,
        }
    }

    /// What DescribeServiceDeployments still says about a rollout, if that is not how it is.
    pub(super) fn record(&self, arn: &str, now: Timestamp) -> Option<&Value> {
        let (until, before) = self.records.get(arn)?;
        self.is_late(*until, now).then_some(before)
    }

    pub(super) fn hides_definition(&self, key: &DefinitionKey, now: Timestamp) -> bool {
        self.definitions.get(key).is_some_and(|until| self.is_late(*until, now))
    }

    /// How long a rollout that begins now has no record.
    pub(super) const fn unlisted(&self) -> Duration {
        self.unlisted
    }

    fn is_late(&self, until: Timestamp, now: Timestamp) -> bool {
        now < until && !(self.flickers && now.as_second() % 2 == 1)
    }

    pub(super) fn definition_registered(&mut self, key: &DefinitionKey, now: Timestamp) {
        if !self.lag.is_zero() {
            self.definitions.insert(key.clone(), after(now, self.lag));
        }
    }
}

impl Ecs {
    pub(crate) fn set_read_lag(&mut self, lag: Duration) {
        self.read_lag = ReadLag::new(lag);
    }

    pub(crate) const fn set_read_flicker(&mut self, flickers: bool) {
        self.read_lag.flickers = flickers;
    }

    pub(crate) const fn set_record_lag(&mut self, lag: Duration) {
        self.read_lag.unlisted = lag;
    }

    /// Remembers how a rollout was before it is answered or stopped.
    pub(super) fn remember_record(&mut self, arn: &str, now: Timestamp) {
        if self.read_lag.lag.is_zero() {
            return;
        }
        let Some((service, record)) = self.find_record(arn) else { return };
        let view = self.record_view(service, record);
        let until = after(now, self.read_lag.lag);
        self.read_lag.records.insert(arn.to_owned(), (until, view));
    }

    /// Remembers how a service was before a write; `None` if it was not there.
    pub(super) fn remember_before(
        &mut self,
        cluster: &str,
        name: &str,
        before: Option<&Service>,
        now: Timestamp,
    ) {
        if self.read_lag.lag.is_zero() {
            return;
        }
        let view = before.map(|service| self.service_view(service, true, now));
        let until = after(now, self.read_lag.lag);
        let key = (cluster.to_owned(), name.to_owned());
        self.read_lag.services.insert(key, (until, view));
    }
}
