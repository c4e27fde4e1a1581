//! What tasks find around them: log groups and roles (aws.md §4.3, §7.2).

use serde_json::Value;

use super::fact::{Fact, Mention, Verdict};
use super::{Facts, Mentions};
use crate::desired::Desired;

/// A log group in a region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogGroup {
    /// Its name.
    pub name: String,
    /// The region that the log driver writes to.
    pub region: Option<String>,
}

/// Who takes a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Principal {
    /// Tasks, and the agent that starts them.
    Tasks,
    /// ECS itself, for load balancers, volumes and hooks.
    Ecs,
}

impl Principal {
    /// The name in trust policies.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tasks => "ecs-tasks.amazonaws.com",
            Self::Ecs => "ecs.amazonaws.com",
        }
    }
}

/// What IAM says of a role.
#[derive(Debug, Clone, PartialEq)]
pub struct Role {
    /// Who may take it: the trust policy.
    pub trust: Value,
}

/// The containers with their places in the file.
pub(super) fn containers(desired: &Desired) -> impl Iterator<Item = (String, &Value)> {
    let containers = desired.task_definition.input.get("containerDefinitions");
    containers.and_then(Value::as_array).into_iter().flatten().enumerate().map(
        |(index, container)| {
            (format!("spec.taskDefinition.containerDefinitions[{index}]"), container)
        },
    )
}

pub(super) fn log_groups(desired: &Desired) -> Vec<Mention<LogGroup>> {
    let mut found: Vec<Mention<LogGroup>> = containers(desired)
        .filter_map(|(at, container)| log_group(&at, container.get("logConfiguration")?))
        .collect();
    let connect = desired.service.input.get("serviceConnectConfiguration");
    let at = "spec.service.serviceConnectConfiguration";
    found.extend(
        connect
            .and_then(|connect| connect.get("logConfiguration"))
            .and_then(|log| log_group(at, log)),
    );
    found
}

fn log_group(at: &str, log: &Value) -> Option<Mention<LogGroup>> {
    if log.get("logDriver").and_then(Value::as_str) != Some("awslogs") {
        return None;
    }
    let option = |name: &str| log.get("options")?.get(name)?.as_str();
    if option("awslogs-create-group") == Some("true") {
        return None;
    }
    let name = option("awslogs-group")?.to_owned();
    let region = option("awslogs-region").map(str::to_owned);
    let path = format!("{at}.logConfiguration.options.awslogs-group");
    Some(Mention::new(path, LogGroup { name, region }))
}

pub(super) fn roles(desired: &Desired) -> Vec<Mention<String, Principal>> {
    let mut found = Vec::new();
    for member in ["executionRoleArn", "taskRoleArn"] {
        let role = desired.task_definition.input.get(member).and_then(Value::as_str);
        found.extend(role.map(|role| Mention {
            path: format!("spec.taskDefinition.{member}"),
            name: role.to_owned(),
            wanted: Principal::Tasks,
        }));
    }
    let lists = [
        ("/loadBalancers", "/advancedConfiguration/roleArn"),
        ("/volumeConfigurations", "/managedEBSVolume/roleArn"),
        ("/vpcLatticeConfigurations", "/roleArn"),
        ("/deploymentConfiguration/lifecycleHooks", "/roleArn"),
    ];
    for (list, role) in lists {
        let entries = desired.service.input.pointer(list).and_then(Value::as_array);
        for (index, entry) in entries.into_iter().flatten().enumerate() {
            let Some(name) = entry.pointer(role).and_then(Value::as_str) else { continue };
            found.push(Mention {
                path: format!(
                    "spec.service{}[{index}]{}",
                    list.replace('/', "."),
                    role.replace('/', ".")
                ),
                name: name.to_owned(),
                wanted: Principal::Ecs,
            });
        }
    }
    if let Some(role) = desired.service.input.get("role").and_then(Value::as_str) {
        let (path, name) = ("spec.service.role".to_owned(), role.to_owned());
        found.push(Mention { path, name, wanted: Principal::Ecs });
    }
    found
}

pub(super) fn judge(mentions: &Mentions, facts: &Facts, verdict: &mut Verdict) {
    for mention in &mentions.log_groups {
        let name = &mention.name.name;
        match facts.log_groups.get(&mention.name) {
            Some(Fact::Present(())) | None => {}
            Some(Fact::Absent(_)) => verdict.find(
                &mention.path,
                format!("log group `{name}` does not exist"),
                "create it, or set `awslogs-create-group: \"true\"`".to_owned(),
            ),
            Some(Fact::NotChecked(why)) => verdict.pass_by(format!("log group `{name}`"), why),
        }
    }
    for mention in &mentions.roles {
        let (name, principal) = (&mention.name, mention.wanted.as_str());
        match facts.roles.get(name) {
            Some(Fact::Present(role)) if !trusts(&role.trust, principal) => verdict.find(
                &mention.path,
                format!("role `{name}` does not trust {principal}"),
                format!("allow sts:AssumeRole to the service {principal} in its trust policy"),
            ),
            Some(Fact::Present(_)) | None => {}
            Some(Fact::Absent(_)) => verdict.find(
                &mention.path,
                format!("role `{name}` does not exist"),
                "create it, or correct the name".to_owned(),
            ),
            Some(Fact::NotChecked(why)) => verdict.pass_by(format!("role `{name}`"), why),
        }
    }
}

/// Whether a trust policy allows a service to take the role. Conditions are not weighed.
fn trusts(policy: &Value, principal: &str) -> bool {
    each(policy.get("Statement")).any(|statement| {
        let allows = statement.get("Effect").and_then(Value::as_str) == Some("Allow");
        let assumes = each(statement.get("Action"))
            .filter_map(Value::as_str)
            .any(|action| ["sts:AssumeRole", "sts:*", "*"].contains(&action));
        let named = statement.get("Principal").is_some_and(|named| {
            named.as_str() == Some("*")
                || each(named.get("Service"))
                    .chain(each(named.get("AWS")))
                    .any(|one| one.as_str().is_some_and(|one| one == principal || one == "*"))
        });
        allows && assumes && named
    })
}

/// A value, or the values of a list: policies write one for the other.
fn each(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    match value {
        Some(Value::Array(values)) => values.iter(),
        Some(value) => std::slice::from_ref(value).iter(),
        None => [].iter(),
    }
}
