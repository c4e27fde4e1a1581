//! Which commit is wanted, and what the repository says that it is.

use std::collections::BTreeMap;

use crds::{GitRef, shown};
use planner::release::newest::{NoWinner, Range};
use planner::release::write_back::is_reference_name;

/// The reference that a source follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
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
pub struct Announced {
    /// The commit.
    pub commit: String,
    /// The tag that names it, where a tag is followed.
    pub tag: Option<String>,
}

impl Wanted {
    /// What the configuration asks for.
    pub fn parse(reference: Option<&GitRef>) -> Result<Self, String> {
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
    pub fn remote_name(&self, announced: &Announced) -> String {
        match (self, &announced.tag) {
            (Self::Head, _) => "HEAD".to_owned(),
            (Self::Branch(name), _) => format!("refs/heads/{name}"),
            (Self::Tag(tag), _) | (Self::Newest(_), Some(tag)) => format!("refs/tags/{tag}"),
            (Self::Commit(_) | Self::Newest(_), _) => announced.commit.clone(),
        }
    }

    /// The commit in an answer of `ls-remote`; `None` when what is wanted is not there.
    pub fn find(&self, listing: &[u8]) -> Result<Option<Announced>, NoWinner> {
        let commit_of = |wanted: &str| {
            listed(listing).find_map(|(id, name)| (name == wanted).then(|| id.to_owned()))
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

/// What an answer of `ls-remote` lists: ids, each with a name. A name that is not UTF-8 is nobody's that we look for.
fn listed(listing: &[u8]) -> impl Iterator<Item = (&str, &str)> {
    listing.split(|byte| *byte == b'\n').filter_map(|line| {
        let (id, name) = std::str::from_utf8(line).ok()?.split_once('\t')?;
        is_id(id).then_some((id, name))
    })
}

/// The tags of a listing with the commits that they name. A tag whose name could be taken for something else is left out.
pub(super) fn tags(listing: &[u8]) -> BTreeMap<&str, &str> {
    let mut tags = BTreeMap::new();
    for (id, name) in listed(listing) {
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
pub fn commit_id(text: &str) -> Result<String, String> {
    if is_id(text) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(shown(&format!("commit `{text}` is not a full id of 40 or 64 hexadecimal digits")))
    }
}

fn is_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn checked(name: &str, kind: &str) -> Result<String, String> {
    if is_reference_name(name) {
        Ok(name.to_owned())
    } else {
        Err(shown(&format!("{kind} `{name}` is not a name that Git allows")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An id of forty digits.
    fn id(number: usize) -> String {
        format!("{number:040}")
    }

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
        let (tag, commit) = (id(1), id(2));
        let listing = format!("{tag}\trefs/tags/v1\n{commit}\trefs/tags/v1^{{}}\n");
        assert_eq!(found(&wanted, &listing), Some(commit));
        assert_eq!(found(&wanted, &format!("{tag}\trefs/tags/v1\n")), Some(tag));
    }

    #[test]
    fn a_branch_whose_name_ends_alike_is_another_one() {
        let wanted = Wanted::Branch("main".to_owned());
        let listing = format!("{}\trefs/remotes/x/refs/heads/main\n", id(1));
        assert_eq!(found(&wanted, &listing), None);
    }

    #[test]
    fn a_name_in_another_encoding_hides_no_other() {
        let listing = [
            format!("{}\trefs/tags/v1.0.0\n{}\trefs/tags/caf", id(1), id(2)).into_bytes(),
            b"\xe9\n".to_vec(),
            format!("{}\trefs/tags/v1.1.0\n", id(3)).into_bytes(),
        ]
        .concat();
        let names: Vec<&str> = tags(&listing).into_keys().collect();
        assert_eq!(names, ["v1.0.0", "v1.1.0"]);
        let newest = Wanted::Newest(Range::parse("*").unwrap()).find(&listing).unwrap();
        assert_eq!(newest, Some(Announced { commit: id(3), tag: Some("v1.1.0".to_owned()) }));
        let one = Wanted::Tag("v1.0.0".to_owned()).find(&listing).unwrap();
        assert_eq!(one, Some(Announced { commit: id(1), tag: Some("v1.0.0".to_owned()) }));
    }

    #[test]
    fn what_is_no_id_names_no_commit() {
        for text in ["--upload-pack=x", "", "abc123", &format!("{}g", "a".repeat(39))] {
            let listing = format!("{text}\tHEAD\n{text}\trefs/tags/v1.0.0\n");
            assert_eq!(found(&Wanted::Head, &listing), None, "{text}");
            assert_eq!(tags(listing.as_bytes()), BTreeMap::new(), "{text}");
        }
    }

    #[test]
    fn the_newest_tag_is_found_among_nine_thousand_and_odd_names_are_no_tags() {
        let odd = format!("{0}\trefs/tags/-9.9.9\n{0}\trefs/tags/v9.9.9:refs/heads/x\n", id(1));
        let tag = |number: usize| {
            let name = format!("refs/tags/v1.{}.{}", number / 100, number % 100);
            format!("{}\t{name}\n{}\t{name}^{{}}\n", id(number), id(number + 10_000))
        };
        let listing =
            [odd].into_iter().chain((0..9_000).map(tag)).collect::<Vec<String>>().concat();
        let wanted = Wanted::Newest(Range::parse(">=1.0").unwrap());
        let announced = wanted.find(listing.as_bytes()).unwrap().unwrap();
        let expected = Announced { commit: id(18_999), tag: Some("v1.89.99".to_owned()) };
        assert_eq!(announced, expected);
        assert_eq!(wanted.remote_name(&announced), "refs/tags/v1.89.99");
    }
}
