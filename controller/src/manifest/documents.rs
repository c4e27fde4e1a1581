//! Cutting a file into its documents.
//!
//! A line that starts with `---` or `...` ends a document even inside a quoted text or a block, so the cuts can be found
//! without understanding what lies between them. That is why a broken document leaves its neighbours whole.

use std::fmt;

use crds::Position;

use super::class::mentions_us;

/// The most documents that a file may hold.
const DOCUMENTS_MAX: usize = 1_000;

/// One document of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Document<'a> {
    /// Its text, from its `---` on if it has one.
    pub(super) text: &'a str,
    /// The line of the file on which the text starts, from 1.
    pub(super) first_line: u32,
}

impl Document<'_> {
    /// Where its first line with content is.
    pub(super) fn position(&self) -> Position {
        let blank = self.text.lines().take_while(|line| !has_content(line)).count();
        Position { line: self.first_line.saturating_add(number(blank)), column: 1 }
    }
}

/// Why a file cannot be cut into documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// Not UTF-8.
    Encoding { is_utf16: bool, may_be_ours: bool },
    /// Too many documents.
    TooMany { may_be_ours: bool },
}

impl Unreadable {
    /// Whether one of our objects may be in there.
    pub(super) fn may_be_ours(self) -> bool {
        match self {
            Self::Encoding { is_utf16, may_be_ours } => is_utf16 || may_be_ours,
            Self::TooMany { may_be_ours } => may_be_ours,
        }
    }

    pub(super) fn hint(self) -> &'static str {
        match self {
            Self::Encoding { .. } => "save it as UTF-8",
            Self::TooMany { .. } => "split it into several files",
        }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Encoding { is_utf16: true, .. } => f.write_str("the file is UTF-16, not UTF-8"),
            Self::Encoding { .. } => f.write_str("the file is not UTF-8"),
            Self::TooMany { .. } => {
                write!(f, "the file holds more than {DOCUMENTS_MAX} documents")
            }
        }
    }
}

/// The documents of a file that have content.
pub(super) fn split(bytes: &[u8]) -> Result<Vec<Document<'_>>, Unreadable> {
    let text = std::str::from_utf8(bytes).map_err(|_| Unreadable::Encoding {
        is_utf16: bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]),
        may_be_ours: mentions_us(&String::from_utf8_lossy(bytes)),
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut documents = Vec::new();
    let mut start = Some((0, 1));
    let mut at = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let line_number = number(index).saturating_add(1);
        let next = at + line.len();
        if is_marker(line, "---") {
            keep(&mut documents, text, start, at);
            start = Some((at, line_number));
        } else if is_marker(line, "...") {
            keep(&mut documents, text, start, at);
            start = Some((next, line_number.saturating_add(1)));
        }
        if documents.len() > DOCUMENTS_MAX {
            return Err(Unreadable::TooMany { may_be_ours: mentions_us(text) });
        }
        at = next;
    }
    keep(&mut documents, text, start, at);
    Ok(documents)
}

fn keep<'a>(
    documents: &mut Vec<Document<'a>>,
    text: &'a str,
    start: Option<(usize, u32)>,
    end: usize,
) {
    if let Some((start, first_line)) = start
        && let Some(text) = text.get(start..end)
        && text.lines().any(has_content)
    {
        documents.push(Document { text, first_line });
    }
}

fn is_marker(line: &str, marker: &str) -> bool {
    line.strip_prefix(marker)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
}

/// Whether a line is more than a comment, a directive or a bare `---`.
fn has_content(line: &str) -> bool {
    let line = if is_marker(line, "---") { line.get(3..).unwrap_or_default() } else { line };
    let line = line.trim();
    !line.is_empty() && !line.starts_with('#') && !line.starts_with('%')
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<(u32, &str)> {
        let documents = split(text.as_bytes()).unwrap();
        documents.iter().map(|document| (document.first_line, document.text)).collect()
    }

    #[test]
    fn documents_are_cut_at_their_markers_only() {
        assert_eq!(cut("a: 1\n---\nb: 2\n"), vec![(1, "a: 1\n"), (2, "---\nb: 2\n")]);
        assert_eq!(cut("---\n# only a comment\n---\nb: 2"), vec![(3, "---\nb: 2")]);
        assert_eq!(cut("a: 1\n...\nb: 2\n"), vec![(1, "a: 1\n"), (3, "b: 2\n")]);
        assert_eq!(cut("a: |\n  ---\n  x\n----\n").len(), 1);
        assert_eq!(cut("a: 'open\n---\nb: 2\n").len(), 2);
        assert_eq!(cut("--- {a: 1}\r\n--- \r\nb: 2\r\n").len(), 2);
        assert_eq!(cut("\u{feff}a: 1\n"), vec![(1, "a: 1\n")]);
        assert_eq!(cut(""), vec![]);
    }

    #[test]
    fn a_documents_position_is_its_first_line_with_content() {
        let documents = split(b"# licence\n\n---\n# web\nkind: Service\n").unwrap();
        assert_eq!(documents[0].position(), Position { line: 5, column: 1 });
    }

    #[test]
    fn other_encodings_and_endless_files_are_refused() {
        let utf16 = split(&[0xff, 0xfe, b'a', 0]).unwrap_err();
        assert!(utf16.may_be_ours());
        assert!(!split(&[b'a', 0xff]).unwrap_err().may_be_ours());
        let endless = "---\na\n".repeat(DOCUMENTS_MAX + 2);
        assert!(matches!(split(endless.as_bytes()), Err(Unreadable::TooMany { .. })));
    }
}
