//! Versions that are committed and pushed: to whom, onto what, and what is never lost.

use std::os::unix::fs::PermissionsExt as _;

use crds::{CommitAuthor, CommitSigning, GitPush, GitVerify, OwnerName, ReleaseName};
use planner::release::write_back;

use super::signature::{Keys, run};
use super::*;
use crate::source::{Draft, FileChange, WriteError, Written};

pub(super) const FILE: &str = "deploy/web.yaml";
const PROPOSAL: &str = "longshore/shop";
const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// The repository that hosts keep, and a person with a clone of it.
pub(super) struct Host {
    person: Repository,
    folder: tempfile::TempDir,
    cache: tempfile::TempDir,
}

impl Host {
    pub(super) fn new() -> Self {
        let person = Repository::new();
        person.write(FILE, &text("v1"));
        person.write("other.yaml", "other: 1\n");
        person.commit("first");
        Self::of(person)
    }

    fn of(person: Repository) -> Self {
        let (folder, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let bare = folder.path().join("fleet.git");
        person.git(&["clone", "--quiet", "--bare", ".", bare.to_str().unwrap()]);
        person.git(&["remote", "add", "origin", bare.to_str().unwrap()]);
        Self { person, folder, cache }
    }

    pub(super) fn bare(&self) -> PathBuf {
        self.folder.path().join("fleet.git")
    }

    fn source(&self) -> GitSource {
        source(self.bare().to_str().unwrap())
    }

    pub(super) fn writer(&self, source: &GitSource) -> GitWriter {
        GitWriter::new(source, access(self.cache.path())).unwrap()
    }

    /// Runs git in the bare repository.
    fn git(&self, arguments: &[&str]) -> String {
        let bare = self.bare();
        let git_dir = format!("--git-dir={}", bare.display());
        self.person.git(&[&[git_dir.as_str()], arguments].concat())
    }

    pub(super) fn head(&self, branch: &str) -> String {
        self.git(&["rev-parse", &format!("refs/heads/{branch}")])
    }

    /// What a branch's file holds, byte for byte.
    pub(super) fn text(&self, branch: &str) -> String {
        let output = Command::new("git")
            .arg("--git-dir")
            .arg(self.bare())
            .args(["cat-file", "blob", &format!("refs/heads/{branch}:{FILE}")])
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// The subjects of what a branch has beyond another, the newest first.
    fn beyond(&self, branch: &str, than: &str) -> Vec<String> {
        let log = self.git(&["log", "--format=%s", &format!("{than}..{branch}")]);
        log.lines().map(str::to_owned).collect()
    }

    /// A person commits on top of a branch and pushes.
    fn commits(&self, branch: &str, path: &str, text: &str) -> String {
        self.person.git(&["fetch", "--quiet", "origin"]);
        self.person.git(&["checkout", "--quiet", "--detach", &format!("origin/{branch}")]);
        let commit = self.person.commit_file(path, text);
        self.person.git(&["push", "--quiet", "origin", &format!("HEAD:refs/heads/{branch}")]);
        commit
    }

    /// All branches with their commits.
    pub(super) fn branches(&self) -> String {
        self.git(&["for-each-ref", "--format=%(refname) %(objectname)"])
    }

    /// Just before each of the next pushes to a branch is taken, one of these commits is.
    fn crowd(&self, branch: &str, commits: &[String]) {
        let (list, bare) = (self.folder.path().join("crowd"), self.bare());
        fs::write(&list, commits.join("\n") + "\n").unwrap();
        self.hook(
            "pre-receive",
            &format!(
                "next=$(head -n 1 {list}); [ -n \"$next\" ] || exit 0\nsed -i 1d {list}\n\
                 env -i PATH=\"$PATH\" git --git-dir={bare} update-ref refs/heads/{branch} $next",
                list = list.display(),
                bare = bare.display()
            ),
        );
    }

    fn hook(&self, name: &str, script: &str) {
        let hook = self.bare().join("hooks").join(name);
        fs::create_dir_all(hook.parent().unwrap()).unwrap();
        fs::write(&hook, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(hook, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

/// A file that holds a version, with all that must stay.
pub(super) fn text(version: &str) -> String {
    format!(
        "# managed with care\r\nname:   web \r\n\
         image: 'acme/shop:{version}'   # longshore: release shop\r\n\n\n# the end, without a new line"
    )
}

/// The change that brings a file to a version of a release.
fn change<'a>(
    release: &'a ReleaseName,
    (path, branch): (&'a str, Option<&'a str>),
    tag: &'a str,
) -> FileChange<'a> {
    let owner: OwnerName = "prod".parse().unwrap();
    let version = write_back::Version { release, image: "acme/shop", tag, digest: DIGEST };
    let by = owner.clone();
    let edit = move |text: &str| {
        let edited = write_back::edit(text, &version).map_err(|wrong| wrong.to_string())?;
        Ok(edited.map(|edited| Draft {
            message: write_back::message(&version, &by, path, &edited.changes),
            content: edited.text,
        }))
    };
    FileChange {
        name: release.as_str(),
        path,
        branch,
        edit: Box::new(edit),
        is_ours: Box::new(move |message| write_back::is_ours(message, release, &owner)),
        others: Vec::new(),
    }
}

/// Brings a file to a version of the release `shop`.
pub(super) async fn write_to(
    writer: &mut GitWriter,
    place: (&str, Option<&str>),
    tag: &str,
) -> Result<Written, WriteError> {
    let release = "shop".parse().unwrap();
    writer.write(&change(&release, place, tag)).await
}

pub(super) async fn write(writer: &mut GitWriter, tag: &str) -> Result<Written, WriteError> {
    write_to(writer, (FILE, None), tag).await
}

async fn propose(writer: &mut GitWriter, tag: &str) -> Result<Written, WriteError> {
    write_to(writer, (FILE, Some(PROPOSAL)), tag).await
}

#[tokio::test]
async fn one_commit_changes_the_version_and_nothing_else() {
    let host = Host::new();
    let executable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(host.person.path().join(FILE), executable).unwrap();
    host.person.commit("executable");
    host.person.git(&["push", "--quiet", "origin", "main"]);
    let before = host.head("main");
    let mut writer = host.writer(&host.source());
    let written = write(&mut writer, "v2").await.unwrap();
    let head = host.head("main");
    let expected = Written { branch: "main".to_owned(), commit: Some(head.clone()), is_new: true };
    assert_eq!(written, expected);
    assert_eq!(host.text("main"), text("v2"));
    assert_eq!(host.git(&["rev-list", "--parents", "-1", "main"]), format!("{head} {before}"));
    let changed = host.git(&["diff-tree", "-r", "--no-commit-id", "--name-status", "main"]);
    assert_eq!(changed, format!("M\t{FILE}"));
    assert!(host.git(&["ls-tree", "main", FILE]).starts_with("100755 "));
    let told = host.git(&["log", "-1", "--format=%an <%ae>%n%cn <%ce>%n%s%n%G?", "main"]);
    let who = "Longshore <noreply@longshore.dev>";
    assert_eq!(told, format!("{who}\n{who}\nRelease shop: v2 of acme/shop\nN"));
    let trailers = host.git(&["log", "-1", "--format=%(trailers:only)", "main"]);
    assert_eq!(
        trailers.trim(),
        "Longshore-Owner: prod\nLongshore-Release: shop\nLongshore-Version: v2"
    );
    host.git(&["fsck", "--strict"]);
    // Twice, by the same writer and by one that knows nothing, is no second commit.
    let again = Written { is_new: false, ..expected };
    assert_eq!(write(&mut writer, "v2").await.unwrap(), again);
    assert_eq!(write(&mut host.writer(&host.source()), "v2").await.unwrap(), again);
    assert_eq!(host.head("main"), head);
    // What somebody else has set right is nobody's commit of ours.
    host.commits("main", FILE, &text("v3"));
    assert_eq!(write(&mut writer, "v3").await.unwrap().commit, None);
}

#[tokio::test]
async fn the_source_reads_what_was_written_and_that_is_the_end_of_it() {
    let host = Host::new();
    let mut reading = reading(&host.source());
    reading.reader.fetch().await.unwrap();
    let mut writer = host.writer(&host.source());
    let written = write(&mut writer, "v2").await.unwrap();
    for _ in 0..3 {
        let snapshot = reading.reader.fetch().await.unwrap();
        assert_eq!(Some(snapshot.revision().as_str()), written.commit.as_deref());
        assert_eq!(snapshot.files()[FILE].bytes().as_ref(), text("v2").as_bytes());
        assert!(!write(&mut writer, "v2").await.unwrap().is_new);
    }
}

#[tokio::test]
async fn a_push_that_comes_second_is_made_anew_on_top_of_the_first() {
    let host = Host::new();
    let first = host.head("main");
    host.git(&["update-ref", "refs/heads/aside", &first]);
    let theirs = host.commits("aside", "other.yaml", "other: 2\n");
    let (once, bare) = (host.folder.path().join("once"), host.bare());
    // Just before our push is taken, somebody else's is.
    host.hook(
        "pre-receive",
        &format!(
            "[ -e {once} ] && exit 0\ntouch {once}\n\
             env -i PATH=\"$PATH\" git --git-dir={bare} update-ref refs/heads/main {theirs} {first}",
            once = once.display(),
            bare = bare.display()
        ),
    );
    let (url, server) = serve(host.folder.path().to_owned()).await;
    let token = Some(SecretFrom { env: Some("TOKEN".to_owned()), file: None });
    let push = Some(GitPush { token, ..GitPush::default() });
    let place = GitSource { push, ..source(&format!("{url}fleet.git")) };
    let mut writer = host.writer(&place);
    let written = write(&mut writer, "v2").await.unwrap();
    assert!(once.exists(), "the hook has run");
    assert_eq!(written.commit, Some(host.head("main")));
    assert_eq!(host.git(&["rev-parse", "main^"]), theirs);
    assert_eq!(host.git(&["show", "main:other.yaml"]), "other: 2");
    assert_eq!(host.text("main"), text("v2"));
    server.abort();
}

#[tokio::test]
async fn others_who_are_faster_each_time_lose_nothing_and_are_waited_for() {
    let host = Host::new();
    host.git(&["update-ref", "refs/heads/aside", &host.head("main")]);
    let theirs: Vec<String> = (0..5)
        .map(|number| host.commits("aside", "other.yaml", &format!("other: by ada {number}\n")))
        .collect();
    host.crowd("main", &theirs);
    let mut writer = host.writer(&host.source());
    writer.pause = Duration::from_millis(1);
    let error = write(&mut writer, "v2").await.unwrap_err();
    assert!(matches!(error, WriteError::Crowded { tries: 5, .. }), "{error:?}");
    let told = "cannot push to branch main: others pushed to it each of 5 times";
    assert_eq!(error.to_string(), told);
    assert_eq!(host.head("main"), theirs[4], "what they have pushed is there, and nothing of ours");
    assert_eq!(host.git(&["rev-list", "--count", "main"]), "6");
    // The crowd is gone.
    let commit = write(&mut writer, "v2").await.unwrap().commit.unwrap();
    assert_eq!(
        host.git(&["rev-list", "--parents", "-1", "main"]),
        format!("{commit} {}", theirs[4])
    );
    assert_eq!(
        (host.text("main"), host.git(&["show", "main:other.yaml"])),
        (text("v2"), "other: by ada 4".to_owned())
    );
}

#[tokio::test]
async fn a_proposal_among_a_crowd_is_never_forced_over_it() {
    let host = Host::new();
    let mut writer = host.writer(&host.source());
    writer.pause = Duration::from_millis(1);
    let first = propose(&mut writer, "v2").await.unwrap().commit.unwrap();
    host.git(&["update-ref", "refs/heads/aside", &first]);
    let theirs: Vec<String> = (0..5)
        .map(|number| host.commits("aside", "other.yaml", &format!("other: by ada {number}\n")))
        .collect();
    host.crowd(PROPOSAL, &theirs);
    let error = propose(&mut writer, "v3").await.unwrap_err();
    assert!(matches!(error, WriteError::Crowded { tries: 5, .. }), "{error:?}");
    assert_eq!(host.head(PROPOSAL), theirs[4]);
    propose(&mut writer, "v3").await.unwrap();
    assert_eq!(host.git(&["rev-parse", &format!("{PROPOSAL}^")]), theirs[4]);
    assert_eq!(host.text(PROPOSAL), text("v3"));
}

/// A file that two releases write to.
fn shared(shop: &str, jobs: &str) -> String {
    format!(
        "web: acme/shop:{shop}  # longshore: release shop\n\
         jobs: acme/shop:{jobs}  # longshore: release jobs\n"
    )
}

#[tokio::test]
async fn releases_that_write_to_one_file_at_the_same_time_both_get_there() {
    let person = Repository::new();
    person.write(FILE, &shared("v1", "v1"));
    person.commit("first");
    let host = Host::of(person);
    let (shop, jobs): (ReleaseName, ReleaseName) =
        ("shop".parse().unwrap(), "jobs".parse().unwrap());
    // Two processes: they share no cache, so that nothing but the host stands between them.
    let elsewhere = tempfile::tempdir().unwrap();
    let mut one = host.writer(&host.source());
    let mut other = GitWriter::new(&host.source(), access(elsewhere.path())).unwrap();
    for round in 2..5 {
        let tag = format!("v{round}");
        for branch in [None, Some(PROPOSAL)] {
            let (web, job) =
                (change(&shop, (FILE, branch), &tag), change(&jobs, (FILE, branch), &tag));
            let (web, job) = tokio::join!(one.write(&web), other.write(&job));
            let (web, job) = (web.unwrap(), job.unwrap());
            assert!(web.is_new == branch.is_none() && job.is_new == branch.is_none());
        }
        assert_eq!(host.text("main"), shared(&tag, &tag));
    }
    assert_eq!(host.git(&["rev-list", "--count", "main"]), "7", "a commit each");
    host.git(&["fsck", "--strict"]);
}

#[tokio::test]
async fn releases_that_share_a_proposal_have_a_commit_each_and_move_on_together() {
    let person = Repository::new();
    person.write(FILE, &shared("v1", "v1"));
    person.commit("first");
    let host = Host::of(person);
    let (shop, jobs): (ReleaseName, ReleaseName) =
        ("shop".parse().unwrap(), "jobs".parse().unwrap());
    let place = (FILE, Some(PROPOSAL));
    let beside = |own: (&'static str, &'static str), other: (&'static str, &'static str)| {
        let of = |(name, tag): (&str, &'static str)| {
            change(if name == "shop" { &shop } else { &jobs }, place, tag)
        };
        FileChange { others: vec![of(other)], ..of(own) }
    };
    let subject = |name: &str, tag: &str| format!("Release {name}: {tag} of acme/shop");
    let mut writer = host.writer(&host.source());
    // What is not known of yet is somebody else's, as at a start.
    writer.write(&change(&jobs, place, "v2")).await.unwrap();
    writer.write(&change(&shop, place, "v2")).await.unwrap();
    writer.write(&change(&jobs, place, "v3")).await.unwrap();
    let grown = [subject("jobs", "v3"), subject("shop", "v2"), subject("jobs", "v2")];
    assert_eq!(host.beyond(PROPOSAL, "main"), grown);
    // Known of, both are made anew.
    let written = writer.write(&beside(("shop", "v2"), ("jobs", "v3"))).await.unwrap();
    assert_eq!(host.beyond(PROPOSAL, "main"), [subject("shop", "v2"), subject("jobs", "v3")]);
    assert_eq!((host.text(PROPOSAL), host.text("main")), (shared("v2", "v3"), shared("v1", "v1")));
    assert_eq!((written.commit, written.is_new), (Some(host.head(PROPOSAL)), true));
    let written = writer.write(&beside(("jobs", "v3"), ("shop", "v2"))).await.unwrap();
    let second = host.git(&["rev-parse", &format!("{PROPOSAL}^")]);
    assert_eq!((written.commit, written.is_new), (Some(second), false), "its own commit");
    // One moves on, then what the source reads, in a process that knows nothing.
    writer.write(&beside(("jobs", "v4"), ("shop", "v2"))).await.unwrap();
    assert_eq!(host.beyond(PROPOSAL, "main"), [subject("shop", "v2"), subject("jobs", "v4")]);
    host.commits("main", "other.yaml", "other: 2\n");
    let mut fresh = host.writer(&host.source());
    assert!(fresh.write(&beside(("shop", "v2"), ("jobs", "v4"))).await.unwrap().is_new);
    assert_eq!(host.git(&["rev-parse", &format!("{PROPOSAL}~2")]), host.head("main"));
    assert_eq!(host.text(PROPOSAL), shared("v2", "v4"));
    // A person takes over one of the two versions: the other is left.
    host.commits("main", FILE, &shared("v1", "v4"));
    fresh.write(&beside(("shop", "v2"), ("jobs", "v4"))).await.unwrap();
    assert_eq!(host.beyond(PROPOSAL, "main"), [subject("shop", "v2")]);
    // A person commits to it: nothing of theirs is replaced.
    let theirs = host.commits(PROPOSAL, "other.yaml", "other: by ada\n");
    fresh.write(&beside(("shop", "v3"), ("jobs", "v5"))).await.unwrap();
    fresh.write(&beside(("jobs", "v5"), ("shop", "v3"))).await.unwrap();
    assert_eq!(host.git(&["rev-parse", &format!("{PROPOSAL}~2")]), theirs);
    assert_eq!(host.text(PROPOSAL), shared("v3", "v5"));
}

#[tokio::test]
async fn releases_that_write_to_the_same_place_do_not_fight_over_it() {
    let person = Repository::new();
    person.write("VERSION", "v1\n");
    person.commit("first");
    let host = Host::of(person);
    let (shop, jobs): (ReleaseName, ReleaseName) =
        ("shop".parse().unwrap(), "jobs".parse().unwrap());
    let place = ("VERSION", Some(PROPOSAL));
    let mut writer = host.writer(&host.source());
    let of_shop =
        FileChange { others: vec![change(&jobs, place, "v7")], ..change(&shop, place, "v2") };
    let of_jobs =
        FileChange { others: vec![change(&shop, place, "v2")], ..change(&jobs, place, "v7") };
    writer.write(&of_shop).await.unwrap();
    let before = host.branches();
    for _ in 0..2 {
        let error = writer.write(&of_jobs).await.unwrap_err();
        assert!(matches!(error, WriteError::Misplaced { .. }), "{error:?}");
        assert!(
            error.to_string().ends_with("another release writes its version to the same place")
        );
    }
    assert_eq!(host.branches(), before);
    // Where they agree there is nothing to fight over.
    let of_jobs =
        FileChange { others: vec![change(&shop, place, "v2")], ..change(&jobs, place, "v2") };
    let of_shop =
        FileChange { others: vec![change(&jobs, place, "v2")], ..change(&shop, place, "v2") };
    writer.write(&of_shop).await.unwrap();
    let before = host.branches();
    for change in [&of_jobs, &of_shop] {
        assert!(!writer.write(change).await.unwrap().is_new);
    }
    assert_eq!(host.branches(), before);
}

#[tokio::test]
async fn a_push_whose_answer_is_lost_was_made_once() {
    let host = Host::new();
    let root = host.folder.path().to_owned();
    let lossy = |State(root): State<PathBuf>, mut request: Request| async move {
        let header = "Basic eC1hY2Nlc3MtdG9rZW46dDBrZW4=".parse().unwrap();
        request.headers_mut().insert("authorization", header);
        let is_push = request.method() == "POST" && request.uri().path().ends_with("receive-pack");
        let answer = backend(State(root), request).await;
        if is_push { StatusCode::BAD_GATEWAY.into_response() } else { answer }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/fleet.git", listener.local_addr().unwrap());
    let service = axum::Router::new().fallback(lossy).with_state(root);
    let server = tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    let written = write(&mut host.writer(&source(&url)), "v2").await.unwrap();
    assert_eq!(written.commit, Some(host.head("main")));
    assert_eq!(host.git(&["rev-list", "--count", "main"]), "2");
    server.abort();
}

#[tokio::test]
async fn a_host_that_refuses_is_told_in_its_own_words_and_loses_nothing() {
    let host = Host::new();
    host.hook("pre-receive", "echo 'main is protected: ask ada@acme.io' >&2; exit 1");
    let before = host.head("main");
    let mut writer = host.writer(&host.source());
    let error = write(&mut writer, "v2").await.unwrap_err();
    assert!(matches!(error, WriteError::Refused { .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        "cannot push to branch main: main is protected: ask ada@acme.io; pre-receive hook declined"
    );
    assert_eq!(host.head("main"), before);
    host.hook("pre-receive", "exit 0");
    assert!(write(&mut writer, "v2").await.unwrap().is_new);
}

#[tokio::test]
async fn a_proposal_is_one_commit_on_what_the_source_reads() {
    let host = Host::new();
    let mut writer = host.writer(&host.source());
    let first = propose(&mut writer, "v2").await.unwrap();
    assert_eq!((first.branch.as_str(), first.is_new), (PROPOSAL, true));
    assert_eq!(host.text("main"), text("v1"), "what is read stays");
    assert_eq!(host.text(PROPOSAL), text("v2"));
    assert_eq!(host.beyond(PROPOSAL, "main"), ["Release shop: v2 of acme/shop"]);
    let again = propose(&mut writer, "v2").await.unwrap();
    assert_eq!((again.commit, again.is_new), (first.commit, false), "nothing has changed");
    // A newer version takes the place of the commit.
    propose(&mut writer, "v3").await.unwrap();
    assert_eq!(host.beyond(PROPOSAL, "main"), ["Release shop: v3 of acme/shop"]);
    // The branch that is read goes on: so does the proposal, by a writer that knows nothing.
    for number in 0..3 {
        host.commits("main", "other.yaml", &format!("other: {number}{number}\n"));
    }
    let moved = propose(&mut host.writer(&host.source()), "v3").await.unwrap();
    assert!(moved.is_new);
    assert_eq!(host.git(&["rev-parse", &format!("{PROPOSAL}^")]), host.head("main"));
    assert_eq!(host.beyond(PROPOSAL, "main"), ["Release shop: v3 of acme/shop"]);
    // Merged with a merge commit: nothing is proposed, before the next version.
    host.person.git(&["fetch", "--quiet", "origin"]);
    host.person.git(&["checkout", "--quiet", "--detach", "origin/main"]);
    host.person.git(&["merge", "--quiet", "--no-ff", "-m", "merge", &format!("origin/{PROPOSAL}")]);
    host.person.git(&["push", "--quiet", "origin", "HEAD:refs/heads/main"]);
    let merged = propose(&mut writer, "v3").await.unwrap();
    assert_eq!((merged.branch.as_str(), merged.is_new), ("main", false));
    propose(&mut writer, "v4").await.unwrap();
    assert_eq!(host.beyond(PROPOSAL, "main"), ["Release shop: v4 of acme/shop"]);
}

#[tokio::test]
async fn commits_of_others_on_a_proposal_are_built_on_and_never_replaced() {
    let host = Host::new();
    let mut writer = host.writer(&host.source());
    propose(&mut writer, "v2").await.unwrap();
    let theirs = host.commits(PROPOSAL, "other.yaml", "other: by ada\n");
    host.commits("main", "third.yaml", "third: 3\n");
    let kept = propose(&mut writer, "v2").await.unwrap();
    assert!(!kept.is_new && host.head(PROPOSAL) == theirs, "its file is right");
    propose(&mut writer, "v3").await.unwrap();
    assert_eq!(host.git(&["rev-parse", &format!("{PROPOSAL}^")]), theirs);
    assert_eq!(host.text(PROPOSAL), text("v3"));
    // Once more: now ours is on top of theirs.
    propose(&mut writer, "v4").await.unwrap();
    let subjects = host.beyond(PROPOSAL, "main");
    let ours = |tag: &str| format!("Release shop: {tag} of acme/shop");
    assert_eq!(subjects, [ours("v4"), ours("v3"), "change other.yaml".to_owned(), ours("v2")]);
}

#[tokio::test]
async fn a_commit_of_ours_that_somebody_has_changed_is_theirs() {
    let host = Host::new();
    let mut writer = host.writer(&host.source());
    propose(&mut writer, "v2").await.unwrap();
    host.person.git(&["fetch", "--quiet", "origin"]);
    host.person.git(&["checkout", "--quiet", "--detach", &format!("origin/{PROPOSAL}")]);
    host.person.write("other.yaml", "other: while we are at it\n");
    host.person.git(&["commit", "--quiet", "--all", "--amend", "--no-edit"]);
    host.person.git(&[
        "push",
        "--quiet",
        "--force",
        "origin",
        &format!("HEAD:refs/heads/{PROPOSAL}"),
    ]);
    let theirs = host.head(PROPOSAL);
    propose(&mut writer, "v3").await.unwrap();
    assert_eq!(host.git(&["rev-parse", &format!("{PROPOSAL}^")]), theirs);
    // A branch that is there and has nothing of anybody's is taken.
    host.git(&["update-ref", "refs/heads/longshore/fresh", &host.head("main")]);
    host.commits("main", "other.yaml", "other: 9\n");
    let place = (FILE, Some("longshore/fresh"));
    assert!(write_to(&mut writer, place, "v2").await.unwrap().is_new);
    assert_eq!(host.beyond("longshore/fresh", "main"), ["Release shop: v2 of acme/shop"]);
}

#[tokio::test]
async fn a_proposal_that_somebody_pushes_to_at_the_same_time_is_not_replaced() {
    let host = Host::new();
    let mut writer = host.writer(&host.source());
    let first = propose(&mut writer, "v2").await.unwrap().commit.unwrap();
    host.person.git(&["fetch", "--quiet", "origin"]);
    host.person.git(&["checkout", "--quiet", "--detach", &first]);
    let theirs = host.person.commit_file("other.yaml", "other: just now\n");
    host.person.git(&["push", "--quiet", "origin", "HEAD:refs/heads/aside"]);
    let (once, bare) = (host.folder.path().join("once"), host.bare());
    host.hook(
        "pre-receive",
        &format!(
            "[ -e {once} ] && exit 0\ntouch {once}\n\
             env -i PATH=\"$PATH\" git --git-dir={bare} update-ref refs/heads/{PROPOSAL} {theirs} {first}",
            once = once.display(),
            bare = bare.display()
        ),
    );
    propose(&mut writer, "v3").await.unwrap();
    assert!(once.exists(), "the hook has run");
    assert_eq!(host.git(&["rev-parse", &format!("{PROPOSAL}^")]), theirs);
    assert_eq!(host.text(PROPOSAL), text("v3"));
}

#[tokio::test]
async fn commits_are_signed_by_an_ssh_key_and_the_source_takes_them() {
    let (host, keys) = (Host::new(), Keys::new());
    keys.sign(&host.person, "ada", &["commit", "--quiet", "--allow-empty", "-S", "-m", "signed"]);
    host.person.git(&["push", "--quiet", "origin", "main"]);
    let verify = Some(GitVerify {
        allowed_signers_file: Some(keys.file("allowed")),
        ..GitVerify::default()
    });
    let unsigned = GitSource { verify, ..host.source() };
    let error = write(&mut host.writer(&unsigned), "v2").await.unwrap_err();
    assert!(matches!(error, WriteError::Impossible { .. }), "{error:?}");
    assert!(error.to_string().contains("`push.sign` names no key"), "{error}");
    let ssh_key_file = Some(keys.file("ada"));
    let sign = Some(CommitSigning { ssh_key_file, ..CommitSigning::default() });
    let name = Some("Ada's Longshore".to_owned());
    let author = Some(CommitAuthor { name, email: Some("ada@acme.io".to_owned()) });
    let push = Some(GitPush { sign, author, ..GitPush::default() });
    let signed = GitSource { push, ..unsigned };
    let mut writer = host.writer(&signed);
    let commit = write(&mut writer, "v2").await.unwrap().commit.unwrap();
    let allowed = format!("gpg.ssh.allowedSignersFile={}", keys.file("allowed"));
    host.git(&["-c", &allowed, "verify-commit", &commit]);
    let told = host.git(&["-c", &allowed, "log", "-1", "--format=%G? %GS %an", &commit]);
    assert_eq!(told, "G ada@acme.io Ada's Longshore");
    let mut reading = reading(&signed);
    assert_eq!(reading.reader.fetch().await.unwrap().revision().as_str(), commit);
    // Our signature must not vouch for what somebody else has pushed.
    let foreign = host.commits("main", "other.yaml", "other: mallory's\n");
    let error = write(&mut writer, "v3").await.unwrap_err();
    assert!(matches!(error, WriteError::Source(SourceError::Untrusted { .. })), "{error:?}");
    assert_eq!(host.head("main"), foreign);
}

#[tokio::test]
async fn commits_are_signed_by_an_openpgp_key() {
    let (host, keys) = (Host::new(), Keys::new());
    let home = tempfile::Builder::new().prefix("gpg").tempdir().unwrap();
    let home = home.path().to_str().unwrap();
    let gpg = |arguments: &[&str]| {
        let plain = ["--homedir", home, "--batch", "--quiet", "--passphrase", ""];
        run("gpg", &[&plain, arguments].concat());
    };
    gpg(&["--quick-gen-key", "noreply@longshore.dev", "ed25519", "sign", "never"]);
    gpg(&["--armor", "--output", &keys.file("secret"), "--export-secret-keys"]);
    gpg(&["--armor", "--output", &keys.file("public"), "--export"]);
    let sign = |file: &str| {
        let gpg_key_file = Some(keys.file(file));
        let sign = Some(CommitSigning { gpg_key_file, ..CommitSigning::default() });
        GitSource { push: Some(GitPush { sign, ..GitPush::default() }), ..host.source() }
    };
    let commit = write(&mut host.writer(&sign("secret")), "v2").await.unwrap().commit.unwrap();
    let gpg_keys_file = Some(keys.file("public"));
    let verify = Some(GitVerify { gpg_keys_file, ..GitVerify::default() });
    let mut reading = reading(&GitSource { verify, ..host.source() });
    assert_eq!(reading.reader.fetch().await.unwrap().revision().as_str(), commit);
    for (file, why) in [("public", "it holds no secret OpenPGP key"), ("ada", "gpg says")] {
        let error = write(&mut host.writer(&sign(file)), "v3").await.unwrap_err().to_string();
        assert!(
            error.starts_with("cannot read the signing key of ") && error.contains(why),
            "{error}"
        );
    }
    let error = write(&mut host.writer(&sign("absent")), "v3").await.unwrap_err().to_string();
    assert!(error.contains("cannot read the signing key of "), "{error}");
    assert_eq!(host.head("main"), commit);
    run("gpgconf", &["--homedir", home, "--kill", "all"]);
}

#[tokio::test]
async fn what_has_no_place_for_the_version_is_named() {
    let person = Repository::new();
    person.write(FILE, &text("v1"));
    person.write("plain.yaml", "image: acme/shop:v1\n");
    person.write("lfs.yaml", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n");
    person.write("big.yaml", &"# x\n".repeat(300_000));
    fs::write(person.path().join("latin.yaml"), b"tag: v1 # longshore: release shop tag \xe9")
        .unwrap();
    std::os::unix::fs::symlink("plain.yaml", person.path().join("link.yaml")).unwrap();
    person.commit("first");
    let host = Host::of(person);
    let mut writer = host.writer(&host.source());
    for (path, why) in [
        ("absent.yaml", "there is no such file"),
        ("deploy", "it is no plain file"),
        ("deploy/web.yaml/x", "there is no such file"),
        ("link.yaml", "it is no plain file"),
        ("lfs.yaml", "its content is in Git LFS"),
        ("big.yaml", "it holds more bytes than a spec may"),
        ("latin.yaml", "it is not UTF-8"),
        ("plain.yaml", "no line ends in `# longshore: release shop`"),
    ] {
        let error = write_to(&mut writer, (path, None), "v2").await.unwrap_err();
        assert!(matches!(error, WriteError::Misplaced { .. }), "{path}: {error:?}");
        let told = format!("cannot change {path} on branch main: {why}");
        assert!(error.to_string().starts_with(&told), "{error}");
    }
    assert_eq!(host.git(&["rev-list", "--count", "main"]), "1");
}

#[test]
fn only_a_source_that_is_read_at_a_branch_is_written_to() {
    let cache = tempfile::tempdir().unwrap();
    let reference =
        |reference: GitRef| GitSource { reference: Some(reference), ..source("/srv/fleet.git") };
    let text = |text: &str| Some(text.to_owned());
    for (place, told) in [
        (
            GitRef { tag: text("v1"), ..GitRef::default() },
            "it is read at tag v1, which is no branch",
        ),
        (GitRef { semver: text(">=1"), ..GitRef::default() }, "it is read at the newest tag in"),
        (
            GitRef { commit: text(&"a".repeat(40)), ..GitRef::default() },
            "it is read at commit aaaa",
        ),
    ] {
        let error = GitWriter::new(&reference(place), access(cache.path())).unwrap_err();
        assert!(error.to_string().contains(told), "{error}");
    }
    let push = GitPush { sign: Some(CommitSigning::default()), ..GitPush::default() };
    let unusable = GitSource { push: Some(push), ..source("/srv/fleet.git") };
    let error = GitReader::new(&unusable, access(cache.path())).unwrap_err();
    assert!(
        error.to_string().contains("push.sign names no key, or two"),
        "it is told at the start: {error}"
    );
}

#[tokio::test]
async fn ten_thousand_files_and_a_long_history_are_no_obstacle() {
    let person = Repository::new();
    person.write(FILE, &text("v1"));
    for index in 0..10_000 {
        person.write(&format!("team-{}/{index}.yaml", index % 100), &format!("name: {index}\n"));
    }
    person.commit("ten thousand services");
    for number in 0..5 {
        person.commit(&format!("commit {number}"));
    }
    let host = Host::of(person);
    let before = host.git(&["ls-tree", "-r", "main"]);
    let mut writer = host.writer(&host.source());
    let started = tokio::time::Instant::now();
    write(&mut writer, "v2").await.unwrap();
    let cold = started.elapsed();
    let started = tokio::time::Instant::now();
    write(&mut writer, "v3").await.unwrap();
    println!("10,000 files: {cold:?} cold, {:?} warm", started.elapsed());
    let changed = host.git(&["diff-tree", "-r", "--no-commit-id", "--name-only", "main~2", "main"]);
    assert_eq!(changed, FILE);
    assert_eq!(host.git(&["ls-tree", "-r", "main~2"]), before);
    assert_eq!(host.git(&["rev-list", "--count", "main"]), "8");
    host.git(&["fsck", "--strict"]);
}

#[tokio::test]
async fn a_damaged_cache_is_made_anew() {
    let host = Host::new();
    let mut writer = host.writer(&host.source());
    let commit = write(&mut writer, "v2").await.unwrap().commit.unwrap();
    let git_dir = writer.reader.cache.git_dir(&commit);
    fs::remove_dir_all(git_dir.join("objects")).unwrap();
    fs::create_dir_all(git_dir.join("objects")).unwrap();
    fs::write(git_dir.join("shallow"), "nonsense\n").unwrap();
    fs::write(git_dir.join("longshore-index.lock"), "").unwrap();
    let first = write(&mut writer, "v3").await;
    let second = write(&mut writer, "v3").await.unwrap();
    assert!(first.is_err() && second.is_new, "{first:?}");
    assert_eq!(host.text("main"), text("v3"));
}
