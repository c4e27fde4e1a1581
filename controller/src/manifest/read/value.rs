//! A node of the tree as serde sees it. Types are taken at their word: a number is no text and a text is no number.

use serde::de::value::StrDeserializer;
use serde::de::{Deserializer, IntoDeserializer as _, Visitor};
use serde::forward_to_deserialize_any;

use super::Skipped;
use super::access::{Fields, Items, OneField};
use super::error::{Boxed, Fault};
use crate::manifest::describe::Expected;
use crate::manifest::scalar::{Meaning, meaning};
use crate::manifest::tree::{Content, NodeId, Tree};

/// One value of the tree.
#[derive(Clone, Copy)]
pub(super) struct ValueReader<'t> {
    pub(super) tree: &'t Tree,
    pub(super) skipped: &'t Skipped,
    pub(super) node: NodeId,
}

impl<'t> ValueReader<'t> {
    fn content(self) -> Result<&'t Content, Boxed> {
        match self.tree.node(self.node) {
            Some(node) => Ok(&node.content),
            None => Err(Boxed::new(Fault::Other("the value is missing".to_owned()))),
        }
    }

    fn mismatch<T>(self, expected: Expected) -> Result<T, Boxed> {
        Err(Boxed::new(Fault::Mismatch { node: self.node, expected }))
    }

    /// What an unquoted scalar means; `None` for everything else.
    fn meaning(self) -> Result<Option<Meaning>, Boxed> {
        Ok(match self.content()? {
            Content::Scalar { text, is_plain: true } => Some(meaning(text)),
            Content::Scalar { .. } | Content::Sequence(_) | Content::Mapping(_) => None,
        })
    }

    fn text(self) -> Result<&'t str, Boxed> {
        match self.content()? {
            Content::Scalar { text, is_plain: false } => Ok(text),
            Content::Scalar { text, is_plain: true } if meaning(text) == Meaning::Text => Ok(text),
            Content::Scalar { .. } | Content::Sequence(_) | Content::Mapping(_) => {
                self.mismatch(Expected::Text)
            }
        }
    }

    fn whole<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Boxed> {
        let Some(Meaning::Whole(number)) = self.meaning()? else {
            return self.mismatch(Expected::Whole);
        };
        if let Ok(number) = i64::try_from(number) {
            return visitor.visit_i64(number);
        }
        match u64::try_from(number) {
            Ok(number) => visitor.visit_u64(number),
            Err(_) => Err(Boxed::new(Fault::OutOfRange { expected: String::new() })),
        }
    }

    fn number<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Boxed> {
        match self.meaning()? {
            Some(Meaning::Fraction(number)) if number.is_finite() => visitor.visit_f64(number),
            Some(Meaning::Whole(_)) => self.whole(visitor),
            Some(Meaning::Fraction(_) | Meaning::Null | Meaning::Bool(_) | Meaning::Text)
            | None => self.mismatch(Expected::Number),
        }
    }

    fn items<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Boxed> {
        match self.content()? {
            Content::Sequence(items) => visitor.visit_seq(Items::new(self, items)),
            Content::Scalar { .. } | Content::Mapping(_) => self.mismatch(Expected::List),
        }
    }

    fn fields<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Boxed> {
        match self.content()? {
            Content::Mapping(entries) => visitor
                .visit_map(Fields::new(self, entries))
                .map_err(|error| error.inside(self.node)),
            Content::Scalar { .. } | Content::Sequence(_) => self.mismatch(Expected::Mapping),
        }
    }

    fn any<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Boxed> {
        match self.content()? {
            Content::Sequence(_) => self.items(visitor),
            Content::Mapping(_) => self.fields(visitor),
            Content::Scalar { text, is_plain: false } => visitor.visit_str(text),
            Content::Scalar { text, is_plain: true } => match meaning(text) {
                Meaning::Null => visitor.visit_unit(),
                Meaning::Bool(value) => visitor.visit_bool(value),
                Meaning::Whole(_) => self.whole(visitor),
                Meaning::Fraction(_) => self.number(visitor),
                Meaning::Text => visitor.visit_str(text),
            },
        }
    }
}

impl<'t> Deserializer<'t> for ValueReader<'t> {
    type Error = Boxed;

    fn deserialize_any<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Boxed> {
        self.any(visitor)
    }

    fn deserialize_bool<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Boxed> {
        match self.meaning()? {
            Some(Meaning::Bool(value)) => visitor.visit_bool(value),
            Some(Meaning::Null | Meaning::Whole(_) | Meaning::Fraction(_) | Meaning::Text)
            | None => self.mismatch(Expected::Bool),
        }
    }

    fn deserialize_i8<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Boxed> {
        self.whole(visitor)
    }

    fn deserialize_i16<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Boxed> {
        self.whole(visitor)
    }

    fn deserialize_i32<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Boxed> {
        self.whole(visitor)
    }

    fn deserialize_i64<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Boxed> {
        self.whole(visitor)
    }

    fn deserialize_u8<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Boxed> {
        self.whole(visitor)
    }

    fn deserialize_u16<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Boxed> {
        self.whole(visitor)
    }

    fn deserialize_u32<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Boxed> {
        self.whole(visitor)
    }

    fn deserialize_u64<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Boxed> {
        self.whole(visitor)
    }

    fn deserialize_f32<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Boxed> {
        self.number(visitor)
    }

    fn deserialize_f64<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Boxed> {
        self.number(visitor)
    }

    fn deserialize_str<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Boxed> {
        visitor.visit_str(self.text()?)
    }

    fn deserialize_string<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Boxed> {
        visitor.visit_str(self.text()?)
    }

    fn deserialize_option<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Boxed> {
        match self.meaning()? {
            Some(Meaning::Null) => visitor.visit_none(),
            Some(Meaning::Bool(_) | Meaning::Whole(_) | Meaning::Fraction(_) | Meaning::Text)
            | None => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Boxed> {
        match self.meaning()? {
            Some(Meaning::Null) => visitor.visit_unit(),
            Some(Meaning::Bool(_) | Meaning::Whole(_) | Meaning::Fraction(_) | Meaning::Text)
            | None => self.mismatch(Expected::Nothing),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'t>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Boxed> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Boxed> {
        self.items(visitor)
    }

    fn deserialize_map<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Boxed> {
        self.fields(visitor)
    }

    fn deserialize_struct<V: Visitor<'t>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Boxed> {
        self.fields(visitor)
    }

    fn deserialize_enum<V: Visitor<'t>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Boxed> {
        match self.content()? {
            Content::Scalar { text, .. } if self.text().is_ok() => {
                let word: StrDeserializer<'_, Boxed> = text.as_str().into_deserializer();
                visitor.visit_enum(word)
            }
            Content::Mapping(entries) => match entries.as_slice() {
                [entry] => visitor.visit_enum(OneField { reader: self, entry }),
                _ => self.mismatch(Expected::Choice),
            },
            Content::Scalar { .. } | Content::Sequence(_) => self.mismatch(Expected::Choice),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Boxed> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        <V: Visitor<'t>>
        i128 u128 char bytes byte_buf unit_struct tuple tuple_struct identifier
    }
}
