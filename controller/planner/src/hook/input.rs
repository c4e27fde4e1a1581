//! RunTask's input: the service's own network, capacity and platform, and the hook's command.

use crds::ecs::ServiceDefinition;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{DesiredHook, HookRun};
use crate::desired::Desired;
use crate::drift;
use crate::normal;
use crate::observed::ObservedService;
use crate::ownership::{self, HOOK, OWNER, SPEC_HASH};
use crate::plan::tag_list;

/// Members that RunTask shares with CreateService. `propagateTags` is not among them: RunTask knows no `SERVICE`, and
/// refuses `NONE`.
const SHARED: &[&str] = &[
    "capacityProviderStrategy",
    "enableECSManagedTags",
    "enableExecuteCommand",
    "launchType",
    "networkConfiguration",
    "placementConstraints",
    "placementStrategy",
    "platformVersion",
    "volumeConfigurations",
];

/// The id of an attempt, without its misses: the same in every process for the same attempt of the same hook of the same
/// spec, and another one for a service that was deleted and created again.
pub(crate) fn first_id(
    desired: &Desired,
    hook: &DesiredHook,
    created: Option<Timestamp>,
    attempt: u32,
) -> String {
    let created = created.map(Timestamp::as_millisecond);
    let (owner, key, spec) = (&desired.owner, &desired.key, &desired.spec_hash);
    let seed = json!([owner, key, spec, created, hook.phase, hook.name, attempt]);
    let hash = crds::SpecHash::of(&seed);
    // RunTask takes 64 characters, and `startedBy` letters, digits, `-`, `_` and `/` (aws.md §2.8, §4.1).
    format!("longshore/{}", hash.as_str().get(..32).unwrap_or_default())
}

/// The call's input, without the task definition.
pub(crate) fn run_input(
    desired: &Desired,
    hook: &DesiredHook,
    run: &HookRun,
    service: Option<&ObservedService>,
) -> Value {
    let wanted = &desired.service;
    let settings = match service {
        Some(service) => {
            let block = normal::service_block(&service.raw);
            drift::apply_ignore(ServiceDefinition::SHAPE, &wanted.input, &block, &wanted.ignore)
        }
        None => wanted.input.clone(),
    };
    let shared = SHARED.iter().filter_map(|name| {
        let value = settings.get(*name).filter(|value| !value.is_null())?;
        Some(((*name).to_owned(), value.clone()))
    });
    let mut input: Map<String, Value> = shared.collect();
    let mut tags = desired.service.tags.clone();
    tags.insert(OWNER.to_owned(), desired.owner.to_string());
    tags.insert(SPEC_HASH.to_owned(), desired.spec_hash.to_string());
    tags.insert(ownership::SERVICE.to_owned(), desired.key.name.to_string());
    tags.insert(HOOK.to_owned(), format!("{}/{}", hook.phase, hook.name));
    input.insert("cluster".to_owned(), json!(desired.key.cluster));
    input.insert("count".to_owned(), json!(1));
    input.insert("clientToken".to_owned(), json!(run.token()));
    input.insert("startedBy".to_owned(), json!(run.token()));
    input.insert("overrides".to_owned(), overrides(hook));
    input.insert("tags".to_owned(), tag_list(&tags));
    Value::Object(input)
}

fn overrides(hook: &DesiredHook) -> Value {
    let mut container = json!({ "name": hook.container, "command": hook.command });
    if let Some(members) = container.as_object_mut().filter(|_| !hook.environment.is_empty()) {
        members.insert("environment".to_owned(), json!(hook.environment));
    }
    let mut overrides = Map::from_iter([("containerOverrides".to_owned(), json!([container]))]);
    for (name, value) in [("cpu", &hook.cpu), ("memory", &hook.memory)] {
        if let Some(value) = value {
            overrides.insert(name.to_owned(), json!(value));
        }
    }
    Value::Object(overrides)
}
