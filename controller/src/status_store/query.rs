//! Which services to list, and what such a list says.

use std::collections::BTreeMap;
use std::sync::Arc;

use crds::{ClusterName, Health, ObjectKey, SyncStatus};

use super::{ServiceObject, Version};

/// Which services to list. Empty fields do not restrict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Only services of this cluster.
    pub cluster: Option<ClusterName>,
    /// Only services with one of these.
    pub sync: Vec<SyncStatus>,
    /// Only services with one of these.
    pub health: Vec<Health>,
    /// Only services in whose key, labels, images, revision, source or reason every word of it occurs.
    pub text: String,
    /// How many at most.
    pub limit: usize,
    /// Only services after this key. It need not exist, so that paging goes on when services come and go.
    pub after: Option<ObjectKey>,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            cluster: None,
            sync: Vec::new(),
            health: Vec::new(),
            text: String::new(),
            limit: Self::LIMIT_DEFAULT,
            after: None,
        }
    }
}

impl Query {
    /// How many services a page has when nobody says.
    pub const LIMIT_DEFAULT: usize = 50;
    /// How many services a page has at most.
    pub const LIMIT_MAX: usize = 500;

    /// The words of `text` in lower case.
    pub(super) fn words(&self) -> Vec<String> {
        self.text.split_whitespace().map(str::to_lowercase).collect()
    }

    /// Whether a service passes everything but the health filter.
    pub(super) fn admits(&self, object: &ServiceObject, search: &str, words: &[String]) -> bool {
        self.cluster.as_ref().is_none_or(|cluster| *cluster == object.key.cluster)
            && (self.sync.is_empty() || self.sync.contains(&object.status.sync))
            && words.iter().all(|word| search.contains(word.as_str()))
    }

    /// Whether a service passes the health filter.
    pub(super) fn admits_health(&self, health: Health) -> bool {
        self.health.is_empty() || self.health.contains(&health)
    }
}

/// How many services there are of each health and sync status.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// How many in all.
    pub all: usize,
    /// How many of each health that occurs.
    pub health: BTreeMap<Health, usize>,
    /// How many of each sync status that occurs.
    pub sync: BTreeMap<SyncStatus, usize>,
}

impl Counts {
    pub(super) fn add(&mut self, object: &ServiceObject) {
        self.all += 1;
        *self.health.entry(object.status.health).or_default() += 1;
        *self.sync.entry(object.status.sync).or_default() += 1;
    }
}

/// One page of a list, taken at one moment.
#[derive(Debug, Clone)]
pub struct Page {
    /// The services, in the order of keys.
    pub items: Vec<Arc<ServiceObject>>,
    /// How many match in all.
    pub total: usize,
    /// Where the next page starts; `None` on the last.
    pub after: Option<ObjectKey>,
    /// The counts of all that match apart from the health filter, so that they can be offered as filters.
    pub counts: Counts,
    /// How many services there are, whatever the query.
    pub unfiltered: usize,
    /// The board's version at that moment.
    pub version: Version,
}
