//! The state store: what neither a source nor AWS can say again. What people said about a service, and how its releases ended.
//!
//! One small JSON document for each service and each release, in a directory, under a prefix of a bucket, or in memory. What must hold: a
//! document is changed only as it was read (a lost race is read again), a document that cannot be read is an error and never
//! an empty one, and losing all of them loses no service and deletes nothing (docs/adr/0012).

mod bucket;
mod directory;
mod document;
mod error;
mod memory;
mod record;
mod release;
#[cfg(test)]
mod tests;
mod unwritten;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crds::{ObjectKey, ReleaseName};

use self::bucket::Bucket;
use self::directory::Directory;
use self::document::Document;
pub use self::error::StateError;
use self::memory::Memory;
pub use self::record::Record;
pub use self::release::{BadVersion, Noticed, ReleaseRecord, Spell};
pub use self::unwritten::StepBack;
use self::unwritten::Unwritten;
use crate::aws::S3;

/// How often a change is tried when others change the same document at the same time.
const TRIES_MAX: usize = 5;

/// Where the documents are. Clones share everything.
#[derive(Debug, Clone)]
pub struct StateStore {
    place: Arc<Place>,
    unwritten: Arc<Unwritten>,
}

#[derive(Debug)]
enum Place {
    Memory(Memory),
    Directory(Directory),
    Bucket(Box<Bucket>),
}

/// A document as it was read.
#[derive(Debug, Clone)]
struct Loaded<D> {
    record: Arc<D>,
    /// What tells it from other versions; `None` where there is no document.
    version: Option<String>,
}

/// What came of writing a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Saved {
    /// It is in place.
    Yes,
    /// Another one may be in place by now: read again.
    Lost,
}

impl<D: Document> Loaded<D> {
    fn nothing() -> Self {
        Self { record: Arc::default(), version: None }
    }
}

impl Default for StateStore {
    fn default() -> Self {
        Self::in_memory()
    }
}

impl StateStore {
    /// A store that ends with the process.
    pub fn in_memory() -> Self {
        Self::at(Place::Memory(Memory::default()))
    }

    /// A store in a directory, which is made when it is first written to.
    pub fn in_directory(path: PathBuf) -> Self {
        Self::at(Place::Directory(Directory::new(path)))
    }

    /// A store under a prefix of a bucket.
    pub fn in_bucket(s3: S3, bucket: String, prefix: String) -> Self {
        Self::at(Place::Bucket(Box::new(Bucket::new(s3, bucket, prefix))))
    }

    fn at(place: Place) -> Self {
        Self { place: Arc::new(place), unwritten: Arc::default() }
    }

    /// What is kept of a service; nothing at all is an empty record.
    pub async fn read(&self, key: &ObjectKey) -> Result<Arc<Record>, StateError> {
        Ok(self.load(key).await?.record)
    }

    /// The same, for those who cannot wait for a store that does not answer.
    pub async fn read_within(
        &self,
        key: &ObjectKey,
        limit: Duration,
    ) -> Result<Arc<Record>, StateError> {
        let read = tokio::time::timeout(limit, self.read(key)).await;
        read.unwrap_or_else(|_| Err(StateError::read(key, late(limit))))
    }

    /// What is kept of a release; nothing at all is an empty record.
    pub async fn read_release(&self, name: &ReleaseName) -> Result<Arc<ReleaseRecord>, StateError> {
        Ok(self.load(name).await?.record)
    }

    /// Changes what is kept of a service. `change` may be called more than once, each time with the newest record; its own
    /// refusal changes nothing.
    pub async fn change<T, R>(
        &self,
        key: &ObjectKey,
        change: impl FnMut(&mut Record) -> Result<T, R>,
    ) -> Result<Result<T, R>, StateError> {
        self.change_document(key, change).await
    }

    /// The same, for those who cannot wait for a store that does not answer. What comes too late may still be written.
    pub async fn change_within<T, R>(
        &self,
        key: &ObjectKey,
        limit: Duration,
        change: impl FnMut(&mut Record) -> Result<T, R>,
    ) -> Result<Result<T, R>, StateError> {
        let write = tokio::time::timeout(limit, self.change(key, change)).await;
        write.unwrap_or_else(|_| Err(StateError::write(key, late(limit))))
    }

    /// The same, for a turn: a rollback or an abort that comes while the store does not answer does not wait for it.
    pub async fn change_in_turn<T, R>(
        &self,
        key: &ObjectKey,
        change: impl FnMut(&mut Record) -> Result<T, R>,
    ) -> Result<Result<T, R>, StateError> {
        tokio::select! {
            biased;
            write = self.change(key, change) => write,
            _ = self.next_step_back(key) => {
                Err(StateError::write(key, "a rollback or an abort goes before it"))
            }
        }
    }

    /// The last rollback or abort of a service that is not written down as it should be.
    pub fn step_back(&self, key: &ObjectKey) -> Option<StepBack> {
        self.unwritten.of(key)
    }

    /// Waits for a rollback or an abort of a service that is to be carried out without the store.
    pub async fn next_step_back(&self, key: &ObjectKey) -> StepBack {
        self.unwritten.next(key).await
    }

    /// Keeps a rollback or an abort that could not be written down.
    pub fn keep_step_back(&self, key: &ObjectKey, step: StepBack) {
        self.unwritten.put(key, step);
    }

    /// Keeps what more is known of it; a later one stays in its place.
    pub fn renew_step_back(&self, key: &ObjectKey, step: StepBack) {
        self.unwritten.renew(key, step);
    }

    /// Forgets it: it is written down, or has come to nothing.
    pub fn forget_step_back(&self, key: &ObjectKey, step: &StepBack) {
        self.unwritten.forget(key, step);
    }

    /// Changes what is kept of a release; as [`StateStore::change`].
    pub async fn change_release<T, R>(
        &self,
        name: &ReleaseName,
        change: impl FnMut(&mut ReleaseRecord) -> Result<T, R>,
    ) -> Result<Result<T, R>, StateError> {
        self.change_document(name, change).await
    }

    async fn change_document<D: Document, T, R>(
        &self,
        key: &D::Key,
        mut change: impl FnMut(&mut D) -> Result<T, R>,
    ) -> Result<Result<T, R>, StateError> {
        for _ in 0..TRIES_MAX {
            let known: Loaded<D> = self.load(key).await?;
            let mut record = (*known.record).clone();
            let answer = match change(&mut record) {
                Ok(answer) => answer,
                Err(refusal) => return Ok(Err(refusal)),
            };
            if record == *known.record {
                return Ok(Ok(answer));
            }
            if self.save(key, record, known.version).await? == Saved::Yes {
                return Ok(Ok(answer));
            }
        }
        Err(StateError::write(key, "others keep changing it at the same time"))
    }

    async fn load<D: Document>(&self, key: &D::Key) -> Result<Loaded<D>, StateError> {
        match &*self.place {
            Place::Memory(memory) => memory.load(key),
            Place::Directory(directory) => directory.load(key).await,
            Place::Bucket(bucket) => Box::pin(bucket.load(key)).await,
        }
    }

    async fn save<D: Document>(
        &self,
        key: &D::Key,
        record: D,
        version: Option<String>,
    ) -> Result<Saved, StateError> {
        match &*self.place {
            Place::Memory(memory) => memory.save(key, &record, version.as_deref()),
            Place::Directory(directory) => directory.save(key, record, version).await,
            Place::Bucket(bucket) => Box::pin(bucket.save(key, record, version)).await,
        }
    }
}

fn late(limit: Duration) -> String {
    format!("no answer within {} s", limit.as_secs())
}
