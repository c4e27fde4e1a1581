//! One event of each kind that AWS documents, and many that nobody would document.

use proptest::prelude::*;
use serde_json::json;

use super::*;

const SERVICE: &str = "arn:aws:ecs:eu-west-1:111122223333:service/shop/web";

#[allow(clippy::needless_pass_by_value, reason = "callers write `json!({…})`")]
fn event(source: &str, kind: &str, resources: &[&str], detail: Value) -> String {
    json!({
        "version": "0", "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718", "detail-type": kind, "source": source,
        "account": "111122223333", "time": "2026-03-01T00:00:00Z", "region": "eu-west-1",
        "resources": resources, "detail": detail,
    })
    .to_string()
}

fn place() -> Place {
    Place { account: "111122223333".to_owned(), region: "eu-west-1".to_owned() }
}

fn web() -> ServiceWake {
    let (cluster, name) = (Some("shop".to_owned()), "web".to_owned());
    ServiceWake { place: place(), cluster, name, is_scaling: false, call: None }
}

fn woken(source: &str, kind: &str, resources: &[&str], detail: Value) -> Vec<Wake> {
    parse(&event(source, kind, resources, detail)).unwrap()
}

/// A call as CloudTrail tells it, with more or other members.
fn trail(operation: &str, input: &Value, more: &Value) -> Vec<Wake> {
    let mut detail = json!({
        "eventVersion": "1.09", "eventTime": "2026-03-01T00:09:58Z", "eventSource": "ecs.amazonaws.com",
        "eventName": operation, "awsRegion": "eu-west-1", "sourceIPAddress": "203.0.113.7",
        "userAgent": "aws-cli/2.15.30 Python/3.11.8 Linux/6.1 exe/x86_64 command/ecs.update-service",
        "userIdentity": {
            "type": "AssumedRole", "principalId": "AROAEXAMPLE:ada", "accountId": "111122223333",
            "arn": "arn:aws:sts::111122223333:assumed-role/Admin/ada",
        },
        "requestParameters": input, "responseElements": null, "readOnly": false,
        "eventID": "d2b2d3a5-8a5d-4a0c-8a55-9d0a3a4c3f11", "eventType": "AwsApiCall",
    });
    for (name, value) in more.as_object().unwrap() {
        detail[name] = value.clone();
    }
    woken("aws.ecs", "AWS API Call via CloudTrail", &[], detail)
}

fn call(wakes: &[Wake]) -> &Caller {
    let [Wake::Service(ServiceWake { call: Some(caller), .. })] = wakes else {
        panic!("{wakes:?}")
    };
    caller
}

#[test]
fn a_task_that_runs_or_has_stopped_wakes_its_service() {
    let task = |status: &str, group: &str| {
        let arn = "arn:aws:ecs:eu-west-1:111122223333:task/shop/0123";
        let detail = json!({
            "clusterArn": "arn:aws:ecs:eu-west-1:111122223333:cluster/shop", "taskArn": arn, "group": group,
            "lastStatus": status, "desiredStatus": "RUNNING", "version": 3, "startedBy": "ecs-svc/1",
            "containers": [{"name": "app", "lastStatus": status}],
        });
        woken("aws.ecs", "ECS Task State Change", &[arn], detail)
    };
    assert_eq!(task("STOPPED", "service:web"), [Wake::Service(web())]);
    assert_eq!(task("RUNNING", "service:web"), [Wake::Service(web())]);
    for step in ["PROVISIONING", "PENDING", "ACTIVATING", "DEACTIVATING", "STOPPING"] {
        assert_eq!(task(step, "service:web"), []);
    }
    assert_eq!(task("STOPPED", "family:migration"), [], "a task of no service");
}

#[test]
fn deployments_actions_and_hooks_wake_their_service() {
    let deployment = json!({
        "eventType": "ERROR", "eventName": "SERVICE_DEPLOYMENT_FAILED", "deploymentId": "ecs-svc/123",
        "updatedAt": "2026-03-01T00:00:00Z", "reason": "ECS deployment circuit breaker: task failed to start.",
    });
    let action = json!({
        "eventType": "INFO", "eventName": "SERVICE_STEADY_STATE", "createdAt": "2026-03-01T00:00:00Z",
        "clusterArn": "arn:aws:ecs:eu-west-1:111122223333:cluster/shop",
    });
    let hook = json!({
        "eventType": "INFO", "eventName": "HOOK_AWAITING_ACTION", "hookId": "ecs-PAUSE-1", "hookType": "PAUSE",
        "clusterArn": "arn:aws:ecs:eu-west-1:111122223333:cluster/shop", "serviceArn": SERVICE,
        "serviceDeploymentArn": "arn:aws:ecs:eu-west-1:111122223333:service-deployment/shop/web/x",
        "lifecycleStage": "POST_TEST_TRAFFIC_SHIFT",
    });
    for (kind, resources, detail) in [
        ("ECS Deployment State Change", &[SERVICE][..], deployment),
        ("ECS Service Action", &[SERVICE], action.clone()),
        ("ECS Hook State Change", &[], hook),
        ("ECS Service Action", &["arn:aws:ecs:eu-west-1:111122223333:service/web"], action),
    ] {
        assert_eq!(woken("aws.ecs", kind, resources, detail), [Wake::Service(web())], "{kind}");
    }
    let old = "arn:aws:ecs:eu-west-1:111122223333:service/web";
    let wakes = woken("aws.ecs", "ECS Deployment State Change", &[old], json!({}));
    assert_eq!(wakes, [Wake::Service(ServiceWake { cluster: None, ..web() })]);
}

#[test]
fn images_parameters_objects_and_scaling_wake_what_has_to_do_with_them() {
    let name = || "shop/web".to_owned();
    let pushed = json!({
        "result": "SUCCESS", "repository-name": "shop/web", "image-digest": "sha256:ab", "action-type": "PUSH",
        "image-tag": "v2",
    });
    let repository = [Wake::Repository { place: place(), name: name() }];
    assert_eq!(woken("aws.ecr", "ECR Image Action", &[], pushed.clone()), repository);
    let replicated = json!({
        "result": "SUCCESS", "repository-name": "shop/web", "image-digest": "sha256:ab",
        "source-account": "444455556666", "action-type": "REPLICATE", "source-region": "us-east-1",
    });
    assert_eq!(woken("aws.ecr", "ECR Replication Action", &[], replicated), repository);
    let mut failed = pushed;
    failed["result"] = json!("FAILURE");
    assert_eq!(woken("aws.ecr", "ECR Image Action", &[], failed), []);

    let parameter = json!({"operation": "Update", "name": "/shop/url", "type": "String"});
    let arn = "arn:aws:ssm:eu-west-1:111122223333:parameter/shop/url";
    assert_eq!(
        woken("aws.ssm", "Parameter Store Change", &[arn], parameter),
        [Wake::Parameter { place: place(), name: "/shop/url".to_owned() }]
    );
    let alarm = |name: &str| {
        let detail = json!({
            "alarmName": name, "state": {"value": "ALARM", "reason": "Threshold Crossed"},
            "previousState": {"value": "OK"}, "configuration": {"description": ""},
        });
        let arn = format!("arn:aws:cloudwatch:eu-west-1:111122223333:alarm:{name}");
        woken("aws.cloudwatch", "CloudWatch Alarm State Change", &[&arn], detail)
    };
    assert_eq!(alarm("5xx"), [Wake::Alarm { place: place(), name: "5xx".to_owned() }]);
    let scaling = ServiceWake { is_scaling: true, ..web() };
    for name in [
        "TargetTracking-service/shop/web-AlarmHigh-8b1f0c7e-1c3d-4e5f-9a6b-7c8d9e0f1a2b",
        "TargetTracking-service/shop/web-AlarmLow-8b1f0c7e-1c3d-4e5f-9a6b-7c8d9e0f1a2b",
        "longshore/shop/web/out",
    ] {
        assert_eq!(alarm(name), [Wake::Service(scaling.clone())], "{name}");
    }
    for kind in ["Object Created", "Object Deleted"] {
        let detail = json!({
            "version": "0", "bucket": {"name": "specs"}, "object": {"key": "fleet/web.yaml", "etag": "x"},
            "requester": "111122223333",
        });
        let (bucket, key) = ("specs".to_owned(), "fleet/web.yaml".to_owned());
        assert_eq!(
            woken("aws.s3", kind, &["arn:aws:s3:::specs"], detail),
            [Wake::Object { bucket, key }]
        );
    }
    let activity = |namespace: &str, resource: &str| {
        let detail = json!({
            "startTime": "2026-03-01T00:00:00Z", "endTime": "2026-03-01T00:01:00Z", "newDesiredCapacity": 8,
            "oldDesiredCapacity": 5, "minCapacity": 2, "maxCapacity": 8, "resourceId": resource,
            "scalableDimension": "ecs:service:DesiredCount", "serviceNamespace": namespace,
            "statusCode": "Successful", "scaledToMax": true, "direction": "scale-out",
        });
        let kind = "Application Auto Scaling Scaling Activity State Change";
        woken("aws.application-autoscaling", kind, &[], detail)
    };
    let scaled = Wake::Service(ServiceWake { is_scaling: true, ..web() });
    assert_eq!(activity("ecs", "service/shop/web"), [scaled]);
    assert_eq!(activity("dynamodb", "table/shop"), []);
}

#[test]
fn a_call_to_a_service_wakes_it_and_says_who_made_it() {
    let input =
        json!({"cluster": "shop", "service": "web", "desiredCount": 1, "taskDefinition": null});
    let wakes = trail("UpdateService", &input, &json!({}));
    let Caller { call, arn, agent } = call(&wakes);
    assert_eq!(
        call.to_string(),
        "UpdateService of desiredCount by arn:aws:sts::111122223333:assumed-role/Admin/ada at 2026-03-01T00:09:58Z \
         with aws-cli/2.15.30"
    );
    assert_eq!(arn.as_deref(), Some("arn:aws:sts::111122223333:assumed-role/Admin/ada"));
    assert!(agent.starts_with("aws-cli/2.15.30 Python"));
    assert!(!format!("{wakes:?}").contains("203.0.113.7"), "the address is not taken over");
    let Wake::Service(wake) = &wakes[0] else { panic!("{wakes:?}") };
    assert_eq!(ServiceWake { call: None, ..wake.clone() }, web());
}

#[test]
fn every_way_to_name_the_service_is_understood() {
    let arn = "arn:aws:ecs:eu-west-1:111122223333:cluster/shop";
    let deployment = "arn:aws:ecs:eu-west-1:111122223333:service-deployment/shop/web/abc";
    let scaling = json!({
        "serviceNamespace": "ecs", "resourceId": "service/shop/web", "scalableDimension": "ecs:service:DesiredCount",
        "maxCapacity": 4,
    });
    for (operation, input, is_scaling) in [
        ("UpdateService", json!({"cluster": arn, "service": "web"}), false),
        ("DeleteService", json!({"service": SERVICE, "force": true}), false),
        ("CreateService", json!({"cluster": "shop", "serviceName": "web"}), false),
        ("TagResource", json!({"resourceArn": SERVICE, "tags": [{"key": "a"}]}), false),
        ("UntagResource", json!({"resourceArn": SERVICE, "tagKeys": ["a"]}), false),
        ("StopServiceDeployment", json!({"serviceDeploymentArn": deployment}), false),
        ("ContinueServiceDeployment", json!({"serviceDeploymentArn": deployment}), false),
        ("RegisterScalableTarget", scaling.clone(), true),
        ("DeregisterScalableTarget", scaling.clone(), true),
        ("PutScalingPolicy", scaling.clone(), true),
        ("DeleteScalingPolicy", scaling.clone(), true),
        ("PutScheduledAction", scaling.clone(), true),
        ("DeleteScheduledAction", scaling, true),
    ] {
        let wakes = trail(operation, &input, &json!({}));
        let [Wake::Service(wake)] = wakes.as_slice() else { panic!("{operation}: {wakes:?}") };
        let expected = ServiceWake { is_scaling, call: wake.call.clone(), ..web() };
        assert_eq!(*wake, expected, "{operation}");
        assert!(wake.call.is_some(), "{operation}");
    }
    let lone = trail("UpdateService", &json!({"service": "web"}), &json!({}));
    let Wake::Service(wake) = &lone[0] else { panic!("{lone:?}") };
    assert_eq!(wake.cluster.as_deref(), Some("default"));
}

#[test]
fn calls_that_changed_nothing_wake_nobody() {
    let input = json!({"cluster": "shop", "service": "web"});
    for more in
        [json!({"errorCode": "AccessDenied", "errorMessage": "no"}), json!({"readOnly": true})]
    {
        assert_eq!(trail("UpdateService", &input, &more), []);
    }
    assert_eq!(trail("DescribeServices", &input, &json!({})), []);
    assert_eq!(trail("UpdateService", &Value::Null, &json!({})), []);
    let task = json!({"resourceArn": "arn:aws:ecs:eu-west-1:1:task/shop/1", "tags": []});
    assert_eq!(trail("TagResource", &task, &json!({})), []);
    let table = json!({"serviceNamespace": "dynamodb", "resourceId": "table/x"});
    assert_eq!(trail("RegisterScalableTarget", &table, &json!({})), []);
}

#[test]
fn who_it_was_is_told_as_far_as_it_is_known() {
    let service_role = "arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForApplicationAutoScaling_ECSService/\
                        AutoScaling-UpdateDesiredCapacity";
    for (identity, actor) in [
        (
            json!({"type": "Root", "arn": "arn:aws:iam::111122223333:root"}),
            "arn:aws:iam::111122223333:root",
        ),
        (
            json!({"type": "AWSService", "invokedBy": "cloudformation.amazonaws.com"}),
            "cloudformation.amazonaws.com",
        ),
        (json!({"type": "AssumedRole", "arn": service_role}), service_role),
        (json!({"type": "AWSAccount", "accountId": "444455556666"}), "444455556666"),
        (json!({"type": "SAMLUser", "userName": "ada@acme.io"}), "ada@acme.io"),
        (json!({}), "somebody whom CloudTrail does not name"),
    ] {
        let input = json!({"cluster": "shop", "service": "web"});
        let wakes = trail("UpdateService", &input, &json!({ "userIdentity": identity }));
        assert_eq!(call(&wakes).call.actor, actor);
    }
}

#[test]
fn the_tool_is_told_in_a_word() {
    let terraform = "APN/1.0 HashiCorp/1.0 Terraform/1.7.5 (+https://www.terraform.io) terraform-provider-aws/5.41";
    let endless = format!("x/{}", "1".repeat(500));
    for (agent, tool) in [
        ("Boto3/1.34.11 md/Botocore#1.34.11 ua/2.0", Some("Boto3/1.34.11")),
        (terraform, Some("Terraform/1.7.5")),
        (
            "ecs.application-autoscaling.amazonaws.com",
            Some("ecs.application-autoscaling.amazonaws.com"),
        ),
        ("[AWS Internal]", Some("AWS")),
        ("a\u{1b}[31mb\r\nc", Some("a[31mbc")),
        (&endless, Some(&endless[..60])),
        ("", None),
    ] {
        let input = json!({"cluster": "shop", "service": "web"});
        let wakes = trail("UpdateService", &input, &json!({ "userAgent": agent }));
        assert_eq!(call(&wakes).call.tool.as_deref(), tool, "{agent}");
    }
    let input = json!({"cluster": "shop", "service": "web"});
    let wakes = trail("UpdateService", &input, &json!({ "sessionCredentialFromConsole": "true" }));
    assert_eq!(call(&wakes).call.tool.as_deref(), Some("the console"));
}

#[test]
fn secrets_and_parameters_are_told_by_cloudtrail_as_well() {
    let arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop/db-AbCdEf";
    let secret = |id: &str| [Wake::Secret { place: place(), id: id.to_owned() }];
    for operation in ["PutSecretValue", "UpdateSecret", "UpdateSecretVersionStage", "RotateSecret"]
    {
        assert_eq!(trail(operation, &json!({ "secretId": arn }), &json!({})), secret(arn));
    }
    assert_eq!(trail("CreateSecret", &json!({ "name": "shop/db" }), &json!({})), secret("shop/db"));
    let detail = json!({
        "eventName": "RotationSucceeded", "additionalEventData": {"SecretId": arn}, "requestParameters": null,
        "eventType": "AwsServiceEvent",
    });
    let kind = "AWS Service Event via CloudTrail";
    assert_eq!(woken("aws.secretsmanager", kind, &[], detail), secret(arn));
    assert_eq!(
        trail("PutParameter", &json!({ "name": "/shop/url", "value": "HIDDEN" }), &json!({})),
        [Wake::Parameter { place: place(), name: "/shop/url".to_owned() }]
    );
}

#[test]
fn what_is_no_event_is_malformed_and_what_is_of_no_concern_is_nothing() {
    for body in ["", "{", "[]", "null", "7", "\"x\"", "{}", "\u{0}", "{\"source\": 1}"] {
        assert!(parse(body).is_err(), "{body}");
    }
    let bomb = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(parse(&bomb).is_err());
    let mut event: Value =
        serde_json::from_str(&event("aws.ecs", "ECS Service Action", &[SERVICE], json!({})))
            .unwrap();
    event["detail"] = json!("text");
    assert!(parse(&event.to_string()).is_err());
    assert_eq!(woken("aws.ec2", "EC2 Instance State-change Notification", &[], json!({})), []);
    assert_eq!(woken("acme.shop", "ECS Service Action", &[SERVICE], json!({})), []);
    let input = json!({"name": "/shop/url"});
    let call = json!({"eventName": "PutParameter", "requestParameters": input});
    let kind = "AWS API Call via CloudTrail";
    assert_eq!(woken("acme.shop", kind, &[], call.clone()), [], "nobody but AWS tells of calls");
    assert_eq!(woken("aws.ssm", kind, &[], call).len(), 1);
}

/// Any JSON, with the names and words that the reader looks for.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "aws.ecs",
        "ECS Task State Change",
        "ECS Service Action",
        "AWS API Call via CloudTrail",
        "UpdateService",
        "service:",
        "service:web",
        "STOPPED",
        "arn:aws:ecs:::service/",
        "service/shop/web",
        "service/",
        ":service/",
        "ecs",
        "TagResource",
        "true",
        "2026-03-01T00:00:00Z",
        "/",
        "",
        "é\u{202e}\u{0}",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        word.prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    let name = prop::sample::select(vec![
        "source",
        "detail-type",
        "detail",
        "account",
        "region",
        "resources",
        "lastStatus",
        "group",
        "clusterArn",
        "serviceArn",
        "eventName",
        "requestParameters",
        "userIdentity",
        "arn",
        "userAgent",
        "eventTime",
        "eventID",
        "service",
        "cluster",
        "resourceArn",
        "tags",
        "tagKeys",
        "key",
        "resourceId",
        "serviceNamespace",
        "bucket",
        "object",
        "name",
        "secretId",
        "repository-name",
    ]);
    leaf.prop_recursive(5, 60, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(name.clone(), inner, 0..9).prop_map(|members| {
                Value::Object(
                    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
                )
            }),
        ]
    })
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_fail(body in ".*") {
        let _ = parse(&body);
    }

    #[test]
    fn no_json_makes_the_reader_fail(detail in any_json(), kind in prop::sample::select(vec![
        ("aws.ecs", "ECS Task State Change"), ("aws.ecs", "ECS Hook State Change"), ("aws.ecr", "ECR Image Action"),
        ("aws.s3", "Object Created"), ("aws.ssm", "Parameter Store Change"), ("aws.ecs", "AWS API Call via CloudTrail"),
    ])) {
        let detail = if detail.is_object() { detail } else { json!({ "x": detail }) };
        let wakes = parse(&event(kind.0, kind.1, &[SERVICE], detail)).unwrap();
        prop_assert!(wakes.len() <= 1);
    }
}
