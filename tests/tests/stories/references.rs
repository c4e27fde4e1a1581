//! Specs that refer to values outside: what a changed value does, and what happens when nobody can read it.

use std::time::Duration;

use crds::{ConditionStatus, ConditionType, Reason};
use longshore_tests::specs::{image, service, with};
use longshore_tests::{Fleet, FleetOptions};
use serde_json::{Value, json};

const FIXTURES: &str = "
clusters: [{name: shop}]
latency: 8ms
buckets: [{name: terraform}]
parameters:
  - {name: /shop/greeting, value: hello}
  - {name: /shop/list, type: StringList, value: 'a,b'}
  - {name: /shop/password, type: SecureString, value: hunter2}
";
const SUBNETS: &str = "/spec/service/networkConfiguration/awsvpcConfiguration/subnets";
const GREETING: &str = "/spec/taskDefinition/containerDefinitions/0/environment/0/value";

/// Terraform's state, with two subnets and an output.
fn state(serial: u32, subnets: [&str; 2], url: &str) -> Value {
    let instances = subnets.iter().enumerate().map(|(index, id)| {
        json!({ "index_key": index, "attributes": { "id": id }, "sensitive_attributes": [] })
    });
    json!({
        "version": 4, "terraform_version": "1.9.5", "serial": serial, "lineage": "1",
        "outputs": {
            "url": { "value": url, "type": "string" },
            "token": { "value": "hunter2", "type": "string", "sensitive": true },
        },
        "resources": [{
            "mode": "managed", "type": "aws_subnet", "name": "private",
            "provider": "provider[\"registry.terraform.io/hashicorp/aws\"]",
            "instances": instances.collect::<Vec<_>>(),
        }],
    })
}

async fn world() -> Fleet {
    let fixtures = FIXTURES.to_owned();
    let fleet = Fleet::with(FleetOptions { fixtures, ..FleetOptions::default() }).await;
    fleet.apply_terraform(&state(1, ["subnet-a", "subnet-b"], "https://one"));
    fleet
}

/// A service in the subnets of the state.
fn in_subnets(name: &str) -> Value {
    let subnets = json!([
        "${tfstate:aws_subnet.private[0].id}",
        "${tfstate:default/aws_subnet.private[1].id}",
    ]);
    with(service(name, &image(name, "v1")), SUBNETS, subnets)
}

/// A service whose greeting is this text.
fn greeting(name: &str, text: &str) -> Value {
    with(service(name, &image(name, "v1")), GREETING, json!(text))
}

fn said(fleet: &Fleet, name: &str) -> Value {
    fleet.definition(name)["containerDefinitions"][0]["environment"][0]["value"].clone()
}

fn put_parameter(fleet: &Fleet, value: &str) {
    let body =
        json!({ "Name": "/shop/greeting", "Value": value, "Type": "String", "Overwrite": true });
    fleet.console_of("ssm", "PutParameter", body);
}

fn is_stalled(fleet: &Fleet, name: &str) -> bool {
    let status = fleet.status(name);
    status.condition(ConditionType::Stalled).unwrap().status == ConditionStatus::True
}

/// No secret's value was asked for.
fn assert_no_secret_was_read(fleet: &Fleet) {
    assert_eq!(fleet.sandbox.look(fleet.now(), sandbox::Region::secret_value_reads), 0);
}

#[tokio::test(start_paused = true)]
async fn a_service_is_created_in_the_subnets_of_a_state() {
    let mut fleet = world().await;
    fleet.commit(&[in_subnets("web"), greeting("api", "from ${tfstate:output.url}!")]).await;
    fleet.until_ready("web").await;
    fleet.until_ready("api").await;
    let described =
        fleet.console("DescribeServices", json!({ "cluster": "shop", "services": ["web"] }));
    let network = &described["services"][0]["networkConfiguration"]["awsvpcConfiguration"];
    assert_eq!(network["subnets"], json!(["subnet-a", "subnet-b"]));
    assert_eq!(said(&fleet, "api"), json!("from https://one!"));
    let told = fleet.references("api");
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].value, "https://one");
    assert_eq!(told[0].from, "s3://terraform/shop.tfstate");
    assert_eq!(told[0].version.as_deref(), Some("serial 1"));
    assert_eq!(fleet.rollouts("web").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_changed_output_rolls_the_services_that_use_it_and_no_others() {
    let mut fleet = world().await;
    let uses = greeting("api", "${tfstate:output.url}");
    fleet.commit(&[in_subnets("web"), uses, greeting("plain", "hello")]).await;
    for name in ["web", "api", "plain"] {
        fleet.until_ready(name).await;
    }
    fleet.pass(Duration::from_mins(3)).await;
    let (hash, mark) = (fleet.spec_hash("web"), fleet.sandbox.call_count());
    fleet.apply_terraform(&state(2, ["subnet-a", "subnet-b"], "https://two"));
    fleet.until("rolled", |fleet| fleet.rollouts("api").len() == 2).await;
    fleet.until_ready("api").await;
    fleet.pass(Duration::from_mins(5)).await;
    assert_eq!(said(&fleet, "api"), json!("https://two"));
    assert_eq!(fleet.references("api")[0].version.as_deref(), Some("serial 2"));
    // Nothing was done to the others, although the state that one of them uses has another serial.
    assert_eq!(
        fleet.changes_since(mark),
        ["RegisterTaskDefinition", "TagResource", "UpdateService", "TagResource"],
        "{:?}",
        fleet.calls_that_change(mark)
    );
    assert_eq!((fleet.rollouts("web").len(), fleet.rollouts("plain").len()), (1, 1));
    assert_eq!(fleet.spec_hash("web"), hash);
}

#[tokio::test(start_paused = true)]
async fn a_bucket_that_cannot_be_read_changes_nothing_and_is_told() {
    let mut fleet = world().await;
    fleet.commit(&[greeting("api", "${tfstate:output.url}")]).await;
    fleet.until_ready("api").await;
    fleet.pass(Duration::from_mins(3)).await;
    let mark = fleet.sandbox.call_count();
    fleet.apply_terraform(&state(2, ["subnet-a", "subnet-b"], "https://two"));
    fleet.lose_buckets();
    fleet.until_stalled("api", Reason::ReferenceUnread).await;
    fleet.pass(Duration::from_mins(30)).await;
    assert_eq!(fleet.changes_since(mark), Vec::<String>::new());
    assert!(fleet.is_ready("api"), "what runs is what the last value asks for");
    let status = fleet.status("api");
    let stalled = status.condition(ConditionType::Stalled).unwrap();
    for part in
        ["`${tfstate:output.url}` could not be read since 2026-", "stays in force", "AccessDenied"]
    {
        assert!(stalled.message.contains(part), "{part} is missing in {}", stalled.message);
    }
    assert!(fleet.references("api")[0].unread.is_some());
    fleet.sandbox.clear_faults();
    fleet.until("rolled", |fleet| fleet.rollouts("api").len() == 2).await;
    fleet.until_ready("api").await;
    assert_eq!(said(&fleet, "api"), json!("https://two"));
    assert!(!is_stalled(&fleet, "api"));
}

#[tokio::test(start_paused = true)]
async fn a_new_spec_whose_value_cannot_be_read_waits_behind_the_last_good_one() {
    let mut fleet = world().await;
    fleet.commit(&[greeting("api", "hello")]).await;
    fleet.until_ready("api").await;
    fleet.lose_buckets();
    let mark = fleet.sandbox.call_count();
    fleet.commit(&[greeting("api", "${tfstate:output.url}"), in_subnets("web")]).await;
    fleet.until_stalled("api", Reason::ReferenceUnread).await;
    fleet.until_stalled("web", Reason::ReferenceUnread).await;
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(fleet.changes_since(mark), Vec::<String>::new());
    assert_eq!(said(&fleet, "api"), json!("hello"));
    assert_eq!(fleet.holds("api"), [Reason::ReferenceUnread]);
    assert!(fleet.service("web").is_none(), "a value that nobody knows is no value");
    fleet.sandbox.clear_faults();
    fleet.until_ready("api").await;
    fleet.until_ready("web").await;
    assert_eq!(said(&fleet, "api"), json!("https://one"));
}

#[tokio::test(start_paused = true)]
async fn a_value_that_is_gone_is_an_error_and_the_last_good_spec_stays() {
    let mut fleet = world().await;
    fleet.commit(&[greeting("api", "${tfstate:output.url}")]).await;
    fleet.until_ready("api").await;
    let mark = fleet.sandbox.call_count();
    let mut without = state(2, ["subnet-a", "subnet-b"], "https://two");
    let outputs = without["outputs"].as_object_mut().unwrap();
    let url = outputs.remove("url").unwrap();
    outputs.insert("urls".to_owned(), url);
    fleet.apply_terraform(&without);
    fleet.until_stalled("api", Reason::InvalidSpec).await;
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(fleet.changes_since(mark), Vec::<String>::new());
    assert_eq!(said(&fleet, "api"), json!("https://one"));
    let invalid = &fleet.object("api").unwrap().invalid;
    let path = "spec.taskDefinition.containerDefinitions[0].environment[0].value";
    assert_eq!(invalid[0].path, path);
    assert!(invalid[0].message.contains("the state has no output `url`"), "{}", invalid[0]);
    assert_eq!(invalid[0].hint.as_deref(), Some("did you mean `output.urls`?"));
    fleet.apply_terraform(&state(3, ["subnet-a", "subnet-b"], "https://one"));
    fleet.until_ready("api").await;
    assert_eq!(fleet.rollouts("api").len(), 1, "the value is what it was");
}

#[tokio::test(start_paused = true)]
async fn secrets_are_refused_by_name() {
    let mut fleet = world().await;
    let texts = [
        ("a", "${ssm:/shop/password}", "is a SecureString"),
        ("b", "${tfstate:output.token}", "output `token` is sensitive"),
        ("c", "${ssm:/shop/greting}", "has no parameter `/shop/greting`"),
    ];
    for (name, text, _) in texts {
        fleet.commit(&[greeting(name, text)]).await;
    }
    for (name, _, message) in texts {
        fleet.until_stalled(name, Reason::InvalidSpec).await;
        let object = fleet.object(name).unwrap();
        assert!(object.invalid[0].message.contains(message), "{}", object.invalid[0]);
        assert!(fleet.service(name).is_none());
        assert!(!format!("{object:?}").contains("hunter2"));
    }
    let hint = fleet.object("c").unwrap().invalid[0].hint.clone();
    assert_eq!(hint.as_deref(), Some("did you mean `/shop/greeting`?"));
    assert_eq!(fleet.sandbox.count_of("ssm", "GetParameters"), 0);
    assert_no_secret_was_read(&fleet);
}

#[tokio::test(start_paused = true)]
async fn a_changed_parameter_rolls_and_an_unchanged_one_is_not_read_again() {
    let mut fleet = world().await;
    let both = greeting("api", "${ssm:/shop/greeting} ${ssm:/shop/list} $${ssm:/x}");
    fleet.commit(&[both]).await;
    fleet.until_ready("api").await;
    assert_eq!(said(&fleet, "api"), json!("hello a,b ${ssm:/x}"));
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(fleet.sandbox.count_of("ssm", "GetParameters"), 1, "two names share a call");
    put_parameter(&fleet, "good evening");
    fleet.until("rolled", |fleet| fleet.rollouts("api").len() == 2).await;
    fleet.until_ready("api").await;
    assert_eq!(said(&fleet, "api"), json!("good evening a,b ${ssm:/x}"));
    assert_eq!(fleet.references("api")[0].version.as_deref(), Some("version 2"));
    assert_eq!(fleet.sandbox.count_of("ssm", "GetParameters"), 2);
    // A value is data: what looks like a reference in it is none.
    put_parameter(&fleet, "${tfstate:output.url}");
    fleet.until("rolled", |fleet| fleet.rollouts("api").len() == 3).await;
    fleet.until_ready("api").await;
    assert_eq!(said(&fleet, "api"), json!("${tfstate:output.url} a,b ${ssm:/x}"));
    assert_no_secret_was_read(&fleet);
}

#[tokio::test(start_paused = true)]
async fn an_older_version_of_a_parameter_stays_what_it_was() {
    let mut fleet = world().await;
    fleet.commit(&[greeting("api", "${ssm:/shop/greeting:1}")]).await;
    fleet.until_ready("api").await;
    put_parameter(&fleet, "good evening");
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(said(&fleet, "api"), json!("hello"));
    assert_eq!(fleet.rollouts("api").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_restart_rolls_nothing_and_guesses_nothing() {
    let mut fleet = world().await;
    let texts = "${ssm:/shop/greeting} ${tfstate:output.url}";
    fleet.commit(&[greeting("api", texts)]).await;
    fleet.until_ready("api").await;
    fleet.pass(Duration::from_mins(3)).await;
    let mark = fleet.sandbox.call_count();
    fleet.restart().await;
    fleet.until_ready("api").await;
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(fleet.changes_since(mark), Vec::<String>::new());
    fleet.lose_buckets();
    fleet.restart().await;
    fleet.until_stalled("api", Reason::ReferenceUnread).await;
    fleet.pass(Duration::from_mins(10)).await;
    assert_eq!(fleet.changes_since(mark), Vec::<String>::new());
    assert!(fleet.living("api").is_some(), "it is named, though nobody knows what it should be");
    fleet.sandbox.clear_faults();
    fleet.until_ready("api").await;
    assert_eq!(fleet.changes_since(mark), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn an_unchanged_state_costs_a_conditional_read_a_minute() {
    let mut fleet = world().await;
    let services: Vec<Value> = (0..20).map(|number| in_subnets(&format!("s{number}"))).collect();
    fleet.commit(&services).await;
    fleet.until("all ready", |fleet| (0..20).all(|it| fleet.is_ready(&format!("s{it}")))).await;
    fleet.pass(Duration::from_mins(3)).await;
    let before = fleet.sandbox.count_of("s3", "GetObject");
    fleet.pass(Duration::from_mins(20)).await;
    let reads = fleet.sandbox.count_of("s3", "GetObject") - before;
    assert!((16..=24).contains(&reads), "{reads} reads in twenty minutes");
}

#[tokio::test(start_paused = true)]
async fn a_release_that_no_source_has_is_an_error_of_its_services() {
    let mut fleet = world().await;
    fleet.commit(&[service("web", "${release:shop}")]).await;
    fleet.until_stalled("web", Reason::InvalidSpec).await;
    let said = fleet.ready("web").message;
    assert!(said.contains("`${release:shop}` has no value: no source has a release"), "{said}");
    fleet.pass(Duration::from_mins(5)).await;
    assert!(fleet.service("web").is_none());
}
