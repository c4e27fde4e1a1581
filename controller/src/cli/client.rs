//! Speaks with a running operator over its HTTP API.
//!
//! What comes in: `--server`, and a token from the environment or a file. What leaves: JSON, or an error that reads as a
//! sentence. What must hold: the token goes to that server only and is never printed; every wait ends.

mod error;
mod name;
mod stream;
mod view;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use crds::{ObjectKey, SecretFrom};
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde::de::DeserializeOwned;
use serde_json::Value;

pub(super) use error::ClientError;
pub(super) use name::NameArgument;
pub(super) use stream::{Happening, Stream};
pub(super) use view::{EventView, ReleaseView, RolloutView, ServiceView, SourceView, short};

use crate::config;

/// How long the connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an answer may take; the server itself gives up after ten seconds.
const ANSWER: Duration = Duration::from_secs(30);
/// How long a stream may be silent: the server sends something every 15 s.
const SILENCE: Duration = Duration::from_secs(45);
/// How large an answer may be; the largest is a page of 500 services.
const ANSWER_MAX: usize = 64 << 20;
/// How many services a page has, and how many pages are read at most.
const PAGE: &str = "500";
const PAGES_MAX: usize = 100;

/// Which operator is talked to.
#[derive(Debug, Clone, Args)]
pub(super) struct ServerArguments {
    /// The operator to talk to. If it wants a token: the variable `LONGSHORE_TOKEN`, or --token-file.
    #[arg(
        long,
        value_name = "URL",
        env = "LONGSHORE_SERVER",
        default_value = "http://127.0.0.1:8080",
        hide_env_values = true
    )]
    server: String,
    /// A file with the token, read in the place of `LONGSHORE_TOKEN`.
    #[arg(long, value_name = "FILE", env = "LONGSHORE_TOKEN_FILE")]
    token_file: Option<PathBuf>,
}

impl ServerArguments {
    /// A client for that operator; nothing is sent yet.
    pub(super) fn client(&self) -> anyhow::Result<Client> {
        let server = server(&self.server)?;
        let token = match &self.token_file {
            Some(file) => {
                let file = file.display().to_string();
                let from = SecretFrom { env: None, file: Some(file) };
                Some(config::read_secret(&from).map_err(anyhow::Error::msg)?)
            }
            None => config::environment("LONGSHORE_TOKEN").map(|token| token.trim().to_owned()),
        };
        let mut builder = reqwest::Client::builder()
            .redirect(Policy::none())
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .user_agent(concat!("longshore/", env!("CARGO_PKG_VERSION")));
        if is_loopback(&server) {
            builder = builder.no_proxy();
        }
        if server.scheme() == "http" {
            // Without TLS the machine's certificates are not needed, and a container may have none.
            builder = builder.tls_certs_only([]);
        }
        let http = builder.build().context("cannot prepare the HTTP client")?;
        let token = token.filter(|token| !token.is_empty());
        Ok(Client { http, server, token })
    }
}

/// The address, checked: a URL with credentials in it would end up in messages.
fn server(text: &str) -> anyhow::Result<Url> {
    let with_scheme = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let Ok(mut server) = Url::parse(&with_scheme) else {
        bail!("cannot use --server: write a URL, as `http://127.0.0.1:8080`");
    };
    if !server.username().is_empty() || server.password().is_some() {
        bail!("cannot use --server with credentials in it: set LONGSHORE_TOKEN instead");
    }
    if !matches!(server.scheme(), "http" | "https") || !server.has_host() {
        bail!("cannot use --server `{text}`: write an http or https URL");
    }
    server.set_query(None);
    server.set_fragment(None);
    Ok(server)
}

fn is_loopback(server: &Url) -> bool {
    let host = server.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A running operator, as its API shows it.
pub(super) struct Client {
    http: reqwest::Client,
    server: Url,
    token: Option<String>,
}

impl Client {
    /// The JSON at a path.
    pub(super) async fn get(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Value, ClientError> {
        let request = self.request(Method::GET, path, query).timeout(ANSWER);
        self.json(self.send(request).await?).await
    }

    /// Posts JSON and gives the answer.
    pub(super) async fn post(
        &self,
        path: &str,
        query: &[(&str, &str)],
        body: &Value,
    ) -> Result<Value, ClientError> {
        let request = self.request(Method::POST, path, query).timeout(ANSWER).json(body);
        self.json(self.send(request).await?).await
    }

    /// Follows what happens from a version of the board on.
    pub(super) async fn watch(&self, since: &str) -> Result<Stream, ClientError> {
        let request = self.request(Method::GET, "/api/v1/watch", &[("since", since)]);
        Ok(Stream::new(self.send(request).await?, self.server.to_string()))
    }

    /// The board's version now: where a watch can start.
    pub(super) async fn version(&self) -> Result<String, ClientError> {
        let list = self.get("/api/v1/services", &[("limit", "1")]).await?;
        let version = list.pointer("/metadata/version").and_then(Value::as_str);
        version.map(str::to_owned).ok_or_else(|| self.strange("a list without a version"))
    }

    /// All services that match, every page.
    pub(super) async fn services(&self, query: &[(&str, &str)]) -> Result<Vec<Value>, ClientError> {
        let (mut services, mut next) = (Vec::new(), String::new());
        for _ in 0..PAGES_MAX {
            let mut page_query = query.to_vec();
            page_query.extend([("limit", PAGE), ("continue", next.as_str())]);
            let mut page = self.get("/api/v1/services", &page_query).await?;
            match page.pointer_mut("/items").map(Value::take) {
                Some(Value::Array(items)) => services.extend(items),
                Some(_) | None => return Err(self.strange("a list without items")),
            }
            match page.pointer("/metadata/continue").and_then(Value::as_str) {
                Some(place) => place.clone_into(&mut next),
                None => return Ok(services),
            }
        }
        Err(self.strange("a list without end"))
    }

    /// What is below the path of one service.
    pub(super) async fn of_service(
        &self,
        key: &ObjectKey,
        below: &str,
    ) -> Result<Value, ClientError> {
        self.get(&service_path(key, below), &[("target", key.target.as_str())]).await
    }

    /// The value as one of our types.
    pub(super) fn read<T: DeserializeOwned>(&self, value: &Value) -> Result<T, ClientError> {
        T::deserialize(value).map_err(|error| self.strange(&error.to_string()))
    }

    fn request(&self, method: Method, path: &str, query: &[(&str, &str)]) -> RequestBuilder {
        let mut url = self.server.clone();
        url.set_path(&format!("{}{path}", self.server.path().trim_end_matches('/')));
        let given = query.iter().filter(|(_, value)| !value.is_empty());
        if given.clone().next().is_some() {
            url.query_pairs_mut().extend_pairs(given);
        }
        let request = self.http.request(method, url);
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        let unreachable = |error| ClientError::unreachable(self.server.as_str(), &error);
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        if status == StatusCode::UNAUTHORIZED {
            let server = self.server.to_string();
            return Err(ClientError::Unauthorized { server, has_token: self.token.is_some() });
        }
        let body = self.body(response).await?;
        Err(ClientError::refused(self.server.as_str(), status, &body))
    }

    async fn json(&self, response: Response) -> Result<Value, ClientError> {
        let body = self.body(response).await?;
        serde_json::from_slice(&body).map_err(|_| self.strange("an answer that is not JSON"))
    }

    async fn body(&self, mut response: Response) -> Result<Vec<u8>, ClientError> {
        let unreachable = |error| ClientError::unreachable(self.server.as_str(), &error);
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            body.extend_from_slice(&chunk);
            if body.len() > ANSWER_MAX {
                return Err(self.strange("an answer without end"));
            }
        }
        Ok(body)
    }

    fn strange(&self, what: &str) -> ClientError {
        ClientError::Strange { server: self.server.to_string(), what: what.to_owned() }
    }
}

/// The path of a service in the API. The parts of a key need no escaping.
pub(super) fn service_path(key: &ObjectKey, below: &str) -> String {
    format!("/api/v1/services/{}/{}{below}", key.cluster, key.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_a_url_without_credentials() {
        for (text, expected) in [
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/"),
            ("localhost:8080", "http://localhost:8080/"),
            ("https://ops.example/longshore/", "https://ops.example/longshore/"),
            ("https://ops.example/?x=1#y", "https://ops.example/"),
        ] {
            assert_eq!(server(text).unwrap().as_str(), expected);
        }
        for text in ["", "ftp://host", "http://", "http://user:s3cret@host", "unix:///socket"] {
            let error = server(text).unwrap_err().to_string();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn loopback_is_reached_without_a_proxy() {
        for (text, expected) in [
            ("http://127.0.0.1:1", true),
            ("http://[::1]:1", true),
            ("http://localhost", true),
            ("http://10.0.0.1", false),
            ("http://localhost.example", false),
        ] {
            assert_eq!(is_loopback(&server(text).unwrap()), expected, "{text}");
        }
    }
}
