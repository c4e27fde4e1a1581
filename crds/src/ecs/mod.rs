//! The API's own shapes, complete: what `RegisterTaskDefinition`, `CreateService` and `UpdateService` take.
//!
//! One table per structure of the API is the only definition. From its rows come the typed structure (serde with ECS's own
//! member names, JSON Schema with our descriptions) and a [`Shape`] over which generic code walks. Because a spec's blocks
//! are ECS's JSON name for name, the JSON of [`TaskDefinition`] and [`ServiceDefinition`] is the request's body, and
//! answers of AWS are read as JSON along the same tables: nothing converts.

pub mod capacity;
pub mod container;
pub mod deployment;
mod doubt;
pub mod environment;
pub mod gateway;
pub mod health;
pub mod linux;
pub mod load_balancing;
pub mod logging;
pub mod monitoring;
pub mod network;
pub mod placement;
pub mod port;
pub mod proxy;
pub mod resource;
pub mod service;
pub mod service_connect;
pub mod service_volume;
mod shape;
pub(crate) mod table;
pub mod tag;
pub mod task_definition;
pub mod volume;

pub use container::ContainerDefinition;
pub use doubt::{Doubt, Doubtful, doubts};
pub use service::ServiceDefinition;
pub use shape::{Absent, Effect, Kind, Limits, Literal, Member, Order, Shape, Unit};
pub use table::Shaped;
pub use task_definition::TaskDefinition;

/// The structures at which walks begin.
pub const ROOTS: &[&Shape] = &[TaskDefinition::SHAPE, ServiceDefinition::SHAPE];

/// Every member below a structure with its path, `containerDefinitions[].portMappings[].hostPort` for instance.
pub fn members(root: &'static Shape) -> Vec<(String, &'static Member)> {
    let mut found = Vec::new();
    collect("", root, &mut found);
    found
}

fn collect(prefix: &str, shape: &'static Shape, found: &mut Vec<(String, &'static Member)>) {
    for member in shape.members {
        let path = if prefix.is_empty() {
            member.name.to_owned()
        } else {
            format!("{prefix}.{}", member.name)
        };
        found.push((path.clone(), member));
        if let Kind::Struct(inner) = member.kind {
            collect(&path, inner, found);
        } else if let Kind::List { of: Kind::Struct(inner), .. } = member.kind {
            collect(&format!("{path}[]"), inner, found);
        }
    }
}

#[cfg(test)]
mod tests;
