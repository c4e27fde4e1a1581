//! What the services of a world are like. Every second world is plain; each of the others is made of a choice of its own, because
//! what is left out leaves room for what is there to meet.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use longshore_tests::specs::{counted, image, release, with};
use serde_json::{Value, json};

use super::{NAMES, Wanted};

/// The bounds of services that are scaled.
pub(crate) const BOUNDS: (u32, u32) = (1, 6);
/// The parameter that services read.
pub(crate) const PARAMETER: &str = "/shop/password";
/// With which every value of that parameter begins.
pub(crate) const VALUE: &str = "hunter2";
/// How many kinds of weather there are.
const WEATHERS: u32 = 11;

/// How ECS replaces the tasks of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strategy {
    Rolling,
    BlueGreen,
    Canary,
    Linear,
}

impl Strategy {
    fn configuration(self) -> Value {
        let breaker = json!({ "deploymentCircuitBreaker": { "enable": true, "rollback": true } });
        match self {
            Self::Rolling => breaker,
            Self::BlueGreen => {
                merged(breaker, &json!({ "strategy": "BLUE_GREEN", "bakeTimeInMinutes": 1 }))
            }
            Self::Canary => {
                let steps = json!({ "canaryPercent": 25.0, "canaryBakeTimeInMinutes": 1 });
                let canary = json!({ "strategy": "CANARY", "bakeTimeInMinutes": 0, "canaryConfiguration": steps });
                merged(breaker, &canary)
            }
            Self::Linear => {
                let steps = json!({ "stepPercent": 50.0, "stepBakeTimeInMinutes": 1 });
                let linear = json!({ "strategy": "LINEAR", "bakeTimeInMinutes": 0, "linearConfiguration": steps });
                merged(breaker, &linear)
            }
        }
    }
}

fn merged(mut base: Value, more: &Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        base[name] = value.clone();
    }
    base
}

/// When a person has to approve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Approval {
    /// Before anything is sent.
    First,
    /// At this stage of the rollout.
    At(&'static str),
}

/// What one service has besides its version and its count.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is drawn for itself")]
pub(crate) struct Traits {
    pub(crate) strategy: Strategy,
    /// Whether a person has to approve, and when.
    pub(crate) approval: Option<Approval>,
    /// Whether a task runs before each version.
    pub(crate) migrates: bool,
    /// Whether somebody else counts its tasks.
    pub(crate) is_scaled: bool,
    /// Whether it runs what the release has chosen.
    pub(crate) follows: bool,
    /// Whether it reads the parameter, and begins anew when that changes.
    pub(crate) reads: bool,
    /// What it depends on.
    pub(crate) after: Option<&'static str>,
}

impl Traits {
    const PLAIN: Self = Self {
        strategy: Strategy::Rolling,
        approval: None,
        migrates: false,
        is_scaled: false,
        follows: false,
        reads: false,
        after: None,
    };
}

/// What a world is made of.
#[derive(Debug)]
pub(crate) struct Shape {
    traits: BTreeMap<&'static str, Traits>,
    /// The kinds of weather that it has.
    pub(crate) weathers: Vec<u32>,
    /// How many services may roll tasks at a time.
    pub(crate) max_concurrent_rollouts: Option<NonZeroU32>,
}

impl Shape {
    /// The shape of the world of a seed.
    pub(crate) fn of(seed: u64) -> Self {
        if seed % 2 == 1 {
            let weathers = (0..WEATHERS).collect();
            return Self { traits: BTreeMap::new(), weathers, max_concurrent_rollouts: None };
        }
        let mut random = fastrand::Rng::with_seed(seed.rotate_left(32));
        let mut coin = || random.bool();
        let weathers = (0..WEATHERS).filter(|_| coin()).collect();
        // What no service of this world has.
        let has: [bool; 7] = std::array::from_fn(|_| coin());
        let mut traits = BTreeMap::new();
        for (place, name) in NAMES.into_iter().enumerate() {
            let mut given = has.iter().map(|has| *has && coin()).collect::<Vec<_>>().into_iter();
            let mut given = || given.next().unwrap();
            let strategy = match (given(), coin(), coin()) {
                (false, _, _) => Strategy::Rolling,
                (true, true, _) => Strategy::BlueGreen,
                (true, false, true) => Strategy::Canary,
                (true, false, false) => Strategy::Linear,
            };
            let stage = match (strategy, coin(), coin()) {
                (Strategy::Rolling, _, _) | (_, true, _) => Approval::First,
                (_, false, true) => Approval::At("POST_TEST_TRAFFIC_SHIFT"),
                (_, false, false) => Approval::At("PRE_PRODUCTION_TRAFFIC_SHIFT"),
            };
            let own = Traits {
                strategy,
                approval: given().then_some(stage),
                migrates: given(),
                is_scaled: given(),
                follows: given(),
                reads: given(),
                after: given().then(|| place.checked_sub(1).map(|place| NAMES[place])).flatten(),
            };
            traits.insert(name, own);
        }
        let max_concurrent_rollouts = coin().then(|| NonZeroU32::new(random.u32(1..4))).flatten();
        Self { traits, weathers, max_concurrent_rollouts }
    }

    /// Whether services of this world are all alike.
    pub(crate) fn is_plain(&self) -> bool {
        self.traits.is_empty()
    }

    /// What a service is like.
    pub(crate) fn of_service(&self, name: &str) -> &Traits {
        self.traits.get(name).unwrap_or(&Traits::PLAIN)
    }

    /// The services that are like this.
    pub(crate) fn services(&self, like: impl Fn(&Traits) -> bool) -> Vec<&'static str> {
        self.traits.iter().filter(|(_, traits)| like(traits)).map(|(name, _)| *name).collect()
    }

    /// Where the images of services lie that follow nothing.
    pub(crate) fn image(&self, name: &str, version: &str) -> String {
        // Worlds with a release have a repository, so that images in ECR have to be there.
        if self.is_plain() {
            image(name, version)
        } else {
            format!("images.acme.example/shop/{name}:{version}")
        }
    }

    /// `sandbox.yaml` of what the world has more than a plain one.
    pub(crate) fn fixtures(&self) -> String {
        if self.is_plain() {
            return String::new();
        }
        format!(
            "repositories: [{{name: shop/web, images: [{{tags: [v1.0.0]}}]}}]\n\
             parameters: [{{name: {PARAMETER}, type: SecureString, value: {VALUE}-0}}]\n"
        )
    }

    /// The release, if the world has one.
    pub(crate) fn release(&self) -> Option<Value> {
        (!self.services(|traits| traits.follows).is_empty())
            .then(|| release("shop", ">=1.0.0 <2.0.0"))
    }

    /// The spec of a service.
    pub(crate) fn spec(&self, name: &str, wanted: &Wanted) -> Value {
        let traits = self.of_service(name);
        let first = "/spec/taskDefinition/containerDefinitions/0";
        let mut spec = counted(name, &wanted.version, wanted.count);
        let mut set =
            |place: &str, value: Value| spec = with(std::mem::take(&mut spec), place, value);
        if wanted.suspend {
            set("/spec/sync", json!({ "suspend": true }));
        }
        let source = if traits.follows {
            "${release:shop}".to_owned()
        } else {
            self.image(name, &wanted.version)
        };
        set(&format!("{first}/image"), json!(source));
        if self.is_plain() {
            return spec;
        }
        set(&format!("{first}/environment/0/value"), json!(wanted.version));
        set("/spec/service/deploymentConfiguration", traits.strategy.configuration());
        let mut rollout = json!({});
        if let Some(approval) = traits.approval {
            rollout["approval"] = match approval {
                Approval::At(stage) => json!({ "required": true, "at": [stage] }),
                Approval::First => json!({ "required": true }),
            };
        }
        if traits.migrates {
            rollout["hooks"] =
                json!({ "before": [{ "name": "migrate", "command": ["migrate", "up"] }] });
        }
        if traits.reads {
            rollout["reloadOnSecretChange"] = json!(true);
            let secret = json!([{ "name": "PASSWORD", "valueFrom": PARAMETER }]);
            set(&format!("{first}/secrets"), secret);
        }
        if let Some(after) = traits.after {
            rollout["dependsOn"] = json!([after]);
        }
        if traits.is_scaled {
            let policy = json!({ "name": "cpu", "predefinedMetric": "ECSServiceAverageCPUUtilization", "targetValue": 60 });
            let (least, most) = BOUNDS;
            set(
                "/spec/scaling",
                json!({ "minCapacity": least, "maxCapacity": most, "targetTracking": [policy] }),
            );
        }
        set("/spec/rollout", rollout);
        spec
    }
}
