//! One seeded world: people change specs and AWS, everything fails now and then, and the process dies. What must never
//! happen is checked after each step; then the faults end, and everything must come to rest.
//!
//! A failure prints its seed; `LONGSHORE_SEED=<seed>` runs that one alone, `LONGSHORE_SEEDS=<n>` the first `n`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::large_futures,
    reason = "a failed step fails the test, and its stack is as large as it likes"
)]
#![recursion_limit = "256"]

use std::collections::{BTreeMap, HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use controller::orders::{Ask, Refusal};
use crds::{Reason, SyncPolicy, Verb};
use futures_util::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use longshore_tests::specs::{counted, image, with};
use longshore_tests::{Fleet, FleetOptions, Keep};
use sandbox::{CallRecord, Fault, FaultKind, ServiceView};
use serde_json::{Value, json};

/// How many worlds the suite runs when nobody asks for more.
const SEEDS: u64 = 60;
/// How many tests share them.
const PARTS: usize = 4;
/// How many things happen in each.
const STEPS: usize = 24;
/// The services that specs may name.
const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
/// How long a turn that began before a commit may go on: its calls, each with its pace and its timeout.
const TURN: SignedDuration = SignedDuration::from_mins(3);
/// The calm in which everything must come to rest.
const CALM: Duration = Duration::from_mins(45);

const FIXTURES: &str = "
clusters: [{name: shop}]
buckets: [{name: specs}]
latency: 8ms
images: [{match: '*:bad-*', behaviour: {exits: {code: 1}}}]
timings: {provisioning: 1s, pending: 500ms, pull: 1s, healthyWait: 15s, deregistration: 2s, restartDelay: 2s}
";

/// What a service's file says.
#[derive(Debug, Clone, PartialEq)]
struct Wanted {
    version: String,
    count: u32,
    suspend: bool,
}

/// The world and what the operator was told about it.
struct World {
    fleet: Fleet,
    random: fastrand::Rng,
    story: Vec<String>,
    versions: u32,
    wanted: BTreeMap<&'static str, Wanted>,
    /// Names whose file is broken; their last good spec stays in force.
    broken: HashSet<&'static str>,
    /// Since when a document without a readable name lies in the source.
    nameless: Option<Timestamp>,
    /// Since when a name stands in no file that the operator has read.
    absent: HashMap<&'static str, Timestamp>,
    suspended: HashMap<&'static str, Timestamp>,
    /// Since when a person has frozen a service.
    frozen: HashMap<&'static str, Timestamp>,
    foreign: ServiceView,
    /// How many calls have been checked.
    checked: usize,
    /// Those of them that asked for a change and were carried out.
    carried_out: Vec<CallRecord>,
    /// When each service's spec was changed, or the service itself by hand: after each a call may be made again.
    changed: HashMap<&'static str, Vec<Timestamp>>,
    /// Services that somebody changed by hand since their last spec.
    edited: HashSet<&'static str>,
    /// When the process was started.
    lives: Vec<Timestamp>,
    /// Whether replies to changes may have been lost: then some calls have to be made twice.
    lost_replies: bool,
}

/// Worlds of every fourth seed. Every world comes to rest, and nothing forbidden happens on the way.
fn worlds(part: u64) {
    let seeds: Vec<u64> = match asked_for("LONGSHORE_SEED") {
        Some(seed) if part == 1 => vec![seed],
        Some(_) => return,
        None => (part..=asked_for("LONGSHORE_SEEDS").unwrap_or(SEEDS)).step_by(PARTS).collect(),
    };
    for seed in seeds {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(run(seed));
    }
}

#[test]
fn worlds_part_1() {
    worlds(1);
}

#[test]
fn worlds_part_2() {
    worlds(2);
}

#[test]
fn worlds_part_3() {
    worlds(3);
}

#[test]
fn worlds_part_4() {
    worlds(4);
}

#[allow(clippy::disallowed_methods, reason = "a switch for tests only")]
fn asked_for(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|number| number.parse().unwrap())
}

async fn run(seed: u64) {
    let mut world = World::new(seed).await;
    let outcome = AssertUnwindSafe(world.live()).catch_unwind().await;
    if let Err(panic) = outcome {
        eprintln!("seed {seed}; run it again with LONGSHORE_SEED={seed}. What happened:");
        for line in &world.story {
            eprintln!("  {line}");
        }
        eprintln!("{}", world.fleet.describe());
        std::panic::resume_unwind(panic);
    }
    println!("seed {seed}: {} calls until {}", world.fleet.sandbox.call_count(), world.fleet.now());
}

impl World {
    async fn new(seed: u64) -> Self {
        let options = FleetOptions {
            fixtures: format!("seed: {seed}\n{FIXTURES}"),
            policy: SyncPolicy { prune: Some(true), ..SyncPolicy::default() },
            seed,
            interval: Duration::from_mins(5),
            keep: Keep::Bucket,
            ..FleetOptions::default()
        };
        let mut fleet = Fleet::with(options).await;
        let began = fleet.now();
        let foreign = foreign_service(&fleet);
        let keeper = Wanted { version: "v0".to_owned(), count: 1, suspend: false };
        fleet.commit(&[counted("keeper", "v0", 1)]).await;
        fleet.pass(Duration::from_mins(2)).await;
        let foreign = ServiceView { events: Vec::new(), ..fleet.service(&foreign).unwrap() };
        Self {
            fleet,
            random: fastrand::Rng::with_seed(seed),
            story: Vec::new(),
            versions: 0,
            wanted: BTreeMap::from([("keeper", keeper)]),
            broken: HashSet::new(),
            nameless: None,
            absent: HashMap::new(),
            suspended: HashMap::new(),
            frozen: HashMap::new(),
            foreign,
            checked: 0,
            carried_out: Vec::new(),
            changed: HashMap::new(),
            edited: HashSet::new(),
            lives: vec![began],
            lost_replies: false,
        }
    }

    async fn live(&mut self) {
        for _ in 0..STEPS {
            match self.random.u32(..100) {
                0..42 => self.change_a_spec().await,
                42..55 => self.edit_at_the_console(),
                55..67 => self.order().await,
                67..82 => self.turn_the_weather(),
                82..92 => self.kill().await,
                _ => self.clear_the_sky(),
            }
            let pause = Duration::from_secs(self.random.u64(3..240));
            self.fleet.pass(pause).await;
            self.check();
        }
        self.come_to_rest().await;
    }

    fn tell(&mut self, what: impl std::fmt::Display) {
        self.story.push(format!("{} {what}", self.fleet.now()));
    }

    fn name(&mut self) -> &'static str {
        NAMES[self.random.usize(..NAMES.len())]
    }

    async fn change_a_spec(&mut self) {
        let name = self.name();
        let known = self.wanted.get(name).cloned();
        self.versions += 1;
        let good = format!("v{}", self.versions);
        let mut wanted =
            known.unwrap_or(Wanted { version: good.clone(), count: 2, suspend: false });
        match self.random.u32(..100) {
            0..40 => wanted.version = good,
            40..58 => wanted.version = format!("bad-{}", self.versions),
            58..68 => wanted.count = self.random.u32(1..4),
            68..76 => wanted.suspend = !wanted.suspend,
            76..86 => return self.remove(name).await,
            86..94 => return self.break_file(name).await,
            _ => return self.toggle_nameless().await,
        }
        self.tell(format!("{name} becomes {wanted:?}"));
        self.write(name, wanted).await;
    }

    async fn write(&mut self, name: &'static str, wanted: Wanted) {
        let spec = spec_of(name, &wanted);
        self.fleet.commit(&[spec]).await;
        self.absent.remove(name);
        self.broken.remove(name);
        if wanted.suspend {
            let now = self.fleet.now();
            self.suspended.entry(name).or_insert(now);
        } else {
            self.suspended.remove(name);
        }
        self.wanted.insert(name, wanted);
        self.edited.remove(name);
        self.note_change(name);
    }

    fn note_change(&mut self, name: &'static str) {
        let now = self.fleet.now();
        self.changed.entry(name).or_default().push(now);
    }

    async fn remove(&mut self, name: &'static str) {
        if self.wanted.remove(name).is_none() {
            return;
        }
        self.tell(format!("{name} is removed"));
        self.fleet.remove(&[name]).await;
        self.broken.remove(name);
        self.suspended.remove(name);
        self.absent.insert(name, self.fleet.now());
    }

    async fn break_file(&mut self, name: &'static str) {
        let Some(wanted) = self.wanted.get(name) else { return };
        let text =
            spec_of(name, wanted).to_string().replace("\"cpu\":\"256\"", "\"cpu\":[\"256\"]");
        self.tell(format!("{name} is broken"));
        let file = format!("{name}.json");
        self.fleet.commit_files(&[(&file, &text)]).await;
        self.broken.insert(name);
    }

    async fn toggle_nameless(&mut self) {
        let nameless = "apiVersion: longshore.dev/v1alpha1\nkind: Service\nspec: {cluster: shop}\n";
        if self.nameless.take().is_some() {
            self.tell("the nameless file goes");
            self.fleet.commit_files(&[("nameless.yaml", "")]).await;
        } else {
            self.tell("a nameless file comes");
            self.fleet.commit_files(&[("nameless.yaml", nameless)]).await;
            self.nameless = Some(self.fleet.now());
        }
    }

    fn edit_at_the_console(&mut self) {
        let name = self.name();
        if self.fleet.living(name).is_none() {
            return;
        }
        let service = json!({ "cluster": "shop", "service": name });
        match self.random.u32(..10) {
            0..4 => {
                self.tell(format!("somebody scales {name}"));
                let count = self.random.u32(0..5);
                self.fleet.console("UpdateService", with(service, "/desiredCount", json!(count)));
            }
            4..6 => {
                self.tell(format!("somebody forces a deployment of {name}"));
                let force = with(service, "/forceNewDeployment", json!(true));
                self.fleet.console("UpdateService", force);
            }
            6..8 => {
                self.tell(format!("somebody takes a tag off {name}"));
                let described = json!({ "cluster": "shop", "services": [name] });
                let described = self.fleet.console("DescribeServices", described);
                let arn = described["services"][0]["serviceArn"].clone();
                let keys = json!(["longshore.dev/source", "longshore.dev/spec-hash"]);
                self.fleet.console("UntagResource", json!({ "resourceArn": arn, "tagKeys": keys }));
            }
            8 => {
                self.tell(format!("somebody deletes {name}"));
                self.fleet.console("DeleteService", with(service, "/force", json!(true)));
            }
            _ => {
                self.tell(format!("a task of {name} dies"));
                self.fleet.sandbox.edit(self.fleet.now(), |region| {
                    let task = region.tasks().into_iter().find(|task| {
                        task.service.as_deref() == Some(name) && task.last_status == "RUNNING"
                    });
                    task.map(|task| region.kill_task(&task.arn, 1))
                });
            }
        }
        self.edited.insert(name);
        self.note_change(name);
    }

    /// A person asks for something.
    async fn order(&mut self) {
        let name = self.name();
        let verb = match self.random.u32(..100) {
            _ if self.frozen.contains_key(name) => Verb::Release,
            0..35 => Verb::Hold,
            35..50 => Verb::Rollback,
            50..65 => Verb::Restart,
            65..75 => Verb::Abort,
            75..85 => Verb::Sync,
            _ => Verb::Release,
        };
        let asked = self.fleet.now();
        let answer = self.fleet.try_order(name, verb, &Ask::default()).await;
        self.tell(format!(
            "{} of {name}: {}",
            verb.as_str(),
            if answer.is_ok() { "taken" } else { "refused" }
        ));
        match (verb, answer) {
            (Verb::Hold, Ok(_)) => {
                self.frozen.insert(name, asked);
            }
            // A refusal may come after it was written down, when the store's first reply was lost.
            (Verb::Release, _) => {
                self.frozen.remove(name);
            }
            (_, _) => {}
        }
        self.edited.insert(name);
        self.note_change(name);
    }

    /// People let everything go that they held.
    async fn let_everything_go(&mut self) {
        for name in NAMES {
            let answer = self.fleet.try_order(name, Verb::Release, &Ask::default()).await;
            assert!(!matches!(answer, Err(Refusal::Store(_))), "{name}: {answer:?}");
            self.note_change(name);
        }
        self.frozen.clear();
    }

    fn turn_the_weather(&mut self) {
        let everywhere = |kind: FaultKind, probability: f64| Fault {
            times: None,
            probability,
            ..Fault::once("ecs", "*", kind)
        };
        let failed = FaultKind::Error {
            code: "ServerException".to_owned(),
            message: "Service unavailable".to_owned(),
            status: 503,
        };
        let store = |kind: FaultKind| Fault {
            times: None,
            probability: 0.5,
            ..Fault::once("s3", "*", kind)
        };
        let (what, fault) = match self.random.u32(..11) {
            0 => ("throttling", everywhere(FaultKind::Throttle, 0.4)),
            1 => ("server errors", everywhere(failed, 0.3)),
            2 => ("lost replies", everywhere(FaultKind::DropReply, 0.25)),
            3 => ("slow answers", everywhere(FaultKind::Latency(Duration::from_secs(4)), 0.5)),
            4 => ("refused connections", everywhere(FaultKind::Refuse, 0.3)),
            5 => ("hanging calls", everywhere(FaultKind::Hang, 0.05)),
            6 => ("the state store fails", store(failed)),
            7 => ("the state store cannot be reached", store(FaultKind::Refuse)),
            8 => ("the state store's replies are lost", store(FaultKind::DropReply)),
            9 => {
                let minutes = self.random.i64(-20..20);
                self.tell(format!("the operator's clock jumps by {minutes} min"));
                self.fleet.jump(SignedDuration::from_mins(minutes));
                return;
            }
            _ => {
                let lag = Duration::from_secs(self.random.u64(1..25));
                self.tell(format!("reads lag by {lag:?}"));
                self.fleet.sandbox.edit(self.fleet.now(), |region| region.set_read_lag(lag));
                return;
            }
        };
        self.lost_replies |= matches!(fault.kind, FaultKind::DropReply);
        self.tell(what);
        self.fleet.sandbox.inject(fault);
    }

    fn clear_the_sky(&mut self) {
        self.tell("the sky clears");
        self.fleet.sandbox.clear_faults();
        self.fleet.sandbox.edit(self.fleet.now(), |region| region.set_read_lag(Duration::ZERO));
    }

    /// Kills the process after one of its next calls, and starts it again at once or later.
    async fn kill(&mut self) {
        let count = self.random.u64(1..12);
        let reached = self.fleet.sandbox.hang_after_call(count);
        let _ = tokio::time::timeout(Duration::from_mins(2), reached.notified()).await;
        self.fleet.kill().await;
        self.fleet.sandbox.release();
        self.tell("the process is killed");
        if self.random.bool() {
            let pause = Duration::from_secs(self.random.u64(1..300));
            self.fleet.pass(pause).await;
        }
        self.fleet.restart().await;
        self.tell("and started again");
        self.lives.push(self.fleet.now());
    }

    /// What must never happen.
    fn check(&mut self) {
        let foreign = self.fleet.service("foreign").unwrap();
        assert_eq!(ServiceView { events: Vec::new(), ..foreign }, self.foreign, "foreign service");
        let calls = self.fleet.calls_that_change(self.checked);
        self.checked = self.fleet.sandbox.call_count();
        for call in &calls {
            let name = service_of(&call.request);
            assert_ne!(name.as_deref(), Some("foreign"), "{call:?}");
            assert_ne!(call.operation, "DeregisterTaskDefinition");
            let Some(name) = name else { continue };
            for since in [self.suspended.get(name.as_str()), self.frozen.get(name.as_str())] {
                let late = since.map(|since| call.time.duration_since(*since)).unwrap_or_default();
                assert!(late < TURN, "{name} has been suspended or held for {late}: {call:?}");
            }
            // No spec here asks for no tasks: who is scaled in to none is to be deleted.
            let is_scaled_in =
                call.operation == "UpdateService" && call.request["desiredCount"] == 0;
            if call.operation == "DeleteService" || is_scaled_in {
                self.check_deletion(&name, call.time);
            }
        }
        self.carried_out.extend(calls.into_iter().filter(|call| call.status == 200));
        if !self.lost_replies {
            self.check_that_nothing_is_doubled();
        }
    }

    fn check_deletion(&self, name: &str, time: Timestamp) {
        // A turn may have begun when the spec was still absent, or everything was still readable.
        if let Some(since) = self.nameless {
            let late = time.duration_since(since);
            assert!(late < TURN, "{name} was deleted while a file had no readable name for {late}");
        }
        let is_absent = self.absent.contains_key(name);
        assert!(is_absent, "{name} was deleted and its spec stands in the source");
    }

    /// Within one life of the process no content is registered twice, and no revision is sent twice for the same spec:
    /// neither because reads are stale, nor because a rollout failed, nor because a call after it was refused.
    fn check_that_nothing_is_doubled(&self) {
        let mut registered: HashSet<(usize, String)> = HashSet::new();
        let mut sent: HashSet<(usize, usize, String, String)> = HashSet::new();
        for call in &self.carried_out {
            let life = self.lives.iter().filter(|began| **began <= call.time).count();
            if call.operation == "RegisterTaskDefinition" {
                let content = call.request.to_string();
                assert!(registered.insert((life, content)), "registered twice: {call:?}");
            }
            let arn = call.request.get("taskDefinition").and_then(Value::as_str);
            if let (Some(arn), Some(name)) = (arn, service_of(&call.request)) {
                let changes = self.changed.get(name.as_str()).into_iter().flatten();
                let changes = changes.filter(|change| **change <= call.time).count();
                let is_new = sent.insert((life, changes, name, arn.to_owned()));
                assert!(is_new, "sent twice: {call:?}");
            }
        }
    }

    /// Without faults everything is in force or held for a reason that is told, and nothing is left to do.
    async fn come_to_rest(&mut self) {
        self.clear_the_sky();
        self.let_everything_go().await;
        self.tell("calm");
        self.fleet.pass(CALM).await;
        self.check();
        let mark = self.fleet.sandbox.call_count();
        self.fleet.pass(Duration::from_mins(12)).await;
        assert_eq!(self.fleet.changes_since(mark), [""; 0], "not at rest");
        for (name, wanted) in self.wanted.clone() {
            self.check_at_rest(name, &wanted).await;
        }
        for name in self.absent.keys() {
            let living = self.fleet.living(name).is_some();
            let held = || {
                if self.fleet.tag(name, "longshore.dev/source").is_none() {
                    // Whose spec it had nobody can tell any more.
                    return true;
                }
                let holds = self.fleet.holds(name);
                holds
                    .iter()
                    .any(|hold| matches!(hold, Reason::PruneBrake | Reason::SourceIncomplete))
            };
            assert!(!living || held(), "{name} has no spec and runs");
        }
    }

    async fn check_at_rest(&self, name: &str, wanted: &Wanted) {
        for _ in 0..2 {
            let plan = self.fleet.plan(name).await;
            assert_eq!(plan.actions, [], "{name}: the plan is not empty");
        }
        let status = self.fleet.status(name);
        let holds = self.fleet.holds(name);
        if self.broken.contains(name) {
            assert!(holds.contains(&Reason::InvalidSpec), "{name}: {status:#?}");
        } else if wanted.suspend {
            assert!(status.is_ready() || holds.contains(&Reason::Suspended), "{name}: {status:#?}");
        } else if wanted.version.starts_with("bad-") {
            let reason = self.fleet.ready(name).reason;
            // At a count of zero that somebody set by hand even a bad image rolls out.
            let is_told = matches!(reason, Reason::RolledBack | Reason::RolloutFailed)
                || (reason == Reason::TasksMissing && self.edited.contains(name));
            assert!(is_told, "{name}: {status:#?}");
        } else {
            assert!(status.is_ready(), "{name}: {status:#?}");
            let service = self.fleet.service(name).unwrap();
            assert_eq!(self.fleet.image(name), image(name, &wanted.version));
            assert_eq!(service.desired, i64::from(wanted.count), "{name}");
            assert_eq!(service.running, i64::from(wanted.count), "{name}");
            assert_eq!(service.deployments.len(), 1, "{name}");
        }
    }
}

fn spec_of(name: &str, wanted: &Wanted) -> Value {
    let spec = counted(name, &wanted.version, wanted.count);
    if wanted.suspend { with(spec, "/spec/sync", json!({ "suspend": true })) } else { spec }
}

/// The service that a call is about.
fn service_of(request: &Value) -> Option<String> {
    let named = request.get("serviceName").or_else(|| request.get("service"));
    let named = named.and_then(Value::as_str).map(str::to_owned);
    named.or_else(|| {
        let arn = request.get("resourceArn")?.as_str()?;
        arn.rsplit('/').next().map(str::to_owned)
    })
}

/// A service of somebody who does not use Longshore.
fn foreign_service(fleet: &Fleet) -> String {
    let spec = counted("foreign", "v0", 1);
    let mut definition = spec["spec"]["taskDefinition"].clone();
    definition["family"] = json!("shop-foreign");
    let answer = fleet.console("RegisterTaskDefinition", definition);
    let mut input = spec["spec"]["service"].clone();
    input["cluster"] = json!("shop");
    input["serviceName"] = json!("foreign");
    input["taskDefinition"] = answer["taskDefinition"]["taskDefinitionArn"].clone();
    fleet.console("CreateService", input);
    "foreign".to_owned()
}
