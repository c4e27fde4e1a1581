//! The secret of a webhook, read again now and then so that a new one takes over without a restart.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long a secret that was read is taken for the secret.
const FRESH: Duration = Duration::from_secs(10);

type Read = Box<dyn Fn() -> Result<String, String> + Send + Sync>;

/// A secret and where it comes from. It is never printed.
pub(super) struct Secret {
    read: Read,
    known: Mutex<(String, Instant)>,
}

impl Secret {
    /// Reads the secret for the first time.
    pub(super) fn new(
        read: impl Fn() -> Result<String, String> + Send + Sync + 'static,
    ) -> Result<Self, String> {
        let first = usable(read())?;
        Ok(Self { read: Box::new(read), known: Mutex::new((first, Instant::now())) })
    }

    /// What a question to the secret answers.
    pub(super) fn any<T>(&self, ask: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.1.elapsed() >= FRESH {
            match usable((self.read)()) {
                Ok(secret) => known.0 = secret,
                Err(why) => tracing::warn!(why, "cannot read the secret of a webhook again"),
            }
            known.1 = Instant::now();
        }
        let secret = known.0.clone();
        drop(known);
        ask(&secret)
    }
}

fn usable(read: Result<String, String>) -> Result<String, String> {
    match read?.trim() {
        "" => Err("it is empty".to_owned()),
        secret => Ok(secret.to_owned()),
    }
}
