//! What is made of tasks and of RunTask's answers.

use crds::{HookPhase, HumanDuration};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{HookRun, Live, LogPlace, Outcome, answered, learn, refused};

const TASK: &str = "arn:aws:ecs:eu-west-1:111122223333:task/shop/0123";

fn at(minutes: i64) -> Timestamp {
    "2026-03-01T00:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minutes)
}

fn run(task: Option<&str>) -> HookRun {
    HookRun {
        phase: HookPhase::Before,
        name: "migrate".parse().unwrap(),
        id: "longshore/abc".to_owned(),
        attempt: 1,
        misses: 0,
        heeded: 0,
        requested_at: at(0),
        family: "shop-web".to_owned(),
        container: "app".to_owned(),
        timeout: HumanDuration::from_secs(900),
        log: None,
        task: task.map(str::to_owned),
        missing_since: None,
        waits: None,
        result: None,
    }
}

/// A stopped task with these containers: name, exit code, reason.
fn stopped(code: &str, reason: &str, containers: &[(&str, Option<i64>, Option<&str>)]) -> Value {
    let containers: Vec<Value> = containers
        .iter()
        .map(|(name, exit, reason)| json!({ "name": name, "exitCode": exit, "reason": reason }))
        .collect();
    json!({
        "taskArn": TASK, "lastStatus": "STOPPED", "desiredStatus": "STOPPED", "stopCode": code,
        "stoppedReason": reason, "containers": containers,
    })
}

#[test]
fn the_exit_code_of_the_named_container_decides() {
    const ESSENTIAL: &str = "EssentialContainerExited";
    let exited = "Essential container in task exited";
    let oom = Some("OutOfMemoryError: Container killed due to memory usage");
    let spot = "Your Spot Task was interrupted.";
    for (task, outcome, exit_code, words) in [
        (
            stopped(ESSENTIAL, exited, &[("app", Some(0), None)]),
            Outcome::Succeeded,
            Some(0),
            "exited with 0",
        ),
        (
            stopped(ESSENTIAL, exited, &[("proxy", Some(143), None), ("app", Some(0), None)]),
            Outcome::Succeeded,
            Some(0),
            "container app",
        ),
        (
            stopped(ESSENTIAL, exited, &[("app", Some(3), None)]),
            Outcome::Failed,
            Some(3),
            "container app exited with 3",
        ),
        (
            stopped(ESSENTIAL, exited, &[("proxy", Some(143), None), ("app", Some(3), None)]),
            Outcome::Failed,
            Some(3),
            "container app exited with 3",
        ),
        (
            stopped(ESSENTIAL, exited, &[("app", Some(137), oom)]),
            Outcome::Failed,
            Some(137),
            "ran out of memory",
        ),
        (stopped(ESSENTIAL, exited, &[("app", None, None)]), Outcome::Failed, None, exited),
        (
            stopped("UserInitiated", "enough", &[("app", Some(0), None)]),
            Outcome::Failed,
            Some(0),
            "stopped: enough",
        ),
        (
            stopped("SpotInterruption", spot, &[("app", Some(0), None)]),
            Outcome::Failed,
            Some(0),
            "Spot capacity",
        ),
        (
            stopped(
                "TaskFailedToStart",
                "CannotPullContainerError: pull access denied",
                &[("app", None, None)],
            ),
            Outcome::Failed,
            None,
            "does not let the task pull",
        ),
    ] {
        let learnt = learn(&run(Some(TASK)), Some(&task), true, at(2));
        let end = learnt.result.unwrap_or_else(|| panic!("{task}: {:?}", learnt.waits));
        assert_eq!((end.outcome, end.exit_code), (outcome, exit_code), "{task}");
        assert!(end.message.contains(words), "{}", end.message);
        assert!(!end.message.contains("ECS starts another"), "{}", end.message);
    }
}

#[test]
fn a_task_that_found_no_room_is_asked_for_again_with_another_token() {
    let reason = "Capacity is unavailable at this time. Please try again later";
    let task = stopped("TaskFailedToStart", reason, &[("app", None, None)]);
    let first = learn(&run(Some(TASK)), Some(&task), true, at(2));
    let waits = first.waits.clone().unwrap();
    assert!(first.result.is_none() && first.task.is_none() && waits.until > at(2), "{first:?}");
    assert!(waits.why.contains("no capacity"), "{}", waits.why);
    assert_ne!(first.token(), run(None).token());
    for (reason, is_capacity) in [
        ("RESOURCE:MEMORY", true),
        ("RESOURCE:CPU", true),
        ("AGENT", true),
        ("No Container Instances were found in your cluster.", true),
        ("ATTRIBUTE", false),
        ("MemberOf placement constraint unsatisfied.", false),
    ] {
        let answer = json!({ "tasks": [], "failures": [{ "arn": "i", "reason": reason }] });
        let after = answered(&run(None), &answer, at(1));
        assert_eq!(after.waits.is_some(), is_capacity, "{reason}: {after:?}");
        assert_eq!(after.result.is_some(), !is_capacity, "{reason}: {after:?}");
    }
    // The pauses grow, and not without end.
    let answer = json!({ "tasks": [], "failures": [{ "reason": "RESOURCE:CPU" }] });
    let mut waiting = run(None);
    for _ in 0..1000 {
        waiting = answered(&HookRun { waits: None, ..waiting }, &answer, at(0));
    }
    assert_eq!(waiting.waits.unwrap().until, at(5));
}

#[test]
fn what_cannot_be_known_is_not_guessed() {
    let outcome = |run: &HookRun| run.result.as_ref().map(|end| end.outcome);
    // A task that reads do not show: for a while those may be stale, however long it has run.
    let running = json!({ "taskArn": TASK, "lastStatus": "RUNNING", "desiredStatus": "RUNNING" });
    let mut long = run(Some(TASK));
    for (minute, is_shown, expected) in [
        (1, false, None),
        (4, false, None),
        (7, true, None),
        (60, false, None),
        (63, true, None),
        (90, false, None),
        (94, false, None),
        (95, false, Some(Outcome::Unknown)),
    ] {
        let before = long.clone();
        long = learn(&before, is_shown.then_some(&running), true, at(minute));
        assert_eq!(outcome(&long), expected, "{minute}");
        assert_eq!(long.tells_more_than(&before), expected.is_some(), "{minute}");
    }
    // A task that was asked for and that nobody has seen: the token makes asking again safe while it counts.
    for (hours, expected) in [(0, None), (22, None), (23, Some(Outcome::Unknown))] {
        assert_eq!(outcome(&learn(&run(None), None, true, at(hours * 60))), expected, "{hours}");
    }
    // That of a spec that was replaced is not asked for again.
    for (age, expected) in [(4, None), (6, Some(Outcome::Unknown))] {
        assert_eq!(outcome(&learn(&run(None), None, false, at(age))), expected, "{age}");
    }
    let forgotten = answered(&run(None), &json!({ "tasks": [], "failures": [] }), at(1));
    assert_eq!(outcome(&forgotten), Some(Outcome::Unknown));
    // What AWS refused has certainly not run.
    let waits = refused(&run(None), "no".to_owned(), at(1)).waits.unwrap();
    assert_eq!((waits.why.as_str(), waits.until), ("no", at(1)));
}

#[test]
fn the_timeout_counts_from_when_the_task_was_asked_for_or_began_whatever_ecs_has_for_a_clock() {
    let run = run(Some(TASK));
    for (created, last) in [(None, 14), (Some(-20), 14), (Some(0), 14), (Some(10), 24)] {
        let task = json!({
            "taskArn": TASK, "lastStatus": "RUNNING", "desiredStatus": "RUNNING",
            "createdAt": created.map(|minutes| at(minutes).as_second()),
        });
        let task = Live::of(&task).unwrap();
        assert!(!run.is_overdue(&task, at(last)), "{created:?}");
        assert!(run.is_overdue(&task, at(last + 1)), "{created:?}");
    }
}

#[test]
fn the_log_is_told_as_the_console_writes_it() {
    let container = json!({
        "name": "app",
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": "/shop/web", "awslogs-stream-prefix": "app", "awslogs-region": "eu-west-1",
            },
        },
    });
    let place = LogPlace::of(&container).unwrap();
    assert_eq!(place.told("app", TASK), "log group /shop/web, stream app/app/0123");
    assert_eq!(
        place.address("app", TASK).unwrap(),
        "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/$252Fshop$252Fweb/log-events/app$252Fapp$252F0123"
    );
    assert_eq!(LogPlace::of(&json!({ "name": "app" })), None);
}
