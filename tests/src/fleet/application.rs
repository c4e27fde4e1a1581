//! The application's Git repository as a real one, read by the operator's own reader.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use controller::releases::{Repositories, TagSource};
use controller::source::{Access, SourceError, TagReader, Variables};
use crds::GitSource;
use tokio::runtime::{Builder, Runtime};

use super::BoxFuture;

/// What reads a repository of this machine, whatever address a release gives it.
pub(super) fn repositories(repository: &Path, cache: &Path) -> Repositories {
    let source = GitSource { url: repository.display().to_string(), ..GitSource::default() };
    let access = Access {
        s3: None,
        cache: cache.to_owned(),
        variables: Variables::from_environment(std::env::vars_os()),
        read_secret: Arc::new(|_| Err("there are no secrets here".to_owned())),
    };
    Repositories::opened_by(move |wanted| {
        let needs_signature = wanted.verify.unwrap_or(false);
        let reader = TagReader::new(&source, needs_signature, access.clone());
        let reader = reader.map_err(|error| error.to_string())?;
        Ok(Box::new(RealTags(Arc::new(Mutex::new(reader)))))
    })
}

/// A reader that runs `git`.
struct RealTags(Arc<Mutex<TagReader>>);

impl TagSource for RealTags {
    fn list(&mut self) -> BoxFuture<'_, Result<BTreeMap<String, String>, SourceError>> {
        let reader = Arc::clone(&self.0);
        Box::pin(in_real_time(move |runtime| runtime.block_on(reader.lock().unwrap().list())))
    }

    fn verify<'a>(
        &'a mut self,
        tag: &'a str,
        commit: &'a str,
    ) -> BoxFuture<'a, Result<(), SourceError>> {
        let (reader, tag, commit) = (Arc::clone(&self.0), tag.to_owned(), commit.to_owned());
        Box::pin(in_real_time(move |runtime| {
            runtime.block_on(reader.lock().unwrap().verify(&tag, &commit))
        }))
    }
}

/// Works on a clock that goes, while that of the story stands still: programs would look as if they never answered.
async fn in_real_time<T: Send + 'static>(work: impl FnOnce(&Runtime) -> T + Send + 'static) -> T {
    let on_its_own = move || work(&Builder::new_current_thread().enable_all().build().unwrap());
    tokio::task::spawn_blocking(on_its_own).await.unwrap()
}
