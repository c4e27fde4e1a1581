//! `/openapi.json`: the paths are written by hand, the shapes of status are those of the Rust types.

use std::sync::LazyLock;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::App;
use super::problem::Problem;

static PATHS: &str = include_str!("openapi.json");

pub(super) async fn document(State(app): State<App>) -> Result<Response, Problem> {
    static DOCUMENT: LazyLock<Option<Value>> = LazyLock::new(build);
    let mut document = DOCUMENT.clone().ok_or_else(Problem::internal)?;
    if let Some(info) = document.get_mut("info").and_then(Value::as_object_mut) {
        info.insert("version".to_owned(), app.0.state.version.into());
    }
    Ok(([(header::CONTENT_TYPE, "application/json")], document.to_string()).into_response())
}

/// The hand-written document with the generated shapes put in; a test proves that there always is one.
fn build() -> Option<Value> {
    let mut document: Value = serde_json::from_str(PATHS).ok()?;
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    generator.subschema_for::<crds::ServiceStatus>();
    generator.subschema_for::<crds::ObjectMeta>();
    generator.subschema_for::<crds::Provenance>();
    generator.subschema_for::<crds::PastRelease>();
    generator.subschema_for::<crds::ReleaseStatus>();
    let schemas = document.pointer_mut("/components/schemas")?.as_object_mut()?;
    schemas.extend(generator.take_definitions(true));
    Some(document)
}
