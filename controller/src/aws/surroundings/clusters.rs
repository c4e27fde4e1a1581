//! Clusters, a hundred a call (aws.md §2.9).

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::account::Account;
use super::super::answer::{array, text};
use super::super::batch::{BatchLimits, Batcher};
use super::super::connection::{SharedConnection, ecs_call};
use super::super::error::Error;
use super::super::operation::Operation;
use super::super::services::failed;
use super::{FRESH, own};

const DESCRIBE: BatchLimits =
    BatchLimits { keys: 100, window: Duration::from_millis(10), in_flight: 4 };

impl Account {
    /// The cluster as `DescribeClusters` shows it; `None` if ECS says that it is missing.
    pub async fn describe_cluster(&self, name: &str) -> Result<Option<Value>, Error> {
        self.inner.surroundings.clusters.get(name, FRESH).await
    }
}

pub(super) fn batcher(connection: &SharedConnection) -> Batcher<(), String, Option<Value>> {
    let connection = own(connection);
    Batcher::new(DESCRIBE, move |(), names: Vec<String>| {
        let connection = own(&connection);
        async move {
            let (operation, subject) = (Operation::DescribeClusters, names.join(","));
            let body = json!({ "clusters": names });
            let send = ecs_call!(describe_clusters);
            let mut answer = connection.read(operation, &subject, &body, send).await?;
            let mut found = HashMap::new();
            for failure in array(&mut answer, "failures") {
                let name = text(&failure, "arn").and_then(|arn| arn.rsplit('/').next());
                let name = name.unwrap_or_default().to_owned();
                let state = match text(&failure, "reason") {
                    Some("MISSING") => Ok(None),
                    reason => Err(failed(operation, &name, reason)),
                };
                found.insert(name, state);
            }
            for cluster in array(&mut answer, "clusters") {
                if let Some(name) = text(&cluster, "clusterName").map(str::to_owned) {
                    found.insert(name, Ok(Some(cluster)));
                }
            }
            // A name that the answer leaves out is not known to be missing.
            for name in names {
                let unknown =
                    || Err(Error::unexpected(operation, &name, "the answer leaves it out"));
                found.entry(name.clone()).or_insert_with(unknown);
            }
            Ok(found)
        }
    })
}
