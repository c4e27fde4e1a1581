//! A document before it is text: members in the order in which people read them, each with its comments.

use serde_json::Value;

use crate::manifest::{FieldPath, Step};

/// One value of a document.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// A text, number, truth value or nothing.
    Scalar(Value),
    /// A list.
    List(Vec<Part>),
    /// Members by name, in this order.
    Mapping(Vec<(String, Part)>),
}

/// A value in its place, with what is said of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Part {
    /// Lines above it.
    pub(super) comments: Vec<String>,
    /// The value.
    pub(super) node: Node,
}

impl From<Node> for Part {
    fn from(node: Node) -> Self {
        Self { comments: Vec::new(), node }
    }
}

impl Node {
    /// A text.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Scalar(Value::String(text.into()))
    }

    /// Any JSON, its members in alphabetical order.
    pub(super) fn plain(value: &Value) -> Self {
        match value {
            Value::Array(items) => {
                Self::List(items.iter().map(|item| Self::plain(item).into()).collect())
            }
            Value::Object(members) => {
                let members =
                    members.iter().map(|(name, value)| (name.clone(), Self::plain(value).into()));
                Self::Mapping(members.collect())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                Self::Scalar(value.clone())
            }
        }
    }

    /// A mapping of these members.
    pub(super) fn mapping<'a>(members: impl IntoIterator<Item = (&'a str, Node)>) -> Self {
        let members = members.into_iter();
        Self::Mapping(members.map(|(name, node)| (name.to_owned(), node.into())).collect())
    }

    /// The same as JSON, without comments.
    #[cfg(test)]
    pub(super) fn to_value(&self) -> Value {
        match self {
            Self::Scalar(value) => value.clone(),
            Self::List(items) => items.iter().map(|item| item.node.to_value()).collect(),
            Self::Mapping(members) => members
                .iter()
                .map(|(name, part)| (name.clone(), part.node.to_value()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }

    /// Whether there is nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Scalar(value) => value.is_null(),
            Self::List(items) => items.is_empty(),
            Self::Mapping(members) => members.is_empty(),
        }
    }

    /// The member of a mapping.
    pub(super) fn member(&mut self, name: &str) -> Option<&mut Part> {
        match self {
            Self::Mapping(members) => {
                members.iter_mut().find(|(known, _)| known == name).map(|(_, part)| part)
            }
            Self::Scalar(_) | Self::List(_) => None,
        }
    }

    /// Adds a member at the end of a mapping, or changes the one that is there.
    pub(super) fn set(&mut self, name: &str, node: Node) {
        if let Some(part) = self.member(name) {
            part.node = node;
        } else if let Self::Mapping(members) = self {
            members.push((name.to_owned(), node.into()));
        }
    }

    /// Says something of a field, or of the nearest one around it that is written; `false` if that is the whole document.
    pub(super) fn comment(&mut self, path: &FieldPath, comment: &str) -> bool {
        let Some(part) = self.nearest(path.steps()) else { return false };
        if !part.comments.iter().any(|known| known == comment) {
            part.comments.push(comment.to_owned());
        }
        true
    }

    fn nearest(&mut self, steps: &[Step]) -> Option<&mut Part> {
        let (first, rest) = steps.split_first()?;
        let part = match (self, first) {
            (Self::Mapping(members), Step::Field(name)) => {
                members.iter_mut().find(|(known, _)| known == name).map(|(_, part)| part)
            }
            (Self::List(items), Step::Item(index)) => items.get_mut(*index),
            (Self::Scalar(_) | Self::List(_) | Self::Mapping(_), _) => None,
        }?;
        // Asked twice, because a borrow that may be given up cannot be returned.
        if part.node.nearest(rest).is_some() { part.node.nearest(rest) } else { Some(part) }
    }

    /// Changes every text in it; the names of members stay.
    pub(super) fn change_texts(&mut self, change: &mut impl FnMut(&mut String)) {
        match self {
            Self::Scalar(Value::String(text)) => change(text),
            Self::Scalar(_) => {}
            Self::List(items) => {
                items.iter_mut().for_each(|item| item.node.change_texts(change));
            }
            Self::Mapping(members) => {
                members.iter_mut().for_each(|(_, part)| part.node.change_texts(change));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn comments_stand_at_the_field_or_at_the_nearest_around_it() {
        let mut node = Node::plain(&json!({"spec": {"list": [{"name": "a"}, {"name": "b"}]}}));
        assert!(node.comment(&FieldPath::parse("spec.list[1].name"), "of b"));
        assert!(node.comment(&FieldPath::parse("spec.list[0].value"), "of a"));
        assert!(node.comment(&FieldPath::parse("spec.other"), "of spec"));
        assert!(!node.comment(&FieldPath::parse("status"), "of nothing"));
        let text = super::super::yaml::emit(&[], &node);
        assert_eq!(
            text,
            "# of spec\nspec:\n  list:\n    # of a\n    - name: a\n    # of b\n    - name: b\n"
        );
    }
}
