//! Where a service lives: its cluster, capacity, target groups, and the alarms over its rollouts (aws.md §2.9, §3.6, §6.8,
//! §6.9).

use serde_json::Value;

use super::fact::{Fact, Mention, Verdict};
use super::nearest;
use super::{Facts, Mentions};
use crate::desired::Desired;

/// What ECS says of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// `ACTIVE`, or why it is none.
    pub status: String,
    /// The capacity providers that are attached to it.
    pub capacity_providers: Vec<String>,
}

/// How a target group knows its targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetType {
    /// By address: tasks with a network interface of their own.
    Ip,
    /// By instance.
    Instance,
}

/// What Elastic Load Balancing says of a target group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetGroup {
    /// `ip`, `instance`, `lambda` or `alb`.
    pub target_type: String,
    /// Whether a listener's rule forwards to it: otherwise no target ever becomes healthy.
    pub is_reachable: bool,
}

/// What CloudWatch says of an alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// Whether it is in ALARM.
    pub rings: bool,
}

impl TargetType {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Ip => "ip",
            Self::Instance => "instance",
        }
    }
}

pub(super) fn capacity_providers(desired: &Desired) -> Vec<Mention<String>> {
    entries(desired, "/capacityProviderStrategy")
        .filter_map(|(index, entry)| {
            let name = entry.get("capacityProvider")?.as_str()?;
            let path = format!("spec.service.capacityProviderStrategy[{index}].capacityProvider");
            Some(Mention::new(path, name.rsplit('/').next().unwrap_or(name).to_owned()))
        })
        .collect()
}

pub(super) fn target_groups(desired: &Desired) -> Vec<Mention<String, TargetType>> {
    let network = desired.task_definition.input.get("networkMode").and_then(Value::as_str);
    let wanted = if network == Some("awsvpc") { TargetType::Ip } else { TargetType::Instance };
    let members = ["/targetGroupArn", "/advancedConfiguration/alternateTargetGroupArn"];
    let mut found = Vec::new();
    for (index, entry) in entries(desired, "/loadBalancers") {
        for member in members {
            let Some(arn) = entry.pointer(member).and_then(Value::as_str) else { continue };
            let member = member.replace('/', ".");
            let path = format!("spec.service.loadBalancers[{index}]{member}");
            found.push(Mention { path, name: arn.to_owned(), wanted });
        }
    }
    found
}

pub(super) fn alarms(desired: &Desired) -> Vec<Mention<String>> {
    let alarms = desired.service.input.pointer("/deploymentConfiguration/alarms");
    let is_enabled = alarms.and_then(|alarms| alarms.get("enable")) == Some(&Value::Bool(true));
    if !is_enabled {
        return Vec::new();
    }
    entries(desired, "/deploymentConfiguration/alarms/alarmNames")
        .filter_map(|(index, name)| {
            let path = format!("spec.service.deploymentConfiguration.alarms.alarmNames[{index}]");
            Some(Mention::new(path, name.as_str()?.to_owned()))
        })
        .collect()
}

fn entries<'a>(desired: &'a Desired, list: &str) -> impl Iterator<Item = (usize, &'a Value)> {
    let list = desired.service.input.pointer(list).and_then(Value::as_array);
    list.into_iter().flatten().enumerate()
}

pub(super) fn judge_cluster(mentions: &Mentions, facts: &Facts, verdict: &mut Verdict) {
    let Mention { path, name, .. } = &mentions.cluster;
    let cluster = match &facts.cluster {
        Some(Fact::Present(cluster)) => cluster,
        Some(Fact::Absent(_)) => {
            let hint = "create it; Longshore creates no clusters".to_owned();
            return verdict.find(path, format!("cluster `{name}` does not exist"), hint);
        }
        Some(Fact::NotChecked(why)) => return verdict.pass_by(format!("cluster `{name}`"), why),
        None => return,
    };
    if cluster.status != "ACTIVE" {
        let message = format!("cluster `{name}` is {} and takes no services", cluster.status);
        return verdict.find(path, message, None);
    }
    for mention in &mentions.capacity_providers {
        if !cluster.capacity_providers.contains(&mention.name) {
            let message =
                format!("capacity provider `{}` is not attached to cluster `{name}`", mention.name);
            let hint = match nearest::hint(&mention.name, &cluster.capacity_providers) {
                Some(nearest) => format!("attach it; {nearest}"),
                None => "attach it; the cluster has none".to_owned(),
            };
            verdict.find(&mention.path, message, hint);
        }
    }
}

pub(super) fn judge(mentions: &Mentions, facts: &Facts, verdict: &mut Verdict) {
    for mention in &mentions.target_groups {
        target_group(mention, facts.target_groups.get(&mention.name), verdict);
    }
    for mention in &mentions.alarms {
        let name = &mention.name;
        match facts.alarms.get(name) {
            Some(Fact::Present(Alarm { rings: true })) => verdict.find(
                &mention.path,
                format!(
                    "alarm `{name}` is in ALARM already, and ECS would not watch it during the rollout"
                ),
                "wait until it is OK, or set `alarms.enable: false` for this rollout".to_owned(),
            ),
            Some(Fact::Present(Alarm { rings: false })) | None => {}
            Some(Fact::Absent(_)) => verdict.find(
                &mention.path,
                format!("alarm `{name}` does not exist"),
                "create it, or correct the name".to_owned(),
            ),
            Some(Fact::NotChecked(why)) => verdict.pass_by(format!("alarm `{name}`"), why),
        }
    }
}

fn target_group(
    mention: &Mention<String, TargetType>,
    fact: Option<&Fact<TargetGroup>>,
    verdict: &mut Verdict,
) {
    let (path, arn) = (&mention.path, &mention.name);
    match fact {
        Some(Fact::Present(group)) => {
            let wanted = mention.wanted.as_str();
            if group.target_type != wanted {
                verdict.find(
                    path,
                    format!(
                        "target group `{arn}` has targets of type `{}`, and the tasks are of type `{wanted}`",
                        group.target_type
                    ),
                    format!("use a target group of type `{wanted}`, as the network mode asks for"),
                );
            }
            if !group.is_reachable {
                verdict.find(
                    path,
                    format!("no listener forwards to target group `{arn}`, so that no task in it would become healthy"),
                    "add it to a rule of a listener".to_owned(),
                );
            }
        }
        Some(Fact::Absent(_)) => verdict.find(
            path,
            format!("target group `{arn}` does not exist"),
            "create it, or correct the ARN".to_owned(),
        ),
        Some(Fact::NotChecked(why)) => verdict.pass_by(format!("target group `{arn}`"), why),
        None => {}
    }
}
