//! What measurements say, as tables: each row is a history and the verdict on it.

use std::time::Duration;

use crds::{Check, CheckState, GateStage};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::*;
use crate::gate;

const BEGAN: Timestamp = Timestamp::UNIX_EPOCH;

fn at(seconds: i64) -> Timestamp {
    BEGAN + SignedDuration::from_secs(seconds)
}

fn resolved(check: Value) -> Result<DesiredCheck, (String, String)> {
    let check: Check = serde_json::from_value(check).unwrap();
    resolve(&[check], true).map(|mut checks| checks.remove(0))
}

#[allow(clippy::needless_pass_by_value, reason = "callers write `json!({…})`")]
fn check(more: Value) -> DesiredCheck {
    let mut check = json!({ "name": "smoke", "http": { "url": "https://web.example/" } });
    for (member, value) in more.as_object().unwrap() {
        check[member] = value.clone();
    }
    resolved(check).unwrap()
}

fn measurement(outcome: Outcome, time: Timestamp) -> Measurement {
    Measurement { time, outcome, value: Some("7".to_owned()), message: "7 is told".to_owned() }
}

/// An analysis whose only check was measured once a minute, `p`, `f` or `i` each time.
fn measured(history: &str, rolled: Option<i64>) -> Analysis {
    let mut analysis = Analysis::new("ecs-svc/2".to_owned(), "abc".to_owned(), BEGAN);
    for (minute, outcome) in (0..).zip(history.chars()) {
        let outcome = match outcome {
            'p' => Outcome::Pass,
            'f' => Outcome::Fail,
            _ => Outcome::Inconclusive,
        };
        analysis.count(Part::Along, "smoke", measurement(outcome, at(minute * 60)));
    }
    if let Some(rolled) = rolled {
        analysis.has_rolled(at(rolled));
    }
    analysis
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Running(_) => "running",
        Verdict::Passed => "passed",
        Verdict::Inconclusive(_) => "inconclusive",
        Verdict::Failed(_) => "failed",
    }
}

#[test]
fn nothing_but_what_was_measured_passes_or_fails() {
    let once = json!({});
    let thrice = json!({ "count": 3 });
    let lenient = json!({ "failureLimit": 1 });
    let after = json!({ "after": "5m" });
    let rows: &[(&Value, &str, Option<i64>, i64, &str)] = &[
        (&once, "", None, 0, "running"),
        (&once, "", Some(0), 3600, "running"),
        // While ECS rolls nothing has passed yet.
        (&once, "p", None, 60, "running"),
        (&once, "p", Some(0), 60, "passed"),
        // What was measured before ECS had ended is no last word.
        (&once, "p", Some(30), 60, "running"),
        (&once, "pp", Some(30), 60, "passed"),
        (&once, "f", None, 0, "failed"),
        (&once, "ppf", Some(0), 120, "failed"),
        (&lenient, "f", Some(0), 0, "running"),
        (&lenient, "fp", Some(0), 60, "passed"),
        (&lenient, "fpf", Some(0), 120, "failed"),
        (&thrice, "pp", Some(0), 120, "running"),
        (&thrice, "ppp", Some(0), 120, "passed"),
        (&thrice, "pipp", Some(0), 180, "passed"),
        (&after, "pppp", Some(0), 240, "running"),
        (&after, "pppppp", Some(0), 300, "passed"),
        (&after, "pppppf", Some(0), 300, "failed"),
        // Silence is neither, until it has lasted.
        (&once, "i", Some(0), 60, "running"),
        (&once, "iiiii", Some(0), 299, "running"),
        (&once, "iiiiii", Some(0), 300, "inconclusive"),
        (&once, "iiiiiip", Some(0), 360, "passed"),
        (&once, "piiiiii", Some(0), 360, "inconclusive"),
        (&after, "ppppppi", Some(0), 360, "running"),
        (&once, "iiiiiif", Some(0), 360, "failed"),
    ];
    for (more, history, rolled, now, expected) in rows {
        let checks = [check((*more).clone())];
        let verdict = measured(history, *rolled).verdict(&checks, Part::Along, at(*now));
        assert_eq!(word(&verdict), *expected, "{more} {history:?} {rolled:?} {now}: {verdict:?}");
    }
}

#[test]
fn the_worst_check_speaks_for_all() {
    let checks: Vec<DesiredCheck> = ["good", "silent", "bad"]
        .map(|name| DesiredCheck { name: name.to_owned(), ..check(json!({})) })
        .into();
    let mut analysis = measured("", Some(0));
    analysis.count(Part::Along, "good", measurement(Outcome::Pass, at(1)));
    assert_eq!(word(&analysis.verdict(&checks, Part::Along, at(2))), "running");
    analysis.count(Part::Along, "silent", measurement(Outcome::Inconclusive, at(1)));
    let Verdict::Inconclusive(told) = analysis.verdict(&checks, Part::Along, at(400)) else {
        panic!("silence is heard")
    };
    assert!(told.contains("`silent`") && told.contains("7 is told"), "{told}");
    analysis.count(Part::Along, "bad", measurement(Outcome::Fail, at(1)));
    let Verdict::Failed(told) = analysis.verdict(&checks, Part::Along, at(400)) else {
        panic!("a failure is one")
    };
    assert!(told.contains("`bad`") && told.contains("1 of 1 measurements failed, 0 may"), "{told}");
    let states: Vec<CheckState> =
        analysis.statuses(&checks, at(400)).iter().map(|status| status.state).collect();
    assert_eq!(states, [CheckState::Passed, CheckState::Inconclusive, CheckState::Failed]);
}

#[test]
fn a_failure_stays_one() {
    let checks = [check(json!({}))];
    let mut analysis = measured("f", None);
    analysis.note_failure(&checks, at(0));
    let lenient = [check(json!({ "failureLimit": 5 }))];
    assert_eq!(word(&analysis.verdict(&lenient, Part::Along, at(60))), "failed");
    assert!(analysis.due(&lenient, Part::Along, at(6000)).is_empty());
}

#[test]
fn measurements_are_due_when_the_spec_says() {
    let checks = [check(json!({ "initialDelay": "30s", "interval": "10s" }))];
    let due = |analysis: &Analysis, now| analysis.due(&checks, Part::Along, at(now)).len();
    let mut analysis = measured("", None);
    assert_eq!((due(&analysis, 29), due(&analysis, 30)), (0, 1));
    assert_eq!(analysis.next(&checks, Part::Along, at(0)), Some(at(30)));
    analysis.count(Part::Along, "smoke", measurement(Outcome::Pass, at(31)));
    assert_eq!((due(&analysis, 40), due(&analysis, 41)), (0, 1));
    analysis.has_rolled(at(30));
    assert_eq!(due(&analysis, 600), 0, "what has passed is not measured on");
    // A window of the load balancer lies within the rollout.
    let alb = resolved(json!({ "name": "alb", "alb": { "fiveXxRate": "< 1%", "window": "2m" } }));
    let alb = [alb.unwrap()];
    let mut analysis = measured("", None);
    analysis.has_traffic(at(60));
    assert_eq!(analysis.next(&alb, Part::Along, at(0)), Some(at(300)));
    // Without requests there is nothing to measure, for however long.
    let mut analysis = measured("", None);
    assert_eq!(analysis.next(&alb, Part::Along, at(7200)), None);
    assert_eq!(word(&analysis.verdict(&alb, Part::Along, at(7200))), "running");
    analysis.has_rolled(at(7200));
    assert_eq!(analysis.next(&alb, Part::Along, at(7200)), Some(at(7440)));
}

#[test]
fn each_step_of_a_gate_is_judged_anew() {
    let checks = [check(json!({ "at": ["PRE_PRODUCTION_TRAFFIC_SHIFT"], "count": 2 }))];
    let stage = GateStage::PreProductionTrafficShift;
    let mut analysis = measured("", None);
    assert_eq!(word(&analysis.verdict(&checks, Part::Along, at(0))), "running");
    assert!(analysis.due(&checks, Part::Along, at(600)).is_empty());
    for hook in ["ecs-PAUSE-1", "ecs-PAUSE-2"] {
        analysis.waits_at(hook, stage, at(0));
        assert_eq!(word(&analysis.verdict(&checks, Part::Gate, at(0))), "running", "{hook}");
        for time in [0, 60] {
            assert_eq!(analysis.due(&checks, Part::Gate, at(time)).len(), 1, "{hook} {time}");
            analysis.count(Part::Gate, "smoke", measurement(Outcome::Pass, at(time)));
            analysis.waits_at(hook, stage, at(time));
        }
        assert_eq!(word(&analysis.verdict(&checks, Part::Gate, at(60))), "passed", "{hook}");
    }
    let says = |known: Option<&Analysis>, hook| gate::decide(at_gate(&checks, known, hook, at(60)));
    assert_eq!(says(Some(&analysis), "ecs-PAUSE-2"), gate::Decision::Continue);
    for (known, hook) in [(None, "ecs-PAUSE-2"), (Some(&analysis), "ecs-PAUSE-3")] {
        assert!(matches!(says(known, hook), gate::Decision::Wait { .. }), "{hook}");
    }
    analysis.count(Part::Gate, "smoke", measurement(Outcome::Fail, at(70)));
    let said = says(Some(&analysis), "ecs-PAUSE-2");
    assert!(matches!(said, gate::Decision::Stop { .. }), "{said:?}");
}

#[test]
fn an_analysis_survives_being_written_down() {
    let mut analysis = measured("pfi", Some(10));
    analysis.waits_at("ecs-PAUSE-1", GateStage::PostScaleUp, at(20));
    analysis.failed = Some("check `smoke`: no".to_owned());
    let text = serde_json::to_string(&analysis).unwrap();
    assert_eq!(serde_json::from_str::<Analysis>(&text).unwrap(), analysis);
}

#[test]
fn conditions_decide_about_a_value() {
    let both = json!({ "success": "< 500ms", "failure": "> 2s" });
    let good = json!({ "success": "< 500ms" });
    let bad = json!({ "failure": "> 2s" });
    for (more, value, expected) in [
        (&both, 0.1, Outcome::Pass),
        (&both, 1.0, Outcome::Inconclusive),
        (&both, 3.0, Outcome::Fail),
        (&good, 1.0, Outcome::Fail),
        (&bad, 1.0, Outcome::Pass),
        (&good, 0.5, Outcome::Fail),
        (&bad, 2.0, Outcome::Pass),
        (&json!({ "success": "<= 500ms" }), 0.5, Outcome::Pass),
        (&json!({ "failure": ">= 2s" }), 2.0, Outcome::Fail),
        (&json!({}), 9.0, Outcome::Pass),
    ] {
        let reading = Reading::Value(Measured::Number(value));
        let found = judge(&check(more.clone()), &reading, at(0));
        assert_eq!(found.outcome, expected, "{more} {value}: {}", found.message);
    }
    let text = Reading::Value(Measured::Text("warming up".to_owned()));
    assert_eq!(judge(&check(good), &text, at(0)).outcome, Outcome::Inconclusive);
    let refused = Reading::Nothing("connection refused".to_owned());
    assert_eq!(judge(&check(json!({})), &refused, at(0)).outcome, Outcome::Inconclusive);
    let long = judge(&check(json!({})), &Reading::Bad("x".repeat(5000)), at(0));
    assert!(long.message.chars().count() < 250);
}

fn figures(requests: f64, errors: f64, latency: f64, healthy: f64) -> AlbFigures {
    let some = |value: f64| (value >= 0.0).then_some(value);
    AlbFigures {
        requests: some(requests),
        errors: some(errors),
        latency: some(latency),
        healthy_hosts: some(healthy),
    }
}

#[test]
fn the_load_balancer_is_judged_by_what_it_has_data_of() {
    let all = json!({ "fiveXxRate": "< 5%", "latency": "< 500ms", "healthyHosts": ">= 2", "minRequests": 10 });
    let rate = json!({ "fiveXxRate": "< 5%" });
    let beside = json!({ "fiveXxRate": "<= 1% or <= 1.5 x old" });
    let none = -1.0;
    let quiet = figures(none, none, none, 2.0);
    for (rule, new, old, expected) in [
        (&all, figures(100.0, none, 0.2, 2.0), None, Outcome::Pass),
        (&all, figures(100.0, 5.0, 0.2, 2.0), None, Outcome::Fail),
        (&all, figures(100.0, none, 0.7, 2.0), None, Outcome::Fail),
        (&all, figures(100.0, none, 0.2, 1.0), None, Outcome::Fail),
        // Nobody asked, so nobody knows; what is certain all the same is a failure.
        (&all, quiet, None, Outcome::Inconclusive),
        (&all, figures(none, none, none, 1.0), None, Outcome::Fail),
        (&all, figures(9.0, none, 0.2, 2.0), None, Outcome::Inconclusive),
        (&all, figures(100.0, none, 0.2, none), None, Outcome::Inconclusive),
        // Connections that no target took are no requests answered.
        (&rate, figures(none, 3.0, none, none), None, Outcome::Fail),
        (
            &beside,
            figures(100.0, 3.0, 0.2, 2.0),
            Some(figures(100.0, 2.0, 0.2, 2.0)),
            Outcome::Pass,
        ),
        (
            &beside,
            figures(100.0, 4.0, 0.2, 2.0),
            Some(figures(100.0, 2.0, 0.2, 2.0)),
            Outcome::Fail,
        ),
        (&beside, figures(100.0, 1.0, 0.2, 2.0), None, Outcome::Pass),
        (&beside, figures(100.0, 3.0, 0.2, 2.0), None, Outcome::Inconclusive),
        (&beside, figures(100.0, 3.0, 0.2, 2.0), Some(quiet), Outcome::Inconclusive),
    ] {
        let check = resolved(json!({ "name": "alb", "alb": rule })).unwrap();
        let found = judge(&check, &Reading::Alb { new, old, before: None }, at(0));
        assert_eq!(found.outcome, expected, "{rule} {new:?} {old:?}: {}", found.message);
    }
}

/// One row a figure at its edge, for `alb: {}` with two target groups and with one.
#[test]
fn without_conditions_the_load_balancer_is_judged_by_built_in_ones() {
    let none = -1.0;
    let sides = |new: [f64; 4], old: Option<[f64; 4]>| (figures_of(new), old.map(figures_of));
    let (pass, fail, open) = (Outcome::Pass, Outcome::Fail, Outcome::Inconclusive);
    let rows: Vec<((AlbFigures, Option<AlbFigures>), Outcome, Outcome)> = vec![
        // Requests, errors, latency, healthy hosts: of the new side, of the old one. With two groups, with one.
        (sides([1000.0, 10.0, 0.5, 1.0], None), pass, pass),
        (sides([1000.0, 11.0, 0.5, 1.0], None), open, fail),
        (sides([1000.0, 30.0, 0.5, 2.0], Some([1000.0, 20.0, 0.5, 2.0])), pass, fail),
        (sides([1000.0, 31.0, 0.5, 2.0], Some([1000.0, 20.0, 0.5, 2.0])), fail, fail),
        (sides([1000.0, none, 3.0, 2.0], Some([1000.0, none, 2.0, 2.0])), pass, pass),
        (sides([1000.0, none, 3.1, 2.0], Some([1000.0, none, 2.0, 2.0])), fail, pass),
        (sides([1000.0, none, 0.6, 2.0], None), open, pass),
        (sides([1000.0, none, 0.1, 0.0], None), fail, fail),
        (sides([1000.0, none, 0.1, none], None), open, open),
        (sides([10.0, none, 0.1, 2.0], None), pass, pass),
        (sides([9.0, 9.0, 0.1, 2.0], None), open, open),
        (sides([none, none, none, 2.0], Some([1000.0, none, 0.1, 2.0])), open, open),
    ];
    for ((new, old), beside, alone) in rows {
        for (has_two_sides, expected) in [(true, beside), (false, alone)] {
            let check = json!([{ "name": "alb", "alb": {} }]);
            let checks: Vec<Check> = serde_json::from_value(check).unwrap();
            let check = resolve(&checks, has_two_sides).unwrap().remove(0);
            let found = judge(&check, &Reading::Alb { new, old, before: None }, at(0));
            let told = format!("{new:?} {old:?} {has_two_sides}: {}", found.message);
            assert_eq!(found.outcome, expected, "{told}");
        }
    }
    let Provider::Alb(rule) = check_of(&json!({ "window": "5m", "minRequests": 1 })).provider
    else {
        panic!("another provider")
    };
    let told: Vec<String> = rule.conditions().map(ToString::to_string).collect();
    assert_eq!(told, ["<= 1% or <= 1.5 x old", "<= 500ms or <= 1.5 x old", ">= 1"]);
    assert_eq!((rule.min_requests, rule.window), (1, Duration::from_mins(5)));
    // One condition of its own takes the place of all of them.
    let Provider::Alb(rule) = check_of(&json!({ "latency": "< 2s" })).provider else {
        panic!("another provider")
    };
    assert_eq!((rule.conditions().count(), rule.min_requests), (1, 1));
}

fn figures_of([requests, errors, latency, healthy]: [f64; 4]) -> AlbFigures {
    figures(requests, errors, latency, healthy)
}

fn check_of(alb: &Value) -> DesiredCheck {
    resolved(json!({ "name": "alb", "alb": alb })).unwrap()
}

/// A rollout with stages whose check was measured like this once a minute, with production traffic since then.
#[test]
fn silence_passes_no_gate() {
    let once = json!({});
    let lenient = json!({ "failureLimit": 1 });
    let delayed = json!({ "initialDelay": "10m" });
    let staged = json!({ "at": ["POST_SCALE_UP"] });
    let rows: &[(&Value, &str, Option<i64>, i64, &str)] = &[
        (&once, "", None, 0, "running"),
        (&once, "p", None, 30, "passed"),
        (&once, "f", None, 30, "failed"),
        (&lenient, "f", None, 30, "passed"),
        (&once, "i", None, 30, "running"),
        (&once, "piiiii", None, 330, "running"),
        (&once, "piiiiii", None, 360, "inconclusive"),
        (&once, "piiiiiip", None, 430, "passed"),
        // Before there is production traffic a first measurement may be waited for, afterwards it may not.
        (&delayed, "", None, 30, "passed"),
        (&delayed, "", Some(20), 30, "running"),
        (&delayed, "", None, 600, "running"),
        // What was said before it says nothing of it.
        (&once, "pp", Some(61), 90, "running"),
        (&once, "ppp", Some(61), 130, "passed"),
        (&staged, "", Some(0), 600, "passed"),
    ];
    for (more, history, traffic, now, expected) in rows {
        let checks = [check((*more).clone())];
        let mut analysis = measured(history, None);
        if let Some(traffic) = traffic {
            analysis.has_traffic(at(*traffic));
        }
        let said = analysis.spoken(&checks, at(*now));
        assert_eq!(word(&said), *expected, "{more} {history:?} {traffic:?} {now}: {said:?}");
    }
    let alb = [check_of(&json!({}))];
    let mut analysis = measured("", None);
    assert_eq!(word(&analysis.spoken(&alb, at(7200))), "passed", "nobody can ask it anything yet");
    analysis.has_traffic(at(7200));
    assert_eq!(word(&analysis.spoken(&alb, at(7200))), "running");
}

#[test]
fn the_old_side_counts_in_the_same_minutes_or_else_from_before_the_shift() {
    let rule = json!({ "fiveXxRate": "<= 1.5 x old", "minRequests": 10 });
    let check = resolved(json!({ "name": "alb", "alb": rule })).unwrap();
    let rate = |errors: f64| Some(figures(100.0, errors, 0.2, 2.0));
    let idle = Some(figures(-1.0, -1.0, -1.0, 2.0));
    for (new, old, before, expected, told) in [
        (20.0, rate(2.0), rate(50.0), Outcome::Fail, "5xx rate 20 % (old: 5xx rate 2 %) is not"),
        (20.0, rate(20.0), rate(0.0), Outcome::Pass, "(old: 5xx rate 20 %) is `<= 1.5 x old`"),
        (20.0, idle, rate(2.0), Outcome::Fail, "(old before the shift: 5xx rate 2 %) is not"),
        (20.0, idle, rate(20.0), Outcome::Pass, "(old before the shift: 5xx rate 20 %) is `"),
        (20.0, idle, idle, Outcome::Inconclusive, "there is nothing old to compare with"),
        (20.0, None, None, Outcome::Inconclusive, "there is nothing old to compare with"),
    ] {
        let new = figures(100.0, new, 0.2, 2.0);
        let found = judge(&check, &Reading::Alb { new, old, before }, at(0));
        assert_eq!(found.outcome, expected, "{}", found.message);
        assert!(found.message.contains(told), "{}", found.message);
    }
    // Whatever the old side does, the new one has to have been asked.
    let new = figures(9.0, 0.0, 0.2, 2.0);
    let reading = Reading::Alb { new, old: rate(2.0), before: rate(2.0) };
    assert_eq!(judge(&check, &reading, at(0)).outcome, Outcome::Inconclusive);
}

#[test]
fn answers_are_read_for_what_they_are() {
    let http = |status: Value, path: Option<&str>| {
        let check = json!({ "url": "https://a.example", "status": status, "jsonPath": path });
        serde_json::from_value::<crds::HttpCheck>(check).unwrap()
    };
    let number = |value: f64| Reading::Value(Measured::Number(value));
    let any = json!([]);
    assert_eq!(read::http(&http(any.clone(), None), 204, b"", 0.25), number(0.25));
    assert!(matches!(read::http(&http(any.clone(), None), 500, b"", 0.25), Reading::Bad(_)));
    assert!(matches!(read::http(&http(any.clone(), None), 302, b"", 0.25), Reading::Bad(_)));
    assert_eq!(read::http(&http(json!([404]), None), 404, b"", 0.5), number(0.5));
    let ready = http(any, Some("$.ready"));
    assert_eq!(read::http(&ready, 200, br#"{"ready": 3}"#, 0.1), number(3.0));
    let flag = Reading::Value(Measured::Flag(true));
    assert_eq!(read::http(&ready, 200, br#"{"ready": true}"#, 0.1), flag);
    for body in [&b"{}"[..], b"<html>", br#"{"ready": null}"#, br#"{"ready": []}"#] {
        assert!(matches!(read::http(&ready, 200, body, 0.1), Reading::Nothing(_)));
    }
    let answer = |kind: &str, result: Value| {
        json!({ "status": "success", "data": { "resultType": kind, "result": result } }).to_string()
    };
    let one = json!([{ "metric": {}, "value": [1.5, "0.25"] }]);
    assert_eq!(read::prometheus(200, answer("vector", one.clone()).as_bytes()), number(0.25));
    assert_eq!(read::prometheus(200, answer("scalar", json!([1, "2"])).as_bytes()), number(2.0));
    let two = json!([one[0], one[0]]);
    for (status, body) in [
        (200, answer("vector", json!([]))),
        (200, answer("vector", two)),
        (200, answer("matrix", json!([]))),
        (200, answer("vector", json!([{ "value": [1, "NaN"] }]))),
        (200, answer("scalar", json!([1, "+Inf"]))),
        (200, "nonsense".to_owned()),
        (503, answer("vector", one)),
        (400, json!({ "status": "error", "error": "parse error" }).to_string()),
    ] {
        let reading = read::prometheus(status, body.as_bytes());
        assert!(matches!(reading, Reading::Nothing(_)), "{status} {body}: {reading:?}");
    }
    assert_eq!(read::metric("Complete", &[2.0, 1.0]), number(2.0));
    for (status, values) in
        [("Complete", vec![]), ("PartialData", vec![1.0]), ("Complete", vec![f64::NAN])]
    {
        assert!(
            matches!(read::metric(status, &values), Reading::Nothing(_)),
            "{status} {values:?}"
        );
    }
}

#[test]
fn checks_that_cannot_be_measured_are_refused_by_their_place() {
    let http = json!({ "url": "https://a.example" });
    let metric = json!({ "namespace": "n", "metricName": "m" });
    let query = json!({ "id": "q", "expression": "s" });
    let stat = |period: u32| json!({ "id": "s", "metricStat": { "metric": metric, "stat": "Sum", "period": period } });
    let mut both = stat(60);
    both["expression"] = json!("s");
    for (check, place) in [
        (json!({ "name": "a" }), "[0]"),
        (json!({ "name": "", "http": http }), "[0].name"),
        (json!({ "name": "a", "http": http, "alb": { "latency": "< 1s" } }), "[0]"),
        (json!({ "name": "a", "http": { "url": "ftp://a" } }), "[0].http.url"),
        (
            json!({ "name": "a", "http": { "url": "https://a", "jsonPath": "x" } }),
            "[0].http.jsonPath",
        ),
        (json!({ "name": "a", "http": { "url": "https://a", "jsonPath": "$.x" } }), "[0].success"),
        (
            json!({ "name": "a", "http": { "url": "https://a", "timeout": "11s" } }),
            "[0].http.timeout",
        ),
        (
            json!({ "name": "a", "http": { "url": "https://a", "headers": [{ "name": "x" }] } }),
            "[0].http.headers[0]",
        ),
        (json!({ "name": "a", "http": http, "success": "ok" }), "[0].success"),
        (json!({ "name": "a", "http": http, "success": "<= old" }), "[0].success"),
        (json!({ "name": "a", "http": http, "interval": "1s" }), "[0].interval"),
        (json!({ "name": "a", "http": http, "count": 0 }), "[0].count"),
        (json!({ "name": "a", "prometheus": { "url": "http://p", "query": "up" } }), "[0].success"),
        (json!({ "name": "a", "cloudwatch": {}, "success": "> 1" }), "[0].cloudwatch"),
        (json!({ "name": "a", "cloudwatch": metric }), "[0].success"),
        (
            json!({ "name": "a", "cloudwatch": { "metrics": [query, stat(60)] }, "success": "> 1" }),
            "[0].cloudwatch.metrics",
        ),
        (
            json!({ "name": "a", "cloudwatch": { "metrics": [both] }, "success": "> 1" }),
            "[0].cloudwatch.metrics[0]",
        ),
        (
            json!({ "name": "a", "cloudwatch": { "metrics": [stat(0)] }, "success": "> 1" }),
            "[0].cloudwatch.metrics[0].metricStat.period",
        ),
        (
            json!({ "name": "a", "cloudwatch": { "metrics": [stat(90)] }, "success": "> 1" }),
            "[0].cloudwatch.metrics[0].metricStat.period",
        ),
        (
            json!({ "name": "a", "cloudwatch": { "metrics": [stat(60)], "namespace": "n" }, "success": "> 1" }),
            "[0].cloudwatch",
        ),
        (
            json!({ "name": "a", "cloudwatch": { "namespace": "n", "metricName": "m", "period": "90s" }, "success": "> 1" }),
            "[0].cloudwatch.period",
        ),
        (
            json!({ "name": "a", "cloudwatch": { "metrics": [{ "id": "a", "expression": "1", "returnData": false }] }, "success": "> 1" }),
            "[0].cloudwatch.metrics",
        ),
        (json!({ "name": "a", "alb": { "latency": "fast" } }), "[0].alb.latency"),
        (json!({ "name": "a", "alb": { "latency": "< 1s", "window": "30s" } }), "[0].alb.window"),
        (json!({ "name": "a", "alb": { "latency": "< 1s" }, "success": "> 1" }), "[0].success"),
    ] {
        let (path, why) = resolved(check.clone()).unwrap_err();
        assert_eq!(path, place, "{check}: {why}");
    }
    let twice: Vec<Check> = serde_json::from_value(
        json!([{ "name": "a", "http": http }, { "name": "a", "http": http }]),
    )
    .unwrap();
    assert_eq!(resolve(&twice, true).unwrap_err().0, "[1].name");
    assert_eq!(check(json!({ "after": "10m" })).after, Duration::from_mins(10));
    for (fine, told) in [
        (
            json!({ "name": "a".repeat(64), "http": http }),
            json!({ "name": "a".repeat(65), "http": http }),
        ),
        (
            json!({ "name": "a", "http": http, "interval": "5s" }),
            json!({ "name": "a", "http": http, "interval": "4s" }),
        ),
        (
            json!({ "name": "a", "http": { "url": "https://a", "timeout": "10s" } }),
            json!({ "name": "a", "http": { "url": "https://a", "timeout": "0s" } }),
        ),
        (
            json!({ "name": "a", "alb": { "latency": "< 1s", "window": "1h" } }),
            json!({ "name": "a", "alb": { "latency": "< 1s", "window": "61m" } }),
        ),
    ] {
        assert!(resolved(fine.clone()).is_ok(), "{fine}");
        assert!(resolved(told.clone()).is_err(), "{told}");
    }
    let many = |count: usize| {
        let check = |at: usize| json!({ "name": format!("c{at}"), "http": http });
        let checks: Vec<Check> = serde_json::from_value((0..count).map(check).collect()).unwrap();
        resolve(&checks, false)
    };
    assert!(many(CHECKS_MAX).is_ok() && many(CHECKS_MAX + 1).is_err());
}

#[test]
fn a_window_of_metrics_has_to_lie_within_the_rollout() {
    let metric = json!({ "namespace": "n", "metricName": "m" });
    let stat = |id: &str, period: u32| json!({ "id": id, "returnData": id == "b", "metricStat": { "metric": metric, "stat": "Sum", "period": period } });
    let none = Value::Null;
    let queries = json!([stat("a", 300), stat("b", 120)]);
    let mut long = metric.clone();
    long["period"] = json!("5m");
    for (http, cloudwatch, alb, minutes) in [
        (json!({ "url": "https://a" }), none.clone(), none.clone(), None),
        (none.clone(), metric.clone(), none.clone(), Some(1)),
        (none.clone(), long, none.clone(), Some(5)),
        (none.clone(), json!({ "metrics": queries }), none.clone(), Some(5)),
        (none.clone(), none.clone(), json!({ "latency": "< 1s", "window": "3m" }), Some(3)),
    ] {
        let check = json!({
            "name": "smoke", "http": http, "cloudwatch": cloudwatch, "alb": alb,
            "success": if alb.is_null() { json!("> 1") } else { none.clone() },
        });
        let check = if http.is_null() { check } else { json!({ "name": "smoke", "http": http }) };
        let lead = resolved(check.clone()).unwrap().lead();
        let minute = Duration::from_mins(1);
        let expected =
            minutes.map_or(Duration::ZERO, |window| minute * window + METRIC_DELAY + minute);
        assert_eq!(lead, expected, "{check}");
    }
    for (latency, compares) in [("< 1s", false), ("<= old", true)] {
        let check = resolved(json!({ "name": "a", "alb": { "latency": latency } })).unwrap();
        let Provider::Alb(rule) = &check.provider else { panic!("{check:?}") };
        assert_eq!(rule.names_old(), compares, "{latency}");
    }
}

#[test]
fn what_is_judged_began_with_the_rollout_or_with_the_waiting_at_its_gate() {
    let mut analysis = Analysis::new("ecs-svc/2".to_owned(), "abc".to_owned(), at(10));
    for part in [Part::Along, Part::Gate] {
        assert_eq!((analysis.since(part), analysis.shifted(part)), (at(10), at(10)));
    }
    analysis.waits_at("hook", GateStage::PostTestTrafficShift, at(20));
    assert_eq!((analysis.since(Part::Along), analysis.since(Part::Gate)), (at(10), at(20)));
    assert_eq!(analysis.shifted(Part::Gate), at(20));
    analysis.has_traffic(at(30));
    assert_eq!((analysis.shifted(Part::Along), analysis.shifted(Part::Gate)), (at(30), at(30)));
    // A check of a stage that the rollout has not come to says where it is measured.
    let staged =
        check(json!({ "at": ["POST_TEST_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT"] }));
    let early = Analysis::new("ecs-svc/2".to_owned(), "abc".to_owned(), at(10));
    let statuses = early.statuses(&[staged], at(40));
    let [status] = statuses.as_slice() else { panic!("{statuses:?}") };
    assert_eq!((status.state, status.name.as_str()), (CheckState::Waiting, "smoke"));
    let where_measured = "is measured at POST_TEST_TRAFFIC_SHIFT, POST_PRODUCTION_TRAFFIC_SHIFT";
    assert_eq!(status.message, where_measured);
}
