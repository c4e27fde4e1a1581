//! Pushing what a fixture describes, as a builder and a signer would.

use jiff::Timestamp;
use serde_json::json;

use super::{
    Ecr, FixtureImage, Image, Status, manifest, manifest::Manifest, push::Push,
    repository_not_found,
};
use crate::ApiError;

const SIZE_PRESET: u64 = 50_000_000;
const PLATFORM_PRESET: &str = "linux/amd64";

impl Ecr {
    /// Pushes an image; a repository that is not there is made.
    pub(crate) fn push_new(
        &mut self,
        repository: &str,
        image: &FixtureImage,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        if !self.repositories.contains_key(repository) {
            self.call("CreateRepository", &json!({ "repositoryName": repository }), now)?;
        }
        self.push_fixture(repository, image, now)
    }

    pub(super) fn push_fixture(
        &mut self,
        repository: &str,
        fixture: &FixtureImage,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let pushed = fixture.pushed_at.unwrap_or(now);
        let account = self.account.clone();
        let missing = repository_not_found(repository, &account);
        let repository = self.repositories.get_mut(repository).ok_or(missing)?;
        let seed =
            format!("{}/{}/{}", repository.name, repository.images.len(), fixture.tags.join(","));
        let size = fixture.size_in_bytes.unwrap_or(SIZE_PRESET);

        let mut add = |text: &str, tags: &[String]| -> Result<Manifest, ApiError> {
            let manifest = Manifest::parse(text, None)?;
            let image = Image {
                manifest: manifest.clone(),
                pushed,
                pulled: None,
                status: Status::Active,
                findings: fixture.findings.clone(),
            };
            repository.images.insert(manifest.digest.clone(), image);
            for tag in tags {
                repository
                    .push(&account, &Push { manifest: &manifest, tag: Some(tag), now: pushed })?;
            }
            if let (true, Some(image)) =
                (fixture.archived, repository.images.get_mut(&manifest.digest))
            {
                image.status = Status::Archived;
            }
            Ok(manifest)
        };

        let mut blobs = Vec::new();
        let mut image = |seed: &str, platform: &str| {
            let configuration = manifest::configuration(platform);
            let manifest = manifest::image(seed, &configuration, size);
            blobs.push(configuration);
            manifest
        };
        let top = if fixture.platforms.is_empty() {
            let platform = fixture.platform.as_deref().unwrap_or(PLATFORM_PRESET);
            add(&image(&seed, platform), &fixture.tags)?
        } else {
            let mut images = Vec::new();
            let mut attestations = Vec::new();
            for platform in &fixture.platforms {
                let image = add(&image(&format!("{seed}/{platform}"), platform), &[])?;
                if fixture.attestations {
                    let attestation = add(&manifest::attestation(&image.digest), &[])?;
                    attestations.push((image.digest.clone(), attestation));
                }
                images.push((platform.clone(), image));
            }
            add(&manifest::index(&images, &attestations), &fixture.tags)?
        };
        if fixture.signed {
            let tag = format!("{}.sig", top.digest.replace(':', "-"));
            add(&manifest::signature(&top.digest), &[tag])?;
        }
        for predicate in &fixture.bundles {
            add(&manifest::bundle(&top, predicate), &[])?;
        }
        for blob in blobs {
            repository.blobs.insert(manifest::digest(&blob), blob);
        }
        Ok(())
    }
}
