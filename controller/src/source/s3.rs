//! A prefix of an S3 bucket as a source (aws.md §6.4).
//!
//! A tree of objects cannot be read in one moment. So the listing is the truth: each object is read only if it still has the
//! entity tag that was listed, and when one has not, everything is listed again. One page is one state of the bucket, several
//! are not: what changes between two of them shows in one and not in the other. A listing of several pages counts once the
//! next one is the same, for then there was a moment between the two at which all of it was so. What results is one state of
//! the prefix.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use crds::S3Source;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;

use crate::aws;

use super::{
    Access, FILE_BYTES_MAX, FILES_MAX, Refusal, Snapshot, SourceError, SourceFile, TOTAL_BYTES_MAX,
    is_spec,
};

/// How often the prefix is listed when it changes while it is read.
const LISTINGS_MAX: u32 = 6;
/// How long it is left alone in between, a bit longer each time; not at all before the second listing.
const SETTLE: Duration = Duration::from_millis(300);
/// How many objects are read at once.
const READS_AT_ONCE: usize = 16;

/// Reads a prefix of an S3 bucket.
#[derive(Debug)]
pub struct S3Reader {
    client: aws::S3,
    bucket: String,
    prefix: String,
    last: Option<Known>,
}

/// What the last read found.
#[derive(Debug)]
struct Known {
    listing: Listing,
    snapshot: Arc<Snapshot>,
}

/// Every spec under the prefix by key.
type Listing = BTreeMap<String, Listed>;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Listed {
    etag: String,
    bytes: u64,
}

/// What came of reading one object.
enum Reading {
    Whole(Arc<SourceFile>),
    /// It is not any more what was listed.
    Disturbed,
}

impl S3Reader {
    /// A reader of the prefix; nothing is read yet.
    pub fn new(source: &S3Source, access: Access) -> Result<Self, SourceError> {
        let place = format!("s3://{}/{}", source.bucket, source.prefix);
        let client = access.s3.ok_or_else(|| SourceError::Unusable {
            place,
            reason: "there is no S3 client for it".to_owned(),
        })?;
        let client = client.of_owner(source.expected_owner.clone());
        let (bucket, prefix) = (source.bucket.clone(), source.prefix.clone());
        Ok(Self { client, bucket, prefix, last: None })
    }

    /// Reads the prefix as it is now; see [`SourceReader::fetch`](super::SourceReader::fetch).
    pub async fn fetch(&mut self) -> Result<Arc<Snapshot>, SourceError> {
        let mut before: Option<Listing> = None;
        for number in 0..LISTINGS_MAX {
            if number > 1 {
                tokio::time::sleep(SETTLE * (number - 1)).await;
            }
            let (listing, pages) = self.list().await?;
            if let Some(last) = &self.last
                && last.listing == listing
            {
                return Ok(Arc::clone(&last.snapshot));
            }
            let is_one_state = pages == 1 || before.as_ref() == Some(&listing);
            if is_one_state && let Some(files) = self.read(&listing).await? {
                let revision =
                    Snapshot::digest(files.values().map(|file| (file.path(), file.content_id())));
                let snapshot = Snapshot::new(revision, files, None)
                    .following(self.last.as_ref().map(|last| &last.snapshot), &self.place())?;
                self.last = Some(Known { listing, snapshot: Arc::clone(&snapshot) });
                return Ok(snapshot);
            }
            before = Some(listing);
        }
        Err(SourceError::Unsettled { place: self.place() })
    }

    fn place(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.prefix)
    }

    /// Every spec under the prefix and how many pages it took, or an error. Nothing else is kept, however much there is.
    async fn list(&self) -> Result<(Listing, usize), SourceError> {
        let (mut listing, mut is_full) = (Listing::new(), false);
        let see = |object: aws::S3Object| {
            if !is_listed(&self.prefix, &object.key) {
                return ControlFlow::Continue(());
            }
            is_full = listing.len() == FILES_MAX;
            if is_full {
                return ControlFlow::Break(());
            }
            listing.insert(object.key, Listed { etag: object.etag, bytes: object.bytes });
            ControlFlow::Continue(())
        };
        let pages = self.client.visit(&self.bucket, &self.prefix, see).await;
        let pages = pages.map_err(|error| self.failed("list", "", &error))?;
        if is_full {
            return Err(SourceError::TooManyFiles { place: self.place() });
        }
        Ok((listing, pages))
    }

    fn failed(&self, doing: &'static str, key: &str, error: &aws::Error) -> SourceError {
        let place =
            if key.is_empty() { self.place() } else { format!("s3://{}/{key}", self.bucket) };
        SourceError::S3 { doing, place, source: crate::error_chain(error).into() }
    }

    /// Every object of the listing; `None` when one of them is not any more what was listed.
    async fn read(
        &self,
        listing: &Listing,
    ) -> Result<Option<BTreeMap<String, Arc<SourceFile>>>, SourceError> {
        let readable = listing.values().filter(|listed| listed.bytes <= FILE_BYTES_MAX);
        if readable.map(|listed| listed.bytes).sum::<u64>() > TOTAL_BYTES_MAX {
            return Err(SourceError::TooLarge { place: self.place() });
        }
        let mut files = BTreeMap::new();
        let reads: Vec<BoxFuture<'_, _>> = listing
            .iter()
            .map(|(key, listed)| -> BoxFuture<'_, _> {
                Box::pin(async move { (key, self.object(key, listed).await) })
            })
            .collect();
        let mut readings = futures_util::stream::iter(reads).buffer_unordered(READS_AT_ONCE);
        while let Some((key, reading)) = readings.next().await {
            match reading? {
                Reading::Whole(file) => files.insert(key.clone(), file),
                Reading::Disturbed => return Ok(None),
            };
        }
        Ok(Some(files))
    }

    async fn object(&self, key: &str, listed: &Listed) -> Result<Reading, SourceError> {
        if let Some(known) = self.known(key, listed) {
            return Ok(Reading::Whole(known));
        }
        if listed.bytes > FILE_BYTES_MAX {
            let refusal = Refusal::TooLarge { bytes: listed.bytes };
            return Ok(Reading::Whole(Arc::new(SourceFile::refused(key, refusal))));
        }
        let read = self.client.get(&self.bucket, key, Some(&listed.etag), FILE_BYTES_MAX).await;
        let bytes = match read {
            Ok(bytes) => bytes,
            Err(error) if is_gone_or_changed(&error) => return Ok(Reading::Disturbed),
            Err(error) => return Err(self.failed("read", key, &error)),
        };
        if bytes.len() as u64 != listed.bytes {
            return Ok(Reading::Disturbed);
        }
        let file = SourceFile::identified(key, listed.etag.clone(), bytes.into());
        Ok(Reading::Whole(Arc::new(file)))
    }

    /// The file of the last snapshot, if the listing says that it has not changed.
    fn known(&self, key: &str, listed: &Listed) -> Option<Arc<SourceFile>> {
        let last = self.last.as_ref().filter(|last| last.listing.get(key) == Some(listed))?;
        last.snapshot.files().get(key).cloned()
    }
}

/// Whether the object of this key is a spec.
///
/// A prefix is no folder: it may end in the middle of a name. So names count from the last slash of the prefix on, and one
/// that starts with a dot is hidden unless the prefix itself writes that dot.
fn is_listed(prefix: &str, key: &str) -> bool {
    let folder = prefix.rfind('/').map_or(0, |slash| slash + 1);
    let (asked, below) = (prefix.get(folder..), key.get(folder..));
    let (Some(asked), Some(below)) = (asked, below) else { return false };
    let below = if asked.starts_with('.') { below.trim_start_matches('.') } else { below };
    !key.ends_with('/') && is_spec(below)
}

/// 412: another content than listed. 404: deleted since.
fn is_gone_or_changed(error: &aws::Error) -> bool {
    matches!(error.code.as_deref(), Some("PreconditionFailed" | "NoSuchKey"))
}

#[cfg(test)]
mod tests;
