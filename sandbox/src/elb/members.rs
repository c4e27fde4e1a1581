//! Lists and pages in query parameters.

use std::collections::BTreeMap;

use crate::{
    ApiError,
    keyset::{self, InvalidToken, Page},
};

/// The members of a list, `Names.member.1`, by their place; `tail` names a member of a structure.
pub(super) fn list<'a>(
    params: &'a BTreeMap<String, String>,
    name: &str,
    tail: &str,
) -> BTreeMap<u32, &'a str> {
    let prefix = format!("{name}.member.");
    params
        .iter()
        .filter_map(|(key, value)| {
            let place = key.strip_prefix(&prefix)?.strip_suffix(tail)?;
            Some((place.parse().ok()?, value.as_str()))
        })
        .collect()
}

/// The values of a list in their order.
pub(super) fn texts<'a>(params: &'a BTreeMap<String, String>, name: &str) -> Vec<&'a str> {
    list(params, name, "").into_values().collect()
}

/// The page of rows that `Marker` and `PageSize` ask for.
pub(super) fn page<T>(
    rows: Vec<T>,
    params: &BTreeMap<String, String>,
    key: impl Fn(&T) -> String,
) -> Result<Page<T>, ApiError> {
    let size = match params.get("PageSize") {
        None => 400,
        Some(size) => {
            size.parse().ok().filter(|size| (1..=400).contains(size)).ok_or_else(|| {
                ApiError::refused(
                    "ValidationError",
                    format!("PageSize '{size}' must be between 1 and 400"),
                )
            })?
        }
    };
    keyset::cut(rows, size, params.get("Marker").map(String::as_str), key)
        .map_err(|InvalidToken| ApiError::refused("ValidationError", "Marker is invalid"))
}
