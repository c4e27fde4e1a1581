//! What a commit of a version says, to people and to machines.

use crds::{OwnerName, ReleaseName};

use super::{Change, Version};

/// The message of a commit that brings a file to a version. Its trailers are what such a commit is recognised by.
pub fn message(version: &Version<'_>, owner: &OwnerName, path: &str, changes: &[Change]) -> String {
    let Version { release, image, tag, digest } = version;
    let mut text = format!("Release {release}: {tag} of {}\n\n", without_registry(image));
    for Change { line, from, to } in changes {
        let from = if from.is_empty() { "nothing" } else { from };
        text.extend([path, ":", &line.to_string(), ": ", from, " -> ", to, "\n"]);
    }
    text.extend(["\nImage: ", image, ":", tag, "\nDigest: ", digest, "\n\n"]);
    text.extend(trailers(release, owner));
    text.extend(["Longshore-Version: ", tag, "\n"]);
    text
}

/// Whether a message is one that this operator wrote for this release.
pub fn is_ours(message: &str, release: &ReleaseName, owner: &OwnerName) -> bool {
    let last = message.trim_end().rsplit("\n\n").next().unwrap_or_default();
    let lines: Vec<&str> = last.lines().collect();
    trailers(release, owner).iter().all(|trailer| lines.contains(&trailer.trim_end()))
}

fn trailers(release: &ReleaseName, owner: &OwnerName) -> [String; 2] {
    [format!("Longshore-Owner: {owner}\n"), format!("Longshore-Release: {release}\n")]
}

/// `shop/web` of `111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/web`.
fn without_registry(image: &str) -> &str {
    match image.split_once('/') {
        Some((registry, rest)) if registry.contains(['.', ':']) => rest,
        Some(_) | None => image,
    }
}
