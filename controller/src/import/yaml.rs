//! Documents as YAML: block style, a stable order, comments, and quotes wherever a reader of YAML 1.1 or 1.2 might take a
//! text for something else.
//!
//! Of our own because no serialiser at hand writes comments. What holds: what is read of the text is the document, for our
//! own reader and for one of YAML 1.1.

use std::fmt::Write as _;

use serde_json::Value;

use super::document::{Node, Part};

/// How far comments run.
const WIDTH: usize = 100;
/// How much deeper each level stands.
const STEP: usize = 2;

/// The text of a document, with comments at its head.
pub(super) fn emit(head: &[String], node: &Node) -> String {
    let mut writer = Writer { text: String::new() };
    writer.comments(head, 0);
    match node {
        Node::Mapping(members) if !members.is_empty() => writer.mapping(members, 0, false),
        Node::List(items) if !items.is_empty() => writer.list(items, 0, false),
        Node::Scalar(_) | Node::Mapping(_) | Node::List(_) => {
            writer.text.push_str(&inline(node, 0));
            writer.text.push('\n');
        }
    }
    writer.text
}

struct Writer {
    text: String,
}

impl Writer {
    fn indent(&mut self, depth: usize) {
        self.text.extend(std::iter::repeat_n(' ', depth));
    }

    fn comments(&mut self, comments: &[String], depth: usize) {
        for line in comments.iter().flat_map(|comment| wrapped(comment, depth)) {
            self.indent(depth);
            self.text.push_str("# ");
            self.text.push_str(&line);
            self.text.push('\n');
        }
    }

    /// `is_begun`: the first member stands behind a dash, below which its comments are written already.
    fn mapping(&mut self, members: &[(String, Part)], depth: usize, is_begun: bool) {
        for (index, (name, part)) in members.iter().enumerate() {
            if index > 0 || !is_begun {
                self.comments(&part.comments, depth);
                self.indent(depth);
            }
            self.text.push_str(&text(name, depth, Place::Name));
            self.text.push(':');
            self.value(&part.node, depth);
        }
    }

    fn list(&mut self, items: &[Part], depth: usize, is_begun: bool) {
        for (index, item) in items.iter().enumerate() {
            if index > 0 || !is_begun {
                self.comments(&item.comments, depth);
                self.comments_of_first(&item.node, depth);
                self.indent(depth);
            }
            self.text.push('-');
            match &item.node {
                Node::Mapping(members) if !members.is_empty() => {
                    self.text.push(' ');
                    self.mapping(members, depth + STEP, true);
                }
                Node::List(items) if !items.is_empty() => {
                    self.text.push(' ');
                    self.list(items, depth + STEP, true);
                }
                node @ (Node::Scalar(_) | Node::Mapping(_) | Node::List(_)) => {
                    self.value(node, depth);
                }
            }
        }
    }

    /// What follows a name and its colon, or a dash.
    fn value(&mut self, node: &Node, depth: usize) {
        match node {
            Node::Mapping(members) if !members.is_empty() => {
                self.text.push('\n');
                self.mapping(members, depth + STEP, false);
            }
            Node::List(items) if !items.is_empty() => {
                self.text.push('\n');
                self.list(items, depth + STEP, false);
            }
            Node::Scalar(_) | Node::Mapping(_) | Node::List(_) => {
                self.text.push(' ');
                self.text.push_str(&inline(node, depth));
                self.text.push('\n');
            }
        }
    }

    /// Comments of what stands on the same line as a dash are written above the dash.
    fn comments_of_first(&mut self, node: &Node, depth: usize) {
        let first = match node {
            Node::Mapping(members) => members.first().map(|(_, part)| part),
            Node::List(items) => items.first(),
            Node::Scalar(_) => None,
        };
        let Some(first) = first else { return };
        self.comments(&first.comments, depth);
        if matches!(node, Node::List(_)) {
            self.comments_of_first(&first.node, depth);
        }
    }
}

/// A value that needs no lines of its own, or a text that brings them along.
fn inline(node: &Node, depth: usize) -> String {
    match node {
        Node::Scalar(Value::String(value)) => text(value, depth, Place::Value),
        Node::Scalar(value) => value.to_string(),
        Node::List(_) => "[]".to_owned(),
        Node::Mapping(_) => "{}".to_owned(),
    }
}

/// Where a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Name,
    Value,
}

fn text(value: &str, depth: usize, place: Place) -> String {
    if is_plain(value) {
        value.to_owned()
    } else if place == Place::Value && is_literal(value) {
        literal(value, depth)
    } else {
        quoted(value)
    }
}

/// Whether a text may stand without quotes: no reader takes it for anything but this text.
fn is_plain(text: &str) -> bool {
    let Some(first) = text.chars().next() else { return false };
    let may_begin = first.is_alphanumeric() || "/_$".contains(first);
    let may_follow =
        |letter: char| letter.is_alphanumeric() || "/_$.:@+=,-{}[]()*?&~ ".contains(letter);
    may_begin
        && text.chars().all(may_follow)
        && !text.ends_with([':', ' '])
        && !text.contains(": ")
        && !means_more(text)
}

/// Whether YAML 1.1 or 1.2 has a meaning for an unquoted text: truth values, nothing, numbers in all their forms, times.
fn means_more(text: &str) -> bool {
    const WORDS: [&str; 10] = ["true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan"];
    if WORDS.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return true;
    }
    // Numbers and times begin with a digit and consist of digits, signs and few letters.
    text.starts_with(|first: char| first.is_numeric())
        && text
            .chars()
            .all(|letter| letter.is_numeric() || "abcdefABCDEFxXoOtTzZ_.:+-, ".contains(letter))
}

/// Whether a text of several lines can be shown as it is.
fn is_literal(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    body.contains('\n')
        && !body.ends_with('\n')
        && !text.starts_with(['\n', ' ', '\t'])
        && body.lines().all(|line| !line.starts_with('\t') && line.trim_end() == line)
        && body.split('\n').all(|line| line.chars().all(is_shown))
}

fn literal(text: &str, depth: usize) -> String {
    let (sign, body) = match text.strip_suffix('\n') {
        Some(body) => ("|", body),
        None => ("|-", text),
    };
    let mut block = sign.to_owned();
    for line in body.split('\n') {
        block.push('\n');
        if !line.is_empty() {
            block.extend(std::iter::repeat_n(' ', depth + STEP));
            block.push_str(line);
        }
    }
    block
}

fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            letter if is_shown(letter) => quoted.push(letter),
            letter => {
                // Writing to a string cannot fail.
                let _ = match u32::from(letter) {
                    code @ ..=0xff => write!(quoted, "\\x{code:02x}"),
                    code @ 0x100..=0xffff => write!(quoted, "\\u{code:04x}"),
                    code => write!(quoted, "\\U{code:08x}"),
                };
            }
        }
    }
    quoted.push('"');
    quoted
}

/// Whether a character stands for itself. Control characters, marks of byte order and direction, and other ends of lines
/// are written out.
fn is_shown(letter: char) -> bool {
    let hides = matches!(
        letter,
        '\u{80}'..='\u{a0}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
            | '\u{e000}'..='\u{f8ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff0}'..='\u{ffff}'
    );
    !letter.is_control() && !hides && u32::from(letter) <= 0x1_ffff
}

/// A comment in lines that are not too long.
fn wrapped(comment: &str, depth: usize) -> Vec<String> {
    let room = WIDTH.saturating_sub(depth).max(40);
    let mut lines = vec![String::new()];
    for word in comment.split_whitespace() {
        let word: String = word.chars().filter(|letter| is_shown(*letter)).collect();
        match lines.last_mut() {
            Some(line) if line.is_empty() => *line = word,
            Some(line) if line.chars().count() + 1 + word.chars().count() <= room => {
                line.push(' ');
                line.push_str(&word);
            }
            Some(_) | None => lines.push(word),
        }
    }
    lines
}

#[cfg(test)]
mod tests;
