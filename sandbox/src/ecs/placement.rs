//! Finding room on EC2 instances.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    Ecs,
    cluster::Instance,
    definition::{DefinitionKey, TaskDefinition},
    launch::demand,
    task::Launch,
};
use crate::input;

/// Whether there is room for a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Found,
    /// No room, the instance that came closest, and what it lacks.
    Full {
        instance: Option<String>,
        reason: &'static str,
    },
}

impl Ecs {
    /// Finds an instance for a task, `wanted` if it must be that one; tasks on Fargate need none.
    pub(super) fn place(
        &self,
        cluster: &str,
        key: &DefinitionKey,
        launch: &mut Launch,
        wanted: Option<usize>,
    ) -> Place {
        if launch.kind.as_deref() == Some("FARGATE") {
            return Place::Found;
        }
        let none = Place::Full {
            instance: None,
            reason: "No Container Instances were found in your cluster.",
        };
        let (Some(cluster), Some(definition)) = (self.clusters.get(cluster), self.definition(key))
        else {
            return none;
        };
        (launch.cpu, launch.memory) = demand(definition);
        launch.host_ports = host_ports(definition);
        let mut closest = None;
        let fits =
            |instance: &Instance| launch.provider.is_none() || launch.provider == instance.provider;
        let choices = cluster.instances.iter().enumerate();
        for (at, instance) in
            choices.filter(|(at, one)| wanted.is_none_or(|own| own == *at) && fits(one))
        {
            match self.lacks(instance, launch) {
                None => {
                    launch.instance = Some(at);
                    return Place::Found;
                }
                Some(reason) => {
                    closest.get_or_insert((instance.id.clone(), reason));
                }
            }
        }
        match closest {
            Some((id, reason)) => Place::Full { instance: Some(id), reason },
            None => none,
        }
    }

    /// What an instance lacks for a task.
    fn lacks(&self, instance: &Instance, launch: &Launch) -> Option<&'static str> {
        let mut ports: BTreeSet<i64> = BTreeSet::new();
        let (mut cpu, mut memory) = (instance.cpu, instance.memory);
        for task in instance.tasks.iter().filter_map(|id| self.tasks.get(id)) {
            cpu -= task.launch.cpu;
            memory -= task.launch.memory;
            ports.extend(&task.launch.host_ports);
        }
        if launch.cpu > cpu {
            Some("RESOURCE:CPU")
        } else if launch.memory > memory {
            Some("RESOURCE:MEMORY")
        } else if launch.host_ports.iter().any(|port| ports.contains(port)) {
            Some("RESOURCE:PORTS")
        } else {
            None
        }
    }

    pub(super) fn instance(&self, cluster: &str, at: usize) -> Option<&Instance> {
        self.clusters.get(cluster)?.instances.get(at)
    }

    pub(super) fn instance_arn(&self, cluster: &str, id: &str) -> String {
        self.arn(&format!("container-instance/{cluster}/{id}"))
    }
}

/// The fixed ports that a definition takes on its instance; in awsvpc mode tasks have addresses of their own.
fn host_ports(definition: &TaskDefinition) -> Vec<i64> {
    if definition.network_mode() == "awsvpc" {
        return Vec::new();
    }
    let host = definition.network_mode() == "host";
    let mappings = definition.containers().iter().flat_map(|one| input::list(one, "portMappings"));
    let port = |one: &Value| {
        let own = input::integer(one, "hostPort").filter(|port| *port > 0);
        own.or_else(|| input::integer(one, "containerPort").filter(|_| host))
    };
    mappings.filter_map(port).collect()
}
