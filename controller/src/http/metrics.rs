//! What the operator counts, under the names that dashboards for controller-runtime already know where they fit.
//!
//! The loop, the queue and `aws` call the recording functions; nothing else of a metrics library reaches them. What can be
//! read from elsewhere (the status board, `/proc`) is read when it is asked for and kept nowhere. Every label has a bounded
//! number of values: services are bounded by the specs, codes of AWS by [`CODES_MAX`].

mod collect;
mod text;

use std::collections::BTreeSet;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::status_store::StatusStore;
pub use text::Exposition;

/// How many different answers of AWS are told apart; the rest is counted as `other`.
const CODES_MAX: usize = 128;
/// The one controller and the one queue that there are.
const CONTROLLER: &str = "service";

/// How a turn ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TurnResult {
    /// Nothing more to do until something changes.
    Success,
    /// It went well, and the next turn has its time.
    RequeueAfter,
    /// It failed and is tried again.
    Error,
}

impl TurnResult {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::RequeueAfter => "requeue_after",
            Self::Error => "error",
        }
    }
}

/// How a rollout ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RolloutResult {
    /// Its revision is the primary one.
    Succeeded,
    /// ECS went back to the revision before.
    RolledBack,
    /// It failed and there was nothing to go back to.
    Failed,
    /// A newer one took its place.
    Superseded,
}

impl RolloutResult {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::RolledBack => "rolled_back",
            Self::Failed => "failed",
            Self::Superseded => "superseded",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TurnLabels {
    controller: &'static str,
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ControllerLabels {
    controller: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct QueueLabels {
    name: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabels {
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    service: &'static str,
    operation: &'static str,
    code: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ApiLabels {
    service: &'static str,
}

const QUEUE: QueueLabels = QueueLabels { name: CONTROLLER };

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// What the operator counts. Cloning it is cheap and gives the same counts.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    registry: Registry,
    turns: Family<TurnLabels, Counter>,
    turn_seconds: Histograms<ControllerLabels>,
    queue_depth: Family<QueueLabels, Gauge>,
    queue_adds: Family<QueueLabels, Counter>,
    queue_retries: Family<QueueLabels, Counter>,
    queue_seconds: Histograms<QueueLabels>,
    rollout_seconds: Histograms<ResultLabels>,
    aws_requests: Family<RequestLabels, Counter>,
    aws_wait_seconds: Family<ApiLabels, Counter<f64, AtomicU64>>,
    leader: Gauge,
    codes: Mutex<BTreeSet<String>>,
}

impl Metrics {
    /// Counts that start at nothing, beside what can be read from `store` and from the process.
    pub fn new(store: StatusStore, version: &'static str) -> Self {
        let mut inner = Inner {
            registry: Registry::default(),
            turns: Family::default(),
            turn_seconds: Family::new_with_constructor(turn_histogram),
            queue_depth: Family::default(),
            queue_adds: Family::default(),
            queue_retries: Family::default(),
            queue_seconds: Family::new_with_constructor(queue_histogram),
            rollout_seconds: Family::new_with_constructor(rollout_histogram),
            aws_requests: Family::default(),
            aws_wait_seconds: Family::default(),
            leader: Gauge::default(),
            codes: Mutex::default(),
        };
        inner.register(store, version);
        let metrics = Self(Arc::new(inner));
        metrics.start_at_zero();
        metrics
    }

    /// A turn ended.
    pub fn turn_ended(&self, result: TurnResult, took: Duration) {
        let labels = TurnLabels { controller: CONTROLLER, result: result.as_str() };
        self.0.turns.get_or_create(&labels).inc();
        let labels = ControllerLabels { controller: CONTROLLER };
        self.0.turn_seconds.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// This many keys are due and wait for a worker.
    pub fn queue_depth(&self, keys: usize) {
        self.0.queue_depth.get_or_create(&QUEUE).set(i64::try_from(keys).unwrap_or(i64::MAX));
    }

    /// A key was put into the queue.
    pub fn queue_added(&self) {
        self.0.queue_adds.get_or_create(&QUEUE).inc();
    }

    /// A key was put back after a failure.
    pub fn queue_retried(&self) {
        self.0.queue_retries.get_or_create(&QUEUE).inc();
    }

    /// A key was due for this long before a worker took it.
    pub fn queue_waited(&self, waited: Duration) {
        self.0.queue_seconds.get_or_create(&QUEUE).observe(waited.as_secs_f64());
    }

    /// A rollout that we started ended.
    pub fn rollout_ended(&self, result: RolloutResult, took: Duration) {
        let labels = ResultLabels { result: result.as_str() };
        self.0.rollout_seconds.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// AWS answered, or did not: `code` is `ok`, AWS's error code, or our word for what went wrong on the way.
    pub fn aws_request(&self, service: &'static str, operation: &'static str, code: &str) {
        let labels = RequestLabels { service, operation, code: self.bounded_code(code) };
        self.0.aws_requests.get_or_create(&labels).inc();
    }

    /// A call waited this long for its turn under the rate that we keep.
    pub fn aws_throttle_wait(&self, service: &'static str, waited: Duration) {
        self.0.aws_wait_seconds.get_or_create(&ApiLabels { service }).inc_by(waited.as_secs_f64());
    }

    /// Whether this operator holds the lease.
    pub fn set_leader(&self, leads: bool) {
        self.0.leader.set(i64::from(leads));
    }

    /// Everything, in the form asked for.
    pub fn expose(&self, form: Exposition) -> Result<String, std::fmt::Error> {
        text::encode(&self.0.registry, form)
    }

    /// The code itself while it looks like one and few are known, else `other`.
    fn bounded_code(&self, code: &str) -> String {
        let is_code = (1..=80).contains(&code.len())
            && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        let mut codes = self.0.codes.lock().unwrap_or_else(PoisonError::into_inner);
        if is_code && (codes.contains(code) || codes.len() < CODES_MAX) {
            codes.insert(code.to_owned());
            return code.to_owned();
        }
        "other".to_owned()
    }

    /// A counter that is not there until its first count hides that count from `rate()`.
    fn start_at_zero(&self) {
        for result in [TurnResult::Success, TurnResult::RequeueAfter, TurnResult::Error] {
            let labels = TurnLabels { controller: CONTROLLER, result: result.as_str() };
            drop(self.0.turns.get_or_create(&labels));
        }
        drop(self.0.turn_seconds.get_or_create(&ControllerLabels { controller: CONTROLLER }));
        drop(self.0.queue_depth.get_or_create(&QUEUE));
        drop(self.0.queue_adds.get_or_create(&QUEUE));
        drop(self.0.queue_retries.get_or_create(&QUEUE));
        drop(self.0.queue_seconds.get_or_create(&QUEUE));
    }
}

impl Inner {
    fn register(&mut self, store: StatusStore, version: &'static str) {
        let registry = &mut self.registry;
        registry.register(
            "controller_runtime_reconcile",
            "Turns, by how they ended",
            self.turns.clone(),
        );
        registry.register(
            "controller_runtime_reconcile_time_seconds",
            "How long turns took",
            self.turn_seconds.clone(),
        );
        registry.register(
            "workqueue_depth",
            "Keys that are due and wait for a worker",
            self.queue_depth.clone(),
        );
        registry.register("workqueue_adds", "Keys put into the queue", self.queue_adds.clone());
        registry.register(
            "workqueue_retries",
            "Keys put back after a failure",
            self.queue_retries.clone(),
        );
        registry.register(
            "workqueue_queue_duration_seconds",
            "How long keys were due before a worker took them",
            self.queue_seconds.clone(),
        );
        registry.register(
            "longshore_rollout_duration_seconds",
            "How long rollouts took, by how they ended",
            self.rollout_seconds.clone(),
        );
        registry.register(
            "longshore_aws_requests",
            "Calls to AWS, by what came back",
            self.aws_requests.clone(),
        );
        registry.register(
            "longshore_aws_throttle_wait_seconds",
            "Time that calls waited for their turn under the rate that is kept",
            self.aws_wait_seconds.clone(),
        );
        registry.register(
            "longshore_leader",
            "1 while this operator holds the lease",
            self.leader.clone(),
        );
        registry.register(
            "longshore_build",
            "The version that runs",
            Info::new(vec![("version", version)]),
        );
        registry.register_collector(Box::new(collect::FromBoard(store)));
        registry.register_collector(Box::new(collect::FromProc));
    }
}

/// controller-runtime's range: 5 ms to a minute.
fn turn_histogram() -> Histogram {
    Histogram::new([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0])
}

/// 1 ms to over an hour.
fn queue_histogram() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 4.0, 12))
}

/// 10 s to over five hours.
fn rollout_histogram() -> Histogram {
    Histogram::new(exponential_buckets(10.0, 2.0, 12))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn metrics() -> Metrics {
        Metrics::new(StatusStore::new(|| Timestamp::UNIX_EPOCH), "1.2.3")
    }

    #[test]
    fn what_is_recorded_is_exposed_under_the_promised_names() {
        let metrics = metrics();
        metrics.turn_ended(TurnResult::Success, Duration::from_millis(7));
        metrics.turn_ended(TurnResult::Error, Duration::from_secs(2));
        metrics.queue_added();
        metrics.queue_retried();
        metrics.queue_depth(3);
        metrics.queue_waited(Duration::from_millis(2));
        metrics.rollout_ended(RolloutResult::RolledBack, Duration::from_secs(90));
        metrics.aws_request("ecs", "DescribeServices", "ok");
        metrics.aws_throttle_wait("ecs", Duration::from_millis(1500));
        metrics.set_leader(true);
        let text = metrics.expose(Exposition::OpenMetrics).unwrap();
        for line in [
            "controller_runtime_reconcile_total{controller=\"service\",result=\"success\"} 1",
            "controller_runtime_reconcile_total{controller=\"service\",result=\"error\"} 1",
            "controller_runtime_reconcile_total{controller=\"service\",result=\"requeue_after\"} 0",
            "controller_runtime_reconcile_time_seconds_count{controller=\"service\"} 2",
            "controller_runtime_reconcile_time_seconds_bucket{le=\"0.01\",controller=\"service\"} 1",
            "workqueue_adds_total{name=\"service\"} 1",
            "workqueue_retries_total{name=\"service\"} 1",
            "workqueue_depth{name=\"service\"} 3",
            "workqueue_queue_duration_seconds_count{name=\"service\"} 1",
            "longshore_rollout_duration_seconds_sum{result=\"rolled_back\"} 90.0",
            "longshore_aws_requests_total{service=\"ecs\",operation=\"DescribeServices\",code=\"ok\"} 1",
            "longshore_aws_throttle_wait_seconds_total{service=\"ecs\"} 1.5",
            "longshore_leader 1",
            "longshore_build_info{version=\"1.2.3\"} 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
        }
    }

    #[test]
    fn codes_are_bounded_in_number_and_form() {
        let metrics = metrics();
        for number in 0..CODES_MAX + 50 {
            metrics.aws_request("ecs", "ListServices", &format!("Code{number}"));
        }
        metrics.aws_request("ecs", "ListServices", "a sentence, \"quoted\"");
        metrics.aws_request("ecs", "ListServices", "Code3");
        let text = metrics.expose(Exposition::OpenMetrics).unwrap();
        let lines = text.lines().filter(|line| line.starts_with("longshore_aws_requests_total"));
        assert_eq!(lines.clone().count(), CODES_MAX + 1);
        assert!(lines.clone().any(|line| line.ends_with("code=\"other\"} 51")), "{text}");
        assert!(lines.clone().any(|line| line.ends_with("code=\"Code3\"} 2")));
    }
}
