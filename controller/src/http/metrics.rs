//! What the operator counts, under the names that dashboards for controller-runtime already know where they fit.
//!
//! The loop says when a turn or a rollout ended; nothing else of a metrics library reaches it. What can be read from elsewhere
//! (the status board, the queue, the meter of `aws`, `/proc`) is read when it is asked for and kept nowhere. Every label has a
//! bounded number of values: services are bounded by the specs, codes of AWS by the meter.

mod collect;
mod ended;
mod text;

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crds::{ObjectKey, WebhookProvider};

use crate::aws::Meter;
use crate::queue::Queue;
use crate::status_store::StatusStore;
pub use ended::ended_rollout;
pub use text::Exposition;

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

/// What came of a message of the event queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeardResult {
    /// It names something that is looked at.
    Heard,
    /// It is of no concern.
    Ignored,
    /// It is no event.
    Malformed,
    /// The queue could not be read.
    Unreadable,
}

impl HeardResult {
    const ALL: [Self; 4] = [Self::Heard, Self::Ignored, Self::Malformed, Self::Unreadable];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Heard => "heard",
            Self::Ignored => "ignored",
            Self::Malformed => "malformed",
            Self::Unreadable => "unreadable",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WebhookLabels {
    provider: &'static str,
    code: u16,
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
struct ResultLabels {
    result: &'static str,
}

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// What the operator counts. Cloning it is cheap and gives the same counts.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    registry: Registry,
    turns: Family<TurnLabels, Counter>,
    turn_seconds: Histograms<ControllerLabels>,
    rollout_seconds: Histograms<ResultLabels>,
    events: Family<ResultLabels, Counter>,
    webhooks: Family<WebhookLabels, Counter>,
}

impl Metrics {
    /// Counts that start at nothing, beside what can be read from the board, the meter, the queue and the process.
    pub fn new(
        store: StatusStore,
        meter: Meter,
        queue: Queue<ObjectKey>,
        version: &'static str,
    ) -> Self {
        let mut inner = Inner {
            registry: Registry::default(),
            turns: Family::default(),
            turn_seconds: Family::new_with_constructor(turn_histogram),
            rollout_seconds: Family::new_with_constructor(rollout_histogram),
            events: Family::default(),
            webhooks: Family::default(),
        };
        inner.register(version);
        inner.registry.register_collector(Box::new(collect::FromBoard(store)));
        inner.registry.register_collector(Box::new(collect::FromMeter(meter)));
        inner.registry.register_collector(Box::new(collect::FromQueue(queue)));
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

    /// A rollout that we started ended.
    pub fn rollout_ended(&self, result: RolloutResult, took: Duration) {
        let labels = ResultLabels { result: result.as_str() };
        self.0.rollout_seconds.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// A message of the event queue was heard, or could not be.
    pub fn event_heard(&self, result: HeardResult) {
        self.0.events.get_or_create(&ResultLabels { result: result.as_str() }).inc();
    }

    /// A webhook was answered with this status; `unknown` stands for every provider that there is not.
    pub(super) fn webhook_answered(&self, provider: Option<WebhookProvider>, code: u16) {
        let provider = provider.map_or("unknown", WebhookProvider::as_str);
        self.0.webhooks.get_or_create(&WebhookLabels { provider, code }).inc();
    }

    /// Everything, in the form asked for.
    pub fn expose(&self, form: Exposition) -> Result<String, std::fmt::Error> {
        text::encode(&self.0.registry, form)
    }

    /// A counter that is not there until its first count hides that count from `rate()`.
    fn start_at_zero(&self) {
        for result in [TurnResult::Success, TurnResult::RequeueAfter, TurnResult::Error] {
            let labels = TurnLabels { controller: CONTROLLER, result: result.as_str() };
            drop(self.0.turns.get_or_create(&labels));
        }
        for result in HeardResult::ALL {
            drop(self.0.events.get_or_create(&ResultLabels { result: result.as_str() }));
        }
        drop(self.0.turn_seconds.get_or_create(&ControllerLabels { controller: CONTROLLER }));
    }
}

impl Inner {
    fn register(&mut self, version: &'static str) {
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
            "longshore_rollout_duration_seconds",
            "How long rollouts took, by how they ended",
            self.rollout_seconds.clone(),
        );
        registry.register(
            "longshore_events",
            "Messages of the event queue, by what came of them",
            self.events.clone(),
        );
        registry.register(
            "longshore_webhooks",
            "Calls of webhooks, by the status that they were answered with",
            self.webhooks.clone(),
        );
        let leader = Gauge::<i64>::default();
        leader.set(1);
        registry.register("longshore_leader", "1 while this operator acts", leader);
        registry.register(
            "longshore_build",
            "The version that runs",
            Info::new(vec![("version", version)]),
        );
        registry.register_collector(Box::new(collect::FromProc));
    }
}

/// controller-runtime's range: 5 ms to a minute.
fn turn_histogram() -> Histogram {
    Histogram::new([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0])
}

/// 10 s to over five hours.
fn rollout_histogram() -> Histogram {
    Histogram::new(exponential_buckets(10.0, 2.0, 12))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    #[test]
    fn what_is_recorded_is_exposed_under_the_promised_names() {
        let queue = Queue::new(1);
        let key = |name: &str| ObjectKey {
            target: crds::TargetName::default(),
            cluster: "shop".parse().unwrap(),
            name: name.parse().unwrap(),
        };
        for name in ["web", "api", "web"] {
            queue.add_at(key(name), crate::queue::Priority::Resync, tokio::time::Instant::now());
        }
        let store = StatusStore::new(|| Timestamp::UNIX_EPOCH);
        let metrics = Metrics::new(store, Meter::default(), queue.clone(), "1.2.3");
        metrics.turn_ended(TurnResult::Success, Duration::from_millis(7));
        metrics.turn_ended(TurnResult::Error, Duration::from_secs(2));
        metrics.rollout_ended(RolloutResult::RolledBack, Duration::from_secs(90));
        let text = metrics.expose(Exposition::OpenMetrics).unwrap();
        for line in [
            "controller_runtime_reconcile_total{controller=\"service\",result=\"success\"} 1",
            "controller_runtime_reconcile_total{controller=\"service\",result=\"error\"} 1",
            "controller_runtime_reconcile_total{controller=\"service\",result=\"requeue_after\"} 0",
            "controller_runtime_reconcile_time_seconds_count{controller=\"service\"} 2",
            "controller_runtime_reconcile_time_seconds_bucket{le=\"0.01\",controller=\"service\"} 1",
            "workqueue_adds_total{name=\"service\"} 3",
            "workqueue_retries_total{name=\"service\"} 0",
            "workqueue_depth{name=\"service\"} 0",
            "workqueue_waiting{name=\"service\"} 2",
            "longshore_rollout_duration_seconds_sum{result=\"rolled_back\"} 90.0",
            "longshore_leader 1",
            "longshore_build_info{version=\"1.2.3\"} 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
        }
    }
}
