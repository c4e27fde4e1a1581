//! The first look through a state: its format, and where in it the resources stand that are asked for.

use std::collections::{BTreeSet, HashMap};

use serde::Deserialize;
use serde::de::{Error, MapAccess, SeqAccess};

use super::address::ResourceAddress;
use super::through::{Items, List, Members, Object, skip};

/// The most names that hints are chosen from.
const NAMES_MAX: usize = 5_000;

/// What the first look finds.
#[derive(Debug, Default)]
pub(super) struct Heads<'a> {
    wanted: BTreeSet<&'a ResourceAddress>,
    seen: Vec<String>,
    pub(super) version: Option<u64>,
    pub(super) serial: Option<u64>,
    /// `OpenTofu`'s mark of a state that it has encrypted.
    pub(super) is_encrypted: bool,
    /// The places of each wanted resource in the list.
    pub(super) places: HashMap<ResourceAddress, Vec<usize>>,
    /// Resources that there are, or the first of them.
    pub(super) resources: Vec<String>,
    /// Outputs that there are, or the first of them.
    pub(super) outputs: Vec<String>,
}

/// One entry of `resources`, without its instances.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    module: String,
    mode: String,
    #[serde(rename = "type")]
    kind: String,
    name: String,
}

impl<'a> Heads<'a> {
    /// Looks for these resources.
    pub(super) fn of(
        bytes: &[u8],
        wanted: BTreeSet<&'a ResourceAddress>,
    ) -> Result<Self, serde_json::Error> {
        let mut heads = Self { wanted, ..Self::default() };
        super::whole(bytes, Object(&mut heads))?;
        Ok(heads)
    }
}

impl<'de> Members<'de> for Heads<'_> {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, value: &mut A) -> Result<(), A::Error> {
        if self.seen.iter().any(|seen| seen == name) {
            return Err(A::Error::custom("a member stands twice"));
        }
        match name {
            "version" => self.version = Some(value.next_value()?),
            "serial" => self.serial = Some(value.next_value()?),
            "resources" => value.next_value_seed(List(self))?,
            "outputs" => value.next_value_seed(Object(&mut Names(&mut self.outputs)))?,
            other => {
                self.is_encrypted |= other == "encrypted_data";
                return skip(value);
            }
        }
        self.seen.push(name.to_owned());
        Ok(())
    }
}

impl<'de> Items<'de> for Heads<'_> {
    fn item<A: SeqAccess<'de>>(&mut self, place: usize, items: &mut A) -> Result<bool, A::Error> {
        let Some(Head { module, mode, kind, name }) = items.next_element()? else {
            return Ok(false);
        };
        let resource = ResourceAddress { module, is_data: mode == "data", kind, name };
        if self.resources.len() < NAMES_MAX {
            self.resources.push(resource.to_string());
        }
        if self.wanted.contains(&resource) {
            self.places.entry(resource).or_default().push(place);
        }
        Ok(true)
    }
}

struct Names<'n>(&'n mut Vec<String>);

impl<'de> Members<'de> for Names<'_> {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, value: &mut A) -> Result<(), A::Error> {
        if self.0.len() < NAMES_MAX {
            self.0.push(name.to_owned());
        }
        skip(value)
    }
}
