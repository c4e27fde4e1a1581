//! Lists and mappings of the tree as serde sees them.

use std::iter::Enumerate;
use std::slice::Iter;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, EnumAccess, IntoDeserializer as _, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};

use super::error::{Boxed, Fault};
use super::value::ValueReader;
use crate::manifest::describe::Expected;
use crate::manifest::path::Step;
use crate::manifest::tree::{Entry, NodeId};

/// The items of a list.
pub(super) struct Items<'t> {
    list: ValueReader<'t>,
    rest: Enumerate<Iter<'t, NodeId>>,
}

impl<'t> Items<'t> {
    pub(super) fn new(list: ValueReader<'t>, items: &'t [NodeId]) -> Self {
        Self { list, rest: items.iter().enumerate() }
    }
}

impl<'t> SeqAccess<'t> for Items<'t> {
    type Error = Boxed;

    fn next_element_seed<T: DeserializeSeed<'t>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Boxed> {
        let ValueReader { tree, skipped, node: list } = self.list;
        let Some((index, item)) = self.rest.find(|(index, _)| !skipped.contains(&(list, *index)))
        else {
            return Ok(None);
        };
        let reader = ValueReader { node: *item, ..self.list };
        seed.deserialize(reader).map(Some).map_err(|error| {
            let position = tree.node(*item).map(|node| node.position);
            error.below(Step::Item(index), position, *item, (list, index))
        })
    }

    fn size_hint(&self) -> Option<usize> {
        self.rest.size_hint().1
    }
}

/// The fields of a mapping.
pub(super) struct Fields<'t> {
    mapping: ValueReader<'t>,
    rest: Enumerate<Iter<'t, Entry>>,
    current: Option<(usize, &'t Entry)>,
}

impl<'t> Fields<'t> {
    pub(super) fn new(mapping: ValueReader<'t>, entries: &'t [Entry]) -> Self {
        Self { mapping, rest: entries.iter().enumerate(), current: None }
    }
}

impl<'t> MapAccess<'t> for Fields<'t> {
    type Error = Boxed;

    fn next_key_seed<K: DeserializeSeed<'t>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Boxed> {
        let ValueReader { skipped, node: mapping, .. } = self.mapping;
        self.current = self.rest.find(|(index, _)| !skipped.contains(&(mapping, *index)));
        let Some((index, entry)) = self.current else { return Ok(None) };
        let name: StrDeserializer<'_, Boxed> = entry.key.as_str().into_deserializer();
        seed.deserialize(name).map(Some).map_err(|error| {
            let step = Step::Field(entry.key.clone());
            error.below(step, Some(entry.key_position), entry.value, (mapping, index))
        })
    }

    fn next_value_seed<V: DeserializeSeed<'t>>(&mut self, seed: V) -> Result<V::Value, Boxed> {
        let Some((index, entry)) = self.current.take() else {
            return Err(Boxed::new(Fault::Other("a value without a name".to_owned())));
        };
        let ValueReader { tree, node: mapping, .. } = self.mapping;
        let reader = ValueReader { node: entry.value, ..self.mapping };
        seed.deserialize(reader).map_err(|error| {
            let step = Step::Field(entry.key.clone());
            error.below(step, Some(tree.place(entry)), entry.value, (mapping, index))
        })
    }
}

/// A mapping of one field as a variant with content.
pub(super) struct OneField<'t> {
    pub(super) reader: ValueReader<'t>,
    pub(super) entry: &'t Entry,
}

impl<'t> EnumAccess<'t> for OneField<'t> {
    type Error = Boxed;
    type Variant = ValueReader<'t>;

    fn variant_seed<V: DeserializeSeed<'t>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Self::Variant), Boxed> {
        let name: StrDeserializer<'_, Boxed> = self.entry.key.as_str().into_deserializer();
        let value = ValueReader { node: self.entry.value, ..self.reader };
        Ok((seed.deserialize(name)?, value))
    }
}

impl<'t> VariantAccess<'t> for ValueReader<'t> {
    type Error = Boxed;

    fn unit_variant(self) -> Result<(), Boxed> {
        Err(Boxed::new(Fault::Mismatch { node: self.node, expected: Expected::Nothing }))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'t>>(self, seed: T) -> Result<T::Value, Boxed> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'t>>(self, _length: usize, visitor: V) -> Result<V::Value, Boxed> {
        serde::Deserializer::deserialize_seq(self, visitor)
    }

    fn struct_variant<V: Visitor<'t>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Boxed> {
        serde::Deserializer::deserialize_map(self, visitor)
    }
}
