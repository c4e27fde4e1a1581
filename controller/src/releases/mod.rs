//! Releases at work: each one's repository is listed again and again, a version is chosen, and services that name the
//! release move to it.
//!
//! What comes in: the releases of all sources, what ECR and Git list, what services make of a version. What leaves: the value
//! of `${release:NAME}`, a status, events. Guarantees: a choice is written down before it is in force, so that no restart
//! goes back; nothing is chosen from what could not be read; one turn per release at a time.

mod destinations;
mod facts;
mod floor;
mod git;
mod listing;
mod outcome;
mod retagged;
pub(crate) mod services;
mod soak;
mod turn;
mod write_back;

use std::collections::{BTreeMap, HashMap};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crds::{ObjectKey, ReleaseName, SpecHash};
use futures_util::FutureExt as _;
use tokio::time::Instant;

pub use self::destinations::{Destination, Destinations};
pub use self::git::{Repositories, TagSource};
pub use self::outcome::answers;
use self::soak::Watch;
use self::turn::{Ended, Tracked};
use self::write_back::WriteBacks;
use crate::aws::Repository;
use crate::inventory::{ReleaseEntry, WantedRelease};
use crate::queue::{Priority, Queue};
use crate::reconcile::Context;
use crate::triggers::Followed;
use crate::triggers::event::Place;

/// How many repositories are looked at at once.
const WORKERS: usize = 8;
/// How often a repository is listed when the release does not say.
const INTERVAL: Duration = Duration::from_mins(1);

/// How far apart the looks at a release are that somebody asks for.
const ASKED_APART: Duration = Duration::from_secs(1);
/// How soon a release is looked at once more after somebody asked for a look: some tell of a push before they list it.
const ASKED_AGAIN: Duration = Duration::from_secs(5);
/// How old a listing may be while pushes to the repository are heard of.
const HEARD_INTERVAL: Duration = Duration::from_mins(15);

/// The releases of an operator.
#[derive(Debug)]
pub struct Releases {
    queue: Queue<ReleaseName>,
    tracked: Mutex<HashMap<ReleaseName, Arc<tokio::sync::Mutex<Tracked>>>>,
    repositories: Repositories,
    /// When somebody last asked for a look at which.
    asked: Mutex<HashMap<ReleaseName, Instant>>,
    random: Mutex<fastrand::Rng>,
    write_backs: WriteBacks,
    /// Since when services run well what other releases wait for.
    watch: Watch,
}

/// Whether a choice is made for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// It is written down.
    Act,
    /// It is only shown: nothing is written down.
    Show,
}

impl Releases {
    /// Releases that have not been looked at. The seed decides all jitter.
    pub fn new(repositories: Repositories, seed: u64) -> Self {
        Self {
            queue: Queue::new(seed),
            tracked: Mutex::default(),
            repositories,
            asked: Mutex::default(),
            random: Mutex::new(fastrand::Rng::with_seed(seed)),
            write_backs: WriteBacks::new(seed),
            watch: Watch::default(),
        }
    }

    /// The same, writing chosen versions to where releases ask for it. Without, none is written.
    #[must_use]
    pub fn writing(self, destinations: Destinations) -> Self {
        Self { write_backs: self.write_backs.to(destinations), ..self }
    }

    /// Asks for a look at a release now: something may have been pushed or tagged.
    pub fn wake(&self, name: &ReleaseName) {
        self.queue.add(name.clone(), Priority::Urgent);
    }

    /// Looks at every release, again and again. Never ends by itself.
    pub async fn run(&self, context: &Context, services: &Queue<ObjectKey>) {
        let workers = (0..WORKERS).map(|_| self.work(context, services));
        let workers = futures_util::future::join_all(workers);
        let write_backs = self.write_backs.run(context);
        tokio::join!(self.follow(context), self.hear(context), workers, write_backs);
    }

    /// Looks at every release once, those first that others wait for.
    pub async fn once(&self, context: &Context, purpose: Purpose) {
        let names: Vec<ReleaseName> = context.inventory().releases().into_keys().collect();
        // A release reads what is kept of the one ahead of it, so the order matters for nothing but freshness.
        for name in names {
            let tracked = self.tracked(&name);
            let mut tracked = tracked.lock().await;
            let _ = Box::pin(turn::turn(self, context, &name, &mut tracked, purpose)).await;
        }
    }

    /// Queues what sources change.
    async fn follow(&self, context: &Context) {
        let news = context.inventory().release_news();
        let mut seen: BTreeMap<ReleaseName, SpecHash> = BTreeMap::new();
        loop {
            let wanted = context.inventory().releases();
            context.triggers.followers.put(followed(&wanted));
            let present: BTreeMap<ReleaseName, SpecHash> =
                wanted.into_iter().map(|(name, wanted)| (name, wanted.fingerprint())).collect();
            for (name, hash) in &present {
                if seen.get(name) != Some(hash) {
                    self.wake(name);
                }
            }
            for gone in seen.keys().filter(|name| !present.contains_key(*name)) {
                self.wake(gone);
                self.write_backs.forget(gone);
            }
            self.write_backs.consider_all(context);
            seen = present;
            news.notified().await;
        }
    }

    /// Queues what somebody heard of a push for, and those whose services stand otherwise.
    async fn hear(&self, context: &Context) {
        loop {
            let woken = context.triggers.followers.woken().await;
            for name in woken.pushed {
                let at = self.ask(&name);
                self.queue.add_at(name, Priority::Urgent, at);
            }
            for name in woken.served {
                self.wake(&name);
            }
        }
    }

    /// How long a listing of the repository can still be used that was begun at this moment, if it can.
    fn listing_lasts(
        &self,
        context: &Context,
        entry: &ReleaseEntry,
        begun: Instant,
    ) -> Option<Duration> {
        let is_heard = context.triggers.followers.hears_of(&entry.name);
        let least = if is_heard { HEARD_INTERVAL } else { Duration::ZERO };
        self.lasts(&entry.name, begun, entry.interval.unwrap_or(INTERVAL).max(least))
    }

    /// How long something can still be used of which the reading was begun at this moment and which may be so old.
    fn lasts(&self, name: &ReleaseName, begun: Instant, age_max: Duration) -> Option<Duration> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied();
        // Whoever tells of a push may do so before it is listed.
        if asked.is_some_and(|at| begun < at + ASKED_AGAIN) {
            return None;
        }
        age_max.checked_sub(begun.elapsed()).filter(|left| !left.is_zero())
    }

    /// Notes that somebody asks for a look. Returns when it is due: now, or a moment after the one before.
    fn ask(&self, name: &ReleaseName) -> Instant {
        let now = Instant::now();
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let at = match asked.get(name) {
            // It waits for that look already.
            Some(next) if *next > now => *next,
            Some(last) => now.max(*last + ASKED_APART),
            None => now,
        };
        asked.insert(name.clone(), at);
        at
    }

    /// How long after a look the next one is.
    fn pause(&self, name: &ReleaseName, pause: Duration) -> Duration {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let was_asked = asked.get(name).is_some_and(|at| at.elapsed() < ASKED_AGAIN);
        drop(asked);
        if was_asked { pause.min(ASKED_AGAIN) } else { self.jittered(pause) }
    }

    async fn work(&self, context: &Context, services: &Queue<ObjectKey>) {
        while let Some(name) = self.queue.next().await {
            let tracked = self.tracked(&name);
            let mut tracked = tracked.lock().await;
            let turn = turn::turn(self, context, &name, &mut tracked, Purpose::Act);
            let ended = AssertUnwindSafe(Box::pin(turn)).catch_unwind().await.unwrap_or_else(|_| {
                tracing::error!(release = %name, "a turn of a release has panicked; this is a defect of Longshore");
                Ended::failed()
            });
            drop(tracked);
            self.write_backs.consider(context, &name);
            for key in &ended.touched {
                services.add(key.clone(), Priority::Urgent);
            }
            for follower in &ended.followers {
                self.wake(follower);
            }
            if let Some(pause) = ended.next {
                let at = Instant::now() + self.pause(&name, pause);
                self.queue.add_at(name.clone(), Priority::Resync, at);
            }
            if ended.is_gone {
                self.lock().remove(&name);
                self.watch.forget(&name);
                self.asked.lock().unwrap_or_else(PoisonError::into_inner).remove(&name);
            }
            self.queue.done(&name, ended.has_failed);
        }
    }

    /// A little later, so that repositories are not listed all at once; never earlier, because something ends then.
    fn jittered(&self, pause: Duration) -> Duration {
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        pause + pause.min(INTERVAL).mul_f64(random.f64() / 10.0)
    }

    fn tracked(&self, name: &ReleaseName) -> Arc<tokio::sync::Mutex<Tracked>> {
        Arc::clone(self.lock().entry(name.clone()).or_default())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ReleaseName, Arc<tokio::sync::Mutex<Tracked>>>> {
        self.tracked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which repositories releases follow.
fn followed(wanted: &BTreeMap<ReleaseName, WantedRelease>) -> BTreeMap<ReleaseName, Followed> {
    let followed = |wanted: &WantedRelease| {
        let entry = wanted.entry();
        let images = listing::place(entry.rule.image()).map(|(repository, region)| {
            let Repository { registry: account, name } = repository;
            (Place { account, region }, name)
        });
        Followed { images, git: entry.git.as_ref().map(|git| git.url.clone()) }
    };
    wanted.iter().map(|(name, wanted)| (name.clone(), followed(wanted))).collect()
}
