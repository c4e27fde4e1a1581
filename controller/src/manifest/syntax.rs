//! What the YAML parser complains about, in words for people.

use crds::Position;
use granit_parser::{ErrorKind, Marker, ScanError};

use super::path::FieldPath;
use super::problem::{Problem, quoted};

/// A place in the file from a place in the document.
pub(super) fn position(marker: &Marker, first_line: u32) -> Position {
    let line = u32::try_from(marker.line()).unwrap_or(u32::MAX);
    let column = u32::try_from(marker.col()).unwrap_or(u32::MAX);
    Position {
        line: first_line.saturating_add(line).saturating_sub(1).max(first_line),
        column: column.saturating_add(1),
    }
}

/// The parser's error as a problem of the document.
pub(super) fn problem(error: &ScanError, text: &str, first_line: u32) -> Problem {
    let at = position(error.marker(), first_line);
    let index = at.line.saturating_sub(first_line) as usize;
    let lines: Vec<&str> = text.lines().collect();
    if let Some(tab) = tab_near(&lines, index, error.kind()) {
        let line = first_line.saturating_add(u32::try_from(tab).unwrap_or(u32::MAX));
        return Problem::new(
            Position { line, column: 1 },
            FieldPath::default(),
            "the line is indented with a tab",
        )
        .hint("YAML is indented with spaces");
    }
    if *error.kind() == ErrorKind::MappingValueNotAllowed
        && let Some((above, blank)) = unspaced_above(&lines, index)
    {
        let line = first_line.saturating_add(u32::try_from(above).unwrap_or(u32::MAX));
        let line_above = lines.get(above).copied().unwrap_or_default();
        // What follows the colon may be a secret.
        let name = line_above.split(':').next().unwrap_or_default().trim();
        let shown = quoted(&format!("{name}:…"));
        let at = Position { line, column: blank.saturating_add(1) };
        return Problem::new(at, FieldPath::default(), format!("{shown} is no field"))
            .hint("write a space after the colon");
    }
    let line = lines.get(index).map_or("", |line| line.trim());
    let (message, hint) = told(error.kind(), line);
    let problem = Problem::new(at, FieldPath::default(), message);
    match hint {
        Some(hint) => problem.hint(hint),
        None => problem,
    }
}

/// A line with a tab in its indentation, where the parser stopped, or beside it.
fn tab_near(lines: &[&str], index: usize, kind: &ErrorKind) -> Option<usize> {
    let is_tabbed = |index: &usize| {
        lines.get(*index).is_some_and(|line| {
            let indentation = line.split(|letter: char| letter != ' ' && letter != '\t').next();
            indentation.is_some_and(|blank| blank.contains('\t')) && !line.trim().is_empty()
        })
    };
    let is_about_tabs = matches!(kind, ErrorKind::TabInPlainScalar);
    let after = is_about_tabs.then_some(index + 1);
    [index].into_iter().chain(after).chain(index.checked_sub(1)).find(is_tabbed)
}

/// A line above that would be a field if it had a space after its colon.
fn unspaced_above(lines: &[&str], index: usize) -> Option<(usize, u32)> {
    let above = lines.get(..index)?.iter().rposition(|line| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with('#')
    })?;
    let line = lines.get(above)?;
    let content = line.trim_start();
    let (name, rest) = content.split_once(':')?;
    let is_field = !name.is_empty()
        && !rest.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && !rest.starts_with([' ', '/'])
        && !rest.contains(": ");
    is_field.then(|| (above, u32::try_from(line.len() - content.len()).unwrap_or(0)))
}

/// A template that happens to parse, as a mapping in a place where none can be.
pub(super) fn or_template(problem: Problem, text: &str, first_line: u32) -> Problem {
    let Some(position) = problem.position else { return problem };
    let index = position.line.saturating_sub(first_line) as usize;
    if !text.lines().nth(index).is_some_and(|line| line.contains("{{")) {
        return problem;
    }
    Problem::new(position, problem.path, TEMPLATE.0).hint(TEMPLATE.1)
}

const TEMPLATE: (&str, &str) = (
    "a template is not YAML before it is rendered",
    "render it first, or use ${var:name} references",
);

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the parser's kinds are its own and grow; those not named here keep the parser's words"
)]
fn told(kind: &ErrorKind, line: &str) -> (String, Option<&'static str>) {
    let told = |message: &str, hint| (message.to_owned(), Some(hint));
    if line.starts_with("<<<<<<<") || line.starts_with("=======") || line.starts_with(">>>>>>>") {
        return told("a merge conflict was committed", "resolve it and remove the markers");
    }
    if line.contains("{{") {
        return told(TEMPLATE.0, TEMPLATE.1);
    }
    match kind {
        ErrorKind::MappingValueNotAllowed | ErrorKind::MappingKeyNotAllowed => told(
            "a field is not possible here",
            "check the indentation, and quote text that contains `: `",
        ),
        ErrorKind::InvalidIndentation
        | ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::BlockSequenceEntryNotAllowed => told(
            "the indentation fits none of the lines above",
            "indent the fields of one mapping alike",
        ),
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => told(
            "the line is neither a field nor part of a value",
            "a field is written `name: value`, with a space after the colon",
        ),
        ErrorKind::UnclosedQuotedScalar
        | ErrorKind::DocumentIndicatorInQuotedScalar
        | ErrorKind::InvalidQuotedScalarIndent => {
            told("a quoted text does not end", "close the quote")
        }
        ErrorKind::UnclosedFlowCollection { open }
        | ErrorKind::MismatchedFlowCollectionEnd { open, .. } => {
            let close = if *open == '{' { '}' } else { ']' };
            (format!("`{open}` is not closed"), Some(closing(close)))
        }
        ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofImplicitFlowMapping
        | ErrorKind::ExpectedFlowMappingSeparator => {
            told("`{` is not closed", "close it with `}`, and part the fields by commas")
        }
        ErrorKind::UnexpectedEofFlowSequence | ErrorKind::ExpectedFlowSequenceSeparator => {
            told("`[` is not closed", "close it with `]`, and part the items by commas")
        }
        ErrorKind::MisplacedFlowCollectionEnd => {
            told("a closing bracket has no opening one", "remove it")
        }
        ErrorKind::UnknownAnchor => told(
            "the alias names no anchor",
            "define it before with `&name`, or quote text that starts with `*`",
        ),
        ErrorKind::RecursionLimitExceeded => {
            told("values are nested too deep", "specs need no more than a few levels")
        }
        ErrorKind::UnexpectedCharacter { character } => {
            let shown = character.escape_debug();
            (format!("a value cannot start with `{shown}`"), Some("put the value in quotes"))
        }
        ErrorKind::UnknownQuotedScalarEscape => told(
            "the text holds an unknown escape",
            "write \\\\ for a backslash, or use single quotes",
        ),
        ErrorKind::InvalidTrailingDoubleQuotedScalar
        | ErrorKind::InvalidTrailingSingleQuotedScalar => {
            told("there is text after the closing quote", "put the whole value in quotes")
        }
        ErrorKind::TabInIndentation
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabNotAllowed => {
            told("a tab stands where only spaces may", "YAML is indented with spaces")
        }
        ErrorKind::UndeclaredTagHandle | ErrorKind::ExpectedTagBang => {
            told("a tag has no meaning here", "quote text that starts with `!`")
        }
        other => (format!("this is not YAML: {other}"), None),
    }
}

fn closing(close: char) -> &'static str {
    if close == '}' { "close it with `}`" } else { "close it with `]`" }
}
