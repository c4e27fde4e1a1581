//! The document of one service, and its form in JSON.

use crds::{ObjectKey, PastRelease};
use planner::Orders;
use planner::checks::Analysis;
use planner::explain::Kept;
use planner::hook::HookLog;
use planner::orders::Sent;
use serde::{Deserialize, Serialize};

use super::Document as Stored;

/// The form that is written. A document of a newer form is not read: what it says more might be a hold.
const FORM: u32 = 1;

/// What is kept of one service.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Record {
    /// How many orders have been taken: the number of the last one.
    pub taken: u64,
    /// What people said and what still counts of it.
    pub orders: Orders,
    /// The last releases, newest first.
    pub past: Vec<PastRelease>,
    /// What is written down of the hooks of the last specs, newest first.
    pub hooks: Vec<HookLog>,
    /// What was measured of the last rollout that is judged by checks.
    pub analysis: Option<Analysis>,
    /// Why the tasks of the last rollout that needed explaining did not run.
    pub explained: Option<Kept>,
    /// The deployment that was in front when another one of the same content was last asked for.
    pub forced: Option<Sent>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Document {
    form: u32,
    key: ObjectKey,
    taken: u64,
    #[serde(default, skip_serializing_if = "Orders::is_empty")]
    orders: Orders,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    past: Vec<PastRelease>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    hooks: Vec<HookLog>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    analysis: Option<Analysis>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    explained: Option<Kept>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    forced: Option<Sent>,
}

/// The part of a document that every form has.
#[derive(Deserialize)]
struct Head {
    form: u32,
}

impl Record {
    /// Whether nothing would be lost with it.
    pub fn is_empty(&self) -> bool {
        self.orders.is_empty()
            && self.past.is_empty()
            && self.hooks.is_empty()
            && self.analysis.is_none()
            && self.explained.is_none()
            && self.forced.is_none()
    }
}

impl Stored for Record {
    type Key = ObjectKey;

    /// `default/shop/web.json`.
    fn place(key: &ObjectKey) -> String {
        format!("{}/{}/{}.json", key.target, key.cluster, key.name)
    }

    fn is_empty(&self) -> bool {
        Self::is_empty(self)
    }

    fn to_json(&self, key: &ObjectKey) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec_pretty(&Document {
            form: FORM,
            key: key.clone(),
            taken: self.taken,
            orders: self.orders.clone(),
            past: self.past.clone(),
            hooks: self.hooks.clone(),
            analysis: self.analysis.clone(),
            explained: self.explained.clone(),
            forced: self.forced.clone(),
        })
    }

    fn from_json(key: &ObjectKey, bytes: &[u8]) -> Result<Self, String> {
        let head: Head = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if head.form != FORM {
            return Err(format!("it has form {}; this version reads form {FORM}", head.form));
        }
        let document: Document =
            serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if document.key != *key {
            return Err(format!("it is the document of {}", document.key));
        }
        let Document { taken, orders, past, hooks, analysis, explained, forced, .. } = document;
        Ok(Self { taken, orders, past, hooks, analysis, explained, forced })
    }
}
