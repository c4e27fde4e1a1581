//! The alarms of target tracking, and what an alarm does to a service.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    AutoScaling, ScaledServices, Target, activities::Activity, identity::ResourceId,
    policies::Policy, policy_rules::Kind,
};
use crate::json::{flag, list, member, number, text};

const COOLDOWN_PRESET: i64 = 300;

/// Which way an alarm scales.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// More tasks.
    Out,
    /// Fewer tasks.
    In,
}

/// An alarm that scaling made for a policy.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Alarm {
    pub(super) name: String,
    arn: String,
}

impl Alarm {
    pub(super) fn show(alarms: &[Self]) -> Value {
        let show = |alarm: &Self| json!({"AlarmName": alarm.name, "AlarmARN": alarm.arn});
        Value::Array(alarms.iter().map(show).collect())
    }
}

/// A change that CloudWatch has to learn of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum AlarmChange {
    /// The input of a `PutMetricAlarm`.
    Put(Value),
    /// The name of an alarm that is gone.
    Deleted(String),
}

impl AutoScaling {
    /// The two alarms of a target-tracking policy; a replaced policy keeps the names of its alarms.
    pub(super) fn track(
        &mut self,
        id: &ResourceId,
        existing: Vec<Alarm>,
        configuration: &Value,
        policy_arn: &str,
    ) -> Vec<Alarm> {
        let mut alarms = existing;
        if alarms.is_empty() {
            alarms = ["AlarmHigh", "AlarmLow"].map(|side| self.new_alarm(id, side)).into();
        }
        let target = configuration.get("TargetValue").and_then(Value::as_f64).unwrap_or_default();
        // Three minutes above the target, fifteen below nine tenths of it (unconfirmed numbers).
        let sides = [("GreaterThanThreshold", target, 3), ("LessThanThreshold", target * 0.9, 15)];
        for (alarm, (comparison, threshold, periods)) in alarms.iter().zip(sides) {
            self.alarm_changes.push(AlarmChange::Put(json!({
                "AlarmName": alarm.name,
                "AlarmDescription": format!("DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy_arn}."),
                "AlarmActions": [policy_arn],
                "Namespace": "AWS/ECS",
                "MetricName": metric_name(configuration),
                "Statistic": "Average",
                "Dimensions": [
                    {"Name": "ClusterName", "Value": id.cluster},
                    {"Name": "ServiceName", "Value": id.service},
                ],
                "Period": 60,
                "EvaluationPeriods": periods,
                "Threshold": threshold,
                "ComparisonOperator": comparison,
            })));
        }
        alarms
    }

    fn new_alarm(&mut self, id: &ResourceId, side: &str) -> Alarm {
        let uuid = self.next_uuid();
        let name = format!("TargetTracking-{id}-{side}-{uuid}");
        let arn = format!("arn:aws:cloudwatch:{}:{}:alarm:{name}", self.region, self.account);
        Alarm { name, arn }
    }

    /// What happens when an alarm that calls a policy enters ALARM: the new desired count, if it changed.
    ///
    /// The calculation starts from the running count. Scaling in waits while a deployment runs (aws.md §5.5).
    pub(crate) fn alarm_fires(
        &mut self,
        policy_arn: &str,
        direction: Direction,
        alarm: &str,
        now: Timestamp,
        services: &mut dyn ScaledServices,
    ) -> Option<i64> {
        let (id, name) = self.policy_of(policy_arn)?;
        let target = self.targets.get(&id)?;
        let policy = target.policies.get(&name)?;
        let desired = services.desired_count(&id.cluster, &id.service)?;
        let running = services.running_count(&id.cluster, &id.service)?;
        let is_paused =
            direction == Direction::In && services.is_deploying(&id.cluster, &id.service);
        if is_paused || target.ignores(policy, direction, now) {
            return None;
        }
        let cause = format!("monitor alarm {alarm} in state ALARM triggered policy {name}");
        let wanted = target.clamp(policy.adjust(running, direction));
        let is_change = match direction {
            Direction::Out => wanted > desired,
            Direction::In => wanted < desired,
        };
        if !is_change {
            let reason = target.reason(desired, direction);
            self.record(Activity::not_scaled(&id, cause, reason, now));
            return None;
        }
        let target = self.targets.get_mut(&id)?;
        match direction {
            Direction::Out => target.grown = Some(now),
            Direction::In => target.shrunk = Some(now),
        }
        self.set_count(&id, wanted, &cause, now, services);
        Some(wanted)
    }

    /// The way in which an alarm scales: by its name when scaling made it, else by how it compares.
    pub(crate) fn direction(alarm: &str, comparison: &str) -> Direction {
        let is_low = alarm.starts_with("TargetTracking-") && alarm.contains("-AlarmLow-");
        if is_low || comparison.starts_with("LessThan") { Direction::In } else { Direction::Out }
    }

    fn policy_of(&self, arn: &str) -> Option<(ResourceId, String)> {
        self.targets.iter().find_map(|(id, target)| {
            let (name, _) = target.policies.iter().find(|(_, policy)| policy.arn == arn)?;
            Some((id.clone(), name.clone()))
        })
    }
}

impl Target {
    fn ignores(&self, policy: &Policy, direction: Direction, now: Timestamp) -> bool {
        let (is_suspended, last) = match direction {
            Direction::Out => (self.suspended.scale_out, self.grown),
            Direction::In => (self.suspended.scale_in, self.shrunk.max(self.grown)),
        };
        let cools = last.is_some_and(|last| now.duration_since(last) < policy.cooldown(direction));
        is_suspended || cools || (direction == Direction::In && !policy.scales_in())
    }

    fn reason(&self, desired: i64, direction: Direction) -> Value {
        match direction {
            Direction::Out if desired >= self.max => {
                json!({"Code": "AlreadyAtMaxCapacity", "MaxCapacity": self.max, "CurrentCapacity": desired})
            }
            Direction::In if desired <= self.min => {
                json!({"Code": "AlreadyAtMinCapacity", "MinCapacity": self.min, "CurrentCapacity": desired})
            }
            Direction::Out | Direction::In => {
                json!({"Code": "AlreadyAtDesiredCapacity", "CurrentCapacity": desired})
            }
        }
    }
}

impl Policy {
    fn cooldown(&self, direction: Direction) -> SignedDuration {
        let name = match (self.kind, direction) {
            (Kind::TargetTracking, Direction::Out) => "ScaleOutCooldown",
            (Kind::TargetTracking, Direction::In) => "ScaleInCooldown",
            (Kind::Step | Kind::Predictive, _) => "Cooldown",
        };
        let seconds = number(&self.configuration, name).ok().flatten();
        SignedDuration::from_secs(seconds.unwrap_or(COOLDOWN_PRESET))
    }

    fn scales_in(&self) -> bool {
        let is_disabled =
            flag(&self.configuration, "DisableScaleIn").ok().flatten().unwrap_or(false);
        match self.kind {
            Kind::TargetTracking => !is_disabled,
            Kind::Step => true,
            Kind::Predictive => false,
        }
    }

    /// The count that follows from the running one. Target tracking moves by a tenth, and at least by one task.
    fn adjust(&self, running: i64, direction: Direction) -> i64 {
        match self.kind {
            Kind::TargetTracking | Kind::Predictive => {
                let change = (running + 9) / 10;
                match direction {
                    Direction::Out => running + change.max(1),
                    Direction::In => running - change.max(1),
                }
            }
            Kind::Step => self.step(running, direction).unwrap_or(running),
        }
    }

    /// The step whose interval begins at the threshold, on the side of the alarm.
    fn step(&self, running: i64, direction: Direction) -> Option<i64> {
        let steps = list(&self.configuration, "StepAdjustments").ok()??;
        let bound = |step: &Value, name: &str| member(step, name).and_then(Value::as_f64);
        let step = steps.iter().find(|step| {
            let lower = bound(step, "MetricIntervalLowerBound").unwrap_or(f64::NEG_INFINITY);
            let upper = bound(step, "MetricIntervalUpperBound").unwrap_or(f64::INFINITY);
            match direction {
                Direction::Out => lower <= 0.0 && upper > 0.0,
                Direction::In => lower < 0.0 && upper >= 0.0,
            }
        })?;
        let adjustment = number(step, "ScalingAdjustment").ok()??;
        match text(&self.configuration, "AdjustmentType").ok()?? {
            "ExactCapacity" => Some(adjustment),
            "PercentChangeInCapacity" => {
                let least =
                    number(&self.configuration, "MinAdjustmentMagnitude").ok()?.unwrap_or(1);
                let change = (running.saturating_mul(adjustment)) / 100;
                let magnitude = change.abs().max(least.max(1));
                Some(running + magnitude * adjustment.signum())
            }
            _ => Some(running + adjustment),
        }
    }
}

fn metric_name(configuration: &Value) -> &str {
    let predefined = configuration.pointer("/PredefinedMetricSpecification/PredefinedMetricType");
    match predefined.and_then(Value::as_str) {
        Some(name) if name.contains("CPU") => "CPUUtilization",
        Some(name) if name.contains("Memory") => "MemoryUtilization",
        Some(_) => "RequestCountPerTarget",
        None => configuration
            .pointer("/CustomizedMetricSpecification/MetricName")
            .and_then(Value::as_str)
            .unwrap_or("Expression"),
    }
}
