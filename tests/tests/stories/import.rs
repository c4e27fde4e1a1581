//! Taking over what people made: the specs of an import change tags and nothing else.

use std::time::Duration;

use controller::import::{Adopt, Report, Verdict};
use crds::{Reason, SyncPolicy, SyncStatus};
use longshore_tests::specs::{counted, daemon, image, service, with};
use longshore_tests::{Fleet, FleetOptions};
use sandbox::ServiceView;
use serde_json::{Value, json};

const INSTANCES: &str = "clusters: [{name: shop, instances: [{count: 2}]}]\nlatency: 8ms\n";

/// A fleet whose source lets untagged services be taken over, as the `Controller` of an import says.
async fn adopting() -> Fleet {
    let policy = SyncPolicy { adopt: Some(true), ..SyncPolicy::default() };
    let fixtures = INSTANCES.to_owned();
    Fleet::with(FleetOptions { policy, fixtures, ..FleetOptions::default() }).await
}

/// Creates at the console what a spec describes.
fn create_by_hand(fleet: &Fleet, spec: &Value) {
    let mut definition = spec["spec"]["taskDefinition"].clone();
    definition["family"] =
        json!(format!("family-of-{}", spec["metadata"]["name"].as_str().unwrap()));
    let answer = fleet.console("RegisterTaskDefinition", definition);
    let mut input = spec["spec"]["service"].clone();
    input["cluster"] = json!("shop");
    input["serviceName"] = spec["metadata"]["name"].clone();
    input["taskDefinition"] = answer["taskDefinition"]["taskDefinitionArn"].clone();
    fleet.console("CreateService", input);
}

async fn commit(fleet: &mut Fleet, report: &Report) {
    let files: Vec<(&str, &str)> =
        report.services.iter().map(|one| (one.file.as_str(), one.text.as_str())).collect();
    fleet.commit_files(&files).await;
}

fn essence(service: Option<ServiceView>) -> ServiceView {
    ServiceView { events: Vec::new(), tags: Vec::new(), ..service.unwrap() }
}

#[tokio::test(start_paused = true)]
async fn what_is_imported_is_taken_over_by_tags_alone() {
    let mut fleet = adopting().await;
    let web = with(
        counted("web", "v1", 3),
        "/spec/taskDefinition/containerDefinitions/0/environment/0/value",
        json!("${HOME} yes\n"),
    );
    let names = ["agent", "api", "web"];
    for spec in [&web, &service("api", &image("api", "v1")), &daemon("agent", "agent:v1")] {
        create_by_hand(&fleet, spec);
    }
    fleet.pass(Duration::from_mins(5)).await;
    let before: Vec<_> = names.iter().map(|name| essence(fleet.service(name))).collect();
    let mark = fleet.sandbox.call_count();

    let report = fleet.import(Adopt::InSource).await;
    assert_eq!(fleet.changes_since(mark), [""; 0]);
    assert_eq!(report.skipped, []);
    for one in &report.services {
        assert!(one.verdict.is_tags_only(), "{:?}\n{}", one.verdict, one.text);
    }
    commit(&mut fleet, &report).await;
    for name in names {
        fleet.until_ready(name).await;
        assert_eq!(fleet.status(name).sync, SyncStatus::Synced);
        assert_eq!(fleet.tag(name, "longshore.dev/owner").as_deref(), Some("test"));
        assert_eq!(fleet.rollouts(name).len(), 1);
        assert_eq!(fleet.revisions(&format!("family-of-{name}")), 1);
    }
    fleet.pass(Duration::from_mins(10)).await;
    let after: Vec<_> = names.iter().map(|name| essence(fleet.service(name))).collect();
    assert_eq!(after, before);
    let changes = fleet.changes_since(mark);
    assert!(changes.iter().all(|change| change.contains("TagResource")), "{changes:?}");
}

#[tokio::test(start_paused = true)]
async fn an_import_into_a_source_that_adopts_nothing_says_so_in_each_spec() {
    let mut fleet = Fleet::new().await;
    create_by_hand(&fleet, &service("web", &image("web", "v1")));
    create_by_hand(&fleet, &service("api", &image("api", "v1")));
    fleet.pass(Duration::from_mins(5)).await;
    let report = fleet.import(Adopt::InService).await;
    assert!(report.services.iter().all(|one| one.text.contains("  sync:\n    adopt: true\n")));
    commit(&mut fleet, &report).await;
    for name in ["web", "api"] {
        fleet.until_ready(name).await;
        assert_eq!(fleet.rollouts(name).len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn what_another_operator_manages_is_imported_and_held() {
    let mut mine = Fleet::new().await;
    mine.commit(&[service("web", &image("web", "v1"))]).await;
    mine.until_ready("web").await;
    let options = FleetOptions { owner: "theirs".to_owned(), seed: 2, ..FleetOptions::default() };
    let theirs = mine.beside(options).await;
    let report = theirs.import(Adopt::InSource).await;
    let [one] = report.services.as_slice() else { panic!("{report:?}") };
    assert_eq!(
        one.verdict,
        Verdict::Held(vec!["the service belongs to the operator `test`".to_owned()])
    );
    assert!(one.text.contains("# is managed by the operator `test` already"), "{}", one.text);
    // Our own tags are no part of a spec.
    assert!(!one.text.contains("spec-hash"));
}

#[tokio::test(start_paused = true)]
async fn a_change_after_the_import_is_a_rollout_like_any_other() {
    let mut fleet = adopting().await;
    create_by_hand(&fleet, &counted("web", "v1", 2));
    fleet.pass(Duration::from_mins(5)).await;
    let report = fleet.import(Adopt::InSource).await;
    commit(&mut fleet, &report).await;
    fleet.until_ready("web").await;
    let [one] = report.services.as_slice() else { panic!("{report:?}") };
    let changed = one.text.replace(&image("web", "v1"), &image("web", "v2"));
    fleet.commit_files(&[(one.file.as_str(), &changed)]).await;
    fleet
        .until("v2 runs", |fleet| fleet.image("web") == image("web", "v2") && fleet.is_ready("web"))
        .await;
    assert_eq!(fleet.rollouts("web").len(), 2);
    assert_eq!(fleet.revisions("family-of-web"), 2);
    assert!(!fleet.holds("web").contains(&Reason::NotOwned));
}
