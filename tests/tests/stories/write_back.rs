//! Versions that releases write to the files of their source.

use std::time::Duration;

use crds::{ConditionStatus, Reason, SyncPolicy};
use longshore_tests::specs::{image, release, service, with};
use longshore_tests::{Fleet, FleetOptions, Keep};
use serde_json::{Value, json};

const FIXTURES: &str = "
clusters: [{name: shop}]
latency: 8ms
repositories: [{name: shop/web, images: [{tags: [v1.0.0]}]}]
";
const MINUTES: Duration = Duration::from_mins(10);

fn options() -> FleetOptions {
    let fixtures = FIXTURES.to_owned();
    FleetOptions { fixtures, keep: Keep::Directory, ..FleetOptions::default() }
}

/// A release that writes its version to a file.
fn shop(path: &str) -> Value {
    with(release("shop", ">=1.0.0 <2.0.0"), "/spec/writeBack", json!({ "path": path }))
}

/// The spec of `web`, whose image is marked.
fn marked(version: &str) -> String {
    let image = image("web", version);
    let text = serde_json::to_string_pretty(&service("web", &image)).unwrap();
    text.replace(&format!("\"{image}\","), &format!("\"{image}\",  # longshore: release shop"))
}

/// A fleet whose service `web` names v1.0.0 in its own spec, which the release writes to.
async fn world() -> Fleet {
    let mut fleet = Fleet::with(options()).await;
    let release = serde_json::to_string(&shop("web.yaml")).unwrap();
    fleet.commit_files(&[("shop.json", &release), ("web.yaml", &marked("v1.0.0"))]).await;
    fleet.until_ready("web").await;
    fleet.until_written_back("shop", Reason::VersionWritten).await;
    assert_eq!(fleet.commits(), [""; 0], "it was right already");
    fleet
}

fn updates(fleet: &Fleet, mark: usize) -> usize {
    let changes = fleet.changes_since(mark);
    changes.iter().filter(|change| *change == "UpdateService").count()
}

#[tokio::test(start_paused = true)]
async fn a_version_is_committed_once_and_the_service_that_reads_it_rolls_once() {
    let mut fleet = world().await;
    let mark = fleet.sandbox.call_count();
    fleet.push("v1.1.0");
    fleet.until("it is committed", |fleet| !fleet.commits().is_empty()).await;
    assert_eq!(updates(&fleet, mark), 0, "the source has not been read yet");
    fleet.fetch().await.unwrap();
    fleet.until("web runs it", |fleet| fleet.image("web") == image("web", "v1.1.0")).await;
    fleet.until_ready("web").await;
    for _ in 0..3 {
        fleet.pass(MINUTES).await;
        fleet.fetch().await.unwrap();
    }
    assert_eq!(updates(&fleet, mark), 1);
    assert_eq!(std::fs::read_to_string(fleet.folder().join("web.yaml")).unwrap(), marked("v1.1.0"));
    let [message] = fleet.commits().try_into().unwrap();
    assert!(message.starts_with("Release shop: v1.1.0 of shop/web\n\nweb.yaml:"), "{message}");
    assert!(message.contains("\nLongshore-Owner: test\nLongshore-Release: shop\n"), "{message}");
    let written = fleet.release_status("shop").written.unwrap();
    assert_eq!((written.tag.as_str(), written.path.as_str()), ("v1.1.0", "web.yaml"));
    assert_eq!(written.commit, Some(format!("{:040x}", 1)));
    let told = fleet.told_of_releases();
    let of_it =
        told.iter().filter(|told| told.starts_with("VersionWritten: web.yaml on branch main"));
    assert_eq!(of_it.count(), 1, "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn a_refused_commit_is_told_tried_again_and_holds_no_rollout() {
    let mut fleet = Fleet::with(options()).await;
    let web = service("web", "${release:shop}");
    fleet.commit_files(&[("VERSION", "v1.0.0\n")]).await;
    fleet.commit(&[shop("VERSION"), web]).await;
    fleet.until_runs("web", "v1.0.0").await;
    fleet.refuse_commits(Some("only on weekdays"));
    fleet.push("v1.1.0");
    fleet.until_runs("web", "v1.1.0").await;
    fleet.until_written_back("shop", Reason::WriteBackRefused).await;
    let said = fleet.written_back("shop");
    assert_eq!(said.status, ConditionStatus::False);
    assert_eq!(said.message, "cannot push to branch main: only on weekdays");
    assert_eq!(fleet.ready_release("shop"), ConditionStatus::True, "the version itself is well");
    fleet.pass(MINUTES).await;
    let told = fleet.told_of_releases();
    let of_it = told.iter().filter(|told| told.starts_with("WriteBackRefused: "));
    assert_eq!(of_it.count(), 1, "{told:?}");
    fleet.refuse_commits(None);
    fleet.until_written_back("shop", Reason::VersionWritten).await;
    assert_eq!(std::fs::read_to_string(fleet.folder().join("VERSION")).unwrap(), "v1.1.0\n");
    fleet.restart().await;
    fleet.until_written_back("shop", Reason::VersionWritten).await;
    assert_eq!(fleet.commits().len(), 1);
    let written = fleet.release_status("shop").written.unwrap();
    assert_eq!(written.commit, Some(format!("{:040x}", 1)), "it is remembered");
}

#[tokio::test(start_paused = true)]
async fn others_who_are_always_faster_are_told_and_the_version_is_written_once_they_are_gone() {
    let mut fleet = world().await;
    fleet.crowd_commits(true);
    fleet.push("v1.1.0");
    fleet.until_written_back("shop", Reason::WriteBackFailed).await;
    let said = fleet.written_back("shop");
    assert_eq!(said.status, ConditionStatus::False);
    let expected = "cannot push to branch main: others pushed to it each of 5 times";
    assert_eq!(said.message, expected);
    fleet.pass(MINUTES).await;
    assert_eq!(std::fs::read_to_string(fleet.folder().join("web.yaml")).unwrap(), marked("v1.0.0"));
    fleet.crowd_commits(false);
    fleet.until_written_back("shop", Reason::VersionWritten).await;
    fleet.fetch().await.unwrap();
    fleet.until("web runs it", |fleet| fleet.image("web") == image("web", "v1.1.0")).await;
    assert_eq!(fleet.commits().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_process_that_dies_between_push_and_note_leads_to_one_commit() {
    let mut fleet = world().await;
    fleet.lose_answers_to_commits(true);
    fleet.push("v1.1.0");
    fleet.until("it is committed", |fleet| !fleet.commits().is_empty()).await;
    assert_eq!(fleet.written_back("shop").reason, Reason::WriteBackPending);
    fleet.kill().await;
    fleet.lose_answers_to_commits(false);
    fleet.restart().await;
    fleet.until_written_back("shop", Reason::VersionWritten).await;
    fleet.pass(MINUTES).await;
    assert_eq!(fleet.commits().len(), 1);
    assert_eq!(fleet.release_status("shop").written.unwrap().tag, "v1.1.0");
}

#[tokio::test(start_paused = true)]
async fn a_host_that_never_answers_holds_neither_rollouts_nor_other_releases() {
    let mut fleet = Fleet::with(options()).await;
    fleet.lose_answers_to_commits(true);
    for number in 0..8 {
        let (file, name) = (format!("V{number}"), format!("other{number}"));
        fleet.commit_files(&[(&file, "v0\n")]).await;
        fleet.commit(&[with(shop(&file), "/metadata/name", json!(name))]).await;
    }
    fleet.commit(&[service("web", "${release:other7}")]).await;
    fleet.until("hosts are asked", |fleet| fleet.commits().len() > 1).await;
    fleet.until_runs("web", "v1.0.0").await;
    fleet.push("v1.1.0");
    fleet.until_runs("web", "v1.1.0").await;
}

#[tokio::test(start_paused = true)]
async fn a_file_without_a_place_is_told_and_written_once_it_has_one() {
    let mut fleet = Fleet::with(options()).await;
    fleet.commit_files(&[("deploy.yaml", "image: nothing\nother: true\n")]).await;
    fleet.commit(&[shop("deploy.yaml")]).await;
    fleet.until_written_back("shop", Reason::WriteBackInvalid).await;
    let said = fleet.written_back("shop").message;
    let expected =
        "cannot change deploy.yaml on branch main: no line ends in `# longshore: release shop`";
    assert!(said.starts_with(expected), "{said}");
    let place = "image: \"\"  # longshore: release shop pinned\n";
    fleet.commit_files(&[("deploy.yaml", place)]).await;
    fleet.until_written_back("shop", Reason::VersionWritten).await;
    let pinned = fleet.pinned("v1.0.0");
    let text = std::fs::read_to_string(fleet.folder().join("deploy.yaml")).unwrap();
    assert_eq!(text, format!("image: \"{pinned}\"  # longshore: release shop pinned\n"));
}

#[tokio::test(start_paused = true)]
async fn a_suspended_source_is_not_written_to() {
    let policy = SyncPolicy { suspend: Some(true), ..SyncPolicy::default() };
    let mut fleet = Fleet::with(FleetOptions { policy, ..options() }).await;
    fleet.commit_files(&[("VERSION", "v0.9.0\n")]).await;
    fleet.commit(&[shop("VERSION")]).await;
    fleet.until_written_back("shop", Reason::Suspended).await;
    fleet.pass(MINUTES).await;
    assert_eq!(fleet.commits(), [""; 0]);
    assert_eq!(std::fs::read_to_string(fleet.folder().join("VERSION")).unwrap(), "v0.9.0\n");
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_the_block_is_found_offline() {
    let mut fleet = Fleet::with(options()).await;
    fleet.commit(&[shop("../elsewhere.yaml")]).await;
    let invalid = fleet.invalid();
    assert!(invalid[0].contains("`../elsewhere.yaml` is not the path of a file"), "{invalid:?}");
    fleet.pass(MINUTES).await;
    assert_eq!(fleet.commits(), [""; 0]);
}
