//! A rollback brings back the versions of secrets that the earlier release had pinned.

use super::*;

const ONE: &str = "11111111-1111-4111-a111-111111111111";
const TWO: &str = "22222222-2222-4222-a222-222222222222";
const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop/db-AbCdEf";

/// A version of the service that reads one version of its secret, by that version's id.
fn pinned(name: &str, id: &str) -> Value {
    let secrets = json!([{ "name": "DB", "valueFrom": format!("{SECRET}:password::{id}") }]);
    let place = "/spec/taskDefinition/containerDefinitions/0/secrets";
    let spec = with(version(name), place, secrets);
    with(spec, "/spec/rollout", json!({ "reloadOnSecretChange": true }))
}

fn secret(fleet: &Fleet) -> String {
    let secrets = fleet.definition("web")["containerDefinitions"][0]["secrets"].clone();
    secrets[0]["valueFrom"].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_rollback_starts_tasks_with_the_secret_versions_of_the_earlier_release() {
    let fixtures = format!(
        "clusters: [{{name: shop}}]\nlatency: 8ms\nsecrets: [{{name: shop/db, suffix: AbCdEf, versions: [{ONE}, {TWO}]}}]\n"
    );
    let mut fleet = Fleet::with(FleetOptions { fixtures, ..options() }).await;
    for (name, id) in [("v1", ONE), ("v2", TWO)] {
        fleet.commit(&[pinned(name, id)]).await;
        fleet.until_ready("web").await;
        assert!(secret(&fleet).ends_with(id), "{name}");
    }
    // A newer version of the secret concerns neither of them.
    let body = json!({
        "SecretId": SECRET, "SecretString": "x",
        "ClientRequestToken": "33333333-3333-4333-a333-333333333333",
    });
    fleet.console_of("secretsmanager", "PutSecretValue", body);
    fleet.pass(Duration::from_mins(5)).await;
    fleet.order("web", Verb::Rollback, &because("wrong password")).await;
    stays_rolled_back(&mut fleet).await;
    assert_eq!(secret(&fleet), format!("{SECRET}:password::{ONE}"));
    let described =
        fleet.console("DescribeServices", json!({ "cluster": "shop", "services": ["web"] }));
    let primary = &described["services"][0]["deployments"][0];
    assert_eq!(primary["taskDefinition"], json!(fleet.service("web").unwrap().task_definition));
    assert_eq!(fleet.revisions("shop-web"), 2, "it is the revision of then, not a new one");
    assert_eq!(fleet.sandbox.look(fleet.now(), sandbox::Region::secret_value_reads), 0);
    // By its release as well.
    fleet.order("web", Verb::Release, &Ask::default()).await;
    fleet.until_ready("web").await;
    assert!(secret(&fleet).ends_with(TWO));
}
