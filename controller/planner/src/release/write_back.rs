//! The version of a release in a file of a Git repository: where it stands, and what the commit says.
//!
//! What comes in: the text of a file and the version that is chosen. What leaves: the text with that version, and what was
//! changed. Guarantees: nothing but the marked scalars changes, byte for byte; a text that holds the version already is no
//! change; a scalar that is not what its marker says is an error and never overwritten.

mod edit;
mod line;
mod message;
mod yaml;

use crds::{ReleaseName, WriteBack};

pub use edit::{Change, Edited, edit};
pub use line::Misplaced;
pub use message::{is_ours, message};

/// The version that a file is to hold.
#[derive(Debug, Clone, Copy)]
pub struct Version<'a> {
    /// The release.
    pub release: &'a ReleaseName,
    /// The image's repository.
    pub image: &'a str,
    /// The chosen tag.
    pub tag: &'a str,
    /// The chosen image.
    pub digest: &'a str,
}

/// What is wrong with a block: field, message, hint.
pub(super) fn check(write_back: &WriteBack) -> Vec<(&'static str, String, &'static str)> {
    let WriteBack { path, branch } = write_back;
    let mut wrong = Vec::new();
    if !is_path(path) {
        let message = format!("`{path}` is not the path of a file in a repository");
        let hint = "write it from the repository's root, as `deploy/web.yaml`, without `..`";
        wrong.push(("path", message, hint));
    }
    if let Some(branch) = branch.as_ref().filter(|branch| !is_reference_name(branch)) {
        let message = format!("`{branch}` is not a name that Git allows for a branch");
        wrong.push(("branch", message, "write it without `refs/heads/`, as `longshore/shop`"));
    }
    wrong
}

/// A path that Git could hold and that leads nowhere else.
fn is_path(path: &str) -> bool {
    let is_name =
        |name: &str| !matches!(name, "" | "." | "..") && !name.eq_ignore_ascii_case(".git");
    !path.contains('\\') && !path.chars().any(char::is_control) && path.split('/').all(is_name)
}

/// Git's own rule for names of references, as far as it matters on a command line and for what hosts accept.
pub fn is_reference_name(name: &str) -> bool {
    let is_part =
        |part: &str| !part.starts_with('.') && !part.to_ascii_lowercase().ends_with(".lock");
    !(name.is_empty()
        || name == "@"
        || name.starts_with(['-', '/', '.', '+'])
        || name.starts_with("refs/")
        || name.ends_with(['/', '.'])
        || name.contains("..")
        || name.contains("@{")
        || name.contains("//")
        || !name.split('/').all(is_part)
        || name.chars().any(|letter| letter.is_control() || " ~^:?*[\\".contains(letter)))
}
