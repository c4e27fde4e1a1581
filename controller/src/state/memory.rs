//! Records in memory, for an operator that nobody gave a place to keep them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crds::ObjectKey;

use super::{Loaded, Record, Saved};

/// Records in memory.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// How often anything was written: the version of what was written then.
    writes: u64,
    records: HashMap<ObjectKey, Loaded>,
}

impl Memory {
    pub(super) fn load(&self, key: &ObjectKey) -> Loaded {
        self.kept().records.get(key).cloned().unwrap_or_else(Loaded::nothing)
    }

    pub(super) fn save(&self, key: &ObjectKey, record: Record, version: Option<&str>) -> Saved {
        let mut kept = self.kept();
        let known = kept.records.get(key).and_then(|loaded| loaded.version.as_deref());
        if known != version {
            return Saved::Lost;
        }
        kept.writes += 1;
        let version = Some(kept.writes.to_string());
        if record.is_empty() {
            kept.records.remove(key);
        } else {
            kept.records.insert(key.clone(), Loaded { record: Arc::new(record), version });
        }
        Saved::Yes
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
