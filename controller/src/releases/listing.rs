//! A repository of ECR as the planner takes it.

use std::time::Duration;

use jiff::Timestamp;
use planner::preflight::EcrImage;
use planner::release::{ListedImage, Listing, Storage};
use tokio::time::Instant;

use crate::aws::{Account, Error, Repository, RepositoryImage};

/// How long descriptions are used while the list of tags stays the same: what the archive restores shows in no tag.
const DESCRIBED_FOR: Duration = Duration::from_mins(30);

/// The last complete listing of a repository, with what it was recognised by.
#[derive(Debug)]
pub(super) struct Known {
    repository: Repository,
    fingerprint: String,
    /// When the list of tags was last asked for.
    pub(super) begun: Instant,
    described: Instant,
    pub(super) listing: Listing,
}

/// The repository of an image, with its region; `None` for one that is not in ECR.
pub(super) fn place(image: &str) -> Option<(Repository, String)> {
    let EcrImage { account, region, repository, .. } =
        planner::preflight::ImageName::parse(image).place?;
    Some((Repository { registry: account, name: repository }, region))
}

/// Lists a repository to its end into `known`, unless `lasts` says that what is known can be used; `false` if there is no
/// such repository. Its images are described only when it holds others than before. After an error what was known is still
/// there.
pub(super) async fn read(
    account: &Account,
    repository: &Repository,
    known: &mut Option<Known>,
    lasts: impl Fn(Instant) -> bool,
    now: Timestamp,
) -> Result<bool, Error> {
    if known.as_ref().is_some_and(|known| known.repository == *repository && lasts(known.begun)) {
        return Ok(true);
    }
    let begun = Instant::now();
    let Some(fingerprint) = account.repository_fingerprint(repository).await? else {
        return Ok(false);
    };
    let is_same = known.as_ref().is_some_and(|known| {
        known.repository == *repository
            && known.fingerprint == fingerprint
            && known.described.elapsed() < DESCRIBED_FOR
    });
    if let Some(same) = known.take_if(|_| is_same) {
        let listing = same.listing.confirmed(now);
        *known = Some(Known { begun, listing, ..same });
        return Ok(true);
    }
    let described = Instant::now();
    let Some(images) = account.repository_images(repository).await? else { return Ok(false) };
    let listing = Listing::complete(images.into_iter().map(listed).collect(), now);
    let repository = repository.clone();
    *known = Some(Known { repository, fingerprint, begun, described, listing });
    Ok(true)
}

fn listed(image: RepositoryImage) -> ListedImage {
    let storage = match image.state.as_deref() {
        None | Some("ACTIVE") => Storage::Active,
        Some("ACTIVATING") => Storage::Activating,
        // Of a state that is not known yet it is not known that it can be pulled.
        Some(_) => Storage::Archived,
    };
    ListedImage {
        digest: image.digest,
        tags: image.tags,
        pushed_at: image.pushed_at.and_then(time),
        storage,
        manifest_type: image.manifest_type,
        artifact_type: image.artifact_type,
        subject: image.subject,
    }
}

/// Seconds since 1970, as AWS writes times.
fn time(seconds: f64) -> Option<Timestamp> {
    let since = Duration::try_from_secs_f64(seconds).ok()?;
    Timestamp::from_duration(jiff::SignedDuration::try_from(since).ok()?).ok()
}
