//! The second look through a state: the values themselves, and nothing beside them.

use std::collections::HashMap;

use serde::Deserialize;
use serde::de::{Error as _, IgnoredAny, MapAccess, SeqAccess};
use serde_json::Value;

use super::address::{Key, Step};
use super::descend::{Descend, Goal, Scraps};
use super::through::{Items, List, Members, Object, skip};

/// What is asked for, and what is found of it.
#[derive(Debug, Default)]
pub(super) struct Values<'a> {
    /// Ways into the instances of a resource, by its place in the state.
    pub(super) into_resources: HashMap<usize, Vec<Goal<'a>>>,
    /// Ways into outputs, by their name.
    pub(super) into_outputs: HashMap<&'a str, Vec<Goal<'a>>>,
    /// The instances that were found of each resource, by its place.
    pub(super) instances: HashMap<usize, Vec<Instance>>,
    /// The outputs that were found, in the order of the state.
    pub(super) outputs: Vec<(String, Output)>,
}

/// One instance of a resource.
#[derive(Debug, Default)]
pub(super) struct Instance {
    pub(super) index: Option<Key>,
    pub(super) scraps: Scraps,
    /// The ways to what Terraform marked as sensitive; `None` for one that nobody understands.
    pub(super) sensitive: Vec<Option<Vec<Step>>>,
    /// Whether it is one that Terraform has replaced and not destroyed yet.
    is_deposed: bool,
}

/// One output.
#[derive(Debug, Default)]
pub(super) struct Output {
    pub(super) is_sensitive: bool,
    pub(super) scraps: Scraps,
}

impl Values<'_> {
    /// Looks for what is asked for.
    pub(super) fn gather(&mut self, bytes: &[u8]) -> Result<(), serde_json::Error> {
        super::whole(bytes, Object(self))
    }
}

impl<'de> Members<'de> for Values<'_> {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, value: &mut A) -> Result<(), A::Error> {
        match name {
            "resources" => value.next_value_seed(List(self)),
            "outputs" => {
                let (goals, found) = (&self.into_outputs, &mut self.outputs);
                value.next_value_seed(Object(&mut Outputs { goals, found }))
            }
            _ => skip(value),
        }
    }
}

impl<'de> Items<'de> for Values<'_> {
    fn item<A: SeqAccess<'de>>(&mut self, place: usize, items: &mut A) -> Result<bool, A::Error> {
        let Some(goals) = self.into_resources.get(&place) else {
            return Ok(items.next_element::<IgnoredAny>()?.is_some());
        };
        let mut instances = Instances { goals, is_listed: false, found: Vec::new() };
        let is_there = items.next_element_seed(Object(&mut instances))?.is_some();
        self.instances.insert(place, instances.found);
        Ok(is_there)
    }
}

struct Outputs<'a, 'g> {
    goals: &'g HashMap<&'a str, Vec<Goal<'a>>>,
    found: &'g mut Vec<(String, Output)>,
}

impl<'de> Members<'de> for Outputs<'_, '_> {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, value: &mut A) -> Result<(), A::Error> {
        let Some(goals) = self.goals.get(name) else { return skip(value) };
        let mut output = ReadOutput { goals, found: Output::default() };
        value.next_value_seed(Object(&mut output))?;
        self.found.push((name.to_owned(), output.found));
        Ok(())
    }
}

struct ReadOutput<'a, 'g> {
    goals: &'g [Goal<'a>],
    found: Output,
}

impl<'de> Members<'de> for ReadOutput<'_, '_> {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, value: &mut A) -> Result<(), A::Error> {
        match name {
            "sensitive" => {
                self.found.is_sensitive |= value.next_value::<Option<bool>>()?.unwrap_or(false);
            }
            "value" => value.next_value_seed(Descend {
                goals: self.goals.to_vec(),
                scraps: &mut self.found.scraps,
            })?,
            _ => skip(value)?,
        }
        if self.found.is_sensitive {
            self.found.scraps.clear();
        }
        Ok(())
    }
}

/// The instances of one resource.
struct Instances<'a, 'g> {
    goals: &'g [Goal<'a>],
    is_listed: bool,
    found: Vec<Instance>,
}

impl<'de> Members<'de> for Instances<'_, '_> {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, value: &mut A) -> Result<(), A::Error> {
        match name {
            "instances" if std::mem::replace(&mut self.is_listed, true) => {
                Err(A::Error::custom("a member stands twice"))
            }
            "instances" => value.next_value_seed(List(self)),
            _ => skip(value),
        }
    }
}

impl<'de> Items<'de> for Instances<'_, '_> {
    fn item<A: SeqAccess<'de>>(&mut self, _place: usize, items: &mut A) -> Result<bool, A::Error> {
        let mut instance = ReadInstance { goals: self.goals, found: Instance::default() };
        let is_there = items.next_element_seed(Object(&mut instance))?.is_some();
        if is_there && !instance.found.is_deposed {
            self.found.push(instance.found);
        }
        Ok(is_there)
    }
}

struct ReadInstance<'a, 'g> {
    goals: &'g [Goal<'a>],
    found: Instance,
}

impl<'de> Members<'de> for ReadInstance<'_, '_> {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, value: &mut A) -> Result<(), A::Error> {
        let found = &mut self.found;
        match name {
            "index_key" => found.index = value.next_value::<Option<Index>>()?.map(Index::into_key),
            "deposed" => found.is_deposed = value.next_value::<Option<String>>()?.is_some(),
            "attributes" => value.next_value_seed(Descend {
                goals: self.goals.to_vec(),
                scraps: &mut found.scraps,
            })?,
            "sensitive_attributes" => {
                let paths = value.next_value::<Option<Vec<Vec<Mark>>>>()?.unwrap_or_default();
                found.sensitive.extend(paths.iter().map(|marks| Mark::path(marks)));
            }
            _ => skip(value)?,
        }
        Ok(())
    }
}

/// `index_key`: a number with `count`, a text with `for_each`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Index {
    Number(u64),
    Text(String),
}

impl Index {
    fn into_key(self) -> Key {
        match self {
            Self::Number(number) => Key::Number(number),
            Self::Text(text) => Key::Text(text),
        }
    }
}

/// One step of a way in `sensitive_attributes`: `{"type": "get_attr", "value": "password"}`, or `index` with a typed value.
#[derive(Deserialize)]
struct Mark {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    value: Value,
}

impl Mark {
    fn path(marks: &[Self]) -> Option<Vec<Step>> {
        marks.iter().map(Self::step).collect()
    }

    fn step(&self) -> Option<Step> {
        let value = match self.kind.as_str() {
            "get_attr" => &self.value,
            "index" => self.value.get("value").unwrap_or(&self.value),
            _ => return None,
        };
        match (value.as_str(), value.as_u64()) {
            (Some(name), _) => Some(Step::Member(name.to_owned())),
            (None, Some(item)) => Some(Step::Item(item)),
            (None, None) => None,
        }
    }
}
