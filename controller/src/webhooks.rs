//! Webhooks: calls that say that a source, or the tags of a repository that releases follow, may have changed.
//!
//! What comes in: a request, whoever sent it. What leaves: rings of their bells, or a refusal and nothing else.
//! Guarantees: nothing of a body is looked at before its signature is right; secrets are compared in constant time and
//! never printed; memory and time are bounded whatever is sent. A body says at most that a source is not concerned; what
//! it cannot say counts as a change, and the source itself says what has changed.

mod push;
mod replay;
mod repository;
mod secret;
mod signature;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crds::{SecretFrom, SourceName, Webhook, WebhookProvider};
use http::HeaderMap;
use jiff::Timestamp;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use self::push::Push;
use self::replay::Replays;
use self::secret::Secret;
use crate::triggers::Triggers;

/// How large a body may be.
pub const BODY_MAX: usize = 1024 * 1024;
/// How many calls are read at once; each may hold a whole body.
const AT_ONCE: usize = 8;
/// How many calls of one webhook may come at once, and how many in a second from then on.
const BURST: f64 = 60.0;
const CALLS_A_SECOND: f64 = 10.0;

/// The webhooks that there are. Clones share them.
#[derive(Debug, Clone)]
pub struct Webhooks(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    hooks: BTreeMap<(WebhookProvider, SourceName), Hook>,
    triggers: Triggers,
    at_once: Semaphore,
}

struct Hook {
    secret: Secret,
    state: Mutex<State>,
}

struct State {
    replays: Replays,
    calls: f64,
    since: Instant,
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hook")
    }
}

/// What came of a call that was in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// The source is read now, or releases are looked at.
    Woken,
    /// What changed is not what the source follows.
    NotConcerned,
    /// It tells of no change, as the call does with which a host tries a webhook out.
    NoChange,
}

/// Why a call was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// There is no such webhook.
    Unknown,
    /// There were too many calls.
    TooMany,
    /// It is not signed, or not with the secret, or too long ago.
    Unsigned,
    /// It has been received before.
    Replayed,
}

/// A webhook that a call is for, with the right to read its body.
#[derive(Debug)]
pub struct Caller<'a> {
    shared: &'a Shared,
    provider: WebhookProvider,
    source: SourceName,
    hook: &'a Hook,
    _place: SemaphorePermit<'a>,
}

/// Whether webhooks can be: each for a source that there is, and none twice.
pub fn check(webhooks: &[Webhook], is_source: impl Fn(&SourceName) -> bool) -> Result<(), String> {
    for (index, webhook) in webhooks.iter().enumerate() {
        let Webhook { source, provider, .. } = webhook;
        if !is_source(source) {
            return Err(format!("spec.webhooks[{index}]: there is no source `{source}`"));
        }
        let is_twice = webhooks
            .iter()
            .take(index)
            .any(|other| other.source == *source && other.provider == *provider);
        if is_twice {
            let provider = provider.as_str();
            return Err(format!(
                "spec.webhooks[{index}]: `{provider}` of `{source}` is there twice"
            ));
        }
    }
    Ok(())
}

impl Webhooks {
    /// None.
    pub fn none() -> Self {
        Self::of(BTreeMap::new(), Triggers::default())
    }

    /// Those of a configuration. A secret that cannot be read or is empty is an error now, and later changes nothing.
    pub fn new(
        webhooks: &[Webhook],
        triggers: Triggers,
        read_secret: impl Fn(&SecretFrom) -> Result<String, String> + Send + Sync + 'static,
    ) -> Result<Self, String> {
        let read_secret = Arc::new(read_secret);
        let mut hooks = BTreeMap::new();
        for webhook in webhooks {
            let Webhook { source, provider, secret } = webhook;
            let (read, from) = (Arc::clone(&read_secret), secret.clone());
            let secret = Secret::new(move || read(&from)).map_err(|why| {
                let provider = provider.as_str();
                format!("cannot read secret of webhook `{provider}` of `{source}`: {why}")
            })?;
            let state = Mutex::new(State {
                replays: Replays::default(),
                calls: BURST,
                since: Instant::now(),
            });
            hooks.insert((*provider, source.clone()), Hook { secret, state });
        }
        Ok(Self::of(hooks, triggers))
    }

    fn of(hooks: BTreeMap<(WebhookProvider, SourceName), Hook>, triggers: Triggers) -> Self {
        let at_once = Semaphore::new(AT_ONCE);
        Self(Arc::new(Shared { hooks, triggers, at_once }))
    }

    /// Lets a call come in, before its body is read.
    pub fn admit(&self, provider: WebhookProvider, source: &str) -> Result<Caller<'_>, Refused> {
        let source: SourceName = source.parse().map_err(|_| Refused::Unknown)?;
        let shared = &*self.0;
        let hook = shared.hooks.get(&(provider, source.clone())).ok_or(Refused::Unknown)?;
        if !hook.takes_one_more() {
            return Err(Refused::TooMany);
        }
        let place = shared.at_once.try_acquire().map_err(|_| Refused::TooMany)?;
        Ok(Caller { shared, provider, source, hook, _place: place })
    }
}

impl Caller<'_> {
    /// Judges the call and wakes the source, and releases that follow the tags of the repository that it tells of.
    pub fn receive(
        self,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Received, Refused> {
        let call = signature::Call { headers, body, now };
        let marks = self.hook.secret.any(|secret| call.verify(self.provider, secret));
        let marks = marks.ok_or(Refused::Unsigned)?;
        if !self.hook.lock().replays.is_new(&marks, now) {
            return Err(Refused::Replayed);
        }
        let body = push::body(headers, body);
        let push = Push::read(self.provider, headers, &body);
        if push == Push::Nothing {
            return Ok(Received::NoChange);
        }
        let Triggers { sources, followers, .. } = &self.shared.triggers;
        // Releases follow tags, of whichever repository the call tells.
        let wakes_releases = push.may_be_of_tags()
            && repository::named(self.provider, &body)
                .is_some_and(|repository| followers.wake_for_tags(&repository));
        let reference = sources.reference(&self.source);
        if reference.is_none_or(|reference| push.concerns(&reference)) {
            sources.wake(&self.source);
            return Ok(Received::Woken);
        }
        Ok(if wakes_releases { Received::Woken } else { Received::NotConcerned })
    }
}

impl Hook {
    fn takes_one_more(&self) -> bool {
        let mut state = self.lock();
        let gained = state.since.elapsed().as_secs_f64() * CALLS_A_SECOND;
        state.calls = (state.calls + gained).min(BURST);
        state.since = Instant::now();
        let takes = state.calls >= 1.0;
        if takes {
            state.calls -= 1.0;
        }
        takes
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
