//! `/sd/prometheus`: where running tasks listen, in the form of Prometheus's HTTP service discovery.
//!
//! Tasks are read a cluster at a time, a hundred a call, at most once in [`FRESH`] however many ask. A cluster that cannot
//! be read keeps its last targets for [`KEPT`]; after that the whole answer is a refusal, because Prometheus takes a
//! shorter list for the truth and keeps its own last list when it is refused.

mod targets;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use crds::{ClusterName, TargetName};
use http::{Uri, header};
use tokio::sync::watch;
use tokio::time::Instant;

use super::App;
use super::params::Params;
use super::problem::Problem;
use super::reads::Reads;
use crate::aws::{self, Account};
use targets::Listening;

/// How long tasks that were read are not read again.
const FRESH: Duration = Duration::from_secs(30);
/// How long targets are told that could not be read again.
const KEPT: Duration = Duration::from_mins(10);
/// How long a request waits for a reading; one that takes longer goes on, for the next request.
const PATIENCE: Duration = Duration::from_secs(8);
/// How many tasks are held in memory at once: four calls' worth.
const TASKS_AT_ONCE: usize = 400;

/// The targets of every cluster as they were last read.
#[derive(Debug, Default)]
pub(super) struct Discovery {
    known: Mutex<Known>,
    is_reading: AtomicBool,
    /// Grows with each reading that has ended.
    rounds: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Known {
    clusters: BTreeMap<Place, Cluster>,
    /// When the last reading ended, well or not.
    tried_at: Option<Instant>,
}

type Place = (TargetName, ClusterName);

#[derive(Debug, Default)]
struct Cluster {
    /// The elements of the list as JSON, with commas between them.
    targets: Option<(Instant, String)>,
    error: Option<String>,
}

pub(super) async fn prometheus(State(app): State<App>, uri: Uri) -> Result<Response, Problem> {
    Params::of(&uri, &[])?;
    let reads = app.reads()?;
    let body = reads.discovery().answer(reads).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

impl Discovery {
    async fn answer(&self, reads: &Reads) -> Result<String, Problem> {
        if !self.is_fresh() {
            let mut rounds = self.rounds.subscribe();
            if !self.is_reading.swap(true, Ordering::AcqRel) {
                let reads = reads.clone();
                tokio::spawn(async move { read_all(&reads).await });
            }
            let _ = tokio::time::timeout(PATIENCE, rounds.changed()).await;
        }
        let known = self.known();
        let mut lists = Vec::new();
        for (target, cluster) in places(reads).into_keys() {
            let subject = format!("{target}:{cluster}");
            let found = known.clusters.get(&(target, cluster));
            match found.and_then(|found| found.targets.as_ref()) {
                Some((read_at, list)) if read_at.elapsed() < KEPT => lists.push(list.as_str()),
                Some(_) | None => {
                    let error = found.and_then(|found| found.error.clone());
                    let error = error.unwrap_or_else(|| {
                        format!("the tasks of cluster {subject} are still being read")
                    });
                    return Err(Problem::busy(error));
                }
            }
        }
        lists.retain(|list| !list.is_empty());
        Ok(format!("[{}]", lists.join(",\n")))
    }

    fn is_fresh(&self) -> bool {
        self.known().tried_at.is_some_and(|tried_at| tried_at.elapsed() < FRESH)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends a reading, however it ends.
struct Round<'a>(&'a Discovery);

impl Drop for Round<'_> {
    fn drop(&mut self) {
        self.0.is_reading.store(false, Ordering::Release);
        self.0.rounds.send_modify(|round| *round += 1);
    }
}

/// The clusters that have services of ours, with the names of those.
fn places(reads: &Reads) -> BTreeMap<Place, BTreeSet<String>> {
    let mut places = BTreeMap::<Place, BTreeSet<String>>::new();
    for object in reads.context().statuses.services() {
        let key = &object.key;
        let services = places.entry((key.target.clone(), key.cluster.clone())).or_default();
        services.insert(key.name.to_string());
    }
    places
}

/// Reads the tasks of every cluster, one after the other.
async fn read_all(reads: &Reads) {
    let discovery = reads.discovery();
    let _round = Round(discovery);
    let began = Instant::now();
    let places = places(reads);
    discovery.known().clusters.retain(|place, _| places.contains_key(place));
    for (place, services) in places {
        let (target, cluster) = &place;
        let read = match reads.context().aws.account(target) {
            Some(account) => read(account, cluster, &services).await,
            None => Ok(String::new()),
        };
        let mut known = discovery.known();
        let entry = known.clusters.entry(place.clone()).or_default();
        match read {
            Ok(targets) => *entry = Cluster { targets: Some((began, targets)), error: None },
            Err(error) => {
                tracing::warn!(%target, %cluster, %error, "cannot read tasks for service discovery");
                entry.error = Some(error.to_string());
            }
        }
    }
    discovery.known().tried_at = Some(Instant::now());
}

/// The targets of one cluster, as JSON.
async fn read(
    account: &Account,
    cluster: &ClusterName,
    services: &BTreeSet<String>,
) -> Result<String, aws::Error> {
    let arns = match account.cluster_tasks(cluster.as_str()).await {
        Err(error) if error.kind == aws::Kind::NotFound => Vec::new(),
        arns => arns?,
    };
    let mut lists = Vec::new();
    for arns in arns.chunks(TASKS_AT_ONCE) {
        let tasks = account.describe_tasks(cluster.as_str(), arns.to_vec()).await?;
        let listening: Vec<Listening> =
            tasks.iter().filter_map(|task| Listening::of(task, services)).collect();
        let definitions: BTreeSet<&str> =
            listening.iter().map(|task| task.definition.as_str()).collect();
        let mut ports = BTreeMap::new();
        for arn in definitions {
            if let Some(definition) = account.describe_task_definition(arn).await? {
                ports.insert(arn.to_owned(), targets::ports(&definition));
            }
        }
        for task in &listening {
            let ports = ports.get(&task.definition).map(Vec::as_slice).unwrap_or_default();
            let place = (account.target(), cluster);
            lists.extend(ports.iter().map(|port| task.at(place, port).to_string()));
        }
    }
    Ok(lists.join(",\n"))
}
