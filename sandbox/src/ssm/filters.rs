//! `ParameterFilters` of `DescribeParameters` and `GetParametersByPath`.

use serde_json::Value;

use super::Parameter;
use crate::{
    ApiError,
    json::{required_text, text, texts},
};

/// Keys that `DescribeParameters` takes; `tag:<key>` comes on top.
pub(super) const DESCRIBE: &[&str] = &["Name", "Type", "KeyId", "Path", "Tier", "DataType"];
/// Keys that `GetParametersByPath` takes.
pub(super) const BY_PATH: &[&str] = &["Type", "KeyId", "Label"];

/// One condition on parameters.
pub(super) struct Filter<'a> {
    key: &'a str,
    option: &'a str,
    values: Vec<&'a str>,
}

/// The filters of a request, or why they are refused.
pub(super) fn parse<'a>(filters: &'a [Value], keys: &[&str]) -> Result<Vec<Filter<'a>>, ApiError> {
    filters.iter().map(|filter| parse_one(filter, keys)).collect()
}

fn parse_one<'a>(filter: &'a Value, keys: &[&str]) -> Result<Filter<'a>, ApiError> {
    let key = required_text(filter, "Key")?;
    let is_tag = key.starts_with("tag:") && keys.contains(&"Path");
    if !is_tag && !keys.contains(&key) {
        return Err(ApiError::refused(
            "InvalidFilterKey",
            format!(
                "The following filter key is not valid: {key}. Valid filter keys include: [{}].",
                keys.join(", ")
            ),
        ));
    }
    let option =
        text(filter, "Option")?.unwrap_or(if key == "Path" { "OneLevel" } else { "Equals" });
    let options: &[&str] = match key {
        "Path" => &["Recursive", "OneLevel"],
        "Name" => &["Equals", "BeginsWith", "Contains"],
        "Type" | "KeyId" => &["Equals", "BeginsWith"],
        _ => &["Equals"],
    };
    if !options.contains(&option) {
        return Err(ApiError::refused(
            "InvalidFilterOption",
            format!(
                "The following filter option is not valid: {option}. Valid options include: [{}].",
                options.join(", ")
            ),
        ));
    }
    let values = texts(filter, "Values")?;
    if values.is_empty() && !is_tag {
        return Err(ApiError::refused(
            "InvalidFilterValue",
            format!("The following filter values are missing: null for filter key {key}"),
        ));
    }
    Ok(Filter { key, option, values })
}

/// Whether a parameter meets every filter.
pub(super) fn all(filters: &[Filter<'_>], name: &str, parameter: &Parameter) -> bool {
    filters.iter().all(|filter| filter.matches(name, parameter))
}

/// Whether a name lies under a path, at any depth or exactly one level down.
pub(super) fn is_below(name: &str, path: &str, recursive: bool) -> bool {
    let Some(rest) = name.strip_prefix(path.trim_end_matches('/')) else { return false };
    rest.strip_prefix('/').is_some_and(|below| recursive || !below.contains('/'))
}

impl Filter<'_> {
    fn matches(&self, name: &str, parameter: &Parameter) -> bool {
        match self.key {
            "Name" => self.any(name),
            "Path" => {
                self.values.iter().any(|path| is_below(name, path, self.option == "Recursive"))
            }
            "Type" => self.any(parameter.kind.name()),
            "KeyId" => parameter.key_id.as_deref().is_some_and(|key_id| self.any(key_id)),
            "Tier" => self.any(&parameter.tier),
            "DataType" => self.any(&parameter.data_type),
            "Label" => parameter
                .current()
                .is_some_and(|version| version.labels.iter().any(|label| self.any(label))),
            key => key
                .strip_prefix("tag:")
                .and_then(|tag| parameter.tags.get(tag))
                .is_some_and(|value| self.values.is_empty() || self.any(value)),
        }
    }

    /// AWS lets the leading `/` of a name be left out in filters.
    fn any(&self, actual: &str) -> bool {
        self.values.iter().any(|wanted| match self.option {
            "BeginsWith" => {
                actual.starts_with(wanted)
                    || (self.key == "Name" && actual.trim_start_matches('/').starts_with(wanted))
            }
            "Contains" => actual.contains(wanted),
            _ => actual == *wanted,
        })
    }
}
