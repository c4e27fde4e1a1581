//! Ways through JSON objects and lists that keep only what their traveller takes: serde's traits, written once.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Goes through the members of an object; `null` counts as an object without any.
pub(super) trait Members<'de> {
    /// Takes the value of a member, which has to be read, if only as [`IgnoredAny`].
    fn member<A: MapAccess<'de>>(&mut self, name: &str, value: &mut A) -> Result<(), A::Error>;
}

/// Goes through the items of a list; `null` counts as a list without any.
pub(super) trait Items<'de> {
    /// Reads the item at a place, which has to be asked for; `false` at the end.
    fn item<A: SeqAccess<'de>>(&mut self, place: usize, items: &mut A) -> Result<bool, A::Error>;
}

/// Reads an object with a traveller.
pub(super) struct Object<'t, T>(pub(super) &'t mut T);

/// Reads a list with a traveller.
pub(super) struct List<'t, T>(pub(super) &'t mut T);

/// Leaves a member unread.
pub(super) fn skip<'de, A: MapAccess<'de>>(value: &mut A) -> Result<(), A::Error> {
    value.next_value::<IgnoredAny>().map(|_| ())
}

impl<'de, T: Members<'de>> DeserializeSeed<'de> for Object<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Members<'de>> Visitor<'de> for Object<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key::<String>()? {
            self.0.member(&name, &mut members)?;
        }
        Ok(())
    }
}

impl<'de, T: Items<'de>> DeserializeSeed<'de> for List<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Items<'de>> Visitor<'de> for List<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut place = 0;
        while self.0.item(place, &mut items)? {
            place += 1;
        }
        Ok(())
    }
}
