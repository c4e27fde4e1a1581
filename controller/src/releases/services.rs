//! What the services of a release make of its version.

use crds::{ChosenVersion, Health, ObjectKey, Reason, ReleaseName, ServiceStatus};
use jiff::Timestamp;

use crate::inventory::Wanted;
use crate::reconcile::Context;
use crate::state::{BadVersion, ReleaseRecord, Spell};

/// How many bad versions and spells are remembered.
const KEPT: usize = 20;

/// What a service makes of the version that is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
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

/// What is remembered once the services of a release have been looked at.
pub(super) fn looked_at(
    context: &Context,
    name: &ReleaseName,
    record: &ReleaseRecord,
    now: Timestamp,
) -> ReleaseRecord {
    let mut record = record.clone();
    let Some(chosen) = record.chosen.clone() else { return record };
    let users = context.inventory().users_of_release(name);
    let verdicts: Vec<(ObjectKey, Verdict)> = users
        .into_iter()
        .map(|key| {
            let verdict = verdict(context, name, &key, &chosen);
            (key, verdict)
        })
        .collect();
    for (key, verdict) in &verdicts {
        note(&mut record, key, *verdict, &chosen, now);
    }
    record.bad.truncate(KEPT);
    let verdicts: Vec<Verdict> = verdicts.into_iter().map(|(_, verdict)| verdict).collect();
    spell(&mut record, &verdicts, &chosen, now);
    record
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
        Verdict::Bad(reason) if !record.bad.iter().any(is_this) => record.bad.insert(
            0,
            BadVersion {
                service: key.clone(),
                reason,
                version: chosen.version.clone(),
                tag: chosen.tag.clone(),
                digest: chosen.digest.clone(),
                at: now,
            },
        ),
        Verdict::Well | Verdict::Underway => record.bad.retain(|bad| !is_this(bad)),
        Verdict::Bad(_) | Verdict::Troubled | Verdict::Unknown => {}
    }
}

/// Notes since when all services run the image well, and that one of them stopped to.
fn spell(record: &mut ReleaseRecord, verdicts: &[Verdict], chosen: &ChosenVersion, now: Timestamp) {
    let is_broken =
        verdicts.iter().any(|verdict| matches!(verdict, Verdict::Bad(_) | Verdict::Troubled));
    for open in record.spells.iter_mut().filter(|spell| spell.until.is_none()) {
        if is_broken || open.digest != chosen.digest {
            open.until = Some(now);
        }
    }
    let is_well = !verdicts.is_empty() && verdicts.iter().all(|verdict| *verdict == Verdict::Well);
    if is_well && record.spells.iter().all(|spell| spell.until.is_some()) {
        let (tag, digest) = (chosen.tag.clone(), chosen.digest.clone());
        record.spells.insert(0, Spell { tag, digest, since: now, until: None });
        record.spells.truncate(KEPT);
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
