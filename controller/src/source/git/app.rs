//! A GitHub App: its private key signs a token for GitHub's API, which gives out one that reads repositories for an hour.

use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use crds::{GithubApp, SecretFrom};
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use super::url::{Remote, Transport};
use crate::clock::Clock;
use crate::source::SourceError;

const GITHUB: &str = "https://api.github.com";
/// How long GitHub may take to answer.
const ANSWER_TIME: Duration = Duration::from_secs(30);
/// Tokens live for an hour; one that is older than this is not used for a fetch any more.
const TOKEN_AGE_MAX: Duration = Duration::from_mins(50);
/// GitHub takes ten minutes at most, and its clock may be behind ours.
const SIGNED_SECONDS: i64 = 9 * 60;
const CLOCK_SKEW_SECONDS: i64 = 60;
/// More of an answer is not read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// An App's installation, with the token that it holds at the moment.
pub(super) struct App {
    id: String,
    url: String,
    private_key: SecretFrom,
    held: Option<(String, Instant)>,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("id", &self.id).field("url", &self.url).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Answer {
    token: String,
}

impl App {
    pub(super) fn new(app: &GithubApp) -> Result<Self, String> {
        let api = app.api.as_deref().unwrap_or(GITHUB).trim_end_matches('/');
        match Remote::parse(api)?.transport {
            Transport::Https { .. } | Transport::Http { is_loopback: true, .. } => {}
            Transport::Http { .. } | Transport::Ssh | Transport::Local { .. } => {
                return Err("githubApp.api has to be an https URL".to_owned());
            }
        }
        Ok(Self {
            id: app.app_id.clone(),
            url: format!("{api}/app/installations/{}/access_tokens", app.installation_id),
            private_key: app.private_key.clone(),
            held: None,
        })
    }

    /// Where the private key is.
    pub(super) fn private_key(&self) -> &SecretFrom {
        &self.private_key
    }

    /// Forgets the token, because the repository's host does not take it.
    pub(super) fn forget(&mut self) {
        self.held = None;
    }

    /// A token that reads the repositories of the installation.
    pub(super) async fn token(&mut self, key: &str, place: &str) -> Result<String, SourceError> {
        if let Some((token, since)) = &self.held
            && since.elapsed() < TOKEN_AGE_MAX
        {
            return Ok(token.clone());
        }
        let since = Instant::now();
        let failed = |reason: String| SourceError::Secret {
            secret: "GitHub App's token",
            place: place.to_owned(),
            reason,
        };
        let signed = signed(&self.id, key, Clock::System.now().as_second()).map_err(failed)?;
        let token = ask(&self.url, &signed).await.map_err(failed)?;
        self.held = Some((token.clone(), since));
        Ok(token)
    }
}

/// Asks for a token; the error never has one.
async fn ask(url: &str, signed: &str) -> Result<String, String> {
    let failed =
        |error: reqwest::Error| format!("cannot ask {url}: {}", crate::error_chain(&error));
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(ANSWER_TIME)
        .user_agent(concat!("longshore/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(failed)?;
    let mut answer = client
        .post(url)
        .bearer_auth(signed)
        .header("accept", "application/vnd.github+json")
        .header("x-github-api-version", "2022-11-28")
        .send()
        .await
        .map_err(failed)?;
    let status = answer.status();
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(failed)? {
        body.extend_from_slice(&part);
        if body.len() > ANSWER_BYTES_MAX {
            return Err(format!("{url} answered more than {ANSWER_BYTES_MAX} bytes"));
        }
    }
    match (status.as_u16(), serde_json::from_slice::<Answer>(&body)) {
        (201, Ok(answer)) => Ok(answer.token),
        (201, Err(_)) => Err(format!("{url} answered without a token")),
        (401, _) => Err(format!("{url} answered 401: is this the key of the App with that id?")),
        (404, _) => Err(format!("{url} answered 404: the App has no installation of that id")),
        (other, _) => Err(format!("{url} answered {other}")),
    }
}

/// What an App shows GitHub: a JSON web token, signed with RSA and SHA-256.
fn signed(app: &str, key: &str, now: i64) -> Result<String, String> {
    let key = key_pair(key)?;
    let header = json!({ "alg": "RS256", "typ": "JWT" });
    let claims =
        json!({ "iat": now - CLOCK_SKEW_SECONDS, "exp": now + SIGNED_SECONDS, "iss": app });
    let text = format!("{}.{}", url_safe(&header.to_string()), url_safe(&claims.to_string()));
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
        .map_err(|_| "the App's private key cannot sign".to_owned())?;
    Ok(format!("{text}.{}", url_safe(signature)))
}

fn url_safe(bytes: impl AsRef<[u8]>) -> String {
    let text = aws_smithy_types::base64::encode(bytes);
    text.trim_end_matches('=').replace('+', "-").replace('/', "_")
}

/// The key of a PEM file, in the form that GitHub gives out or in PKCS #8.
fn key_pair(pem: &str) -> Result<RsaKeyPair, String> {
    let unreadable = "the App's private key is no RSA key in PEM";
    let (kind, rest) = pem
        .trim()
        .strip_prefix("-----BEGIN ")
        .and_then(|rest| rest.split_once("-----"))
        .ok_or(unreadable)?;
    let body = rest.split("-----END").next().unwrap_or_default();
    let body: String = body.split_ascii_whitespace().collect();
    let der = aws_smithy_types::base64::decode(body).map_err(|_| unreadable)?;
    let pair = match kind {
        "RSA PRIVATE KEY" => RsaKeyPair::from_der(&der),
        "PRIVATE KEY" => RsaKeyPair::from_pkcs8(&der),
        _ => return Err(unreadable.to_owned()),
    };
    pair.map_err(|_| unreadable.to_owned())
}
