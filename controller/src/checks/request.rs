//! Requests of the providers `http` and `prometheus`.

use std::time::Duration;

use crds::{CheckHeader, HttpCheck, HttpMethod, HumanDuration, PrometheusCheck};
use planner::checks::{Reading, read};
use reqwest::Url;

use super::{Checks, reach};
use crate::config::read_secret;

/// How long an answer may take when the check does not say.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A request, complete.
#[derive(Clone)]
pub struct Request {
    /// How.
    pub method: HttpMethod,
    /// Where.
    pub url: Url,
    /// Its headers; their values may be secrets.
    pub headers: Vec<(String, String)>,
    /// What is sent.
    pub body: Option<String>,
    /// How long the answer may take.
    pub timeout: Duration,
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its body.
    pub body: Vec<u8>,
    /// How long it took.
    pub took: Duration,
}

/// Headers stay out of every log.
impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request").field("method", &self.method).finish_non_exhaustive()
    }
}

pub(super) async fn http(checks: &Checks, check: &HttpCheck) -> Reading {
    let request = prepare(checks, &check.url, &check.headers, check.timeout).map(|request| {
        Request { method: check.method.unwrap_or_default(), body: check.body.clone(), ..request }
    });
    match send(checks, request).await {
        Ok(answer) => read::http(check, answer.status, &answer.body, answer.took.as_secs_f64()),
        Err(why) => Reading::Nothing(why),
    }
}

pub(super) async fn prometheus(checks: &Checks, check: &PrometheusCheck) -> Reading {
    let url = format!("{}/api/v1/query", check.url.trim_end_matches('/'));
    let request = prepare(checks, &url, &check.headers, check.timeout).map(|mut request| {
        request.url.query_pairs_mut().append_pair("query", &check.query);
        request
    });
    match send(checks, request).await {
        Ok(answer) => read::prometheus(answer.status, &answer.body),
        Err(why) => Reading::Nothing(why),
    }
}

async fn send(checks: &Checks, request: Result<Request, String>) -> Result<Answer, String> {
    let request = request?;
    let timeout = request.timeout;
    let answer = tokio::time::timeout(timeout, (checks.inner.send)(request)).await;
    answer.unwrap_or_else(|_| Err(format!("there was no answer within {} s", timeout.as_secs())))
}

fn prepare(
    checks: &Checks,
    url: &str,
    headers: &[CheckHeader],
    timeout: Option<HumanDuration>,
) -> Result<Request, String> {
    let url = Url::parse(url).map_err(|error| format!("the URL cannot be read: {error}"))?;
    reach::may_go_to(&url)?;
    let headers = headers
        .iter()
        .map(|header| Ok((header.name.clone(), value(checks, header, &url)?)))
        .collect::<Result<_, String>>()?;
    let timeout = timeout.map_or(TIMEOUT, HumanDuration::get);
    Ok(Request { method: HttpMethod::Get, url, headers, body: None, timeout })
}

/// A header's value. A credential is only for the hosts that the operator's configuration names, so that whoever writes
/// specs cannot send it elsewhere.
fn value(checks: &Checks, header: &CheckHeader, url: &Url) -> Result<String, String> {
    let Some(name) = &header.credential else {
        return Ok(header.value.clone().unwrap_or_default());
    };
    let credentials = &checks.inner.configured.credentials;
    let found = credentials.iter().find(|credential| credential.name == *name);
    let credential = found.ok_or_else(|| {
        format!("the operator's configuration has no credential `{name}` for checks")
    })?;
    let host = url.host_str().unwrap_or_default();
    if !credential.hosts.iter().any(|allowed| allowed.eq_ignore_ascii_case(host)) {
        return Err(format!("the credential `{name}` is not for the host `{host}`"));
    }
    if url.scheme() != "https" && !reach::is_this_machine(url) {
        return Err(format!("the credential `{name}` is sent by https only"));
    }
    read_secret(&credential.value)
        .map_err(|why| format!("the credential `{name}` cannot be read: {why}"))
}
