//! What a reader is given beside the place: clients, a cache, an environment, secrets.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crds::SecretFrom;

/// Reads a secret each time it is needed; the error says why it is not there, without the secret.
pub type ReadSecret = Arc<dyn Fn(&SecretFrom) -> Result<String, String> + Send + Sync>;

/// What readers may use.
#[derive(Clone)]
pub struct Access {
    /// For S3 sources.
    pub s3: Option<crate::aws::S3>,
    /// The directory under which Git repositories are kept between two reads. Safe to lose.
    pub cache: PathBuf,
    /// The environment that `git` gets.
    pub variables: Variables,
    /// Where tokens come from.
    pub read_secret: ReadSecret,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").field("cache", &self.cache).finish_non_exhaustive()
    }
}

/// Environment variables that are passed on to `git`, and no others.
#[derive(Debug, Clone, Default)]
pub struct Variables(Vec<(OsString, OsString)>);

/// Where programs are, how the network is reached, which certificates are trusted, who holds ssh keys.
const PASSED_ON: [&str; 16] = [
    "PATH",
    "TMPDIR",
    "SSH_AUTH_SOCK",
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
    "GIT_EXEC_PATH",
];

impl Variables {
    /// Those of a whole environment that `git` needs.
    pub fn from_environment(all: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let needed = |name: &OsStr| PASSED_ON.iter().any(|known| name == OsStr::new(known));
        Self(all.into_iter().filter(|(name, _)| needed(name)).collect())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(OsString, OsString)> {
        self.0.iter()
    }
}
