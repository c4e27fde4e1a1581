//! Releases: a version is pushed, chosen and rolled out, and never the wrong one.

use std::time::Duration;

use controller::orders::Ask;
use crds::{Reason, Verb};
use longshore_tests::specs::{release, service, with};
use longshore_tests::{Fleet, FleetOptions, Keep};
use proptest::prelude::*;
use sandbox::FixtureImage;
use serde_json::{Value, json};

const FIXTURES: &str = "
clusters: [{name: shop}]
latency: 8ms
repositories: [{name: shop/web, images: [{tags: [v1.0.0]}]}]
";

fn options() -> FleetOptions {
    let fixtures = FIXTURES.to_owned();
    FleetOptions { fixtures, keep: Keep::Directory, ..FleetOptions::default() }
}

/// A service of the release `shop`.
fn following(name: &str) -> Value {
    service(name, "${release:shop}")
}

fn shop() -> Value {
    release("shop", ">=1.0.0 <2.0.0")
}

/// A fleet whose service `web` runs v1.0.0 of the release `shop`.
async fn world() -> Fleet {
    let mut fleet = Fleet::with(options()).await;
    fleet.commit(&[shop(), following("web")]).await;
    fleet.until_runs("web", "v1.0.0").await;
    fleet
}

async fn nothing_moves(fleet: &Fleet, time: Duration) {
    let mark = fleet.sandbox.call_count();
    fleet.pass(time).await;
    assert_eq!(fleet.changes_since(mark), [""; 0], "{}", fleet.describe());
}

const MINUTES: Duration = Duration::from_mins(5);

#[tokio::test(start_paused = true)]
async fn a_pushed_version_is_rolled_out_by_its_digest_and_named_for_people() {
    let fleet = world().await;
    fleet.push("v1.1.0");
    fleet.until_runs("web", "v1.1.0").await;
    assert_eq!(fleet.tag("web", "longshore.dev/version.shop").as_deref(), Some("v1.1.0"));
    let definition = fleet.console(
        "DescribeTaskDefinition",
        json!({ "taskDefinition": fleet.service("web").unwrap().task_definition, "include": ["TAGS"] }),
    );
    let tags = definition["tags"].as_array().unwrap();
    let named = json!({ "key": "longshore.dev/version.shop", "value": "v1.1.0" });
    assert!(tags.contains(&named), "{tags:?}");
    let image = &fleet.status("web").images[0];
    assert_eq!(image.tag.as_deref(), Some("v1.1.0"));
    assert!(fleet.pinned("v1.1.0").ends_with(image.digest.as_deref().unwrap()));
    let told = fleet.told_of_releases();
    assert!(told.iter().any(|told| told.starts_with("VersionChosen: v1.1.0: ")), "{told:?}");
    assert_eq!(fleet.release("shop").services, [Fleet::key("web")]);
}

#[tokio::test(start_paused = true)]
async fn candidates_for_release_old_versions_and_strange_tags_move_nothing() {
    let fleet = world().await;
    for tag in ["v1.1.0-rc.1", "v0.9.0", "v2.0.0", "latest", "nightly-7", "v1.0"] {
        fleet.push(tag);
    }
    nothing_moves(&fleet, MINUTES).await;
    assert_eq!(fleet.image("web"), fleet.pinned("v1.0.0"));
    assert_eq!(fleet.chosen("shop").as_deref(), Some("v1.0.0"));
}

#[tokio::test(start_paused = true)]
async fn services_of_one_release_move_together_and_others_stay() {
    let mut fleet = world().await;
    let other = service("other", &fleet.pinned("v1.0.0"));
    fleet.commit(&[following("worker"), other]).await;
    fleet.until_runs("worker", "v1.0.0").await;
    fleet.until_ready("other").await;
    let mark = fleet.sandbox.call_count();
    fleet.push("v1.2.0");
    fleet.until_runs("web", "v1.2.0").await;
    fleet.until_runs("worker", "v1.2.0").await;
    let updates: Vec<_> = fleet
        .calls_that_change(mark)
        .into_iter()
        .filter(|call| call.operation == "UpdateService")
        .collect();
    assert_eq!(updates.len(), 2, "one each, none for the other");
    let apart = updates[1].time.duration_since(updates[0].time);
    assert!(apart.as_secs() < 2, "they moved {apart} apart");
    assert_eq!(fleet.image("other"), fleet.pinned("v1.0.0"));
}

#[tokio::test(start_paused = true)]
async fn a_restart_and_the_loss_of_the_store_lead_to_no_lower_version() {
    let mut fleet = world().await;
    fleet.push("v1.5.0");
    fleet.until_runs("web", "v1.5.0").await;
    let high = fleet.pinned("v1.5.0");
    // The registry forgets the version; tasks go on with what they have.
    fleet.delete_image("v1.5.0");
    fleet.push("v1.4.0");
    fleet.restart().await;
    nothing_moves(&fleet, MINUTES).await;
    assert_eq!(fleet.image("web"), high);
    fleet.kill().await;
    fleet.lose_state();
    fleet.restart().await;
    nothing_moves(&fleet, MINUTES).await;
    assert_eq!(fleet.image("web"), high);
    assert_eq!(fleet.chosen("shop").as_deref(), Some("v1.5.0"));
    let said = fleet.release_status("shop").chosen.unwrap().reason;
    assert!(said.contains("shop/web runs it, and nothing else was remembered"), "{said}");
    fleet.push("v1.6.0");
    fleet.until_runs("web", "v1.6.0").await;
}

#[tokio::test(start_paused = true)]
async fn while_it_is_not_known_what_runs_nothing_is_chosen() {
    let mut fleet = world().await;
    fleet.kill().await;
    fleet.lose_state();
    fleet.deny("DescribeTaskDefinition");
    fleet.push("v1.1.0");
    fleet.restart().await;
    fleet.pass(MINUTES).await;
    assert_eq!(fleet.chosen("shop"), None);
    let said = fleet.release_says("shop");
    assert!(said.contains("cannot find out what shop/web runs"), "{said}");
    fleet.sandbox.clear_faults();
    fleet.until_runs("web", "v1.1.0").await;
}

#[tokio::test(start_paused = true)]
async fn an_empty_or_shrunken_repository_moves_nothing_until_a_person_says_it_is_right() {
    let mut fleet = world().await;
    for patch in 1..8 {
        fleet.push(&format!("v0.1.{patch}"));
    }
    fleet.pass(MINUTES).await;
    let before = fleet.image("web");
    for patch in 1..8 {
        fleet.delete_image(&format!("v0.1.{patch}"));
    }
    fleet.delete_image("v1.0.0");
    nothing_moves(&fleet, MINUTES).await;
    let said = fleet.release_says("shop");
    assert!(
        said.starts_with("ListingSuspicious: the repository lists no tags, it had 8"),
        "{said}"
    );
    fleet.push("v1.9.0");
    nothing_moves(&fleet, MINUTES).await;
    assert_eq!(fleet.image("web"), before);
    let accepted = json!({ "longshore.dev/accept-tags": "1" });
    fleet.commit(&[with(shop(), "/metadata/annotations", accepted)]).await;
    fleet.until_runs("web", "v1.9.0").await;
}

#[tokio::test(start_paused = true)]
async fn a_tag_that_is_pushed_again_changes_nothing_unless_that_tag_is_followed() {
    let mut fleet = world().await;
    let first = fleet.pinned("v1.0.0");
    fleet.push("v1.0.0");
    assert_ne!(fleet.pinned("v1.0.0"), first);
    nothing_moves(&fleet, MINUTES).await;
    assert_eq!(fleet.image("web"), first);
    let said = fleet.release_says("shop");
    assert!(said.contains("v1.0.0 was chosen as sha256:") && said.contains("stays so"), "{said}");
    fleet.push("main");
    let moving = with(shop(), "/spec/policy", json!({ "tag": "main" }));
    fleet.commit(&[moving]).await;
    fleet.until_runs("web", "main").await;
    fleet.push("main");
    fleet.until_runs("web", "main").await;
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_cannot_be_read_moves_nothing_and_says_so() {
    let fleet = world().await;
    fleet.push("v1.1.0");
    let kind = sandbox::FaultKind::Error {
        code: "AccessDeniedException".to_owned(),
        message: "no".to_owned(),
        status: 400,
    };
    let fault = sandbox::Fault { times: None, ..sandbox::Fault::once("ecr", "ListImages", kind) };
    fleet.sandbox.inject(fault);
    nothing_moves(&fleet, MINUTES).await;
    assert_eq!(fleet.chosen("shop").as_deref(), Some("v1.0.0"));
    let said = fleet.release_says("shop");
    assert!(said.starts_with("AccessDenied: cannot list images of shop/web"), "{said}");
    fleet.sandbox.clear_faults();
    fleet.until_runs("web", "v1.1.0").await;
}

#[tokio::test(start_paused = true)]
async fn a_held_service_stays_while_its_sibling_moves() {
    let mut fleet = world().await;
    fleet.commit(&[following("worker")]).await;
    fleet.until_runs("worker", "v1.0.0").await;
    fleet.order("web", Verb::Hold, &Ask::default()).await;
    fleet.push("v1.1.0");
    fleet.until_runs("worker", "v1.1.0").await;
    fleet.pass(MINUTES).await;
    assert_eq!(fleet.image("web"), fleet.pinned("v1.0.0"));
    fleet.order("web", Verb::Release, &Ask::default()).await;
    fleet.until_runs("web", "v1.1.0").await;
}

#[tokio::test(start_paused = true)]
async fn a_version_that_failed_is_skipped_until_a_higher_one_comes() {
    let fleet = world().await;
    fleet.push("v1.1.0");
    let bad = fleet.pinned("v1.1.0");
    fleet.image_exits(&bad);
    fleet.until_stalled("web", Reason::RolledBack).await;
    fleet
        .until("the release knows", |fleet| !fleet.release_status("shop").skipped.is_empty())
        .await;
    let skipped = fleet.release_status("shop").skipped.remove(0);
    assert_eq!((skipped.tag.as_str(), skipped.service.as_str()), ("v1.1.0", "shop/web"));
    assert_eq!(skipped.reason, Reason::RolledBack);
    let mark = fleet.sandbox.call_count();
    fleet.pass(Duration::from_mins(20)).await;
    assert!(!fleet.changes_since(mark).iter().any(|change| change == "UpdateService"));
    let said = fleet.release_says("shop");
    assert!(said.contains("v1.1.0 was rolled back at"), "{said}");
    // The same image under a higher name is the same bad image.
    let digest = bad.split('@').next_back().unwrap();
    let manifest = fleet.console_of(
        "ecr",
        "BatchGetImage",
        json!({ "repositoryName": "shop/web", "imageIds": [{ "imageDigest": digest }] }),
    );
    let manifest = manifest["images"][0]["imageManifest"].clone();
    fleet.console_of(
        "ecr",
        "PutImage",
        json!({ "repositoryName": "shop/web", "imageTag": "v1.1.1", "imageManifest": manifest }),
    );
    fleet.pass(MINUTES).await;
    assert_eq!(fleet.chosen("shop").as_deref(), Some("v1.1.0"));
    fleet.push("v1.2.0");
    fleet.until_runs("web", "v1.2.0").await;
}

#[tokio::test(start_paused = true)]
async fn a_person_who_goes_back_is_not_overruled_before_a_higher_version_comes() {
    let mut fleet = world().await;
    fleet.push("v1.1.0");
    fleet.until_runs("web", "v1.1.0").await;
    fleet.order("web", Verb::Rollback, &Ask::default()).await;
    let old = fleet.pinned("v1.0.0");
    fleet.until("web went back", |fleet| fleet.image("web") == old).await;
    fleet.pass(MINUTES).await;
    assert_eq!(fleet.image("web"), old);
    assert_eq!(fleet.release_status("shop").skipped[0].reason, Reason::RolledBackByHand);
    fleet.restart().await;
    fleet.pass(MINUTES).await;
    assert_eq!(fleet.image("web"), old);
    fleet.order("web", Verb::Release, &Ask::default()).await;
    fleet.until_runs("web", "v1.1.0").await;
    fleet
        .until("nothing is skipped", |fleet| fleet.release_status("shop").skipped.is_empty())
        .await;
}

fn scanned(tag: &str, severity: &str) -> FixtureImage {
    FixtureImage {
        tags: vec![tag.to_owned()],
        findings: Some([(severity.to_owned(), 1)].into()),
        ..FixtureImage::default()
    }
}

#[tokio::test(start_paused = true)]
async fn findings_keep_a_version_back_and_a_waiver_lets_it_pass_until_its_day() {
    let mut fleet = world().await;
    let gates = json!({ "scan": "HIGH" });
    fleet.commit(&[with(shop(), "/spec/gates", gates)]).await;
    fleet.push_image("shop/web", scanned("v1.1.0", "HIGH"));
    nothing_moves(&fleet, MINUTES).await;
    let said = fleet.release_says("shop");
    assert!(said.contains("v1.1.0 has CVE-HIGH-1 (HIGH)"), "{said}");
    let until = "2026-03-01T06:00:00Z";
    let waiver = json!({ "id": "CVE-HIGH-1", "until": until, "why": "not reachable" });
    let gates = json!({ "scan": "HIGH", "waivers": [waiver] });
    fleet.commit(&[with(shop(), "/spec/gates", gates)]).await;
    fleet.until_runs("web", "v1.1.0").await;
    fleet.pass(Duration::from_hours(6)).await;
    fleet.push_image("shop/web", scanned("v1.2.0", "HIGH"));
    nothing_moves(&fleet, MINUTES).await;
    let said = fleet.release_says("shop");
    assert!(said.contains("CVE-HIGH-1 (HIGH, waiver expired)"), "{said}");
    assert_eq!(fleet.image("web"), fleet.pinned("v1.1.0"), "what runs is not taken away");
}

#[tokio::test(start_paused = true)]
async fn an_image_has_to_fit_the_platform_be_signed_and_be_old_enough() {
    let mut fleet = world().await;
    let gates = json!({ "platforms": ["linux/amd64"], "signature": true, "minAge": "10m" });
    fleet.commit(&[with(shop(), "/spec/gates", gates)]).await;
    let built = |tag: &str, platform: &str, signed: bool| FixtureImage {
        tags: vec![tag.to_owned()],
        platforms: vec![platform.to_owned()],
        attestations: true,
        signed,
        ..FixtureImage::default()
    };
    fleet.push_image("shop/web", built("v1.3.0", "linux/arm64", true));
    fleet.push_image("shop/web", built("v1.2.0", "linux/amd64", false));
    fleet.push_image("shop/web", built("v1.1.0", "linux/amd64", true));
    let pushed = fleet.now();
    fleet.pass(Duration::from_mins(9)).await;
    assert_eq!(fleet.image("web"), fleet.pinned("v1.0.0"));
    fleet.until("v1.1.0 chosen", |fleet| fleet.chosen("shop").as_deref() == Some("v1.1.0")).await;
    let age = fleet.now().duration_since(pushed);
    assert!(age.as_secs() < 10 * 60 + 10, "looked at only after {age}");
    fleet.until_runs("web", "v1.1.0").await;
    let pending = fleet.release_status("shop").pending;
    assert!(pending.iter().any(|it| it.message.contains("v1.2.0 waits for a signature")));
}

#[tokio::test(start_paused = true)]
async fn production_follows_staging_once_the_image_has_run_there_long_enough() {
    let mut fleet = Fleet::with(options()).await;
    let production = with(shop(), "/spec/promote", json!({ "after": "staging", "soak": "1h" }));
    let staging = release("staging", ">=1.0.0");
    let first = service("web", "${release:staging}");
    fleet.commit(&[staging, production, first, following("prod")]).await;
    fleet.until_runs("web", "v1.0.0").await;
    let there = fleet.now();
    assert!(fleet.object("prod").is_none_or(|object| !object.status.is_ready()));
    let unresolved = fleet.ready("prod");
    assert_eq!(unresolved.reason, Reason::ReleaseUnresolved, "{}", unresolved.message);
    fleet.until_runs("prod", "v1.0.0").await;
    let soaked = fleet.now().duration_since(there);
    assert!((60..70).contains(&soaked.as_mins()), "after {soaked}");
    // A version that staging replaces before its time is over never gets to production.
    fleet.push("v1.1.0");
    fleet.until_runs("web", "v1.1.0").await;
    fleet.pass(Duration::from_mins(30)).await;
    fleet.push("v1.2.0");
    fleet.until_runs("web", "v1.2.0").await;
    fleet.pass(Duration::from_mins(45)).await;
    assert_eq!(fleet.image("prod"), fleet.pinned("v1.0.0"));
    fleet.restart().await;
    fleet.until_runs("prod", "v1.2.0").await;
}

fn with_git(verify: bool) -> Value {
    let git = json!({ "url": "https://github.com/acme/shop.git", "wait": "30m", "verify": verify });
    with(shop(), "/spec/git", git)
}

#[tokio::test(start_paused = true)]
async fn a_git_tag_is_awaited_as_an_image_and_rolled_out_when_that_comes() {
    let mut fleet = Fleet::with(options()).await;
    fleet.tag_git("v1.0.0", 'a');
    fleet.commit(&[with_git(false), following("web")]).await;
    fleet.until_runs("web", "v1.0.0").await;
    fleet.push("v1.3.0");
    nothing_moves(&fleet, MINUTES).await;
    assert_eq!(fleet.chosen("shop").as_deref(), Some("v1.0.0"), "v1.3.0 has no tag in Git");
    fleet.tag_git("v1.4.0", 'b');
    let tagged = fleet.now();
    fleet
        .until("it is awaited", |fleet| {
            let said = fleet.release_says("shop");
            said.starts_with("VersionPending: v1.4.0 was tagged in Git")
                && said.contains("its image is not in the repository yet")
        })
        .await;
    assert!(fleet.now().duration_since(tagged).as_secs() < 90);
    fleet.restart().await;
    fleet.pass(Duration::from_mins(25)).await;
    assert!(fleet.release_says("shop").starts_with("VersionPending: v1.4.0 was tagged"));
    fleet.pass(Duration::from_mins(10)).await;
    let said = fleet.release_says("shop");
    assert!(
        said.starts_with(
            "VersionMissing: v1.0.0 stays: the image of v1.4.0 has not come within 30m"
        ),
        "{said}"
    );
    assert_eq!(fleet.image("web"), fleet.pinned("v1.0.0"));
    fleet.push("v1.4.0");
    fleet.until_runs("web", "v1.4.0").await;
    assert_eq!(fleet.release_status("shop").commit, Some("b".repeat(40)));
    fleet.tag_git("v1.4.0", 'c');
    nothing_moves(&fleet, MINUTES).await;
    let told = fleet.told_of_releases();
    let moved = "GitTagMoved: the Git tag v1.4.0 was moved from bbbbbbbbbbbb to cccccccccccc; the \
                 image that was chosen for it stays";
    assert!(told.iter().any(|told| told == moved), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn only_signed_tags_count_where_signatures_are_asked_for() {
    let mut fleet = Fleet::with(options()).await;
    fleet.tag_git("v1.0.0", '5');
    fleet.commit(&[with_git(true), following("web")]).await;
    fleet.until_runs("web", "v1.0.0").await;
    fleet.tag_git("v1.1.0", 'a');
    fleet.push("v1.1.0");
    nothing_moves(&fleet, MINUTES).await;
    assert!(fleet.release_says("shop").contains("it carries no signature"));
    fleet.tag_git("v1.1.1", '5');
    fleet.push("v1.1.1");
    fleet.until_runs("web", "v1.1.1").await;
}

#[tokio::test(start_paused = true)]
async fn a_release_that_is_not_there_or_broken_leaves_the_last_good_spec_in_force() {
    let mut fleet = world().await;
    let image = fleet.image("web");
    fleet.commit(&[with(shop(), "/spec/policy", json!({ "semver": "latest" }))]).await;
    assert!(fleet.invalid()[0].contains("is not a range of versions"), "{:?}", fleet.invalid());
    fleet.push("v1.1.0");
    fleet.until_runs("web", "v1.1.0").await;
    fleet.commit(&[shop()]).await;
    fleet.remove(&["shop"]).await;
    nothing_moves(&fleet, MINUTES).await;
    assert_ne!(fleet.image("web"), image);
    fleet.commit(&[service("new", "${release:nowhere}")]).await;
    fleet
        .until("it is said", |fleet| fleet.object("new").is_some_and(|new| !new.invalid.is_empty()))
        .await;
    let said = fleet.object("new").unwrap().invalid[0].to_string();
    assert!(said.contains("no source has a release of this name"), "{said}");
    fleet.commit(&[shop()]).await;
    fleet.push("v1.2.0");
    fleet.until_runs("web", "v1.2.0").await;
}

#[tokio::test(start_paused = true)]
async fn two_releases_of_one_name_choose_nothing_more() {
    let mut fleet = world().await;
    let twin = serde_json::to_string(&shop()).unwrap();
    fleet.commit_files(&[("twin.json", &twin)]).await;
    fleet.push("v1.1.0");
    nothing_moves(&fleet, MINUTES).await;
    let said = fleet.release_says("shop");
    assert!(said.starts_with("DuplicateSpec: ") && said.contains("twin.json:1"), "{said}");
    fleet.commit_files(&[("twin.json", "")]).await;
    fleet.until_runs("web", "v1.1.0").await;
}

#[tokio::test(start_paused = true)]
async fn an_unchanged_repository_of_thousands_of_tags_is_described_once() {
    let mut fleet = Fleet::with(options()).await;
    for number in 0..90 {
        let tags = (0..100).map(|patch| format!("v0.{number}.{patch}")).collect();
        fleet.push_image("shop/web", FixtureImage { tags, ..FixtureImage::default() });
    }
    let shop = with(shop(), "/spec/interval", json!("10m"));
    fleet.commit(&[shop, following("web")]).await;
    fleet.until_runs("web", "v1.0.0").await;
    let mark = fleet.sandbox.call_count();
    fleet.pass(Duration::from_mins(21)).await;
    let calls = fleet.sandbox.calls_since(mark);
    let count = |operation: &str| calls.iter().filter(|call| call.operation == operation).count();
    assert_eq!(count("ListImages"), 20, "ten pages, twice");
    assert_eq!(count("DescribeImages"), 0, "nothing was pushed");
    let mark = fleet.sandbox.call_count();
    fleet.push("v1.0.1");
    fleet.until_runs("web", "v1.0.1").await;
    fleet.pass(Duration::from_mins(15)).await;
    let calls = fleet.sandbox.calls_since(mark);
    let is_sweep = |call: &&sandbox::CallRecord| {
        call.operation == "DescribeImages" && call.request.get("imageIds").is_none()
    };
    assert_eq!(calls.iter().filter(is_sweep).count(), 1, "once for the push");
}

/// What happens to a repository.
#[derive(Debug, Clone)]
enum Happening {
    Push(u8, u8),
    Delete(u8, u8),
    Restart,
    LoseStore,
    Pass,
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        4 => (0..4_u8, 0..4_u8).prop_map(|(minor, patch)| Happening::Push(minor, patch)),
        2 => (0..4_u8, 0..4_u8).prop_map(|(minor, patch)| Happening::Delete(minor, patch)),
        1 => Just(Happening::Restart),
        1 => Just(Happening::LoseStore),
        2 => Just(Happening::Pass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_to_the_registry_and_the_store_the_version_never_goes_back(
        happenings in prop::collection::vec(happening(), 1..12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(Box::pin(never_goes_back(happenings)));
    }
}

async fn never_goes_back(happenings: Vec<Happening>) {
    let mut fleet = world().await;
    let mut names = std::collections::BTreeMap::from([(fleet.image("web"), (0, 0))]);
    let mut highest = (0, 0);
    let mut there = std::collections::BTreeSet::new();
    for happening in &happenings {
        match happening {
            Happening::Push(minor, patch) => {
                let tag = format!("v1.{minor}.{patch}");
                fleet.push(&tag);
                there.insert(tag.clone());
                names.insert(fleet.pinned(&tag), (*minor, *patch));
            }
            Happening::Delete(minor, patch) => {
                let tag = format!("v1.{minor}.{patch}");
                if there.remove(&tag) {
                    fleet.delete_image(&tag);
                }
            }
            Happening::Restart => fleet.restart().await,
            Happening::LoseStore => {
                fleet.kill().await;
                fleet.lose_state();
                fleet.restart().await;
            }
            Happening::Pass => fleet.pass(MINUTES).await,
        }
        fleet.pass(Duration::from_secs(90)).await;
        let runs = names[&fleet.image("web")];
        assert!(
            runs >= highest,
            "{highest:?} became {runs:?}\n{happenings:?}\n{}",
            fleet.describe()
        );
        highest = runs;
    }
}
