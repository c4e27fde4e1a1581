//! Tags (aws.md §4.1).

use std::collections::BTreeSet;

use crds::ecs::tag::Tag;

use super::finding::{Finding, error};
use super::subject::{SERVICE, Subject, TASK};
use super::words::{each, is_open};
use crate::ownership::{self, MAX_TAGS};

const MAX_KEY: usize = 128;
const MAX_VALUE: usize = 256;

/// How many of a service's are ours at most: owner, source, commit, spec hash, deletion policy, dependencies, protection, secrets,
/// held spec, held images, attempt, checks, gates, scaling and deletion; and one for each release. Most of them come and go, and
/// a rollout must not stop for want of room.
const OWN_OF_SERVICE: usize = 15;

/// How many of a task definition's are ours: owner and the hash of its content; and one for each release.
const OWN_OF_TASK: usize = 2;

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let images = subject.containers.iter().map(|(_, container)| container.image.as_str());
    let releases = images.filter(|image| image.contains("${release:")).collect::<BTreeSet<_>>();
    let room = MAX_TAGS.saturating_sub(releases.len());
    tags(TASK, subject.task.tags.as_deref(), room.saturating_sub(OWN_OF_TASK), found);
    tags(SERVICE, subject.service.tags.as_deref(), room.saturating_sub(OWN_OF_SERVICE), found);
}

/// Judges one list of tags.
pub(super) fn tags(at: &str, tags: Option<&[Tag]>, most: usize, found: &mut Vec<Finding>) {
    if let Some(count) = tags.map(<[_]>::len).filter(|count| *count > most) {
        found.push(error(
            format!("{at}.tags"),
            format!("has `{count}` tags; there is room for {most} beside those that are not yours"),
        ));
    }
    let mut seen = BTreeSet::new();
    for (at, tag) in each(at, "tags", tags) {
        if let Some(value) = tag.value.as_deref().filter(|value| !is_open(value)) {
            text(format!("{at}.value"), value, 0, MAX_VALUE, found);
        }
        if is_open(&tag.key) {
            continue;
        }
        key(format!("{at}.key"), &tag.key, found);
        if !seen.insert(tag.key.as_str()) {
            found.push(error(
                format!("{at}.key"),
                format!("`{}` is already the key of another tag", tag.key),
            ));
        }
    }
}

fn key(path: String, key: &str, found: &mut Vec<Finding>) {
    if key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:")) {
        found.push(error(path, format!("`{key}` begins with `aws:`, which AWS keeps for itself")));
    } else if key.starts_with(ownership::PREFIX) {
        found.push(error(
            path,
            format!(
                "`{key}` begins with `{}`, by which Longshore knows what it owns",
                ownership::PREFIX
            ),
        ));
    } else {
        text(path, key, 1, MAX_KEY, found);
    }
}

fn text(path: String, text: &str, least: usize, most: usize, found: &mut Vec<Finding>) {
    let length = text.chars().count();
    if !(least..=most).contains(&length) {
        found.push(error(
            path,
            format!("`{text}` has {length} characters; a tag takes {least} to {most} here"),
        ));
    } else if let Some(letter) = text.chars().find(|letter| !is_allowed(*letter)) {
        found.push(
            error(path, format!("`{text}` has the character {letter:?}, which no tag has"))
                .hint("use letters, digits, spaces and `_.:/=+-@`"),
        );
    }
}

/// `\p{L}\p{Z}\p{N}_.:/=+-@`
fn is_allowed(letter: char) -> bool {
    letter.is_alphanumeric()
        || (letter.is_whitespace() && !letter.is_control())
        || matches!(letter, '_' | '.' | ':' | '/' | '=' | '+' | '-' | '@')
}
