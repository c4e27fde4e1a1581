//! Terraform states: where they lie, and when they are read again.
//!
//! A state is read again when its entity tag or its file has changed, or when a reference asks for an address that was not
//! looked up in it. Nothing of it is kept but what references ask for.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crds::TfstateName;
use tokio::io::AsyncReadExt as _;

use super::name::Referent;
use super::referents::{Answer, Found};
use super::tfstate::{self, Address, Reading, Verdict};
use crate::aws::{Error, Kind, S3, S3Content};

/// The largest state that is read.
const BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Reads one Terraform state.
#[derive(Debug)]
pub struct StateReader {
    name: TfstateName,
    interval: Duration,
    place: Place,
    last: tokio::sync::Mutex<Last>,
}

#[derive(Debug)]
enum Place {
    Object { s3: S3, bucket: String, key: String },
    File(PathBuf),
}

/// What was looked up in the newest content.
#[derive(Debug, Default)]
struct Last {
    stamp: Option<String>,
    answers: HashMap<Referent, Answer>,
}

/// What was read of a place.
enum Content {
    Unchanged,
    New {
        bytes: Vec<u8>,
        stamp: String,
    },
    /// There is no such object or file.
    None,
}

impl StateReader {
    /// A state in an object of a bucket.
    pub fn object(
        name: TfstateName,
        interval: Duration,
        s3: S3,
        bucket: String,
        key: String,
    ) -> Self {
        Self::at(name, interval, Place::Object { s3, bucket, key })
    }

    /// A state in a file of this machine.
    pub fn file(name: TfstateName, interval: Duration, path: PathBuf) -> Self {
        Self::at(name, interval, Place::File(path))
    }

    fn at(name: TfstateName, interval: Duration, place: Place) -> Self {
        Self { name, interval, place, last: tokio::sync::Mutex::default() }
    }

    /// The state's name.
    pub fn name(&self) -> &TfstateName {
        &self.name
    }

    /// Whether it lies in this object.
    pub(super) fn is_object(&self, bucket: &str, key: &str) -> bool {
        match &self.place {
            Place::Object { bucket: known, key: at, .. } => known == bucket && at == key,
            Place::File(_) => false,
        }
    }

    pub(super) fn interval(&self) -> Duration {
        self.interval
    }

    /// Looks all of them up. A state that cannot be read says nothing of any of them.
    pub(super) async fn read(&self, referents: Vec<Referent>) -> Vec<(Referent, Answer)> {
        let mut last = self.last.lock().await;
        let is_known = referents.iter().all(|referent| last.answers.contains_key(referent));
        let known = last.stamp.as_deref().filter(|_| is_known);
        let said = match self.place.read(known).await {
            Ok(Content::Unchanged) => {
                let answers = referents.into_iter().filter_map(|referent| {
                    let answer = last.answers.get(&referent)?.clone();
                    Some((referent, answer))
                });
                return answers.collect();
            }
            Ok(Content::New { bytes, stamp }) => {
                let answers = self.look_up(bytes, &referents).await;
                *last = Last { stamp: Some(stamp), answers: answers.iter().cloned().collect() };
                return answers;
            }
            Ok(Content::None) => Answer::Missing {
                why: format!("there is no state at {}", self.place.name()),
                hint: None,
            },
            Err(why) => Answer::Unread { why },
        };
        referents.into_iter().map(|referent| (referent, said.clone())).collect()
    }

    async fn look_up(&self, bytes: Vec<u8>, referents: &[Referent]) -> Vec<(Referent, Answer)> {
        let asked: Vec<(Referent, Address)> = referents
            .iter()
            .filter_map(|referent| match referent {
                Referent::Terraform { address, .. } => Some((referent.clone(), address.clone())),
                Referent::Parameter { .. } | Referent::Release(_) => None,
            })
            .collect();
        let addresses: Vec<Address> = asked.iter().map(|(_, address)| address.clone()).collect();
        let read = tokio::task::spawn_blocking(move || tfstate::read(&bytes, &addresses)).await;
        let read = read.unwrap_or_else(|_| Err("reading it has failed".to_owned()));
        let from = self.place.name();
        match read {
            Ok(Reading { serial, verdicts }) => {
                let version = serial.map(|serial| format!("serial {serial}"));
                let answers = verdicts.into_iter().map(|verdict| match verdict {
                    Verdict::Text(text) => {
                        Answer::Found(Found { text, from: from.clone(), version: version.clone() })
                    }
                    Verdict::Missing { why, hint } => {
                        Answer::Missing { why: format!("{why} ({from})"), hint }
                    }
                });
                asked.into_iter().map(|(referent, _)| referent).zip(answers).collect()
            }
            Err(why) => {
                let unread = || Answer::Unread { why: format!("cannot read state {from}: {why}") };
                asked.into_iter().map(|(referent, _)| (referent, unread())).collect()
            }
        }
    }
}

impl Place {
    fn name(&self) -> String {
        match self {
            Self::Object { bucket, key, .. } => format!("s3://{bucket}/{key}"),
            Self::File(path) => path.display().to_string(),
        }
    }

    /// What lies there, unless it still is what `known` stands for.
    async fn read(&self, known: Option<&str>) -> Result<Content, String> {
        match self {
            Self::Object { s3, bucket, key } => {
                match Box::pin(s3.get_changed(bucket, key, known, BYTES_MAX)).await {
                    Ok(S3Content::Unchanged) => Ok(Content::Unchanged),
                    Ok(S3Content::Content { bytes, etag }) => {
                        Ok(Content::New { bytes, stamp: etag })
                    }
                    Err(Error { kind: Kind::NotFound, .. }) => Ok(Content::None),
                    Err(error) => Err(error.to_string()),
                }
            }
            Self::File(path) => match file(path, known).await {
                Ok(content) => Ok(content),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Content::None),
                Err(error) => Err(format!("cannot read state {}: {error}", path.display())),
            },
        }
    }
}

/// A file with what changes whenever it is written: its length, its time, and which file it is.
async fn file(path: &PathBuf, known: Option<&str>) -> io::Result<Content> {
    use std::os::unix::fs::MetadataExt as _;
    let file = tokio::fs::File::open(path).await?;
    let facts = file.metadata().await?;
    if !facts.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let (second, nano) = (facts.mtime(), facts.mtime_nsec());
    let stamp = format!("{}-{}-{second}.{nano}", facts.ino(), facts.len());
    if known == Some(stamp.as_str()) {
        return Ok(Content::Unchanged);
    }
    let mut bytes = Vec::new();
    file.take(BYTES_MAX + 1).read_to_end(&mut bytes).await?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(io::Error::other(format!("it has more than {BYTES_MAX} bytes")));
    }
    Ok(Content::New { bytes, stamp })
}
