//! Which commit is wanted, and what the repository says that it is.

use crds::GitRef;

/// The reference that a source follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The branch that the repository's HEAD names.
    Head,
    /// The newest commit of a branch.
    Branch(String),
    /// The commit of a tag.
    Tag(String),
    /// One commit for ever.
    Commit(String),
}

impl Wanted {
    /// What the configuration asks for.
    pub(super) fn parse(reference: Option<&GitRef>) -> Result<Self, String> {
        let Some(reference) = reference else { return Ok(Self::Head) };
        match (&reference.branch, &reference.tag, &reference.commit) {
            (None, None, None) => Ok(Self::Head),
            (Some(branch), None, None) => checked(branch, "branch").map(Self::Branch),
            (None, Some(tag), None) => checked(tag, "tag").map(Self::Tag),
            (None, None, Some(commit)) => {
                let is_id = matches!(commit.len(), 40 | 64)
                    && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
                if is_id {
                    Ok(Self::Commit(commit.to_ascii_lowercase()))
                } else {
                    Err(format!(
                        "commit `{commit}` is not a full id of 40 or 64 hexadecimal digits"
                    ))
                }
            }
            _ => Err("ref names more than one of branch, tag and commit".to_owned()),
        }
    }

    /// What `ls-remote` is asked for; empty for a commit, which needs no asking.
    pub(super) fn patterns(&self) -> Vec<String> {
        match self {
            Self::Head => vec!["HEAD".to_owned()],
            Self::Branch(name) => vec![format!("refs/heads/{name}")],
            Self::Tag(name) => vec![format!("refs/tags/{name}"), format!("refs/tags/{name}^{{}}")],
            Self::Commit(_) => Vec::new(),
        }
    }

    /// What `fetch` is asked for.
    pub(super) fn remote_name(&self) -> String {
        match self {
            Self::Head => "HEAD".to_owned(),
            Self::Branch(name) => format!("refs/heads/{name}"),
            Self::Tag(name) => format!("refs/tags/{name}"),
            Self::Commit(id) => id.clone(),
        }
    }

    /// The commit in an answer of `ls-remote`; a tag counts for the commit that it names.
    pub(super) fn find(&self, listing: &[u8]) -> Option<String> {
        let listing = std::str::from_utf8(listing).ok()?;
        let id_of = |wanted: &str| {
            listing.lines().find_map(|line| {
                let (id, name) = line.split_once('\t')?;
                (name == wanted).then(|| id.to_owned())
            })
        };
        self.patterns().iter().rev().find_map(|name| id_of(name))
    }
}

impl std::fmt::Display for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Head => f.write_str("HEAD"),
            Self::Branch(name) => write!(f, "branch {name}"),
            Self::Tag(name) => write!(f, "tag {name}"),
            Self::Commit(id) => write!(f, "commit {id}"),
        }
    }
}

/// Git's own rule for names of references, as far as it matters on a command line.
fn checked(name: &str, kind: &str) -> Result<String, String> {
    let is_bad = name.is_empty()
        || name.starts_with(['-', '/', '.', '+'])
        || name.ends_with(['/', '.'])
        || name.contains("..")
        || name.contains("@{")
        || name.contains("//")
        || name.chars().any(|letter| letter.is_control() || " ~^:?*[\\".contains(letter));
    if is_bad {
        Err(format!("{kind} `{name}` is not a name that Git allows"))
    } else {
        Ok(name.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(branch: Option<&str>, tag: Option<&str>, commit: Option<&str>) -> GitRef {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        GitRef { branch: owned(branch), tag: owned(tag), commit: owned(commit) }
    }

    #[test]
    fn names_that_git_would_take_for_something_else_are_refused() {
        for name in ["--upload-pack=x", "a..b", "a b", "a:b", "+main", "", "x^{}", "refs/*", "a\\b"]
        {
            assert!(Wanted::parse(Some(&reference(Some(name), None, None))).is_err(), "{name}");
        }
        assert!(Wanted::parse(Some(&reference(Some("a"), Some("b"), None))).is_err());
        assert!(Wanted::parse(Some(&reference(None, None, Some("abc123")))).is_err());
    }

    #[test]
    fn a_tag_counts_for_the_commit_that_it_names() {
        let listing = b"aaaa\trefs/tags/v1\nbbbb\trefs/tags/v1^{}\n";
        assert_eq!(Wanted::Tag("v1".to_owned()).find(listing), Some("bbbb".to_owned()));
        let light = b"aaaa\trefs/tags/v1\n";
        assert_eq!(Wanted::Tag("v1".to_owned()).find(light), Some("aaaa".to_owned()));
    }

    #[test]
    fn a_branch_whose_name_ends_alike_is_another_one() {
        let listing = b"aaaa\trefs/remotes/x/refs/heads/main\n";
        assert_eq!(Wanted::Branch("main".to_owned()).find(listing), None);
    }
}
