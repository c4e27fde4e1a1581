//! The running operator: sources are watched, keys are queued, workers take turns.
//!
//! Everything here is scheduling. What a turn does stands in [`crate::reconcile`]; nothing here looks at a service.

use std::collections::{BTreeSet, HashMap};
use std::num::NonZeroU32;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crds::{
    ClusterName, ConditionStatus, ConditionType, Generation, ObjectKey, Reason, ServiceStatus,
    SourceLocation, SourceName, TargetName,
};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _};
use planner::Requeue;
use planner::ownership::{self, Ownership};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::aws;
use crate::config::ConfiguredSource;
use crate::http::metrics::{Metrics, TurnResult, ended_rollout};
use crate::observe;
use crate::queue::{Priority, Queue};
use crate::reconcile::{self, Context, Ended};
use crate::references;
use crate::releases::{self, Destinations, Releases, Repositories};
use crate::retention;
use crate::source::{Snapshot, SourceError, SourceReader};
use crate::status_store::{Event, ServiceObject, SourceKind, SourceObject, Standing};
use crate::triggers::{EventQueue, listen};

/// How many turns are taken at once; a multiple of the ten services that one DescribeServices takes.
const WORKERS: usize = 60;
/// How often a source is asked for news when the configuration does not say.
const SOURCE_INTERVAL: Duration = Duration::from_mins(1);
/// How often clusters that no spec names are searched for services of ours.
const SEARCH_ALL_INTERVAL: Duration = Duration::from_hours(1);

/// How far apart the readings of a source are that somebody asks for.
const WOKEN_APART: Duration = Duration::from_secs(1);
/// How soon a source is read again when it was woken and nothing was new: some hosts tell of a push before they show it.
const WOKEN_AGAIN: Duration = Duration::from_secs(5);

/// How often it is asked whether the first pass is over.
const FIRST_PASS_POLL: Duration = Duration::from_millis(100);

/// One source with its reader.
pub struct WatchedSource {
    /// What the configuration says of it.
    pub configured: ConfiguredSource,
    /// What reads it.
    pub reader: SourceReader,
}

/// The running operator.
pub struct Operator {
    context: Context,
    queue: Queue<ObjectKey>,
    metrics: Metrics,
    interval: Duration,
    seed: u64,
    /// How many revisions of each family stay registered.
    revisions: Option<NonZeroU32>,
    releases: Releases,
    /// Where AWS's events come from.
    events: Option<EventQueue>,
    /// Whether the first search for services without specs is over.
    has_searched: AtomicBool,
}

/// What is remembered between two searches for services that no spec names.
#[derive(Debug, Default)]
struct Search {
    foreign: HashMap<(TargetName, ClusterName), BTreeSet<String>>,
    clusters: BTreeSet<(TargetName, ClusterName)>,
    searched_all: Option<Instant>,
}

impl Operator {
    /// An operator that has not begun. The seed decides all jitter.
    pub fn new(context: Context, interval: Duration, seed: u64) -> Self {
        let queue = Queue::new(seed);
        let (statuses, meter) = (context.statuses.clone(), context.aws.meter().clone());
        let metrics = Metrics::new(statuses, meter, queue.clone(), env!("CARGO_PKG_VERSION"));
        let has_searched = AtomicBool::new(false);
        let releases = Releases::new(Repositories::default(), seed);
        let (revisions, events) = (None, None);
        Self { context, queue, metrics, interval, seed, revisions, releases, events, has_searched }
    }

    /// The same, deregistering old revisions beyond so many of each family.
    #[must_use]
    pub fn keeping(self, revisions: Option<NonZeroU32>) -> Self {
        Self { revisions, ..self }
    }

    /// The same, with a way to read the Git repositories that releases follow.
    #[must_use]
    pub fn following(self, repositories: Repositories) -> Self {
        Self { releases: Releases::new(repositories, self.seed), ..self }
    }

    /// The same, writing chosen versions to where releases ask for it. Comes after [`Operator::following`].
    #[must_use]
    pub fn writing(self, destinations: Destinations) -> Self {
        Self { releases: self.releases.writing(destinations), ..self }
    }

    /// The releases, to ask for looks at them.
    pub fn releases(&self) -> &Releases {
        &self.releases
    }

    /// The same, hearing AWS's events.
    #[must_use]
    pub fn hearing(self, events: Option<EventQueue>) -> Self {
        Self { events, ..self }
    }

    /// The counts.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The queue, to ask for turns and for its depth.
    pub fn queue(&self) -> &Queue<ObjectKey> {
        &self.queue
    }

    /// Runs until `shutdown`, then lets the turns under way end. Dropping the future stops everything at once.
    pub async fn run(&self, sources: Vec<WatchedSource>, shutdown: CancellationToken) {
        let mut workers = JoinSet::new();
        for source in sources {
            let (context, queue) = (self.context.clone(), self.queue.clone());
            let stop = shutdown.child_token();
            workers.spawn(async move {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = watch(&context, &queue, source) => {}
                }
            });
        }
        for _ in 0..WORKERS {
            let (context, queue) = (self.context.clone(), self.queue.clone());
            let metrics = self.metrics.clone();
            workers.spawn(async move { work(&context, &queue, &metrics).await });
        }
        let retention = retention::regularly(&self.context, self.revisions, self.interval);
        let outside = references::follow(&self.context, &self.queue, self.interval, self.seed);
        let releases = self.releases.run(&self.context, &self.queue);
        let events =
            listen::listen(&self.context, &self.queue, self.events.as_ref(), &self.metrics);
        let endless = async {
            tokio::join!(
                self.pass_regularly(),
                self.search_regularly(),
                retention,
                outside,
                releases,
                events
            )
        };
        tokio::select! {
            () = shutdown.cancelled() => {}
            _ = endless => {}
        }
        self.queue.close();
        while workers.join_next().await.is_some() {}
    }

    /// Looks at everything, again and again. A pass is one burst, so that ten services share a call.
    async fn pass_regularly(&self) {
        let mut random = fastrand::Rng::with_seed(self.seed);
        loop {
            for key in self.context.inventory().keys() {
                self.queue.add(key, Priority::Resync);
            }
            let next = Instant::now() + self.interval.mul_f64(0.9 + random.f64() / 5.0);
            self.await_first_looks(next).await;
            tokio::time::sleep_until(next).await;
        }
    }

    /// Searches for services that no spec names, again and again, beside the passes: an account that answers slowly must not
    /// keep anything else waiting. Nothing is searched before every source has been read.
    async fn search_regularly(&self) {
        let mut search = Search::default();
        while !self.context.inventory().is_complete() {
            tokio::time::sleep(FIRST_PASS_POLL).await;
        }
        loop {
            for key in search.run(&self.context).await {
                self.queue.add(key, Priority::Resync);
            }
            self.has_searched.store(true, Ordering::Release);
            tokio::time::sleep(self.interval).await;
        }
    }

    /// The operator is ready once every source was read, services without specs were searched for, and every key that it
    /// knows has been looked at.
    async fn await_first_looks(&self, until: Instant) {
        let statuses = &self.context.statuses;
        while !statuses.readiness().ready && Instant::now() < until {
            let keys = self.context.inventory().keys();
            if self.has_searched.load(Ordering::Acquire)
                && self.context.inventory().is_complete()
                && keys.iter().all(|key| {
                    statuses.service(key).is_some_and(|object| is_looked_at(&object.status))
                })
            {
                statuses.set_ready(true);
            } else {
                tokio::time::sleep(FIRST_PASS_POLL).await;
            }
        }
    }
}

/// Finds services that carry our tags and that no spec names, once and everywhere.
pub async fn search_once(context: &Context) {
    let _ = Search::default().run(context).await;
}

impl Search {
    /// Finds services that carry our tags and that no spec names; returns those that were not known before.
    async fn run(&mut self, context: &Context) -> Vec<ObjectKey> {
        let named = context.inventory().keys();
        self.clusters.extend(named.iter().map(|key| (key.target.clone(), key.cluster.clone())));
        let is_due = self.searched_all.is_none_or(|last| last.elapsed() >= SEARCH_ALL_INTERVAL);
        let mut is_complete = true;
        if is_due {
            self.foreign.clear();
            for account in context.aws.accounts() {
                let target = account.target().clone();
                match account.list_clusters().await {
                    Ok(found) => self.clusters.extend(
                        found.iter().filter_map(|name| Some((target.clone(), name.parse().ok()?))),
                    ),
                    Err(error) => {
                        // Whoever may never list them is searched for where specs are. Otherwise they are listed soon.
                        is_complete &= error.kind == aws::Kind::Denied;
                        tracing::warn!(target = %target, error = %error, "cannot list clusters");
                    }
                }
            }
            self.searched_all = is_complete.then(Instant::now);
        }
        let mut orphans = Vec::new();
        for (target, cluster) in self.clusters.clone() {
            match self.cluster(context, &target, &cluster).await {
                Ok(found) => orphans.extend(found),
                Err(error) => {
                    // Where we may not look we have created nothing.
                    is_complete &= matches!(error.kind, aws::Kind::Denied | aws::Kind::NotFound);
                    tracing::warn!(cluster = %cluster, error = %error, "cannot search for services without specs");
                }
            }
        }
        // The brake on deletions counts them: a part of them would look like few.
        let mut noted = Vec::new();
        if is_complete {
            for (key, source) in orphans {
                context.inventory().note_orphan(key.clone(), source);
                noted.push(key);
            }
        }
        noted
    }

    /// The services of one cluster that carry our tags and that no spec names: all of them, or an error.
    async fn cluster(
        &mut self,
        context: &Context,
        target: &TargetName,
        cluster: &ClusterName,
    ) -> Result<Vec<(ObjectKey, SourceName)>, aws::Error> {
        let (mut orphans, mut unknown) = (Vec::new(), Vec::new());
        let Some(account) = context.aws.account(target) else { return Ok(orphans) };
        let foreign = self.foreign.entry((target.clone(), cluster.clone())).or_default();
        for name in account.list_services(cluster.as_str()).await? {
            let Ok(service) = name.parse() else { continue };
            let key = ObjectKey { target: target.clone(), cluster: cluster.clone(), name: service };
            if context.inventory().is_known(&key) || foreign.contains(&name) {
                continue;
            }
            unknown.push((key, name));
        }
        // Asked for together, so that ten share a call.
        let looks: Vec<BoxFuture<'_, _>> = unknown
            .into_iter()
            .map(|(key, name)| -> BoxFuture<'_, _> {
                Box::pin(async move {
                    let service = observe::bare_service(account, cluster.as_str(), &name).await;
                    (key, name, service)
                })
            })
            .collect();
        let mut looks = futures_util::stream::iter(looks).buffer_unordered(WORKERS);
        while let Some((key, name, service)) = looks.next().await {
            let Some(service) = service? else { continue };
            match (
                ownership::ownership(&service.tags, &context.owner),
                ownership::source(&service.tags),
            ) {
                (Ownership::Ours, Some(source)) => orphans.push((key, source)),
                (Ownership::Ours | Ownership::Nobodys | Ownership::Another(_), _) => {
                    foreign.insert(name);
                }
            }
        }
        Ok(orphans)
    }
}

/// Takes turns until the queue is closed.
async fn work(context: &Context, queue: &Queue<ObjectKey>, metrics: &Metrics) {
    while let Some(key) = queue.next().await {
        let (before, began) = (context.statuses.service(&key), Instant::now());
        let turn = AssertUnwindSafe(Box::pin(reconcile::reconcile(context, &key))).catch_unwind();
        let ended = turn.await.unwrap_or_else(|_| {
            tracing::error!(service = %key, "a turn has panicked; this is a defect of Longshore");
            Ended::Failed
        });
        metrics.turn_ended(result_of(ended), began.elapsed());
        let after = context.statuses.service(&key);
        if let Some(after) = &after {
            let before = before.as_ref().map(|object| &object.status);
            if let Some((result, took)) = ended_rollout(before, &after.status, context.clock.now())
            {
                metrics.rollout_ended(result, took);
            }
        }
        match ended {
            Ended::Requeue(Requeue::After(delay)) => {
                queue.add_at(key.clone(), Priority::Rollout, Instant::now() + delay);
            }
            Ended::Requeue(Requeue::OnChange) | Ended::Waits | Ended::Failed | Ended::Gone => {}
        }
        queue.done(&key, ended == Ended::Failed);
        let mut called = context.admission.called();
        called.extend(context.places.called());
        called.extend(context.inventory().called());
        if stands(before.as_deref()) != stands(after.as_deref()) {
            called.extend(context.inventory().dependents(&key));
        }
        releases::services::tell(context, &key, (before.as_deref(), after.as_deref()));
        for called in called {
            queue.add(called, Priority::Urgent);
        }
    }
}

/// What those that depend on a service look at.
fn stands(object: Option<&ServiceObject>) -> Option<(Generation, bool, Option<Reason>)> {
    let status = &object?.status;
    let stalled = status
        .condition(ConditionType::Stalled)
        .filter(|stalled| stalled.status == ConditionStatus::True)
        .map(|stalled| stalled.reason);
    Some((status.observed_generation, status.is_ready(), stalled))
}

/// Whether anything has been said of a service since the start.
pub(crate) fn is_looked_at(status: &ServiceStatus) -> bool {
    !status.conditions.iter().any(|condition| condition.reason == Reason::NotYetObserved)
}

fn result_of(ended: Ended) -> TurnResult {
    match ended {
        Ended::Requeue(Requeue::After(_)) | Ended::Waits => TurnResult::RequeueAfter,
        Ended::Requeue(Requeue::OnChange) | Ended::Gone => TurnResult::Success,
        Ended::Failed => TurnResult::Error,
    }
}

/// Reads one source whenever it may have changed, and queues what that touches.
async fn watch(context: &Context, queue: &Queue<ObjectKey>, mut source: WatchedSource) {
    let name = source.configured.name.clone();
    let interval = interval(&source.configured.location);
    let mut last: Option<Arc<Snapshot>> = None;
    let mut failures = 0_u32;
    let bell = context.triggers.sources.open(&name, &source.configured.location);
    let mut is_woken = false;
    let now = context.clock.now();
    let object = unread(&source.configured).standing(Standing::Unread, None, now);
    context.statuses.publish_source(object);
    loop {
        let began = Instant::now();
        let pause = match source.reader.fetch().await {
            Ok(snapshot) => {
                failures = 0;
                context.inventory().confirm(&name, began);
                let is_same = last.as_ref().is_some_and(|last| Arc::ptr_eq(last, &snapshot));
                if !is_same {
                    take(context, queue, &name, &snapshot);
                    if let Some(notice) = snapshot.notice() {
                        tracing::warn!(source = %name, notice, "source has changed its past");
                        let now = context.clock.now();
                        context.statuses.record(Event::of_rewritten_source(&name, now, notice));
                    }
                }
                tell(context, &source.configured, Ok(&snapshot));
                last = Some(snapshot);
                if is_woken && is_same { interval.min(WOKEN_AGAIN) } else { interval }
            }
            Err(error) => {
                failures = failures.saturating_add(1);
                tracing::warn!(source = %name, error = %error, "cannot read source");
                tell(context, &source.configured, Err(&error));
                interval.min(Duration::from_secs(2_u64.saturating_pow(failures.min(6))))
            }
        };
        is_woken = tokio::select! {
            () = tokio::time::sleep(pause) => false,
            () = source.reader.changed() => false,
            () = bell.notified() => true,
        };
        if is_woken {
            tokio::time::sleep_until(began + WOKEN_APART).await;
        }
    }
}

/// Puts on the board what came of reading a source; what it held before stays there when that failed.
pub fn tell(
    context: &Context,
    configured: &ConfiguredSource,
    reading: Result<&Snapshot, &SourceError>,
) {
    let (before, now) = (context.statuses.source(&configured.name), context.clock.now());
    let before = before.as_deref();
    let object = match reading {
        Ok(snapshot) => read(context, configured, snapshot).standing(Standing::Read, before, now),
        Err(error) => {
            let message = crate::error_chain(error);
            let failed = Standing::Failed { reason: error.reason(), message: &message };
            let known = before.cloned().unwrap_or_else(|| unread(configured));
            known.standing(failed, before, now)
        }
    };
    context.statuses.publish_source(object);
}

/// Takes a source's new state into the inventory and queues what it changes.
pub fn take(context: &Context, queue: &Queue<ObjectKey>, name: &SourceName, snapshot: &Snapshot) {
    let changed = context.inventory().update(name, snapshot);
    for origin in context.inventory().unread_origins() {
        context.outside.wake(&origin);
    }
    tracing::info!(source = %name, revision = %snapshot.revision(), changed = changed.len(), "source read");
    for key in changed {
        if context.statuses.service(&key).is_none() {
            reconcile::announce(context, &key);
        }
        queue.add(key, Priority::Urgent);
    }
}

fn interval(location: &SourceLocation) -> Duration {
    let configured = match location {
        SourceLocation::Git(git) => git.interval,
        SourceLocation::S3(s3) => s3.interval,
        SourceLocation::Directory(_) => None,
    };
    configured.map_or(SOURCE_INTERVAL, crds::HumanDuration::get)
}

fn unread(configured: &ConfiguredSource) -> SourceObject {
    let (kind, location) = match &configured.location {
        SourceLocation::Git(git) => (SourceKind::Git, git.url.clone()),
        SourceLocation::S3(s3) => (SourceKind::S3, format!("s3://{}/{}", s3.bucket, s3.prefix)),
        SourceLocation::Directory(directory) => (SourceKind::Directory, directory.path.clone()),
    };
    SourceObject::unread(configured.name.clone(), kind, location)
}

fn read(context: &Context, configured: &ConfiguredSource, snapshot: &Snapshot) -> SourceObject {
    let inventory = context.inventory();
    SourceObject {
        revision: Some(snapshot.revision().clone()),
        description: snapshot.description(),
        fetched_at: Some(context.clock.now()),
        error: None,
        services: inventory.count(&configured.name),
        invalid: inventory.invalid(&configured.name),
        ..unread(configured)
    }
}
