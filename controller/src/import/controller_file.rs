//! The `Controller` file beside the imported services.

use crds::{API_VERSION, TargetName};
use indexmap::IndexMap;
use serde_json::Value;

use super::document::Node;
use super::{Options, SOURCE, yaml};
use crate::manifest::FieldPath;

/// What `adopt: true` is for.
const ADOPT: &str = "Lets the operator take over services that carry no owner tag. It sets tags and starts no rollout. Remove \
it once they are taken over, so that no other service is.";

/// Where the specs should go.
const GIT: &str = "Put the files into a repository and name it here, so that a commit is what changes a service: \
`git: {url: https://…, ref: {branch: main}, path: services}` in place of `directory`.";

/// The text of a `Controller` that manages what was imported. `vars` are values that the specs refer to.
pub fn controller_file(
    options: &Options,
    region: Option<&str>,
    vars: &IndexMap<String, Option<String>>,
) -> String {
    let source = Node::mapping([
        ("name", Node::text(SOURCE)),
        ("directory", Node::mapping([("path", Node::text(SOURCE))])),
        ("sync", Node::mapping([("adopt", Node::Scalar(Value::Bool(true)))])),
    ]);
    let mut target = Node::mapping([("name", Node::text(options.target.to_string()))]);
    if let Some(region) = region {
        target.set("region", Node::text(region));
    }
    let mut spec = Node::mapping([("sources", Node::List(vec![source.into()]))]);
    if region.is_some() || options.target != TargetName::default() {
        spec.set("targets", Node::List(vec![target.into()]));
    }
    if !vars.is_empty() {
        let known = vars
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), Node::text(value.as_deref()?))));
        spec.set("vars", Node::mapping(known));
    }
    let mut object = Node::mapping([
        ("apiVersion", Node::text(API_VERSION)),
        ("kind", Node::text("Controller")),
        ("metadata", Node::mapping([("name", Node::text(options.owner.to_string()))])),
        ("spec", spec),
    ]);
    let missing: Vec<&str> =
        vars.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| name.as_str()).collect();
    let missing = (!missing.is_empty()).then(|| {
        format!(
            "The specs refer to these, for which there is no value yet: {}.",
            missing.join(", ")
        )
    });
    for (path, comment) in [
        (
            "metadata.name",
            Some("The operator's identity, in the tag longshore.dev/owner.".to_owned()),
        ),
        ("spec.sources[0].directory", Some(GIT.to_owned())),
        ("spec.sources[0].sync", Some(ADOPT.to_owned())),
        ("spec.vars", missing),
    ] {
        if let Some(comment) = comment {
            object.comment(&FieldPath::parse(path), &comment);
        }
    }
    yaml::emit(&[], &object)
}

#[cfg(test)]
mod tests {
    use super::super::Adopt;
    use super::*;

    #[test]
    fn it_says_who_manages_what_and_where() {
        let options = Options {
            owner: "shop-prod".parse().unwrap(),
            target: TargetName::default(),
            cluster: "shop".parse().unwrap(),
            services: Vec::new(),
            adopt: Adopt::InSource,
            vars: IndexMap::new(),
        };
        let vars = IndexMap::from([
            ("TAG".to_owned(), Some("012".to_owned())),
            ("IMAGE".to_owned(), None),
        ]);
        let text = controller_file(&options, Some("eu-west-1"), &vars);
        assert_eq!(
            text,
            r#"apiVersion: longshore.dev/v1alpha1
kind: Controller
metadata:
  # The operator's identity, in the tag longshore.dev/owner.
  name: shop-prod
spec:
  sources:
    - name: services
      # Put the files into a repository and name it here, so that a commit is what changes a service:
      # `git: {url: https://…, ref: {branch: main}, path: services}` in place of `directory`.
      directory:
        path: services
      # Lets the operator take over services that carry no owner tag. It sets tags and starts no
      # rollout. Remove it once they are taken over, so that no other service is.
      sync:
        adopt: true
  targets:
    - name: default
      region: eu-west-1
  # The specs refer to these, for which there is no value yet: IMAGE.
  vars:
    TAG: "012"
"#
        );
    }
}
