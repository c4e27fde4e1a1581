//! The analysis of a rollout: what was measured so far, and what that says.
//!
//! What comes in: the checks of the spec, the measurements, the time. What leaves: a [`Verdict`] and when to measure next. An
//! [`Analysis`] is bounded: it keeps counts and the last measurement of each check, never a history.

mod spoken;

use std::collections::BTreeMap;
use std::time::Duration;

use crds::{CheckState, CheckStatus, GateStage, LastMeasurement};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::desired::{CHECKS_MAX, DesiredCheck, Provider};
use super::judge::{Measurement, Outcome};

/// What was measured of one rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Analysis {
    /// The deployment, `ecs-svc/…`.
    pub deployment: String,
    /// What the deployment brings, see [`super::mark`].
    pub release: String,
    /// When it was seen first.
    pub began: Timestamp,
    /// When what it brings was first seen to have production traffic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traffic: Option<Timestamp>,
    /// When ECS's own part was first seen to have ended well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled: Option<Timestamp>,
    /// The checks that go on all along, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub along: BTreeMap<String, Tally>,
    /// The gate at which the rollout waits, or waited last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<AtGate>,
    /// Why it has failed: once said, it stays so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

/// The checks at one gate. Each step of a rollout has a hook of its own, and is judged anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AtGate {
    /// The hook at which the rollout waits.
    pub hook: String,
    /// Its stage.
    pub stage: GateStage,
    /// When it was seen first.
    pub began: Timestamp,
    /// The checks of the stage, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub checks: BTreeMap<String, Tally>,
}

/// What was measured of one check.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tally {
    /// Measurements that passed.
    pub passed: u32,
    /// Measurements that failed.
    pub failed: u32,
    /// Measurements that said nothing.
    pub inconclusive: u32,
    /// Since when they have said nothing, if the last one did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unclear_since: Option<Timestamp>,
    /// The last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Measurement>,
}

/// What the measurements say of a rollout, or of a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Not everything has been measured, and in a sentence what is missing.
    Running(String),
    /// Everything has passed.
    Passed,
    /// For too long nothing could be said; a person decides.
    Inconclusive(String),
    /// A check has failed.
    Failed(String),
}

/// Which of a rollout's checks are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Those that go on all along the rollout and after it.
    Along,
    /// Those of the gate at which it waits.
    Gate,
}

/// One check with what was measured of it, and the times that matter.
struct Looked<'a> {
    check: &'a DesiredCheck,
    tally: Tally,
    /// From when on there is something to measure; `None` while there is not.
    began: Option<Timestamp>,
    /// From when on it may have passed; `None` while that is not known.
    ends: Option<Timestamp>,
    /// A measurement before this does not count as the last word.
    last_word: Timestamp,
}

impl Analysis {
    /// An analysis in which nothing was measured.
    pub const fn new(deployment: String, release: String, began: Timestamp) -> Self {
        Self {
            deployment,
            release,
            began,
            traffic: None,
            rolled: None,
            along: BTreeMap::new(),
            gate: None,
            failed: None,
        }
    }

    /// Notes a failure, so that it stays one.
    pub fn note_failure(&mut self, checks: &[DesiredCheck], now: Timestamp) {
        if let Verdict::Failed(sentence) = self.verdict(checks, Part::Along, now) {
            self.failed = Some(sentence);
        }
    }

    /// Notes that what the rollout brings has production traffic.
    pub fn has_traffic(&mut self, now: Timestamp) {
        self.traffic.get_or_insert(now);
    }

    /// Notes that ECS's own part has ended well.
    pub fn has_rolled(&mut self, now: Timestamp) {
        self.has_traffic(now);
        self.rolled.get_or_insert(now);
    }

    /// Notes at which gate the rollout waits. Another hook is another step, of which nothing was measured.
    pub fn waits_at(&mut self, hook: &str, stage: GateStage, now: Timestamp) {
        if self.gate.as_ref().is_none_or(|gate| gate.hook != hook) {
            let hook = hook.to_owned();
            self.gate = Some(AtGate { hook, stage, began: now, checks: BTreeMap::new() });
        }
    }

    fn looked<'a>(&self, checks: &'a [DesiredCheck], part: Part) -> Vec<Looked<'a>> {
        let tally = |tallies: &BTreeMap<String, Tally>, check: &DesiredCheck| {
            tallies.get(&check.name).cloned().unwrap_or_default()
        };
        match (part, &self.gate) {
            (Part::Along, _) => checks
                .iter()
                .filter(|check| check.is_background())
                .filter(|check| check.at.is_empty() || self.rolled.is_some())
                .map(|check| Looked {
                    check,
                    tally: tally(&self.along, check),
                    began: self.starts(check),
                    ends: self.rolled.map(|rolled| later(rolled, check.after)),
                    last_word: self.rolled.unwrap_or(self.began),
                })
                .collect(),
            (Part::Gate, Some(gate)) => checks
                .iter()
                .filter(|check| check.at.contains(&gate.stage))
                .map(|check| Looked {
                    check,
                    tally: tally(&gate.checks, check),
                    began: Some(gate.began),
                    ends: Some(gate.began),
                    last_word: gate.began,
                })
                .collect(),
            (Part::Gate, None) => Vec::new(),
        }
    }

    /// From when on a check is measured along the rollout. Who measures requests waits for them.
    fn starts(&self, check: &DesiredCheck) -> Option<Timestamp> {
        let began = self.rolled.filter(|_| !check.at.is_empty()).unwrap_or(self.began);
        match &check.provider {
            Provider::Alb(_) => self.traffic.map(|traffic| traffic.max(began)),
            Provider::Http(_) | Provider::Cloudwatch(_) | Provider::Prometheus(_) => Some(began),
        }
    }

    /// The checks that are to be measured now.
    pub fn due<'a>(
        &self,
        checks: &'a [DesiredCheck],
        part: Part,
        now: Timestamp,
    ) -> Vec<&'a DesiredCheck> {
        if self.failed.is_some() {
            return Vec::new();
        }
        let looked = self.looked(checks, part);
        let due = looked.iter().filter(|looked| looked.next(now).is_some_and(|next| next <= now));
        due.map(|looked| looked.check).collect()
    }

    /// When something is to be looked at next.
    pub fn next(&self, checks: &[DesiredCheck], part: Part, now: Timestamp) -> Option<Timestamp> {
        self.looked(checks, part).iter().filter_map(|looked| looked.next(now)).min()
    }

    /// When what is judged began: the rollout, or its waiting at the gate.
    pub fn since(&self, part: Part) -> Timestamp {
        match part {
            Part::Along => self.began,
            Part::Gate => self.gate.as_ref().map_or(self.began, |gate| gate.began),
        }
    }

    /// Until when production traffic went to what the rollout replaces, as far as that is known.
    pub fn shifted(&self, part: Part) -> Timestamp {
        self.traffic.unwrap_or_else(|| self.since(part))
    }

    /// Counts a measurement.
    pub fn count(&mut self, part: Part, check: &str, measurement: Measurement) {
        let tallies = match (part, &mut self.gate) {
            (Part::Along, _) => &mut self.along,
            (Part::Gate, Some(gate)) => &mut gate.checks,
            (Part::Gate, None) => return,
        };
        if tallies.len() < CHECKS_MAX || tallies.contains_key(check) {
            tallies.entry(check.to_owned()).or_default().count(measurement);
        }
    }

    /// What the measurements say. Failure comes first, and what says nothing before what is missing.
    pub fn verdict(&self, checks: &[DesiredCheck], part: Part, now: Timestamp) -> Verdict {
        if let Some(sentence) = &self.failed {
            return Verdict::Failed(sentence.clone());
        }
        let looked = self.looked(checks, part);
        let stands: Vec<(CheckState, String)> = looked
            .iter()
            .map(|looked| {
                (looked.state(now), format!("check `{}`: {}", looked.check.name, looked.told(now)))
            })
            .collect();
        let first = |wanted: CheckState| {
            let found = stands.iter().find(|(state, _)| *state == wanted);
            found.map(|(_, sentence)| sentence.clone())
        };
        if let Some(sentence) = first(CheckState::Failed) {
            return Verdict::Failed(sentence);
        }
        if let Some(sentence) = first(CheckState::Inconclusive) {
            return Verdict::Inconclusive(sentence);
        }
        if let Some(sentence) = first(CheckState::Running).or_else(|| first(CheckState::Waiting)) {
            return Verdict::Running(sentence);
        }
        match part {
            Part::Along if self.rolled.is_none() => {
                Verdict::Running("ECS has not ended the rollout".to_owned())
            }
            Part::Along | Part::Gate => Verdict::Passed,
        }
    }

    /// How each check stands, in the order of the spec. A check that stands at gates is told of there until ECS has ended.
    pub fn statuses(&self, checks: &[DesiredCheck], now: Timestamp) -> Vec<CheckStatus> {
        let (along, gate) = (self.looked(checks, Part::Along), self.looked(checks, Part::Gate));
        checks
            .iter()
            .map(|check| {
                let is_it = |looked: &&Looked<'_>| looked.check.name == check.name;
                match along.iter().find(is_it).or_else(|| gate.iter().find(is_it)) {
                    Some(looked) => looked.status(now),
                    None => not_yet(check),
                }
            })
            .collect()
    }
}

fn not_yet(check: &DesiredCheck) -> CheckStatus {
    CheckStatus {
        name: check.name.clone(),
        state: CheckState::Waiting,
        measured: 0,
        failed: 0,
        inconclusive: 0,
        last: None,
        message: format!("is measured at {}", stages(check)),
    }
}

fn stages(check: &DesiredCheck) -> String {
    let stages: Vec<&str> = check.at.iter().map(|stage| stage.as_str()).collect();
    stages.join(", ")
}

impl Tally {
    fn measured(&self) -> u32 {
        self.passed.saturating_add(self.failed).saturating_add(self.inconclusive)
    }

    fn count(&mut self, measurement: Measurement) {
        match measurement.outcome {
            Outcome::Pass => self.passed = self.passed.saturating_add(1),
            Outcome::Fail => self.failed = self.failed.saturating_add(1),
            Outcome::Inconclusive => self.inconclusive = self.inconclusive.saturating_add(1),
        }
        self.unclear_since = match measurement.outcome {
            Outcome::Inconclusive => self.unclear_since.or(Some(measurement.time)),
            Outcome::Pass | Outcome::Fail => None,
        };
        self.last = Some(measurement);
    }
}

impl Looked<'_> {
    fn state(&self, now: Timestamp) -> CheckState {
        if self.tally.failed > self.check.failure_limit {
            return CheckState::Failed;
        }
        let Some(last) = &self.tally.last else { return CheckState::Waiting };
        if let Some(since) = self.tally.unclear_since {
            let is_long = now >= later(since, self.check.inconclusive_limit);
            return if is_long { CheckState::Inconclusive } else { CheckState::Running };
        }
        let has_ended = self.ends.is_some_and(|ends| now >= ends) && last.time >= self.last_word;
        if has_ended && self.tally.passed >= self.check.count {
            return CheckState::Passed;
        }
        CheckState::Running
    }

    /// When it is to be measured next; `None` when it has been measured enough.
    fn next(&self, now: Timestamp) -> Option<Timestamp> {
        match self.state(now) {
            CheckState::Passed | CheckState::Failed => None,
            CheckState::Waiting | CheckState::Running | CheckState::Inconclusive => {
                if let Some(last) = &self.tally.last {
                    return Some(later(last.time, self.check.interval));
                }
                let delay = self.check.initial_delay + self.check.lead();
                self.began.map(|began| later(began, delay))
            }
        }
    }

    fn told(&self, now: Timestamp) -> String {
        let check = self.check;
        let Tally { passed, failed, inconclusive, .. } = self.tally;
        let Some(last) = &self.tally.last else {
            return match self.began {
                Some(_) => "has not been measured yet".to_owned(),
                None => "waits for the new tasks' first requests".to_owned(),
            };
        };
        let of = self.tally.measured();
        match self.state(now) {
            CheckState::Failed => format!(
                "{} ({failed} of {of} measurements failed, {} may)",
                last.message, check.failure_limit
            ),
            CheckState::Inconclusive => {
                let since = self.tally.unclear_since.unwrap_or(now);
                format!(
                    "says nothing since {since}: {} ({inconclusive} of {of} measurements)",
                    last.message
                )
            }
            CheckState::Passed => {
                format!("{} ({passed} of {of} measurements passed)", last.message)
            }
            CheckState::Running | CheckState::Waiting => {
                let until = match self.ends.filter(|ends| *ends > now) {
                    Some(ends) => format!(", until {ends}"),
                    None => String::new(),
                };
                format!(
                    "{} ({passed} of {of} measurements passed, {} needed{until})",
                    last.message, check.count
                )
            }
        }
    }

    fn status(&self, now: Timestamp) -> CheckStatus {
        CheckStatus {
            name: self.check.name.clone(),
            state: self.state(now),
            measured: self.tally.measured(),
            failed: self.tally.failed,
            inconclusive: self.tally.inconclusive,
            last: self
                .tally
                .last
                .as_ref()
                .map(|last| LastMeasurement { time: last.time, value: last.value.clone() }),
            message: self.told(now),
        }
    }
}

fn later(time: Timestamp, by: Duration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}
