//! The JSON API. Every answer is taken from one moment of the status board.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use crds::{
    API_VERSION, Generation, InvalidObject, ObjectKey, ObjectMeta, Provenance, ServiceStatus,
};
use http::{HeaderMap, StatusCode, Uri, header};
use serde::Serialize;

use super::App;
use super::metrics::Exposition;
use super::params::{LIST, Params, continue_after};
use super::problem::Problem;
use crate::references::ToldReference;
use crate::status_store::{Event, ServiceObject, SourceObject, SpecText};

/// How many events are given when nobody says how many, and at most.
const EVENTS_DEFAULT: usize = 100;
const EVENTS_MAX: usize = 1000;

/// A service as JSON shows it. Lists and watches leave the spec out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ServiceJson<'a> {
    api_version: &'static str,
    kind: &'static str,
    key: &'a ObjectKey,
    metadata: &'a ObjectMeta,
    #[serde(skip_serializing_if = "Option::is_none")]
    generation: Option<Generation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provenance: Option<&'a Provenance>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spec: Option<&'a SpecText>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    references: Vec<ToldReference>,
    status: &'a ServiceStatus,
    invalid: &'a [InvalidObject],
}

impl<'a> ServiceJson<'a> {
    /// Everything but the spec.
    pub(super) fn brief(object: &'a ServiceObject) -> Self {
        Self {
            api_version: API_VERSION,
            kind: "Service",
            key: &object.key,
            metadata: &object.metadata,
            generation: None,
            provenance: object.provenance.as_ref(),
            spec: None,
            references: Vec::new(),
            status: &object.status,
            invalid: &object.invalid,
        }
    }

    /// Everything. A generation above the observed one says that the status tells of an older spec.
    fn whole(
        object: &'a ServiceObject,
        generation: Option<Generation>,
        references: Vec<ToldReference>,
    ) -> Self {
        Self { generation, spec: Some(&object.spec), references, ..Self::brief(object) }
    }
}

/// A source as JSON shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SourceJson<'a> {
    #[serde(flatten)]
    source: &'a SourceObject,
    #[serde(skip_serializing_if = "Option::is_none")]
    age_seconds: Option<i64>,
}

impl<'a> SourceJson<'a> {
    pub(super) fn new(source: &'a SourceObject, now: jiff::Timestamp) -> Self {
        Self { source, age_seconds: source.age_seconds(now) }
    }
}

#[derive(Serialize)]
pub(super) struct List<T> {
    items: Vec<T>,
    metadata: ListMetadata,
}

#[derive(Default, Serialize)]
struct ListMetadata {
    total: usize,
    #[serde(rename = "continue", skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// Where a watch goes on from this list.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
}

impl<T> List<T> {
    pub(super) fn whole(items: Vec<T>) -> Self {
        let metadata = ListMetadata { total: items.len(), ..ListMetadata::default() };
        Self { items, metadata }
    }
}

pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

pub(super) async fn readyz(State(app): State<App>) -> Response {
    let readiness = app.store().readiness();
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness)).into_response()
}

pub(super) async fn metrics(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let form = Exposition::accepted_by(accept);
    let text = app.0.state.metrics.expose(form).map_err(|_| Problem::internal())?;
    Ok(([(header::CONTENT_TYPE, form.content_type())], text).into_response())
}

pub(super) async fn services(State(app): State<App>, uri: Uri) -> Result<Response, Problem> {
    let query = Params::of(&uri, &LIST)?.query()?;
    let page = app.store().list(&query);
    let list = List {
        items: page.items.iter().map(|object| ServiceJson::brief(object)).collect(),
        metadata: ListMetadata {
            total: page.total,
            next: page.after.as_ref().map(continue_after),
            version: Some(page.version.to_string()),
        },
    };
    Ok(Json(list).into_response())
}

pub(super) async fn service(
    State(app): State<App>,
    path: Result<Path<(String, String)>, PathRejection>,
    uri: Uri,
) -> Result<Response, Problem> {
    let object = find(&app, path, &uri, &["target"])?.0;
    let reads = app.reads().ok();
    let generation = reads.and_then(|reads| reads.generation(&object.key));
    let references = reads.map(|reads| reads.references(&object.key)).unwrap_or_default();
    Ok(Json(ServiceJson::whole(&object, generation, references)).into_response())
}

pub(super) async fn service_events(
    State(app): State<App>,
    path: Result<Path<(String, String)>, PathRejection>,
    uri: Uri,
) -> Result<Response, Problem> {
    let (object, params) = find(&app, path, &uri, &["target", "limit"])?;
    let limit = params.limit(EVENTS_DEFAULT, EVENTS_MAX)?;
    Ok(events_json(&app.store().events_of(&object.key, limit)))
}

pub(super) async fn events(State(app): State<App>, uri: Uri) -> Result<Response, Problem> {
    let limit = Params::of(&uri, &["limit"])?.limit(EVENTS_DEFAULT, EVENTS_MAX)?;
    Ok(events_json(&app.store().events(limit)))
}

fn events_json(events: &[Arc<Event>]) -> Response {
    Json(List::whole(events.iter().map(Arc::as_ref).collect())).into_response()
}

pub(super) async fn sources(State(app): State<App>, uri: Uri) -> Result<Response, Problem> {
    Params::of(&uri, &[])?;
    let sources = app.store().sources();
    let now = app.store().now();
    let items = sources.iter().map(|source| SourceJson::new(source, now)).collect();
    Ok(Json(List::whole(items)).into_response())
}

/// The one service that a path and `?target=` name, with the query's parameters.
pub(super) fn find(
    app: &App,
    path: Result<Path<(String, String)>, PathRejection>,
    uri: &Uri,
    known: &[&str],
) -> Result<(Arc<ServiceObject>, Params), Problem> {
    let params = Params::of(uri, known)?;
    let target = params.target()?;
    let Path((cluster, name)) =
        path.map_err(|error| Problem::new(StatusCode::BAD_REQUEST, error.body_text()))?;
    let unknown = || Problem::not_found(format!("there is no service `{cluster}/{name}`"));
    let (Ok(cluster), Ok(name)) = (cluster.parse(), name.parse()) else { return Err(unknown()) };
    let mut found = app.store().named(&cluster, &name);
    if let Some(target) = &target {
        found.retain(|object| object.key.target == *target);
    }
    match <[Arc<ServiceObject>; 1]>::try_from(found) {
        Ok([object]) => Ok((object, params)),
        Err(found) if found.is_empty() => {
            Err(unknown().hint("GET /api/v1/services lists those that there are"))
        }
        Err(found) => {
            let targets = found.iter().map(|object| object.key.target.to_string());
            let detail = format!("`{cluster}/{name}` runs at more than one target");
            Err(Problem::new(StatusCode::CONFLICT, detail)
                .allowed(targets)
                .hint("say which one with `?target=`"))
        }
    }
}
