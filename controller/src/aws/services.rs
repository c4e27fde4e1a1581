//! ECS services: describe, list, create, update, delete, tag.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::account::Account;
use super::answer::{array, require, text};
use super::batch::{BatchLimits, Batcher};
use super::connection::{SharedConnection, ecs_call};
use super::error::Error;
use super::operation::Operation;

/// Ten services a call, as many as `DescribeServices` takes (aws.md §2.6).
const DESCRIBE: BatchLimits =
    BatchLimits { keys: 10, window: Duration::from_millis(10), in_flight: 8 };

impl Account {
    /// The service as `DescribeServices` shows it, tags included; `None` if ECS says that it is missing.
    ///
    /// An INACTIVE service is answered as it is. Asked together with others of its cluster, ten a call.
    pub async fn describe_service(
        &self,
        cluster: &str,
        name: &str,
    ) -> Result<Option<Arc<Value>>, Error> {
        let subject = format!("{cluster}/{name}");
        let answer = self.inner.services.get(cluster.to_owned(), name.to_owned()).await;
        answer.map_err(|error| error.about(&subject))?.ok_or_else(|| {
            let message = "the answer neither describes it nor says that it is missing";
            Error::unexpected(Operation::DescribeServices, &subject, message)
        })
    }

    /// The names of the cluster's services that are not draining or gone: every page, or an error.
    pub async fn list_services(&self, cluster: &str) -> Result<Vec<String>, Error> {
        let body = json!({ "cluster": cluster, "maxResults": 100 });
        let send = ecs_call!(list_services);
        let arns = self.list(Operation::ListServices, cluster, body, "serviceArns", send).await?;
        Ok(arns.iter().map(|arn| name_of(arn).to_owned()).collect())
    }

    /// The names of all clusters of the account and region: every page, or an error.
    pub async fn list_clusters(&self) -> Result<Vec<String>, Error> {
        let (operation, subject) = (Operation::ListClusters, self.target().as_str());
        let body = json!({ "maxResults": 100 });
        let send = ecs_call!(list_clusters);
        let arns = self.list(operation, subject, body, "clusterArns", send).await?;
        Ok(arns.iter().map(|arn| name_of(arn).to_owned()).collect())
    }

    /// Creates a service from `CreateService`'s input and answers with its output, `{service}`.
    pub async fn create_service(&self, body: &Value) -> Result<Value, Error> {
        let subject = subject_of(body, "serviceName");
        let change = self.inner.connection.change(
            Operation::CreateService,
            &subject,
            body,
            ecs_call!(create_service),
        );
        require(change.await?, Operation::CreateService, &subject, "service")
    }

    /// Updates a service from `UpdateService`'s input and answers with its output, `{service}`, without tags.
    pub async fn update_service(&self, body: &Value) -> Result<Value, Error> {
        let subject = subject_of(body, "service");
        let change = self.inner.connection.change(
            Operation::UpdateService,
            &subject,
            body,
            ecs_call!(update_service),
        );
        require(change.await?, Operation::UpdateService, &subject, "service")
    }

    /// Deletes a service; with `force` also one that has tasks. Answers with `{service}`, which is draining.
    pub async fn delete_service(
        &self,
        cluster: &str,
        name: &str,
        force: bool,
    ) -> Result<Value, Error> {
        let subject = format!("{cluster}/{name}");
        let body = json!({ "cluster": cluster, "service": name, "force": force });
        let change = self.inner.connection.change(
            Operation::DeleteService,
            &subject,
            &body,
            ecs_call!(delete_service),
        );
        require(change.await?, Operation::DeleteService, &subject, "service")
    }

    /// Sets these tags; others stay.
    pub async fn tag_resource(
        &self,
        arn: &str,
        tags: &BTreeMap<String, String>,
    ) -> Result<(), Error> {
        let pairs = tags.iter().map(|(key, value)| json!({ "key": key, "value": value }));
        let body = json!({ "resourceArn": arn, "tags": pairs.collect::<Vec<_>>() });
        let send = ecs_call!(tag_resource);
        self.inner.connection.change(Operation::TagResource, arn, &body, send).await?;
        self.inner.task_definitions.forget(arn);
        Ok(())
    }

    /// Removes the tags with these keys.
    pub async fn untag_resource(&self, arn: &str, keys: &[&str]) -> Result<(), Error> {
        let body = json!({ "resourceArn": arn, "tagKeys": keys });
        let send = ecs_call!(untag_resource);
        self.inner.connection.change(Operation::UntagResource, arn, &body, send).await?;
        self.inner.task_definitions.forget(arn);
        Ok(())
    }
}

/// The last part of an ARN.
fn name_of(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// `shop/web`, from the input of a call about a service.
fn subject_of(body: &Value, name: &str) -> String {
    let cluster = text(body, "cluster").unwrap_or("default");
    format!("{cluster}/{}", text(body, name).unwrap_or_default())
}

pub(super) fn batcher(
    connection: &SharedConnection,
) -> Batcher<String, String, Option<Arc<Value>>> {
    let connection = connection.clone();
    Batcher::new(DESCRIBE, move |cluster: String, names: Vec<String>| {
        let connection = connection.clone();
        async move {
            let body = json!({ "cluster": cluster, "services": names, "include": ["TAGS"] });
            let subject = format!("{cluster}/{}", names.join(","));
            let send = ecs_call!(describe_services);
            let answer =
                connection.read(Operation::DescribeServices, &subject, &body, send).await?;
            Ok(sort_out(answer))
        }
    })
}

/// The services of the answer by name, and those that it says are missing.
fn sort_out(mut answer: Value) -> HashMap<String, Result<Option<Arc<Value>>, Error>> {
    let mut found = HashMap::new();
    for failure in array(&mut answer, "failures") {
        let name = name_of(text(&failure, "arn").unwrap_or_default());
        let state = match text(&failure, "reason") {
            Some("MISSING") => Ok(None),
            reason => Err(failed(Operation::DescribeServices, name, reason)),
        };
        found.insert(name.to_owned(), state);
    }
    for service in array(&mut answer, "services") {
        if let Some(name) = text(&service, "serviceName").map(str::to_owned) {
            found.insert(name, Ok(Some(Arc::new(service))));
        }
    }
    found
}

/// An entry of `failures` that does not say MISSING: nothing is known about its subject.
pub(super) fn failed(operation: Operation, subject: &str, reason: Option<&str>) -> Error {
    let reason = reason.unwrap_or("no reason given");
    Error::unexpected(operation, subject, format!("the answer lists it as failed: {reason}"))
}
