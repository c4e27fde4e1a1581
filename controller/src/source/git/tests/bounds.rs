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
