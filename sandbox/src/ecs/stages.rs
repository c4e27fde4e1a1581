//! The stages of blue/green, linear and canary roll-outs (aws.md §3.8).

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::{
    Ecs,
    colours::Traffic,
    failure::Failure,
    hooks::{Hook, HookStatus},
    model::{DeploymentStatus, Record, RecordStatus, RevisionNumber, Rollout, Service, ServiceId},
};
use crate::{clock::after, input};

/// How far a progressive roll-out has come.
#[derive(Debug, Clone)]
pub(super) struct Progress {
    pub(super) stage: Stage,
    /// When the stage's own work is done.
    pub(super) until: Timestamp,
    /// The shares of production traffic that the new revision gets, step by step, in percent.
    pub(super) steps: Vec<f64>,
    pub(super) step: usize,
    pub(super) hooks: Vec<Hook>,
    /// The share of production traffic that the new revision has now.
    pub(super) weight: f64,
    /// Whether the traffic has gone back.
    rolled_back: bool,
}

impl Progress {
    /// The share of test traffic that the new revision has now: all of it from the shift on.
    pub(super) fn test_weight(&self) -> f64 {
        if self.stage >= Stage::TestTrafficShift && !self.rolled_back { 100.0 } else { 0.0 }
    }

    /// All traffic goes back to the revision before.
    pub(super) fn roll_back(&mut self) {
        self.weight = 0.0;
        self.rolled_back = true;
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    ReconcileService,
    PreScaleUp,
    ScaleUp,
    PostScaleUp,
    TestTrafficShift,
    PostTestTrafficShift,
    PreProductionTrafficShift,
    ProductionTrafficShift,
    PostProductionTrafficShift,
    BakeTime,
    CleanUp,
}

impl Stage {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::ReconcileService => "RECONCILE_SERVICE",
            Self::PreScaleUp => "PRE_SCALE_UP",
            Self::ScaleUp => "SCALE_UP",
            Self::PostScaleUp => "POST_SCALE_UP",
            Self::TestTrafficShift => "TEST_TRAFFIC_SHIFT",
            Self::PostTestTrafficShift => "POST_TEST_TRAFFIC_SHIFT",
            Self::PreProductionTrafficShift => "PRE_PRODUCTION_TRAFFIC_SHIFT",
            Self::ProductionTrafficShift => "PRODUCTION_TRAFFIC_SHIFT",
            Self::PostProductionTrafficShift => "POST_PRODUCTION_TRAFFIC_SHIFT",
            Self::BakeTime => "BAKE_TIME",
            Self::CleanUp => "CLEAN_UP",
        }
    }

    /// The stage after this one; `more` says whether traffic is to be shifted further.
    fn next(self, more: bool) -> Self {
        match self {
            Self::ReconcileService => Self::PreScaleUp,
            Self::PreScaleUp => Self::ScaleUp,
            Self::ScaleUp => Self::PostScaleUp,
            Self::PostScaleUp => Self::TestTrafficShift,
            Self::TestTrafficShift => Self::PostTestTrafficShift,
            Self::PostTestTrafficShift => Self::PreProductionTrafficShift,
            Self::PreProductionTrafficShift => Self::ProductionTrafficShift,
            Self::ProductionTrafficShift if more => Self::PreProductionTrafficShift,
            Self::ProductionTrafficShift => Self::PostProductionTrafficShift,
            Self::PostProductionTrafficShift => Self::BakeTime,
            Self::BakeTime | Self::CleanUp => Self::CleanUp,
        }
    }
}

/// What a stage waits for.
enum Wait {
    Over,
    Longer,
    Failed(Failure),
}

impl Service {
    pub(super) fn is_progressive(&self) -> bool {
        matches!(self.strategy(), "BLUE_GREEN" | "LINEAR" | "CANARY")
    }

    /// The stage of the open roll-out, unless it is rolling, or rolls back.
    pub(super) fn stage(&self) -> Option<Stage> {
        let record = self.open_record()?;
        let forward = match record.status {
            RecordStatus::Pending | RecordStatus::InProgress | RecordStatus::RollbackRequested => {
                true
            }
            RecordStatus::StopRequested
            | RecordStatus::Stopped
            | RecordStatus::RollbackInProgress
            | RecordStatus::Successful
            | RecordStatus::RollbackSuccessful
            | RecordStatus::RollbackFailed => false,
        };
        record.progress.as_ref().filter(|_| forward).map(|progress| progress.stage)
    }

    /// Whether the tasks of replaced revisions stay for now.
    pub(super) fn keeps_sources(&self) -> bool {
        self.stage().is_some_and(|stage| stage < Stage::CleanUp)
    }

    /// The revision that stays while all others leave before a roll-out goes on.
    pub(super) fn stays_alone(&self) -> Option<RevisionNumber> {
        self.serving.filter(|_| self.stage() == Some(Stage::ReconcileService))
    }

    /// Whether the new revision is not to have tasks yet.
    pub(super) fn waits_to_scale(&self) -> bool {
        self.stage().is_some_and(|stage| stage < Stage::ScaleUp)
    }

    /// When the open roll-out is to be looked at again.
    pub(super) fn next_stage_look(&self, now: Timestamp) -> Option<Timestamp> {
        let progress = self.open_record()?.progress.as_ref()?;
        let waiting =
            progress.hooks.iter().filter(|hook| hook.status == HookStatus::AwaitingAction);
        let expiries = waiting.map(|hook| hook.expires);
        expiries.chain([progress.until]).filter(|when| *when > now).min()
    }
}

impl Ecs {
    /// The first stage of a roll-out that begins, if its strategy has stages.
    pub(super) fn first_stage(
        &mut self,
        service: &mut Service,
        sources: usize,
        now: Timestamp,
    ) -> Option<Progress> {
        if !service.is_progressive() {
            return None;
        }
        let stage = if sources > 1 { Stage::ReconcileService } else { Stage::PreScaleUp };
        if let Some(serving) = service.serving.filter(|_| stage == Stage::ReconcileService) {
            self.shift_all(service, serving);
        }
        Some(Progress {
            stage,
            until: after(now, self.timings.stage),
            steps: steps(service),
            step: 0,
            hooks: self.hooks_of(service, stage, now),
            weight: 0.0,
            rolled_back: false,
        })
    }

    /// Takes a progressive roll-out as far as it can go now.
    pub(super) fn walk_stages(&mut self, id: ServiceId, service: &mut Service, now: Timestamp) {
        for _ in 0..STAGES_MOST {
            let Some(stage) = service.stage() else { return };
            if stage == Stage::CleanUp || !service.primary().is_some_and(|one| one.begun) {
                return;
            }
            match self.wait_for_stage(service, stage, now) {
                Wait::Over => self.enter_next(service, stage, now),
                Wait::Longer => return,
                Wait::Failed(failure) => {
                    self.fail_rollout(id, service, failure, true, now);
                    return;
                }
            }
        }
    }

    fn wait_for_stage(&mut self, service: &mut Service, stage: Stage, now: Timestamp) -> Wait {
        let full = self.is_scaled_up(service);
        let crowded = service.stays_alone().is_some()
            && service
                .deployments
                .iter()
                .filter(|one| one.status == DeploymentStatus::Active)
                .count()
                > 1;
        let Some(progress) = open_progress(service) else { return Wait::Longer };
        for hook in &mut progress.hooks {
            if hook.status == HookStatus::AwaitingAction && hook.expires <= now {
                hook.status = HookStatus::TimedOut;
                if !hook.continues {
                    return Wait::Failed(Failure::hook_timed_out(stage));
                }
            }
        }
        let here = progress.hooks.iter().filter(|hook| hook.stage == stage);
        let waits = here.into_iter().any(|hook| hook.status == HookStatus::AwaitingAction);
        let working = progress.until > now || (stage == Stage::ScaleUp && !full) || crowded;
        if waits || working { Wait::Longer } else { Wait::Over }
    }

    fn is_scaled_up(&self, service: &Service) -> bool {
        let Some(primary) = service.primary() else { return false };
        let census = self.census(service);
        let healthy = census.get(&primary.number).map_or(0, |group| group.healthy.len());
        primary.rollout == Rollout::InProgress
            && i64::try_from(healthy).unwrap_or(0) >= service.desired
    }

    fn enter_next(&mut self, service: &mut Service, stage: Stage, now: Timestamp) {
        let Some(progress) = open_progress(service) else { return };
        if stage == Stage::ProductionTrafficShift {
            progress.step += 1;
        }
        let next = stage.next(progress.step < progress.steps.len());
        if next == Stage::ProductionTrafficShift {
            progress.weight = progress.steps.get(progress.step).copied().unwrap_or(100.0);
        }
        let last = progress.step + 1 >= progress.steps.len();
        let weight = progress.weight;
        self.shift_for(service, next, weight);
        let work = self.stage_time(service, next, last);
        let hooks = self.hooks_of(service, next, now);
        if let Some(progress) = open_progress(service) {
            progress.stage = next;
            progress.until = after(now, work);
            progress.hooks.extend(hooks);
        }
    }

    /// Shifts the traffic that a stage is there for.
    fn shift_for(&mut self, service: &mut Service, stage: Stage, weight: f64) {
        let Some(number) = service.primary().map(|primary| primary.number) else { return };
        match stage {
            Stage::TestTrafficShift => self.shift(service, number, Traffic::Test, 100.0),
            Stage::ProductionTrafficShift if weight >= 100.0 => self.shift_all(service, number),
            Stage::ProductionTrafficShift => {
                self.shift(service, number, Traffic::Production, weight);
            }
            Stage::ReconcileService
            | Stage::PreScaleUp
            | Stage::ScaleUp
            | Stage::PostScaleUp
            | Stage::PostTestTrafficShift
            | Stage::PreProductionTrafficShift
            | Stage::PostProductionTrafficShift
            | Stage::BakeTime
            | Stage::CleanUp => {}
        }
    }

    fn stage_time(&self, service: &Service, stage: Stage, last_step: bool) -> Duration {
        match stage {
            Stage::BakeTime => {
                let minutes = service.configured("bakeTimeInMinutes").and_then(Value::as_u64);
                Duration::from_secs(minutes.unwrap_or(0) * 60)
            }
            Stage::ProductionTrafficShift if !last_step => self.timings.stage + step_bake(service),
            Stage::ReconcileService
            | Stage::PreScaleUp
            | Stage::ScaleUp
            | Stage::PostScaleUp
            | Stage::TestTrafficShift
            | Stage::PostTestTrafficShift
            | Stage::PreProductionTrafficShift
            | Stage::ProductionTrafficShift
            | Stage::PostProductionTrafficShift
            | Stage::CleanUp => self.timings.stage,
        }
    }
}

/// More stages than a roll-out has, hundred traffic steps included.
const STAGES_MOST: usize = 256;

pub(super) fn open_progress(service: &mut Service) -> Option<&mut Progress> {
    let open = service.open_record().map(|record| record.id.clone())?;
    service.record_mut(&open)?.progress.as_mut()
}

/// The shares of production traffic, step by step.
fn steps(service: &Service) -> Vec<f64> {
    let null = Value::Null;
    match service.strategy() {
        "CANARY" => {
            let canary = service.configured("canaryConfiguration").unwrap_or(&null);
            vec![
                input::present(canary, "canaryPercent").and_then(Value::as_f64).unwrap_or(5.0),
                100.0,
            ]
        }
        "LINEAR" => {
            let linear = service.configured("linearConfiguration").unwrap_or(&null);
            let step =
                input::present(linear, "stepPercent").and_then(Value::as_f64).unwrap_or(10.0);
            let mut shares = Vec::new();
            let mut share = 0.0;
            while share < 100.0 && shares.len() < 100 {
                share = (share + step.max(1.0)).min(100.0);
                shares.push(share);
            }
            shares
        }
        _ => vec![100.0],
    }
}

fn step_bake(service: &Service) -> Duration {
    let null = Value::Null;
    let minutes = if service.strategy() == "CANARY" {
        let canary = service.configured("canaryConfiguration").unwrap_or(&null);
        input::integer(canary, "canaryBakeTimeInMinutes").unwrap_or(10)
    } else {
        let linear = service.configured("linearConfiguration").unwrap_or(&null);
        input::integer(linear, "stepBakeTimeInMinutes").unwrap_or(6)
    };
    Duration::from_secs(u64::try_from(minutes).unwrap_or(0) * 60)
}

impl Record {
    /// The stage to show, if the roll-out has stages.
    pub(super) fn shown_stage(&self) -> Option<&'static str> {
        self.progress.as_ref().filter(|_| !self.status.is_terminal()).map(|one| one.stage.text())
    }
}
