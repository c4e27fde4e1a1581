//! How a table is written: the macros that turn its rows into a typed structure and a [`Shape`](super::Shape).

use std::collections::BTreeMap;

use serde_json::Value;

use super::shape::{Absent, Effect, Kind, Limits, Literal, Member, Order, Shape, Unit};

/// A Rust type that stands for a kind of value of the API.
pub trait Shaped {
    /// The kind of value.
    const KIND: Kind;
    /// Whether a structure needs a member of this type.
    const REQUIRED: bool = true;

    /// Whether the value stands for an absent member.
    fn is_absent(&self) -> bool {
        false
    }
}

impl Shaped for String {
    const KIND: Kind = Kind::String;
}

impl Shaped for i32 {
    const KIND: Kind = Kind::Integer;
}

impl Shaped for f64 {
    const KIND: Kind = Kind::Number;
}

impl Shaped for bool {
    const KIND: Kind = Kind::Boolean;
}

impl Shaped for Value {
    const KIND: Kind = Kind::Document;
}

impl Shaped for BTreeMap<String, String> {
    const KIND: Kind = Kind::Map;
}

impl<T: Shaped> Shaped for Vec<T> {
    const KIND: Kind = Kind::List { of: &T::KIND, order: Order::Significant };
}

impl<T: Shaped> Shaped for Option<T> {
    const KIND: Kind = T::KIND;
    const REQUIRED: bool = false;

    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

/// What a row may say about a member after `=>`.
impl Member {
    /// A member about which the row says nothing more: absence is emptiness, texts are compared as they are.
    pub(crate) const fn of<T: Shaped>(name: &'static str, doc: &'static str) -> Self {
        Self {
            name,
            doc,
            kind: T::KIND,
            required: T::REQUIRED,
            absent: Absent::Empty,
            effect: None,
            unit: Unit::Plain,
            limits: None,
            yields_to: None,
            in_place_to: None,
        }
    }

    pub(crate) const fn is_integer(mut self, value: i64) -> Self {
        self.absent = Absent::Is(Literal::Integer(value));
        self
    }

    pub(crate) const fn is_boolean(mut self, value: bool) -> Self {
        self.absent = Absent::Is(Literal::Boolean(value));
        self
    }

    pub(crate) const fn is_text(mut self, value: &'static str) -> Self {
        self.absent = Absent::Is(Literal::Text(value));
        self
    }

    pub(crate) const fn is_defaults(mut self) -> Self {
        self.absent = Absent::Is(Literal::Defaults);
        self
    }

    pub(crate) const fn absent(mut self, absent: Absent) -> Self {
        self.absent = absent;
        self
    }

    pub(crate) const fn effect(mut self, effect: Effect) -> Self {
        self.effect = Some(effect);
        self
    }

    pub(crate) const fn unit(mut self, unit: Unit) -> Self {
        self.unit = unit;
        self
    }

    /// Gives a list another order than `Significant`; anything but a list stays as it is.
    pub(crate) const fn order(mut self, order: Order) -> Self {
        if let Kind::List { of, .. } = self.kind {
            self.kind = Kind::List { of, order };
        }
        self
    }

    pub(crate) const fn set(self) -> Self {
        self.order(Order::Set)
    }

    pub(crate) const fn keyed_by(self, names: &'static [&'static str]) -> Self {
        self.order(Order::KeyedBy(names))
    }

    pub(crate) const fn limits(mut self, min: f64, max: f64) -> Self {
        self.limits = Some(Limits { min, max });
        self
    }

    pub(crate) const fn yields_to(mut self, sibling: &'static str) -> Self {
        self.yields_to = Some(sibling);
        self
    }

    pub(crate) const fn in_place_to(mut self, value: &'static str) -> Self {
        self.in_place_to = Some(value);
        self
    }
}

/// Adds to a generated JSON Schema what only the table knows: limits and defaults.
pub(crate) struct Annotate(pub(crate) &'static Shape);

impl schemars::transform::Transform for Annotate {
    fn transform(&mut self, schema: &mut schemars::Schema) {
        let Some(Value::Object(properties)) = schema.get_mut("properties") else { return };
        for member in self.0.members {
            let Some(Value::Object(property)) = properties.get_mut(member.name) else { continue };
            if let Some(limits) = member.limits {
                property.insert("minimum".to_owned(), number(limits.min));
                property.insert("maximum".to_owned(), number(limits.max));
            }
            if let Some(default) = default(member.absent) {
                property.insert("default".to_owned(), default);
            }
        }
    }
}

/// The default that a schema can state.
fn default(absent: Absent) -> Option<Value> {
    match absent {
        Absent::Is(Literal::Integer(value)) => Some(Value::from(value)),
        Absent::Is(Literal::Boolean(value)) => Some(Value::from(value)),
        Absent::Is(Literal::Text(value)) => Some(Value::from(value)),
        Absent::Is(Literal::Defaults)
        | Absent::Empty
        | Absent::Server
        | Absent::Kept
        | Absent::InputOnly => None,
    }
}

/// A limit as JSON, without a fraction where it has none.
#[allow(clippy::cast_possible_truncation, reason = "limits are small literals of the tables")]
fn number(limit: f64) -> Value {
    if limit.fract() == 0.0 { Value::from(limit as i64) } else { Value::from(limit) }
}

/// Defines structures of the API, one row a member: its doc comment, `field as "wireName": Type`, and after `=>` what the
/// table has to say beyond the type (the methods of [`Member`] above).
macro_rules! shapes {
    ($(
        $(#[doc = $doc:tt])+
        pub struct $name:ident {
            $(
                $(#[doc = $member_doc:tt])+
                $field:ident as $wire:tt: $type:ty $(=> $($say:ident ( $($argument:tt)* )),+)?;
            )+
        }
    )+) => {$(
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(deny_unknown_fields)]
        #[schemars(transform = crate::ecs::table::Annotate($name::SHAPE))]
        pub struct $name {
            $(
                $(#[doc = $member_doc])+
                #[serde(rename = $wire, skip_serializing_if = "crate::ecs::table::Shaped::is_absent")]
                pub $field: $type,
            )+
        }

        impl $name {
            /// The table of this structure.
            pub const SHAPE: &'static $crate::ecs::Shape = &$crate::ecs::Shape {
                name: stringify!($name),
                doc: concat!($($doc, "\n"),+),
                members: &[$(
                    $crate::ecs::Member::of::<$type>($wire, concat!($($member_doc, "\n"),+))
                        $($(.$say($($argument)*))+)?
                ),+],
            };
        }

        impl $crate::ecs::table::Shaped for $name {
            const KIND: $crate::ecs::Kind = $crate::ecs::Kind::Struct($name::SHAPE);
        }
    )+};
}

/// Defines open enumerations: the values that ECS knows today, and `Other` for those that it will know tomorrow.
macro_rules! enumerations {
    ($(
        $(#[doc = $doc:tt])+
        pub enum $name:ident { $($variant:ident = $text:tt),+ $(,)? }
    )+) => {$(
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum $name {
            $(
                #[doc = concat!("`", $text, "`.")]
                $variant,
            )+
            /// A value that this version of Longshore does not know; it is passed on.
            Other(String),
        }

        impl $name {
            /// The values that ECS is known to take.
            pub const KNOWN: &'static [&'static str] = &[$($text),+];

            /// The value as ECS spells it.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Other(text) => text,
                }
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                match text.as_str() {
                    $($text => Self::$variant,)+
                    _ => Self::Other(text),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.pad(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(Self::from)
            }
        }

        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            /// Editors offer the known values, validators accept any text.
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "anyOf": [{ "enum": Self::KNOWN }, { "type": "string" }],
                })
            }
        }

        impl $crate::ecs::table::Shaped for $name {
            const KIND: $crate::ecs::Kind = $crate::ecs::Kind::Enumeration($name::KNOWN);
        }
    )+};
}

pub(crate) use {enumerations, shapes};
