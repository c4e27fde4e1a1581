//! Releases over HTTP: which version each of them has chosen, and why.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use crds::{API_VERSION, ObjectKey, ObjectMeta, Provenance, ReleaseStatus};
use http::{StatusCode, Uri};
use serde::Serialize;

use super::App;
use super::api::List;
use super::params::Params;
use super::problem::Problem;
use crate::status_store::{ReleaseObject, SpecText};

/// A release as JSON shows it. Lists leave the spec out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReleaseJson<'a> {
    api_version: &'static str,
    kind: &'static str,
    metadata: &'a ObjectMeta,
    #[serde(skip_serializing_if = "Option::is_none")]
    provenance: Option<&'a Provenance>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spec: Option<&'a SpecText>,
    services: &'a [ObjectKey],
    status: &'a ReleaseStatus,
}

impl<'a> ReleaseJson<'a> {
    fn brief(object: &'a ReleaseObject) -> Self {
        Self {
            api_version: API_VERSION,
            kind: "Release",
            metadata: &object.metadata,
            provenance: object.provenance.as_ref(),
            spec: None,
            services: &object.services,
            status: &object.status,
        }
    }
}

pub(super) async fn releases(State(app): State<App>, uri: Uri) -> Result<Response, Problem> {
    Params::of(&uri, &[])?;
    let releases = app.store().releases();
    let items = releases.iter().map(|object| ReleaseJson::brief(object)).collect();
    Ok(Json(List::whole(items)).into_response())
}

pub(super) async fn release(
    State(app): State<App>,
    path: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, Problem> {
    Params::of(&uri, &[])?;
    let Path(name) =
        path.map_err(|error| Problem::new(StatusCode::BAD_REQUEST, error.body_text()))?;
    let object = name.parse().ok().and_then(|name| app.store().release(&name));
    let object = object.ok_or_else(|| {
        Problem::not_found(format!("there is no release `{name}`"))
            .hint("GET /api/v1/releases lists those that there are")
    })?;
    let whole = ReleaseJson { spec: Some(&object.spec), ..ReleaseJson::brief(&object) };
    Ok(Json(whole).into_response())
}
