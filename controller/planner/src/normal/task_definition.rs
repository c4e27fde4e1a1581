//! Rules of task definitions that look at more than one member.

use crds::ecs::TaskDefinition;
use crds::ecs::port::PORT_KEY;
use serde_json::{Map, Value};

use super::key::change_elements;
use super::{Normal, text, walk};

/// The normal form of a task definition: a spec's block, or `taskDefinition` of `DescribeTaskDefinition`.
///
/// Tags are left out: they are no part of a revision's content and can change without a new one.
pub fn task_definition(written: &Value) -> Normal {
    let (mut members, places) = walk::block(TaskDefinition::SHAPE, written);
    members.remove("tags");
    let mode = text(&members, "networkMode").unwrap_or_default().to_owned();
    for container in objects(members.get_mut("containerDefinitions")) {
        if let Some(Value::Object(mappings)) = container.get_mut("portMappings") {
            change_elements(PORT_KEY, mappings, |mapping| {
                settle_protocol(mapping);
                fill_host_port(&mode, mapping);
            });
        }
    }
    Normal { shape: TaskDefinition::SHAPE, value: Value::Object(members), places }
}

/// The elements of a keyed list.
fn objects(list: Option<&mut Value>) -> impl Iterator<Item = &mut Map<String, Value>> {
    let elements = list.and_then(Value::as_object_mut).into_iter();
    elements.flat_map(Map::values_mut).filter_map(Value::as_object_mut)
}

/// ECS takes whatever is not `udp` for `tcp`, without a word (aws.md §2.2.1).
fn settle_protocol(mapping: &mut Map<String, Value>) {
    let protocol = if text(mapping, "protocol") == Some("udp") { "udp" } else { "tcp" };
    mapping.insert("protocol".to_owned(), Value::from(protocol));
}

/// The host's port, which ECS fills in by network mode (aws.md §2.2.1). A range of ports has none.
fn fill_host_port(mode: &str, mapping: &mut Map<String, Value>) {
    let Some(container_port) = mapping.get("containerPort").cloned() else { return };
    let chosen = mapping.get("hostPort").filter(|port| port.as_i64() != Some(0));
    let host_port = match (chosen, mode) {
        (Some(chosen), _) => chosen.clone(),
        (None, "awsvpc" | "host") => container_port,
        (None, _) => Value::from(0),
    };
    mapping.insert("hostPort".to_owned(), host_port);
}
