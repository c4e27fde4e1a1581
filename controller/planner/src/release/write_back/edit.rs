//! The edit of a file.

use super::Version;
use super::line::{self, Misplaced, Rewrite};
use crate::release::rule::is_tag;

/// A text that holds the version now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// The whole text.
    pub text: String,
    /// What was changed, in the order of lines.
    pub changes: Vec<Change>,
}

/// A scalar that was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its line, from 1.
    pub line: usize,
    /// What it was.
    pub from: String,
    /// What it is.
    pub to: String,
}

/// Brings a text to a version; `None` when it holds it already. The error says why there is no place for it.
pub fn edit(text: &str, version: &Version<'_>) -> Result<Option<Edited>, Misplaced> {
    let mut edited = Edited { text: String::with_capacity(text.len() + 16), changes: Vec::new() };
    let mut is_marked = false;
    for (index, whole) in text.split_inclusive('\n').enumerate() {
        let line = whole.trim_end_matches(['\r', '\n']);
        let Some(rewrite) = line::rewrite(line, version) else {
            edited.text.push_str(whole);
            continue;
        };
        is_marked = true;
        let number = index + 1;
        let rewrite =
            rewrite.map_err(|(what, hint)| Misplaced { line: Some(number), what, hint })?;
        edited.put(whole, number, rewrite);
    }
    if !is_marked {
        edited = only_tag(text, version)?;
    }
    Ok((!edited.changes.is_empty()).then_some(edited))
}

impl Edited {
    fn put(&mut self, whole: &str, line: usize, rewrite: Rewrite) {
        let Rewrite { span, with, from, to } = rewrite;
        if from == to {
            self.text.push_str(whole);
            return;
        }
        self.text.push_str(whole.get(..span.start).unwrap_or_default());
        self.text.push_str(&with);
        self.text.push_str(whole.get(span.end..).unwrap_or_default());
        self.changes.push(Change { line, from, to });
    }
}

/// A text that is nothing but a tag, on a line of its own.
fn only_tag(text: &str, version: &Version<'_>) -> Result<Edited, Misplaced> {
    let tag = text.trim_matches([' ', '\t', '\r', '\n']);
    let start = text.find(tag).filter(|_| is_tag(tag)).ok_or_else(|| no_place(version))?;
    let line = text.get(..start).unwrap_or_default().matches('\n').count() + 1;
    let mut edited = Edited { text: String::new(), changes: Vec::new() };
    let (from, to) = (tag.to_owned(), version.tag.to_owned());
    let span = start..start + tag.len();
    edited.put(text, line, Rewrite { span, with: to.clone(), from, to });
    Ok(edited)
}

fn no_place(version: &Version<'_>) -> Misplaced {
    let marker = format!("# longshore: release {}", version.release);
    Misplaced {
        line: None,
        what: format!("no line ends in `{marker}`, and it is not a single tag"),
        hint: format!("write `{marker}` behind the image, or `{marker} tag` behind the tag"),
    }
}
