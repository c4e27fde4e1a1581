//! A real Git repository that releases write their versions to, by the operator's own writer.

use std::path::Path;
use std::sync::Arc;

use controller::releases::{Destination, Destinations};
use controller::source::{Access, FileChange, GitWriter, Variables, WriteError, Written};
use crds::GitSource;
use tokio::runtime::Builder;

use super::BoxFuture;

/// What writes to a repository, whatever source asks for it.
pub(super) fn destinations(source: &GitSource, cache: &Path) -> Destinations {
    let source = source.clone();
    let access = Access {
        s3: None,
        cache: cache.to_owned(),
        variables: Variables::from_environment(std::env::vars_os()),
        read_secret: Arc::new(|_| Err("there are no secrets here".to_owned())),
    };
    Destinations::opened_by(move |_| Ok(Box::new(Host(GitWriter::new(&source, access.clone())?))))
}

/// A writer that runs `git`.
struct Host(GitWriter);

impl Destination for Host {
    /// The story's clock stands still meanwhile: programs would look as if they never answered.
    fn write<'a>(
        &'a mut self,
        change: &'a FileChange<'a>,
    ) -> BoxFuture<'a, Result<Written, WriteError>> {
        Box::pin(async move {
            let work = || {
                let runtime = Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(Box::pin(self.0.write(change)))
            };
            std::thread::scope(|scope| scope.spawn(work).join().unwrap())
        })
    }
}
