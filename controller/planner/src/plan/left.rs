//! Images of releases that a service did not keep.
//!
//! A hold is bound to a spec's hash, and that changes with every value that the spec refers to. An image that a release has
//! chosen and that was undone here stays away all the same: another spec brings it back only when a person releases it.

use crds::Reason;
use serde_json::Value;

use super::Hold;
use super::held::{Held, Why};
use crate::checks::mark;
use crate::desired::{Desired, Version};
use crate::observed::{Observed, ObservedService, ObservedTaskDefinition, ServiceDeployment};
use crate::orders::Orders;
use crate::ownership::HELD_IMAGES;
use crate::rollout::DeploymentStatus;

/// How much of a digest stands in the tag.
const DIGEST_LENGTH: usize = 16;
/// How many digests have room in a tag's value of 256 characters.
const DIGESTS_MAX: usize = 15;

/// The value of the tag for a spec that is left: the images of its task definition that are named by digest.
pub(crate) fn images(definition: &Value) -> Option<String> {
    let mut digests: Vec<&str> = named(definition).filter_map(beginning).collect();
    digests.sort_unstable();
    digests.dedup();
    digests.truncate(DIGESTS_MAX);
    (!digests.is_empty()).then(|| digests.join(" "))
}

/// What holds a spec that asks for such an image, if it is not the spec that was left itself.
pub(super) fn hold(
    desired: &Desired,
    observed: &Observed,
    service: &ObservedService,
    orders: &Orders,
) -> Option<Hold> {
    if orders.releases(&desired.spec_hash) {
        return None;
    }
    desired.versions.iter().find_map(|version| {
        let (reason, what) = if !was_left(version, observed, service) {
            has_failed(version, observed).then_some((Reason::RolledBack, "whose rollout failed"))?
        } else if Held::of(&service.tags).is_some_and(|held| held.why != Why::Left) {
            (Reason::RolledBack, "whose rollout failed")
        } else if service.tags.get(mark::CHECKS).is_some_and(|mark| mark::is_failed(mark)) {
            (Reason::RolledBack, "whose checks failed")
        } else {
            (Reason::RolledBackByHand, "which a person has left")
        };
        let Version { release, tag, .. } = version;
        Some(Hold::new(
            reason,
            format!(
                "the release `{release}` has {tag}, {what} on this service. Other changes of the spec do not bring it \
                 back: the spec is held until there is another version or it is released."
            ),
        ))
    })
}

/// Whether the tag names the image, and the service runs without it.
fn was_left(version: &Version, observed: &Observed, service: &ObservedService) -> bool {
    let Some(held) = service.tags.get(HELD_IMAGES) else { return false };
    let is_held = held.split(' ').any(|held| Some(held) == beginning(&version.image));
    is_held && !runs(observed.task_definition.as_ref(), version)
}

/// Whether the last rollout with the image was undone. What the last good rollout had as well is not to blame, and what the
/// service still names is not brought back.
fn has_failed(version: &Version, observed: &Observed) -> bool {
    let records = || observed.deployments.iter().flatten();
    let brings = |record: &&ServiceDeployment| runs(record.task_definition.as_ref(), version);
    let good = records().find(|record| record.status == DeploymentStatus::Successful);
    if good.is_some_and(|record| brings(&record)) {
        return false;
    }
    match records().filter(brings).find_map(end) {
        Some(End::GoingBack) => true,
        Some(End::Undone) => !runs(observed.task_definition.as_ref(), version),
        Some(End::Kept) | None => false,
    }
}

/// What has become of what a rollout brought.
enum End {
    Kept,
    GoingBack,
    Undone,
}

/// The end of a rollout; `None` where another one took its place before it had any.
fn end(record: &ServiceDeployment) -> Option<End> {
    match record.status {
        // One that is under way was asked for after those that failed.
        DeploymentStatus::Pending | DeploymentStatus::InProgress | DeploymentStatus::Successful => {
            Some(End::Kept)
        }
        DeploymentStatus::RollbackRequested | DeploymentStatus::RollbackInProgress => {
            Some(End::GoingBack)
        }
        DeploymentStatus::RollbackSuccessful | DeploymentStatus::RollbackFailed => {
            Some(End::Undone)
        }
        DeploymentStatus::Stopped
        | DeploymentStatus::StopRequested
        | DeploymentStatus::Other(_) => None,
    }
}

fn runs(revision: Option<&ObservedTaskDefinition>, version: &Version) -> bool {
    let Some(wanted) = digest(&version.image) else { return false };
    revision.is_some_and(|revision| named(&revision.raw).any(|image| digest(image) == Some(wanted)))
}

/// The images that the containers of a task definition name.
fn named(definition: &Value) -> impl Iterator<Item = &str> {
    let containers = definition.get("containerDefinitions").and_then(Value::as_array);
    containers.into_iter().flatten().filter_map(|container| container.get("image")?.as_str())
}

fn digest(image: &str) -> Option<&str> {
    image.split_once("@sha256:").map(|(_, digest)| digest)
}

fn beginning(image: &str) -> Option<&str> {
    digest(image)?.get(..DIGEST_LENGTH)
}
