//! Real repositories: branches, tags, rewrites, damaged caches.

use std::fs;
use std::process::Command;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};

mod app;
mod bounds;
mod history;
mod push;
mod signature;
mod ssh;

use super::*;
use crate::source::{Refusal, Retry, Variables};
use crds::GitRef;

/// A repository with a work tree, as a person would have it.
struct Repository {
    folder: tempfile::TempDir,
}

impl Repository {
    fn new() -> Self {
        let repository = Self { folder: tempfile::tempdir().unwrap() };
        repository.git(&["init", "--quiet", "--initial-branch=main", "."]);
        repository
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .args(["-c", "user.name=Ada Lovelace", "-c", "user.email=ada@acme.io"])
            .args(["-c", "commit.gpgsign=false", "-c", "tag.gpgsign=false"])
            .args(["-c", "protocol.file.allow=always"])
            .args(arguments)
            .current_dir(self.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_COMMITTER_DATE", "2026-11-21T03:00:00Z")
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn commit(&self, subject: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", subject]);
        self.git(&["rev-parse", "HEAD"])
    }

    fn commit_file(&self, path: &str, text: &str) -> String {
        self.write(path, text);
        self.commit(&format!("change {path}"))
    }
}

fn source(url: &str) -> GitSource {
    GitSource { url: url.to_owned(), ..GitSource::default() }
}

fn access(cache: &Path) -> Access {
    Access {
        s3: None,
        cache: cache.to_owned(),
        variables: Variables::from_environment(std::env::vars_os()),
        read_secret: Arc::new(|from| match from.env.as_deref() {
            Some("TOKEN") => Ok("t0ken\n".to_owned()),
            None => crate::config::read_secret(from),
            Some(_) => Err("it is not set".to_owned()),
        }),
    }
}

struct Reading {
    reader: GitReader,
    _cache: tempfile::TempDir,
}

fn reading(source: &GitSource) -> Reading {
    let cache = tempfile::tempdir().unwrap();
    Reading { reader: GitReader::new(source, access(cache.path())).unwrap(), _cache: cache }
}

fn reading_of(repository: &Repository) -> Reading {
    reading(&source(repository.path().to_str().unwrap()))
}

#[tokio::test]
async fn commits_are_followed_and_only_what_is_new_is_read() {
    let repository = Repository::new();
    repository.write("b.yaml", "b");
    repository.write("README.md", "no spec");
    let commit = repository.commit_file("a/web.yaml", "v1");
    let mut reading = reading_of(&repository);
    let first = reading.reader.fetch().await.unwrap();
    assert_eq!(first.revision().as_str(), commit);
    assert_eq!(first.files().keys().collect::<Vec<_>>(), ["a/web.yaml", "b.yaml"]);
    assert_eq!(first.files()["a/web.yaml"].bytes().as_ref(), b"v1");
    assert_eq!(
        first.description().unwrap(),
        "change a/web.yaml (Ada Lovelace, 2026-11-21 03:00 UTC)"
    );
    let commit = repository.commit_file("a/web.yaml", "v2");
    let second = reading.reader.fetch().await.unwrap();
    assert_eq!(second.revision().as_str(), commit);
    assert_eq!(second.files()["a/web.yaml"].bytes().as_ref(), b"v2");
    assert!(Arc::ptr_eq(&first.files()["b.yaml"], &second.files()["b.yaml"]));
}

/// How many objects a cache has got, those twice that were sent twice.
fn objects(cache: &Cache, commit: &str) -> usize {
    let git_dir = format!("--git-dir={}", cache.git_dir(commit).display());
    let output = Command::new("git").args([&git_dir, "count-objects", "--verbose"]).output();
    let told = String::from_utf8(output.unwrap().stdout).unwrap();
    let number = |name: &str| {
        let line = told.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().parse::<usize>().unwrap()
    };
    number("count:") + number("in-pack:")
}

#[tokio::test]
async fn what_a_commit_changes_is_all_that_is_sent() {
    let repository = Repository::new();
    for number in 0..200 {
        repository.write(&format!("team-{}/{number}.yaml", number % 10), &format!("{number}"));
    }
    let commit = repository.commit("many files");
    let mut reading = reading_of(&repository);
    reading.reader.fetch().await.unwrap();
    let before = objects(&reading.reader.cache, &commit);
    assert!(before > 200);
    for number in 1..4 {
        let commit = repository.commit_file("team-7/7.yaml", &format!("changed {number}"));
        assert_eq!(reading.reader.fetch().await.unwrap().revision().as_str(), commit);
        let sent = objects(&reading.reader.cache, &commit) - before;
        // A commit, two trees and a blob each, and in a pack what the trees are told by.
        assert!(sent <= 6 * number, "{sent} objects in {number} fetches");
    }
}

#[tokio::test]
async fn an_unchanged_poll_is_one_command_and_the_same_snapshot() {
    let repository = Repository::new();
    repository.commit_file("web.yaml", "v1");
    let mut reading = reading_of(&repository);
    let first = reading.reader.fetch().await.unwrap();
    let before = reading.reader.commands();
    for _ in 0..3 {
        assert!(Arc::ptr_eq(&first, &reading.reader.fetch().await.unwrap()));
    }
    assert_eq!(reading.reader.commands() - before, 3);
}

#[tokio::test]
async fn branches_tags_commits_and_paths_are_followed() {
    let repository = Repository::new();
    let first = repository.commit_file("services/web.yaml", "v1");
    repository.git(&["tag", "light"]);
    repository.git(&["tag", "-a", "v1.0", "-m", "annotated"]);
    repository.git(&["branch", "release/1"]);
    let second = repository.commit_file("other/x.yaml", "x");
    let url = format!("file://{}", repository.path().display());
    let reference = |branch: Option<&str>, tag: Option<&str>, commit: Option<&str>| GitRef {
        branch: branch.map(str::to_owned),
        tag: tag.map(str::to_owned),
        commit: commit.map(str::to_owned),
        semver: None,
    };
    for (reference, expected) in [
        (reference(None, None, None), &second),
        (reference(Some("main"), None, None), &second),
        (reference(Some("release/1"), None, None), &first),
        (reference(None, Some("light"), None), &first),
        (reference(None, Some("v1.0"), None), &first),
        (reference(None, None, Some(&first)), &first),
    ] {
        let mut reading = reading(&GitSource { reference: Some(reference), ..source(&url) });
        assert_eq!(reading.reader.fetch().await.unwrap().revision().as_str(), expected);
        let again = reading.reader.fetch().await.unwrap();
        assert_eq!(again.revision().as_str(), expected);
    }
    let mut below = reading(&GitSource { path: Some("./services/".to_owned()), ..source(&url) });
    let snapshot = below.reader.fetch().await.unwrap();
    assert_eq!(snapshot.files().keys().collect::<Vec<_>>(), ["services/web.yaml"]);
    let mut nowhere = reading(&GitSource { path: Some("nowhere".to_owned()), ..source(&url) });
    let error = nowhere.reader.fetch().await.unwrap_err();
    assert!(error.to_string().starts_with("cannot find path nowhere in /"), "{error}");
}

#[tokio::test]
async fn a_vanished_branch_and_a_sudden_void_are_errors() {
    let repository = Repository::new();
    repository.commit_file("web.yaml", "v1");
    repository.git(&["branch", "prod"]);
    let reference = GitRef { branch: Some("prod".to_owned()), ..GitRef::default() };
    let path = repository.path().to_str().unwrap().to_owned();
    let mut prod = reading(&GitSource { reference: Some(reference), ..source(&path) });
    let mut main = reading_of(&repository);
    prod.reader.fetch().await.unwrap();
    let good = main.reader.fetch().await.unwrap();
    repository.git(&["branch", "-D", "prod"]);
    let error = prod.reader.fetch().await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot find branch prod in {path}"));
    assert_eq!(error.retry(), Retry::Backoff);
    repository.git(&["rm", "--quiet", "web.yaml"]);
    repository.commit("remove everything");
    let error = main.reader.fetch().await.unwrap_err();
    assert!(matches!(error, SourceError::SuddenlyEmpty { files_before: 1, .. }), "{error}");
    repository.commit_file("web.yaml", "v1");
    let back = main.reader.fetch().await.unwrap();
    assert!(Arc::ptr_eq(&good.files()["web.yaml"], &back.files()["web.yaml"]));
}

#[tokio::test]
async fn links_submodules_pointers_and_large_files_are_refused_by_name() {
    let inner = Repository::new();
    inner.commit_file("x.yaml", "x");
    let repository = Repository::new();
    repository.write("web.yaml", "x");
    repository.write("big.json", &"x".repeat(2_000_000));
    repository
        .write("lfs.yaml", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n");
    std::os::unix::fs::symlink("/etc/passwd", repository.path().join("link.yaml")).unwrap();
    repository.git(&["submodule", "--quiet", "add", inner.path().to_str().unwrap(), "vendor"]);
    repository.commit("everything that is refused");
    let snapshot = reading_of(&repository).reader.fetch().await.unwrap();
    let refused: Vec<(&str, Option<Refusal>)> =
        snapshot.files().values().map(|file| (file.path(), file.refusal())).collect();
    assert_eq!(
        refused,
        [
            ("big.json", Some(Refusal::LeftOut)),
            ("lfs.yaml", Some(Refusal::LfsPointer)),
            ("link.yaml", Some(Refusal::Symlink)),
            ("vendor", Some(Refusal::Submodule)),
            ("web.yaml", None),
        ]
    );
}

#[tokio::test]
async fn a_cache_survives_a_restart_a_killed_fetch_and_damage() {
    let repository = Repository::new();
    repository.commit_file("web.yaml", "v1");
    let cache = tempfile::tempdir().unwrap();
    let place = source(repository.path().to_str().unwrap());
    let mut first = GitReader::new(&place, access(cache.path())).unwrap();
    first.fetch().await.unwrap();
    let commit = repository.commit_file("web.yaml", "v2");
    let git_dir = first.cache.git_dir(&commit);
    fs::write(git_dir.join("shallow.lock"), "").unwrap();
    fs::create_dir_all(git_dir.join("refs/longshore")).unwrap();
    fs::write(git_dir.join("refs/longshore/fetched.lock"), "").unwrap();
    let mut second = GitReader::new(&place, access(cache.path())).unwrap();
    assert_eq!(second.fetch().await.unwrap().revision().as_str(), commit);
    let commit = repository.commit_file("web.yaml", "v3");
    fs::remove_dir_all(git_dir.join("objects")).unwrap();
    fs::create_dir_all(git_dir.join("objects")).unwrap();
    fs::write(git_dir.join("shallow"), "nonsense\n").unwrap();
    assert_eq!(second.fetch().await.unwrap().revision().as_str(), commit);
}

#[tokio::test]
async fn two_readers_may_share_a_cache() {
    let repository = Repository::new();
    let commit = repository.commit_file("web.yaml", "v1");
    let cache = tempfile::tempdir().unwrap();
    let place = source(repository.path().to_str().unwrap());
    let mut readers: Vec<GitReader> =
        (0..4).map(|_| GitReader::new(&place, access(cache.path())).unwrap()).collect();
    let fetches = futures_util::future::join_all(readers.iter_mut().map(GitReader::fetch)).await;
    for snapshot in fetches {
        assert_eq!(snapshot.unwrap().revision().as_str(), commit);
    }
}

#[tokio::test]
async fn repositories_of_the_newer_object_format_are_read() {
    let repository = Repository { folder: tempfile::tempdir().unwrap() };
    repository.git(&["init", "--quiet", "--object-format=sha256", "--initial-branch=main", "."]);
    let commit = repository.commit_file("web.yaml", "v1");
    assert_eq!(commit.len(), 64);
    let snapshot = reading_of(&repository).reader.fetch().await.unwrap();
    assert_eq!(snapshot.revision().as_str(), commit);
}

#[tokio::test]
async fn a_local_commit_is_hinted_within_a_second() {
    let repository = Repository::new();
    repository.commit_file("web.yaml", "v1");
    let mut reading = reading_of(&repository);
    reading.reader.fetch().await.unwrap();
    let quiet = tokio::time::timeout(Duration::from_millis(400), reading.reader.changed()).await;
    assert!(quiet.is_err(), "nothing had changed");
    let commit = repository.commit_file("web.yaml", "v2");
    let started = tokio::time::Instant::now();
    tokio::time::timeout(Duration::from_secs(10), reading.reader.changed()).await.unwrap();
    let hinted = started.elapsed();
    assert_eq!(reading.reader.fetch().await.unwrap().revision().as_str(), commit);
    println!("hinted after {hinted:?}, read after {:?}", started.elapsed());
    repository.git(&["pack-refs", "--all"]);
    let commit = repository.commit_file("web.yaml", "v3");
    tokio::time::timeout(Duration::from_secs(10), reading.reader.changed()).await.unwrap();
    assert_eq!(reading.reader.fetch().await.unwrap().revision().as_str(), commit);
}

#[tokio::test]
async fn ten_thousand_files_and_one_change_is_one_new_file() {
    let repository = Repository::new();
    for index in 0..10_000 {
        repository
            .write(&format!("team-{}/{index}.yaml", index % 100), &format!("name: {index}\n"));
    }
    repository.commit("ten thousand services");
    let mut reading = reading_of(&repository);
    let started = tokio::time::Instant::now();
    let first = reading.reader.fetch().await.unwrap();
    let cold = started.elapsed();
    repository.commit_file("team-7/7.yaml", "name: seven\n");
    let started = tokio::time::Instant::now();
    let second = reading.reader.fetch().await.unwrap();
    println!("10,000 files: {cold:?} cold, {:?} changed", started.elapsed());
    let new =
        second.files().iter().filter(|(path, file)| !Arc::ptr_eq(file, &first.files()[*path]));
    assert_eq!(new.count(), 1);
}

#[test]
fn what_cannot_work_is_refused_at_once_and_without_secrets() {
    let cache = tempfile::tempdir().unwrap();
    let token = SecretFrom { env: Some("TOKEN".to_owned()), file: None };
    for (source, message) in [
        (
            source("ext::sh -c x"),
            "cannot use source ext::sh -c x: transport `ext` is not allowed: use https, ssh or file",
        ),
        (
            GitSource { path: Some("../x".to_owned()), ..source("https://u:s3cret@acme.io/x") },
            "cannot use source https://acme.io/x: path `../x` leads out of the repository",
        ),
        (
            GitSource { token: Some(token), ..source("http://acme.io/x") },
            "cannot use source http://acme.io/x: a token would travel unencrypted: use https",
        ),
        (
            source("ftp://u:s3cret@acme.io/x"),
            "cannot use source ftp://acme.io/x: transport `ftp` is not allowed: use https, ssh or file",
        ),
    ] {
        let error = GitReader::new(&source, access(cache.path())).unwrap_err();
        assert_eq!(error.to_string(), message);
        assert_eq!(error.retry(), Retry::Never);
    }
}

#[tokio::test]
async fn a_missing_repository_is_told_in_gits_words() {
    let mut reading = reading(&source("/nowhere/at/all.git"));
    let error = reading.reader.fetch().await.unwrap_err().to_string();
    assert!(
        error.starts_with("cannot list references of /nowhere/at/all.git: git says: fatal:"),
        "{error}"
    );
}

/// Serves a repository over http as git's own server does, to those who have the token.
async fn serve(root: PathBuf) -> (String, tokio::task::JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = axum::Router::new().fallback(backend).with_state(root);
    let server = tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    (format!("http://{address}/"), server)
}

async fn backend(State(root): State<PathBuf>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let header = |headers: &HeaderMap, name: &str| {
        headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    if header(&parts.headers, "authorization") != "Basic eC1hY2Nlc3MtdG9rZW46dDBrZW4=" {
        return (StatusCode::UNAUTHORIZED, [("www-authenticate", "Basic realm=x")]).into_response();
    }
    let body = axum::body::to_bytes(body, 10_000_000).await.unwrap();
    let mut child = tokio::process::Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", parts.method.as_str())
        .env("PATH_INFO", parts.uri.path())
        .env("QUERY_STRING", parts.uri.query().unwrap_or_default())
        .env("CONTENT_TYPE", header(&parts.headers, "content-type"))
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", header(&parts.headers, "content-encoding"))
        .env("GIT_PROTOCOL", header(&parts.headers, "git-protocol"))
        .env("REMOTE_USER", "reader")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stdin, &body).await.unwrap();
    drop(stdin);
    let answer = child.wait_with_output().await.unwrap().stdout;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let mut response = Response::builder();
    for line in std::str::from_utf8(&answer[..end]).unwrap().lines() {
        let (name, value) = line.split_once(": ").unwrap();
        response = match name {
            "Status" => response.status(value[..3].parse::<u16>().unwrap()),
            _ => response.header(name, value),
        };
    }
    response.body(Body::from(answer[end + 4..].to_vec())).unwrap()
}

#[tokio::test]
async fn a_repository_behind_a_token_is_read_over_http() {
    let repository = Repository::new();
    let commit = repository.commit_file("web.yaml", "v1");
    let (url, server) = serve(repository.path().to_owned()).await;
    let token = |name: &str| Some(SecretFrom { env: Some(name.to_owned()), file: None });
    let place = GitSource { token: token("TOKEN"), ..source(&format!("{url}.git")) };
    let mut reading_with = reading(&place);
    assert_eq!(reading_with.reader.fetch().await.unwrap().revision().as_str(), commit);
    let embedded = url.replace("http://", "http://x-access-token:t0ken@");
    let mut reading_embedded = reading(&source(&format!("{embedded}.git")));
    assert_eq!(reading_embedded.reader.fetch().await.unwrap().revision().as_str(), commit);
    let wrong = url.replace("http://", "http://ada:s3cret@");
    let error = reading(&source(&format!("{wrong}.git"))).reader.fetch().await.unwrap_err();
    assert!(error.to_string().starts_with("cannot list references of http://127.0.0.1"), "{error}");
    assert!(!error.to_string().contains("s3cret"), "{error}");
    let missing = GitSource { token: token("NONE"), ..source(&format!("{url}.git")) };
    let error = reading(&missing).reader.fetch().await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot read the token of {url}.git: it is not set"));
    server.abort();
}
