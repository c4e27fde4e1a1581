//! What a call says of which references have changed.

use crds::{GitRef, WebhookProvider};
use http::HeaderMap;
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// What has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Push {
    /// These references, `refs/heads/main`.
    References {
        changed: Vec<String>,
        /// The branch that HEAD names, where the call says it.
        head: Option<String>,
    },
    /// Nobody can tell.
    Anything,
    /// Nothing: the call tells of something else.
    Nothing,
}

impl Push {
    /// Reads a call whose signature is right.
    pub(super) fn read(provider: WebhookProvider, headers: &HeaderMap, body: &Value) -> Self {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        match provider {
            WebhookProvider::Github => match header("x-github-event") {
                Some("push" | "create" | "delete") | None => github(body),
                Some(_) => Self::Nothing,
            },
            WebhookProvider::Gitlab => match text(body, "object_kind") {
                Some("push" | "tag_push") | None => gitlab(body),
                // A system hook of the whole instance says less.
                Some("repository_update") => Self::Anything,
                Some(_) => Self::Nothing,
            },
            WebhookProvider::Bitbucket => match header("x-event-key") {
                Some("repo:push") => bitbucket(body, "/push/changes"),
                Some("repo:refs_changed" | "mirror:repo_synchronized") => {
                    bitbucket(body, "/changes")
                }
                None => Self::Anything,
                Some(_) => Self::Nothing,
            },
            WebhookProvider::Generic => match text(body, "ref") {
                Some(reference) => Self::of(vec![reference.to_owned()], None),
                None => Self::Anything,
            },
        }
    }

    fn of(changed: Vec<String>, head: Option<&str>) -> Self {
        if changed.is_empty() {
            return Self::Anything;
        }
        Self::References { changed, head: head.map(str::to_owned) }
    }

    /// Whether tags may have changed.
    pub(super) fn may_be_of_tags(&self) -> bool {
        match self {
            Self::References { changed, .. } => {
                changed.iter().any(|changed| changed.starts_with("refs/tags/"))
            }
            Self::Anything => true,
            Self::Nothing => false,
        }
    }

    /// Whether a source that follows `reference` may have changed.
    pub(super) fn concerns(&self, reference: &GitRef) -> bool {
        let (changed, head) = match self {
            Self::References { changed, head } => (changed, head.as_deref()),
            Self::Anything => return true,
            Self::Nothing => return false,
        };
        let is_changed = |kind: &str, name: &str| {
            changed.iter().any(|changed| {
                changed.strip_prefix(kind).and_then(|rest| rest.strip_prefix('/')) == Some(name)
            })
        };
        let GitRef { branch, tag, semver, commit } = reference;
        match (branch, tag, semver, commit) {
            (Some(branch), ..) => is_changed("refs/heads", branch),
            (_, Some(tag), ..) => is_changed("refs/tags", tag),
            (_, _, Some(_), _) => changed.iter().any(|changed| changed.starts_with("refs/tags/")),
            // A commit that is not there yet comes with any reference.
            (_, _, _, Some(_)) => true,
            (None, None, None, None) => head.is_none_or(|head| is_changed("refs/heads", head)),
        }
    }
}

/// `push` has the whole reference; `create` and `delete` have its name and what it is.
fn github(body: &Value) -> Push {
    let head = body.pointer("/repository/default_branch").and_then(Value::as_str);
    let head = head.or_else(|| text(body, "master_branch"));
    let reference = text(body, "ref").map(|name| match text(body, "ref_type") {
        Some("branch") => format!("refs/heads/{name}"),
        Some("tag") => format!("refs/tags/{name}"),
        Some(_) | None => name.to_owned(),
    });
    Push::of(reference.into_iter().collect(), head)
}

fn gitlab(body: &Value) -> Push {
    let head = body.pointer("/project/default_branch").and_then(Value::as_str);
    let reference = text(body, "ref").map(str::to_owned);
    Push::of(reference.into_iter().collect(), head)
}

/// Cloud has what a branch or tag was and is, Data Center the reference. A change that cannot be read may be any.
fn bitbucket(body: &Value, changes: &str) -> Push {
    let Some(changes) = body.pointer(changes).and_then(Value::as_array) else {
        return Push::Anything;
    };
    let references: Option<Vec<String>> = changes.iter().map(bitbucket_reference).collect();
    references.map_or(Push::Anything, |references| Push::of(references, None))
}

fn bitbucket_reference(change: &Value) -> Option<String> {
    if let Some(id) = change.pointer("/ref/id").and_then(Value::as_str) {
        return Some(id.to_owned());
    }
    let side =
        ["new", "old"].iter().find_map(|side| change.get(side).filter(|it| it.is_object()))?;
    let folder = match text(side, "type")? {
        "branch" | "named_branch" => "heads",
        "tag" | "annotated_tag" => "tags",
        _ => return None,
    };
    Some(format!("refs/{folder}/{}", text(side, "name")?))
}

/// The body, or what stands in its field `payload`, where a host sends a form; `null` for anything else.
pub(super) fn body(headers: &HeaderMap, body: &[u8]) -> Value {
    let kind = headers.get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let is_form = kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if is_form
        && let Some(form) = body.strip_prefix(b"payload=")
        && let Ok(form) = std::str::from_utf8(form)
    {
        let form = form.split('&').next().unwrap_or(form).replace('+', " ");
        let payload: Vec<u8> = percent_decode_str(&form).collect();
        return serde_json::from_slice(&payload).unwrap_or_default();
    }
    serde_json::from_slice(body).unwrap_or_default()
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str()
}
