//! The house keeps its rules.

use super::{files, root, text};

fn dependencies(manifest: &str) -> Vec<String> {
    let manifest = text(manifest);
    let (_, rest) = manifest.split_once("[dependencies]").unwrap();
    let own = rest.split("\n[").next().unwrap_or(rest);
    own.lines()
        .filter_map(|line| line.split(['.', ' ', '=']).next())
        .filter(|name| !name.is_empty() && !name.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_arrow_points_one_way() {
    let crds = dependencies("crds/Cargo.toml");
    for ours in ["planner", "controller", "sandbox", "longshore-tests"] {
        assert!(!crds.iter().any(|name| name == ours), "crds depends on {ours}");
    }
    let planner = dependencies("controller/planner/Cargo.toml");
    for forbidden in ["controller", "sandbox", "tokio", "axum", "http", "aws-config", "aws-sdk-ecs"]
    {
        assert!(
            !planner.iter().any(|name| name == forbidden),
            "the planner depends on {forbidden}"
        );
    }
    let sandbox = dependencies("sandbox/Cargo.toml");
    for ours in ["crds", "planner", "controller"] {
        assert!(!sandbox.iter().any(|name| name == ours), "the sandbox depends on {ours}");
    }
}

#[test]
fn the_sdk_stays_in_its_room() {
    for file in files("controller/src", &["rs"]) {
        let place = file.strip_prefix(root()).unwrap().display().to_string();
        if place.starts_with("controller/src/aws") {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(!text.contains("aws_sdk_"), "{place} names the SDK");
    }
}

#[test]
fn no_call_can_return_a_secret() {
    // Also calls that only could: of Parameter Store and Secrets Manager those alone are made whose answers have no member
    // for a value. One place is let off: it reads plain parameters, and its one call says that nothing is decrypted.
    let calls = [
        "get_secret_value",
        ".get_parameter",
        "with_decryption",
        "GetSecretValue",
        "GetParameter",
        "WithDecryption",
        "ssm::operation",
        "secretsmanager::operation",
    ];
    for file in files("controller/src", &["rs"]) {
        let place = file.strip_prefix(root()).unwrap().display().to_string();
        let text = without_plain_parameters(&place, std::fs::read_to_string(&file).unwrap());
        for call in calls {
            assert!(!text.contains(call), "{place} has {call}");
        }
    }
    let secrets = text("controller/src/aws/surroundings/secrets.rs");
    assert!(secrets.contains("describe_parameters") && secrets.contains("describe_secret"));
}

/// The text without the call that reads plain parameters, in the two files that may name it.
fn without_plain_parameters(place: &str, text: String) -> String {
    let undecrypted = "\"WithDecryption\": false";
    match place {
        "controller/src/aws/operation.rs" => text.replace("GetParameters", ""),
        "controller/src/aws/surroundings/values.rs" => {
            assert_eq!(text.matches("ssm.get_parameters)").count(), 1, "{place} makes one call");
            assert_eq!(text.matches(undecrypted).count(), 1, "{place} never decrypts");
            let text = text.replace("ssm.get_parameters)", "").replace(undecrypted, "");
            text.replace("Operation::GetParameters", "")
        }
        _ => text,
    }
}

#[test]
fn every_file_is_declared_and_starts_with_its_purpose() {
    for folder in
        ["crds/src", "controller/src", "controller/planner/src", "sandbox/src", "tests/src"]
    {
        for file in files(folder, &["rs"]) {
            let place = file.strip_prefix(root()).unwrap().display().to_string();
            let text = std::fs::read_to_string(&file).unwrap();
            assert!(text.starts_with("//!"), "{place} does not say what it is");
            let stem = file.file_stem().unwrap().to_str().unwrap();
            if ["lib", "main", "mod"].contains(&stem) {
                continue;
            }
            let parent = file.parent().unwrap();
            let homes = [
                parent.join("mod.rs"),
                parent.join("lib.rs"),
                parent.join("main.rs"),
                parent.with_extension("rs"),
            ];
            let declared =
                homes.iter().filter_map(|home| std::fs::read_to_string(home).ok()).any(|home| {
                    home.contains(&format!("mod {stem};"))
                        || home.contains(&format!("mod {stem} {{"))
                });
            assert!(declared, "{place} is not part of the crate");
        }
    }
}

#[test]
fn nothing_is_left_unfinished() {
    let marks = [["to", "do!("].concat(), ["unimpl", "emented!("].concat(), ["FIX", "ME"].concat()];
    for folder in ["crds", "controller", "sandbox", "tests/src", "tests/tests"] {
        for file in files(folder, &["rs"]) {
            let text = std::fs::read_to_string(&file).unwrap();
            for mark in &marks {
                assert!(!text.contains(mark.as_str()), "{} has {mark}", file.display());
            }
        }
    }
}
