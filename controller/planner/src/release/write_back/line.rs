//! One line of a file: its marker, the scalar before it, and what that scalar has to become.
//!
//! `image: registry/shop:v1.4.2  # longshore: release shop`

use std::fmt;
use std::ops::Range;

use crds::ReleaseName;

use super::{Version, yaml};
use crate::image::ImageReference;
use crate::release::rule::is_tag;

/// A place that does not hold what it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misplaced {
    /// The line, from 1; `None` for the file as a whole.
    pub line: Option<usize>,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub hint: String,
}

impl fmt::Display for Misplaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        write!(f, "{}; {}", self.what, self.hint)
    }
}

/// What a marker says that the scalar before it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `repository:tag`.
    Image,
    /// The tag.
    Tag,
    /// `sha256:…`.
    Digest,
    /// `repository@sha256:…`, with the tag where one stands there.
    Pinned,
}

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    Quoted,
}

/// What a line has to become.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rewrite {
    /// The bytes of the line that are replaced.
    pub(super) span: Range<usize>,
    /// What takes their place.
    pub(super) with: String,
    /// The value before.
    pub(super) from: String,
    /// The value after.
    pub(super) to: String,
}

/// What is wrong with a line, and what to do about it.
pub(super) type Wrong = (String, String);

/// What a line, without its end, has to become; `None` for one that no marker of the release ends.
pub(super) fn rewrite(line: &str, version: &Version<'_>) -> Option<Result<Rewrite, Wrong>> {
    let (before, words) = marked(line, version.release)?;
    Some(form(&words).and_then(|form| {
        let (span, style) = scalar(before).ok_or_else(|| nothing(form))?;
        let from = before.get(span.clone()).unwrap_or_default().to_owned();
        let to = form.wanted(&from, version)?;
        let needs_quotes = style == Style::Plain && from != to && !yaml::stays_the_same(&from, &to);
        let with = if needs_quotes { format!("\"{to}\"") } else { to.clone() };
        Ok(Rewrite { span, with, from, to })
    }))
}

/// What stands before the marker of a release that ends the line, and the words that follow the release's name.
fn marked<'t>(line: &'t str, release: &ReleaseName) -> Option<(&'t str, Vec<&'t str>)> {
    if line.trim_start().starts_with('#') {
        return None;
    }
    let (before, comment) = line.rsplit_once('#')?;
    let mut words = comment.trim_start().strip_prefix("longshore:")?.split_whitespace();
    let is_comment = before.ends_with([' ', '\t']);
    let is_ours = words.next() == Some("release") && words.next() == Some(release.as_str());
    (is_comment && is_ours).then(|| (before, words.collect()))
}

fn form(words: &[&str]) -> Result<Form, Wrong> {
    match words {
        [] => Ok(Form::Image),
        ["tag"] => Ok(Form::Tag),
        ["digest"] => Ok(Form::Digest),
        ["pinned"] => Ok(Form::Pinned),
        other => Err((
            format!("the marker says `{}` after the release's name", other.join(" ")),
            "write nothing there, or one of `tag`, `digest` and `pinned`".to_owned(),
        )),
    }
}

/// Where the last scalar of a line stands that a comment follows. Closing brackets around it belong to the line.
fn scalar(before: &str) -> Option<(Range<usize>, Style)> {
    let code = before.get(..comment(before).unwrap_or(before.len()))?;
    let text = code.trim_end_matches([' ', '\t', ',', ']', '}']);
    let last = text.chars().next_back()?;
    if matches!(last, '"' | '\'') {
        let body = text.strip_suffix(last)?;
        let open = body.rfind(last)?;
        let opens = body.get(..open)?.chars().next_back().is_none_or(may_open);
        return opens.then_some((open + 1..body.len(), Style::Quoted));
    }
    let start = text.rfind(is_boundary).map_or(0, |at| at + 1);
    let token = text.get(start..)?;
    (!token.ends_with(':') && token != "-").then_some((start..text.len(), Style::Plain))
}

/// What may stand before a scalar.
fn is_boundary(letter: char) -> bool {
    " \t[{,".contains(letter)
}

/// What may stand before a quote that opens.
fn may_open(letter: char) -> bool {
    is_boundary(letter) || letter == ':' || letter == '='
}

/// Where a comment begins that stands before the marker: at a `#` after a blank, outside of quotes.
fn comment(text: &str) -> Option<usize> {
    let (mut quote, mut last) = (None, ' ');
    for (at, letter) in text.char_indices() {
        match quote {
            Some(open) if letter == open => quote = None,
            None if letter == '#' && matches!(last, ' ' | '\t') => return Some(at),
            None if matches!(letter, '"' | '\'') && may_open(last) => quote = Some(letter),
            Some(_) | None => {}
        }
        last = letter;
    }
    None
}

fn nothing(form: Form) -> Wrong {
    let hint = match form {
        Form::Image => "write the image before it",
        Form::Tag => "write a tag before it",
        Form::Digest => "write a digest before it",
        Form::Pinned => "write the image with its digest before it",
    };
    ("no value stands before the marker".to_owned(), hint.to_owned())
}

impl Form {
    /// What a scalar of this form has to be; the error says that it is none.
    fn wanted(self, from: &str, version: &Version<'_>) -> Result<String, Wrong> {
        let Version { image, tag, digest, .. } = version;
        match self {
            Self::Tag if from.is_empty() || is_tag(from) => Ok((*tag).to_owned()),
            Self::Digest if from.is_empty() || is_digest(from) => Ok((*digest).to_owned()),
            Self::Tag => Err(not(from, "a tag")),
            Self::Digest => Err(not(from, "a digest")),
            Self::Image | Self::Pinned if from.is_empty() => Ok(match self {
                Self::Pinned => format!("{image}@{digest}"),
                Self::Image | Self::Tag | Self::Digest => format!("{image}:{tag}"),
            }),
            Self::Image | Self::Pinned => {
                let found = ImageReference::parse(from);
                if found.repository != *image {
                    return Err((
                        format!("`{from}` is no image of {image}"),
                        "mark the line that names the release's image, or write it there"
                            .to_owned(),
                    ));
                }
                match (self, found.tag, found.digest) {
                    (Self::Image, _, Some(_)) => Err((
                        format!("`{from}` is pinned by its digest"),
                        format!("mark it with `# longshore: release {} pinned`", version.release),
                    )),
                    (Self::Image, _, None) => Ok(format!("{image}:{tag}")),
                    (_, Some(_), _) => Ok(format!("{image}:{tag}@{digest}")),
                    (_, None, _) => Ok(format!("{image}@{digest}")),
                }
            }
        }
    }
}

fn is_digest(text: &str) -> bool {
    text.split_once(':').is_some_and(|(algorithm, hash)| {
        matches!(algorithm, "sha256" | "sha512")
            && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

fn not(from: &str, kind: &str) -> Wrong {
    let hint = "mark the line that holds it; the marker is for the last value of its line";
    (format!("`{from}` is not {kind}"), hint.to_owned())
}
