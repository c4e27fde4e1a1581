//! Reads what AWS says about the services of a cluster: all that a spec can say, wherever AWS shows it.

use crds::ServiceName;
use futures_util::StreamExt as _;
use futures_util::stream;
use serde_json::Value;

use super::{Options, Skipped};
use crate::aws::{Account, Error};

/// How many services are read at once; the batcher makes few calls of them.
const AT_ONCE: usize = 40;

/// One service as AWS shows it.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// Its name.
    pub(super) name: ServiceName,
    /// A `Service` of DescribeServices.
    pub(super) service: Value,
    /// The answer of DescribeTaskDefinition: `{taskDefinition, tags}`.
    pub(super) definition: Value,
    /// The service revision that runs; services that were last deployed before there were any have none (aws.md §2.7).
    pub(super) revision: Option<Value>,
}

/// Why a service cannot be imported.
#[derive(Debug)]
pub(super) enum Obstacle {
    /// AWS says that there is none.
    Missing(String),
    /// It is no business of a spec.
    Foreign(String),
    /// It could not be read.
    Unread(String),
}

impl Obstacle {
    /// The same for the report on a service.
    pub(super) fn of(self, name: String) -> Skipped {
        let (why, is_failure) = match self {
            Self::Foreign(why) => (why, false),
            Self::Missing(why) | Self::Unread(why) => (why, true),
        };
        Skipped { name, why, is_failure }
    }
}

/// Every wanted service by name, with why it cannot be imported where it cannot.
pub(super) async fn services(
    account: &Account,
    options: &Options,
) -> Result<Vec<(String, Result<Found, Obstacle>)>, Error> {
    let cluster = options.cluster.as_str();
    let mut names: Vec<String> = if options.services.is_empty() {
        account.list_services(cluster).await?
    } else {
        options.services.iter().map(ToString::to_string).collect()
    };
    names.sort_unstable();
    names.dedup();
    let readings = stream::iter(names).map(|name| async move {
        let reading = service(account, cluster, &name).await;
        (name, reading)
    });
    Ok(readings.buffered(AT_ONCE).collect().await)
}

/// One service, or why it cannot be imported.
pub(super) async fn service(
    account: &Account,
    cluster: &str,
    name: &str,
) -> Result<Found, Obstacle> {
    let parsed: ServiceName =
        name.parse().map_err(|error: crds::InvalidName| Obstacle::Unread(error.to_string()))?;
    let described = account.describe_service(cluster, name).await.map_err(unread)?;
    let Some(service) = described else {
        return Err(Obstacle::Missing(format!(
            "the cluster {cluster} has no service of this name"
        )));
    };
    if let Some(why) = obstacle(&service) {
        return Err(Obstacle::Foreign(why));
    }
    let arn = service.get("taskDefinition").and_then(Value::as_str).unwrap_or_default();
    let definition = account.describe_task_definition(arn).await.map_err(unread)?;
    let Some(definition) = definition else {
        return Err(Obstacle::Unread(format!("its task definition {arn} is gone")));
    };
    let revision = newest_revision(account, &service).await.map_err(unread)?;
    Ok(Found {
        name: parsed,
        service: (*service).clone(),
        definition: (*definition).clone(),
        revision,
    })
}

/// What only the service revision shows: gateways and monitoring (aws.md §2.6).
async fn newest_revision(account: &Account, service: &Value) -> Result<Option<Value>, Error> {
    let newest = service.pointer("/currentServiceRevisions/0/arn").and_then(Value::as_str);
    let Some(newest) = newest else { return Ok(None) };
    Ok(account.service_revisions(&[newest.to_owned()]).await?.pop())
}

/// Why a service is no business of a spec.
fn obstacle(service: &Value) -> Option<String> {
    let text = |name: &str| service.get(name).and_then(Value::as_str);
    if let Some(status @ ("DRAINING" | "INACTIVE")) = text("status") {
        return Some(format!("it is {status}: it was deleted"));
    }
    if text("resourceManagementType") == Some("ECS") {
        return Some("ECS itself manages it (Express Mode); nobody else may".to_owned());
    }
    if text("taskDefinition").is_none_or(str::is_empty) {
        let why = "its deployments are task sets of an external controller, and it names no task definition";
        return Some(why.to_owned());
    }
    None
}

#[allow(clippy::needless_pass_by_value, reason = "it is handed to `map_err`")]
fn unread(error: Error) -> Obstacle {
    Obstacle::Unread(crate::error_chain(&error))
}
