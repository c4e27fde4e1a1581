//! Golden tests of the three forms: the files of `golden/` and what they become.

use std::path::{Path, PathBuf};

use crds::TargetName;
use indexmap::IndexMap;

use super::super::{Adopt, Options, Report, Verdict};
use super::*;
use crate::aws::{Aws, ConnectOptions};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/import/from/golden").join(name)
}

fn options(services: &[&str]) -> Options {
    Options {
        owner: "longshore".parse().unwrap(),
        target: TargetName::default(),
        cluster: "shop".parse().unwrap(),
        services: services.iter().map(|name| name.parse().unwrap()).collect(),
        adopt: Adopt::InSource,
        vars: IndexMap::new(),
    }
}

fn import(path: &Path, wanted: &Wanted) -> Report {
    let form = Form::of(path).unwrap();
    files(&form, &options(&[]), wanted).unwrap()
}

/// The file and the notes, each note with its place in the golden files.
#[track_caller]
fn is_golden(report: &Report, name: &str, expected: &str) {
    let service = report.services.iter().find(|one| one.key.name.as_str() == name).unwrap();
    let notes: Vec<String> = service
        .notes
        .iter()
        .map(|note| {
            let place = note.place.replace(&golden("").display().to_string(), "");
            format!("{place}: {}: {}\n", note.path, note.message)
        })
        .collect();
    let written = format!("{}---\n{}", service.text, notes.concat());
    let wanted = std::fs::read_to_string(golden(expected)).unwrap_or_default();
    assert!(written.trim_end() == wanted.trim_end(), "{expected} should be\n{written}");
}

#[test]
fn an_ecspresso_directory() {
    let report = import(&golden("ecspresso"), &Wanted::default());
    assert_eq!(
        cluster(&Form::of(&golden("ecspresso")).unwrap(), &Wanted::default()).unwrap().as_str(),
        "shop"
    );
    assert_eq!(report.region.as_deref(), Some("eu-west-1"));
    let vars: Vec<_> =
        report.vars.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect();
    assert_eq!(
        vars,
        [
            ("AWS_REGION", Some("eu-west-1")),
            ("ACCOUNT", None),
            ("TAG", None),
            ("STAGE", Some("prod")),
            ("shop/db-arn", None),
            ("DESIRED_COUNT", Some("2")),
            ("GRACE", None),
            ("network-SubnetC", None),
        ]
    );
    is_golden(&report, "web", "ecspresso.expected");
}

#[test]
fn copilot_manifests() {
    let wanted = Wanted { environment: Some("prod".to_owned()), ..Wanted::default() };
    let report = import(&golden("copilot"), &wanted);
    is_golden(&report, "api", "copilot-api.expected");
    is_golden(&report, "worker", "copilot-worker.expected");
    let [skipped] = report.skipped.as_slice() else { panic!("{:?}", report.skipped) };
    assert_eq!(skipped.name, "site");
    assert!(
        skipped
            .why
            .ends_with("manifest.yml:2: `type: Static Site` is not an ECS service of its own")
    );
    assert!(!skipped.is_failure);
}

#[tokio::test(start_paused = true)]
async fn a_task_definition_without_its_service() {
    let fixtures = sandbox::Fixtures::from_yaml("clusters: [{name: shop}]").unwrap();
    let time = sandbox::SandboxTime::new("2026-03-01T00:00:00Z".parse().unwrap(), 1.0);
    let world = sandbox::Sandbox::new(fixtures);
    let connect = ConnectOptions {
        region: Some("eu-west-1".to_owned()),
        ..ConnectOptions::in_process(world.http_client(time))
    };
    let aws = Aws::connect(&[], connect).await.unwrap();
    let account = aws.account(&TargetName::default()).unwrap();
    let file = golden("action/task-definition.json");
    assert_eq!(Form::of(&file).unwrap(), Form::TaskDefinition(file.clone()));
    let report = task_definition(&file, account, &options(&[]), time.now()).await.unwrap();
    assert_eq!(report.services[0].verdict, Verdict::Unplanned);
    is_golden(&report, "web", "action.expected");
}

#[test]
fn what_cannot_be_imported_says_where_and_why() {
    let folder = tempfile::TempDir::new().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let error = |path: &Path| {
        let wanted = Wanted::default();
        let found = Form::of(path).and_then(|form| files(&form, &options(&[]), &wanted));
        found.unwrap_err().to_string().replace(&folder.path().display().to_string(), "")
    };
    assert!(error(folder.path()).contains("it holds neither ecspresso.yml nor a Copilot manifest"));
    let config = write(
        "ecspresso.yml",
        "cluster: shop\nservice: web\ntask_definition: td.json\nservice_definition: sd.json\n",
    );
    assert_eq!(
        error(&config),
        "cannot import /ecspresso.yml:3: `task_definition` names /td.json, which is not there"
    );
    write("sd.json", "{}");
    write("td.json", "{\n  \"family\": \"web\",\n  oops\n}");
    assert_eq!(error(&config), "cannot import /td.json:3:3: key must be a string");
    write("td.json", "{\n  {{ if eq `a` `b` }}\"cpu\": \"256\"{{ end }}\n}");
    assert!(
        error(&config)
            .starts_with("cannot import /td.json:2: `{{ if eq `a` `b` }}` cannot be made")
    );
    let jsonnet = write("ecspresso.jsonnet", "{}");
    assert!(error(&jsonnet).contains("Jsonnet is not evaluated"));
    let unnamed = write("ecspresso.yaml", "cluster: shop\nservice: 'web-{{ must_env `STAGE` }}'\n");
    assert_eq!(
        error(&unnamed),
        "cannot import /ecspresso.yaml:2: `web-${var:STAGE}` is not known before it is rendered: give --service"
    );
    let other = write("other.yml", "a: 1\n");
    assert!(error(&other).contains("it is neither a task definition"));
    let manifest = write(
        "manifest.yml",
        "type: Backend Service\nimage: {location: a}\nenvironments: {test: {}}\n",
    );
    let wanted = Wanted { environment: Some("prod".to_owned()), ..Wanted::default() };
    let failed =
        files(&Form::of(&manifest).unwrap(), &options(&[]), &wanted).unwrap_err().to_string();
    assert!(failed.ends_with("manifest.yml:3: there is no environment `prod` in it"), "{failed}");
    assert!(error(&manifest).ends_with("the service has no name: give --service"));
}
