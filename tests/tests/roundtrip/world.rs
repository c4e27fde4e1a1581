//! One account in the sandbox, and the operator's own hands on it.

use std::fmt;
use std::time::Duration;

use controller::aws::{Account, Aws, ConnectOptions};
use controller::clock::Clock;
use controller::{apply, observe};
use crds::{Provenance, Service, SourceRevision, SyncPolicy, TargetName};
use planner::{Desired, Plan};
use sandbox::{Fixtures, Sandbox, SandboxTime};
use serde_json::Value;

/// Rewrites on: what AWS is known to word otherwise is worded otherwise.
const FIXTURES: &str = "
clusters: [{name: shop, instances: [{count: 3}]}]
latency: 0s
throttling: false
rewrites: true
";

/// How long a rollout takes at most.
const ROLLOUT: Duration = Duration::from_mins(20);

/// A spec and what it comes to.
pub(crate) struct Wanted<'s> {
    spec: &'s Value,
    desired: Desired,
}

/// One account in the sandbox.
pub(crate) struct World {
    account: Account,
    clock: Clock,
}

/// ECS refused a call.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) String);

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl World {
    pub(crate) async fn new(seed: u64) -> Self {
        let sandbox = Sandbox::new(Fixtures { seed, ..Fixtures::from_yaml(FIXTURES).unwrap() });
        sandbox.keep_calls(1);
        let time = SandboxTime::new("2026-03-01T00:00:00Z".parse().unwrap(), 1.0);
        let clock = Clock::virtual_from(time.now());
        let connect = ConnectOptions {
            region: Some("eu-west-1".to_owned()),
            clock: clock.clone(),
            seed,
            ..ConnectOptions::in_process(sandbox.http_client(time))
        };
        let aws = Aws::connect(&[], connect).await.unwrap();
        let account = aws.account(&TargetName::default()).unwrap().clone();
        Self { account, clock }
    }

    /// What a turn would do.
    pub(crate) async fn plan(&self, wanted: &Wanted<'_>) -> Plan {
        let observed = observe::service(&self.account, &wanted.desired, (&[], self.clock.now()))
            .await
            .unwrap();
        planner::plan(&wanted.desired, &observed, &planner::Orders::default(), self.clock.now())
    }

    /// Carries a plan out, and expects that nothing is left to do, neither at once nor when the rollout has ended.
    pub(crate) async fn settle(&self, wanted: &Wanted<'_>, plan: &Plan) -> Result<(), Refused> {
        assert!(plan.holds.is_empty(), "{plan:#?}\n{:#}", wanted.spec);
        let name = wanted.desired.key.name.as_str();
        let outcome = apply::plan(&self.account, "shop", name, plan).await;
        if let Some(error) = outcome.error {
            return Err(Refused(error.to_string()));
        }
        self.assert_settled(wanted, "at once").await;
        tokio::time::sleep(ROLLOUT).await;
        self.assert_settled(wanted, "at rest").await;
        Ok(())
    }

    /// Nothing differs, and nothing is held back.
    async fn assert_settled(&self, wanted: &Wanted<'_>, when: &str) {
        let plan = self.plan(wanted).await;
        let left: Vec<_> = plan.actions.iter().chain(&plan.withheld).collect();
        assert!(left.is_empty(), "{when}: still to do: {left:#?}\n{:#}", wanted.spec);
    }
}

impl<'s> Wanted<'s> {
    pub(crate) fn of(spec: &'s Value) -> Self {
        Self { spec, desired: desired(spec) }
    }
}

fn desired(spec: &Value) -> Desired {
    let service: Service =
        serde_json::from_value(spec.clone()).unwrap_or_else(|error| panic!("{error}\n{spec:#}"));
    let provenance = Provenance {
        source: "fleet".parse().unwrap(),
        revision: SourceRevision::new("c0ffee"),
        file: "web.json".into(),
        line: 1,
    };
    Desired::resolve(&service, &"test".parse().unwrap(), provenance, &SyncPolicy::default())
        .unwrap()
}
