//! A value in words, and how to write it so that it has the expected type.

use super::problem::quoted;
use super::scalar::{Meaning, meaning};
use super::tree::{Content, NodeId, Tree};

/// What a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    Text,
    Bool,
    Whole,
    Number,
    List,
    Mapping,
    Nothing,
    Choice,
}

impl Expected {
    fn words(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Bool => "`true` or `false`",
            Self::Whole => "a whole number",
            Self::Number => "a number",
            Self::List => "a list",
            Self::Mapping => "a mapping",
            Self::Nothing => "nothing",
            Self::Choice => "one of the known words",
        }
    }
}

/// What was expected and what was found, and what to write instead.
pub(super) fn mismatch(tree: &Tree, node: NodeId, expected: Expected) -> (String, Option<String>) {
    let message = format!("expected {}, found {}", expected.words(), value(tree, node));
    (message, remedy(tree, node, expected))
}

/// The same where the value may be a secret: neither the message nor the hint repeats it.
pub(super) fn discreet_mismatch(
    tree: &Tree,
    node: NodeId,
    expected: Expected,
) -> (String, Option<String>) {
    let content = tree.node(node).map(|node| &node.content);
    let scalar = match content {
        Some(Content::Scalar { text, is_plain: true }) => Some(meaning(text)),
        Some(Content::Scalar { is_plain: false, .. }) => Some(Meaning::Text),
        Some(Content::Sequence(_) | Content::Mapping(_)) | None => None,
    };
    let found = match (content, &scalar) {
        (Some(Content::Sequence(_)), _) => "a list",
        (Some(Content::Mapping(_)), _) => "a mapping",
        (_, Some(Meaning::Bool(_))) => "`true` or `false`",
        (_, Some(Meaning::Whole(_) | Meaning::Fraction(_))) => "a number",
        (_, Some(Meaning::Text)) => "a text",
        (_, Some(Meaning::Null) | None) => "nothing",
    };
    let hint = match &scalar {
        Some(Meaning::Null) => remedy(tree, node, expected),
        Some(_) if expected == Expected::Text => Some("write the value in quotes".to_owned()),
        Some(_) | None => None,
    };
    (format!("expected {}, found {found}", expected.words()), hint)
}

/// The value in words.
pub(super) fn value(tree: &Tree, node: NodeId) -> String {
    match tree.node(node).map(|node| &node.content) {
        Some(Content::Sequence(_)) => "a list".to_owned(),
        Some(Content::Mapping(_)) => "a mapping".to_owned(),
        Some(Content::Scalar { text, is_plain: true }) => match meaning(text) {
            Meaning::Null => "nothing".to_owned(),
            Meaning::Bool(_) => quoted(text),
            Meaning::Whole(_) | Meaning::Fraction(_) => format!("the number {}", quoted(text)),
            Meaning::Text => format!("the text {}", quoted(text)),
        },
        Some(Content::Scalar { text, is_plain: false }) => format!("the text {}", quoted(text)),
        None => "nothing".to_owned(),
    }
}

fn remedy(tree: &Tree, node: NodeId, expected: Expected) -> Option<String> {
    let content = tree.node(node).map(|node| &node.content)?;
    let (text, is_plain) = match content {
        Content::Scalar { text, is_plain } => (text.as_str(), *is_plain),
        Content::Sequence(items) => return list_remedy(tree, items, expected),
        Content::Mapping(_) => {
            return (expected == Expected::List).then(|| "begin each item with `- `".to_owned());
        }
    };
    let is_short = text.chars().count() <= 40 && !text.contains(['"', '\\', '\n']);
    if is_plain && meaning(text) == Meaning::Null {
        return Some(match expected {
            Expected::Text => "give a value, or write \"\" for an empty text".to_owned(),
            Expected::List => "write `[]` for an empty list, or leave the field out".to_owned(),
            Expected::Mapping => "indent its fields below it".to_owned(),
            Expected::Bool
            | Expected::Whole
            | Expected::Number
            | Expected::Nothing
            | Expected::Choice => "give a value, or leave the field out".to_owned(),
        });
    }
    match expected {
        Expected::Text | Expected::Choice if is_plain && is_short => {
            Some(format!("write \"{text}\" in quotes"))
        }
        Expected::Bool => boolean(text).map(|word| format!("write {word} without quotes")),
        Expected::Whole | Expected::Number if text.contains("${") => {
            Some("references stand for text, this field takes a number".to_owned())
        }
        Expected::Whole if matches!(meaning(text.trim()), Meaning::Whole(_)) => {
            Some(format!("write {} without quotes", text.trim()))
        }
        Expected::Number
            if matches!(meaning(text.trim()), Meaning::Whole(_) | Meaning::Fraction(_)) =>
        {
            Some(format!("write {} without quotes", text.trim()))
        }
        Expected::List if is_short => Some(format!("write [{}]", as_item(text, is_plain))),
        Expected::Text
        | Expected::Choice
        | Expected::Whole
        | Expected::Number
        | Expected::List
        | Expected::Mapping
        | Expected::Nothing => None,
    }
}

fn list_remedy(tree: &Tree, items: &[NodeId], expected: Expected) -> Option<String> {
    let [only] = items else { return None };
    let text = tree.text(*only)?;
    match expected {
        Expected::Text | Expected::Choice if text.len() <= 40 => {
            Some(format!("write {} without brackets", quoted(text)))
        }
        Expected::Text
        | Expected::Bool
        | Expected::Whole
        | Expected::Number
        | Expected::List
        | Expected::Mapping
        | Expected::Nothing
        | Expected::Choice => None,
    }
}

fn as_item(text: &str, is_plain: bool) -> String {
    if is_plain && !text.contains([',', '[', ']', '{', '}']) {
        text.split_whitespace().collect::<Vec<_>>().join(", ")
    } else {
        format!("\"{text}\"")
    }
}

/// The words that other tools, and YAML 1.1, take for truth values.
fn boolean(text: &str) -> Option<&'static str> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "y" | "1" => Some("true"),
        "false" | "no" | "off" | "n" | "0" => Some("false"),
        _ => None,
    }
}
