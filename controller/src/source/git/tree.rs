//! The entries of a commit: which are specs, which are refused, and what the others are.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{FILE_BYTES_MAX, Refusal, has_spec_suffix, is_hidden, is_spec};

/// The content of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// Its id.
    pub id: String,
    /// Its size.
    pub bytes: u64,
}

/// What git writes in the place of the size of a blob that it does not have.
const ABSENT: &str = "BAD";

/// The answer of `ls-tree`.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// How many entries of any kind there are.
    pub total: usize,
    /// The specs among them by their paths from the repository's root, or why they are not read.
    pub entries: BTreeMap<String, Result<Blob, Refusal>>,
    /// The blobs of those that the cache does not have.
    pub absent: BTreeSet<String>,
}

/// Reads what `ls-tree -r -z --long` writes; `None` when it is not that, or only a part of it.
///
/// `folder` is the source's own path: hidden names count below it only.
pub fn parse(listing: &[u8], folder: &str) -> Option<Tree> {
    let mut tree = Tree::default();
    if listing.last().is_some_and(|last| *last != 0) {
        return None;
    }
    for record in listing.split(|byte| *byte == 0).filter(|record| !record.is_empty()) {
        tree.total += 1;
        let tab = record.iter().position(|byte| *byte == b'\t')?;
        let (meta, path) = record.split_at(tab);
        let mut meta = std::str::from_utf8(meta).ok()?.split_ascii_whitespace();
        let (mode, _kind, id, size) = (meta.next()?, meta.next()?, meta.next()?, meta.next()?);
        let path = path.get(1..)?;
        let text = String::from_utf8_lossy(path);
        let below = below(&text, folder);
        let content = match mode {
            "160000" if !is_hidden(below) => Err(Refusal::Submodule),
            "120000" if !is_hidden(below) && may_lead_to_specs(below) => Err(Refusal::Symlink),
            "160000" | "120000" => continue,
            _ if has_spec_suffix(below) && leads_astray(below) => Err(Refusal::Path),
            _ if !is_spec(below) => continue,
            _ if std::str::from_utf8(path).is_err() => Err(Refusal::Path),
            _ if size == ABSENT => {
                tree.absent.insert(id.to_owned());
                Err(Refusal::LeftOut)
            }
            _ => match size.parse().ok()? {
                bytes if bytes > FILE_BYTES_MAX => Err(Refusal::TooLarge { bytes }),
                bytes => Ok(Blob { id: id.to_owned(), bytes }),
            },
        };
        // Names that are not UTF-8 may look the same, and a commit made without Git may have one twice.
        let known = tree.entries.entry(text.into_owned());
        known.and_modify(|known| *known = Err(Refusal::Path)).or_insert(content);
    }
    Some(tree)
}

/// The path below the source's folder; all of it where it is not below it.
fn below<'a>(path: &'a str, folder: &str) -> &'a str {
    match path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')) {
        Some(below) if !folder.is_empty() => below,
        Some(_) | None => path,
    }
}

/// Git makes no such names, but a commit can be made without Git.
fn leads_astray(path: &str) -> bool {
    path.split('/').any(|name| matches!(name, "" | "." | ".."))
}

/// A link that is named like a spec, or like a folder that might hold some.
fn may_lead_to_specs(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    has_spec_suffix(name) || !name.contains('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str, content: Result<Blob, Refusal>) -> (String, Result<Blob, Refusal>) {
        (path.to_owned(), content)
    }

    #[test]
    fn specs_are_listed_and_the_rest_is_left_or_refused_by_name() {
        let listing = b"100644 blob aa      12\tservices/web.yaml\0\
            100644 blob ab      12\tservices/README.md\0\
            100644 blob ac      12\tservices/.github/x.yaml\0\
            120000 blob ad      12\tservices/link.yaml\0\
            120000 blob ae      12\tservices/shared\0\
            120000 blob af      12\tservices/run.sh\0\
            160000 commit b0       -\tservices/vendor\0\
            100755 blob b1 2000000\tservices/big.json\0";
        let tree = parse(listing, "services").unwrap();
        assert_eq!(tree.total, 8);
        assert_eq!(
            tree.entries,
            BTreeMap::from([
                entry("services/web.yaml", Ok(Blob { id: "aa".to_owned(), bytes: 12 })),
                entry("services/link.yaml", Err(Refusal::Symlink)),
                entry("services/shared", Err(Refusal::Symlink)),
                entry("services/vendor", Err(Refusal::Submodule)),
                entry("services/big.json", Err(Refusal::TooLarge { bytes: 2_000_000 })),
            ])
        );
    }

    #[test]
    fn a_spec_that_the_host_left_out_is_refused_and_others_do_not_count() {
        let listing = b"100644 blob aa     BAD\tbig.yaml\x00100644 blob ab     BAD\tfilm.mp4\0";
        let tree = parse(listing, "").unwrap();
        assert_eq!(tree.entries, BTreeMap::from([entry("big.yaml", Err(Refusal::LeftOut))]));
        assert_eq!(tree.absent, BTreeSet::from(["aa".to_owned()]));
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for (folder, path) in [
            ("", "../web.yaml"),
            ("", "a/../web.yaml"),
            ("", "a/./web.yaml"),
            ("", "a//web.yaml"),
            ("", "/web.yaml"),
            ("a", "a//web.yaml"),
        ] {
            let tree = parse(format!("100644 blob aa 12\t{path}\0").as_bytes(), folder).unwrap();
            assert_eq!(tree.entries, BTreeMap::from([entry(path, Err(Refusal::Path))]));
        }
    }

    #[test]
    fn of_two_files_that_look_the_same_none_is_read() {
        let listing = b"100644 blob aa 12\tweb.yaml\x00100644 blob ab 12\tweb.yaml\0\
            100644 blob ac 12\t\xef\xbf\xbd.yaml\x00100644 blob ad 12\t\xff.yaml\0";
        let refused = |path: &str| entry(path, Err(Refusal::Path));
        let tree = parse(listing, "").unwrap();
        assert_eq!(tree.entries, BTreeMap::from([refused("web.yaml"), refused("\u{fffd}.yaml")]));
    }

    #[test]
    fn a_hidden_folder_that_was_asked_for_by_name_is_read() {
        let tree = parse(b"100644 blob aa 12\t.longshore/web.yaml\0", ".longshore").unwrap();
        assert_eq!(tree.entries.len(), 1);
    }

    #[test]
    fn nonsense_is_no_tree() {
        assert_eq!(parse(b"100644 blob aa\tx.yaml\0", ""), None);
        assert_eq!(parse(b"what\0", ""), None);
    }

    #[test]
    fn a_listing_that_is_cut_short_is_no_tree() {
        assert_eq!(parse(b"100644 blob aa 12\ta.yaml\x00100644 blob ab 12\tb.yam", ""), None);
        assert_eq!(parse(b"", "").unwrap(), Tree::default());
    }
}
