//! Rules of deployments and their hooks.

use serde_json::{Value, json};

use super::{E, Edit, W, advised, ec2, fargate, fine, told};

fn configuration(member: &str, value: Value) -> Edit {
    (format!("/spec/service/deploymentConfiguration/{member}").leak(), value)
}

fn at(member: &str) -> &'static str {
    format!("SERVICE.deploymentConfiguration.{member}").leak()
}

fn percents(desired: Value, minimum: i32, maximum: i32) -> [Edit; 3] {
    [
        ("/spec/service/desiredCount", desired),
        configuration("minimumHealthyPercent", json!(minimum)),
        configuration("maximumPercent", json!(maximum)),
    ]
}

#[test]
fn percents_have_to_leave_room() {
    for (desired, minimum, maximum) in [
        (1, 100, 200),
        (1, 0, 100),
        (2, 100, 150),
        (4, 50, 100),
        (3, 75, 134),
        (0, 99, 100),
        (0, 100, 101),
        (100, 100, 101),
    ] {
        fine(ec2, &percents(json!(desired), minimum, maximum));
    }
    for (desired, minimum, maximum, of, hint) in [
        (1, 100, 100, "1 task", "use at least 200"),
        (1, 50, 150, "1 task", "use at least 200"),
        (2, 75, 125, "2 tasks", "use at least 150"),
        (3, 75, 125, "3 tasks", "use at least 134"),
        (0, 100, 100, "any number of tasks", "use 200"),
        (100, 100, 100, "100 tasks", "use at least 101"),
    ] {
        let message = format!(
            "`{maximum}` with minimumHealthyPercent {minimum} lets ECS neither start nor stop a task where it should run {of}"
        );
        told(
            ec2,
            &percents(json!(desired), minimum, maximum),
            &[(E, at("maximumPercent"), message.leak())],
        );
        advised(ec2, &percents(json!(desired), minimum, maximum), hint);
    }
}

#[test]
fn percents_have_limits() {
    told(
        ec2,
        &percents(json!(1), 101, 200),
        &[(E, at("minimumHealthyPercent"), "`101` is not within 0 to 100")],
    );
    told(
        ec2,
        &percents(json!(1), 0, 99),
        &[(E, at("maximumPercent"), "`99` is not within 100 to 200")],
    );
    told(
        ec2,
        &percents(json!(1), 100, 300),
        &[(W, at("maximumPercent"), "`300` is not within 100 to 200")],
    );
}

#[test]
fn a_rolling_service_should_have_a_circuit_breaker() {
    let message = "is off, so that a rollout whose tasks fail goes on for ever";
    told(
        ec2,
        &[("/spec/service/deploymentConfiguration", json!(null))],
        &[(W, at("deploymentCircuitBreaker"), message)],
    );
    told(
        ec2,
        &[configuration("deploymentCircuitBreaker/enable", json!(false))],
        &[(W, at("deploymentCircuitBreaker"), message)],
    );
    fine(
        ec2,
        &[
            configuration("deploymentCircuitBreaker", json!(null)),
            configuration("strategy", json!("LINEAR")),
        ],
    );
}

#[test]
fn thresholds() {
    let threshold = |kind: &str, value: i32| {
        [configuration(
            "deploymentCircuitBreaker/thresholdConfiguration",
            json!({"type": kind, "value": value}),
        )]
    };
    let path = at("deploymentCircuitBreaker.thresholdConfiguration.value");
    for (kind, value) in
        [("COUNT", 1), ("COUNT", 1000), ("BOUNDED_PERCENT", 100), ("UNBOUNDED_PERCENT", 1)]
    {
        fine(ec2, &threshold(kind, value));
    }
    told(
        ec2,
        &threshold("COUNT", 0),
        &[(E, path, "`0` is not a threshold of type `COUNT`, which takes at least 1")],
    );
    told(
        ec2,
        &threshold("BOUNDED_PERCENT", 101),
        &[(E, path, "`101` is not a threshold of type `BOUNDED_PERCENT`, which takes 1 to 100")],
    );
    advised(ec2, &threshold("UNBOUNDED_PERCENT", 0), "the nearest is 1");
}

#[test]
fn strategies_and_their_steps() {
    let strategy = |name: &str| configuration("strategy", json!(name));
    told(
        ec2,
        &[strategy("BLUE_GREEN")],
        &[(E, at("bakeTimeInMinutes"), "is missing, and `BLUE_GREEN` needs it")],
    );
    fine(ec2, &[strategy("BLUE_GREEN"), configuration("bakeTimeInMinutes", json!(0))]);
    told(
        ec2,
        &[strategy("LINEAR"), configuration("bakeTimeInMinutes", json!(1441))],
        &[(E, at("bakeTimeInMinutes"), "`1441` is not within 0 to 1440")],
    );
    fine(
        ec2,
        &[
            strategy("LINEAR"),
            configuration(
                "linearConfiguration",
                json!({"stepPercent": 3.3, "stepBakeTimeInMinutes": 0}),
            ),
        ],
    );
    for (name, member, value, message) in [
        ("LINEAR", "linearConfiguration.stepPercent", json!(2.9), "`2.9` is not within 3 to 100"),
        (
            "LINEAR",
            "linearConfiguration.stepPercent",
            json!(33.33),
            "`33.33` is finer than tenths of a percent",
        ),
        (
            "LINEAR",
            "linearConfiguration.stepBakeTimeInMinutes",
            json!(1441),
            "`1441` is not within 0 to 1440",
        ),
        (
            "CANARY",
            "canaryConfiguration.canaryPercent",
            json!(0.05),
            "`0.05` is not within 0.1 to 100",
        ),
        (
            "CANARY",
            "canaryConfiguration.canaryPercent",
            json!(0.15),
            "`0.15` is finer than tenths of a percent",
        ),
        (
            "CANARY",
            "canaryConfiguration.canaryBakeTimeInMinutes",
            json!(-1),
            "`-1` is not within 0 to 1440",
        ),
    ] {
        told(
            ec2,
            &[strategy(name), configuration(&member.replace('.', "/"), value)],
            &[(E, at(member), message)],
        );
    }
    told(
        ec2,
        &[configuration("linearConfiguration/stepPercent", json!(10))],
        &[(
            W,
            at("linearConfiguration"),
            "is for strategy `LINEAR`, and the strategy is `ROLLING`",
        )],
    );
    told(
        ec2,
        &[strategy("LINEAR"), configuration("canaryConfiguration/canaryPercent", json!(10))],
        &[(W, at("canaryConfiguration"), "is for strategy `CANARY`, and the strategy is `LINEAR`")],
    );
    told(
        ec2,
        &[strategy("SPIRAL")],
        &[(W, at("strategy"), "`SPIRAL` is not a value that Longshore knows here")],
    );
    told(
        ec2,
        &[strategy("LINEAR"), ("/spec/service/deploymentController/type", json!("EXTERNAL"))],
        &[
            (
                W,
                "SERVICE.deploymentController.type",
                "`EXTERNAL` makes ECS refuse a new task definition for the service",
            ),
            (E, at("strategy"), "`LINEAR` needs deployment controller `ECS`, and it is `EXTERNAL`"),
        ],
    );
    told(
        ec2,
        &[("/spec/service/deploymentController/type", json!("CODE_DEPLOY"))],
        &[
            (
                W,
                "SERVICE.deploymentController.type",
                "`CODE_DEPLOY` makes ECS refuse a new task definition for the service",
            ),
            (
                E,
                "SERVICE.loadBalancers",
                "has to be one target group of an Application or Network Load Balancer for deployment controller `CODE_DEPLOY`",
            ),
        ],
    );
}

#[test]
fn early_success_and_alarms() {
    let early = |percent: i32| {
        configuration("earlySuccessCriteria", json!({"enable": true, "healthyPercent": percent}))
    };
    fine(ec2, &[early(100)]);
    told(
        ec2,
        &[early(90)],
        &[(
            E,
            at("earlySuccessCriteria.healthyPercent"),
            "`90` is less than minimumHealthyPercent 100",
        )],
    );
    fine(ec2, &[early(90), configuration("minimumHealthyPercent", json!(50))]);
    told(
        ec2,
        &[early(100), configuration("strategy", json!("LINEAR"))],
        &[(
            E,
            at("earlySuccessCriteria"),
            "is for strategy `ROLLING`, and the strategy is `LINEAR`",
        )],
    );
    told(
        ec2,
        &[configuration("alarms", json!({"alarmNames": [], "enable": true, "rollback": true}))],
        &[(E, at("alarms.alarmNames"), "is empty, and alarms are enabled")],
    );
    fine(
        ec2,
        &[configuration("alarms", json!({"alarmNames": [], "enable": false, "rollback": false}))],
    );
}

#[test]
fn hooks() {
    let linear = || configuration("strategy", json!("LINEAR"));
    let hook = |hook: Value| [linear(), configuration("lifecycleHooks", json!([hook]))];
    let at = |member: &str| at(&format!("lifecycleHooks[0].{member}"));
    let function = |member: &str, value: Value| {
        let mut hook = json!({"hookTargetArn": "arn:aws:lambda:r:1:function:f", "roleArn": "r", "lifecycleStages": ["PRE_SCALE_UP"]});
        hook[member] = value;
        hook
    };
    let pause = |member: &str, value: Value| {
        let mut hook = json!({"targetType": "PAUSE", "lifecycleStages": ["PRE_SCALE_UP"]});
        hook[member] = value;
        hook
    };
    fine(ec2, &hook(function("roleArn", json!("r"))));
    for member in ["hookTargetArn", "roleArn"] {
        told(
            ec2,
            &hook(function(member, json!(null))),
            &[(E, at(member), "is missing, and a hook of type `AWS_LAMBDA` needs it")],
        );
        told(
            ec2,
            &hook(pause(member, json!("arn"))),
            &[(E, at(member), "`arn` is not possible for a hook of type `PAUSE`")],
        );
    }
    told(
        ec2,
        &hook(function("hookTargetArn", json!("arn:aws:sns:r:1:t"))),
        &[(E, at("hookTargetArn"), "`arn:aws:sns:r:1:t` is not the ARN of a Lambda function")],
    );
    told(
        ec2,
        &hook(function("lifecycleStages", json!(null))),
        &[(E, at("lifecycleStages"), "is missing, and a hook stands at a stage")],
    );
    told(
        ec2,
        &hook(function("timeoutConfiguration", json!({"timeoutInMinutes": 1441}))),
        &[(
            E,
            at("timeoutConfiguration.timeoutInMinutes"),
            "`1441` minutes are more than a hook of type `AWS_LAMBDA` takes",
        )],
    );
    fine(ec2, &hook(pause("timeoutConfiguration", json!({"timeoutInMinutes": 1441}))));
    told(
        ec2,
        &hook(pause("timeoutConfiguration", json!({"timeoutInMinutes": 20161}))),
        &[(E, at("timeoutConfiguration.timeoutInMinutes"), "`20161` is not within 1 to 20160")],
    );
    for stage in ["TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT"] {
        told(
            ec2,
            &hook(pause("lifecycleStages", json!([stage]))),
            &[(
                E,
                at("lifecycleStages[0]"),
                format!("`{stage}` takes no hook of type `PAUSE`").leak(),
            )],
        );
        fine(ec2, &hook(function("lifecycleStages", json!([stage]))));
    }
    told(
        ec2,
        &hook(pause("lifecycleStages", json!(["RECONCILE_SERVICE"]))),
        &[(
            W,
            at("lifecycleStages[0]"),
            "`RECONCILE_SERVICE` may not take a hook of type `PAUSE`: AWS's pages disagree",
        )],
    );
    told(
        ec2,
        &hook(pause("targetType", json!("BELL"))),
        &[(W, at("targetType"), "`BELL` is not a value that Longshore knows here")],
    );
    let rolling = [configuration("lifecycleHooks", json!([pause("targetType", json!("PAUSE"))]))];
    told(
        ec2,
        &rolling,
        &[(
            W,
            "SERVICE.deploymentConfiguration.lifecycleHooks",
            "has hooks, and a `ROLLING` deployment has no stages for them",
        )],
    );
    let many: Vec<Value> = (0..11).map(|_| pause("targetType", json!("PAUSE"))).collect();
    told(
        ec2,
        &[linear(), configuration("lifecycleHooks", json!(many))],
        &[(
            E,
            "SERVICE.deploymentConfiguration.lifecycleHooks",
            "has `11` hooks of type `PAUSE`; a service takes 10",
        )],
    );
}

#[test]
fn one_off_tasks_around_a_rollout() {
    const HOOKS: &str = "/spec/rollout/hooks";
    let hook = |more: Value| {
        let mut hook = json!({ "name": "migrate", "command": ["migrate"] });
        hook.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        hook
    };
    let edit = |hooks: Value| [(HOOKS, json!({ "before": hooks }))];
    let container = "/spec/taskDefinition/containerDefinitions/0/name";
    for spec in [ec2 as fn() -> Value, fargate] {
        let name = spec().pointer(container).unwrap().clone();
        fine(
            spec,
            &edit(json!([hook(json!({})), hook(json!({ "name": "seed", "container": name }))])),
        );
    }
    fine(ec2, &[(HOOKS, json!({ "before": [hook(json!({}))], "after": [hook(json!({}))] }))]);
    let at =
        |member: &str| -> &'static str { format!("spec.rollout.hooks.before[0].{member}").leak() };
    for (more, path, message) in [
        (
            json!({ "command": [] }),
            at("command"),
            "a hook needs a command: its container's own would not end",
        ),
        (json!({ "timeout": "0s" }), at("timeout"), "`0s` leaves the task no time"),
        (
            json!({ "container": "nobody" }),
            at("container"),
            "`nobody` is not a container of the task",
        ),
    ] {
        told(ec2, &edit(json!([hook(more)])), &[(E, path, message)]);
    }
    fine(fargate, &edit(json!([hook(json!({ "cpu": "1024", "memory": "2 GB" }))])));
    let message = "Fargate has no task with cpu `512` and memory `512`";
    let small = hook(json!({ "cpu": "512", "memory": "512" }));
    told(fargate, &edit(json!([small])), &[(E, "spec.rollout.hooks.before[0]", message)]);
    let twice = json!([hook(json!({})), hook(json!({}))]);
    let second = "spec.rollout.hooks.before[1].name";
    told(ec2, &edit(twice), &[(E, second, "`migrate` is the name of another hook of this list")]);
    let long = hook(json!({ "command": ["x".repeat(8193)] }));
    let message = "command and environment have 8193 characters; RunTask takes 8192";
    told(ec2, &edit(json!([long])), &[(E, "spec.rollout.hooks.before[0]", message)]);
}

#[test]
fn gates() {
    let approval = |at: Value| ("/spec/rollout/approval", json!({"required": true, "at": at}));
    let linear = || configuration("strategy", json!("LINEAR"));
    let pause = |stage: &str| json!({"targetType": "PAUSE", "lifecycleStages": [stage]});
    let all = json!([
        "PRE_SCALE_UP",
        "POST_SCALE_UP",
        "POST_TEST_TRAFFIC_SHIFT",
        "PRE_PRODUCTION_TRAFFIC_SHIFT",
        "POST_PRODUCTION_TRAFFIC_SHIFT",
    ]);
    fine(ec2, &[linear(), approval(all)]);
    fine(ec2, &[("/spec/rollout/approval", json!({"required": true}))]);
    let own = configuration("lifecycleHooks", json!([pause("PRE_SCALE_UP")]));
    fine(ec2, &[linear(), own.clone(), approval(json!(["POST_SCALE_UP"]))]);
    told(
        ec2,
        &[linear(), own, approval(json!(["POST_SCALE_UP", "PRE_SCALE_UP"]))],
        &[(
            E,
            "spec.rollout.approval.at[1]",
            "`PRE_SCALE_UP` has a hook of type `PAUSE` of the spec's own, and ECS does not say which of two waits",
        )],
    );
    let shift = configuration("lifecycleHooks", json!([pause("PRE_PRODUCTION_TRAFFIC_SHIFT")]));
    let window = json!([{ "kind": "allow", "schedule": "0 9 * * *", "duration": "1h" }]);
    let windows = ("/spec/rollout/windows", window);
    let message = "`PRE_PRODUCTION_TRAFFIC_SHIFT` has a hook of type `PAUSE` of the spec's own, and ECS does not say which of two waits";
    fine(ec2, &[linear(), windows.clone()]);
    told(ec2, &[linear(), shift.clone(), windows], &[(E, "spec.rollout.windows", message)]);
    let checks = |at: Value| {
        let http = json!({ "url": "https://a.example" });
        ("/spec/rollout/checks", json!([{ "name": "a", "http": http, "at": at }]))
    };
    fine(ec2, &[linear(), shift.clone(), checks(json!([]))]);
    let named = checks(json!(["PRE_PRODUCTION_TRAFFIC_SHIFT"]));
    told(ec2, &[linear(), shift, named], &[(E, "spec.rollout.checks[0].at[0]", message)]);
    let ten: Vec<Value> = (0..10).map(|_| pause("PRE_SCALE_UP")).collect();
    let full = "needs a hook of type `PAUSE`, and the spec has `10`; a service takes 10";
    let hooks = configuration("lifecycleHooks", json!(ten));
    told(ec2, &[linear(), hooks, checks(json!([]))], &[(E, "spec.rollout.checks", full)]);
    told(
        ec2,
        &[
            linear(),
            configuration("lifecycleHooks", json!(ten)),
            approval(json!(["POST_SCALE_UP"])),
        ],
        &[(
            E,
            "spec.rollout.approval.at",
            "needs a hook of type `PAUSE`, and the spec has `10`; a service takes 10",
        )],
    );
    told(
        ec2,
        &[approval(json!(["POST_SCALE_UP"]))],
        &[(
            W,
            "spec.rollout.approval.at",
            "names stages, and `ROLLING` has none: the approval is waited for before anything is sent",
        )],
    );
    told(
        ec2,
        &[("/spec/rollout/approval", json!({"required": false, "at": ["POST_SCALE_UP"]}))],
        &[(W, "spec.rollout.approval.at", "names stages, and no approval is required")],
    );
    for (timeout, is_fine) in
        [("1m", true), ("336h", true), ("59s", false), ("90s", false), ("337h", false)]
    {
        let edit = [("/spec/rollout/gateTimeout", json!(timeout))];
        let found = super::findings(&super::edited(ec2(), &edit));
        assert_eq!(found.is_empty(), is_fine, "{timeout}: {found:?}");
    }
}

#[test]
fn checks_ask_for_what_the_strategy_has_and_keep_no_secrets() {
    let checks = |check: Value| ("/spec/rollout", json!({ "checks": [check] }));
    let http = json!({ "url": "https://a.example" });
    let green = configuration("strategy", json!("BLUE_GREEN"));
    let bake = configuration("bakeTimeInMinutes", json!(1));
    let gated = json!({ "name": "a", "http": http, "at": ["POST_SCALE_UP"] });
    let beside = json!({ "name": "a", "alb": { "latency": "<= 2 x old" } });
    fine(ec2, &[checks(gated.clone()), green.clone(), bake.clone()]);
    fine(ec2, &[checks(beside.clone()), green, bake]);
    let rolling = "names stages, and a `ROLLING` deployment has none";
    told(ec2, &[checks(gated)], &[(E, "spec.rollout.checks[0].at", rolling)]);
    let one = "compares with `old`, and a `ROLLING` deployment has one target group for both";
    told(ec2, &[checks(beside)], &[(E, "spec.rollout.checks[0].alb.latency", one)]);
    let header = |member: &str| {
        let headers = json!([{ "name": "Authorization", (member): "x" }]);
        checks(json!({ "name": "a", "http": { "url": "https://a.example", "headers": headers } }))
    };
    fine(ec2, &[header("credential")]);
    let clear = "is the value of `Authorization`, for everybody to read";
    told(ec2, &[header("value")], &[(W, "spec.rollout.checks[0].http.headers[0].value", clear)]);
}
