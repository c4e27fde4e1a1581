//! The pages: drawn on the server from one moment of the board, so that they are whole without any script.
//!
//! The script only follows the watch and asks for the same page again when something changed; there is one way in which a
//! row is drawn, and it is here.

mod moment;
mod outline;
mod overview;
mod releases;
mod scaling;
mod service;
mod view;

use std::time::Duration;

use askama::Template;
use axum::extract::rejection::{FormRejection, PathRejection};
use axum::extract::{Form, Path, Query, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use serde::Deserialize;

use super::App;
use super::api::find;
use super::auth::{Access, cookie};
use super::params::{LIST, Params};
use super::problem::Problem;
use view::Chrome;

/// How long the answer to a wrong token is held back, so that guessing is slow.
const GUESS_PAUSE: Duration = Duration::from_millis(500);

pub(super) async fn overview(State(app): State<App>, uri: Uri) -> Result<Response, Problem> {
    let query = Params::of(&uri, &LIST)?.query()?;
    render(&overview::draw(&app, &query))
}

pub(super) async fn service(
    State(app): State<App>,
    path: Result<Path<(String, String)>, PathRejection>,
    uri: Uri,
) -> Result<Response, Problem> {
    let (object, _) = find(&app, path, &uri, &["target"])?;
    render(&service::draw(&app, &object))
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    chrome: Chrome,
    problem: &'a Problem,
}

/// The page in place of a refusal's JSON, with everything else of the refusal kept.
pub(super) fn problem(app: &App, problem: &Problem, refusal: Response) -> Response {
    let page = ProblemPage { chrome: Chrome::new(app, problem.title), problem };
    let Ok(html) = page.render() else { return refusal };
    let mut response = (problem.status, Html(html)).into_response();
    for (name, value) in refusal.headers() {
        if *name != header::CONTENT_TYPE && *name != header::CONTENT_LENGTH {
            response.headers_mut().append(name.clone(), value.clone());
        }
    }
    response
}

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    chrome: Chrome,
    next: String,
    refused: bool,
}

/// Where to go after signing in.
#[derive(Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    next: String,
}

pub(super) async fn login_form(State(app): State<App>, Query(back): Query<Next>) -> Response {
    if matches!(app.0.state.access, Access::Loopback) {
        return Redirect::to("/").into_response();
    }
    login_page(&app, &back.next, StatusCode::OK)
}

fn login_page(app: &App, next: &str, status: StatusCode) -> Response {
    let refused = status == StatusCode::UNAUTHORIZED;
    let chrome = Chrome::new(app, "Sign in");
    match render(&LoginPage { chrome, next: local_path(next).to_owned(), refused }) {
        Ok(page) => (status, page).into_response(),
        Err(problem) => problem.into_response(),
    }
}

#[derive(Deserialize)]
pub(super) struct Credentials {
    #[serde(default)]
    token: String,
    #[serde(default)]
    next: String,
}

pub(super) async fn sign_in(
    State(app): State<App>,
    headers: HeaderMap,
    form: Result<Form<Credentials>, FormRejection>,
) -> Result<Response, Problem> {
    let Form(given) = form.map_err(|error| Problem::new(error.status(), error.body_text()))?;
    let Access::Token(access) = &app.0.state.access else {
        return Ok(Redirect::to("/").into_response());
    };
    refuse_other_sites(&headers)?;
    let Some(session) = access.sign_in(given.token.trim()) else {
        tracing::warn!("somebody typed a wrong token into the sign-in form");
        tokio::time::sleep(GUESS_PAUSE).await;
        return Ok(login_page(&app, &given.next, StatusCode::UNAUTHORIZED));
    };
    let cookie = cookie(Some(&session), is_https(&headers));
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(local_path(&given.next))).into_response())
}

pub(super) async fn sign_out(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    refuse_other_sites(&headers)?;
    if let Access::Token(access) = &app.0.state.access {
        access.sign_out(&headers);
    }
    let cookie = cookie(None, is_https(&headers));
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/login")).into_response())
}

/// A form on another site must not sign anybody in or out.
fn refuse_other_sites(headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let by_site = text("sec-fetch-site").is_none_or(|site| matches!(site, "same-origin" | "none"));
    let by_origin = text("origin").is_none_or(|origin| {
        let host = text("host").unwrap_or_default();
        // Our own policy of sending no referrer makes browsers send `null`.
        origin == "null" || origin.split_once("://").is_some_and(|(_, origin)| origin == host)
    });
    if by_site && by_origin {
        Ok(())
    } else {
        Err(Problem::new(StatusCode::FORBIDDEN, "the form was sent from another site"))
    }
}

/// Whether the proxy before us says that the browser came by https.
fn is_https(headers: &HeaderMap) -> bool {
    headers.get("x-forwarded-proto").is_some_and(|scheme| scheme == "https")
}

/// The path when it is one of ours, else the overview: a link must not lead people elsewhere after they have signed in.
fn local_path(next: &str) -> &str {
    let stays = next.starts_with('/')
        && !next.starts_with("//")
        && next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if stays { next } else { "/" }
}

fn render(page: &impl Template) -> Result<Response, Problem> {
    match page.render() {
        Ok(html) => Ok(Html(html).into_response()),
        Err(error) => {
            tracing::error!(%error, "cannot render a page");
            Err(Problem::internal())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_paths_are_gone_back_to() {
        assert_eq!(local_path("/services/shop/api?target=eu"), "/services/shop/api?target=eu");
        for next in [
            "",
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "/a\nb",
            "javascript:x",
        ] {
            assert_eq!(local_path(next), "/", "{next:?}");
        }
    }
}
