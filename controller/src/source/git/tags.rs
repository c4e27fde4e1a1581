//! The tags of a repository whose contents do not matter: those of an application that releases follow.

use std::collections::BTreeMap;
use std::ffi::OsStr;

use crds::{GitRef, GitSource, GitVerify, VerifyMode};

use super::command::Run;
use super::reference::{self, Announced};
use super::{FETCHED, GitReader, LIST_TIME, LISTING_BYTES_MAX};
use crate::source::{Access, SourceError};

/// Reads the tags of one repository.
#[derive(Debug)]
pub struct TagReader(GitReader);

impl TagReader {
    /// A reader of the repository's tags; nothing is read yet. With `needs_signature` the source has to say whose count.
    pub fn new(
        source: &GitSource,
        needs_signature: bool,
        access: Access,
    ) -> Result<Self, SourceError> {
        let verify = source.verify.clone().filter(|_| needs_signature);
        let verify = verify.map(|verify| GitVerify { mode: Some(VerifyMode::Tag), ..verify });
        // A range makes the reader one that follows tags; which one is newest is the release's affair.
        let reference = GitRef { semver: Some("*".to_owned()), ..GitRef::default() };
        let source = GitSource {
            reference: Some(reference),
            path: None,
            history: None,
            verify,
            ..source.clone()
        };
        Ok(Self(GitReader::new(&source, access)?))
    }

    /// Every tag with the commit that it names.
    pub async fn list(&mut self) -> Result<BTreeMap<String, String>, SourceError> {
        let reader = &mut self.0;
        reader.cache.write_configuration(&reader.remote)?;
        let credentials = reader.credentials().await?;
        let address = reader.remote.address.clone();
        let arguments: [&OsStr; 5] = [
            "ls-remote".as_ref(),
            "--quiet".as_ref(),
            "--tags".as_ref(),
            "--".as_ref(),
            address.as_ref(),
        ];
        let run = Run {
            doing: "list tags of",
            arguments: arguments.to_vec(),
            input: Vec::new(),
            output_bytes_max: LISTING_BYTES_MAX,
            time: LIST_TIME,
        };
        let listing = reader.git.run_remote(run, &reader.remote, &credentials).await;
        if let (Err(_), Some(app)) = (&listing, &mut reader.app) {
            app.forget();
        }
        let listing = listing?;
        let tags = reference::tags(&listing).into_iter();
        Ok(tags.map(|(tag, commit)| (tag.to_owned(), commit.to_owned())).collect())
    }

    /// Returns only when this tag at this commit is signed by somebody who may; `Untrusted` says that it is not.
    pub async fn verify(&mut self, tag: &str, commit: &str) -> Result<(), SourceError> {
        let reader = &mut self.0;
        let credentials = reader.credentials().await?;
        let announced = Announced { commit: commit.to_owned(), tag: Some(tag.to_owned()) };
        let locked = reader.cache.lock().await?;
        let git_dir = reader.git_dir_argument(commit);
        reader.cache.prepare(&mut reader.git, commit, &locked).await?;
        let name = format!("refs/tags/{tag}");
        reader.fetch_reference(&git_dir, "--depth=1", (&name, FETCHED), &credentials).await?;
        let fetched = reader.fetched(&git_dir).await?;
        if fetched.id != commit {
            // It was moved between the listing and now; the next listing says where it is.
            return Err(reader.unexpected("read the tag of"));
        }
        reader.verify(&git_dir, &announced, &fetched, &locked).await
    }
}
