//! A prefix of an S3 bucket as a source (aws.md §6.4).
//!
//! A tree of objects cannot be read in one moment. So the listing is the truth: each object is read only if it still has the
//! ETag that was listed, and when one has not, everything is listed again. What results is one state of the prefix.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::types::Object;
use crds::S3Source;
use futures_util::StreamExt as _;

use super::{
    Access, FILE_BYTES_MAX, FILES_MAX, Refusal, Snapshot, SourceError, SourceFile, TOTAL_BYTES_MAX,
    is_spec,
};

/// How often the prefix is listed again when it changes while it is read.
const ATTEMPTS_MAX: u32 = 5;
/// How long it is left alone in between.
const SETTLE: Duration = Duration::from_millis(300);
/// How many objects are read at once.
const READS_AT_ONCE: usize = 16;
/// The most pages of a listing; a page has up to 1,000 keys.
const PAGES_MAX: usize = 1_000;

/// Reads a prefix of an S3 bucket.
#[derive(Debug)]
pub struct S3Reader {
    client: Client,
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
        let (bucket, prefix) = (source.bucket.clone(), source.prefix.clone());
        Ok(Self { client, bucket, prefix, last: None })
    }

    /// Reads the prefix as it is now; see [`SourceReader::fetch`](super::SourceReader::fetch).
    pub async fn fetch(&mut self) -> Result<Arc<Snapshot>, SourceError> {
        for attempt in 1..=ATTEMPTS_MAX {
            let listing = self.list().await?;
            if let Some(last) = &self.last
                && last.listing == listing
            {
                return Ok(Arc::clone(&last.snapshot));
            }
            if let Some(files) = self.read(&listing).await? {
                let revision =
                    Snapshot::digest(files.values().map(|file| (file.path(), file.content_id())));
                let snapshot = Snapshot::new(revision, files, None)
                    .following(self.last.as_ref().map(|last| &last.snapshot), &self.place())?;
                self.last = Some(Known { listing, snapshot: Arc::clone(&snapshot) });
                return Ok(snapshot);
            }
            tokio::time::sleep(SETTLE * attempt).await;
        }
        Err(SourceError::Unsettled { place: self.place() })
    }

    fn place(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.prefix)
    }

    /// All pages, or an error.
    async fn list(&self) -> Result<Listing, SourceError> {
        let mut listing = Listing::new();
        let mut token: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let page = self
                .client
                .list_objects_v2()
                .bucket(&self.bucket)
                .prefix(&self.prefix)
                .set_continuation_token(token.take())
                .send()
                .await
                .map_err(|error| failed("list", self.place(), error))?;
            for object in page.contents() {
                if let Some((key, listed)) = self.listed(object)? {
                    listing.insert(key, listed);
                }
            }
            if listing.len() > FILES_MAX {
                return Err(SourceError::TooManyFiles { place: self.place() });
            }
            token = page.next_continuation_token().map(str::to_owned);
            match (page.is_truncated().unwrap_or(false), &token) {
                (false, _) => return Ok(listing),
                (true, Some(_)) => {}
                (true, None) => {
                    let source = "the listing goes on, but there is no token for the rest".into();
                    return Err(SourceError::S3 { doing: "list", place: self.place(), source });
                }
            }
        }
        Err(SourceError::TooManyFiles { place: self.place() })
    }

    /// The entry of a key that is a spec.
    fn listed(&self, object: &Object) -> Result<Option<(String, Listed)>, SourceError> {
        let Some(key) = object.key() else { return Ok(None) };
        let below = key.strip_prefix(self.prefix.as_str()).unwrap_or(key);
        let below = if below.is_empty() { key } else { below };
        if key.ends_with('/') || !is_spec(below) {
            return Ok(None);
        }
        let Some(etag) = object.e_tag() else {
            let source = "the listing gives no ETag".into();
            let place = format!("s3://{}/{key}", self.bucket);
            return Err(SourceError::S3 { doing: "list", place, source });
        };
        let bytes = u64::try_from(object.size().unwrap_or(0)).unwrap_or(0);
        Ok(Some((key.to_owned(), Listed { etag: etag.to_owned(), bytes })))
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
        let mut readings = futures_util::stream::iter(listing)
            .map(|(key, listed)| async move { (key, self.object(key, listed).await) })
            .buffer_unordered(READS_AT_ONCE);
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
        let get = self.client.get_object().bucket(&self.bucket).key(key).if_match(&listed.etag);
        let object = match get.send().await {
            Ok(object) => object,
            Err(error) if is_gone_or_changed(&error) => return Ok(Reading::Disturbed),
            Err(error) => return Err(failed("read", format!("s3://{}/{key}", self.bucket), error)),
        };
        let version = object.version_id().filter(|version| *version != "null").map(str::to_owned);
        let broken = |source| SourceError::S3 {
            doing: "read",
            place: format!("s3://{}/{key}", self.bucket),
            source,
        };
        let mut body = object.body;
        let mut bytes = Vec::with_capacity(usize::try_from(listed.bytes).unwrap_or(0));
        while let Some(chunk) = body.next().await {
            bytes.extend_from_slice(&chunk.map_err(|error| broken(error.into()))?);
            if bytes.len() as u64 > listed.bytes {
                break;
            }
        }
        if bytes.len() as u64 != listed.bytes {
            return Err(broken("the content is not as long as the listing says".into()));
        }
        let content_id = match version {
            Some(version) => format!("{} {version}", listed.etag),
            None => listed.etag.clone(),
        };
        Ok(Reading::Whole(Arc::new(SourceFile::identified(key, content_id, bytes.into()))))
    }

    /// The file of the last snapshot, if the listing says that it has not changed.
    fn known(&self, key: &str, listed: &Listed) -> Option<Arc<SourceFile>> {
        let last = self.last.as_ref().filter(|last| last.listing.get(key) == Some(listed))?;
        last.snapshot.files().get(key).cloned()
    }
}

/// 412: another content than listed. 404: deleted since.
fn is_gone_or_changed(error: &SdkError<GetObjectError>) -> bool {
    let status = error.raw_response().map(|response| response.status().as_u16());
    matches!(status, Some(404 | 412))
}

fn failed<E, R>(doing: &'static str, place: String, error: SdkError<E, R>) -> SourceError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let told = match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        (None, _) => return SourceError::S3 { doing, place, source: Box::new(error) },
    };
    SourceError::S3 { doing, place, source: told.into() }
}

#[cfg(test)]
mod tests;
