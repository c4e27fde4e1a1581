//! One seeded world: people change specs and AWS, everything fails now and then, and the process dies. What must never
//! happen is checked after each step; then the faults end, and everything must come to rest. What the services of a world are like
//! is drawn as well (`shape.rs`).
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

mod check;
mod deeds;
mod rest;
mod shape;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use crds::SyncPolicy;
use futures_util::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use longshore_tests::specs::counted;
use longshore_tests::{Fleet, FleetOptions, Keep};
use sandbox::{CallRecord, ServiceView};
use serde_json::json;
use shape::Shape;

/// How many worlds the suite runs when nobody asks for more.
const SEEDS: u64 = 300;
/// Later worlds in which something was found once.
const FOUND: [u64; 8] = [306, 552, 594, 1269, 1821, 2461, 2653, 5651];
/// How many tests share them.
const PARTS: usize = 4;
/// How many things happen in each.
const STEPS: usize = 24;
/// The services that specs may name.
const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
/// How long a turn that began before a commit may go on: its calls, each with its pace and its timeout.
const TURN: SignedDuration = SignedDuration::from_mins(3);
/// How long an order may take that is given while calls fail.
const ORDERED: SignedDuration = SignedDuration::from_mins(12);
/// The calm in which everything must come to rest, in minutes; and where services have stages and wait for each other.
const CALM: (u32, u32) = (45, 150);

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
    shape: Shape,
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
    /// The versions that were pushed, in this order, each higher than the last; and whether it works.
    pushed: Vec<(String, bool)>,
    /// Services that follow the release and that a person took back once.
    taken_back: HashSet<&'static str>,
}

/// Worlds of every fourth seed. Every world comes to rest, and nothing forbidden happens on the way.
fn worlds(part: u64) {
    let seeds: Vec<u64> = match asked_for("LONGSHORE_SEED") {
        Some(seed) if part == 1 => vec![seed],
        Some(_) => return,
        None => {
            let last = asked_for("LONGSHORE_SEEDS").unwrap_or(SEEDS);
            let found = FOUND.into_iter().filter(|seed| *seed > last);
            let own = |seed: &u64| seed % (PARTS as u64) == part % (PARTS as u64);
            (1..=last).chain(found).filter(own).collect()
        }
    };
    let mut failed = Vec::new();
    for seed in seeds {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        if !runtime.block_on(run(seed)) {
            failed.push(seed);
        }
    }
    assert!(
        failed.is_empty(),
        "the worlds {failed:?} did not end well; what happened in them stands above"
    );
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

/// Whether a world ends well.
async fn run(seed: u64) -> bool {
    let mut world = World::new(seed).await;
    let outcome = AssertUnwindSafe(world.live()).catch_unwind().await;
    if outcome.is_err() {
        eprintln!("seed {seed}; run it again with LONGSHORE_SEED={seed}. What happened:");
        for line in &world.story {
            eprintln!("  {line}");
        }
        eprintln!("{}", world.fleet.describe());
        return false;
    }
    println!("seed {seed}: {} calls until {}", world.fleet.sandbox.call_count(), world.fleet.now());
    true
}

impl World {
    async fn new(seed: u64) -> Self {
        let shape = Shape::of(seed);
        let options = FleetOptions {
            fixtures: format!("seed: {seed}\n{FIXTURES}{}", shape.fixtures()),
            max_concurrent_rollouts: shape.max_concurrent_rollouts,
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
        let mut specs = vec![shape.spec("keeper", &keeper)];
        specs.extend(shape.release());
        fleet.commit(&specs).await;
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
            pushed: vec![("v1.0.0".to_owned(), true)],
            taken_back: HashSet::new(),
            shape,
        }
    }

    async fn live(&mut self) {
        for _ in 0..STEPS {
            if !self.shape.is_plain() && self.random.u32(..100) < 30 {
                self.do_what_this_world_has().await;
            } else {
                self.do_something().await;
            }
            let pause = Duration::from_secs(self.random.u64(3..240));
            self.fleet.pass(pause).await;
            self.check();
        }
        self.come_to_rest().await;
    }

    async fn do_something(&mut self) {
        match self.random.u32(..100) {
            0..42 => self.change_a_spec().await,
            42..55 => self.edit_at_the_console(),
            55..67 => self.order().await,
            67..82 => self.turn_the_weather(),
            82..92 => self.kill().await,
            _ => self.clear_the_sky(),
        }
    }
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
