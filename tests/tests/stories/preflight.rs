//! What a spec names outside itself is looked at before anything is registered, and what is missing holds it until it comes.

use std::time::Duration;

use crds::Reason;
use longshore_tests::specs::{image, service, with};
use longshore_tests::{Fleet, FleetOptions};
use serde_json::{Value, json};

/// A world whose registry, roles and log groups are known.
const FIXTURES: &str = "
clusters: [{name: shop}, {name: closed}]
latency: 8ms
roles: [{name: shop-execution}, {name: wrong, trusts: [ec2.amazonaws.com]}]
logGroups: [{name: /shop/web}]
repositories:
- name: shop/web
  images: [{tags: [v1]}, {tags: [v2]}, {tags: [arm], platforms: [linux/arm64]}, {tags: [old], archived: true}]
parameters: [{name: /shop/url, value: x}]
secrets: [{name: shop/db, suffix: AbCdEf}, {name: shop/gone, suffix: AbCdEf, deletedInDays: 7}]
targetGroups: [{name: web}, {name: by-instance, targetType: instance}, {name: lonely}]
loadBalancers:
- name: public
  listeners: [{port: 443, protocol: HTTPS, forward: [{targetGroup: web}, {targetGroup: by-instance}]}]
";

async fn world() -> Fleet {
    let fixtures = FIXTURES.to_owned();
    Fleet::with(FleetOptions { fixtures, ..FleetOptions::default() }).await
}

fn web(version: &str) -> Value {
    service("web", &image("web", version))
}

/// What the hold of a service says.
fn told(fleet: &Fleet, name: &str) -> String {
    let status = fleet.status(name);
    let hold = status.holds.iter().find(|hold| hold.reason == Reason::PreflightFailed);
    hold.unwrap_or_else(|| panic!("{:?}", status.holds)).message.clone()
}

/// Commits a spec that has to be held, and answers with the reason that is told.
async fn held(spec: Value) -> String {
    let mut fleet = world().await;
    let mark = fleet.sandbox.call_count();
    fleet.commit(&[spec]).await;
    fleet.until_stalled("web", Reason::PreflightFailed).await;
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
    assert_eq!(fleet.revisions("shop-web"), 0);
    assert!(fleet.service("web").is_none());
    told(&fleet, "web")
}

fn manifest() -> Value {
    json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "size": 10, "digest": format!("sha256:{}", "a".repeat(64)) },
        "layers": [],
    })
}

#[tokio::test(start_paused = true)]
async fn an_image_that_is_missing_is_waited_for() {
    let mut fleet = world().await;
    fleet.commit(&[web("v1")]).await;
    fleet.until_ready("web").await;
    let mark = fleet.sandbox.call_count();
    fleet.commit(&[web("v3")]).await;
    fleet.until_stalled("web", Reason::PreflightFailed).await;
    let message = told(&fleet, "web");
    assert!(message.starts_with("web.json: spec.taskDefinition.containerDefinitions[0].image: image `111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/web:v3` is not in its repository (nearest are `v1`"), "{message}");
    fleet.pass(Duration::from_mins(20)).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
    assert_eq!(fleet.image("web"), image("web", "v1"), "the last good revision runs on");
    let plan = fleet.plan("web").await;
    assert_eq!(plan.holds[0].reason, Reason::PreflightFailed);
    assert_eq!(plan.withheld[0].operation(), "RegisterTaskDefinition");
    let push = json!({
        "repositoryName": "shop/web", "imageTag": "v3", "imageManifest": manifest().to_string(),
    });
    fleet.sandbox.call(fleet.now(), "ecr", "PutImage", push).unwrap();
    fleet.until_ready("web").await;
    assert_eq!(fleet.image("web"), image("web", "v3"));
    assert_eq!(fleet.revisions("shop-web"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_repository_that_is_missing_an_archived_image_and_another_platform_are_told() {
    let message = held(service("web", &image("nothing", "v1"))).await;
    assert!(message.contains("there is no repository `shop/nothing`"), "{message}");
    let message = held(web("old")).await;
    assert!(message.contains("is ARCHIVED"), "{message}");
    let message = held(web("arm")).await;
    assert!(message.contains("no manifest for linux/amd64"), "{message}");
    assert!(message.contains("it has linux/arm64"), "{message}");
    let arm = json!({ "cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX" });
    let mut fleet = world().await;
    fleet.commit(&[with(web("arm"), "/spec/taskDefinition/runtimePlatform", arm)]).await;
    fleet.until_ready("web").await;
}

#[tokio::test(start_paused = true)]
async fn a_parameter_that_is_missing_is_waited_for() {
    let mut fleet = world().await;
    let secrets = json!([{ "name": "URL", "valueFrom": "/shop/urls" }]);
    let secrets = with(web("v1"), "/spec/taskDefinition/containerDefinitions/0/secrets", secrets);
    fleet.commit(&[secrets]).await;
    fleet.until_stalled("web", Reason::PreflightFailed).await;
    let message = told(&fleet, "web");
    assert!(
        message.contains(
            "secrets[0].valueFrom: parameter `/shop/urls` does not exist (nearest is `/shop/url`)"
        ),
        "{message}"
    );
    fleet.console_of(
        "ssm",
        "PutParameter",
        json!({ "Name": "/shop/urls", "Value": "x", "Type": "SecureString" }),
    );
    fleet.until_ready("web").await;
    let secrets = fleet.status("web").secrets;
    assert_eq!((secrets[0].container.as_str(), secrets[0].version.as_str()), ("app", "1"));
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_is_being_deleted_or_missing_is_told_and_one_with_a_key_is_found() {
    let secret = |suffix: &str| {
        let arn = format!("arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop/{suffix}");
        let secrets = json!([{ "name": "DB", "valueFrom": arn }]);
        with(web("v1"), "/spec/taskDefinition/containerDefinitions/0/secrets", secrets)
    };
    assert!(held(secret("gone-AbCdEf")).await.contains("is scheduled for deletion"));
    assert!(held(secret("none-AbCdEf:key::")).await.contains("does not exist"));
    assert!(
        held(secret("db-AbCdEf::NOSUCH:")).await.contains("no version with the label `NOSUCH`")
    );
    let mut fleet = world().await;
    fleet.commit(&[secret("db-AbCdEf:password::")]).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.sandbox.look(fleet.now(), |region| region.secret_value_reads()), 0);
}

#[tokio::test(start_paused = true)]
async fn target_groups_that_do_not_fit_are_told() {
    let fleet = world().await;
    let groups = |name: &str| {
        let known = fleet.sandbox.look(fleet.now(), |region| region.target_group_arn(name));
        let entry =
            json!([{ "targetGroupArn": known, "containerName": "app", "containerPort": 8080 }]);
        with(web("v1"), "/spec/service/loadBalancers", entry)
    };
    let message = held(groups("by-instance")).await;
    assert!(
        message.contains("spec.service.loadBalancers[0].targetGroupArn: target group"),
        "{message}"
    );
    assert!(
        message.contains("has targets of type `instance`, and the tasks are of type `ip`"),
        "{message}"
    );
    assert!(held(groups("lonely")).await.contains("no listener forwards to target group"));
    assert!(held(groups("unknown")).await.contains("does not exist"));
    let mut fleet = world().await;
    fleet.commit(&[groups("web")]).await;
    fleet.until_ready("web").await;
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_is_gone_and_capacity_that_is_not_attached_are_told() {
    let strategy = json!([{ "capacityProvider": "FARGATE_SPOTS", "weight": 1 }]);
    let mut spec = with(web("v1"), "/spec/service/capacityProviderStrategy", strategy);
    spec["spec"]["service"].as_object_mut().unwrap().remove("launchType");
    let message = held(spec).await;
    assert!(
        message.contains("capacity provider `FARGATE_SPOTS` is not attached to cluster `shop` (attach it; nearest are `FARGATE_SPOT`"),
        "{message}"
    );
}

#[tokio::test(start_paused = true)]
async fn log_groups_and_roles_are_looked_at() {
    let log = |group: &str| {
        let options = json!({ "awslogs-group": group, "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "web" });
        let log = json!({ "logDriver": "awslogs", "options": options });
        with(web("v1"), "/spec/taskDefinition/containerDefinitions/0/logConfiguration", log)
    };
    assert!(held(log("/shop")).await.contains("log group `/shop` does not exist"));
    let role = |name: &str| {
        let role = json!(format!("arn:aws:iam::111122223333:role/{name}"));
        with(log("/shop/web"), "/spec/taskDefinition/executionRoleArn", role)
    };
    assert!(held(role("wrong")).await.contains("does not trust ecs-tasks.amazonaws.com"));
    assert!(held(role("none")).await.contains("role/none` does not exist"));
    let mut fleet = world().await;
    fleet.commit(&[log("/shop/web")]).await;
    fleet.until_ready("web").await;
    assert_eq!(fleet.status("web").not_checked, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn an_alarm_that_rings_already_holds_the_rollout_until_it_is_quiet() {
    let mut fleet = world().await;
    let alarm = json!({
        "AlarmName": "5xx", "MetricName": "m", "Namespace": "n", "Period": 60, "EvaluationPeriods": 1,
        "Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold", "Statistic": "Sum",
    });
    fleet.console_of("monitoring", "PutMetricAlarm", alarm);
    fleet.sandbox.edit(fleet.now(), |region| region.set_alarm("5xx", true));
    let alarms = json!({ "alarmNames": ["5xx"], "enable": true, "rollback": true });
    fleet.commit(&[with(web("v1"), "/spec/service/deploymentConfiguration/alarms", alarms)]).await;
    fleet.until_stalled("web", Reason::PreflightFailed).await;
    assert!(told(&fleet, "web").contains("alarm `5xx` is in ALARM already"));
    assert_eq!(fleet.revisions("shop-web"), 0);
    fleet.sandbox.edit(fleet.now(), |region| region.set_alarm("5xx", false));
    fleet.until_ready("web").await;
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_read_is_said_and_holds_nothing() {
    let denied =
        "denied: ['ecr:DescribeImages', 'ssm:DescribeParameters', 'ecs:DescribeClusters']\n";
    let fixtures = format!("{FIXTURES}{denied}");
    let mut fleet = Fleet::with(FleetOptions { fixtures, ..FleetOptions::default() }).await;
    let secrets = json!([{ "name": "URL", "valueFrom": "/shop/none" }]);
    let spec = with(web("v9"), "/spec/taskDefinition/containerDefinitions/0/secrets", secrets);
    fleet.commit(&[spec]).await;
    fleet.until("created", |fleet| fleet.living("web").is_some()).await;
    let told = fleet.status("web").not_checked;
    assert!(
        told.iter().any(|one| one.ends_with("no permission for ecr:DescribeImages")),
        "{told:?}"
    );
    assert!(
        told.contains(
            &"parameter `/shop/none`: no permission for ssm:DescribeParameters".to_owned()
        ),
        "{told:?}"
    );
    assert_eq!(fleet.revisions("shop-web"), 1);
}

#[tokio::test(start_paused = true)]
async fn services_share_what_is_read_and_steady_state_reads_nothing() {
    let mut fleet = world().await;
    let names: Vec<String> = (0..20).map(|number| format!("s{number}")).collect();
    let specs: Vec<Value> = names.iter().map(|name| service(name, &image("web", "v1"))).collect();
    fleet.commit(&specs).await;
    fleet.until("all ready", |fleet| names.iter().all(|name| fleet.is_ready(name))).await;
    let reads = |fleet: &Fleet| {
        let of = |api, operation| fleet.sandbox.count_of(api, operation);
        [of("ecr", "DescribeImages"), of("iam", "GetRole"), of("ecs", "DescribeClusters")]
    };
    let before = reads(&fleet);
    assert!(before.iter().all(|count| (1..=8).contains(count)), "{before:?}");
    fleet.pass(Duration::from_mins(30)).await;
    assert_eq!(reads(&fleet), before);
}
