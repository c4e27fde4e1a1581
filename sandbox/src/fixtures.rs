//! `sandbox.yaml`: what is in the world before the first call, and how it behaves.

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;

use crate::{
    FixtureAlarm, FixtureBucket, FixtureLoadBalancer, FixtureLogGroup, FixtureMetric,
    FixtureParameter, FixtureQueue, FixtureRepository, FixtureRole, FixtureScalableTarget,
    FixtureSecret, FixtureTargetGroup, Region, images::ImageRule,
};

/// What the world holds at its beginning and how it behaves; every member has a default.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are the switches of a file that people write"
)]
pub struct Fixtures {
    /// The account of callers whose access key names none.
    pub account: String,
    /// The Region of callers whose signature names none.
    pub region: String,
    /// The seed of all randomness.
    pub seed: u64,
    /// How long a call takes over the wire; half passes before the change of state, half after.
    #[serde(deserialize_with = "duration")]
    pub latency: Duration,
    /// Whether the token buckets of aws.md §1.1 refuse calls.
    pub throttling: bool,
    /// For how long reads after a write may show what was before it.
    #[serde(deserialize_with = "duration")]
    pub read_lag: Duration,
    /// Whether ECS answers in other words than it was asked in, wherever it is known to: other order, ARNs for names.
    pub rewrites: bool,
    /// The clusters that exist in every account and Region.
    pub clusters: Vec<ClusterFixture>,
    /// How containers behave, by image; the first rule that matches an image wins.
    pub images: Vec<ImageRule>,
    /// Whether an image that no rule matches cannot be pulled; otherwise it runs.
    pub strict_images: bool,
    /// Whether a task whose parameter or secret does not exist fails to start.
    pub strict_secrets: bool,
    /// Parameters of every account and Region.
    pub parameters: Vec<FixtureParameter>,
    /// Secrets of every account and Region.
    pub secrets: Vec<FixtureSecret>,
    /// Image repositories of every account and Region.
    pub repositories: Vec<FixtureRepository>,
    /// Target groups of every account and Region.
    pub target_groups: Vec<FixtureTargetGroup>,
    /// Load balancers of every account and Region.
    pub load_balancers: Vec<FixtureLoadBalancer>,
    /// What somebody else lets scale, from the moment on when the service exists.
    pub scalable_targets: Vec<FixtureScalableTarget>,
    /// Alarms of every account and Region.
    pub alarms: Vec<FixtureAlarm>,
    /// Metrics of every account and Region.
    pub metrics: Vec<FixtureMetric>,
    /// Buckets of the account.
    pub buckets: Vec<FixtureBucket>,
    /// The account's roles; while none are named, nobody may look at roles.
    pub roles: Option<Vec<FixtureRole>>,
    /// Log groups of every account and Region; while none are named, nobody may look at log groups.
    pub log_groups: Option<Vec<FixtureLogGroup>>,
    /// Queues of every account and Region.
    pub queues: Vec<FixtureQueue>,
    /// Where changes of state and calls are told, as EventBridge does.
    pub events: Option<EventsFixture>,
    /// What callers have no permission for, `ecr:DescribeImages` for instance.
    pub denied: Vec<String>,
    /// How long things take.
    pub timings: Timings,
}

impl Default for Fixtures {
    fn default() -> Self {
        Self {
            account: "111122223333".to_owned(),
            region: "eu-west-1".to_owned(),
            seed: 1,
            latency: Duration::from_millis(8),
            throttling: true,
            read_lag: Duration::ZERO,
            rewrites: false,
            clusters: vec![ClusterFixture {
                name: "default".to_owned(),
                ..ClusterFixture::default()
            }],
            images: Vec::new(),
            strict_images: false,
            strict_secrets: false,
            parameters: Vec::new(),
            secrets: Vec::new(),
            repositories: Vec::new(),
            target_groups: Vec::new(),
            load_balancers: Vec::new(),
            scalable_targets: Vec::new(),
            alarms: Vec::new(),
            metrics: Vec::new(),
            buckets: Vec::new(),
            roles: None,
            log_groups: None,
            queues: Vec::new(),
            events: None,
            denied: Vec::new(),
            timings: Timings::default(),
        }
    }
}

impl Fixtures {
    /// Reads `sandbox.yaml`; unknown members are errors.
    pub fn from_yaml(text: &str) -> Result<Self, FixtureError> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let fixtures: Self = serde_saphyr::from_str(text).map_err(|error| {
            let place = error.location();
            FixtureError {
                line: place.map_or(0, |place| place.line()),
                column: place.map_or(0, |place| place.column()),
                message: error.to_string(),
            }
        })?;
        let mut trial = Region::empty(&fixtures.account, &fixtures.region, 0, &fixtures);
        trial.load(&fixtures, Timestamp::UNIX_EPOCH).map_err(|message| FixtureError {
            line: 0,
            column: 0,
            message,
        })?;
        Ok(fixtures)
    }
}

/// A cluster that exists from the beginning.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ClusterFixture {
    /// Its name.
    pub name: String,
    /// Capacity providers; `FARGATE` and `FARGATE_SPOT` unless given.
    pub capacity_providers: Option<Vec<String>>,
    /// EC2 instances that joined it.
    pub instances: Vec<InstanceFixture>,
}

/// The queue that a rule of EventBridge would fill.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EventsFixture {
    /// The name of the queue.
    pub queue: String,
    /// How much later than the call CloudTrail tells of it.
    #[serde(default = "EventsFixture::default_delay", deserialize_with = "duration")]
    pub cloud_trail_delay: Duration,
}

impl EventsFixture {
    fn default_delay() -> Duration {
        Duration::from_secs(10)
    }
}

/// A group of equal EC2 instances.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct InstanceFixture {
    /// How many there are.
    pub count: u32,
    /// CPU units of each.
    pub cpu: i64,
    /// Mebibytes of each.
    pub memory: i64,
    /// The capacity provider that they belong to.
    pub capacity_provider: Option<String>,
}

impl Default for InstanceFixture {
    fn default() -> Self {
        Self { count: 1, cpu: 2048, memory: 7680, capacity_provider: None }
    }
}

macro_rules! timings {
    ($($(#[$doc:meta])* $name:ident = $millis:literal;)*) => {
        /// How long the steps of tasks and roll-outs take.
        #[derive(Debug, Clone, Deserialize)]
        #[serde(rename_all = "camelCase", deny_unknown_fields, default)]
        pub struct Timings {
            $($(#[$doc])* #[serde(deserialize_with = "duration")] pub $name: Duration,)*
        }

        impl Default for Timings {
            fn default() -> Self {
                Self { $($name: Duration::from_millis($millis),)* }
            }
        }
    };
}

timings! {
    /// From the start of a task until its network interface or instance is there.
    provisioning = 3_000;
    /// From then until the pull begins; secrets are read here.
    pending = 1_000;
    /// A pull, or the failure of one.
    pull = 6_000;
    /// RUNNING for so long counts as healthy where nothing checks (aws.md §3.3).
    healthy_wait = 40_000;
    /// From RUNNING until a target is registered.
    registration = 2_000;
    /// From registration until a target is healthy.
    target_healthy = 15_000;
    /// From registration until a target that never answers is unhealthy.
    target_unhealthy = 60_000;
    /// How long a target drains before its task is stopped.
    deregistration = 30_000;
    /// From the stop signal until the containers are gone.
    stop = 2_000;
    /// The same for an image that ignores the stop signal and names no `stopTimeout`.
    stop_timeout = 30_000;
    /// From then until a task is STOPPED.
    deprovisioning = 2_000;
    /// From a change until the service scheduler acts on it.
    scheduler = 1_000;
    /// From the creation of a service deployment until it can be listed.
    deployment_visible = 1_000;
    /// From the creation of a service deployment until it begins.
    deployment_start = 2_000;
    /// From `STOP_REQUESTED` to STOPPED, and from `ROLLBACK_REQUESTED` to `ROLLBACK_IN_PROGRESS`.
    deployment_stop = 3_000;
    /// The bake time that ECS derives for a roll-out with alarms when none is given.
    bake = 180_000;
    /// For how long an inactive task definition is still accepted.
    deregistration_lag = 0;
    /// The first delay between two attempts to start tasks that never run; it doubles.
    restart_delay = 10_000;
    /// The longest such delay (aws.md §3.5).
    restart_delay_most = 1_620_000;
    /// How long a stage of a progressive roll-out without hooks takes.
    stage = 2_000;
}

/// Why `sandbox.yaml` cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot read fixtures: line {line}, column {column}: {message}")]
pub struct FixtureError {
    /// The line, from 1; 0 if it is not known.
    pub line: u64,
    /// The column, from 1; 0 if it is not known.
    pub column: u64,
    /// What is wrong there.
    pub message: String,
}

/// Reads `40s`, `8ms`, `2m` or `1h 30m`.
pub(crate) fn duration<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let signed = jiff::SignedDuration::deserialize(from)?;
    Duration::try_from(signed).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_file_leaves_the_rest_at_its_default() {
        let fixtures = Fixtures::from_yaml(
            "region: us-east-1\ntimings: { pull: 90s }\nclusters:\n- name: prod\n  instances: [{count: 2}]\n",
        )
        .unwrap();
        assert_eq!(fixtures.region, "us-east-1");
        assert_eq!(fixtures.account, "111122223333");
        assert_eq!(fixtures.timings.pull, Duration::from_secs(90));
        assert_eq!(fixtures.timings.healthy_wait, Duration::from_secs(40));
        assert_eq!(fixtures.clusters[0].instances[0].count, 2);
        assert_eq!(Fixtures::from_yaml("").unwrap().clusters[0].name, "default");
    }

    #[test]
    fn a_mistake_is_named_with_its_line() {
        let error = Fixtures::from_yaml("region: eu-west-1\nregoin: x\n").unwrap_err();
        assert_eq!(error.line, 2, "{error}");
        assert!(error.message.contains("regoin"), "{error}");
    }
}
