//! Reading many blobs with one command.

use bytes::Bytes;

/// Takes the answer of `cat-file --batch` apart, in the order asked; `None` when something is missing from it.
pub fn parse(answer: &Bytes, ids: &[&str]) -> Option<Vec<Bytes>> {
    let mut blobs = Vec::with_capacity(ids.len());
    let mut at = 0;
    for id in ids {
        let rest = answer.get(at..)?;
        let line = rest.get(..rest.iter().position(|byte| *byte == b'\n')?)?;
        let mut words = std::str::from_utf8(line).ok()?.split(' ');
        let (found, kind, size) = (words.next()?, words.next()?, words.next()?);
        if found != *id || kind != "blob" {
            return None;
        }
        let start = at + line.len() + 1;
        let end = start.checked_add(size.parse().ok()?)?;
        if answer.get(end) != Some(&b'\n') {
            return None;
        }
        // Copied, so that one small file does not keep the whole answer in memory.
        blobs.push(Bytes::copy_from_slice(answer.get(start..end)?));
        at = end + 1;
    }
    (at == answer.len()).then_some(blobs)
}

/// Whether a blob only stands for a file that Git LFS keeps elsewhere.
pub(super) fn is_lfs_pointer(bytes: &[u8]) -> bool {
    bytes.starts_with(b"version https://git-lfs.github.com/spec/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blobs_come_apart_whatever_they_hold() {
        let answer = Bytes::from_static(b"aa blob 3\na\nb\nbb blob 0\n\n");
        let blobs = parse(&answer, &["aa", "bb"]).unwrap();
        assert_eq!(blobs, vec![Bytes::from_static(b"a\nb"), Bytes::new()]);
    }

    #[test]
    fn an_answer_that_is_cut_short_is_none() {
        assert_eq!(parse(&Bytes::from_static(b"aa blob 3\na\nb"), &["aa"]), None);
        assert_eq!(parse(&Bytes::from_static(b"aa missing\n"), &["aa"]), None);
        assert_eq!(parse(&Bytes::from_static(b"aa blob 1\na\n"), &["aa", "bb"]), None);
        assert_eq!(parse(&Bytes::from_static(b"aa blob 1\na\nrest"), &["aa"]), None);
    }
}
