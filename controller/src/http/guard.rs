//! What every request passes: its time limit, the rule about names, the token, and the headers that keep pages safe.

use std::net::IpAddr;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header, uri::Authority};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::App;
use super::auth::Access;
use super::page;
use super::problem::Problem;
use super::webhooks;

/// How long an answer may take until its headers are there.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Nothing but our own files, no inline script or style, no frame around us.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

pub(super) async fn limit_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "the server is too busy to answer in time",
        )
        .into_response(),
    }
}

pub(super) async fn add_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut set = |name, value| headers.insert(name, HeaderValue::from_static(value));
    set(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    let resource_policy = header::HeaderName::from_static("cross-origin-resource-policy");
    headers.entry(resource_policy).or_insert(HeaderValue::from_static("same-origin"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Browsers get a page for a refusal, programs its JSON.
pub(super) async fn show_problems(
    State(app): State<App>,
    request: Request,
    next: Next,
) -> Response {
    let shows_page = wants_page(request.headers(), request.uri());
    let mut response = next.run(request).await;
    match response.extensions_mut().remove::<Problem>() {
        Some(problem) if shows_page => page::problem(&app, &problem, response),
        Some(_) | None => response,
    }
}

/// A site that makes its own name point to loopback (DNS rebinding) would otherwise read every status through the
/// browser of somebody who visits it.
pub(super) async fn check_host(State(app): State<App>, request: Request, next: Next) -> Response {
    if matches!(app.0.state.access, Access::Loopback)
        && let Err(problem) = loopback_host(request.headers(), request.uri())
    {
        return problem.into_response();
    }
    next.run(request).await
}

fn loopback_host(headers: &HeaderMap, uri: &Uri) -> Result<(), Problem> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let given = hosts.next().and_then(|host| host.to_str().ok());
    let refused = |detail: String| {
        Problem::new(StatusCode::FORBIDDEN, detail).hint(
            "use http://localhost or a loopback address; to serve other names, set `http.auth.token`",
        )
    };
    let (Some(host), None) = (given, hosts.next()) else {
        return Err(refused("the request does not say which host it is for".to_owned()));
    };
    let is_loopback =
        |host: &str| host.parse::<Authority>().is_ok_and(|host| is_loopback_name(host.host()));
    if !is_loopback(host) || uri.authority().is_some_and(|host| !is_loopback_name(host.host())) {
        return Err(refused(format!("host `{host}` is not a name of this machine's loopback")));
    }
    Ok(())
}

fn is_loopback_name(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.ends_with(".localhost")
        || address.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

/// Lets those through who have the token, where there is one; people are led to the form.
pub(super) async fn check_token(State(app): State<App>, request: Request, next: Next) -> Response {
    let Access::Token(access) = &app.0.state.access else { return next.run(request).await };
    if is_open(request.uri().path()) || access.admits(request.headers()) {
        return next.run(request).await;
    }
    if request.method() == Method::GET && wants_page(request.headers(), request.uri()) {
        let back = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let back = utf8_percent_encode(back, NON_ALPHANUMERIC);
        return Redirect::to(&format!("/login?next={back}")).into_response();
    }
    let problem = Problem::new(StatusCode::UNAUTHORIZED, "the request carries no valid token")
        .hint("send `Authorization: Bearer <token>`");
    ([(header::WWW_AUTHENTICATE, "Bearer realm=\"longshore\"")], problem).into_response()
}

/// What needs no token: the probes, what the form itself needs, and webhooks, which have secrets of their own.
fn is_open(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz" | "/login")
        || path.starts_with("/assets/")
        || path.starts_with(webhooks::FOLDER)
}

/// Whether a browser asks for something that people look at.
fn wants_page(headers: &HeaderMap, uri: &Uri) -> bool {
    let accepts = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    let is_machines = matches!(uri.path(), "/healthz" | "/readyz" | "/metrics" | "/openapi.json")
        || ["/api/", "/badge/", "/sd/", webhooks::FOLDER]
            .iter()
            .any(|folder| uri.path().starts_with(folder));
    accepts && !is_machines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_loopback_are_loopback_names() {
        for host in [
            "localhost",
            "LOCALHOST",
            "localhost.",
            "app.localhost",
            "127.0.0.1",
            "127.8.9.1",
            "[::1]",
            "::1",
        ] {
            assert!(is_loopback_name(host), "{host}");
        }
        for host in [
            "example.com",
            "localhost.example.com",
            "evil-localhost",
            "0.0.0.0",
            "192.168.1.1",
            "[::]",
            "",
            "127.0.0.1.nip.io",
        ] {
            assert!(!is_loopback_name(host), "{host}");
        }
    }
}
