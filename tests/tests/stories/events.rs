//! AWS tells what happens, and Git hosts what was pushed: the operator looks at once. What it does is the same without.

use std::time::Duration;

use controller::status_store::EventKind;
use controller::webhooks::{Received, Refused, Webhooks};
use crds::{ConditionType, Health, Reason, SecretFrom, Webhook, WebhookProvider};
use jiff::Timestamp;
use longshore_tests::specs::{counted, image, service, with};
use longshore_tests::{Fleet, FleetOptions, Place};
use serde_json::{Value, json};

const URL: &str = "https://sqs.eu-west-1.amazonaws.com/111122223333/events";
/// Rollouts that take so long that they are looked at every fifteen seconds only.
const SLOW: &str = "
clusters: [{name: shop}]
latency: 8ms
queues: [{name: events}]
events: {queue: events}
timings: {pull: 4m}
";
const QUICK: &str = "
clusters: [{name: shop}]
latency: 8ms
queues: [{name: events}]
events: {queue: events}
";

fn hearing(fixtures: &str) -> FleetOptions {
    let (fixtures, events) = (fixtures.to_owned(), Some(URL.to_owned()));
    FleetOptions { fixtures, events, ..FleetOptions::default() }
}

/// How long after ECS has ended the rollout the operator says so.
async fn noticed_after(
    options: FleetOptions,
    version: &str,
    ended: &str,
    reason: Reason,
) -> Duration {
    let mut fleet = Fleet::with(options).await;
    fleet.image_exits("*:broken");
    fleet.commit(&[service("web", &image("web", "v1"))]).await;
    fleet.until_ready("web").await;
    fleet.pass(Duration::from_secs(90)).await;
    fleet.commit(&[service("web", &image("web", version))]).await;
    fleet.until("it rolls", |fleet| fleet.rollouts("web").len() == 2).await;
    fleet.takes("ended at ECS", |fleet| fleet.rollouts("web")[0].starts_with(ended)).await;
    fleet.takes("noticed", |fleet| fleet.ready("web").reason == reason).await
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_rollout_is_noticed_within_two_seconds() {
    let (ended, reason) = ("SUCCESSFUL", Reason::RolloutSucceeded);
    let heard = noticed_after(hearing(SLOW), "v2", ended, reason).await;
    assert!(heard <= Duration::from_secs(2), "{heard:?}");
    let polled =
        noticed_after(FleetOptions { events: None, ..hearing(SLOW) }, "v2", ended, reason).await;
    assert!(polled > Duration::from_secs(2), "what is told of is no news: {polled:?}");
}

#[tokio::test(start_paused = true)]
async fn a_failed_rollout_is_noticed_within_two_seconds() {
    let (ended, reason) = ("ROLLBACK", Reason::RolledBack);
    let heard = noticed_after(hearing(SLOW), "broken", ended, reason).await;
    assert!(heard <= Duration::from_secs(2), "{heard:?}");
}

#[tokio::test(start_paused = true)]
async fn a_queue_in_which_nothing_happens_costs_long_polls_only() {
    let mut reads = Vec::new();
    for events in [None, Some(URL.to_owned())] {
        let mut fleet = Fleet::with(FleetOptions { events, ..hearing(QUICK) }).await;
        fleet.commit(&[counted("web", "v1", 1), counted("api", "v1", 1)]).await;
        fleet.until_ready("web").await;
        fleet.until_ready("api").await;
        fleet.pass(Duration::from_mins(5)).await;
        let (mark, deleted) =
            (fleet.sandbox.call_count(), fleet.sandbox.count_of("sqs", "DeleteMessageBatch"));
        fleet.pass(Duration::from_mins(10)).await;
        let calls = fleet.sandbox.calls_since(mark);
        let (polls, others): (Vec<_>, Vec<_>) =
            calls.iter().partition(|call| call.operation == "ReceiveMessage");
        if fleet.sandbox.count_of("sqs", "ReceiveMessage") > 0 {
            assert!((28..=31).contains(&polls.len()), "{}", polls.len());
        }
        assert_eq!(fleet.sandbox.count_of("sqs", "DeleteMessageBatch"), deleted);
        reads.push(others.len());
    }
    assert!(reads[1] <= reads[0] + 2, "{reads:?}: a pass more by its jitter, no more");
}

/// An event of EventBridge about a service.
fn action(name: &str) -> String {
    json!({
        "version": "0", "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718", "detail-type": "ECS Service Action",
        "source": "aws.ecs", "account": "111122223333", "time": "2026-03-01T00:00:00Z", "region": "eu-west-1",
        "resources": [format!("arn:aws:ecs:eu-west-1:111122223333:service/shop/{name}")],
        "detail": {"eventType": "INFO", "eventName": "SERVICE_DESIRED_COUNT_UPDATED"},
    })
    .to_string()
}

fn send(fleet: &Fleet, body: &str) {
    fleet.console_of("sqs", "SendMessage", json!({ "QueueUrl": URL, "MessageBody": body }));
}

#[tokio::test(start_paused = true)]
async fn a_rollout_that_waits_for_an_alarm_goes_on_as_soon_as_it_is_silent() {
    let fixtures = format!("{QUICK}alarms: [{{name: 5xx}}]\n");
    let mut fleet = Fleet::with(hearing(&fixtures)).await;
    fleet.sandbox.edit(fleet.now(), |region| region.set_alarm("5xx", true));
    let alarms = json!({ "alarmNames": ["5xx"], "enable": true, "rollback": true });
    let spec = service("web", &image("web", "v1"));
    fleet.commit(&[with(spec, "/spec/service/deploymentConfiguration/alarms", alarms)]).await;
    fleet.until_stalled("web", Reason::PreflightFailed).await;
    fleet.pass(Duration::from_mins(20)).await;
    fleet.sandbox.edit(fleet.now(), |region| region.set_alarm("5xx", false));
    let told = json!({
        "version": "0", "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718", "detail-type": "CloudWatch Alarm State Change",
        "source": "aws.cloudwatch", "account": "111122223333", "time": "2026-03-01T00:00:00Z",
        "region": "eu-west-1", "resources": ["arn:aws:cloudwatch:eu-west-1:111122223333:alarm:5xx"],
        "detail": {"alarmName": "5xx", "state": {"value": "OK"}, "previousState": {"value": "ALARM"}},
    });
    send(&fleet, &told.to_string());
    let created = fleet.takes("created", |fleet| fleet.living("web").is_some()).await;
    assert!(created <= Duration::from_secs(2), "{created:?}");
}

/// How many messages are in the queue, hidden ones included.
fn waiting(fleet: &Fleet) -> usize {
    let input = json!({ "QueueUrl": URL, "AttributeNames": ["All"] });
    let told = fleet.console_of("sqs", "GetQueueAttributes", input)["Attributes"].clone();
    let count = |name: &str| told[name].as_str().unwrap().parse::<usize>().unwrap();
    count("ApproximateNumberOfMessages") + count("ApproximateNumberOfMessagesNotVisible")
}

#[tokio::test(start_paused = true)]
async fn a_thousand_events_cost_no_more_than_a_pass() {
    let interval = Duration::from_hours(1);
    let fixtures = QUICK.replace("{name: events}", "{name: events, duplicates: true}");
    let mut fleet = Fleet::with(FleetOptions { interval, ..hearing(&fixtures) }).await;
    let names: Vec<String> = (0..20).map(|number| format!("s{number}")).collect();
    let specs: Vec<Value> = names.iter().map(|name| counted(name, "v1", 1)).collect();
    fleet.commit(&specs).await;
    for name in &names {
        fleet.until_ready(name).await;
    }
    fleet.until("all is heard", |fleet| waiting(fleet) == 0).await;
    fleet.pass(Duration::from_mins(10)).await;
    let mark = fleet.sandbox.call_count();
    for number in 0..500 {
        send(&fleet, &action(&names[number % names.len()]));
    }
    assert_eq!(waiting(&fleet), 1000);
    fleet.until("all is heard", |fleet| waiting(fleet) == 0).await;
    fleet.pass(Duration::from_mins(5)).await;
    let reads = fleet.sandbox.calls_since(mark).iter().filter(|call| call.api == "ecs").count();
    assert_eq!(reads, 2, "twenty services are two calls");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_event_is_deleted_and_harms_nothing() {
    let mut fleet = Fleet::with(hearing(QUICK)).await;
    fleet.commit(&[counted("web", "v1", 1)]).await;
    fleet.until_ready("web").await;
    for body in
        ["x", "{}", "[]", "\u{feff}{", &action("nobody"), &action("../../etc"), &"[".repeat(9_000)]
    {
        send(&fleet, body);
    }
    fleet.until("deleted", |fleet| waiting(fleet) == 0).await;
    fleet.commit(&[counted("web", "v2", 1)]).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v2"));
}

/// What was told of the operator itself.
fn told_of_operator(fleet: &Fleet) -> Vec<(String, String)> {
    let events = fleet.statuses.events(1000);
    let events = events.iter().rev().filter(|event| event.kind == EventKind::Operator);
    events.map(|event| (event.reason.clone(), event.message.clone())).collect()
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_is_gone_is_told_and_polling_alone_does_everything() {
    let mut fleet = Fleet::with(hearing(QUICK)).await;
    fleet.commit(&[counted("web", "v1", 2)]).await;
    fleet.until_ready("web").await;
    fleet.console_of("sqs", "DeleteQueue", json!({ "QueueUrl": URL }));
    fleet.until("told", |fleet| !told_of_operator(fleet).is_empty()).await;
    let told = told_of_operator(&fleet);
    assert_eq!((told.len(), told[0].0.as_str()), (1, "EventQueueUnreadable"));
    assert!(told[0].1.contains("AWS.SimpleQueueService.NonExistentQueue"), "{told:?}");
    let mark = fleet.sandbox.call_count();
    fleet.commit(&[counted("web", "v2", 2)]).await;
    fleet.until_ready("web").await;
    let one = json!({ "cluster": "shop", "service": "web", "desiredCount": 1 });
    fleet.console("UpdateService", one);
    fleet.until("healed", |fleet| fleet.service("web").unwrap().desired == 2).await;
    fleet.pass(Duration::from_mins(30)).await;
    let asked = fleet.sandbox.calls_since(mark).iter().filter(|call| call.api == "sqs").count();
    assert!(asked < 45, "{asked}: asked again, later each time");
    assert_eq!(told_of_operator(&fleet).len(), 1, "told once");
    fleet.console_of("sqs", "CreateQueue", json!({ "QueueName": "events" }));
    fleet.until("told", |fleet| told_of_operator(fleet).len() == 2).await;
    assert_eq!(told_of_operator(&fleet)[1].0, "EventQueueReadable");
}

#[tokio::test(start_paused = true)]
async fn without_the_permission_everything_is_done_by_polling() {
    let fixtures = format!("{QUICK}denied: [\"sqs:ReceiveMessage\"]\n");
    let mut fleet = Fleet::with(hearing(&fixtures)).await;
    fleet.commit(&[counted("web", "v1", 1)]).await;
    fleet.until_ready("web").await;
    let told = told_of_operator(&fleet);
    assert!(told[0].1.contains("sqs:ReceiveMessage"), "{told:?}");
}

/// What was told of changes by others, oldest first.
fn outside(fleet: &Fleet, name: &str) -> Vec<String> {
    let events = fleet.statuses.events_of(&Fleet::key(name), 1000);
    let events = events.iter().rev().filter(|event| event.reason == "ChangedOutside");
    events.map(|event| event.message.clone()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_change_at_the_console_is_reported_with_who_and_when() {
    let mut fleet = Fleet::with(hearing(QUICK)).await;
    let spec = with(counted("web", "v1", 3), "/spec/sync", json!({ "selfHeal": false }));
    fleet.commit(&[spec]).await;
    fleet.until_ready("web").await;
    fleet.pass(Duration::from_mins(2)).await;
    assert_eq!(outside(&fleet, "web"), [""; 0], "our own calls are nobody else's");
    let when = fleet.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let one = json!({ "cluster": "shop", "service": "web", "desiredCount": 1 });
    fleet.console("UpdateService", one);
    fleet.until("told", |fleet| !outside(fleet, "web").is_empty()).await;
    let call = format!(
        "UpdateService of desiredCount by arn:aws:sts::111122223333:assumed-role/Admin/ada at {when} with the console"
    );
    assert_eq!(outside(&fleet, "web"), std::slice::from_ref(&call));
    fleet
        .until("named", |fleet| {
            let status = fleet.status("web");
            status.condition(ConditionType::Stalled).is_some_and(|condition| {
                condition.reason == Reason::SelfHealOff && condition.message.contains(&call)
            }) && status.holds.iter().any(|hold| hold.message.contains(&call))
        })
        .await;
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(outside(&fleet, "web").len(), 1, "told once");
    assert_eq!(fleet.service("web").unwrap().desired, 1, "and left as it is");
    // Put right by hand, and changed again without CloudTrail saying who: then nobody is named.
    let three = json!({ "cluster": "shop", "service": "web", "desiredCount": 3 });
    fleet.console("UpdateService", three);
    fleet.until_ready("web").await;
    fleet.pass(Duration::from_mins(5)).await;
    fleet.sandbox.edit(fleet.now(), |region| region.set_events(false));
    let two = json!({ "cluster": "shop", "service": "web", "desiredCount": 2 });
    fleet.console("UpdateService", two);
    fleet.until_stalled("web", Reason::SelfHealOff).await;
    fleet.pass(Duration::from_mins(2)).await;
    assert!(!fleet.ready("web").message.contains("ada"), "{}", fleet.ready("web").message);
}

#[tokio::test(start_paused = true)]
async fn a_change_is_healed_at_once_and_its_author_told_when_known() {
    let mut fleet = Fleet::with(hearing(QUICK)).await;
    fleet.commit(&[service("web", &image("web", "v1"))]).await;
    fleet.until_ready("web").await;
    fleet.pass(Duration::from_mins(2)).await;
    fleet.console("DeleteService", json!({ "cluster": "shop", "service": "web", "force": true }));
    let healed = fleet
        .takes("there again", |fleet| fleet.living("web").is_some_and(|web| web.running == 2))
        .await;
    assert!(healed < Duration::from_mins(2), "{healed:?}");
    fleet.until_ready("web").await;
    fleet.until("told", |fleet| !outside(fleet, "web").is_empty()).await;
    let told = outside(&fleet, "web");
    assert!(
        told[0].starts_with("DeleteService by arn:aws:sts::111122223333:assumed-role/Admin/ada"),
        "{told:?}"
    );
    assert_eq!(told.len(), 1, "our own CreateService is not told: {told:?}");
}

#[tokio::test(start_paused = true)]
async fn scaling_that_somebody_changes_is_healed_when_it_is_told() {
    let interval = Duration::from_hours(1);
    let mut fleet = Fleet::with(FleetOptions { interval, ..hearing(QUICK) }).await;
    let block = json!({
        "minCapacity": 2, "maxCapacity": 10,
        "targetTracking": [{ "name": "cpu", "predefinedMetric": "ECSServiceAverageCPUUtilization", "targetValue": 60 }],
    });
    fleet.commit(&[with(service("web", &image("web", "v1")), "/spec/scaling", block)]).await;
    fleet.until_ready("web").await;
    fleet.pass(Duration::from_mins(2)).await;
    let target = |fleet: &Fleet| {
        let input = json!({ "ServiceNamespace": "ecs" });
        let answer = fleet.console_of("application-autoscaling", "DescribeScalableTargets", input);
        answer["ScalableTargets"][0]["MaxCapacity"].clone()
    };
    let input = json!({
        "ServiceNamespace": "ecs", "ResourceId": "service/shop/web", "ScalableDimension": "ecs:service:DesiredCount",
        "MaxCapacity": 4,
    });
    fleet.console_of("application-autoscaling", "RegisterScalableTarget", input);
    assert_eq!(target(&fleet), json!(4));
    let healed = fleet.takes("healed", |fleet| target(fleet) == json!(10)).await;
    assert!(healed < Duration::from_secs(20), "CloudTrail takes ten seconds: {healed:?}");
    assert!(outside(&fleet, "web")[0].starts_with("RegisterScalableTarget of maxCapacity by"));
}

#[tokio::test(start_paused = true)]
async fn a_changed_parameter_and_a_pushed_image_are_noticed_when_they_are_told() {
    let fixtures = format!(
        "{QUICK}parameters: [{{name: /shop/url, value: x}}]\nroles: [{{name: shop-execution}}]\n\
         repositories: [{{name: shop/web, images: [{{tags: [v1]}}]}}]\n"
    );
    let mut fleet =
        Fleet::with(FleetOptions { interval: Duration::from_hours(1), ..hearing(&fixtures) }).await;
    let web = |version: &str| {
        let secrets = json!([{ "name": "URL", "valueFrom": "/shop/url" }]);
        let pointer = "/spec/taskDefinition/containerDefinitions/0/secrets";
        let spec = with(service("web", &image("web", version)), pointer, secrets);
        with(spec, "/spec/rollout", json!({ "reloadOnSecretChange": true }))
    };
    fleet.commit(&[web("v1")]).await;
    fleet.until_ready("web").await;
    fleet.until("seen", |fleet| fleet.tag("web", "longshore.dev/secrets").is_some()).await;
    fleet.pass(Duration::from_mins(3)).await;
    let value = json!({ "Name": "/shop/url", "Value": "y", "Type": "String", "Overwrite": true });
    fleet.console_of("ssm", "PutParameter", value);
    let reloads = fleet.takes("reloads", |fleet| fleet.rollouts("web").len() == 2).await;
    // Half a minute of that is for further changes that belong to this one.
    assert!(reloads <= Duration::from_secs(35), "{reloads:?}");
    fleet.until_ready("web").await;

    fleet.commit(&[web("v2")]).await;
    fleet.until_stalled("web", Reason::PreflightFailed).await;
    fleet.pass(Duration::from_mins(20)).await;
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "layers": [],
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json", "size": 10,
            "digest": format!("sha256:{}", "a".repeat(64)),
        },
    });
    let push = json!({ "repositoryName": "shop/web", "imageTag": "v2", "imageManifest": manifest.to_string() });
    fleet.console_of("ecr", "PutImage", push);
    let rolls = fleet.takes("rolls", |fleet| fleet.image("web") == image("web", "v2")).await;
    assert!(rolls <= Duration::from_secs(5), "{rolls:?}");
}

/// A fleet whose operator reads its bucket once in ten minutes by itself.
fn watching(events: Option<&str>) -> FleetOptions {
    let fixtures = format!("{QUICK}buckets: [{{name: specs}}]\n");
    let (events, watch) = (events.map(str::to_owned), Some(Duration::from_mins(10)));
    FleetOptions { place: Place::Bucket, events, watch, ..hearing(&fixtures) }
}

fn write(fleet: &Fleet, version: &str) {
    let spec = counted("web", version, 1);
    fleet.write(&[("web.json", &serde_json::to_string_pretty(&spec).unwrap())]);
}

/// When the source was last read.
fn read_at(fleet: &Fleet) -> Option<Timestamp> {
    fleet.statuses.sources().first()?.fetched_at
}

#[tokio::test(start_paused = true)]
async fn an_object_of_the_bucket_lets_the_source_be_read() {
    let fleet = Fleet::with(watching(Some(URL))).await;
    fleet.until("read", |fleet| read_at(fleet).is_some()).await;
    fleet.pass(Duration::from_mins(1)).await;
    write(&fleet, "v1");
    let known = fleet.takes("known", |fleet| fleet.object("web").is_some()).await;
    assert!(known <= Duration::from_secs(2), "{known:?}");
    fleet.until_ready("web").await;
    let without = Fleet::with(watching(None)).await;
    without.until("read", |fleet| read_at(fleet).is_some()).await;
    write(&without, "v1");
    let known = without.takes("known", |fleet| fleet.object("web").is_some()).await;
    assert!(known > Duration::from_mins(9), "{known:?}");
}

/// A webhook with a token for the fleet's source.
fn webhook(fleet: &Fleet) -> Webhooks {
    let (source, provider) = ("fleet".parse().unwrap(), WebhookProvider::Gitlab);
    let webhook = Webhook { source, provider, secret: SecretFrom::default() };
    let read = |_: &SecretFrom| Ok("the token of the webhook".to_owned());
    Webhooks::new(&[webhook], fleet.triggers().clone(), read).unwrap()
}

fn call(fleet: &Fleet, webhooks: &Webhooks, token: &str, number: u32) -> Result<Received, Refused> {
    let mut headers = http::HeaderMap::new();
    headers.insert("x-gitlab-token", token.parse().unwrap());
    headers.insert("idempotency-key", number.to_string().parse().unwrap());
    let body = json!({"object_kind": "push", "ref": "refs/heads/main"}).to_string();
    let caller = webhooks.admit(WebhookProvider::Gitlab, "fleet")?;
    caller.receive(&headers, body.as_bytes(), fleet.now())
}

#[tokio::test(start_paused = true)]
async fn a_webhook_lets_the_source_be_read_within_a_second() {
    let fleet = Fleet::with(watching(None)).await;
    let webhooks = webhook(&fleet);
    fleet.until("read", |fleet| read_at(fleet).is_some()).await;
    fleet.pass(Duration::from_mins(1)).await;
    write(&fleet, "v1");
    assert_eq!(call(&fleet, &webhooks, "a guess", 1), Err(Refused::Unsigned));
    fleet.pass(Duration::from_secs(30)).await;
    assert!(fleet.object("web").is_none(), "nothing else happens");
    assert_eq!(call(&fleet, &webhooks, "the token of the webhook", 2), Ok(Received::Woken));
    let known = fleet.takes("known", |fleet| fleet.object("web").is_some()).await;
    assert!(known <= Duration::from_secs(1), "{known:?}");
    fleet.until_ready("web").await;
    assert_eq!(fleet.status("web").health, Health::Healthy);
}

#[tokio::test(start_paused = true)]
async fn many_webhooks_are_a_few_readings() {
    let fleet = Fleet::with(watching(None)).await;
    let webhooks = webhook(&fleet);
    fleet.until("read", |fleet| read_at(fleet).is_some()).await;
    fleet.pass(Duration::from_mins(1)).await;
    let listed = fleet.sandbox.count_of("s3", "ListObjectsV2");
    let mut received = 0;
    for number in 0..1000 {
        received += u32::from(call(&fleet, &webhooks, "the token of the webhook", number).is_ok());
        fleet.pass(Duration::from_millis(10)).await;
    }
    fleet.pass(Duration::from_secs(30)).await;
    assert!((100..200).contains(&received), "{received}: ten a second and some at once");
    let readings = fleet.sandbox.count_of("s3", "ListObjectsV2") - listed;
    assert!((10..=14).contains(&readings), "{readings}: one a second");
}
