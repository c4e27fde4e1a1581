//! Secret values in places where many people read.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crds::Reason;
use longshore_tests::specs::{image, service, with};
use longshore_tests::{Fleet, FleetOptions, Keep};
use serde_json::{Value, json};
use tracing_subscriber::util::SubscriberInitExt as _;

/// What stands in the secrets of this world, and nowhere else.
const CANARY: &str = "kee2Ohquaithu7Ai";
const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop/db-AbCdEf";

/// Everything that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A service that reads a parameter and a secret.
fn web(version: &str) -> Value {
    let secrets = json!([
        { "name": "URL", "valueFrom": "/shop/url" },
        { "name": "DB", "valueFrom": format!("{SECRET}:password::") },
    ]);
    let place = "/spec/taskDefinition/containerDefinitions/0/secrets";
    let spec = with(service("web", &image("web", version)), place, secrets);
    with(spec, "/spec/rollout", json!({ "reloadOnSecretChange": true }))
}

fn assert_clean(what: &str, text: &str) {
    assert!(!text.contains(CANARY), "{what} has the secret");
}

fn assert_clean_files(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            assert_clean_files(&path);
        } else {
            let bytes = std::fs::read(&path).unwrap();
            assert_clean(&path.display().to_string(), &String::from_utf8_lossy(&bytes));
        }
    }
}

/// argo-cd#897, #16193, GHSA-3v3m-wc6v-x4x3 and its incomplete mending: values in annotations, errors and diffs.
#[tokio::test(start_paused = true)]
async fn no_secret_value_is_logged_said_kept_or_even_read() {
    let log = Log::default();
    let writer = log.clone();
    // While there is a single subscriber, tracing asks only the thread that comes to a line first whether it is wanted, and
    // that may be another test's.
    let _beside = tracing_subscriber::registry().set_default();
    let _logging = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish()
        .set_default();
    let fixtures = format!(
        "clusters: [{{name: shop}}]\nlatency: 8ms\n\
         parameters: [{{name: /shop/url, type: SecureString, value: {CANARY}}}]\n\
         secrets: [{{name: shop/db, suffix: AbCdEf}}]\n"
    );
    let keep = Keep::Directory;
    let mut fleet = Fleet::with(FleetOptions { fixtures, keep, ..FleetOptions::default() }).await;
    let value = json!({ "password": CANARY }).to_string();
    let put =
        json!({ "SecretId": SECRET, "SecretString": value, "ClientRequestToken": "a".repeat(32) });
    fleet.console_of("secretsmanager", "PutSecretValue", put);
    // A rollout, one that fails, a reload, an edit at the console, a restart.
    fleet.commit(&[web("v1")]).await;
    fleet.until_ready("web").await;
    let mut plans = vec![format!("{:?}", fleet.plan("web").await)];
    fleet.image_exits(&image("web", "bad"));
    fleet.commit(&[web("bad")]).await;
    plans.push(format!("{:?}", fleet.plan("web").await));
    fleet.until_stalled("web", Reason::RolledBack).await;
    fleet.commit(&[web("v2")]).await;
    fleet.until_ready("web").await;
    let put = json!({ "Name": "/shop/url", "Value": format!("{CANARY}2"), "Type": "SecureString", "Overwrite": true });
    fleet.console_of("ssm", "PutParameter", put);
    // The values are there: the new one is noticed by its version.
    fleet.until("reloaded", |fleet| fleet.rollouts("web").len() == 4).await;
    fleet.until_ready("web").await;
    fleet.restart().await;
    fleet.pass(Duration::from_mins(5)).await;
    // A password in a spec, which YAML takes for a mapping: the error is told, the password is not.
    let broken = format!(
        "apiVersion: longshore.dev/v1alpha1\nkind: Service\nmetadata: {{name: job}}\nspec:\n  cluster: shop\n  taskDefinition:\n    \
         containerDefinitions:\n      - {{name: app, image: job:v1, environment: [{{name: DB_PASSWORD, value: [{CANARY}]}}]}}\n  service: {{}}\n"
    );
    fleet.commit_files(&[("job.yaml", &broken)]).await;
    fleet.until_stalled("job", Reason::InvalidSpec).await;
    assert!(fleet.ready("job").message.contains("environment[0].value"));
    fleet.pass(Duration::from_mins(5)).await;
    std::fs::remove_file(fleet.folder().join("job.yaml")).unwrap();

    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("shop/web") && logged.contains("exited with 1"), "nothing was logged");
    assert_clean("the log", &logged);
    for object in fleet.statuses.services() {
        assert_clean("the board", &format!("{object:?}"));
        for event in fleet.statuses.events_of(&object.key, 1000) {
            assert_clean("an event", &format!("{event:?}"));
        }
    }
    assert_clean("a plan", &plans.concat());
    assert_clean("what is wrong", &fleet.invalid().concat());
    assert_clean_files(fleet.folder());
    for call in fleet.sandbox.calls() {
        assert_clean(&format!("the answer to {}", call.operation), &call.response.to_string());
    }
    for revision in fleet.sandbox.look(fleet.now(), sandbox::Region::task_definitions) {
        assert_clean(&revision.arn, &revision.given.to_string());
    }
}
