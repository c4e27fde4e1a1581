//! What services run, for a release that remembers nothing.

use crds::ReleaseName;
use planner::observed::{ObservedTaskDefinition, ServiceState};
use planner::ownership;
use planner::release::Running;
use serde_json::Value;

use crate::observe;
use crate::reconcile::Context;

/// The images that the services of a release run, or why that is not known: while it is not, nothing may be chosen.
pub(super) async fn running(context: &Context, name: &ReleaseName) -> Result<Vec<Running>, String> {
    let users = {
        let inventory = context.inventory();
        if !inventory.is_complete() {
            return Err("not every source has been read, so it is not known which services run \
                        the release"
                .to_owned());
        }
        inventory.users_of_release(name)
    };
    let mut running = Vec::new();
    for key in users {
        let Some(account) = context.account(&key) else { continue };
        let (cluster, service) = (key.cluster.as_str(), key.name.as_str());
        let cannot = |error| format!("cannot find out what {key} runs: {error}");
        let service = observe::bare_service(account, cluster, service).await.map_err(cannot)?;
        let Some(service) = service.filter(|service| {
            service.state == ServiceState::Active && !service.task_definition.is_empty()
        }) else {
            continue;
        };
        let answer =
            account.describe_task_definition(&service.task_definition).await.map_err(cannot)?;
        let Some(revision) = answer.as_deref().map(ObservedTaskDefinition::from_describe) else {
            continue;
        };
        let tag = revision.tags.get(&ownership::version_tag(name)).cloned();
        let containers = revision.raw.get("containerDefinitions").and_then(Value::as_array);
        let images = containers.into_iter().flatten().filter_map(|container| {
            let image = container.get("image")?.as_str()?.to_owned();
            Some(Running { service: key.to_string(), image, tag: tag.clone() })
        });
        running.extend(images);
    }
    Ok(running)
}
