//! The style sheet, the script and the icon, built into the binary.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use sha2::{Digest, Sha256};

use super::problem::Problem;

struct Asset {
    name: &'static str,
    media_type: &'static str,
    body: &'static str,
    hash: LazyLock<String>,
}

macro_rules! asset {
    ($name:literal, $media_type:literal) => {
        Asset {
            name: $name,
            media_type: $media_type,
            body: include_str!(concat!("assets/", $name)),
            hash: LazyLock::new(|| hash(include_str!(concat!("assets/", $name)))),
        }
    };
}

static STYLE: Asset = asset!("longshore.css", "text/css; charset=utf-8");
static SCRIPT: Asset = asset!("live.js", "text/javascript; charset=utf-8");
static ICON: Asset = asset!("icon.svg", "image/svg+xml");

fn hash(body: &str) -> String {
    let mut digest = hex::encode(Sha256::digest(body.as_bytes()));
    digest.truncate(16);
    digest
}

/// The URLs that pages use; they change with the content, so browsers may keep what they got for ever.
pub(super) struct Urls {
    pub(super) style: String,
    pub(super) script: String,
    pub(super) icon: String,
}

impl Urls {
    pub(super) fn new() -> Self {
        let url = |asset: &Asset| format!("/assets/{}?v={}", asset.name, *asset.hash);
        Self { style: url(&STYLE), script: url(&SCRIPT), icon: url(&ICON) }
    }
}

pub(super) async fn asset(
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let asset = [&STYLE, &SCRIPT, &ICON]
        .into_iter()
        .find(|asset| asset.name == name)
        .ok_or_else(|| Problem::not_found(format!("there is no asset `{name}`")))?;
    let tag = format!("\"{}\"", *asset.hash);
    let known =
        headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let caching = [
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable".to_owned()),
        (header::ETAG, tag),
    ];
    if known {
        return Ok((StatusCode::NOT_MODIFIED, caching).into_response());
    }
    Ok((caching, [(header::CONTENT_TYPE, asset.media_type)], asset.body).into_response())
}
