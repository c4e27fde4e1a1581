//! Versions that are pushed to a real Git repository, over ssh or on this machine: who may, and what the host holds then.

mod sshd;

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crds::{ConditionStatus, GitPush, GitSource, Reason};
use longshore_tests::specs::{release, with};
use longshore_tests::{Fleet, FleetOptions};
use serde_json::{Value, json};
use tempfile::TempDir;

use self::sshd::Sshd;

const FIXTURES: &str = "
clusters: [{name: shop}]
latency: 8ms
repositories: [{name: shop/web, images: [{tags: [v1.0.0]}]}]
";

/// The repository that a host keeps.
struct Host(TempDir);

impl Host {
    /// One commit, whose file names this version for two releases.
    fn with(version: &str) -> Self {
        let host = Self(TempDir::new().unwrap());
        let work = host.0.path().join("work");
        std::fs::create_dir(&work).unwrap();
        std::fs::write(work.join("web.yaml"), text(version, version)).unwrap();
        let folder = work.to_str().unwrap();
        git(&["init", "--quiet", "--initial-branch=main", folder]);
        git(&["-C", folder, "add", "--all"]);
        git(&["-C", folder, "commit", "--quiet", "--message", "first"]);
        git(&["clone", "--quiet", "--bare", folder, host.bare().to_str().unwrap()]);
        host
    }

    fn bare(&self) -> PathBuf {
        self.0.path().join("fleet.git")
    }

    fn git(&self, arguments: &[&str]) -> String {
        git(&[&["-C", self.bare().to_str().unwrap()], arguments].concat())
    }

    /// All branches with their commits.
    fn branches(&self) -> String {
        self.git(&["for-each-ref", "--format=%(refname) %(objectname)"])
    }

    fn text(&self, branch: &str) -> String {
        self.git(&["show", &format!("{branch}:web.yaml")])
    }
}

fn text(shop: &str, jobs: &str) -> String {
    let image = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/web";
    format!(
        "web: {image}:{shop}  # longshore: release shop\n\
         jobs: {image}:{jobs}  # longshore: release jobs\n# the end"
    )
}

fn git(arguments: &[&str]) -> String {
    let done = Command::new("git")
        .args(["-c", "user.name=Ada", "-c", "user.email=ada@acme.io", "-c", "commit.gpgsign=false"])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap();
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

/// A release that writes its version to the file, on a branch for a pull request if one is named.
fn writing(name: &str, range: &str, branch: Option<&str>) -> Value {
    let write_back = match branch {
        Some(branch) => json!({ "path": "web.yaml", "branch": branch }),
        None => json!({ "path": "web.yaml" }),
    };
    with(release(name, range), "/spec/writeBack", write_back)
}

/// A fleet whose releases write to this repository.
async fn writing_to(source: GitSource) -> Fleet {
    let (fixtures, host) = (FIXTURES.to_owned(), Some(source));
    Fleet::with(FleetOptions { fixtures, host, ..FleetOptions::default() }).await
}

/// The host's repository over ssh, with this key.
fn over_ssh(host: &Host, sshd: &Sshd, key: &str) -> GitSource {
    let (url, ssh) = (sshd.url(&host.bare()), Some(sshd.access(key)));
    GitSource { url, ssh, ..GitSource::default() }
}

#[tokio::test(start_paused = true)]
async fn a_version_is_pushed_over_ssh_by_the_key_that_may_write() {
    let host = Host::with("v0.9.0");
    let bare = host.bare();
    let read = format!("restrict,command=\"git-upload-pack '{}'\"", bare.display());
    let sshd = Sshd::start(&[("reads", &read), ("writes", "restrict")]);
    let push = GitPush { ssh: Some(sshd.access("writes")), ..GitPush::default() };
    let source = GitSource { push: Some(push), ..over_ssh(&host, &sshd, "reads") };
    let mut fleet = writing_to(source).await;
    fleet.commit(&[writing("shop", ">=1.0.0 <2.0.0", None)]).await;
    fleet.until_written_back("shop", Reason::VersionWritten).await;
    assert_eq!(host.text("main"), text("v1.0.0", "v0.9.0"));
    let written = fleet.release_status("shop").written.unwrap();
    assert_eq!(written.commit, Some(host.git(&["rev-parse", "main"])));
    let subjects = host.git(&["log", "--format=%s", "main"]);
    assert_eq!(subjects, "Release shop: v1.0.0 of shop/web\nfirst");
    fleet.pass(Duration::from_mins(30)).await;
    assert_eq!(host.git(&["rev-list", "--count", "main"]), "2", "once");
}

#[tokio::test(start_paused = true)]
async fn a_host_that_shows_another_key_gets_no_commit() {
    let host = Host::with("v0.9.0");
    let sshd = Sshd::start(&[("writes", "restrict")]);
    // Whoever answers the listing and the fetch is the host, and whoever is pushed to is not.
    sshd.shows_another_key_from(3);
    let before = host.branches();
    let mut fleet = writing_to(over_ssh(&host, &sshd, "writes")).await;
    fleet.commit(&[writing("shop", ">=1.0.0 <2.0.0", None)]).await;
    fleet.until_written_back("shop", Reason::WriteBackFailed).await;
    let said = fleet.written_back("shop");
    assert_eq!(said.status, ConditionStatus::False);
    assert!(said.message.starts_with("cannot push to ssh://127.0.0.1:"), "{}", said.message);
    assert!(said.message.contains(&sshd.other_fingerprint()), "{}", said.message);
    assert!(said.message.contains("is not the one in the known hosts file"), "{}", said.message);
    assert_eq!(host.branches(), before);
    assert_eq!(fleet.chosen("shop").as_deref(), Some("v1.0.0"), "the version itself is in force");
    sshd.shows_its_own_key();
    fleet.until_written_back("shop", Reason::VersionWritten).await;
    assert_eq!(host.text("main"), text("v1.0.0", "v0.9.0"));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_may_only_read_is_told_and_what_to_do_about_it() {
    let host = Host::with("v0.9.0");
    let bound = format!("restrict,command=\"git-upload-pack '{}'\"", host.bare().display());
    let sshd = Sshd::start(&[("reads", &bound)]);
    let before = host.branches();
    let mut fleet = writing_to(over_ssh(&host, &sshd, "reads")).await;
    fleet.commit(&[writing("shop", ">=1.0.0 <2.0.0", None)]).await;
    let told = |fleet: &Fleet, what: &str| {
        let object = fleet.statuses.release(&"shop".parse().unwrap());
        let said = object.and_then(|object| object.written_back().cloned());
        said.is_some_and(|said| {
            said.reason == Reason::WriteBackRefused && said.message.contains(what)
        })
    };
    let remedy =
        "the key may read the repository and not write to it: give `push.ssh` a key that may";
    fleet.until("it is told", |fleet| told(fleet, remedy)).await;
    // A host that looks at what is asked for, and has words of its own.
    sshd.admit(
        "reads",
        "restrict,command=\"case \\\"$SSH_ORIGINAL_COMMAND\\\" in git-upload-pack*) exec git shell -c \
         \\\"$SSH_ORIGINAL_COMMAND\\\";; esac; echo 'fleet is frozen: ask ada@acme.io' >&2; exit 1\"",
    );
    let words = "cannot push to branch main: fleet is frozen: ask ada@acme.io";
    fleet.until("its words are told", |fleet| told(fleet, words)).await;
    assert_eq!(host.branches(), before);
    sshd.admit("reads", "restrict");
    fleet.until_written_back("shop", Reason::VersionWritten).await;
    assert_eq!(host.text("main"), text("v1.0.0", "v0.9.0"));
}

#[tokio::test(start_paused = true)]
async fn releases_that_share_a_branch_for_a_pull_request_both_stand_on_it() {
    const BRANCH: &str = "longshore/versions";
    let host = Host::with("v0.9.0");
    let url = host.bare().display().to_string();
    let mut fleet = writing_to(GitSource { url, ..GitSource::default() }).await;
    let (shop, jobs) = (
        writing("shop", ">=1.0.0 <2.0.0", Some(BRANCH)),
        writing("jobs", ">=1.0.0 <1.1.0", Some(BRANCH)),
    );
    fleet.commit(&[shop, jobs]).await;
    let written = |fleet: &Fleet, name: &str| fleet.release_status(name).written.unwrap().commit;
    for (tag, shop, jobs) in [
        ("v1.0.0", "v1.0.0", "v1.0.0"),
        ("v1.0.7", "v1.0.7", "v1.0.7"),
        ("v1.2.0", "v1.2.0", "v1.0.7"),
    ] {
        if tag != "v1.0.0" {
            fleet.push(tag);
        }
        let both = text(shop, jobs);
        fleet
            .until("both are chosen", |fleet| {
                fleet.chosen("shop").as_deref() == Some(shop)
                    && fleet.chosen("jobs").as_deref() == Some(jobs)
            })
            .await;
        fleet.pass(Duration::from_mins(5)).await;
        assert_eq!((host.text(BRANCH), host.text("main")), (both, text("v0.9.0", "v0.9.0")));
        let subjects = host.git(&["log", "--format=%s", &format!("main..{BRANCH}")]);
        let expected =
            format!("Release shop: {shop} of shop/web\nRelease jobs: {jobs} of shop/web");
        assert_eq!(subjects, expected);
        for (name, at) in [("shop", BRANCH.to_owned()), ("jobs", format!("{BRANCH}^"))] {
            assert_eq!(fleet.written_back(name).reason, Reason::VersionWritten);
            assert_eq!(written(&fleet, name), Some(host.git(&["rev-parse", &at])), "{name}");
        }
    }
}
