//! Documents as objects, `<prefix><target>/<cluster>/<service>.json` and `<prefix>releases/<name>.json`, changed by conditional writes (aws.md §6.4).
//!
//! Objects are listed now and again, all of them in one call a thousand, and only those are read whose entity tag is new. So
//! what another operator wrote is seen within [`LISTED_FOR`]; a change based on an older version is refused by S3 and read
//! again at once. While the bucket cannot be listed, what was read before stays in force; what never was is an error.

use std::collections::{HashMap, HashSet};
use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{Document, Loaded, Saved, StateError};
use crate::aws::{Error, Kind, PutCondition, S3};

/// How long a listing is believed.
const LISTED_FOR: Duration = Duration::from_secs(20);
/// How large a document may be.
const BYTES_MAX: u64 = 1 << 20;
/// How often an object is read again that changes while it is read.
const READS_MAX: usize = 3;

/// Documents in a bucket.
#[derive(Debug)]
#[expect(clippy::struct_field_names, reason = "a bucket is what S3 calls the place of this one")]
pub(super) struct Bucket {
    s3: S3,
    bucket: String,
    prefix: String,
    known: Mutex<Known>,
    /// One listing at a time.
    listing: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Known {
    /// When the objects were last listed, or were tried to be.
    listed: Option<Instant>,
    /// When they last could not be listed, and why.
    failed: Option<(Instant, String)>,
    /// How often something was known to have changed since the last listing, in all.
    outdated: u64,
    /// How much of that the last listing shows.
    outdated_shown: u64,
    /// What this process wrote while the last listing was made, which need not show it.
    written: HashSet<String>,
    /// Entity tags of all objects, once they were listed.
    etags: Option<HashMap<String, String>>,
    /// What was read, with the entity tag it had.
    documents: HashMap<String, (String, Arc<[u8]>)>,
}

impl Known {
    fn is_outdated(&self) -> bool {
        self.outdated > self.outdated_shown
    }

    /// How much has changed by the time that a listing is asked for.
    fn begin_listing(&mut self) -> u64 {
        self.written.clear();
        self.outdated
    }

    /// Takes over what was written: the entity tag that it has now, `None` where it is no more.
    fn keep(&mut self, name: String, etag: Option<String>, bytes: Arc<[u8]>) {
        self.written.insert(name.clone());
        let etags = self.etags.get_or_insert_default();
        if let Some(etag) = etag {
            etags.insert(name.clone(), etag.clone());
            self.documents.insert(name, (etag, bytes));
        } else {
            etags.remove(&name);
            self.documents.remove(&name);
        }
    }

    /// Takes a listing over, but for what was written while it was made.
    fn end_listing(&mut self, mut listed: HashMap<String, String>, outdated: u64) {
        for name in self.written.drain() {
            match self.etags.as_ref().and_then(|etags| etags.get(&name)) {
                Some(etag) => listed.insert(name, etag.clone()),
                None => listed.remove(&name),
            };
        }
        self.documents.retain(|name, kept| listed.get(name) == Some(&kept.0));
        self.etags = Some(listed);
        self.outdated_shown = outdated;
    }
}

impl Bucket {
    pub(super) fn new(s3: S3, bucket: String, prefix: String) -> Self {
        let (known, listing) = (Mutex::default(), tokio::sync::Mutex::default());
        Self { s3, bucket, prefix, known, listing }
    }

    pub(super) async fn load<D: Document>(&self, key: &D::Key) -> Result<Loaded<D>, StateError> {
        let name = self.name::<D>(key);
        let read = |bytes: &[u8]| {
            D::from_json(key, bytes)
                .map(Arc::new)
                .map_err(|why| StateError::read(key, format!("s3://{}/{name}: {why}", self.bucket)))
        };
        for _ in 0..READS_MAX {
            self.list(key).await?;
            let Some(etag) = self.etag(&name) else { return Ok(Loaded::nothing()) };
            if let Some(bytes) = self.kept(&name, &etag) {
                return Ok(Loaded { record: read(&bytes)?, version: Some(etag) });
            }
            match self.s3.get(&self.bucket, &name, Some(&etag), BYTES_MAX).await {
                Ok(bytes) => {
                    let record = read(&bytes)?;
                    let kept = (etag.clone(), Arc::from(&bytes[..]));
                    self.known().documents.insert(name, kept);
                    return Ok(Loaded { record, version: Some(etag) });
                }
                Err(error) if has_lost(&error) => self.known().outdated += 1,
                Err(error) => return Err(StateError::read(key, error)),
            }
        }
        Err(StateError::read(key, "it keeps changing while it is read"))
    }

    pub(super) async fn save<D: Document>(
        &self,
        key: &D::Key,
        record: D,
        version: Option<String>,
    ) -> Result<Saved, StateError> {
        let name = self.name::<D>(key);
        let mut kept: Arc<[u8]> = Arc::default();
        let written = match (&version, record.is_empty()) {
            (None, true) => return Ok(Saved::Yes),
            (Some(etag), true) => self.s3.delete(&self.bucket, &name, etag).await.map(|()| None),
            (etag, false) => {
                let bytes = record.to_json(key).map_err(|why| StateError::write(key, why))?;
                kept = Arc::from(&bytes[..]);
                let condition = match etag {
                    Some(etag) => PutCondition::Matches(etag),
                    None => PutCondition::Absent,
                };
                self.s3.put(&self.bucket, &name, bytes, condition).await.map(Some)
            }
        };
        match written {
            Ok(etag) => {
                self.known().keep(name, etag, kept);
                Ok(Saved::Yes)
            }
            // Whether a write without an answer took effect shows in the next reading.
            Err(error) if has_lost(&error) || error.kind == Kind::Ambiguous => {
                self.known().outdated += 1;
                Ok(Saved::Lost)
            }
            Err(error) => Err(StateError::write(key, error)),
        }
    }

    /// Brings the listing up to date, unless it is new enough.
    async fn list(&self, key: &impl Display) -> Result<(), StateError> {
        if self.is_listed() {
            return Ok(());
        }
        let asked = Instant::now();
        let _one = self.listing.lock().await;
        if self.is_listed() {
            return Ok(());
        }
        if let Some(why) = self.failed_since(asked) {
            return Err(StateError::read(key, why));
        }
        let outdated = self.known().begin_listing();
        let listed = self.s3.list(&self.bucket, &self.prefix).await;
        let mut known = self.known();
        match listed {
            Ok(objects) => {
                let objects = objects.into_iter().map(|object| (object.key, object.etag));
                known.end_listing(objects.collect(), outdated);
            }
            Err(error) if known.etags.is_some() && !known.is_outdated() => {
                tracing::error!(bucket = %self.bucket, error = %error, "cannot list the state store; what was read before stays in force");
            }
            Err(error) => {
                known.failed = Some((Instant::now(), error.to_string()));
                return Err(StateError::read(key, error));
            }
        }
        known.listed = Some(Instant::now());
        Ok(())
    }

    /// Why a listing failed for which the caller has waited: nobody waits for one after the other.
    fn failed_since(&self, asked: Instant) -> Option<String> {
        let known = self.known();
        let (at, why) = known.failed.as_ref()?;
        (*at >= asked).then(|| why.clone())
    }

    fn is_listed(&self) -> bool {
        let known = self.known();
        !known.is_outdated() && known.listed.is_some_and(|listed| listed.elapsed() < LISTED_FOR)
    }

    fn etag(&self, name: &str) -> Option<String> {
        self.known().etags.as_ref()?.get(name).cloned()
    }

    fn kept(&self, name: &str, etag: &str) -> Option<Arc<[u8]>> {
        let known = self.known();
        let (kept, bytes) = known.documents.get(name)?;
        (kept == etag).then(|| Arc::clone(bytes))
    }

    fn name<D: Document>(&self, key: &D::Key) -> String {
        format!("{}{}", self.prefix, D::place(key))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether somebody else was faster (aws.md §6.4): a condition that does not hold, a write at the same time, or an object
/// that has gone.
fn has_lost(error: &Error) -> bool {
    matches!(error.code.as_deref(), Some("PreconditionFailed" | "ConditionalRequestConflict"))
        || error.kind == Kind::NotFound
}

#[cfg(test)]
mod tests {
    use super::*;

    fn etags(pairs: &[(&str, &str)]) -> HashMap<String, String> {
        pairs.iter().map(|(name, etag)| ((*name).to_owned(), (*etag).to_owned())).collect()
    }

    #[test]
    fn a_listing_hides_nothing_that_was_written_while_it_was_made() {
        let mut known =
            Known { etags: Some(etags(&[("old", "1"), ("gone", "1")])), ..Known::default() };
        let asked = known.begin_listing();
        known.keep("new".to_owned(), Some("1".to_owned()), Arc::default());
        known.keep("old".to_owned(), Some("2".to_owned()), Arc::default());
        known.keep("gone".to_owned(), None, Arc::default());
        known.outdated += 1;
        known.end_listing(etags(&[("old", "1"), ("gone", "1"), ("other", "1")]), asked);
        let expected = etags(&[("new", "1"), ("old", "2"), ("other", "1")]);
        assert_eq!(known.etags.as_ref(), Some(&expected));
        assert_eq!(known.documents.len(), 2, "what was written need not be read again");
        assert!(known.is_outdated(), "something else changed meanwhile");
        let asked = known.begin_listing();
        known.end_listing(etags(&[("old", "2")]), asked);
        assert_eq!(known.etags, Some(etags(&[("old", "2")])), "a later listing knows better");
        assert!(!known.is_outdated() && known.documents.len() == 1);
    }
}
