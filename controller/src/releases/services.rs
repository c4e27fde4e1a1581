//! What the services of a release make of its version.

use std::collections::{BTreeMap, BTreeSet};

use crds::{ChosenVersion, Health, ObjectKey, Reason, ReleaseName, ServiceStatus};
use jiff::Timestamp;

use crate::inventory::Wanted;
use crate::reconcile::Context;
use crate::state::{BadVersion, ReleaseRecord};
use crate::status_store::ServiceObject;

/// How many bad versions are remembered.
const KEPT: usize = 20;

/// What a service makes of the version that is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Its rollout ended well and it runs the image.
    Well,
    /// It is being rolled out, or is about to be.
    Underway,
    /// The service did not keep it: why.
    Bad(Reason),
    /// The service is in trouble, or runs another image.
    Troubled,
    /// Nothing is known.
    Unknown,
}

/// What each service of a release makes of a version.
pub(super) fn verdicts(
    context: &Context,
    name: &ReleaseName,
    chosen: &ChosenVersion,
) -> BTreeMap<ObjectKey, Verdict> {
    let users = context.inventory().users_of_release(name);
    users
        .into_iter()
        .map(|key| {
            let verdict = verdict(context, name, &key, chosen);
            (key, verdict)
        })
        .collect()
}

/// Remembers what the services make of the version in force.
pub(super) fn look_at(
    record: &mut ReleaseRecord,
    verdicts: &BTreeMap<ObjectKey, Verdict>,
    now: Timestamp,
) {
    let Some(chosen) = record.chosen.clone() else { return };
    for (key, verdict) in verdicts {
        note(record, key, *verdict, &chosen, now);
    }
    record.bad.truncate(KEPT);
}

/// Lets the releases of a service be looked at when something else is said of it that they go by.
pub(crate) fn tell(
    context: &Context,
    key: &ObjectKey,
    (before, after): (Option<&ServiceObject>, Option<&ServiceObject>),
) {
    let is_same = match (before, after) {
        (Some(before), Some(after)) => stands(&before.status) == stands(&after.status),
        (before, after) => before.is_none() && after.is_none(),
    };
    if is_same {
        return;
    }
    let Wanted::Spec { entry, .. } = context.inventory().wanted(key) else { return };
    let versions = entry.desired.versions.iter();
    let named: BTreeSet<ReleaseName> = versions.map(|version| version.release.clone()).collect();
    context.triggers.followers.wake_for_services(named);
}

/// What of a status a release goes by.
fn stands(status: &ServiceStatus) -> impl PartialEq + '_ {
    let generation = status.observed_generation;
    (generation, status.health, status.is_ready(), failure(status), &status.images)
}

/// Remembers a version that a service did not keep, until the service is seen to try it again: then a person said so.
fn note(
    record: &mut ReleaseRecord,
    key: &ObjectKey,
    verdict: Verdict,
    chosen: &ChosenVersion,
    now: Timestamp,
) {
    let is_this = |bad: &BadVersion| bad.service == *key && bad.digest == chosen.digest;
    match verdict {
        Verdict::Bad(reason) if !record.bad.iter().any(is_this) => {
            // However long it ran well before: it is no version to follow.
            record.spells.retain(|spell| spell.digest != chosen.digest);
            let bad = BadVersion {
                service: key.clone(),
                reason,
                version: chosen.version.clone(),
                tag: chosen.tag.clone(),
                digest: chosen.digest.clone(),
                at: now,
            };
            record.bad.insert(0, bad);
        }
        Verdict::Well | Verdict::Underway => record.bad.retain(|bad| !is_this(bad)),
        Verdict::Bad(_) | Verdict::Troubled | Verdict::Unknown => {}
    }
}

fn verdict(
    context: &Context,
    name: &ReleaseName,
    key: &ObjectKey,
    chosen: &ChosenVersion,
) -> Verdict {
    let Wanted::Spec { entry, generation, .. } = context.inventory().wanted(key) else {
        return Verdict::Unknown;
    };
    // What a service makes of an older version says nothing about this one.
    let wants_it =
        entry.desired.versions.iter().any(|version| {
            version.release == *name && version.image == super::outcome::image(chosen)
        });
    let Some(object) = context
        .statuses
        .service(key)
        .filter(|object| wants_it && object.status.observed_generation == generation)
    else {
        return Verdict::Unknown;
    };
    let status = &object.status;
    if let Some(reason) = failure(status) {
        return Verdict::Bad(reason);
    }
    let runs_it = status.images.iter().any(|image| {
        image.repository == chosen.image && image.digest.as_deref() == Some(&chosen.digest)
    });
    match status.health {
        Health::Healthy if runs_it && status.is_ready() => Verdict::Well,
        Health::Progressing => Verdict::Underway,
        Health::Degraded | Health::Missing => Verdict::Troubled,
        Health::Healthy | Health::Suspended | Health::Unknown => Verdict::Unknown,
    }
}

/// Why a service does not keep the spec that it was given.
fn failure(status: &ServiceStatus) -> Option<Reason> {
    let is_failure = |reason: &Reason| {
        matches!(
            reason,
            Reason::RolledBack | Reason::RolloutFailed | Reason::RolledBackByHand | Reason::Aborted
        )
    };
    let conditions = status.conditions.iter().map(|condition| condition.reason);
    status.holds.iter().map(|hold| hold.reason).chain(conditions).find(|reason| is_failure(reason))
}
