//! Hostile repositories and servers: what they may not make us do.

use axum::response::Redirect;

use super::*;
use crate::source::FILES_MAX;

#[tokio::test]
async fn more_files_than_a_source_may_hold_are_an_error_and_not_a_part_of_them() {
    let repository = Repository::new();
    repository.commit_file("web.yaml", "v1");
    let mut reading = reading_of(&repository);
    reading.reader.fetch().await.unwrap();
    let blob = repository.git(&["rev-parse", "HEAD:web.yaml"]);
    let line = |number: usize| format!("100644 blob {blob}\t{number:06}.yaml\n");
    let listing = (0..=FILES_MAX).map(line).collect::<Vec<String>>().concat();
    fs::write(repository.path().join("listing"), listing).unwrap();
    let script = "git mktree < listing";
    let output = Command::new("sh").args(["-c", script]).current_dir(repository.path()).output();
    let tree = String::from_utf8(output.unwrap().stdout).unwrap();
    let commit = repository.git(&["commit-tree", "-p", "HEAD", "-m", "too many", tree.trim()]);
    repository.git(&["update-ref", "refs/heads/main", &commit]);
    let error = reading.reader.fetch().await.unwrap_err();
    assert!(matches!(error, SourceError::TooManyFiles { .. }), "{error}");
}

#[tokio::test]
async fn names_that_git_would_not_make_are_refused_by_name() {
    let repository = Repository::new();
    repository.commit_file("web.yaml", "v1");
    let blob = repository.git(&["rev-parse", "HEAD:web.yaml"]);
    let tree = |entries: &str| {
        fs::write(repository.path().join("entries"), entries).unwrap();
        let script = "git mktree < entries";
        let output =
            Command::new("sh").args(["-c", script]).current_dir(repository.path()).output();
        String::from_utf8(output.unwrap().stdout).unwrap().trim().to_owned()
    };
    let inner = tree(&format!("100644 blob {blob}\tstolen.yaml\n"));
    let outer = tree(&format!("040000 tree {inner}\t..\n100644 blob {blob}\tweb.yaml\n"));
    let commit = repository.git(&["commit-tree", "-m", "hostile", &outer]);
    repository.git(&["update-ref", "refs/heads/main", &commit]);
    let snapshot = reading_of(&repository).reader.fetch().await.unwrap();
    let files: Vec<_> =
        snapshot.files().values().map(|file| (file.path(), file.refusal())).collect();
    assert_eq!(files, [("../stolen.yaml", Some(Refusal::Path)), ("web.yaml", None)]);
}

#[tokio::test]
async fn no_hook_runs_whoever_put_it_there() {
    let repository = Repository::new();
    let commit = repository.commit_file("web.yaml", "v1");
    let mut reading = reading_of(&repository);
    reading.reader.fetch().await.unwrap();
    let ran = repository.path().join("ran");
    let hooks = reading.reader.cache.git_dir(&commit).join("hooks");
    fs::create_dir_all(&hooks).unwrap();
    for name in ["reference-transaction", "post-checkout", "post-merge", "pre-auto-gc"] {
        let hook = hooks.join(name);
        fs::write(&hook, format!("#!/bin/sh\ntouch {}\n", ran.display())).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(hook, mode).unwrap();
    }
    repository.commit_file("web.yaml", "v2");
    reading.reader.fetch().await.unwrap();
    assert!(!ran.exists());
}

#[test]
fn only_a_git_that_never_fetches_by_itself_is_told_to_leave_something_out() {
    for (version, expected) in [
        ("git version 2.47.3\n", true),
        ("git version 2.44.0.windows.1", true),
        ("git version 3.0.0-rc1", true),
        ("git version 2.39.5 (Apple Git-154)", false),
        ("git version 2.43.9", false),
        ("", false),
    ] {
        assert_eq!(never_fetches_by_itself(version), expected, "{version}");
    }
}

/// Bytes that no packing makes fewer.
fn noise(bytes: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(bytes as u64);
    std::iter::repeat_with(|| random.u8(..)).take(bytes).collect()
}

/// Whether the cache has what the commit holds under this path.
fn has(reader: &GitReader, commit: &str, path: &str) -> bool {
    let git_dir = format!("--git-dir={}", reader.cache.git_dir(commit).display());
    let object = format!("{commit}:{path}");
    let output = Command::new("git")
        .args([&git_dir, "cat-file", "-e", &object])
        .env("GIT_NO_LAZY_FETCH", "1")
        .output();
    output.unwrap().status.success()
}

/// A repository with a film of 30 MB beside its specs, one of which is too large.
fn with_a_film() -> (Repository, String) {
    let repository = Repository::new();
    repository.write("web.yaml", "v1");
    repository.write("big.yaml", &"x".repeat(2_000_000));
    fs::File::create(repository.path().join("film.mp4")).unwrap().set_len(30_000_000).unwrap();
    let commit = repository.commit("a film");
    (repository, commit)
}

#[tokio::test]
async fn what_is_too_large_for_a_spec_is_not_fetched() {
    let (repository, commit) = with_a_film();
    let cache = tempfile::tempdir().unwrap();
    let place = source(repository.path().to_str().unwrap());
    let mut reader = GitReader::new(&place, access(cache.path())).unwrap();
    let snapshot = reader.fetch().await.unwrap();
    assert_eq!(snapshot.files()["web.yaml"].bytes().as_ref(), b"v1");
    assert_eq!(snapshot.files()["big.yaml"].refusal(), Some(Refusal::LeftOut));
    for (path, expected) in [("web.yaml", true), ("big.yaml", false), ("film.mp4", false)] {
        assert_eq!(has(&reader, &commit, path), expected, "{path}");
    }
    // What was left out is known to be, and the cache is not made anew for it.
    let mark = reader.cache.git_dir(&commit).join("mark");
    fs::write(&mark, "").unwrap();
    repository.commit_file("web.yaml", "v2");
    let snapshot = reader.fetch().await.unwrap();
    assert_eq!(snapshot.files()["web.yaml"].bytes().as_ref(), b"v2");
    assert_eq!(snapshot.files()["big.yaml"].refusal(), Some(Refusal::LeftOut));
    assert!(mark.exists());
    // The next process does not know it, and finds the same.
    repository.commit_file("web.yaml", "v3");
    let mut reader = GitReader::new(&place, access(cache.path())).unwrap();
    let snapshot = reader.fetch().await.unwrap();
    assert_eq!(snapshot.files()["web.yaml"].bytes().as_ref(), b"v3");
    assert_eq!(snapshot.files()["big.yaml"].refusal(), Some(Refusal::LeftOut));
    // Once it is small enough it is read.
    repository.commit_file("big.yaml", "small");
    let snapshot = reader.fetch().await.unwrap();
    assert_eq!(snapshot.files()["big.yaml"].bytes().as_ref(), b"small");
}

#[tokio::test]
async fn hosts_that_leave_nothing_out_are_read_as_well() {
    for (settings, leaves_out) in [
        (&[("uploadpack.allowFilter", "true")][..], true),
        (&[("uploadpack.allowFilter", "false")][..], false),
        (&[("uploadpack.allowFilter", "true"), ("uploadpackfilter.allow", "false")][..], false),
    ] {
        let (repository, commit) = with_a_film();
        for (name, value) in settings {
            repository.git(&["config", name, value]);
        }
        let (url, server) = serve_openly(repository.path().to_owned()).await;
        let mut reading = reading(&source(&format!("{url}.git")));
        let snapshot = reading.reader.fetch().await.unwrap();
        assert_eq!(snapshot.files()["web.yaml"].bytes().as_ref(), b"v1");
        let whole = Refusal::TooLarge { bytes: 2_000_000 };
        let refusal = if leaves_out { Refusal::LeftOut } else { whole };
        assert_eq!(snapshot.files()["big.yaml"].refusal(), Some(refusal));
        assert_eq!(has(&reading.reader, &commit, "film.mp4"), !leaves_out, "{settings:?}");
        server.abort();
    }
}

#[tokio::test]
async fn a_blob_that_the_cache_has_lost_is_not_taken_for_one_that_was_left_out() {
    let repository = Repository::new();
    repository.write("api.yaml", "v1");
    let commit = repository.commit_file("web.yaml", "v1");
    let cache = tempfile::tempdir().unwrap();
    let place = source(repository.path().to_str().unwrap());
    let mut reader = GitReader::new(&place, access(cache.path())).unwrap();
    reader.fetch().await.unwrap();
    let packs = reader.cache.git_dir(&commit).join("objects/pack");
    let first: Vec<PathBuf> =
        fs::read_dir(&packs).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!first.is_empty());
    repository.commit_file("web.yaml", "v2");
    reader.fetch().await.unwrap();
    for file in first {
        fs::remove_file(file).unwrap();
    }
    repository.commit_file("web.yaml", "v3");
    let mut reader = GitReader::new(&place, access(cache.path())).unwrap();
    let snapshot = reader.fetch().await.unwrap();
    assert_eq!(snapshot.files()["api.yaml"].bytes().as_ref(), b"v1");
    assert_eq!(snapshot.files()["web.yaml"].bytes().as_ref(), b"v3");
}

#[tokio::test]
async fn a_repository_takes_no_more_room_than_there_is() {
    let repository = Repository::new();
    repository.commit_file("web.yaml", "v1");
    let mut reading = reading_of(&repository);
    let reader = &mut reading.reader;
    reader.cache.bytes_max = 800_000;
    reader.fetch().await.unwrap();
    fs::write(repository.path().join("a.bin"), noise(900_000)).unwrap();
    let commit = repository.commit("more than there is room for");
    let error = reader.fetch().await.unwrap_err();
    assert!(matches!(error, SourceError::Outgrown { bytes_max: 800_000, .. }), "{error}");
    assert!(!reader.cache.git_dir(&commit).exists());
    // The same commit is not fetched again and again.
    let before = reader.commands();
    assert!(matches!(reader.fetch().await, Err(SourceError::Outgrown { .. })));
    assert_eq!(reader.commands() - before, 1);
    assert!(!reader.cache.git_dir(&commit).exists());
    // What has gathered over time makes room.
    for number in 0..5 {
        fs::write(repository.path().join("a.bin"), noise(300_000 + number)).unwrap();
        let commit = repository.commit("something else");
        assert_eq!(reader.fetch().await.unwrap().revision().as_str(), commit);
        assert!(!reader.cache.is_outgrown());
    }
}

/// Answers every request by a redirection to the same path of another host.
async fn redirect(State(other): State<String>, request: Request) -> Redirect {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    Redirect::temporary(&format!("{}{path}", other.trim_end_matches('/')))
}

/// Notes who shows a token.
async fn note(State(shown): State<Arc<std::sync::Mutex<Vec<String>>>>, request: Request) {
    let header = request.headers().get("authorization");
    let header = header.map(|value| value.to_str().unwrap().to_owned());
    shown.lock().unwrap().extend(header);
}

async fn listen(service: axum::Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    format!("http://{address}/")
}

#[tokio::test]
async fn a_token_is_not_carried_to_where_a_server_redirects() {
    let repository = Repository::new();
    let commit = repository.commit_file("web.yaml", "v1");
    let shown = Arc::new(std::sync::Mutex::new(Vec::new()));
    let thief = listen(axum::Router::new().fallback(note).with_state(Arc::clone(&shown))).await;
    let server = listen(axum::Router::new().fallback(redirect).with_state(thief)).await;
    let token = Some(SecretFrom { env: Some("TOKEN".to_owned()), file: None });
    let place = GitSource { token, ..source(&format!("{server}fleet.git")) };
    let error = reading(&place).reader.fetch().await.unwrap_err().to_string();
    assert!(error.contains("the repository has moved"), "{error}");
    assert_eq!(*shown.lock().unwrap(), Vec::<String>::new());
    let (open, _task) = serve_openly(repository.path().to_owned()).await;
    let server = listen(axum::Router::new().fallback(redirect).with_state(open)).await;
    let mut reading = reading(&source(&format!("{server}.git")));
    assert_eq!(reading.reader.fetch().await.unwrap().revision().as_str(), commit);
}

/// Serves a repository to everybody.
async fn serve_openly(root: PathBuf) -> (String, tokio::task::JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let allowed = |State(root): State<PathBuf>, mut request: Request| async move {
        let header = "Basic eC1hY2Nlc3MtdG9rZW46dDBrZW4=".parse().unwrap();
        request.headers_mut().insert("authorization", header);
        backend(State(root), request).await
    };
    let service = axum::Router::new().fallback(allowed).with_state(root);
    let server = tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    (format!("http://{address}/"), server)
}

/// What nothing needs any more goes, also where packs leave something out, all of which `git gc` keeps.
#[tokio::test]
async fn the_cache_of_a_busy_repository_stays_small() {
    let repository = Repository::new();
    let mut reading = reading_of(&repository);
    reading.reader.fetches_before_clearing = 6;
    for round in 0..30 {
        repository.write("web.yaml", &format!("v{round}"));
        fs::write(repository.path().join("film.mp4"), noise(100_000 + round)).unwrap();
        let commit = repository.commit("a film");
        let snapshot = reading.reader.fetch().await.unwrap();
        assert_eq!(snapshot.revision().as_str(), commit);
        let git_dir = reading.reader.cache.git_dir(&commit);
        let output = Command::new("du").arg("-sk").arg(&git_dir).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let kib = text.split_whitespace().next().map_or(0, |kib| kib.parse::<u32>().unwrap());
        assert!(kib <= 110 * 7 + 300, "{kib} KiB after {round} fetches");
    }
}
