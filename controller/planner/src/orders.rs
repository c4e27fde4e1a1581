//! What people said about a service, as far as it decides what is done.
//!
//! A standing order (a hold, a suspension, an approval) counts until it is taken back, expires, or the spec that it is bound
//! to has gone. An order to do something once (a restart, a rollback, a replacement) is [`UnderWay`] until it is seen to be
//! done. What was sent is written down before it is sent, so that a process which dies in between neither forgets it nor
//! does it twice.

use std::time::Duration;

use crds::{Order, Reason, SpecHash, SyncMode};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::checks::mark::{self, Mark};
use crate::desired::Desired;
use crate::observed::{ObservedService, ServiceDeployment};
use crate::plan::Hold;
use crate::plan::held::{Held, Why};
use crate::rollout::DeploymentStatus;

/// How long a call whose answer is not known is waited for before it is sent again: reads may be that old (aws.md §0).
pub const SEEN_WITHIN: SignedDuration = SignedDuration::from_mins(1);
/// How soon it is looked whether such a call has had its effect.
pub const LOOK_AGAIN: Duration = Duration::from_secs(3);

/// What people said about one service.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Orders {
    /// Why it is not known what they said; then nothing is changed.
    #[serde(skip)]
    pub unknown: Option<String>,
    /// `hold`: nothing changes by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Order>,
    /// `suspend`: nothing changes at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspension: Option<Order>,
    /// `approve`, bound to a spec.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Order>,
    /// `sync`, bound to a spec.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sync: Option<Order>,
    /// `sync --replace`, bound to a spec.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replacement: Option<UnderWay>,
    /// `sync --prune`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pruning: Option<Order>,
    /// `release`, bound to a spec.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Order>,
    /// The rollback or abort that left a spec, bound to that spec.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Order>,
    /// `restart`, `rollback`, `abort` or `promote`: what is to be done once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deed: Option<UnderWay>,
    /// The rollout that Longshore itself stopped last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stopped>,
}

/// A rollout that Longshore stopped by itself, and why: ECS only says that somebody did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Stopped {
    /// The ARN of the service deployment.
    pub deployment: String,
    /// The number of the service revision that it led to: the release's id.
    pub release: String,
    /// The spec that was being rolled out.
    pub spec_hash: SpecHash,
    /// When.
    pub at: Timestamp,
    /// Why, as a sentence.
    pub message: String,
}

/// An order to do something once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UnderWay {
    /// The order.
    pub order: Order,
    /// What is known of the call; `None` before it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Sent>,
}

/// A call that was about to be sent: whether it was shows in what has become of its subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Sent {
    /// When.
    pub at: Timestamp,
    /// What it acts on: the primary deployment that gives way to another, the deployment that is stopped, the hook that is
    /// continued.
    pub subject: String,
    /// Whether AWS certainly did not take it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_refused: bool,
}

impl Sent {
    /// A call that is about to be sent.
    pub const fn new(at: Timestamp, subject: String) -> Self {
        Self { at, subject, is_refused: false }
    }

    /// Whether it was sent so shortly before this that reads need not show it. A clock that was set back does not make it long.
    pub fn is_recent(&self, read_at: Timestamp) -> bool {
        !self.is_refused && read_at.duration_since(self.at).abs() < SEEN_WITHIN
    }
}

impl UnderWay {
    /// An order that nothing has been done about.
    pub const fn new(order: Order) -> Self {
        Self { order, sent: None }
    }

    /// Whether a call may still be on its way for what was read at this time, so that no other is sent.
    pub fn is_on_its_way(&self, read_at: Timestamp) -> bool {
        self.sent.as_ref().is_some_and(|sent| sent.is_recent(read_at))
    }
}

impl Orders {
    /// Orders that could not be read.
    pub fn unknown(why: impl Into<String>) -> Self {
        Self { unknown: Some(why.into()), ..Self::default() }
    }

    /// Whether nobody has said anything.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What keeps everything that happens by itself from happening, whatever the spec.
    pub fn standing_hold(&self, now: Timestamp) -> Option<Hold> {
        if let Some(why) = &self.unknown {
            return Some(Hold::new(
                Reason::StateUnknown,
                format!("what people said about this service cannot be read: {why}"),
            ));
        }
        if let Some(suspension) = self.suspension.as_ref().filter(|order| order.is_in_force(now)) {
            return Some(Hold::new(Reason::Suspended, format!("suspended {}", suspension.told())));
        }
        let hold = self.hold.as_ref()?;
        Some(Hold::new(Reason::ManualHold, format!("held {}", hold.told())))
    }

    /// What keeps this very spec from being sent: manual mode, an approval that is missing.
    pub(crate) fn spec_hold(
        &self,
        desired: &Desired,
        was_sent: bool,
        now: Timestamp,
    ) -> Option<Hold> {
        if desired.sync.mode == SyncMode::Manual && !self.lets_go(&desired.spec_hash) {
            return Some(Hold::new(
                Reason::ManualSync,
                "`sync.mode` is `manual`: the difference waits for a person",
            ));
        }
        if !desired.gates.approval_first || was_sent || self.is_being_replaced(&desired.spec_hash) {
            return None;
        }
        let message = self.approved(&desired.spec_hash, now).err()?;
        Some(Hold::new(Reason::AwaitingApproval, message))
    }

    /// Whether a person's approval of this very spec is in force, or else what is missing.
    pub(crate) fn approved(&self, spec: &SpecHash, now: Timestamp) -> Result<(), String> {
        let approval = self.approval.as_ref();
        Err(match approval.filter(|order| order.is_for(spec)) {
            Some(approval) if approval.is_in_force(now) => return Ok(()),
            Some(approval) => format!("the approval {} has expired", approval.told()),
            None if approval.is_some() => {
                "the approval there is was for another spec; this one waits for its own".to_owned()
            }
            None => "this spec waits for an approval".to_owned(),
        })
    }

    /// What Longshore itself said when it stopped this rollout, if it did.
    pub(crate) fn stopped_by_us(&self, attempt: &ServiceDeployment) -> Option<&Stopped> {
        self.stopped.as_ref().filter(|stopped| stopped.deployment == attempt.arn)
    }

    /// Whether a person has left this spec by a rollback or an abort.
    pub(crate) fn was_left(&self, desired: &Desired, service: &ObservedService) -> bool {
        self.left_hold(desired, service).is_some()
    }

    /// What holds a spec that a person left by a rollback or an abort.
    pub(crate) fn left_hold(&self, desired: &Desired, service: &ObservedService) -> Option<Hold> {
        if self.releases(&desired.spec_hash) {
            return None;
        }
        let left = self.left.as_ref().filter(|order| order.is_for(&desired.spec_hash));
        let is_tagged = Held::of_spec(&service.tags, &desired.spec_hash)
            .is_some_and(|held| held.why == Why::Left);
        let rest = "It is held until the spec changes or it is released.";
        match left {
            Some(order) if order.verb == crds::Verb::Abort => Some(Hold::new(
                Reason::Aborted,
                format!("the rollout of this spec was aborted {}. {rest}", order.told()),
            )),
            Some(order) => Some(Hold::new(
                Reason::RolledBackByHand,
                format!("this spec was left by a rollback {}. {rest}", order.told()),
            )),
            None if is_tagged && mark::mark(desired, service) == Mark::Failed => Some(Hold::new(
                Reason::RolledBack,
                format!("The checks of this spec failed and it was rolled back. {rest}"),
            )),
            None if is_tagged => Some(Hold::new(
                Reason::RolledBackByHand,
                format!("this spec was left by a person. {rest}"),
            )),
            None => None,
        }
    }

    /// Whether somebody said that this spec may go, although manual mode or `selfHeal: false` would keep it.
    pub fn lets_go(&self, spec: &SpecHash) -> bool {
        let replacement = self.replacement.as_ref().map(|replacement| &replacement.order);
        [self.sync.as_ref(), self.release.as_ref(), replacement]
            .into_iter()
            .flatten()
            .any(|order| order.is_for(spec))
    }

    /// Whether somebody said that this spec may go outside of its windows.
    pub fn hurries(&self, spec: &SpecHash) -> bool {
        self.sync.as_ref().is_some_and(|order| order.now && order.is_for(spec))
    }

    /// Whether somebody released this spec, and it has not been sent since.
    pub fn releases(&self, spec: &SpecHash) -> bool {
        self.release.as_ref().is_some_and(|order| order.is_for(spec))
    }

    /// Whether a failed rollout no longer counts, because somebody released its spec afterwards.
    pub(crate) fn forgives(&self, spec: &SpecHash, failed: &ServiceDeployment) -> bool {
        let has_ended = matches!(
            failed.status,
            DeploymentStatus::RollbackSuccessful
                | DeploymentStatus::RollbackFailed
                | DeploymentStatus::Stopped
        );
        has_ended
            && self.release.as_ref().is_some_and(|order| {
                order.is_for(spec) && failed.created_at.is_some_and(|began| began < order.time)
            })
    }

    /// Whether this very service may be deleted to make room for one that its spec describes. Once one was deleted, no
    /// other is: should the new one differ again, that is for a person to see.
    pub(crate) fn replaces(&self, spec: &SpecHash, service: &ObservedService) -> bool {
        let Some(replacement) = &self.replacement else { return false };
        replacement.order.is_for(spec)
            && replacement.sent.as_ref().is_none_or(|sent| sent.subject == incarnation(service))
    }

    pub(crate) fn is_being_replaced(&self, spec: &SpecHash) -> bool {
        self.replacement
            .as_ref()
            .is_some_and(|under_way| under_way.order.is_for(spec) && under_way.sent.is_some())
    }

    /// Whether the deletion of this service was confirmed.
    pub fn confirms_pruning(&self, now: Timestamp) -> bool {
        self.pruning.as_ref().is_some_and(|order| order.is_in_force(now))
    }

    /// The orders that still count once a turn has found a service as its spec wants it.
    #[must_use]
    pub fn settled(mut self) -> Self {
        self.sync = None;
        self.replacement = None;
        self.release = None;
        self
    }

    /// The orders that can still count for this spec: what is bound to another one is forgotten, and so is what has expired.
    #[must_use]
    pub fn for_spec(mut self, spec: &SpecHash, now: Timestamp) -> Self {
        let counts = |order: &Order| order.is_for(spec) && order.is_in_force(now);
        self.suspension = self.suspension.filter(|order| order.is_in_force(now));
        self.sync = self.sync.filter(counts);
        self.release = self.release.filter(counts);
        self.left = self.left.filter(counts);
        self.replacement = self.replacement.filter(|replacement| counts(&replacement.order));
        self.stopped = self.stopped.filter(|stopped| stopped.spec_hash == *spec);
        self.pruning = None;
        self
    }
}

/// What tells a service from an earlier one of its name.
pub fn incarnation(service: &ObservedService) -> String {
    let created = service.created_at.map(|created| created.as_millisecond().to_string());
    format!("{}@{}", service.arn, created.unwrap_or_default())
}
