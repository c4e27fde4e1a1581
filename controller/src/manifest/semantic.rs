//! Rules that the types alone do not hold.

use crds::{Controller, OwnerName, ReleaseName, ServiceName};

use super::Object;
use super::path::{FieldPath, Step};
use super::problem::Problem;
use super::tree::Tree;

/// Checks an object that has the right shape.
pub(super) fn check(object: &Object, tree: &Tree, problems: &mut Vec<Problem>) {
    let mut report = |path: &str, message: String| {
        let path = FieldPath::parse(path);
        problems.push(Problem { position: tree.locate(&path), path, message, hint: None });
    };
    match object {
        Object::Service(service) => {
            if let Err(error) = service.metadata.name.parse::<ServiceName>() {
                report("metadata.name", error.to_string());
            }
        }
        Object::Release(release) => {
            if let Err(error) = release.metadata.name.parse::<ReleaseName>() {
                report("metadata.name", error.to_string());
            }
        }
        Object::Controller(controller) => {
            if let Err(error) = controller.metadata.name.parse::<OwnerName>() {
                report("metadata.name", error.to_string());
            }
            for (path, message) in sources(controller) {
                report(&path, message);
            }
            for (index, state) in controller.spec.tfstate.iter().enumerate() {
                if let Err(message) = state.location() {
                    report(&format!("spec.tfstate[{index}]"), message);
                }
            }
        }
    }
}

fn sources(controller: &Controller) -> Vec<(String, String)> {
    let mut wrong = Vec::new();
    for (index, source) in controller.spec.sources.iter().enumerate() {
        let path = FieldPath::new(vec![
            Step::Field("spec".to_owned()),
            Step::Field("sources".to_owned()),
            Step::Item(index),
        ]);
        if let Err(message) = source.location() {
            wrong.push((path.to_string(), message));
        }
        let owner = source.s3.as_ref().and_then(|s3| s3.expected_owner.as_deref());
        let is_account =
            |owner: &str| owner.len() == 12 && owner.bytes().all(|letter| letter.is_ascii_digit());
        if let Some(owner) = owner.filter(|owner| !is_account(owner)) {
            let message = format!("`{owner}` is no account: write its twelve digits in quotes");
            wrong.push((format!("{path}.s3.expectedOwner"), message));
        }
        let earlier = controller.spec.sources.iter().take(index);
        if earlier.clone().any(|other| other.name == source.name) {
            let message = format!("two sources are called `{}`", source.name);
            wrong.push((format!("{path}.name"), message));
        }
    }
    wrong
}
