//! Which commit is wanted, and what the repository says that it is.

use crds::GitRef;
use planner::release::newest::{NoWinner, Range};
use planner::release::write_back::is_reference_name;

/// The reference that a source follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The branch that the repository's HEAD names.
    Head,
    /// The newest commit of a branch.
    Branch(String),
    /// The commit of a tag.
    Tag(String),
    /// The commit of the newest version among the tags.
    Newest(Range),
    /// One commit for ever.
    Commit(String),
}

/// What the repository says that a reference is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Announced {
    /// The commit.
    pub(super) commit: String,
    /// The tag that names it, where a tag is followed.
    pub(super) tag: Option<String>,
}

impl Wanted {
    /// What the configuration asks for.
    pub(super) fn parse(reference: Option<&GitRef>) -> Result<Self, String> {
        let Some(GitRef { branch, tag, semver, commit }) = reference else { return Ok(Self::Head) };
        match (branch, tag, semver, commit) {
            (None, None, None, None) => Ok(Self::Head),
            (Some(branch), None, None, None) => checked(branch, "branch").map(Self::Branch),
            (None, Some(tag), None, None) => checked(tag, "tag").map(Self::Tag),
            (None, None, Some(range), None) => Range::parse(range).map(Self::Newest),
            (None, None, None, Some(commit)) => commit_id(commit).map(Self::Commit),
            _ => Err("ref names more than one of branch, tag, semver and commit".to_owned()),
        }
    }

    /// What `ls-remote` is asked for, as its options and its patterns; `None` for a commit, which needs no asking.
    pub(super) fn question(&self) -> Option<(&'static [&'static str], Vec<String>)> {
        Some(match self {
            Self::Head => (&[], vec!["HEAD".to_owned()]),
            Self::Branch(name) => (&[], vec![format!("refs/heads/{name}")]),
            Self::Tag(name) => {
                (&[], vec![format!("refs/tags/{name}"), format!("refs/tags/{name}^{{}}")])
            }
            Self::Newest(_) => (&["--tags"], Vec::new()),
            Self::Commit(_) => return None,
        })
    }

    /// What `fetch` is asked for.
    pub(super) fn remote_name(&self, announced: &Announced) -> String {
        match (self, &announced.tag) {
            (Self::Head, _) => "HEAD".to_owned(),
            (Self::Branch(name), _) => format!("refs/heads/{name}"),
            (Self::Tag(tag), _) | (Self::Newest(_), Some(tag)) => format!("refs/tags/{tag}"),
            (Self::Commit(_) | Self::Newest(_), _) => announced.commit.clone(),
        }
    }

    /// The commit in an answer of `ls-remote`; `None` when what is wanted is not there.
    pub(super) fn find(&self, listing: &[u8]) -> Result<Option<Announced>, NoWinner> {
        let Ok(listing) = std::str::from_utf8(listing) else { return Ok(None) };
        let commit_of = |wanted: &str| {
            listing.lines().find_map(|line| {
                let (id, name) = line.split_once('\t')?;
                (name == wanted).then(|| id.to_owned())
            })
        };
        let found = |commit: Option<String>, tag: Option<&String>| {
            commit.map(|commit| Announced { commit, tag: tag.cloned() })
        };
        Ok(match self {
            Self::Head => found(commit_of("HEAD"), None),
            Self::Branch(name) => found(commit_of(&format!("refs/heads/{name}")), None),
            // An annotated tag counts for the commit that it names.
            Self::Tag(name) => found(
                commit_of(&format!("refs/tags/{name}^{{}}"))
                    .or_else(|| commit_of(&format!("refs/tags/{name}"))),
                Some(name),
            ),
            Self::Newest(range) => {
                let tags = tags(listing);
                let newest = range.newest(tags.iter().map(|(tag, id)| (*tag, *id)))?;
                Some(Announced { commit: newest.target, tag: Some(newest.tag) })
            }
            Self::Commit(id) => Some(Announced { commit: id.clone(), tag: None }),
        })
    }
}

/// The tags of a listing with the commits that they name. A tag whose name could be taken for something else is left out.
pub(super) fn tags(listing: &str) -> std::collections::BTreeMap<&str, &str> {
    let mut tags = std::collections::BTreeMap::new();
    for line in listing.lines() {
        let Some((id, name)) = line.split_once('\t') else { continue };
        let Some(name) = name.strip_prefix("refs/tags/") else { continue };
        match name.strip_suffix("^{}") {
            Some(peeled) if is_reference_name(peeled) => {
                tags.insert(peeled, id);
            }
            None if is_reference_name(name) => {
                tags.entry(name).or_insert(id);
            }
            Some(_) | None => {}
        }
    }
    tags
}

impl std::fmt::Display for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Head => f.write_str("HEAD"),
            Self::Branch(name) => write!(f, "branch {name}"),
            Self::Tag(name) => write!(f, "tag {name}"),
            Self::Newest(range) => write!(f, "the newest tag in `{range}`"),
            Self::Commit(id) => write!(f, "commit {id}"),
        }
    }
}

/// A commit's full id, in the form that Git prints.
pub(super) fn commit_id(text: &str) -> Result<String, String> {
    let is_id = matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_id {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(format!("commit `{text}` is not a full id of 40 or 64 hexadecimal digits"))
    }
}

fn checked(name: &str, kind: &str) -> Result<String, String> {
    if is_reference_name(name) {
        Ok(name.to_owned())
    } else {
        Err(format!("{kind} `{name}` is not a name that Git allows"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(wanted: &Wanted, listing: &str) -> Option<String> {
        wanted.find(listing.as_bytes()).unwrap().map(|announced| announced.commit)
    }

    #[test]
    fn names_that_git_would_take_for_something_else_are_refused() {
        let branch = |name: &str| GitRef { branch: Some(name.to_owned()), ..GitRef::default() };
        for name in ["--upload-pack=x", "a..b", "a b", "a:b", "+main", "", "x^{}", "refs/*", "a\\b"]
        {
            assert!(Wanted::parse(Some(&branch(name))).is_err(), "{name}");
        }
        let both = GitRef { tag: Some("b".to_owned()), ..branch("a") };
        assert!(Wanted::parse(Some(&both)).is_err());
        let short = GitRef { commit: Some("abc123".to_owned()), ..GitRef::default() };
        assert!(Wanted::parse(Some(&short)).is_err());
        let range = GitRef { semver: Some("newest".to_owned()), ..GitRef::default() };
        assert!(Wanted::parse(Some(&range)).is_err());
    }

    #[test]
    fn a_tag_counts_for_the_commit_that_it_names() {
        let wanted = Wanted::Tag("v1".to_owned());
        let listing = "aaaa\trefs/tags/v1\nbbbb\trefs/tags/v1^{}\n";
        assert_eq!(found(&wanted, listing), Some("bbbb".to_owned()));
        assert_eq!(found(&wanted, "aaaa\trefs/tags/v1\n"), Some("aaaa".to_owned()));
    }

    #[test]
    fn a_branch_whose_name_ends_alike_is_another_one() {
        let wanted = Wanted::Branch("main".to_owned());
        assert_eq!(found(&wanted, "aaaa\trefs/remotes/x/refs/heads/main\n"), None);
    }

    #[test]
    fn the_newest_tag_is_found_among_nine_thousand_and_odd_names_are_no_tags() {
        let odd = "x\trefs/tags/-9.9.9\ny\trefs/tags/v9.9.9:refs/heads/x\n".to_owned();
        let tag = |number: usize| {
            let name = format!("refs/tags/v1.{}.{}", number / 100, number % 100);
            format!("t{number}\t{name}\nc{number}\t{name}^{{}}\n")
        };
        let listing =
            [odd].into_iter().chain((0..9_000).map(tag)).collect::<Vec<String>>().concat();
        let wanted = Wanted::Newest(Range::parse(">=1.0").unwrap());
        let announced = wanted.find(listing.as_bytes()).unwrap().unwrap();
        let expected = Announced { commit: "c8999".to_owned(), tag: Some("v1.89.99".to_owned()) };
        assert_eq!(announced, expected);
        assert_eq!(wanted.remote_name(&announced), "refs/tags/v1.89.99");
    }
}
