//! The mark on a service of the spec that is not to be sent again.
//!
//! It stands on the service itself, because everything else is forgotten: the state store may be lost, and ECS shows a rollout
//! for 90 days, fewer where many follow it. While ECS shows the rollout of a spec that failed, its record speaks; the mark speaks
//! afterwards.

use crds::{Reason, SpecHash};
use jiff::{SignedDuration, Timestamp};

use super::under_way::good_before;
use super::{Action, Hold, Plan, ROLLOUT_POLL, differences, holds, left};
use crate::desired::Desired;
use crate::observed::{Observed, ObservedService, ServiceDeployment};
use crate::orders::Orders;
use crate::ownership::{HELD_IMAGES, HELD_SPEC, Tags, fitting};
use crate::rollout::{self, DeploymentStatus, Rollout};

/// How long a rollout must have been stopped before that counts as a failure for good: what superseded it shows by then.
const SETTLED_AFTER: SignedDuration = SignedDuration::from_mins(2);

/// Why a spec is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// A person left it, or its checks failed.
    Left,
    /// Its rollout failed, and ECS went back.
    RolledBack,
    /// Its rollout failed, and ECS could not go back.
    Failed,
}

/// What the tag of a service says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held<'a> {
    spec: &'a str,
    pub(crate) why: Why,
}

const ROLLED_BACK: &str = ":rolled-back";
const FAILED: &str = ":failed";

impl<'a> Held<'a> {
    /// Reads the tag.
    pub(crate) fn of(tags: &'a Tags) -> Option<Self> {
        let value = tags.get(HELD_SPEC)?;
        Some(if let Some(spec) = value.strip_suffix(ROLLED_BACK) {
            Self { spec, why: Why::RolledBack }
        } else if let Some(spec) = value.strip_suffix(FAILED) {
            Self { spec, why: Why::Failed }
        } else {
            Self { spec: value, why: Why::Left }
        })
    }

    /// The same, if the tag names this spec.
    pub(crate) fn of_spec(tags: &'a Tags, spec: &SpecHash) -> Option<Self> {
        Self::of(tags).filter(|held| held.is_of(spec))
    }

    /// Whether this spec is held.
    pub(crate) fn is_of(&self, spec: &SpecHash) -> bool {
        self.spec == spec.as_str()
    }
}

/// These tags, with those that hold a spec and its images. What has no room on the service is left out: who goes back must not
/// stop for want of it.
pub(crate) fn added_to(
    mut tags: Tags,
    service: &ObservedService,
    (spec, why): (&SpecHash, Why),
    images: Option<String>,
) -> Tags {
    let suffix = match why {
        Why::Left => "",
        Why::RolledBack => ROLLED_BACK,
        Why::Failed => FAILED,
    };
    tags.insert(HELD_SPEC.to_owned(), format!("{spec}{suffix}"));
    tags.extend(images.map(|images| (HELD_IMAGES.to_owned(), images)));
    fitting(&service.tags, tags, &[HELD_IMAGES, HELD_SPEC])
}

/// What holds a spec that failed where ECS no longer shows that it did.
pub(super) fn hold(
    desired: &Desired,
    observed: &Observed,
    service: &ObservedService,
    orders: &Orders,
) -> Option<Hold> {
    let held = Held::of_spec(&service.tags, &desired.spec_hash)?;
    // They are read wherever tasks would be replaced.
    observed.deployments.as_ref()?;
    let has_come_on = |record: &ServiceDeployment| {
        rollout::is_open(record) || record.status == DeploymentStatus::Successful
    };
    if rollout::newest_attempt(desired, observed).is_some_and(has_come_on)
        || orders.releases(&desired.spec_hash)
    {
        return None;
    }
    let (reason, what) = match held.why {
        Why::Left => return None,
        Why::RolledBack => (Reason::RolledBack, "failed and was rolled back"),
        Why::Failed => (Reason::RolloutFailed, "failed"),
    };
    let message = format!(
        "this spec {what}; ECS no longer shows why. It is held until the spec changes or it is released."
    );
    Some(Hold::new(reason, message))
}

/// Writes on the service that a spec that was sent has failed, while ECS still shows it, and takes that off once the spec runs
/// after all. Where a person decides about every change, nothing is marked.
pub(super) fn add(
    plan: Plan,
    desired: &Desired,
    observed: &Observed,
    service: &ObservedService,
    (orders, now): (&Orders, Timestamp),
) -> Plan {
    if holds::standing_hold(desired, orders, now).is_some() {
        return plan;
    }
    let decides = orders.spec_hold(desired, true, now).is_some();
    let held = Held::of_spec(&service.tags, &desired.spec_hash);
    let rolls = |actions: &[Action]| actions.iter().any(Action::replaces_tasks);
    match (&plan.rollout, held) {
        (Rollout::RolledBack(_), None) if !decides && rolls(&plan.withheld) => {
            mark(plan, desired, observed, service, Why::RolledBack)
        }
        // It still runs as far as it does. Whoever puts something else in its place by hand does not release it.
        (Rollout::Failed(_), None) if !decides && has_settled(desired, observed, now) => {
            mark(plan, desired, observed, service, Why::Failed)
        }
        (Rollout::Succeeded, Some(held))
            if held.why != Why::Left
                && rollout::has_completed(service)
                && !rolls(&plan.actions)
                && !rolls(&plan.withheld) =>
        {
            acting(plan, differences::untag_held(service, Reason::TagsChanged))
        }
        (
            Rollout::NotStarted
            | Rollout::InProgress
            | Rollout::Succeeded
            | Rollout::RollingBack(_)
            | Rollout::RolledBack(_)
            | Rollout::Failed(_),
            _,
        ) => plan,
    }
}

/// Whether a failure is one for good. A rollout that a newer one has superseded ends `STOPPED` as well, before that one shows.
fn has_settled(desired: &Desired, observed: &Observed, now: Timestamp) -> bool {
    let attempt = rollout::newest_attempt(desired, observed);
    let stopped = attempt.filter(|attempt| attempt.status == DeploymentStatus::Stopped);
    let ended = stopped.and_then(|attempt| attempt.finished_at);
    ended.is_none_or(|ended| now.duration_since(ended) >= SETTLED_AFTER)
}

fn mark(
    mut plan: Plan,
    desired: &Desired,
    observed: &Observed,
    service: &ObservedService,
    why: Why,
) -> Plan {
    // A restart or new secrets of what is good have failed, not the spec.
    let is_good = match good_before(desired, observed) {
        Some(good) => desired.is_attempt(good),
        None => observed.last_good.as_ref() == Some(&desired.spec_hash),
    };
    // While a newer rollout is under way, it is not known yet how the spec ends.
    if is_good || rollout::is_moving(service) {
        return plan;
    }
    let images = left::images(&desired.task_definition.input);
    let add = |tags| added_to(tags, service, (&desired.spec_hash, why), images);
    let tagging = plan.actions.iter_mut().find_map(|action| {
        let Action::TagResource { tags, .. } = action else { return None };
        Some(tags)
    });
    if let Some(tags) = tagging {
        *tags = add(std::mem::take(tags));
        return plan;
    }
    let tags = add(Tags::new());
    if tags.is_empty() {
        return plan;
    }
    let arn = service.arn.clone();
    let reason = match why {
        Why::Failed => Reason::RolloutFailed,
        Why::Left | Why::RolledBack => Reason::RolledBack,
    };
    acting(plan, Action::TagResource { arn, tags, reason, changes: Vec::new() })
}

fn acting(mut plan: Plan, action: Action) -> Plan {
    plan.actions.push(action);
    Plan { requeue: plan.requeue.at_most(ROLLOUT_POLL), ..plan }
}
