//! Documents in memory, for an operator that nobody gave a place to keep them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Document, Loaded, Saved, StateError};

/// Documents in memory.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// How often anything was written: the version of what was written then.
    writes: u64,
    /// By place, each with its version.
    documents: HashMap<String, (u64, Vec<u8>)>,
}

impl Memory {
    pub(super) fn load<D: Document>(&self, key: &D::Key) -> Result<Loaded<D>, StateError> {
        let kept = self.kept();
        let Some((version, bytes)) = kept.documents.get(&D::place(key)) else {
            return Ok(Loaded::nothing());
        };
        let record = D::from_json(key, bytes).map_err(|why| StateError::read(key, why))?;
        Ok(Loaded { record: Arc::new(record), version: Some(version.to_string()) })
    }

    pub(super) fn save<D: Document>(
        &self,
        key: &D::Key,
        record: &D,
        version: Option<&str>,
    ) -> Result<Saved, StateError> {
        let place = D::place(key);
        let mut kept = self.kept();
        let known = kept.documents.get(&place).map(|(version, _)| version.to_string());
        if known.as_deref() != version {
            return Ok(Saved::Lost);
        }
        kept.writes += 1;
        let version = kept.writes;
        if record.is_empty() {
            kept.documents.remove(&place);
        } else {
            let bytes = record.to_json(key).map_err(|why| StateError::write(key, why))?;
            kept.documents.insert(place, (version, bytes));
        }
        Ok(Saved::Yes)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
