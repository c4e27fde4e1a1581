//! References to images (aws.md §4.1).

use super::finding::{Finding, error, warning};
use super::subject::Subject;
use super::words::is_open;
use crate::image::ImageReference;

/// How long a reference may be, without its digest.
const MAX_LENGTH: usize = 255;

/// The only kind of digest that ECS takes.
const DIGEST: &str = "sha256:";

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    for (at, container) in &subject.containers {
        if !is_open(&container.image) {
            reference(&format!("{at}.image"), &container.image, found);
        }
    }
}

fn reference(path: &str, text: &str, found: &mut Vec<Finding>) {
    if text.is_empty() {
        found.push(error(path, "is empty, and a container needs an image"));
        return;
    }
    if let Some(letter) = text.chars().find(|letter| letter.is_whitespace()) {
        found.push(error(
            path,
            format!("`{text}` has the character {letter:?}, which no image has"),
        ));
        return;
    }
    let image = ImageReference::parse(text);
    let length = text.split('@').next().unwrap_or(text).chars().count();
    if length > MAX_LENGTH {
        found.push(error(
            path,
            format!("`{text}` has {length} characters of {MAX_LENGTH} without its digest"),
        ));
    }
    if let Some(digest) = &image.digest {
        self::digest(path, digest, found);
    }
    repository(path, &image.repository, found);
    tag(path, text, &image, found);
}

fn digest(path: &str, digest: &str, found: &mut Vec<Finding>) {
    let hex = digest.strip_prefix(DIGEST).unwrap_or_default();
    if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        found.push(error(
            path,
            format!("`{digest}` is not a digest: it takes `{DIGEST}` and 64 hexadecimal digits"),
        ));
    }
}

/// A registry's host may have capitals, the repository in it may not.
fn repository(path: &str, repository: &str, found: &mut Vec<Finding>) {
    let name = match repository.split_once('/') {
        Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => rest,
        Some(_) | None => repository,
    };
    if name.is_empty() || name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        let finding = error(
            path,
            format!("`{repository}` is not a repository: its name takes lower-case letters"),
        );
        found.push(finding.hint(format!("use `{}`", repository.to_ascii_lowercase())));
    }
}

/// What runs should not depend on when it was pulled.
fn tag(path: &str, text: &str, image: &ImageReference, found: &mut Vec<Finding>) {
    let tag = image.tag.as_deref();
    if image.digest.is_some() || !matches!(tag, None | Some("latest" | "")) {
        return;
    }
    let message = match tag {
        Some("latest") => format!("`{text}` names whatever `latest` is at the time"),
        Some(_) | None => format!("`{text}` has neither tag nor digest and means `latest`"),
    };
    found.push(warning(path, message).hint("name a version or a digest"));
}
