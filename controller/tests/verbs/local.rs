//! Verbs that need no server.

use serde_json::json;

use super::world::{run_with, spec};

fn fleet(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("services")).unwrap();
    std::fs::write(folder.path().join("services/web.yaml"), text).unwrap();
    let config = "apiVersion: longshore.dev/v1alpha1\nkind: Controller\nmetadata: {name: prod}\nspec:\n  \
                  sources: [{name: fleet, directory: {path: services}}]\n  \
                  vars: {image: \"host.example/web:1.2.3\"}\n";
    let file = folder.path().join("controller.yaml");
    std::fs::write(&file, config).unwrap();
    let file = file.to_str().unwrap().to_owned();
    (folder, file)
}

#[tokio::test]
async fn render_shows_values_and_where_they_come_from() {
    let (_folder, config) = fleet(&spec(2));
    let text = run_with(&["render", "--config", &config], &[]).await;
    assert_eq!((text.code, text.err.as_str()), (0, ""), "{text:?}");
    let path = "spec.taskDefinition.containerDefinitions[0].image";
    for shown in [
        "# web.yaml:1 in source fleet\n",
        &format!("# {path}: ${{var:image}} is \"host.example/web:1.2.3\" (spec.vars)\n"),
        "image: host.example/web:1.2.3\n",
    ] {
        assert!(text.out.contains(shown), "{shown} is missing in\n{}", text.out);
    }
    // What is printed is a spec again.
    let (_again, config_of_it) = fleet(&text.out);
    let validated = run_with(&["validate", "--config", &config_of_it], &[]).await;
    assert!(validated.out.contains("1 valid, 0 invalid"), "{validated:?}");

    let json = run_with(&["render", "web", "--config", &config, "--output", "json"], &[]).await;
    let service = &json.json()["services"][0];
    assert_eq!(
        service["references"],
        json!([{
            "path": path, "reference": "${var:image}", "value": "host.example/web:1.2.3",
            "from": "spec.vars",
        }])
    );
    assert_eq!(service["provenance"]["file"], "web.yaml");
    let unknown = run_with(&["render", "api", "--config", &config], &[]).await;
    assert_eq!(unknown.code, 1);
    assert!(unknown.err.contains("no usable spec is called `api`"), "{}", unknown.err);
}

/// A fleet whose spec takes its image from a file that Terraform wrote.
fn fleet_with_state() -> (tempfile::TempDir, String) {
    let (folder, config) = fleet(&spec(2).replace("var:image", "tfstate:output.image"));
    let state = json!({
        "version": 4, "serial": 7, "resources": [],
        "outputs": { "image": { "value": "host.example/web:2", "type": "string" } },
    });
    std::fs::write(folder.path().join("shop.tfstate"), state.to_string()).unwrap();
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("{text}  tfstate: [{{file: shop.tfstate}}]\n")).unwrap();
    std::fs::write(folder.path().join("sandbox.yaml"), "clusters: [{name: shop}]\n").unwrap();
    (folder, config)
}

#[tokio::test]
async fn values_of_a_terraform_state_are_shown_with_their_origin() {
    let (folder, config) = fleet_with_state();
    let text = run_with(&["render", "--config", &config, "--sandbox"], &[]).await;
    assert_eq!(text.code, 0, "{text:?}");
    let state = folder.path().join("shop.tfstate");
    let shown = format!("is \"host.example/web:2\" ({}, serial 7)\n", state.display());
    assert!(text.out.contains(&shown), "{shown} is missing in\n{}", text.out);
    assert!(text.out.contains("image: host.example/web:2\n"), "{}", text.out);

    let sandbox = folder.path().join("sandbox.yaml");
    let sandbox = format!("--sandbox={}", sandbox.display());
    let plan = run_with(&["plan", "--config", &config, &sandbox], &[]).await;
    assert!(plan.out.contains(&shown), "{plan:?}");
    let plan = run_with(&["plan", "--config", &config, &sandbox, "--output", "json"], &[]).await;
    assert_eq!(plan.json()["services"][0]["references"][0]["version"], "serial 7");
}

#[tokio::test]
async fn a_plan_says_who_would_wait_in_line() {
    let named = |number| spec(2).replace("{name: web}", &format!("{{name: s{number}}}"));
    let specs: Vec<String> = (0..10).map(named).collect();
    let (folder, config) = fleet(&specs.join("---\n"));
    let text = std::fs::read_to_string(&config).unwrap();
    let target = "{name: default, region: eu-west-1, maxConcurrentRollouts: 2}";
    std::fs::write(&config, format!("{text}  targets: [{target}]\n")).unwrap();
    let sandbox = folder.path().join("sandbox.yaml");
    std::fs::write(&sandbox, "clusters: [{name: shop}]\n").unwrap();
    let sandbox = format!("--sandbox={}", sandbox.display());
    let plan = run_with(&["plan", "--config", &config, &sandbox, "--output", "json"], &[]).await;
    assert_eq!(plan.code, 2, "{plan:?}");
    let services = plan.json()["services"].as_array().unwrap().clone();
    let changing = services.iter().filter(|service| service["actions"] != json!([]));
    let changing: Vec<&serde_json::Value> = changing.map(|service| &service["name"]).collect();
    assert_eq!(changing, ["s0", "s1"]);
    for (ahead, service) in services[2..].iter().enumerate() {
        let hold = &service["holds"][0];
        assert_eq!(hold["reason"], "WaitingForPlace", "{service}");
        let before = match ahead {
            0 => "this one is the next".to_owned(),
            1 => "1 waits before this one".to_owned(),
            ahead => format!("{ahead} wait before this one"),
        };
        let message = hold["message"].as_str().unwrap();
        assert!(message.contains("allows 2 rollouts at a time"), "{message}");
        assert!(message.ends_with(&before), "{message}");
        assert_eq!(service["withheld"][1]["action"], "CreateService");
    }
    let text = run_with(&["plan", "--config", &config, &sandbox], &[]).await;
    assert!(text.out.contains("2 to change, 8 held, 0 unchanged"), "{text:?}");
}

#[tokio::test]
async fn without_aws_only_the_writing_of_references_is_checked() {
    let (folder, config) = fleet_with_state();
    std::fs::remove_file(folder.path().join("shop.tfstate")).unwrap();
    let valid = run_with(&["validate", "--config", &config], &[]).await;
    assert!(valid.out.contains("1 valid, 0 invalid"), "{valid:?}");
    let left = run_with(&["render", "--config", &config, "--offline"], &[]).await;
    assert_eq!(left.code, 0, "{left:?}");
    assert!(left.out.contains("${tfstate:output.image}"), "{}", left.out);
    let missing = run_with(&["plan", "--config", &config, "--sandbox"], &[]).await;
    assert_eq!(missing.code, 1, "{missing:?}");
    assert!(missing.out.contains("there is no state at "), "{missing:?}");

    for (reference, message) in [
        ("tfstate:output", "it ends too early"),
        ("tfstate:other/output.image", "names a state that is not configured: `other`"),
        ("ssm:arn:aws:ssm:x", "it is an ARN"),
        ("release:Shop", "release name `Shop` is not valid"),
        ("env:HOME", "is not a known kind of reference"),
    ] {
        let text = spec(2).replace("var:image", reference);
        std::fs::write(folder.path().join("services/web.yaml"), text).unwrap();
        let told = run_with(&["validate", "--config", &config], &[]).await;
        assert_eq!(told.code, 1);
        assert!(told.out.contains(message), "{told:?}");
    }
}

#[tokio::test]
async fn render_tells_what_has_no_value() {
    let (_folder, config) = fleet(&spec(2).replace("var:image", "var:imgae"));
    let text = run_with(&["render", "--config", &config], &[]).await;
    assert_eq!((text.code, text.out.as_str()), (1, ""));
    assert!(
        text.err.contains("`${var:imgae}` names a variable that is not configured"),
        "{}",
        text.err
    );
}

#[tokio::test]
async fn shells_are_told_every_verb() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let run = run_with(&["completions", shell], &[]).await;
        assert_eq!((run.code, run.err.as_str()), (0, ""), "{shell}");
        for verb in ["status", "rollback", "--token-file"] {
            let bare = verb.trim_start_matches('-');
            assert!(run.out.contains(bare), "{shell} does not know {verb}");
        }
    }
    assert_eq!(run_with(&["completions", "cmd"], &[]).await.code, 2);
}
