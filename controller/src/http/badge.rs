//! `/badge/{cluster}/{name}.svg`: health and sync in a picture, for pages that cannot show more.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use crds::{Health, SyncStatus};
use http::{HeaderMap, HeaderName, StatusCode, Uri, header};
use sha2::{Digest, Sha256};

use super::App;
use super::api::find;
use super::problem::Problem;
use super::words;
use crate::status_store::ServiceObject;

/// The width that one character of the fixed-width font gets, and the room beside a text.
const CHARACTER: usize = 7;
const MARGIN: usize = 6;

pub(super) async fn badge(
    State(app): State<App>,
    path: Result<Path<(String, String)>, PathRejection>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Problem> {
    let path = path.map(|Path((cluster, file))| {
        let name = file.strip_suffix(".svg").map_or_else(|| file.clone(), str::to_owned);
        Path((cluster, name))
    });
    let (object, _) = find(&app, path, &uri, &["target"])?;
    let picture = draw(&object);
    let mut tag = hex::encode(Sha256::digest(picture.as_bytes()));
    tag.truncate(16);
    let tag = format!("\"{tag}\"");
    let is_known =
        headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    // Kept, but asked about each time: an old badge would be a wrong one. Other sites may show it; that is what it is for.
    let caching = [
        (header::CACHE_CONTROL, "no-cache".to_owned()),
        (header::ETAG, tag),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin".to_owned()),
    ];
    if is_known {
        return Ok((StatusCode::NOT_MODIFIED, caching).into_response());
    }
    Ok((caching, [(header::CONTENT_TYPE, "image/svg+xml")], picture).into_response())
}

/// The picture. Names of services have letters, digits, `-` and `_` only, so nothing in it needs escaping.
fn draw(object: &ServiceObject) -> String {
    let name = object.key.name.as_str();
    let (sync, health) = (object.status.sync, object.status.health);
    let told = match sync {
        SyncStatus::Synced => words::health(health).to_owned(),
        SyncStatus::OutOfSync | SyncStatus::Unknown => {
            format!("{}, {}", words::health(health), words::sync(sync))
        }
    };
    let colour = colour(health, sync);
    let (left, right) = (text_width(name), text_width(&told));
    let (left_box, right_box) = (left + 2 * MARGIN, right + 2 * MARGIN);
    let (width, right_text) = (left_box + right_box, left_box + MARGIN);
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" aria-label="{name}: {told}"><title>{name}: {told}</title><rect width="{left_box}" height="20" fill="#3d444d"/><rect x="{left_box}" width="{right_box}" height="20" fill="{colour}"/><g fill="#fff" font-family="ui-monospace,Menlo,Consolas,monospace" font-size="11"><text x="{MARGIN}" y="14" textLength="{left}">{name}</text><text x="{right_text}" y="14" textLength="{right}">{told}</text></g></svg>"##
    )
}

fn text_width(text: &str) -> usize {
    text.chars().count() * CHARACTER
}

fn colour(health: Health, sync: SyncStatus) -> &'static str {
    match health {
        Health::Healthy if sync == SyncStatus::Synced => "#1a7f37",
        Health::Healthy | Health::Suspended => "#9a6700",
        Health::Progressing => "#0969da",
        Health::Degraded | Health::Missing => "#cf222e",
        Health::Unknown => "#59636e",
    }
}
