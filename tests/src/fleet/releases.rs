//! Releases: what people push and tag, and which version the world runs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use controller::releases::{Destination, Destinations, Repositories, TagSource};
use controller::source::{FileChange, SourceError, WriteError, Written};
use controller::status_store::ReleaseObject;
use crds::{Condition, ConditionStatus, ConditionType, Reason, ReleaseStatus};
use sandbox::FixtureImage;
use serde_json::json;

use super::{BoxFuture, Fleet};

/// The Git repositories: that of the application, tags with their commits, and that of the specs, which takes commits.
#[derive(Debug, Clone, Default)]
pub(super) struct GitTags(Arc<Mutex<BTreeMap<String, String>>>, Arc<Mutex<Host>>);

/// The host of the specs.
#[derive(Debug, Default)]
pub(super) struct Host {
    /// The messages of what was committed.
    commits: Vec<String>,
    /// Why it takes no commits.
    refuses: Option<String>,
    /// Whether others push to it before every commit.
    is_crowded: bool,
    /// Whether it takes commits and never says so.
    is_mute: bool,
    /// Whether the host of the application, which is the same, cannot be reached.
    is_down: bool,
}

impl GitTags {
    pub(super) fn repositories(&self) -> Repositories {
        let tags = self.clone();
        Repositories::opened_by(move |_| Ok(Box::new(tags.clone())))
    }

    pub(super) fn destinations(&self, folder: &Path) -> Destinations {
        let (host, folder) = (Arc::clone(&self.1), folder.to_owned());
        Destinations::opened_by(move |_| {
            Ok(Box::new(Specs { host: Arc::clone(&host), folder: folder.clone() }))
        })
    }
}

/// The specs of a fleet as a branch that takes commits.
struct Specs {
    host: Arc<Mutex<Host>>,
    folder: PathBuf,
}

impl Destination for Specs {
    fn write<'a>(
        &'a mut self,
        change: &'a FileChange<'a>,
    ) -> BoxFuture<'a, Result<Written, WriteError>> {
        Box::pin(async move {
            let branch = "main".to_owned();
            let file = self.folder.join(change.path);
            let misplaced = |reason: String| WriteError::Misplaced {
                path: change.path.to_owned(),
                branch: "main".to_owned(),
                reason,
            };
            let text = std::fs::read_to_string(&file);
            let text = text.map_err(|error| misplaced(error.to_string()))?;
            let Some(draft) = (change.edit)(&text).map_err(misplaced)? else {
                return Ok(Written { branch, commit: None, is_new: false });
            };
            let (number, is_mute) = {
                let mut host = self.host.lock().unwrap();
                if let Some(reason) = host.refuses.clone() {
                    return Err(WriteError::Refused { branch, reason });
                }
                if host.is_crowded {
                    return Err(WriteError::Crowded { branch, tries: 5 });
                }
                host.commits.push(draft.message);
                (host.commits.len(), host.is_mute)
            };
            std::fs::write(file, draft.content).unwrap();
            if is_mute {
                std::future::pending::<()>().await;
            }
            Ok(Written { branch, commit: Some(format!("{number:040x}")), is_new: true })
        })
    }
}

impl TagSource for GitTags {
    fn list(&mut self) -> BoxFuture<'_, Result<BTreeMap<String, String>, SourceError>> {
        let tags = self.0.lock().unwrap().clone();
        let is_down = self.1.lock().unwrap().is_down;
        Box::pin(async move {
            if is_down {
                let (place, message) = ("the repository".to_owned(), "cannot connect".to_owned());
                return Err(SourceError::Git { doing: "list references of", place, message });
            }
            Ok(tags)
        })
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

    /// Lets the host of the application's Git repository be down, or come back.
    pub fn lose_git(&self, is_down: bool) {
        self.git.1.lock().unwrap().is_down = is_down;
    }

    /// The messages of the commits that the host of the specs has taken.
    pub fn commits(&self) -> Vec<String> {
        self.git.1.lock().unwrap().commits.clone()
    }

    /// Lets the host of the specs refuse commits, in these words, or take them again.
    pub fn refuse_commits(&self, why: Option<&str>) {
        self.git.1.lock().unwrap().refuses = why.map(str::to_owned);
    }

    /// Lets others be faster than every commit to the specs, or leave.
    pub fn crowd_commits(&self, is_crowded: bool) {
        self.git.1.lock().unwrap().is_crowded = is_crowded;
    }

    /// Lets the host of the specs take commits and never answer, or answer again.
    pub fn lose_answers_to_commits(&self, is_mute: bool) {
        self.git.1.lock().unwrap().is_mute = is_mute;
    }

    /// What is said of the file of a release.
    pub fn written_back(&self, name: &str) -> Condition {
        self.release(name).written_back().unwrap().clone()
    }

    /// Whether a release is ready.
    pub fn ready_release(&self, name: &str) -> ConditionStatus {
        let conditions = self.release_status(name).conditions;
        conditions.iter().find(|said| said.kind == ConditionType::Ready).unwrap().status
    }

    /// Waits until something is said of the file of a release.
    pub async fn until_written_back(&self, name: &str, reason: Reason) {
        self.until(&format!("{name} says {reason} of its file"), |fleet| {
            let object = fleet.statuses.release(&name.parse().unwrap());
            object.is_some_and(|object| object.written_back().is_some_and(|it| it.reason == reason))
        })
        .await;
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
