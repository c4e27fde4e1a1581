//! Which path leads where, and what every request passes on its way.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::IntoResponse as _;
use axum::routing::{get, post};
use http::{StatusCode, Uri};
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::trace::TraceLayer;

use super::problem::Problem;
use super::{
    App, State, api, assets, badge, discovery, guard, openapi, orders, page, reads, releases,
    watch, webhooks,
};

/// How large a request's body may be: those that are read are the sign-in form and orders.
const BODY_MAX: usize = 16 * 1024;

/// Everything that the server answers. `shutdown` ends the streams that would otherwise never end.
pub fn router(state: State, shutdown: CancellationToken) -> Router {
    let app = App::new(state, shutdown);
    Router::new()
        .route("/healthz", get(api::healthz))
        .route("/readyz", get(api::readyz))
        .route("/metrics", get(api::metrics))
        .route("/openapi.json", get(openapi::document))
        .route("/api/v1/services", get(api::services))
        .route("/api/v1/services/{cluster}/{name}", get(api::service))
        .route("/api/v1/services/{cluster}/{name}/diff", get(reads::diff))
        .route("/api/v1/services/{cluster}/{name}/history", get(orders::history))
        .route("/api/v1/services/{cluster}/{name}/events", get(api::service_events))
        .merge(orders::routes())
        .route("/api/v1/sources", get(api::sources))
        .route("/api/v1/releases", get(releases::releases))
        .route("/api/v1/releases/{name}", get(releases::release))
        .route("/api/v1/events", get(api::events))
        .route("/api/v1/watch", get(watch::watch))
        .route("/webhooks/{provider}/{source}", post(webhooks::receive))
        .route("/badge/{cluster}/{file}", get(badge::badge))
        .route("/sd/prometheus", get(discovery::prometheus))
        .route("/", get(page::overview))
        .route("/services/{cluster}/{name}", get(page::service))
        .route("/login", get(page::login_form).post(page::sign_in))
        .route("/logout", post(page::sign_out))
        .route("/assets/{name}", get(assets::asset))
        .fallback(unknown_path)
        .method_not_allowed_fallback(unknown_method)
        // The last layer is the first that a request meets.
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(from_fn_with_state(app.clone(), guard::check_token))
        .layer(from_fn_with_state(app.clone(), guard::check_host))
        .layer(from_fn(guard::limit_time))
        .layer(CatchPanicLayer::custom(|_| Problem::internal().into_response()))
        .layer(from_fn_with_state(app.clone(), guard::show_problems))
        .layer(from_fn(guard::add_headers))
        .layer(CompressionLayer::new())
        .layer(TraceLayer::new_for_http())
        .with_state(app)
}

async fn unknown_path(uri: Uri) -> Problem {
    Problem::not_found(format!("there is nothing at `{}`", uri.path()))
        .hint("GET /openapi.json describes what there is")
}

async fn unknown_method(request: Request) -> Problem {
    let detail = format!("`{}` does not take {}", request.uri().path(), request.method());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail)
}
