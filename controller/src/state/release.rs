//! The document of one release, and its form in JSON.

use std::collections::BTreeMap;

use crds::{ChosenVersion, ObjectKey, Reason, ReleaseName, WrittenVersion};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Document;

/// The form that is written.
const FORM: u32 = 1;

/// What is kept of one release.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReleaseRecord {
    /// The version in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen: Option<ChosenVersion>,
    /// How many tags which repository had in the last listing that was not suspicious.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed: Option<(String, usize)>,
    /// Versions that a service did not keep.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bad: Vec<BadVersion>,
    /// The times in which all of its services ran one image well, the newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spells: Vec<Spell>,
    /// Git tags whose images are awaited.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub noticed: BTreeMap<String, Noticed>,
    /// The commits of Git tags that are versions of the policy, shortened, to tell when one is moved.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// The Git tag of the version in force and the commit that it named when it was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<(String, String)>,
    /// The version that the file of `writeBack` was last seen to hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<WrittenVersion>,
}

/// A version that a service did not keep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BadVersion {
    /// The service.
    pub service: ObjectKey,
    /// What became of it there: `RolledBack`, `RolloutFailed`, `RolledBackByHand` or `Aborted`.
    pub reason: Reason,
    /// The version.
    pub version: String,
    /// Its tag.
    pub tag: String,
    /// Its image.
    pub digest: String,
    /// When that was seen.
    pub at: Timestamp,
}

/// A time in which all services of a release ran one image well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Spell {
    /// The tag.
    pub tag: String,
    /// The image.
    pub digest: String,
    /// Since when.
    pub since: Timestamp,
    /// When they were last seen to, while it mattered to somebody; nothing later counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Timestamp>,
    /// Until when; absent while it lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// A Git tag that was seen before its image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Noticed {
    /// The commit that it names.
    pub commit: String,
    /// When it was first seen.
    pub at: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    form: u32,
    release: ReleaseName,
    record: ReleaseRecord,
}

/// The part of a document that every form has.
#[derive(Deserialize)]
struct Head {
    form: u32,
}

impl Document for ReleaseRecord {
    type Key = ReleaseName;

    /// `releases/shop.json`; documents of services lie one folder deeper.
    fn place(key: &ReleaseName) -> String {
        format!("releases/{key}.json")
    }

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn to_json(&self, key: &ReleaseName) -> Result<Vec<u8>, serde_json::Error> {
        let written = Written { form: FORM, release: key.clone(), record: self.clone() };
        serde_json::to_vec_pretty(&written)
    }

    fn from_json(key: &ReleaseName, bytes: &[u8]) -> Result<Self, String> {
        let head: Head = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if head.form != FORM {
            return Err(format!("it has form {}; this version reads form {FORM}", head.form));
        }
        let written: Written = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if written.release != *key {
            return Err(format!("it is the document of the release {}", written.release));
        }
        Ok(written.record)
    }
}
