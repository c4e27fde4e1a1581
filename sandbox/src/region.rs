//! One account's services in one Region.

mod edit;
mod events;
mod outside;
#[cfg(test)]
mod tests;
mod traffic;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use self::outside::Outside;
use crate::{
    ApiError, EventsFixture, FixtureScalableTarget, Fixtures,
    autoscaling::{AlarmChange, AutoScaling, ScaledServices as _},
    cloudwatch::CloudWatch,
    ecr::Ecr,
    ecs::{Ecs, TargetChangeKind},
    elb::{Elb, TargetState},
    iam::Iam,
    logs::Logs,
    secrets::Secrets,
    sqs::Sqs,
    ssm::Ssm,
    sts::Sts,
    wire::Input,
};

/// One account's services in one Region; tests look at it and change it.
pub struct Region {
    account: String,
    name: String,
    now: Timestamp,
    pub(crate) ecs: Ecs,
    ssm: Ssm,
    secrets: Secrets,
    sqs: Sqs,
    ecr: Ecr,
    scaling: AutoScaling,
    cloudwatch: CloudWatch,
    elb: Elb,
    sts: Sts,
    logs: Logs,
    iam: Iam,
    /// What `valueFrom` may also say, beyond parameters and secrets that exist.
    known: BTreeSet<String>,
    strict_images: bool,
    /// Where events are told, and how many were.
    events: Option<EventsFixture>,
    events_told: u64,
    events_off: bool,
    /// Scalable targets whose services do not exist yet.
    awaited: Vec<FixtureScalableTarget>,
    /// Until when requests have been counted.
    counted: Timestamp,
}

pub(crate) use self::events::Caller;

/// What a call answers before it is written.
pub(crate) enum Answer {
    Json(Value),
    /// What stands within `<OperationResult>`.
    Xml(String),
}

impl Region {
    /// Its registry.
    pub(crate) fn registry(&self) -> &Ecr {
        &self.ecr
    }

    /// An account's Region without what the fixtures put into it.
    pub(crate) fn empty(account: &str, region: &str, seed: u64, fixtures: &Fixtures) -> Self {
        Self {
            account: account.to_owned(),
            name: region.to_owned(),
            now: Timestamp::MIN,
            ecs: Ecs::new(account, region, seed, fixtures),
            ssm: Ssm::new(account, region),
            secrets: Secrets::new(account, region),
            sqs: Sqs::new(account, region, seed),
            ecr: Ecr::new(account, region),
            scaling: AutoScaling::new(account, region),
            cloudwatch: CloudWatch::new(account, region),
            elb: Elb::new(account, region),
            sts: Sts::new(account),
            logs: Logs::new(account, region, fixtures.log_groups.as_deref()),
            iam: Iam::new(account, fixtures.roles.as_deref()),
            known: BTreeSet::new(),
            strict_images: fixtures.strict_images,
            events: fixtures.events.clone(),
            events_told: 0,
            events_off: false,
            awaited: fixtures.scalable_targets.clone(),
            counted: Timestamp::MIN,
        }
    }

    /// Puts in what the fixtures say; the error names what cannot be.
    pub(crate) fn load(&mut self, fixtures: &Fixtures, now: Timestamp) -> Result<(), String> {
        let in_words = |kind: &str, name: &str, error: &ApiError| {
            format!("cannot load {kind} {name}: {}", error.message)
        };
        for one in &fixtures.parameters {
            self.ssm.load(one, now).map_err(|error| in_words("parameter", &one.name, &error))?;
        }
        for one in &fixtures.secrets {
            self.secrets.load(one, now).map_err(|error| in_words("secret", &one.name, &error))?;
        }
        for one in &fixtures.queues {
            self.sqs.load(one, now);
        }
        for one in &fixtures.repositories {
            self.ecr.load(one, now).map_err(|error| in_words("repository", &one.name, &error))?;
        }
        for one in &fixtures.target_groups {
            self.elb
                .load_target_group(one)
                .map_err(|error| in_words("target group", &one.name, &error))?;
        }
        for one in &fixtures.load_balancers {
            self.elb
                .load(one, now)
                .map_err(|error| in_words("load balancer", &one.name, &error))?;
        }
        for one in &fixtures.alarms {
            self.cloudwatch.load(one, now).map_err(|error| in_words("alarm", &one.name, &error))?;
        }
        for one in &fixtures.metrics {
            self.cloudwatch
                .load_metric(one, now)
                .map_err(|error| in_words("metric", &one.metric_name, &error))?;
        }
        self.counted = now;
        self.pass_on(now);
        Ok(())
    }

    /// Registers the scalable targets whose services have come into being.
    fn load_awaited(&mut self, now: Timestamp) {
        for target in std::mem::take(&mut self.awaited) {
            if self.ecs.desired_count(&target.cluster, &target.service).is_none() {
                self.awaited.push(target);
            } else if let Err(error) = self.scaling.load(&target, now, &mut self.ecs) {
                let service = target.service.as_str();
                tracing::warn!(error = error.message, service, "cannot load scalable target");
            }
        }
    }

    /// Tells each service what others did: alarms ring for ECS and for scaling, scaling makes alarms, tasks are targets.
    fn pass_on(&mut self, now: Timestamp) {
        self.load_awaited(now);
        self.tell_events();
        for change in self.scaling.drain_alarm_changes() {
            match change {
                AlarmChange::Put(input) => {
                    if let Err(error) = self.cloudwatch.call("PutMetricAlarm", &input, now) {
                        tracing::warn!(error = error.message, "cannot put the alarm of a policy");
                    }
                }
                AlarmChange::Deleted(name) => self.cloudwatch.remove(&name),
            }
        }
        for transition in self.cloudwatch.drain_transitions() {
            self.ecs.set_alarm(&transition.alarm, transition.rings, now);
            let direction = AutoScaling::direction(&transition.alarm, &transition.comparison);
            for action in transition.actions.iter().filter(|_| transition.rings) {
                self.scaling.alarm_fires(action, direction, &transition.alarm, now, &mut self.ecs);
            }
        }
        for shift in self.ecs.drain_shifts() {
            self.elb.set_weights(&shift.rule, &shift.weights);
        }
        for change in self.ecs.drain_target_changes() {
            let (group, address, port) = (&change.group, &change.address, change.port);
            match change.kind {
                TargetChangeKind::Registered => self.elb.register(group, address, port),
                TargetChangeKind::Healthy => {
                    self.elb.set_health(group, address, port, TargetState::Healthy);
                }
                TargetChangeKind::Unhealthy => {
                    self.elb.set_health(group, address, port, TargetState::Unhealthy);
                }
                TargetChangeKind::Deregistered => {
                    self.elb.deregister(group, address, port, change.when);
                }
            }
        }
    }

    /// Runs what is due, each thing at its own time.
    pub(crate) fn advance(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
        while let Some(when) = self.next_due().filter(|when| *when <= now) {
            self.advance_ecs(when);
            if self.scaling.next_due().is_some_and(|due| due <= when) {
                self.scaling.advance(when, &mut self.ecs);
            }
            self.pass_on(when);
            self.count_requests(when);
        }
        self.advance_ecs(now);
        self.pass_on(now);
    }

    /// When something happens that is not ECS's own.
    fn next_due(&self) -> Option<Timestamp> {
        self.scaling.next_due().into_iter().chain(self.next_count()).min()
    }

    fn advance_ecs(&mut self, now: Timestamp) {
        let outside = Outside {
            ssm: &self.ssm,
            secrets: &self.secrets,
            ecr: &self.ecr,
            elb: &self.elb,
            known: &self.known,
            registry: format!("{}.dkr.ecr.{}.amazonaws.com/", self.account, self.name),
            is_strict: self.strict_images,
            now,
        };
        self.ecs.advance(now, &outside);
    }

    /// Whether a receive of messages would be answered at once.
    pub(crate) fn is_answered_at_once(&self, input: &Value, now: Timestamp) -> bool {
        self.sqs.is_answered_at_once(input, now)
    }

    /// Answers one call; what was due has been run.
    pub(crate) fn call(
        &mut self,
        api: &str,
        operation: &str,
        input: &Input,
        now: Timestamp,
    ) -> Result<Answer, ApiError> {
        let answer = match (api, input) {
            ("ecs", Input::Json(input)) => self.ecs.call(operation, input, now),
            ("ssm", Input::Json(input)) => self.ssm.call(operation, input, now),
            ("secretsmanager", Input::Json(input)) => self.secrets.call(operation, input, now),
            ("sqs", Input::Json(input)) => self.sqs.call(operation, input, now),
            ("ecr", Input::Json(input)) => self.ecr.call(operation, input, now),
            ("application-autoscaling", Input::Json(input)) => {
                self.scaling.call(operation, input, now, &mut self.ecs)
            }
            ("monitoring", Input::Json(input)) => self.cloudwatch.call(operation, input, now),
            ("logs", Input::Json(input)) => self.logs.call(operation, input),
            ("iam", Input::Form(members)) => {
                return self.iam.call(operation, members, now).map(Answer::Xml);
            }
            ("sts", Input::Form(members)) => {
                return self.sts.call(operation, members, now).map(Answer::Xml);
            }
            ("elasticloadbalancing", Input::Form(members)) => {
                return self.elb.call(operation, members, now).map(Answer::Xml);
            }
            _ => Err(ApiError::refused(
                "UnknownOperationException",
                format!("The sandbox does not know the operation {operation} of {api}."),
            )),
        };
        self.pass_on(now);
        answer.map(Answer::Json)
    }
}
