//! What is created from a spec is what the spec says: any valid spec, carried out in the sandbox and read back as AWS words
//! it, leaves nothing to do; any one change of it is named by its path and effect, carried out, and again leaves nothing.
//!
//! Everything between the spec and the sandbox is the operator's own: rules, planner, AWS room with the SDK. A failure prints
//! its seed; `LONGSHORE_SEED=<seed>` runs that case alone, `LONGSHORE_CASES=<n>` so many.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::large_futures,
    reason = "a failed step fails the test, and its stack is as large as it likes"
)]
#![recursion_limit = "256"]

mod change;
mod generate;
mod paths;
mod valid;
mod world;

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use planner::Plan;
use serde_json::Value;

use crate::change::{Change, Expected};
use crate::world::{Refused, Wanted, World};

/// How many cases a test takes when nobody asks for more.
const CASES: u64 = 100;
/// How many changes each case goes through.
const CHANGES: usize = 3;

#[test]
fn specs_settle_and_each_change_is_named_part_1() {
    cases(0);
}

#[test]
fn specs_settle_and_each_change_is_named_part_2() {
    cases(1);
}

/// Every second case, from the first or the second on.
fn cases(from: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    let seeds: Vec<u64> = match (asked_for("LONGSHORE_SEED"), asked_for("LONGSHORE_CASES")) {
        (Some(seed), _) => (seed..=seed).filter(|seed| seed % 2 == from).collect(),
        (None, cases) => (0..cases.unwrap_or(2 * CASES)).filter(|seed| seed % 2 == from).collect(),
    };
    let mut tally = Tally::default();
    for seed in &seeds {
        let case = AssertUnwindSafe(runtime.block_on(AssertUnwindSafe(case(*seed)).catch_unwind()));
        match case.0 {
            Ok(done) => tally.add(&done),
            Err(panic) => {
                eprintln!("seed {seed}; run it alone with LONGSHORE_SEED={seed}");
                std::panic::resume_unwind(panic);
            }
        }
    }
    println!("{} specs, {tally:?}", seeds.len());
    // A generator that ECS keeps refusing would prove little.
    assert!(seeds.len() < 20 || tally.changed * 2 > seeds.len() * CHANGES, "{tally:?}");
}

#[allow(clippy::disallowed_methods, reason = "a switch for tests only")]
fn asked_for(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|number| number.parse().unwrap())
}

/// What became of changes.
#[derive(Debug, Default)]
struct Tally {
    /// Named by the plan and carried out.
    changed: usize,
    /// Rightly taken for no difference.
    unchanged: usize,
    /// Waiting for a replacement.
    replacements: usize,
    /// Refused by ECS as an impossible combination.
    refused: usize,
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.changed += other.changed;
        self.unchanged += other.unchanged;
        self.replacements += other.replacements;
        self.refused += other.refused;
    }
}

/// Any spec, and changes of it one after the other: each starts from what the last one left.
async fn case(seed: u64) -> Tally {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut spec = valid::spec(&mut random);
    let mut world = settled(seed, &spec).await;
    let mut tally = Tally::default();
    for _ in 0..CHANGES {
        let Some(change) = Change::any(&spec, &mut random) else { return tally };
        match carry_out(&world, &change).await {
            Became::Changed => {
                tally.changed += 1;
                spec = change.spec;
            }
            Became::Unchanged => tally.unchanged += 1,
            Became::Replacement => tally.replacements += 1,
            Became::Refused => {
                tally.refused += 1;
                // A part of the plan may have been carried out.
                world = settled(seed, &spec).await;
            }
        }
    }
    tally
}

/// What became of a change.
enum Became {
    Changed,
    Unchanged,
    Replacement,
    Refused,
}

/// A world in which a spec is in force.
async fn settled(seed: u64, spec: &Value) -> World {
    let (world, wanted) = (World::new(seed).await, Wanted::of(spec));
    let plan = world.plan(&wanted).await;
    let done = world.settle(&wanted, &plan).await;
    done.unwrap_or_else(|refused| panic!("{refused}\n{spec:#}"));
    world
}

/// Plans the changed spec, checks what the plan says of it, carries it out, and expects nothing left to do.
async fn carry_out(world: &World, change: &Change) -> Became {
    let wanted = Wanted::of(&change.spec);
    let plan = world.plan(&wanted).await;
    change.assert_named(&plan);
    if change.expected == Expected::Nothing {
        return Became::Unchanged;
    }
    if !holds(&plan).is_empty() {
        assert_eq!(holds(&plan), ["NeedsReplacement"], "{change:#?}\n{plan:#?}");
        return Became::Replacement;
    }
    match world.settle(&wanted, &plan).await {
        Ok(()) => Became::Changed,
        Err(Refused(_)) => Became::Refused,
    }
}

fn holds(plan: &Plan) -> Vec<String> {
    plan.holds.iter().map(|hold| hold.reason.to_string()).collect()
}
