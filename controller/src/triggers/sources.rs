//! The sources, each with a bell that lets it be read now.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crds::{GitRef, SourceLocation, SourceName};
use tokio::sync::Notify;

/// The sources that run. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Sources(Arc<Mutex<BTreeMap<SourceName, Bell>>>);

#[derive(Debug)]
struct Bell {
    location: SourceLocation,
    rings: Arc<Notify>,
}

impl Sources {
    /// Puts a source up; what is returned is told when it should be read. A ring while it is being read is kept, and any
    /// number of rings are one.
    pub fn open(&self, name: &SourceName, location: &SourceLocation) -> Arc<Notify> {
        let mut sources = self.lock();
        let bell = sources
            .entry(name.clone())
            .or_insert_with(|| Bell { location: location.clone(), rings: Arc::default() });
        Arc::clone(&bell.rings)
    }

    /// Lets a source be read now; whether there is one of this name.
    pub fn wake(&self, name: &SourceName) -> bool {
        let sources = self.lock();
        let Some(bell) = sources.get(name) else { return false };
        bell.rings.notify_one();
        true
    }

    /// Lets the sources be read that an object is part of; whether there are any.
    pub fn wake_for_object(&self, bucket: &str, key: &str) -> bool {
        let mut woken = false;
        for bell in self.lock().values() {
            if let SourceLocation::S3(s3) = &bell.location
                && s3.bucket == bucket
                && key.starts_with(&s3.prefix)
            {
                bell.rings.notify_one();
                woken = true;
            }
        }
        woken
    }

    /// The reference that a source follows, if it is a Git source that runs.
    pub fn reference(&self, name: &SourceName) -> Option<GitRef> {
        match &self.lock().get(name)?.location {
            SourceLocation::Git(git) => Some(git.reference.clone().unwrap_or_default()),
            SourceLocation::S3(_) | SourceLocation::Directory(_) => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<SourceName, Bell>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use crds::S3Source;
    use futures_util::FutureExt as _;

    use super::*;

    fn bucket(name: &str, prefix: &str) -> SourceLocation {
        let (bucket, prefix) = (name.to_owned(), prefix.to_owned());
        SourceLocation::S3(S3Source { bucket, prefix, ..S3Source::default() })
    }

    #[tokio::test]
    async fn rings_are_kept_and_many_are_one() {
        let sources = Sources::default();
        let name: SourceName = "fleet".parse().unwrap();
        assert!(!sources.wake(&name), "nobody is there");
        let bell = sources.open(&name, &bucket("specs", ""));
        for _ in 0..1000 {
            assert!(sources.wake(&name));
        }
        assert!(bell.notified().now_or_never().is_some());
        assert!(bell.notified().now_or_never().is_none());
    }

    #[tokio::test]
    async fn an_object_wakes_the_sources_it_is_part_of() {
        let sources = Sources::default();
        let open = |name: &str, location| sources.open(&name.parse().unwrap(), &location);
        let (prod, test) =
            (open("prod", bucket("specs", "prod/")), open("test", bucket("specs", "test/")));
        assert!(sources.wake_for_object("specs", "prod/web.yaml"));
        assert!(prod.notified().now_or_never().is_some());
        assert!(test.notified().now_or_never().is_none());
        assert!(!sources.wake_for_object("specs", "notes.txt"));
        assert!(!sources.wake_for_object("other", "prod/web.yaml"));
    }
}
