//! What was fetched: a commit, and the tag that names it.

use bytes::Bytes;

use super::cache::LOCAL_TIME;
use super::command::Run;
use super::{FETCHED, GitReader};
use crate::source::{Commit, SourceError};

/// The most bytes that a commit and a tag may have together; messages are short, signatures shorter.
const OBJECTS_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// A commit that lies in the cache.
#[derive(Debug, PartialEq, Eq)]
pub struct Fetched {
    /// Its id.
    pub id: String,
    /// Who made it.
    pub commit: Commit,
    /// The commits before it, whether or not they lie in the cache too.
    pub parents: Vec<String>,
    /// Whether it carries a signature, whoever's.
    pub is_signed: bool,
    /// The annotated tag that names it, where one was fetched.
    pub tag: Option<TagObject>,
}

/// An annotated tag.
#[derive(Debug, PartialEq, Eq)]
pub struct TagObject {
    /// Its id.
    pub id: String,
    /// The name that its author gave it, which need not be the one it was found under.
    pub name: String,
    /// Whether it carries a signature, whoever's.
    pub is_signed: bool,
}

impl GitReader {
    /// What was fetched, which may be newer than what was announced a moment ago.
    pub(super) async fn fetched(&mut self, git_dir: &str) -> Result<Fetched, SourceError> {
        const DOING: &str = "read the commit of";
        let run = Run {
            doing: DOING,
            arguments: vec![git_dir.as_ref(), "cat-file".as_ref(), "--batch".as_ref()],
            input: format!("{FETCHED}^{{commit}}\n{FETCHED}\n").into_bytes(),
            output_bytes_max: OBJECTS_BYTES_MAX,
            time: LOCAL_TIME,
        };
        let answer = Bytes::from(self.git.run(run).await?);
        parse(&answer).ok_or_else(|| self.unexpected(DOING))
    }
}

/// Takes the answer of `cat-file --batch` apart: the commit, then what the reference names. `None` when it is not that.
pub fn parse(answer: &[u8]) -> Option<Fetched> {
    let (commit, rest) = object(answer)?;
    let (named, rest) = object(rest)?;
    if commit.kind != "commit" || !rest.is_empty() {
        return None;
    }
    let tag = match named.kind {
        "tag" => Some(TagObject {
            id: named.id.to_owned(),
            name: headers(named.content)
                .find_map(|(name, value)| (name == "tag").then_some(value))?,
            is_signed: is_tag_signed(named.content),
        }),
        "commit" => None,
        _ => return None,
    };
    let mut parents = Vec::new();
    let (mut author, mut time, mut is_signed) = (String::new(), None, false);
    for (name, value) in headers(commit.content) {
        match name {
            "parent" => parents.push(value),
            "author" => value.split(" <").next().unwrap_or_default().clone_into(&mut author),
            "committer" => time = seconds(&value),
            "gpgsig" | "gpgsig-sha256" => is_signed = true,
            _ => {}
        }
    }
    let commit_told = Commit {
        author: bounded(&author),
        subject: bounded(&subject(commit.content)),
        time: time.and_then(|time| jiff::Timestamp::from_second(time).ok()),
    };
    Some(Fetched { id: commit.id.to_owned(), commit: commit_told, parents, is_signed, tag })
}

struct Object<'a> {
    id: &'a str,
    kind: &'a str,
    content: &'a [u8],
}

/// The first object of an answer, and what follows it.
fn object(answer: &[u8]) -> Option<(Object<'_>, &[u8])> {
    let line_end = answer.iter().position(|byte| *byte == b'\n')?;
    let line = std::str::from_utf8(answer.get(..line_end)?).ok()?;
    let mut words = line.split(' ');
    let (id, kind, size) = (words.next()?, words.next()?, words.next()?.parse::<usize>().ok()?);
    let start = line_end + 1;
    let end = start.checked_add(size)?;
    let is_id = matches!(id.len(), 40 | 64) && answer.get(end) == Some(&b'\n');
    is_id.then_some(())?;
    Some((Object { id, kind, content: answer.get(start..end)? }, answer.get(end + 1..)?))
}

/// The headers of a commit or tag. Lines that continue one start with a blank and are left out.
fn headers(content: &[u8]) -> impl Iterator<Item = (&str, String)> {
    content
        .split(|byte| *byte == b'\n')
        .take_while(|line| !line.is_empty())
        .filter(|line| !line.starts_with(b" "))
        .filter_map(|line| {
            let blank = line.iter().position(|byte| *byte == b' ')?;
            let (name, value) = line.split_at(blank);
            let value = String::from_utf8_lossy(value.get(1..)?).into_owned();
            Some((std::str::from_utf8(name).ok()?, value))
        })
}

/// A tag carries its signature at its end; one in the format of the other hash stands in a header.
fn is_tag_signed(content: &[u8]) -> bool {
    let has_header = headers(content).any(|(name, _)| name.starts_with("gpgsig"));
    has_header
        || content.split(|byte| *byte == b'\n').any(|line| {
            line.starts_with(b"-----BEGIN ") && String::from_utf8_lossy(line).contains("SIGNATURE")
                || line.starts_with(b"-----BEGIN PGP MESSAGE")
                || line.starts_with(b"-----BEGIN SIGNED MESSAGE")
        })
}

/// The first paragraph of a message, in one line.
fn subject(content: &[u8]) -> String {
    let text = String::from_utf8_lossy(content);
    let message = text.split_once("\n\n").map_or("", |(_, message)| message);
    let lines: Vec<&str> = message
        .trim_start()
        .lines()
        .take_while(|line| !line.trim().is_empty())
        .map(str::trim)
        .collect();
    lines.join(" ")
}

/// `Ada <ada@acme.io> 1795230000 +0000`.
fn seconds(person: &str) -> Option<i64> {
    person.rsplit_once("> ")?.1.split(' ').next()?.parse().ok()
}

/// Authors and subjects are shown to people; nobody needs more than a line of them.
fn bounded(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "tree 1\nparent aaaa\nparent bbbb\nauthor Ada <a@b> 1 +0000\n\
        committer Bob <b@c> 1795230000 +0100\ngpgsig -----BEGIN SSH SIGNATURE-----\n \
        parent cccc\n -----END SSH SIGNATURE-----\n\nsubject\nof two lines\n\nparent dddd\n";

    fn batch(objects: &[(&str, &str)]) -> Vec<u8> {
        let id = "0123456789".repeat(4);
        let record = |(kind, text): &(&str, &str)| format!("{id} {kind} {}\n{text}\n", text.len());
        objects.iter().map(record).collect::<String>().into_bytes()
    }

    #[test]
    fn a_commit_is_read_from_its_headers_alone() {
        let fetched = parse(&batch(&[("commit", COMMIT), ("commit", COMMIT)])).unwrap();
        assert_eq!(fetched.parents, ["aaaa", "bbbb"]);
        assert_eq!((fetched.is_signed, fetched.tag), (true, None));
        assert_eq!(fetched.commit.to_string(), "subject of two lines (Ada, 2026-11-21 03:00 UTC)");
    }

    #[test]
    fn a_tag_is_known_by_the_name_in_it() {
        let tag = "object aaaa\ntype commit\ntag v1\ntagger Ada <a@b> 1 +0000\n\ntag v2\n";
        let fetched = parse(&batch(&[("commit", COMMIT), ("tag", tag)])).unwrap();
        let found = fetched.tag.unwrap();
        assert_eq!((found.name.as_str(), found.is_signed), ("v1", false));
        let signed = format!("{tag}-----BEGIN PGP SIGNATURE-----\n");
        let fetched = parse(&batch(&[("commit", COMMIT), ("tag", &signed)])).unwrap();
        assert!(fetched.tag.unwrap().is_signed);
    }

    #[test]
    fn an_answer_that_is_no_commit_is_none() {
        assert_eq!(parse(b"refs/longshore/fetched^{commit} missing\n"), None);
        assert_eq!(parse(&batch(&[("commit", COMMIT)])), None);
        assert_eq!(parse(&batch(&[("commit", COMMIT), ("blob", COMMIT)])), None);
        assert_eq!(parse(&batch(&[("tree", COMMIT), ("commit", COMMIT)])), None);
    }
}
