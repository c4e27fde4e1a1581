//! When hooks run, and what waits for them.

use crds::{HookPhase, Order, Reason, Verb};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{ARN, NEW_ROLLOUT, Plan, World, desired, resolved, spec};
use crate::desired::Desired;
use crate::hook::{self, Live, Outcome};
use crate::observed::Observed;
use crate::orders::Orders;
use crate::plan::{Action, Requeue, plan};

fn at(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
}

/// The spec of an image with hooks of these names.
fn hooked(image: &str, before: &[&str], after: &[&str]) -> Desired {
    let hooks = |names: &[&str]| -> Vec<Value> {
        names
            .iter()
            .map(|name| json!({ "name": name, "command": [name], "timeout": "10m" }))
            .collect()
    };
    let mut service = serde_json::to_value(spec(image, &json!({}))).unwrap();
    service["spec"]["rollout"] =
        json!({ "hooks": { "before": hooks(before), "after": hooks(after) } });
    resolved(&serde_json::from_value(service).unwrap())
}

fn names(actions: &[Action]) -> Vec<&'static str> {
    actions.iter().map(Action::operation).collect()
}

fn reasons(plan: &Plan) -> Vec<Reason> {
    plan.holds.iter().map(|hold| hold.reason).collect()
}

/// Carries a plan out as the controller does: what it begins is written down, and RunTask answers with a task.
fn carry(observed: &mut Observed, desired: &Desired, plan: &Plan, now: Timestamp) -> Vec<Value> {
    hook::before_sending(&mut observed.hooks.logs, desired, plan, now);
    let mut asked = Vec::new();
    for action in &plan.actions {
        if let Action::RunTask { input, run, .. } = action {
            let arn = format!("{ARN}:task/shop/{}", run.name);
            let run = hook::answered(run, &json!({ "tasks": [{ "taskArn": arn }] }), now);
            hook::put(&mut observed.hooks.logs, &desired.spec_hash, run);
            asked.push(input.clone());
        }
    }
    asked
}

/// Lets the running hook end with an exit code.
fn ends(observed: &mut Observed, code: i64, now: Timestamp) {
    let (spec, run) =
        hook::open(&observed.hooks.logs).map(|(spec, run)| (spec.clone(), run.clone())).unwrap();
    let task = json!({
        "taskArn": run.task, "lastStatus": "STOPPED", "stopCode": "EssentialContainerExited",
        "containers": [{ "name": "app", "exitCode": code }],
    });
    let learnt = hook::learn(&run, Some(&task), true, now);
    hook::put(&mut observed.hooks.logs, &spec, learnt);
}

fn decide(observed: &Observed, desired: &Desired, now: Timestamp) -> Plan {
    plan(desired, observed, &Orders::default(), now)
}

#[test]
fn hooks_before_stand_between_the_registration_and_the_update_one_after_the_other() {
    let wanted = hooked("web:v2", &["setup", "migrate"], &[]);
    let mut world = World::running("web:v1");
    let mut observed = world.observe();
    let first = decide(&observed, &wanted, at(0));
    assert_eq!(names(&first.actions), ["RegisterTaskDefinition", "RunTask"]);
    assert_eq!(names(&first.withheld), NEW_ROLLOUT[1..]);
    assert_eq!(first.requeue, Requeue::After(std::time::Duration::from_secs(5)));
    let said = "the hook `setup` runs; the rollout waits for its end";
    assert_eq!(first.holds[0].message, said);
    assert_eq!(reasons(&first), [Reason::HookRunning]);
    let register = Plan { actions: first.actions[..1].to_vec(), ..Plan::nothing() };
    world.apply(&register);
    let asked = carry(&mut observed, &wanted, &first, at(0));
    let input = &asked[0];
    assert_eq!(
        input["overrides"]["containerOverrides"],
        json!([{ "name": "app", "command": ["setup"] }])
    );
    assert_eq!(input["launchType"], "FARGATE");
    assert_eq!(
        input["networkConfiguration"]["awsvpcConfiguration"]["subnets"],
        json!(["subnet-b", "subnet-a"])
    );
    assert_eq!(input["clientToken"], input["startedBy"]);
    let token = input["clientToken"].as_str().unwrap();
    assert!(token.len() <= 64 && token.starts_with("longshore/"), "{token}");
    assert!(
        input["tags"]
            .as_array()
            .unwrap()
            .contains(&json!({ "key": "longshore.dev/hook", "value": "before/setup" }))
    );

    let observe = |world: &World, observed: &Observed| Observed {
        hooks: observed.hooks.clone(),
        ..world.observe()
    };
    let mut observed = observe(&world, &observed);
    let waiting = decide(&observed, &wanted, at(5));
    assert_eq!((waiting.actions.len(), reasons(&waiting)), (0, vec![Reason::HookRunning]));
    for (time, seconds) in [(5, 5), (179, 5), (180, 15)] {
        let waiting = decide(&observed, &wanted, at(time));
        assert_eq!(waiting.requeue, Requeue::After(std::time::Duration::from_secs(seconds)));
    }
    ends(&mut observed, 0, at(6));
    let second = decide(&observed, &wanted, at(7));
    assert_eq!(names(&second.actions), ["RunTask"]);
    carry(&mut observed, &wanted, &second, at(7));
    ends(&mut observed, 0, at(8));
    let last = decide(&observed, &wanted, at(9));
    assert_eq!(names(&last.actions), NEW_ROLLOUT[1..]);
    assert_eq!(last.holds, []);
    world.apply(&last);
    // Sent once, the spec runs them no more, even with all that was written down lost.
    assert!(decide(&world.observe(), &wanted, at(10)).is_settled());
}

#[test]
fn a_failed_hook_holds_its_spec_until_it_is_released_after_the_failure() {
    let wanted = hooked("web:v2", &["migrate"], &[]);
    let world = World::running("web:v1");
    let mut observed = world.observe();
    let first = decide(&observed, &wanted, at(0));
    let token = carry(&mut observed, &wanted, &first, at(0))[0]["clientToken"].clone();
    ends(&mut observed, 3, at(10));
    let held = decide(&observed, &wanted, at(20));
    assert_eq!((held.actions.len(), reasons(&held)), (0, vec![Reason::HookFailed]));
    assert!(held.holds[0].message.contains("container app exited with 3"), "{:?}", held.holds);
    // What the operator's clock says of it decides nothing: it may be hours ahead of ECS's, or behind.
    let released = |id: u64, spec: &Desired| Orders {
        release: Some(Order {
            id,
            verb: Verb::Release,
            actor: "ci".to_owned(),
            time: at(if id.is_multiple_of(2) { 600 } else { -600 }),
            reason: None,
            spec_hash: Some(spec.spec_hash.clone()),
            to: None,
            hook_id: None,
            replace: false,
            prune: false,
            now: false,
            expires_at: None,
        }),
        ..Orders::default()
    };
    // A release that was given before it was seen to fail does not count, nor does one of another spec.
    observed.hooks.logs[0].runs[0].heeded = 5;
    for orders in [released(4, &wanted), released(5, &wanted), released(6, &desired("web:v3"))] {
        assert_eq!(reasons(&plan(&wanted, &observed, &orders, at(40))), [Reason::HookFailed]);
    }
    let again = plan(&wanted, &observed, &released(7, &wanted), at(40));
    let asked = carry(&mut observed, &wanted, &again, at(40));
    assert_eq!(asked.len(), 1);
    assert_ne!(asked[0]["clientToken"], token);
    let run = hook::of(&observed.hooks.logs, &wanted.spec_hash)
        .unwrap()
        .run(HookPhase::Before, &"migrate".parse().unwrap());
    assert_eq!(run.unwrap().attempt, 2);
    // The same release does not count for its second failure.
    ends(&mut observed, 3, at(50));
    let held = plan(&wanted, &observed, &released(7, &wanted), at(60));
    assert_eq!(reasons(&held), [Reason::HookFailed]);
    let again = plan(&wanted, &observed, &released(8, &wanted), at(60));
    assert_eq!(names(&again.actions).last(), Some(&"RunTask"));
    // A new spec runs its own.
    let newer = hooked("web:v3", &["migrate"], &[]);
    assert!(names(&decide(&observed, &newer, at(70)).actions).contains(&"RunTask"));
}

#[test]
fn hooks_after_follow_a_rollout_that_ended_well_and_was_sent_with_them() {
    let wanted = hooked("web:v2", &[], &["warm"]);
    let mut world = World::running("web:v1");
    let mut observed = world.observe();
    let rolling = decide(&observed, &wanted, at(0));
    assert_eq!(names(&rolling.actions), NEW_ROLLOUT);
    carry(&mut observed, &wanted, &rolling, at(0));
    world.apply(&rolling);
    // Without what was written down nobody knows whether it has run: it does not.
    assert!(decide(&world.observe(), &wanted, at(1)).is_settled());
    let mut observed = Observed { hooks: observed.hooks.clone(), ..world.observe() };
    let after = decide(&observed, &wanted, at(1));
    assert_eq!(names(&after.actions), ["RunTask"]);
    // It comes after what differs, and not while a person holds the service.
    let mut differing = observed.clone();
    let mut answer = differing.service.as_ref().unwrap().raw.clone();
    answer["desiredCount"] = json!(7);
    differing.service = Some(crate::observed::ObservedService::from_describe(&answer));
    assert_eq!(names(&decide(&differing, &wanted, at(1)).actions), ["UpdateService"]);
    let hold = json!({ "id": 1, "verb": "hold", "actor": "ann", "time": at(0) });
    let orders = Orders { hold: serde_json::from_value(hold).unwrap(), ..Orders::default() };
    let frozen = plan(&wanted, &observed, &orders, at(1));
    assert_eq!((names(&frozen.actions), reasons(&frozen)), (vec![], vec![Reason::ManualHold]));
    carry(&mut observed, &wanted, &after, at(1));
    assert_eq!(after.holds[0].message, "the hook `warm` runs after the rollout");
    for (time, seconds) in [(2, 5), (180, 5), (181, 15)] {
        let waiting = decide(&observed, &wanted, at(time));
        assert_eq!(
            (names(&waiting.actions), reasons(&waiting)),
            (vec![], vec![Reason::HookRunning])
        );
        assert_eq!(waiting.requeue, Requeue::After(std::time::Duration::from_secs(seconds)));
    }
    let mut failed = observed.clone();
    ends(&mut failed, 1, at(3));
    let told = decide(&failed, &wanted, at(4));
    assert_eq!((told.is_settled(), reasons(&told)), (true, vec![Reason::HookFailed]));
    ends(&mut observed, 0, at(3));
    let done = decide(&observed, &wanted, at(4));
    assert_eq!((done.is_settled(), done.holds.len()), (true, 0));
}

#[test]
fn a_newer_spec_waits_for_the_hook_of_an_older_one_and_stops_it_when_its_time_is_up() {
    let older = hooked("web:v2", &["migrate"], &[]);
    let world = World::running("web:v1");
    let mut observed = world.observe();
    let first = decide(&observed, &older, at(0));
    carry(&mut observed, &older, &first, at(0));
    let task = format!("{ARN}:task/shop/migrate");
    observed.hooks.task = Some(Live {
        task: task.clone(),
        status: "RUNNING".to_owned(),
        created_at: Some(at(0)),
        is_stopping: false,
    });
    let newer = desired("web:v3");
    let waiting = decide(&observed, &newer, at(60));
    assert_eq!((waiting.actions.len(), reasons(&waiting)), (0, vec![Reason::HookRunning]));
    let late = decide(&observed, &newer, at(601));
    let [Action::StopTask { input, .. }] = late.actions.as_slice() else { panic!("{late:?}") };
    assert_eq!(input["task"], json!(task));
    assert_eq!(late.requeue, Requeue::After(std::time::Duration::from_secs(5)));
    // It is stopped once, and not while a person holds the service.
    let mut stopping = observed.clone();
    stopping.hooks.task.as_mut().unwrap().is_stopping = true;
    assert_eq!(names(&decide(&stopping, &newer, at(601)).actions), [""; 0]);
    let hold = json!({ "id": 1, "verb": "hold", "actor": "ann", "time": at(0) });
    let orders = Orders { hold: serde_json::from_value(hold).unwrap(), ..Orders::default() };
    assert_eq!(names(&plan(&newer, &observed, &orders, at(601)).actions), [""; 0]);
    ends(&mut observed, 0, at(602));
    observed.hooks.task = None;
    let run = &hook::of(&observed.hooks.logs, &older.spec_hash).unwrap().runs[0];
    assert_eq!(run.result.as_ref().unwrap().outcome, Outcome::Succeeded);
    assert_eq!(names(&decide(&observed, &newer, at(603)).actions), NEW_ROLLOUT);
}

#[test]
fn what_was_learnt_and_could_not_be_written_down_lets_nothing_be_changed() {
    let wanted = hooked("web:v2", &["migrate"], &[]);
    let mut observed = World::running("web:v1").observe();
    observed.hooks.unrecorded = Some("the disk is full".to_owned());
    let held = decide(&observed, &wanted, at(0));
    assert_eq!((held.actions.len(), reasons(&held)), (0, vec![Reason::StateUnknown]));
}

/// The hooks as the status tells them: name, state, and what is said.
fn said(observed: &Observed, desired: &Desired) -> Vec<(String, crds::HookState, String)> {
    let statuses = hook::statuses(desired, observed).into_iter();
    statuses
        .map(|status| (status.name.to_string(), status.state, status.message.unwrap_or_default()))
        .collect()
}

#[test]
fn hooks_are_told_from_their_beginning_to_their_end() {
    use crds::HookState::{Failed, Running, Succeeded, Unknown};
    let wanted = hooked("web:v2", &["setup", "migrate"], &[]);
    let mut observed = World::running("web:v1").observe();
    let row = |name: &str, state, message: &str| (name.to_owned(), state, message.to_owned());
    assert_eq!(said(&observed, &wanted), []);
    let first = decide(&observed, &wanted, at(0));
    carry(&mut observed, &wanted, &first, at(0));
    assert_eq!(said(&observed, &wanted), [row("setup", Running, "")]);
    for (task, message) in [("setup", "its task is PENDING"), ("other", "")] {
        observed.hooks.task = Some(Live {
            task: format!("{ARN}:task/shop/{task}"),
            status: "PENDING".to_owned(),
            created_at: None,
            is_stopping: false,
        });
        assert_eq!(said(&observed, &wanted), [row("setup", Running, message)]);
    }
    ends(&mut observed, 0, at(6));
    let second = decide(&observed, &wanted, at(7));
    carry(&mut observed, &wanted, &second, at(7));
    ends(&mut observed, 3, at(8));
    let statuses = hook::statuses(&wanted, &observed);
    assert_eq!((statuses[0].state, statuses[1].state), (Succeeded, Failed));
    assert_eq!((statuses[0].exit_code, statuses[1].exit_code), (Some(0), Some(3)));
    assert_eq!((statuses[1].started_at, statuses[1].ended_at), (at(7), Some(at(8))));
    assert_eq!(statuses[1].log, None);
    let mut run = observed.hooks.logs[0].runs[1].clone();
    run.result.as_mut().unwrap().outcome = Outcome::Unknown;
    let place = json!({ "group": "/shop/web", "streamPrefix": "app", "region": "eu-west-1" });
    run.log = Some(serde_json::from_value(place).unwrap());
    hook::put(&mut observed.hooks.logs, &wanted.spec_hash, run);
    let statuses = hook::statuses(&wanted, &observed);
    assert_eq!(statuses[1].state, Unknown);
    assert!(statuses[1].log.as_ref().unwrap().ends_with("app$252Fapp$252Fmigrate"));
    assert_eq!(said(&observed, &desired("web:v2")), [], "the hooks of another spec");
}

#[test]
fn a_task_that_found_no_room_is_asked_for_again_when_its_time_has_come() {
    let wanted = hooked("web:v2", &["setup"], &[]);
    let mut observed = World::running("web:v1").observe();
    let first = decide(&observed, &wanted, at(0));
    carry(&mut observed, &wanted, &first, at(0));
    let run = observed.hooks.logs[0].runs[0].clone();
    let waits = hook::Waits { why: "no capacity".to_owned(), until: at(30) };
    let run = hook::HookRun { task: None, waits: Some(waits), ..run };
    hook::put(&mut observed.hooks.logs, &wanted.spec_hash, run);
    let message = "the task of the hook `setup` is asked for again: no capacity";
    for (now, left) in [(20, 10), (29, 1)] {
        let waiting = decide(&observed, &wanted, at(now));
        assert_eq!(
            (names(&waiting.actions), reasons(&waiting)),
            (vec![], vec![Reason::HookRunning])
        );
        assert_eq!(waiting.holds[0].message, message);
        assert_eq!(waiting.requeue, Requeue::After(std::time::Duration::from_secs(left)));
    }
    let told = said(&observed, &wanted);
    assert_eq!(told, [("setup".to_owned(), crds::HookState::Waiting, "no capacity".to_owned())]);
    let again = decide(&observed, &wanted, at(30));
    let [Action::RegisterTaskDefinition { .. }, Action::RunTask { run, .. }] =
        again.actions.as_slice()
    else {
        panic!("{again:?}")
    };
    assert_eq!((&run.waits, run.requested_at, run.attempt), (&None, at(30), 1));
    assert_eq!(again.holds[0].message, message, "it may find none again");
}
