//! History that is rewritten, tags that move, versions that go back.

use crds::{GitHistory, Rewrites};

use super::*;

/// A source of this repository with a reference and a policy.
fn place(repository: &Repository, reference: GitRef, history: Option<GitHistory>) -> GitSource {
    let reference = Some(reference);
    GitSource { reference, history, ..source(repository.path().to_str().unwrap()) }
}

fn branch() -> GitRef {
    GitRef { branch: Some("main".to_owned()), ..GitRef::default() }
}

fn tag(name: &str) -> GitRef {
    GitRef { tag: Some(name.to_owned()), ..GitRef::default() }
}

fn semver(range: &str) -> GitRef {
    GitRef { semver: Some(range.to_owned()), ..GitRef::default() }
}

#[allow(clippy::unnecessary_wraps, reason = "it is what a source takes")]
fn confirmed(commit: &str) -> Option<GitHistory> {
    Some(GitHistory { confirmed: Some(commit.to_owned()), rewrites: None })
}

#[allow(clippy::unnecessary_wraps, reason = "it is what a source takes")]
fn follow() -> Option<GitHistory> {
    Some(GitHistory { rewrites: Some(Rewrites::Follow), confirmed: None })
}

fn reader(place: &GitSource, cache: &Path) -> GitReader {
    GitReader::new(place, access(cache)).unwrap()
}

async fn at(reader: &mut GitReader) -> String {
    reader.fetch().await.unwrap().revision().to_string()
}

async fn refused(reader: &mut GitReader) -> String {
    let error = reader.fetch().await.unwrap_err();
    assert!(matches!(error, SourceError::Rewritten { .. }), "{error}");
    assert_eq!(error.retry(), Retry::Backoff);
    assert_eq!(error.reason(), crds::Reason::SourceUntrusted);
    error.to_string()
}

#[tokio::test]
async fn rewritten_history_stops_until_a_person_confirms_and_a_restart_confirms_nothing() {
    let repository = Repository::new();
    repository.commit_file("web.yaml", "v1");
    let good = repository.commit_file("web.yaml", "v2");
    let cache = tempfile::tempdir().unwrap();
    let mut first = reader(&place(&repository, branch(), None), cache.path());
    assert_eq!(at(&mut first).await, good);
    repository.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    let forced = repository.commit_file("web.yaml", "v3");
    let told = refused(&mut first).await;
    assert!(told.contains("the history of branch main was rewritten"), "{told}");
    assert!(told.contains(&good[..12]) && told.contains(&forced), "{told}");
    refused(&mut first).await;
    let mut restarted = reader(&place(&repository, branch(), None), cache.path());
    refused(&mut restarted).await;
    let mut asked = reader(&place(&repository, branch(), confirmed(&forced)), cache.path());
    let snapshot = asked.fetch().await.unwrap();
    assert_eq!(snapshot.revision().as_str(), forced);
    assert!(snapshot.notice().unwrap().contains("was rewritten"), "{:?}", snapshot.notice());
    let next = repository.commit_file("web.yaml", "v4");
    let snapshot = asked.fetch().await.unwrap();
    assert_eq!((snapshot.revision().as_str(), snapshot.notice()), (next.as_str(), None));
    assert_eq!(at(&mut reader(&place(&repository, branch(), None), cache.path())).await, next);
}

#[tokio::test]
async fn what_comes_after_a_confirmed_commit_is_confirmed_too() {
    let repository = Repository::new();
    repository.commit_file("web.yaml", "v1");
    repository.commit_file("web.yaml", "v2");
    let cache = tempfile::tempdir().unwrap();
    at(&mut reader(&place(&repository, branch(), None), cache.path())).await;
    repository.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    let looked_at = repository.commit_file("web.yaml", "v3");
    repository.commit_file("web.yaml", "v4");
    let newest = repository.commit_file("web.yaml", "v5");
    let policy = confirmed(&looked_at);
    assert_eq!(at(&mut reader(&place(&repository, branch(), policy), cache.path())).await, newest);
}

#[tokio::test]
async fn history_that_is_pushed_back_is_taken_again() {
    let repository = Repository::new();
    repository.commit_file("web.yaml", "v1");
    let good = repository.commit_file("web.yaml", "v2");
    let mut reading = reading_of(&repository);
    at(&mut reading.reader).await;
    repository.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    let told = refused(&mut reading.reader).await;
    assert!(told.contains("the history of HEAD was rewritten"), "{told}");
    repository.git(&["reset", "--quiet", "--hard", &good]);
    assert_eq!(at(&mut reading.reader).await, good);
}

#[tokio::test]
async fn rewritten_history_is_followed_with_a_notice_where_the_policy_says_so() {
    let repository = Repository::new();
    repository.commit_file("web.yaml", "v1");
    repository.commit_file("web.yaml", "v2");
    let mut reading = reading(&place(&repository, branch(), follow()));
    at(&mut reading.reader).await;
    repository.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    let forced = repository.commit_file("web.yaml", "v3");
    let snapshot = reading.reader.fetch().await.unwrap();
    assert_eq!(snapshot.revision().as_str(), forced);
    assert_eq!(snapshot.files()["web.yaml"].bytes().as_ref(), b"v3");
    assert!(snapshot.notice().unwrap().contains("was rewritten"));
}

#[tokio::test]
async fn many_commits_and_merges_at_once_are_no_rewriting() {
    let repository = Repository::new();
    repository.commit_file("web.yaml", "v0");
    let mut reading = reading(&place(&repository, branch(), None));
    at(&mut reading.reader).await;
    for number in 1..=60 {
        repository.commit(&format!("commit {number}"));
    }
    let newest = repository.git(&["rev-parse", "HEAD"]);
    assert_eq!(at(&mut reading.reader).await, newest, "deeper than the first step");
    repository.git(&["checkout", "--quiet", "-b", "side"]);
    repository.commit_file("side.yaml", "s");
    repository.git(&["checkout", "--quiet", "main"]);
    repository.git(&["merge", "--quiet", "--no-ff", "-m", "merge", "side"]);
    let before = reading.reader.commands();
    let merged = repository.git(&["rev-parse", "HEAD"]);
    assert_eq!(at(&mut reading.reader).await, merged);
    assert_eq!(reading.reader.commands() - before, 5, "a parent is found without more history");
}

#[tokio::test]
async fn a_tag_that_moves_is_reported_and_not_followed() {
    let repository = Repository::new();
    let good = repository.commit_file("web.yaml", "v1");
    repository.git(&["tag", "prod"]);
    let cache = tempfile::tempdir().unwrap();
    let mut first = reader(&place(&repository, tag("prod"), None), cache.path());
    assert_eq!(at(&mut first).await, good);
    let other = repository.commit_file("web.yaml", "v2");
    assert_eq!(at(&mut first).await, good);
    repository.git(&["tag", "--force", "prod"]);
    let told = refused(&mut first).await;
    let expected =
        format!("tag prod was moved: it named {}, and now {}", &good[..12], &other[..12]);
    assert!(told.contains(&expected), "{told}");
    let mut asked = reader(&place(&repository, tag("prod"), confirmed(&other)), cache.path());
    assert_eq!(at(&mut asked).await, other);
    let newest = repository.commit_file("web.yaml", "v3");
    repository.git(&["tag", "--force", "prod"]);
    refused(&mut asked).await;
    let mut following = reader(&place(&repository, tag("prod"), follow()), cache.path());
    assert_eq!(at(&mut following).await, newest);
}

#[tokio::test]
async fn the_newest_version_is_followed_and_never_backwards() {
    let repository = Repository::new();
    let first = repository.commit_file("web.yaml", "v1");
    repository.git(&["tag", "v1.9.0"]);
    let second = repository.commit_file("web.yaml", "v2");
    repository.git(&["tag", "-a", "v1.10.0", "-m", "annotated"]);
    repository.commit_file("web.yaml", "v3");
    repository.git(&["tag", "v2.0.0-rc.1"]);
    repository.git(&["tag", "latest"]);
    let cache = tempfile::tempdir().unwrap();
    let mut reading = reader(&place(&repository, semver(">=1.0"), None), cache.path());
    assert_eq!(at(&mut reading).await, second);
    let before = reading.commands();
    assert_eq!(at(&mut reading).await, second);
    assert_eq!(reading.commands() - before, 1, "nothing new is one command");
    // A new version of the same commit is in force from then on.
    repository.git(&["tag", "v1.11.0", "v1.10.0^{}"]);
    assert_eq!(at(&mut reading).await, second);
    repository.git(&["tag", "-d", "v1.11.0"]);
    let told = refused(&mut reading).await;
    assert!(told.contains("v1.11.0 was in force, and now it is v1.10.0"), "{told}");
    let mut following = reader(&place(&repository, semver(">=1.0"), follow()), cache.path());
    refused(&mut following).await;
    let third = repository.commit_file("web.yaml", "v4");
    repository.git(&["tag", "1.12.0"]);
    assert_eq!(at(&mut reading).await, third);
    repository.git(&["tag", "-d", "1.12.0"]);
    repository.git(&["tag", "v1.12.0", &first]);
    let told = refused(&mut reading).await;
    assert!(told.contains("tag v1.12.0 was moved"), "{told}");
    let policy = confirmed(&first);
    let mut asked = reader(&place(&repository, semver(">=1.0"), policy), cache.path());
    assert_eq!(at(&mut asked).await, first);
}

#[tokio::test]
async fn no_version_that_fits_and_two_that_are_one_are_errors() {
    let repository = Repository::new();
    repository.commit_file("web.yaml", "v1");
    repository.git(&["tag", "v0.9.0"]);
    let mut reading = reading(&place(&repository, semver("^1"), None));
    let error = reading.reader.fetch().await.unwrap_err().to_string();
    assert!(error.starts_with("cannot find the newest tag in `^1` in /"), "{error}");
    assert!(error.ends_with(": none of 1 tags is a version that it allows"), "{error}");
    repository.git(&["tag", "v1.0.0"]);
    let good = at(&mut reading.reader).await;
    repository.git(&["tag", "1.0.0"]);
    assert_eq!(at(&mut reading.reader).await, good, "twins of one commit are one version");
    repository.commit_file("web.yaml", "v2");
    repository.git(&["tag", "--force", "1.0.0"]);
    let error = reading.reader.fetch().await.unwrap_err().to_string();
    assert!(error.contains("tags 1.0.0 and v1.0.0 are the same version"), "{error}");
}
