//! A GitHub App against a double of GitHub's API that checks signatures.

use std::sync::Mutex;

use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey,
};
use axum::Json;
use crds::{GitPush, GithubApp};
use serde_json::{Value, json};

use super::*;
use crate::source::WriteError;

/// GitHub's side: the key that it knows of the App, the token it gives out, and how often it was asked.
struct GitHub {
    public: Vec<u8>,
    token: Mutex<&'static str>,
    asked: Mutex<Vec<String>>,
}

async fn access_tokens(State(github): State<Arc<GitHub>>, request: Request) -> Response {
    let header = request.headers()["authorization"].to_str().unwrap().to_owned();
    github.asked.lock().unwrap().push(request.uri().path().to_owned());
    match claims(&header, &github.public) {
        Some(claims) if is_fresh(&claims) && claims["iss"] == "Iv1.abc" => {
            let token = *github.token.lock().unwrap();
            (StatusCode::CREATED, Json(json!({ "token": token }))).into_response()
        }
        _ => (StatusCode::UNAUTHORIZED, "no").into_response(),
    }
}

fn is_fresh(claims: &Value) -> bool {
    let now = crate::clock::Clock::System.now().as_second();
    let (from, until) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
    from <= now && now < until && until - from <= 600
}

/// What a token says, if its signature is right.
fn claims(header: &str, public: &[u8]) -> Option<Value> {
    let (text, signature) = header.strip_prefix("Bearer ")?.rsplit_once('.')?;
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public);
    key.verify(text.as_bytes(), &decode(signature)).ok()?;
    serde_json::from_slice(&decode(text.split_once('.')?.1)).ok()
}

fn decode(text: &str) -> Vec<u8> {
    let mut text = text.replace('-', "+").replace('_', "/");
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    aws_smithy_types::base64::decode(text).unwrap()
}

/// A key in the form of `ssh-keygen -m PEM`, which is the one that GitHub gives out.
fn key(folder: &Path, name: &str) -> (String, Vec<u8>) {
    let file = folder.join(name);
    let output = Command::new("ssh-keygen")
        .args(["-q", "-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "", "-f"])
        .arg(&file)
        .output()
        .unwrap();
    assert!(output.status.success());
    let pem = fs::read_to_string(&file).unwrap();
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = aws_smithy_types::base64::decode(body).unwrap();
    let pair = RsaKeyPair::from_der(&der).unwrap();
    (file.to_str().unwrap().to_owned(), pair.public_key().as_ref().to_vec())
}

/// GitHub's API, which knows this key of the App.
async fn serve_api(public: Vec<u8>) -> (Arc<GitHub>, String) {
    let (token, asked) = (Mutex::new("t0ken"), Mutex::new(Vec::new()));
    let github = Arc::new(GitHub { public, token, asked });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let api = format!("http://{}/api/v3/", listener.local_addr().unwrap());
    let service = axum::Router::new().fallback(access_tokens).with_state(Arc::clone(&github));
    tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    (github, api)
}

fn app(key_file: &str, api: &str) -> GithubApp {
    GithubApp {
        app_id: "Iv1.abc".to_owned(),
        installation_id: 42,
        private_key: SecretFrom { env: None, file: Some(key_file.to_owned()) },
        api: Some(api.to_owned()),
    }
}

#[tokio::test]
async fn an_app_reads_with_tokens_that_it_is_given() {
    let repository = Repository::new();
    let commit = repository.commit_file("web.yaml", "v1");
    let folder = tempfile::tempdir().unwrap();
    let (file, public) = key(folder.path(), "app");
    let (stranger, _) = key(folder.path(), "stranger");
    let (github, api) = serve_api(public).await;
    let (url, server) = serve(repository.path().to_owned()).await;
    let place = |file: &str| GitSource {
        github_app: Some(app(file, &api)),
        ..source(&format!("{url}.git"))
    };
    let mut reading_app = reading(&place(&file));
    assert_eq!(reading_app.reader.fetch().await.unwrap().revision().as_str(), commit);
    let commit = repository.commit_file("web.yaml", "v2");
    assert_eq!(reading_app.reader.fetch().await.unwrap().revision().as_str(), commit);
    assert_eq!(
        *github.asked.lock().unwrap(),
        ["/api/v3/app/installations/42/access_tokens"],
        "a token is used again while it lives"
    );
    // A token that the host does not take is given up, and asked for anew.
    *github.token.lock().unwrap() = "revoked";
    let mut revoked = reading(&place(&file));
    let error = revoked.reader.fetch().await.unwrap_err().to_string();
    assert!(error.contains("does not accept the token") && !error.contains("revoked"), "{error}");
    *github.token.lock().unwrap() = "t0ken";
    assert_eq!(revoked.reader.fetch().await.unwrap().revision().as_str(), commit);
    let error = reading(&place(&stranger)).reader.fetch().await.unwrap_err().to_string();
    assert!(error.contains("answered 401: is this the key of the App with that id?"), "{error}");
    let error = reading(&place("/dev/null")).reader.fetch().await.unwrap_err().to_string();
    assert!(error.ends_with("the App's private key is no RSA key in PEM"), "{error}");
    server.abort();
}

/// GitHub's host of repositories: it takes the newest token alone, for as long as that may write.
#[derive(Clone)]
struct Repositories {
    root: PathBuf,
    github: Arc<GitHub>,
    may_write: Arc<Mutex<bool>>,
}

async fn answer(State(host): State<Repositories>, mut request: Request) -> Response {
    let token = *host.github.token.lock().unwrap();
    let shown = request.headers().get("authorization").map(|value| value.to_str().unwrap());
    let basic = aws_smithy_types::base64::encode(format!("x-access-token:{token}"));
    if shown != Some(format!("Basic {basic}").as_str()) {
        return (StatusCode::UNAUTHORIZED, [("www-authenticate", "Basic realm=x")]).into_response();
    }
    if request.uri().to_string().contains("git-receive-pack") && !*host.may_write.lock().unwrap() {
        return (StatusCode::FORBIDDEN, "Write access to repository not granted.").into_response();
    }
    let known = "Basic eC1hY2Nlc3MtdG9rZW46dDBrZW4=".parse().unwrap();
    request.headers_mut().insert("authorization", known);
    backend(State(host.root), request).await
}

#[tokio::test]
async fn an_app_pushes_with_tokens_that_it_is_given_and_gets_a_new_one_in_time() {
    let host = push::Host::new();
    let folder = tempfile::tempdir().unwrap();
    let (file, public) = key(folder.path(), "app");
    let (github, api) = serve_api(public).await;
    let may_write = Arc::new(Mutex::new(true));
    let (root, known) = (host.bare().parent().unwrap().to_owned(), Arc::clone(&github));
    let repositories = Repositories { root, github: known, may_write: Arc::clone(&may_write) };
    let service = axum::Router::new().fallback(answer).with_state(repositories);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/fleet.git", listener.local_addr().unwrap());
    let server = tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    let push = GitPush { github_app: Some(app(&file, &api)), ..GitPush::default() };
    let mut writer = host.writer(&GitSource { push: Some(push), ..source(&url) });
    let asked = || github.asked.lock().unwrap().len();
    for tag in ["v2", "v3"] {
        let written = push::write(&mut writer, tag).await.unwrap();
        assert_eq!((written.commit, host.text("main")), (Some(host.head("main")), push::text(tag)));
    }
    assert_eq!(asked(), 1, "a token is used again while it lives");
    // Its hour is almost over: the host takes another one only.
    *github.token.lock().unwrap() = "second";
    tokio::time::pause();
    tokio::time::advance(Duration::from_mins(51)).await;
    tokio::time::resume();
    push::write(&mut writer, "v4").await.unwrap();
    assert_eq!((asked(), host.text("main")), (2, push::text("v4")));
    // It was taken back before its time: that is noticed, and the next round gets another.
    *github.token.lock().unwrap() = "third";
    let before = host.branches();
    let told = push::write(&mut writer, "v5").await.unwrap_err().to_string();
    assert!(told.contains("does not accept the token") && !told.contains("second"), "{told}");
    assert_eq!(host.branches(), before);
    push::write(&mut writer, "v5").await.unwrap();
    assert_eq!((asked(), host.text("main")), (3, push::text("v5")));
    // The installation may read only.
    *may_write.lock().unwrap() = false;
    let before = host.branches();
    for place in [None, Some("longshore/shop")] {
        let error = push::write_to(&mut writer, (push::FILE, place), "v6").await.unwrap_err();
        assert!(matches!(error, WriteError::Refused { .. }), "{error:?}");
        let told = error.to_string();
        let expected = format!("cannot push to branch {}: ", place.unwrap_or("main"));
        assert!(told.starts_with(&expected) && told.contains("not granted: "), "{told}");
        assert!(told.contains("`Contents: Read and write`") && !told.contains("third"), "{told}");
    }
    assert_eq!(host.branches(), before);
    *may_write.lock().unwrap() = true;
    push::write(&mut writer, "v6").await.unwrap();
    assert_eq!(host.text("main"), push::text("v6"));
    server.abort();
}
