//! What is read of an image before its version is taken: what it runs on, who signed it, what its Git tag names.

use std::time::Duration;

use longshore_tests::specs::{release, service, with};
use longshore_tests::{Fleet, FleetOptions, Keep};
use sandbox::{Fault, FaultKind, FixtureImage};
use serde_json::{Value, json};

const FIXTURES: &str = "
clusters: [{name: shop}]
latency: 8ms
queues: [{name: events}]
events: {queue: events}
repositories: [{name: shop/web, images: [{tags: [v1.0.0], pushedAt: 2026-02-01T00:00:00Z}]}]
";
const URL: &str = "https://sqs.eu-west-1.amazonaws.com/111122223333/events";
const MINUTES: Duration = Duration::from_mins(5);

async fn fleet() -> Fleet {
    let fixtures = FIXTURES.to_owned();
    Fleet::with(FleetOptions { fixtures, keep: Keep::Directory, ..FleetOptions::default() }).await
}

fn web() -> Value {
    service("web", "${release:shop}")
}

fn shop() -> Value {
    release("shop", ">=1.0.0 <2.0.0")
}

fn gated(gates: Value) -> Value {
    with(shop(), "/spec/gates", gates)
}

/// A fleet that runs v1.0.0 of a release.
async fn world(release: Value) -> Fleet {
    let mut fleet = fleet().await;
    fleet.commit(&[release, web()]).await;
    fleet.until_runs("web", "v1.0.0").await;
    fleet
}

fn tagged(tag: &str) -> FixtureImage {
    FixtureImage { tags: vec![tag.to_owned()], ..FixtureImage::default() }
}

/// An index over images for these platforms.
fn built_for(tag: &str, platforms: &[&str]) -> FixtureImage {
    let platforms = platforms.iter().map(|platform| (*platform).to_owned()).collect();
    FixtureImage { platforms, ..tagged(tag) }
}

/// A single image.
fn single(tag: &str, platform: &str) -> FixtureImage {
    FixtureImage { platform: Some(platform.to_owned()), ..tagged(tag) }
}

async fn stays(fleet: &Fleet, tag: &str, said: &str) {
    let mark = fleet.sandbox.call_count();
    fleet.pass(MINUTES).await;
    assert_eq!(fleet.changes_since(mark), [""; 0], "{}", fleet.describe());
    assert_eq!(fleet.chosen("shop").as_deref(), Some(tag));
    assert!(fleet.release_says("shop").contains(said), "{}", fleet.release_says("shop"));
}

#[tokio::test(start_paused = true)]
async fn an_image_that_does_not_run_where_the_services_do_is_passed_over() {
    let fleet = world(shop()).await;
    fleet.push_image("shop/web", built_for("v1.2.0", &["linux/arm64"]));
    fleet.push_image("shop/web", built_for("v1.1.0", &["linux/amd64", "linux/arm64"]));
    fleet.until_runs("web", "v1.1.0").await;
    stays(&fleet, "v1.1.0", "v1.2.0 is not for linux/amd64").await;
    fleet.push_image("shop/web", single("v1.3.0", "linux/arm64"));
    stays(&fleet, "v1.1.0", "v1.3.0 is not for linux/amd64").await;
    fleet.push_image("shop/web", single("v1.4.0", "linux/amd64"));
    fleet.until_runs("web", "v1.4.0").await;
}

/// The first choice is made before any spec that names the release can be used.
#[tokio::test(start_paused = true)]
async fn the_first_version_fits_the_services_as_well() {
    let mut fleet = fleet().await;
    fleet.push_image("shop/web", built_for("v1.1.0", &["linux/arm64"]));
    let arm = json!({ "cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX" });
    let arm =
        with(service("arm", "${release:shop-arm}"), "/spec/taskDefinition/runtimePlatform", arm);
    fleet.commit(&[shop(), web(), release("shop-arm", ">=1.0.0"), arm]).await;
    fleet.until_runs("web", "v1.0.0").await;
    fleet.until_runs("arm", "v1.1.0").await;
}

fn refuse(fleet: &Fleet, operation: &str) {
    let code = "AccessDeniedException".to_owned();
    let kind = FaultKind::Error { code, message: "no".to_owned(), status: 400 };
    fleet.sandbox.inject(Fault { times: None, ..Fault::once("ecr", operation, kind) });
}

#[tokio::test(start_paused = true)]
async fn a_single_image_says_in_its_configuration_what_it_runs_on() {
    let fleet = world(gated(json!({ "platforms": ["linux/amd64"] }))).await;
    fleet.push_image("shop/web", single("v1.2.0", "linux/arm64"));
    fleet.push("v1.1.0");
    fleet.until_runs("web", "v1.1.0").await;
    // Platforms that are asked for by name have to be proved.
    refuse(&fleet, "GetDownloadUrlForLayer");
    fleet.push("v1.3.0");
    stays(&fleet, "v1.1.0", "`ecr:GetDownloadUrlForLayer` has to be allowed").await;
    assert!(fleet.release_says("shop").starts_with("VersionPending: the platforms of v1.3.0"));
    fleet.sandbox.clear_faults();
    fleet.until_runs("web", "v1.3.0").await;
}

#[tokio::test(start_paused = true)]
async fn without_the_permission_to_read_them_single_images_are_taken_where_no_platform_is_named() {
    let fleet = world(shop()).await;
    refuse(&fleet, "GetDownloadUrlForLayer");
    fleet.push("v1.1.0");
    fleet.until_runs("web", "v1.1.0").await;
    refuse(&fleet, "BatchGetImage");
    fleet.push("v1.2.0");
    fleet.until_runs("web", "v1.2.0").await;
}

#[tokio::test(start_paused = true)]
async fn what_is_said_about_an_image_is_no_signature_of_it() {
    let mut fleet = world(shop()).await;
    fleet.commit(&[gated(json!({ "signature": true }))]).await;
    let provenance = "https://slsa.dev/provenance/v1".to_owned();
    let signature = "https://sigstore.dev/cosign/sign/v1".to_owned();
    let bundled = |tag: &str, bundles: &[&String]| FixtureImage {
        bundles: bundles.iter().map(|bundle| (*bundle).clone()).collect(),
        ..tagged(tag)
    };
    fleet.push_image("shop/web", bundled("v1.2.0", &[&provenance]));
    fleet.pass(MINUTES).await;
    let said = fleet.release_says("shop");
    assert!(said.contains("v1.2.0 waits for a signature of sha256:"), "{said}");
    assert!(said.ends_with("; what is attached to it is none"), "{said}");
    fleet.push_image("shop/web", bundled("v1.3.0", &[&provenance, &signature]));
    fleet.until_runs("web", "v1.3.0").await;
}

#[tokio::test(start_paused = true)]
async fn tags_that_are_moved_are_told_before_their_images_are_taken_and_after_a_loss() {
    let mut fleet = fleet().await;
    fleet.tag_git("v1.0.0", 'a');
    let git = json!({ "url": "https://github.com/acme/shop.git" });
    let release = with(gated(json!({ "minAge": "2h" })), "/spec/git", git);
    fleet.commit(&[release, web()]).await;
    fleet.until_runs("web", "v1.0.0").await;
    // Its image is there and waits for its age.
    fleet.tag_git("v1.1.0", 'b');
    fleet.push("v1.1.0");
    fleet.pass(MINUTES).await;
    fleet.tag_git("v1.1.0", 'c');
    fleet.pass(MINUTES).await;
    let moved = "GitTagMoved: the Git tag v1.1.0 was moved from bbbbbbbbbbbb to cccccccccccc";
    let told = fleet.told_of_releases();
    assert_eq!(told.iter().filter(|told| *told == moved).count(), 1, "{told:?}");
    fleet.kill().await;
    fleet.lose_state();
    fleet.restart().await;
    fleet.pass(MINUTES).await;
    assert_eq!(fleet.release_status("shop").commit, Some("a".repeat(40)));
    fleet.tag_git("v1.0.0", 'd');
    fleet.pass(MINUTES).await;
    let moved = "GitTagMoved: the Git tag v1.0.0 was moved from aaaaaaaaaaaa to dddddddddddd; the \
                 image that was chosen for it stays";
    let told = fleet.told_of_releases();
    assert_eq!(told.iter().filter(|told| *told == moved).count(), 1, "{told:?}");
}

/// How often the repository is listed in so many minutes.
async fn listings(fleet: &Fleet, minutes: u64) -> usize {
    let mark = fleet.sandbox.call_count();
    fleet.pass(Duration::from_mins(minutes)).await;
    fleet.sandbox.calls_of(mark, |_, operation| operation == "ListImages").len()
}

#[tokio::test(start_paused = true)]
async fn a_repository_whose_pushes_are_heard_of_is_listed_rarely() {
    let (fixtures, events) = (FIXTURES.to_owned(), Some(URL.to_owned()));
    let mut fleet = Fleet::with(FleetOptions { fixtures, events, ..FleetOptions::default() }).await;
    fleet.commit(&[shop(), web()]).await;
    fleet.until_runs("web", "v1.0.0").await;
    assert!(listings(&fleet, 10).await >= 8, "nothing was heard of yet");
    fleet.push("v1.1.0");
    fleet.until_runs("web", "v1.1.0").await;
    fleet.pass(Duration::from_secs(10)).await;
    assert_eq!(listings(&fleet, 8).await, 0);
    assert!((1..=3).contains(&listings(&fleet, 30).await), "to be sure");
    fleet.push("v1.2.0");
    let pushed = fleet.now();
    fleet.until("chosen", |fleet| fleet.chosen("shop").as_deref() == Some("v1.2.0")).await;
    assert!(fleet.now().duration_since(pushed).as_secs() < 10);
    // What cannot be heard is listed again as often as without.
    let code = "AWS.SimpleQueueService.NonExistentQueue".to_owned();
    let kind = FaultKind::Error { code, message: "gone".to_owned(), status: 400 };
    fleet.sandbox.inject(Fault { times: None, ..Fault::once("sqs", "ReceiveMessage", kind) });
    fleet.pass(Duration::from_mins(1)).await;
    assert!(listings(&fleet, 10).await >= 8);
}
