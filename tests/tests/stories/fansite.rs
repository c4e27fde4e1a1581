//! `examples/fansite`, its own files: from a tag in the application's repository, a real one, to what fans get.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use controller::config::Config;
use controller::webhooks::Webhooks;
use crds::{SecretFrom, WebhookProvider};
use longshore_tests::fuzz::hmac;
use longshore_tests::{Fleet, FleetOptions, Keep};
use sandbox::FixtureImage;
use serde_json::{Value, json};
use tempfile::TempDir;

const SERVICES: [&str; 2] = ["web", "worker"];
const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:fansite/aurora-AbCdEf";
/// How long after it was told of something the operator has sent what follows from it.
const SOON: Duration = Duration::from_secs(3);

/// The site, with everything around it.
struct Site {
    fleet: Fleet,
    config: Config,
    application: TempDir,
}

fn example(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("examples/fansite").join(file)
}

fn git(folder: &Path, words: &[&str]) -> String {
    let done = Command::new("git")
        .args(["-c", "user.name=Ada", "-c", "user.email=ada@acme.io", "-c", "gc.auto=0"])
        .args(["-c", "commit.gpgsign=false", "-c", "tag.gpgsign=false"])
        .args(words)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

impl Site {
    /// The site runs v2.0.8, and all is quiet.
    async fn open() -> Self {
        Self::open_in(&std::fs::read_to_string(example("sandbox.yaml")).unwrap()).await
    }

    async fn open_in(fixtures: &str) -> Self {
        let application = TempDir::new().unwrap();
        git(application.path(), &["init", "--quiet", "--initial-branch=main", "."]);
        let config = Config::read(&example("controller.yaml")).unwrap();
        let options = FleetOptions {
            fixtures: fixtures.to_owned(),
            policy: config.sources[0].policy.clone(),
            owner: config.owner.to_string(),
            interval: config.interval,
            events: config.events.clone().map(|queue| queue.url),
            keep: Keep::Directory,
            cluster: "fansite",
            application: Some(application.path().to_owned()),
            ..FleetOptions::default()
        };
        let fleet = Fleet::with(options).await;
        let mut site = Self { fleet, config, application };
        site.tag_unheard("v2.0.8");
        for file in ["release.yaml", "web.yaml", "worker.yaml"] {
            let text = std::fs::read_to_string(example("services").join(file)).unwrap();
            site.fleet.commit_files(&[(file, &text)]).await;
        }
        site.until_run("v2.0.8").await;
        for name in SERVICES {
            let has_seen = |fleet: &Fleet| fleet.tag(name, "longshore.dev/secrets").is_some();
            site.fleet.until("its secret is seen", has_seen).await;
        }
        site.fleet.pass(Duration::from_mins(5)).await;
        site
    }

    /// A developer pushes a tag.
    fn tag_unheard(&self, tag: &str) {
        let folder = self.application.path();
        git(folder, &["commit", "--quiet", "--allow-empty", "--message", tag]);
        git(folder, &["tag", "--annotate", "--message", tag, tag]);
    }

    /// A developer pushes a tag, and the host of the repository calls the webhook.
    fn tag(&self, tag: &str) {
        self.tag_unheard(tag);
        let triggers = self.fleet.triggers().clone();
        let read = |_: &SecretFrom| Ok("s3cret".to_owned());
        let webhooks = Webhooks::new(&self.config.webhooks, triggers, read).unwrap();
        let body = json!({
            "ref": format!("refs/tags/{tag}"), "repository": { "full_name": "acme/fansite" },
        });
        let body = body.to_string();
        let signature = hex::encode(hmac(b"s3cret", body.as_bytes()));
        let mut headers = http::HeaderMap::new();
        headers.insert("x-github-event", "push".parse().unwrap());
        headers.insert("x-github-delivery", tag.parse().unwrap());
        headers.insert("x-hub-signature-256", format!("sha256={signature}").parse().unwrap());
        let caller = webhooks.admit(WebhookProvider::Github, "fleet").unwrap();
        caller.receive(&headers, body.as_bytes(), self.fleet.now()).unwrap();
    }

    /// CI pushes the image of a tag.
    fn push(&self, tag: &str) {
        let image = FixtureImage { tags: vec![tag.to_owned()], ..FixtureImage::default() };
        self.fleet.push_image("fansite", image);
    }

    fn pinned(&self, tag: &str) -> String {
        self.fleet.pinned_of("fansite", tag)
    }

    /// Waits until all of the site runs a version, by its digest and with its tag for people.
    async fn until_run(&self, tag: &str) {
        let wanted = self.pinned(tag);
        let runs = |fleet: &Fleet, name: &str| {
            fleet.is_ready(name)
                && fleet.living(name).is_some()
                && fleet.image(name) == wanted
                && fleet.tag(name, "longshore.dev/version.fansite").as_deref() == Some(tag)
        };
        let all = |fleet: &Fleet| SERVICES.iter().all(|name| runs(fleet, name));
        self.fleet.until(&format!("all run {tag}"), all).await;
    }

    /// Nothing is changed at AWS for so long.
    async fn nothing_moves(&self, time: Duration) {
        let mark = self.fleet.sandbox.call_count();
        self.fleet.pass(time).await;
        assert_eq!(self.fleet.changes_since(mark), [""; 0], "{}", self.fleet.describe());
    }

    fn rollouts(&self) -> [usize; 2] {
        SERVICES.map(|name| self.fleet.rollouts(name).len())
    }

    /// Fans come: CloudWatch finds the CPU too high.
    fn surge(&self) {
        let prefix = json!({ "AlarmNamePrefix": "TargetTracking-service/fansite/web-AlarmHigh-" });
        let alarms = self.fleet.console_of("monitoring", "DescribeAlarms", prefix);
        let name = &alarms["MetricAlarms"][0]["AlarmName"];
        for state in ["OK", "ALARM"] {
            let input = json!({ "AlarmName": name, "StateValue": state, "StateReason": "fans" });
            self.fleet.console_of("monitoring", "SetAlarmState", input);
        }
    }

    fn desired(&self) -> i64 {
        self.fleet.service("web").unwrap().desired
    }

    /// What a rotation function does: a new version is tried out first, and becomes the current one then.
    async fn rotate(&self, version: &str) {
        let described = self.fleet.console_of(
            "secretsmanager",
            "DescribeSecret",
            json!({ "SecretId": SECRET }),
        );
        let stages = described["VersionIdsToStages"].as_object().unwrap();
        let is_current = |stages: &Value| stages.as_array().unwrap().contains(&json!("AWSCURRENT"));
        let current = stages.iter().find(|(_, stages)| is_current(stages)).unwrap().0.clone();
        let put = json!({
            "SecretId": SECRET, "SecretString": version, "ClientRequestToken": version,
            "VersionStages": ["AWSPENDING"],
        });
        self.fleet.console_of("secretsmanager", "PutSecretValue", put);
        self.fleet.pass(Duration::from_mins(2)).await;
        let finish = json!({
            "SecretId": SECRET, "VersionStage": "AWSCURRENT", "MoveToVersionId": version,
            "RemoveFromVersionId": current,
        });
        self.fleet.console_of("secretsmanager", "UpdateSecretVersionStage", finish);
    }
}

#[tokio::test(start_paused = true)]
async fn a_tag_is_awaited_as_an_image_and_becomes_what_all_of_the_site_runs() {
    let site = Site::open().await;
    let fleet = &site.fleet;
    let mark = fleet.sandbox.call_count();
    site.tag("v2.1.0");
    let awaited = "VersionPending: v2.1.0 was tagged in Git, noticed at ";
    let is_awaited = |fleet: &Fleet| fleet.release_says("fansite").starts_with(awaited);
    let took = fleet.takes("it is awaited", is_awaited).await;
    assert!(took < Duration::from_secs(2), "{took:?}");
    fleet.pass(Duration::from_mins(4)).await;
    let said = fleet.release_says("fansite");
    assert!(said.contains("and its image is not in the repository yet"), "{said}");
    assert_eq!(fleet.changes_since(mark), [""; 0]);

    site.push("v2.1.0");
    let pinned = site.pinned("v2.1.0");
    let all_sent = |fleet: &Fleet| SERVICES.iter().all(|name| fleet.image(name) == pinned);
    let took = fleet.takes("it is sent", all_sent).await;
    assert!(took <= SOON, "{took:?}");
    site.until_run("v2.1.0").await;
    site.nothing_moves(Duration::from_mins(30)).await;
    for name in SERVICES {
        assert_eq!(fleet.rollouts(name), ["SUCCESSFUL", "SUCCESSFUL"], "{name}");
        assert_eq!(fleet.status(name).images[0].tag.as_deref(), Some("v2.1.0"), "{name}");
    }
    let commit = git(site.application.path(), &["rev-parse", "v2.1.0^{commit}"]);
    assert_eq!(fleet.release_status("fansite").commit, Some(commit));
}

#[tokio::test(start_paused = true)]
async fn candidates_older_versions_and_other_majors_change_nothing() {
    let site = Site::open().await;
    for tag in ["v2.2.0-rc.1", "v2.0.7", "v3.0.0", "v2.9", "nightly"] {
        site.tag(tag);
        site.push(tag);
    }
    // Pushed, and never tagged.
    site.push("v2.9.9");
    site.nothing_moves(Duration::from_mins(30)).await;
    assert_eq!(site.fleet.chosen("fansite").as_deref(), Some("v2.0.8"));
    assert_eq!(site.rollouts(), [1, 1]);
}

#[tokio::test(start_paused = true)]
async fn what_comes_late_never_takes_the_site_back() {
    let mut site = Site::open().await;
    site.tag("v2.1.0");
    site.tag("v2.2.0");
    site.push("v2.2.0");
    site.until_run("v2.2.0").await;
    // The build of the older version was slow, and an old branch gets a tag.
    site.push("v2.1.0");
    site.tag("v2.0.9");
    site.push("v2.0.9");
    site.nothing_moves(Duration::from_mins(30)).await;
    site.fleet.restart().await;
    site.nothing_moves(Duration::from_mins(10)).await;
    site.fleet.kill().await;
    site.fleet.lose_state();
    site.fleet.restart().await;
    site.nothing_moves(Duration::from_mins(10)).await;
    // Not even a registry that has lost the version that runs brings another one back.
    let lost = json!({ "repositoryName": "fansite", "imageIds": [{ "imageTag": "v2.2.0" }] });
    let pinned = site.pinned("v2.2.0");
    site.fleet.console_of("ecr", "BatchDeleteImage", lost);
    site.fleet.restart().await;
    site.nothing_moves(Duration::from_mins(10)).await;
    assert_eq!(SERVICES.map(|name| site.fleet.image(name)), [pinned.clone(), pinned]);
    site.tag("v2.2.1");
    site.push("v2.2.1");
    site.until_run("v2.2.1").await;
    assert_eq!(site.rollouts(), [3, 3]);
}

#[tokio::test(start_paused = true)]
async fn a_surge_in_the_middle_of_a_rollout_keeps_the_tasks_that_it_brings() {
    // Images that take long to pull: the rollout is longer than the cooldown of scaling.
    let fixtures = std::fs::read_to_string(example("sandbox.yaml")).unwrap();
    let site = Site::open_in(&fixtures.replace("pull: 3s", "pull: 2m")).await;
    let fleet = &site.fleet;
    let mark = fleet.sandbox.call_count();
    site.surge();
    assert_eq!(site.desired(), 4);
    fleet.until("a fourth task runs", |fleet| fleet.service("web").unwrap().running == 4).await;
    fleet.pass(Duration::from_mins(1)).await;
    site.tag("v2.1.0");
    site.push("v2.1.0");
    let pinned = site.pinned("v2.1.0");
    fleet.until("it rolls", |fleet| fleet.image("web") == pinned).await;
    fleet.pass(Duration::from_mins(1)).await;
    assert!(!fleet.is_ready("web"), "it is in the middle");
    site.surge();
    let most = site.desired();
    assert!(most > 4, "more fans come");
    while !fleet.is_ready("web") {
        assert_eq!(site.desired(), most);
        fleet.pass(Duration::from_secs(1)).await;
    }
    site.until_run("v2.1.0").await;
    fleet.pass(Duration::from_mins(30)).await;
    let web = fleet.service("web").unwrap();
    assert_eq!((web.desired, web.running), (most, most));
    assert_eq!(site.rollouts(), [2, 2]);
    let updates = fleet.calls_that_change(mark).into_iter();
    let counts = updates.filter(|call| !call.request["desiredCount"].is_null()).count();
    assert_eq!(counts, 0, "the number of tasks is scaling's");
    let said = fleet.status("web").scaling.unwrap();
    assert_eq!((said.min, said.max, said.current), (3, 60, most));
    assert!(said.activities[0].cause.contains("triggered policy cpu"), "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn a_rotated_secret_replaces_the_tasks_exactly_once() {
    let mut site = Site::open().await;
    let before = site.fleet.service("web").unwrap().task_definition;
    site.rotate("5e7f0a52-9c1b-4f5e-8d0e-3b6c1f2a9d47").await;
    assert_eq!(site.rollouts(), [1, 1], "a version that is tried out is nobody's yet");
    site.fleet.until("they are replaced", |fleet| fleet.rollouts("web").len() == 2).await;
    // In the middle of it the operator is replaced as well.
    site.fleet.restart().await;
    site.until_run("v2.0.8").await;
    site.fleet.until("both", |fleet| fleet.rollouts("worker").len() == 2).await;
    site.fleet.pass(Duration::from_hours(1)).await;
    for name in SERVICES {
        assert_eq!(site.fleet.rollouts(name), ["SUCCESSFUL", "SUCCESSFUL"], "{name}");
    }
    assert_eq!(site.fleet.service("web").unwrap().task_definition, before, "nothing else changes");
    assert_eq!(site.fleet.sandbox.look(site.fleet.now(), sandbox::Region::secret_value_reads), 0);
    site.nothing_moves(Duration::from_mins(30)).await;
}
