//! Reads what lies outside, again and again, and wakes the services that a new value concerns.
//!
//! Each origin has a loop of its own, so that a bucket that answers slowly keeps nothing else waiting. A loop reads at its
//! interval, and at once when it is woken: by a reference that nobody has read yet, or by whoever heard of a change.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crds::{ObjectKey, TargetName, TfstateName};
use futures_util::future::join_all;
use tokio::sync::Notify;

use super::name::{Origin, Referent};
use super::parameters::Parameters;
use super::referents::Answer;
use super::states::StateReader;
use crate::queue::{Priority, Queue};
use crate::reconcile::Context;
use crate::releases;

/// How often parameters are looked at, at most: their descriptions share three calls a second with everything else.
const PARAMETER_INTERVAL_MIN: Duration = Duration::from_secs(30);
/// The pause after the first of several reads that fail; it doubles.
const RETRY_FIRST: Duration = Duration::from_secs(2);

/// The readers of what lies outside. Clones share everything.
#[derive(Clone, Debug, Default)]
pub struct Outside(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    parameters: BTreeMap<TargetName, (Parameters, Notify)>,
    states: BTreeMap<TfstateName, (StateReader, Notify)>,
    releases: Notify,
}

impl Outside {
    /// The parameters of these targets, and these states.
    pub fn new(
        targets: impl IntoIterator<Item = TargetName>,
        states: impl IntoIterator<Item = StateReader>,
    ) -> Self {
        let targets = targets.into_iter();
        let states = states.into_iter();
        Self(Arc::new(Inner {
            parameters: targets.map(|target| (target, Default::default())).collect(),
            states: states
                .map(|state| (state.name().clone(), (state, Notify::default())))
                .collect(),
            releases: Notify::new(),
        }))
    }

    /// Lets an origin be read now. Causes that come together cause one reading.
    pub fn wake(&self, origin: &Origin) {
        if let Some(notify) = self.notify(origin) {
            notify.notify_one();
        }
    }

    /// Lets the states be read that an object holds.
    pub fn wake_for_object(&self, bucket: &str, key: &str) {
        for (state, notify) in self.0.states.values() {
            if state.is_object(bucket, key) {
                notify.notify_one();
            }
        }
    }

    fn notify(&self, origin: &Origin) -> Option<&Notify> {
        match origin {
            Origin::Parameters(target) => self.0.parameters.get(target).map(|(_, notify)| notify),
            Origin::Terraform(state) => self.0.states.get(state).map(|(_, notify)| notify),
            Origin::Releases => Some(&self.0.releases),
        }
    }

    fn origins(&self) -> Vec<Origin> {
        let parameters = self.0.parameters.keys().cloned().map(Origin::Parameters);
        let states = self.0.states.keys().cloned().map(Origin::Terraform);
        parameters.chain(states).chain([Origin::Releases]).collect()
    }

    /// How often an origin is read.
    fn interval(&self, origin: &Origin, interval: Duration) -> Duration {
        match origin {
            Origin::Parameters(_) | Origin::Releases => interval.max(PARAMETER_INTERVAL_MIN),
            Origin::Terraform(state) => {
                self.0.states.get(state).map_or(interval, |(state, _)| state.interval())
            }
        }
    }

    async fn woken(&self, origin: &Origin) {
        match self.notify(origin) {
            Some(notify) => notify.notified().await,
            None => std::future::pending().await,
        }
    }
}

/// Reads every origin for ever, each at its interval, and queues the services that a new value concerns.
pub async fn follow(context: &Context, queue: &Queue<ObjectKey>, interval: Duration, seed: u64) {
    let loops =
        context.outside.origins().into_iter().zip(seed..).map(|(origin, seed)| async move {
            let interval = context.outside.interval(&origin, interval);
            let mut random = fastrand::Rng::with_seed(seed);
            let mut failures = 0_u32;
            loop {
                let read = Box::pin(look(context, &origin)).await;
                for key in read.touched {
                    queue.add(key, Priority::Urgent);
                }
                failures = if read.is_whole { 0 } else { failures.saturating_add(1) };
                let pause = match failures {
                    0 => interval.mul_f64(0.9 + random.f64() / 5.0),
                    _ => RETRY_FIRST.saturating_mul(1 << (failures - 1).min(16)).min(interval),
                };
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = context.outside.woken(&origin) => {}
                }
            }
        });
    join_all(loops).await;
}

/// Lets a target's parameters be read now if specs refer to one of these names.
pub fn heed_parameters(context: &Context, target: &TargetName, names: &BTreeSet<String>) {
    fn bare(name: &str) -> &str {
        name.trim_start_matches('/')
    }
    if names.is_empty() {
        return;
    }
    let names: BTreeSet<&str> = names.iter().map(|name| bare(name)).collect();
    let origin = Origin::Parameters(target.clone());
    let is_one = |referent: &Referent| match referent {
        Referent::Parameter { name, .. } => names.contains(bare(name)),
        Referent::Terraform { .. } | Referent::Release(_) => false,
    };
    if context.inventory().referents_of(&origin).iter().any(is_one) {
        context.outside.wake(&origin);
    }
}

/// Reads every origin once, all at the same time.
pub async fn read_once(context: &Context) {
    let origins = context.outside.origins();
    join_all(origins.iter().map(|origin| look(context, origin))).await;
}

/// What came of reading an origin.
struct Read {
    touched: BTreeSet<ObjectKey>,
    /// Whether everything could be read.
    is_whole: bool,
}

async fn look(context: &Context, origin: &Origin) -> Read {
    let referents = context.inventory().referents_of(origin);
    if referents.is_empty() {
        return Read { touched: BTreeSet::new(), is_whole: true };
    }
    let answers = match origin {
        Origin::Parameters(target) => {
            let parameters = context.outside.0.parameters.get(target);
            match (context.aws.account(target), parameters) {
                (Some(account), Some((parameters, _))) => {
                    Box::pin(parameters.read(account, referents)).await
                }
                (_, _) => Vec::new(),
            }
        }
        Origin::Terraform(state) => match context.outside.0.states.get(state) {
            Some((state, _)) => Box::pin(state.read(referents)).await,
            None => Vec::new(),
        },
        Origin::Releases => releases::answers(context, referents),
    };
    let mut is_whole = true;
    for (referent, answer) in &answers {
        if let (Answer::Unread { why }, false) = (answer, *origin == Origin::Releases) {
            is_whole = false;
            tracing::warn!(reference = %referent, why, "cannot read a referenced value");
        }
    }
    let touched = context.inventory().learn(answers, context.clock.now());
    if !touched.is_empty() {
        tracing::info!(services = touched.len(), "referenced values have changed");
    }
    Read { touched, is_whole }
}
