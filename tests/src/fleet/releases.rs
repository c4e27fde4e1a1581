//! Releases: what people push and tag, and which version the world runs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use controller::releases::{Repositories, TagSource};
use controller::source::SourceError;
use controller::status_store::ReleaseObject;
use crds::ReleaseStatus;
use sandbox::FixtureImage;
use serde_json::json;

use super::{BoxFuture, Fleet};

/// The Git repository of the application: tags with their commits.
#[derive(Debug, Clone, Default)]
pub(super) struct GitTags(Arc<Mutex<BTreeMap<String, String>>>);

impl GitTags {
    pub(super) fn repositories(&self) -> Repositories {
        let tags = self.clone();
        Repositories::opened_by(move |_| Ok(Box::new(tags.clone())))
    }
}

impl TagSource for GitTags {
    fn list(&mut self) -> BoxFuture<'_, Result<BTreeMap<String, String>, SourceError>> {
        let tags = self.0.lock().unwrap().clone();
        Box::pin(async move { Ok(tags) })
    }

    /// Tags whose commits begin with `5` are signed.
    fn verify<'a>(
        &'a mut self,
        tag: &'a str,
        commit: &'a str,
    ) -> BoxFuture<'a, Result<(), SourceError>> {
        Box::pin(async move {
            if commit.starts_with('5') {
                return Ok(());
            }
            Err(SourceError::Untrusted {
                place: "the repository".to_owned(),
                what: format!("tag {tag}"),
                reason: "it carries no signature".to_owned(),
            })
        })
    }
}

impl Fleet {
    /// Pushes an image of `shop/web` with this tag.
    pub fn push(&self, tag: &str) {
        self.push_image(
            "shop/web",
            FixtureImage { tags: vec![tag.to_owned()], ..FixtureImage::default() },
        );
    }

    /// Pushes an image as a builder and a signer would.
    #[allow(clippy::needless_pass_by_value, reason = "callers write `FixtureImage { … }`")]
    pub fn push_image(&self, repository: &str, image: FixtureImage) {
        self.sandbox.edit(self.now(), |region| region.push_image(repository, &image)).unwrap();
    }

    /// Deletes a tag of `shop/web`.
    pub fn delete_image(&self, tag: &str) {
        let input = json!({ "repositoryName": "shop/web", "imageIds": [{ "imageTag": tag }] });
        self.console_of("ecr", "BatchDeleteImage", input);
    }

    /// Pushes a tag to the application's Git repository, or moves it.
    pub fn tag_git(&self, tag: &str, commit: char) {
        let commit = commit.to_string().repeat(40);
        self.git.0.lock().unwrap().insert(tag.to_owned(), commit);
    }

    /// The image that a tag of `shop/web` names now, as a task definition names it.
    pub fn pinned(&self, tag: &str) -> String {
        self.pinned_of("shop/web", tag)
    }

    /// The same of any repository.
    pub fn pinned_of(&self, repository: &str, tag: &str) -> String {
        let input = json!({ "repositoryName": repository, "imageIds": [{ "imageTag": tag }] });
        let answer = self.console_of("ecr", "DescribeImages", input);
        let digest = answer["imageDetails"][0]["imageDigest"].as_str().unwrap();
        format!("111122223333.dkr.ecr.eu-west-1.amazonaws.com/{repository}@{digest}")
    }

    /// What the operator says of a release.
    pub fn release(&self, name: &str) -> Arc<ReleaseObject> {
        let object = self.statuses.release(&name.parse().unwrap());
        object.unwrap_or_else(|| panic!("no release {name}\n{}", self.describe()))
    }

    /// The status of a release.
    pub fn release_status(&self, name: &str) -> ReleaseStatus {
        self.release(name).status.clone()
    }

    /// The tag that a release has chosen.
    pub fn chosen(&self, name: &str) -> Option<String> {
        let object = self.statuses.release(&name.parse().unwrap())?;
        object.status.chosen.as_ref().map(|chosen| chosen.tag.clone())
    }

    /// What a release says first.
    pub fn release_says(&self, name: &str) -> String {
        let object = self.release(name);
        object
            .headline()
            .map(|said| format!("{}: {}", said.reason, said.message))
            .unwrap_or_default()
    }

    /// Waits until a service runs this tag of `shop/web`, by its digest, and is ready.
    pub async fn until_runs(&self, service: &str, tag: &str) {
        let wanted = self.pinned(tag);
        self.until(&format!("{service} runs {tag}"), |fleet| {
            fleet.is_ready(service)
                && fleet.living(service).is_some()
                && fleet.image(service) == wanted
        })
        .await;
    }

    /// What was told of releases, oldest first.
    pub fn told_of_releases(&self) -> Vec<String> {
        let mut events = self.statuses.events(1000);
        events.retain(|event| event.release.is_some());
        events.iter().rev().map(|event| format!("{}: {}", event.reason, event.message)).collect()
    }
}
