//! What the `git` program answers about a repository of somebody else. The first line says what was asked:
//!
//! ```text
//! tree services        a listing of files, parted by zeros
//! branch main          a listing of references; so with `tag`, `range`, `commit` and `head`
//! objects              a commit, and behind a line of dashes a tag
//! blobs                files, parted by lines of dashes
//! ```

use std::collections::BTreeSet;

use controller::source::FILE_BYTES_MAX;
use controller::source::git::fetched;
use controller::source::git::reference::{Announced, Wanted};
use controller::source::git::tree::{self, Blob};
use controller::source::git::{blobs, reference};
use crds::GitRef;

use super::{assert_tellable, first_line, parted, seed};

/// The most files.
const FILES_MAX: usize = 20;
/// How many cuts are tried.
const CUTS: usize = 6;
/// The commit.
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
/// The tag that names it.
const TAG: &str = "fedcba9876543210fedcba9876543210fedcba98";

/// Reading an answer.
///
/// Every file that may be a spec is read or refused by name; a reference stands for the commit beside its name; a commit and
/// a tag are told apart whatever they hold. A part of an answer is none.
pub fn git(data: &[u8]) {
    let (question, answer) = first_line(data);
    let (what, name) = question.split_once(' ').unwrap_or((question.as_str(), ""));
    let mut random = fastrand::Rng::with_seed(seed(data));
    let some = |name: &str| Some(name.to_owned());
    let reference = match what {
        "tree" => return files(answer, name, &mut random),
        "objects" => return objects(answer, &mut random),
        "blobs" => return contents(answer, &mut random),
        "branch" => GitRef { branch: some(name), ..GitRef::default() },
        "tag" => GitRef { tag: some(name), ..GitRef::default() },
        "range" => GitRef { semver: some(name), ..GitRef::default() },
        "commit" => GitRef { commit: some(name), ..GitRef::default() },
        _ => GitRef::default(),
    };
    match Wanted::parse(Some(&reference)) {
        Ok(wanted) => references(&wanted, answer, &mut random),
        Err(why) => assert_tellable(&why),
    }
}

fn files(listing: &[u8], folder: &str, random: &mut fastrand::Rng) {
    let Some(tree) = tree::parse(listing, folder) else { return };
    let mut records: Vec<&[u8]> =
        listing.split(|byte| *byte == 0).filter(|record| !record.is_empty()).collect();
    assert_eq!(tree.total, records.len());
    for (path, content) in &tree.entries {
        if let Ok(blob) = content {
            assert_readable(path, folder, blob, &records);
        }
    }
    for record in &records {
        let path = String::from_utf8_lossy(path(record)).into_owned();
        let may_be_spec =
            has_suffix(&path) && !below(&path, folder).any(|part| part.starts_with('.'));
        assert!(
            !may_be_spec || tree.entries.contains_key(&path) || is_elsewhere(record),
            "{path:?}"
        );
    }
    random.shuffle(&mut records);
    let shuffled: Vec<u8> = records.iter().flat_map(|record| [*record, b"\0"].concat()).collect();
    assert_eq!(tree::parse(&shuffled, folder), Some(tree), "in another order");
    for cut in cuts(listing, random) {
        assert!(cut.ends_with(b"\0") || tree::parse(cut, folder).is_none_or(|_| cut.is_empty()));
    }
}

/// It is one file of the listing, of a size that is read, and its path leads nowhere else.
fn assert_readable(path: &str, folder: &str, blob: &Blob, records: &[&[u8]]) {
    let found: Vec<&&[u8]> =
        records.iter().filter(|record| self::path(record) == path.as_bytes()).collect();
    let [record] = found.as_slice() else { panic!("{path:?} is there {} times", found.len()) };
    assert!(!is_elsewhere(record), "{path:?} is no file");
    assert!(blob.bytes <= FILE_BYTES_MAX && has_suffix(path));
    assert!(path.split('/').all(|part| !["", ".", ".."].contains(&part)), "{path:?}");
    assert!(below(path, folder).all(|part| !part.starts_with('.')), "{path:?} is hidden");
}

fn path<'a>(record: &&'a [u8]) -> &'a [u8] {
    let tab = record.iter().position(|byte| *byte == b'\t').unwrap();
    &record[tab + 1..]
}

/// A link or another repository.
fn is_elsewhere(record: &[u8]) -> bool {
    let mut words = record.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    words.next().is_some_and(|mode| mode == b"120000" || mode == b"160000")
}

fn has_suffix(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    [".yaml", ".yml", ".json"].iter().any(|suffix| path.ends_with(suffix))
}

/// The parts of a path behind those of a folder.
fn below<'a>(path: &'a str, folder: &str) -> impl Iterator<Item = &'a str> {
    let is_inside = !folder.is_empty() && path.starts_with(&format!("{folder}/"));
    path[if is_inside { folder.len() + 1 } else { 0 }..].split('/')
}

fn references(wanted: &Wanted, listing: &[u8], random: &mut fastrand::Rng) {
    let found = wanted.find(listing);
    match &found {
        Err(none) => assert_tellable(&none.to_string()),
        Ok(None) => {}
        Ok(Some(announced)) => assert_announced(wanted, announced, listing),
    }
    let odd = b"\n\xff\xfe\n0\tHEAD\n0123\trefs/tags/v99.0.0\nno reference\n\trefs/heads/main\n";
    assert_eq!(wanted.find(&[listing, odd].concat()), found, "with odd lines");
    let mut lines: Vec<&[u8]> = listing.split(|byte| *byte == b'\n').collect();
    let name = |line: &[u8]| line.split(|byte| *byte == b'\t').nth(1).map(<[u8]>::to_vec);
    let names: BTreeSet<_> = lines.iter().map(|line| name(line)).collect();
    if names.len() == lines.len() {
        random.shuffle(&mut lines);
        assert_eq!(wanted.find(&lines.join(&b'\n')), found, "in another order");
    }
}

/// The commit stands beside the name that was looked for, and the name can be fetched.
fn assert_announced(wanted: &Wanted, announced: &Announced, listing: &[u8]) {
    let Announced { commit, tag } = announced;
    assert!(reference::commit_id(commit).is_ok(), "{commit}");
    let name = wanted.remote_name(announced);
    let is_safe = |letter: char| !letter.is_control() && !" :~^?*[\\".contains(letter);
    assert!(!name.starts_with(['-', '+']) && name.chars().all(is_safe), "{name:?}");
    assert_eq!(tag.is_some(), matches!(wanted, Wanted::Tag(_) | Wanted::Newest(_)));
    if let Wanted::Commit(id) = wanted {
        assert_eq!((id, &name), (commit, commit));
        return;
    }
    let stands = |name: &str| {
        let line = format!("{commit}\t{name}");
        let mut lines = listing.split(|byte| *byte == b'\n');
        lines.any(|other| other.eq_ignore_ascii_case(line.as_bytes()))
    };
    let peeled = format!("{name}^{{}}");
    assert!(stands(&name) || tag.is_some() && stands(&peeled), "{commit} is not {name}");
}

fn objects(content: &[u8], random: &mut fastrand::Rng) {
    let parts = parted(content, 2);
    let (commit, tag) = (&parts[0], parts.get(1));
    let answer = match tag {
        Some(tag) => [object(COMMIT, "commit", commit), object(TAG, "tag", tag)].concat(),
        None => object(COMMIT, "commit", commit).repeat(2),
    };
    for cut in cuts(&answer, random) {
        assert_eq!(fetched::parse(cut), None, "of a part");
    }
    assert_eq!(fetched::parse(&[&answer[..], b"\n"].concat()), None, "with more behind it");
    let Some(fetched) = fetched::parse(&answer) else {
        let named = tag.is_some_and(|tag| header(tag, "tag").is_some());
        assert!(tag.is_some() && !named, "a commit is not read");
        return;
    };
    assert_eq!(fetched.id, COMMIT);
    assert_tellable(&fetched.commit.author);
    assert_tellable(&fetched.commit.subject);
    assert_tellable(&fetched.commit.to_string());
    let parents: Vec<String> =
        headers(commit).filter(|(name, _)| name == "parent").map(|(_, value)| value).collect();
    assert_eq!(fetched.parents, parents);
    let is_signed = headers(commit).any(|(name, _)| name == "gpgsig" || name == "gpgsig-sha256");
    assert_eq!(fetched.is_signed, is_signed);
    assert_eq!(fetched.tag.is_some(), tag.is_some());
    if let (Some(found), Some(tag)) = (&fetched.tag, tag) {
        assert_eq!((found.id.as_str(), Some(&found.name)), (TAG, header(tag, "tag").as_ref()));
        let armour = tag.windows(11).any(|part| part == b"-----BEGIN ");
        let has_header = headers(tag).any(|(name, _)| name.starts_with("gpgsig"));
        assert!(armour || has_header || !found.is_signed, "nothing in it is a signature");
    }
}

fn header(content: &[u8], name: &str) -> Option<String> {
    headers(content).find_map(|(found, value)| (found == name).then_some(value))
}

/// The lines before the first empty one, without those that go on.
fn headers(content: &[u8]) -> impl Iterator<Item = (String, String)> {
    let lines = content.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty());
    lines.filter_map(|line| {
        let (name, value) = line.split_at(line.iter().position(|byte| *byte == b' ')?);
        let name = String::from_utf8(name.to_vec()).ok().filter(|name| !name.is_empty())?;
        Some((name, String::from_utf8_lossy(&value[1..]).into_owned()))
    })
}

fn contents(data: &[u8], random: &mut fastrand::Rng) {
    let files = parted(data, FILES_MAX);
    let ids: Vec<String> = (0..files.len()).map(|number| format!("{number:040}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let all = ids.iter().zip(&files).flat_map(|(id, file)| object(id, "blob", file));
    let answer: Vec<u8> = all.collect();
    let read = |answer: &[u8], ids: &[&str]| blobs::parse(&answer.to_vec().into(), ids);
    assert_eq!(read(&answer, &ids).unwrap(), files);
    for cut in cuts(&answer, random) {
        assert_eq!(read(cut, &ids), None, "of a part");
    }
    assert_eq!(read(&answer, &ids[1..]), None, "one more than asked for");
    assert_eq!(read(&answer, &[&ids[..], &[COMMIT]].concat()), None, "one less");
}

/// An object as `cat-file --batch` writes it.
fn object(id: &str, kind: &str, content: &[u8]) -> Vec<u8> {
    [format!("{id} {kind} {}\n", content.len()).as_bytes(), content, b"\n"].concat()
}

/// A few parts of an answer, from its beginning.
fn cuts<'a>(answer: &'a [u8], random: &mut fastrand::Rng) -> Vec<&'a [u8]> {
    (0..CUTS)
        .filter(|_| !answer.is_empty())
        .map(|_| &answer[..random.usize(..answer.len())])
        .collect()
}
