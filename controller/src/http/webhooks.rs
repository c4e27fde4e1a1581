//! `POST /webhooks/{provider}/{source}`: what a request has to pass, and the answer. What it means is decided in
//! [`crate::webhooks`].

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use crds::WebhookProvider;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::json;

use super::App;
use super::problem::Problem;
use crate::webhooks::{BODY_MAX, Received, Refused};

/// The folder of webhooks, whose calls are judged by their own secrets.
pub(super) const FOLDER: &str = "/webhooks/";

pub(super) async fn receive(
    State(app): State<App>,
    path: Result<Path<(String, String)>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let Ok(Path((provider, source))) = path else { return refused(Refused::Unknown) };
    let provider =
        WebhookProvider::ALL.into_iter().find(|known| known.as_str() == provider.as_str());
    let response = match provider {
        Some(provider) => take(&app, provider, &source, &headers, body).await,
        None => refused(Refused::Unknown),
    };
    app.0.state.metrics.webhook_answered(provider, response.status().as_u16());
    response
}

async fn take(
    app: &App,
    provider: WebhookProvider,
    source: &str,
    headers: &HeaderMap,
    body: Body,
) -> Response {
    let caller = match app.0.state.webhooks.admit(provider, source) {
        Ok(caller) => caller,
        Err(why) => return refused(why),
    };
    let Ok(body) = to_bytes(body, BODY_MAX).await else { return too_large() };
    match caller.receive(headers, &body, app.store().now()) {
        Ok(received) => {
            tracing::info!(provider = provider.as_str(), source, ?received, "webhook received");
            let result = match received {
                Received::Woken => "woken",
                Received::NotConcerned => "notConcerned",
                Received::NoChange => "noChange",
            };
            (StatusCode::ACCEPTED, Json(json!({ "result": result }))).into_response()
        }
        Err(why) => {
            tracing::warn!(provider = provider.as_str(), source, ?why, "webhook refused");
            refused(why)
        }
    }
}

fn too_large() -> Response {
    let detail = format!("the body cannot be read or is larger than {BODY_MAX} bytes");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail).into_response()
}

fn refused(why: Refused) -> Response {
    match why {
        Refused::Unknown => Problem::not_found("there is no such webhook").into_response(),
        Refused::Unsigned => Problem::new(
            StatusCode::UNAUTHORIZED,
            "the call is not signed with the secret of this webhook",
        )
        .into_response(),
        Refused::Replayed => {
            Problem::new(StatusCode::CONFLICT, "the call was received before").into_response()
        }
        Refused::TooMany => {
            let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "there are too many calls");
            let mut response = problem.into_response();
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
            response
        }
    }
}
