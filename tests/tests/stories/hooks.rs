//! One-off tasks before and after rollouts, and what the world looks like when they fail or the process dies around them.

use std::time::Duration;

use controller::orders::Ask;
use crds::{Health, HookState, Reason, Verb};
use longshore_tests::specs::{image, service, with};
use longshore_tests::{Fleet, FleetOptions, Keep};
use sandbox::{Fault, FaultKind, ImageBehaviour, ImageRule};
use serde_json::{Value, json};

fn options() -> FleetOptions {
    FleetOptions { keep: Keep::Directory, ..FleetOptions::default() }
}

/// A hook whose command is its name.
fn hook(name: &str) -> Value {
    json!({ "name": name, "command": [name, "up"] })
}

/// The service `web` of a version with hooks.
fn hooked(version: &str, before: &[Value], after: &[Value]) -> Value {
    let hooks = json!({ "before": before, "after": after });
    with(service("web", &image("web", version)), "/spec/rollout/hooks", hooks)
}

fn migrated(version: &str) -> Value {
    hooked(version, &[hook("migrate")], &[])
}

/// The tasks of hooks that ECS still shows, oldest first.
fn tasks(fleet: &Fleet) -> Vec<Value> {
    let mut arns = Vec::new();
    for desired_status in ["RUNNING", "STOPPED"] {
        let list =
            json!({ "cluster": "shop", "family": "shop-web", "desiredStatus": desired_status });
        let page = fleet.console("ListTasks", list);
        arns.extend(page["taskArns"].as_array().unwrap().iter().cloned());
    }
    if arns.is_empty() {
        return Vec::new();
    }
    let all = json!({ "cluster": "shop", "tasks": arns, "include": ["TAGS"] });
    let mut tasks: Vec<Value> =
        fleet.console("DescribeTasks", all)["tasks"].as_array().unwrap().clone();
    tasks.retain(|task| task["startedBy"].as_str().is_some_and(|by| by.starts_with("longshore/")));
    tasks.sort_by(|a, b| {
        a["createdAt"].as_f64().unwrap().total_cmp(&b["createdAt"].as_f64().unwrap())
    });
    tasks
}

/// The commands of these tasks.
fn commands(tasks: &[Value]) -> Vec<&str> {
    tasks
        .iter()
        .map(|task| task["overrides"]["containerOverrides"][0]["command"][0].as_str().unwrap())
        .collect()
}

/// Lets a command behave in a way from now on.
fn behaves(fleet: &Fleet, command: &str, behaviour: ImageBehaviour) {
    let rule = ImageRule::for_command("*", command, behaviour);
    fleet.sandbox.edit(fleet.now(), |region| region.set_image(rule));
}

fn exits(code: i64, seconds: u64) -> ImageBehaviour {
    ImageBehaviour::Exits { code, after: Duration::from_secs(seconds), oom: false }
}

async fn nothing_changes_for(fleet: &Fleet, time: Duration) {
    let mark = fleet.sandbox.call_count();
    fleet.pass(time).await;
    assert_eq!(fleet.changes_since(mark), [""; 0], "{}", fleet.describe());
}

/// A fleet whose service `web` runs v1 with these options; it never had a hook.
async fn at_v1(options: FleetOptions) -> Fleet {
    let mut fleet = Fleet::with(options).await;
    fleet.commit(&[service("web", &image("web", "v1"))]).await;
    fleet.until_ready("web").await;
    fleet
}

#[tokio::test(start_paused = true)]
async fn a_migration_runs_once_before_the_service_is_created_and_once_before_each_new_image() {
    let mut fleet = Fleet::with(options()).await;
    behaves(&fleet, "migrate up", exits(0, 60));
    fleet.commit(&[migrated("v1")]).await;
    fleet.until("the migration runs", |fleet| !tasks(fleet).is_empty()).await;
    fleet.pass(Duration::from_secs(45)).await;
    assert!(fleet.service("web").is_none(), "the service was created before its migration ended");
    assert_eq!(fleet.ready("web").reason, Reason::HookRunning);
    assert_eq!(fleet.status("web").hooks[0].state, HookState::Running);
    fleet.until_ready("web").await;
    let first = tasks(&fleet);
    assert_eq!(commands(&first), ["migrate"]);
    assert_eq!(first[0]["containers"][0]["exitCode"], 0);
    let tags = first[0]["tags"].as_array().unwrap();
    for (key, value) in [("hook", "before/migrate"), ("owner", "test"), ("service", "web")] {
        let tag = json!({ "key": format!("longshore.dev/{key}"), "value": value });
        assert!(tags.contains(&tag), "{tag} not in {tags:?}");
    }
    let status = &fleet.status("web").hooks[0];
    assert_eq!(
        (status.state, status.exit_code, status.attempt),
        (HookState::Succeeded, Some(0), 1)
    );
    nothing_changes_for(&fleet, Duration::from_mins(20)).await;

    fleet.commit(&[migrated("v2")]).await;
    fleet.until("the second migration runs", |fleet| tasks(fleet).len() == 2).await;
    assert_eq!(fleet.image("web"), image("web", "v1"));
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v2"));
    let second = tasks(&fleet);
    assert_eq!(commands(&second), ["migrate", "migrate"]);
    assert_eq!(second[1]["taskDefinitionArn"], fleet.definition("web")["taskDefinitionArn"]);
    // What is neither a new spec nor a new image runs nothing.
    fleet.order("web", Verb::Restart, &Ask::default()).await;
    fleet.until_ready("web").await;
    fleet.console("UpdateService", json!({"cluster": "shop", "service": "web", "desiredCount": 4}));
    fleet.until("healed", |fleet| fleet.service("web").unwrap().desired == 2).await;
    fleet.order("web", Verb::Rollback, &Ask::default()).await;
    fleet.until_stalled("web", Reason::RolledBackByHand).await;
    fleet.pass(Duration::from_mins(5)).await;
    assert_eq!(fleet.image("web"), image("web", "v1"));
    fleet.restart().await;
    fleet.pass(Duration::from_mins(5)).await;
    assert_eq!(tasks(&fleet).len(), 2);
    // Nor does a spec that comes back: it has run its hooks.
    fleet.commit(&[migrated("v1")]).await;
    fleet.until_ready("web").await;
    assert_eq!(tasks(&fleet).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn hooks_run_one_after_the_other_before_and_after_the_rollout() {
    let mut fleet = at_v1(options()).await;
    let before = [hook("setup"), hook("migrate")];
    fleet.commit(&[hooked("v2", &before, &[hook("warm"), hook("tell")])]).await;
    fleet.until_ready("web").await;
    let tasks = tasks(&fleet);
    assert_eq!(commands(&tasks), ["setup", "migrate", "warm", "tell"]);
    for pair in tasks.windows(2) {
        assert!(pair[0]["stoppedAt"].as_f64() <= pair[1]["createdAt"].as_f64(), "{pair:#?}");
    }
    let deployment = fleet
        .console("DescribeServices", json!({ "cluster": "shop", "services": ["web"] }))["services"]
        [0]["deployments"][0]
        .clone();
    let began = deployment["createdAt"].as_f64();
    assert!(tasks[1]["stoppedAt"].as_f64() <= began && began <= tasks[2]["createdAt"].as_f64());
    assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL", "SUCCESSFUL"]);
    let phases: Vec<String> = fleet
        .status("web")
        .hooks
        .iter()
        .map(|hook| format!("{} {} {}", hook.phase, hook.name, hook.state))
        .collect();
    assert_eq!(
        phases,
        [
            "before setup Succeeded",
            "before migrate Succeeded",
            "after warm Succeeded",
            "after tell Succeeded"
        ]
    );
    nothing_changes_for(&fleet, Duration::from_mins(30)).await;
}

#[tokio::test(start_paused = true)]
async fn a_failed_migration_stops_the_change_says_why_and_runs_again_when_released() {
    let mut fleet = at_v1(options()).await;
    behaves(&fleet, "migrate up", exits(3, 5));
    let log = json!({
        "logDriver": "awslogs",
        "options": {
            "awslogs-group": "/shop/web", "awslogs-stream-prefix": "web", "awslogs-region": "eu-west-1",
        },
    });
    let spec =
        with(migrated("v2"), "/spec/taskDefinition/containerDefinitions/0/logConfiguration", log);
    fleet.commit(&[spec]).await;
    fleet.until_stalled("web", Reason::HookFailed).await;
    let said = fleet.ready("web").message;
    let task = tasks(&fleet)[0]["taskArn"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    for part in [
        "the hook `migrate` (before) failed: container app exited with 3",
        "log group /shop/web, stream web/app/",
        "https://eu-west-1.console.aws.amazon.com/cloudwatch/",
        task.as_str(),
    ] {
        assert!(said.contains(part), "{part} not in {said}");
    }
    assert_eq!(fleet.status("web").health, Health::Degraded);
    assert_eq!(fleet.status("web").hooks[0].exit_code, Some(3));
    assert_eq!(fleet.image("web"), image("web", "v1"));
    assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL"]);
    assert!(fleet.told("web").iter().any(|told| told.starts_with("HookFailed: hook migrate")));
    nothing_changes_for(&fleet, Duration::from_mins(20)).await;
    fleet.restart().await;
    nothing_changes_for(&fleet, Duration::from_mins(10)).await;
    assert_eq!(fleet.holds("web"), [Reason::HookFailed]);

    // It fails again, and is held again although it was released before.
    fleet.order("web", Verb::Release, &Ask::default()).await;
    fleet.until("a second attempt", |fleet| tasks(fleet).len() == 2).await;
    fleet.until_stalled("web", Reason::HookFailed).await;
    nothing_changes_for(&fleet, Duration::from_mins(10)).await;
    assert_eq!(fleet.status("web").hooks[0].attempt, 2);

    behaves(&fleet, "migrate up", exits(0, 5));
    fleet.order("web", Verb::Release, &Ask::default()).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v2"));
    assert_eq!(fleet.status("web").hooks[0].attempt, 3);
    nothing_changes_for(&fleet, Duration::from_hours(2)).await;
}

#[tokio::test(start_paused = true)]
async fn a_new_spec_goes_past_a_failed_hook() {
    let mut fleet = at_v1(options()).await;
    behaves(&fleet, "migrate up", exits(1, 5));
    fleet.commit(&[migrated("v2")]).await;
    fleet.until_stalled("web", Reason::HookFailed).await;
    // The image is the same; the hook is what was wrong.
    fleet.commit(&[hooked("v2", &[hook("upgrade")], &[])]).await;
    fleet.until_ready("web").await;
    assert_eq!(commands(&tasks(&fleet)), ["migrate", "upgrade"]);
    assert_eq!(fleet.image("web"), image("web", "v2"));
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_does_not_end_is_stopped_and_has_failed() {
    let mut fleet = at_v1(options()).await;
    behaves(&fleet, "migrate up", ImageBehaviour::Runs);
    let slow = with(migrated("v2"), "/spec/rollout/hooks/before/0/timeout", json!("2m"));
    fleet.commit(&[slow]).await;
    fleet.until("it runs", |fleet| !tasks(fleet).is_empty()).await;
    fleet.pass(Duration::from_secs(100)).await;
    assert_eq!(tasks(&fleet)[0]["desiredStatus"], "RUNNING");
    fleet.until_stalled("web", Reason::HookFailed).await;
    assert!(
        fleet.ready("web").message.contains("did not end within 2m"),
        "{}",
        fleet.ready("web").message
    );
    assert_eq!(tasks(&fleet)[0]["lastStatus"], "STOPPED");
    nothing_changes_for(&fleet, Duration::from_hours(1)).await;
    assert_eq!(fleet.image("web"), image("web", "v1"));
}

#[tokio::test(start_paused = true)]
async fn an_image_that_cannot_be_pulled_fails_its_hook_with_the_reason() {
    let mut fleet = at_v1(options()).await;
    fleet.image_behaves(&image("web", "v2"), ImageBehaviour::NotFound);
    fleet.commit(&[migrated("v2")]).await;
    fleet.until_stalled("web", Reason::HookFailed).await;
    assert!(
        fleet.ready("web").message.contains("CannotPullContainerError"),
        "{}",
        fleet.ready("web").message
    );
    assert_eq!(fleet.status("web").hooks[0].exit_code, None);
    nothing_changes_for(&fleet, Duration::from_mins(30)).await;
    assert_eq!(tasks(&fleet).len(), 1);
}

/// A service on one EC2 instance that has room for a single task.
fn on_ec2(name: &str) -> Value {
    json!({
        "apiVersion": "longshore.dev/v1alpha1",
        "kind": "Service",
        "metadata": { "name": name },
        "spec": {
            "cluster": "shop",
            "taskDefinition": {
                "containerDefinitions": [{ "name": "app", "image": image(name, "v1"), "cpu": 64, "memory": 900 }],
            },
            "service": { "launchType": "EC2", "desiredCount": 1 },
        },
    })
}

#[tokio::test(start_paused = true)]
async fn a_hook_without_room_waits_for_it_and_says_so() {
    let fixtures =
        "clusters: [{name: shop, instances: [{count: 1, memory: 1000}]}]\nlatency: 8ms\n";
    let mut fleet = Fleet::with(FleetOptions { fixtures: fixtures.to_owned(), ..options() }).await;
    fleet.commit(&[on_ec2("other")]).await;
    fleet.until_ready("other").await;
    let hooks = json!({ "before": [hook("migrate")] });
    fleet.commit(&[with(on_ec2("web"), "/spec/rollout/hooks", hooks)]).await;
    fleet.until_unready("web", Reason::HookRunning).await;
    fleet.pass(Duration::from_mins(30)).await;
    assert!(fleet.service("web").is_none());
    assert!(
        fleet.ready("web").message.contains("RESOURCE:MEMORY"),
        "{}",
        fleet.ready("web").message
    );
    assert_eq!(fleet.status("web").hooks[0].state, HookState::Waiting);
    assert_eq!(tasks(&fleet).len(), 0);
    // Waiting is no reason to hammer AWS, nor to forget it.
    let mark = fleet.sandbox.call_count();
    fleet.pass(Duration::from_hours(1)).await;
    let asked = fleet.changes_since(mark).len();
    assert!((6..=20).contains(&asked), "{asked} calls in an hour");
    fleet.commit(&[with(on_ec2("other"), "/spec/service/desiredCount", json!(0))]).await;
    fleet
        .until("the hook has run", |fleet| {
            fleet.status("web").hooks[0].state == HookState::Succeeded
        })
        .await;
    fleet.until("created", |fleet| fleet.living("web").is_some()).await;
    assert_eq!(tasks(&fleet).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_hook_after_the_rollout_that_fails_is_told_and_undoes_nothing() {
    let mut fleet = at_v1(options()).await;
    behaves(&fleet, "warm up", exits(1, 5));
    fleet.commit(&[hooked("v2", &[], &[hook("warm")])]).await;
    fleet.until_stalled("web", Reason::HookFailed).await;
    assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL", "SUCCESSFUL"]);
    assert_eq!(fleet.image("web"), image("web", "v2"));
    assert_eq!(fleet.status("web").health, Health::Degraded);
    nothing_changes_for(&fleet, Duration::from_mins(30)).await;
    // Drift is healed all the same.
    fleet.console("UpdateService", json!({"cluster": "shop", "service": "web", "desiredCount": 4}));
    fleet.until("healed", |fleet| fleet.service("web").unwrap().desired == 2).await;
    behaves(&fleet, "warm up", exits(0, 5));
    fleet.order("web", Verb::Release, &Ask::default()).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL", "SUCCESSFUL"]);
    nothing_changes_for(&fleet, Duration::from_hours(2)).await;
}

#[tokio::test(start_paused = true)]
async fn no_hook_follows_a_rollout_that_was_rolled_back() {
    let mut fleet = at_v1(options()).await;
    fleet.image_exits(&image("web", "v2"));
    fleet.commit(&[hooked("v2", &[], &[hook("warm")])]).await;
    fleet.until_stalled("web", Reason::RolledBack).await;
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(tasks(&fleet).len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_newer_spec_does_not_run_beside_the_hook_of_an_older_one() {
    let mut fleet = at_v1(options()).await;
    behaves(&fleet, "migrate up", exits(0, 300));
    fleet.commit(&[migrated("v2")]).await;
    fleet.until("it runs", |fleet| !tasks(fleet).is_empty()).await;
    fleet.commit(&[migrated("v3")]).await;
    fleet.pass(Duration::from_mins(3)).await;
    assert_eq!(tasks(&fleet).len(), 1);
    assert!(
        fleet.ready("web").message.contains("of an earlier spec"),
        "{}",
        fleet.ready("web").message
    );
    fleet.until_ready("web").await;
    let tasks = tasks(&fleet);
    assert_eq!(commands(&tasks), ["migrate", "migrate"]);
    assert!(tasks[0]["stoppedAt"].as_f64() <= tasks[1]["createdAt"].as_f64());
    assert_eq!(fleet.image("web"), image("web", "v3"));
    assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL", "SUCCESSFUL"]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_or_a_refusal_runs_no_hook_twice() {
    let mut fleet = at_v1(FleetOptions { interval: Duration::from_hours(1), ..options() }).await;
    fleet.lose_reply("RunTask");
    fleet.commit(&[migrated("v2")]).await;
    fleet.until_ready("web").await;
    assert_eq!(commands(&tasks(&fleet)), ["migrate"]);
    fleet.deny("RunTask");
    fleet.commit(&[migrated("v3")]).await;
    fleet.until_unready("web", Reason::AccessDenied).await;
    // Longer than ECS remembers a token: what was refused has certainly not run.
    fleet.pass(Duration::from_hours(30)).await;
    assert_eq!(fleet.image("web"), image("web", "v2"));
    assert_eq!(tasks(&fleet).len(), 0);
    fleet.sandbox.clear_faults();
    fleet.until_ready("web").await;
    assert_eq!(commands(&tasks(&fleet)), ["migrate"]);
    assert_eq!(fleet.image("web"), image("web", "v3"));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_run_that_cannot_be_written_down() {
    let fixtures = "clusters: [{name: shop}]\nbuckets: [{name: specs}]\nlatency: 8ms\n".to_owned();
    let mut fleet = at_v1(FleetOptions { keep: Keep::Bucket, fixtures, ..options() }).await;
    fleet.pass(Duration::from_mins(2)).await;
    let kind =
        FaultKind::Error { code: "AccessDenied".to_owned(), message: "no".to_owned(), status: 403 };
    let full = Fault { times: None, ..Fault::once("s3", "PutObject", kind) };
    fleet.sandbox.inject(full.clone());
    fleet.commit(&[migrated("v2")]).await;
    fleet.until_stalled("web", Reason::StateUnknown).await;
    nothing_changes_for(&fleet, Duration::from_mins(30)).await;
    fleet.sandbox.clear_faults();
    behaves(&fleet, "migrate up", exits(0, 60));
    fleet.until("it runs", |fleet| !tasks(fleet).is_empty()).await;
    fleet.pass(Duration::from_secs(10)).await;
    // Its end cannot be written down: the rollout waits until it is.
    fleet.sandbox.inject(full);
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(fleet.image("web"), image("web", "v1"));
    fleet.sandbox.clear_faults();
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v2"));
    assert_eq!(commands(&tasks(&fleet)), ["migrate"]);
}

#[tokio::test(start_paused = true)]
async fn what_a_lost_store_knew_is_found_at_ecs() {
    for code in [0, 3] {
        let mut fleet = at_v1(options()).await;
        behaves(&fleet, "migrate up", exits(code, 120));
        fleet.commit(&[migrated("v2")]).await;
        fleet.until("it runs", |fleet| !tasks(fleet).is_empty()).await;
        fleet.pass(Duration::from_secs(20)).await;
        fleet.kill().await;
        fleet.lose_state();
        fleet.pass(Duration::from_mins(10)).await;
        fleet.restart().await;
        match code {
            0 => fleet.until_ready("web").await,
            _ => fleet.until_stalled("web", Reason::HookFailed).await,
        }
        assert_eq!(commands(&tasks(&fleet)), ["migrate"], "exit code {code}");
        let expected = if code == 0 { "v2" } else { "v1" };
        assert_eq!(fleet.image("web"), image("web", expected));
    }
}

#[tokio::test(start_paused = true)]
async fn how_a_hook_ended_that_nobody_saw_end_is_for_a_person_to_say() {
    let mut fleet = at_v1(FleetOptions { interval: Duration::from_hours(1), ..options() }).await;
    behaves(&fleet, "migrate up", exits(0, 60));
    fleet.commit(&[migrated("v2")]).await;
    fleet
        .until("it is known", |fleet| {
            fleet.status("web").hooks.first().is_some_and(|hook| hook.task.is_some())
        })
        .await;
    fleet.kill().await;
    fleet.pass(Duration::from_hours(3)).await;
    fleet.restart().await;
    fleet.until_stalled("web", Reason::HookFailed).await;
    assert_eq!(fleet.status("web").hooks[0].state, HookState::Unknown);
    assert!(
        fleet.ready("web").message.contains("nobody can say"),
        "{}",
        fleet.ready("web").message
    );
    nothing_changes_for(&fleet, Duration::from_hours(26)).await;
    fleet.order("web", Verb::Release, &Ask::default()).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v2"));
    assert_eq!(fleet.status("web").hooks[0].attempt, 2);
}

#[tokio::test(start_paused = true)]
async fn a_plan_names_the_hook_before_the_update() {
    let mut fleet = at_v1(options()).await;
    fleet.order("web", Verb::Hold, &Ask::default()).await;
    fleet.commit(&[migrated("v2")]).await;
    fleet.until_stalled("web", Reason::ManualHold).await;
    assert_eq!(tasks(&fleet).len(), 0, "a held service runs no hook");
    let busy = fleet.busy();
    fleet.order("web", Verb::Release, &Ask::default()).await;
    fleet.pass(Duration::from_secs(30)).await;
    let plan = fleet.plan("web").await;
    let names = |actions: &[planner::Action]| -> Vec<&str> {
        actions.iter().map(planner::Action::operation).collect()
    };
    assert_eq!(names(&plan.actions), ["RegisterTaskDefinition", "RunTask"]);
    assert_eq!(names(&plan.withheld), ["TagResource", "UpdateService", "TagResource"]);
    assert_eq!(plan.actions[1].changes()[0].path, "rollout.hooks.before[migrate]");
    assert_eq!(tasks(&fleet).len(), 0);
    drop(busy);
    fleet.until_ready("web").await;
    assert_eq!(commands(&tasks(&fleet)), ["migrate"]);
}

mod killed {
    //! The process dies after every single call of a rollout with hooks, calls of the state store included.

    use super::*;

    const FIXTURES: &str = "
clusters: [{name: shop}]
buckets: [{name: specs}]
timings: {provisioning: 500ms, pending: 500ms, pull: 500ms, healthyWait: 5s, deregistration: 1s, restartDelay: 500ms}
";
    const CALLS_MAX: u64 = 200;

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Restart {
        AtOnce,
        /// Long after the hook has ended, while ECS still shows its task.
        Late,
    }

    async fn world() -> Fleet {
        let interval = Duration::from_hours(1);
        let fixtures = FIXTURES.to_owned();
        let fleet =
            at_v1(FleetOptions { fixtures, interval, keep: Keep::Bucket, ..options() }).await;
        fleet.pass(Duration::from_mins(2)).await;
        fleet
    }

    /// Kills after the `count`-th call from the commit on and starts again; the last call before, `None` once the story has
    /// fewer.
    async fn killed_after(
        fleet: &mut Fleet,
        count: u64,
        restart: Restart,
        spec: Value,
        is_over: impl Fn(&Fleet) -> bool,
    ) -> Option<String> {
        let reached = fleet.sandbox.hang_after_call(count);
        fleet.commit(&[spec]).await;
        let is_killed = tokio::select! {
            () = reached.notified() => true,
            () = fleet.until("over", &is_over) => false,
        };
        let last = fleet.sandbox.calls().last().map(|call| call.operation.clone());
        fleet.kill().await;
        fleet.sandbox.release();
        if restart == Restart::Late {
            fleet.pass(Duration::from_mins(20)).await;
        }
        fleet.restart().await;
        fleet.until(&format!("over after {count}, {last:?}"), &is_over).await;
        fleet.pass(Duration::from_mins(10)).await;
        let mark = fleet.sandbox.call_count();
        fleet.pass(Duration::from_mins(10)).await;
        assert_eq!(fleet.changes_since(mark), [""; 0], "after call {count}, {last:?}");
        last.filter(|_| is_killed)
    }

    fn assert_covered(last_calls: &[String], changes: &[&str]) {
        println!("{} moments: {last_calls:?}", last_calls.len());
        for change in changes {
            assert!(last_calls.iter().any(|call| call == change), "{change} not in {last_calls:?}");
        }
        assert!((last_calls.len() as u64) < CALLS_MAX - 1, "the story never ended by itself");
    }

    #[tokio::test(start_paused = true)]
    async fn a_rollout_with_hooks_that_work() {
        for restart in [Restart::AtOnce, Restart::Late] {
            let mut last_calls = Vec::new();
            for count in 1..CALLS_MAX {
                let mut fleet = world().await;
                let spec = hooked("v2", &[hook("migrate")], &[hook("warm")]);
                let over = |fleet: &Fleet| {
                    fleet.is_ready("web") && fleet.image("web") == image("web", "v2")
                };
                let last = killed_after(&mut fleet, count, restart, spec, over).await;
                let told = format!("{restart:?} after call {count}, {last:?}");
                assert_eq!(commands(&tasks(&fleet)), ["migrate", "warm"], "{told}");
                assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL", "SUCCESSFUL"], "{told}");
                assert_eq!(fleet.revisions("shop-web"), 2, "{told}");
                assert!(fleet.plan("web").await.is_settled(), "{told}");
                let Some(last) = last else { break };
                last_calls.push(last);
            }
            let changes =
                ["RegisterTaskDefinition", "RunTask", "PutObject", "UpdateService", "TagResource"];
            assert_covered(&last_calls, &changes);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_rollout_whose_hook_fails() {
        for restart in [Restart::AtOnce, Restart::Late] {
            let mut last_calls = Vec::new();
            for count in 1..CALLS_MAX {
                let mut fleet = world().await;
                behaves(&fleet, "migrate up", exits(3, 5));
                let over = |fleet: &Fleet| {
                    fleet.object("web").is_some() && fleet.holds("web") == [Reason::HookFailed]
                };
                let last = killed_after(&mut fleet, count, restart, migrated("v2"), over).await;
                let told = format!("{restart:?} after call {count}, {last:?}");
                assert_eq!(commands(&tasks(&fleet)), ["migrate"], "{told}");
                assert_eq!(fleet.rollouts("web"), ["SUCCESSFUL"], "{told}");
                assert_eq!(fleet.image("web"), image("web", "v1"), "{told}");
                let Some(last) = last else { break };
                last_calls.push(last);
            }
            assert_covered(&last_calls, &["RegisterTaskDefinition", "RunTask", "PutObject"]);
        }
    }
}
