//! Service deployments and service revisions: what ECS is rolling, and what it rolled.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::try_join_all;
use serde_json::{Value, json};

use super::account::Account;
use super::answer::{Paging, array, text};
use super::batch::{BatchLimits, Batcher};
use super::connection::{SharedConnection, ecs_call};
use super::error::{Error, Kind};
use super::operation::Operation;
use super::services::failed;

/// Twenty a call, as many as both Describe operations take (aws.md §2.6).
const DESCRIBE: BatchLimits =
    BatchLimits { keys: 20, window: Duration::from_millis(10), in_flight: 4 };

impl Account {
    /// The newest deployments of the service, newest first, at most `newest`, as `DescribeServiceDeployments` shows them.
    pub async fn service_deployments(
        &self,
        cluster: &str,
        name: &str,
        newest: usize,
    ) -> Result<Vec<Value>, Error> {
        let arns = self.list_service_deployments(cluster, name, newest).await?;
        let deployments = arns.into_iter().map(|arn| self.describe_service_deployment(arn));
        Ok(try_join_all(deployments).await?.into_iter().flatten().collect())
    }

    /// One service deployment; `None` if ECS says that it is missing. Asked together with others, twenty a call.
    pub async fn describe_service_deployment(&self, arn: String) -> Result<Option<Value>, Error> {
        let answer = self.inner.deployments.get((), arn.clone()).await;
        answer.map_err(|error| error.about(&arn))
    }

    async fn list_service_deployments(
        &self,
        cluster: &str,
        name: &str,
        newest: usize,
    ) -> Result<Vec<String>, Error> {
        let subject = format!("{cluster}/{name}");
        let body = json!({ "cluster": cluster, "service": name, "maxResults": 100 });
        let mut briefs: Vec<(f64, String)> = Vec::new();
        // That the newest come first is not documented: reading stops early only while the order bears it out.
        let take = |mut page: Value| {
            briefs.extend(array(&mut page, "serviceDeployments").iter().filter_map(brief));
            let descending = briefs.is_sorted_by(|left, right| left.0 >= right.0);
            if descending && briefs.len() > newest { Paging::Enough } else { Paging::More }
        };
        let send = ecs_call!(list_service_deployments);
        self.pages(Operation::ListServiceDeployments, &subject, body, send, take).await?;
        briefs.sort_by(|left, right| right.0.total_cmp(&left.0));
        Ok(briefs.into_iter().take(newest).map(|(_, arn)| arn).collect())
    }

    /// The service revisions of these ARNs, in this order; those that ECS says are missing are left out.
    ///
    /// A revision never changes once its images are resolved, and is kept from then on.
    pub async fn service_revisions(&self, arns: &[String]) -> Result<Vec<Value>, Error> {
        let revisions = arns.iter().map(|arn| self.service_revision(arn));
        Ok(try_join_all(revisions).await?.into_iter().flatten().collect())
    }

    async fn service_revision(&self, arn: &str) -> Result<Option<Value>, Error> {
        if let Some(revision) = self.inner.service_revisions.get(arn) {
            return Ok(Some(revision));
        }
        let answer = self.inner.revisions.get((), arn.to_owned()).await;
        let revision = answer.map_err(|error| error.about(arn))?;
        if let Some(revision) = revision.as_ref().filter(|revision| is_resolved(revision)) {
            self.inner.service_revisions.put(arn, revision);
        }
        Ok(revision)
    }

    /// Stops a service deployment and rolls back, the only documented way to stop one (aws.md §2.7).
    pub async fn stop_service_deployment(&self, arn: &str) -> Result<(), Error> {
        let body = json!({ "serviceDeploymentArn": arn, "stopType": "ROLLBACK" });
        let send = ecs_call!(stop_service_deployment);
        let answer =
            self.inner.connection.change(Operation::StopServiceDeployment, arn, &body, send);
        unless_over(answer.await, "terminal")
    }

    /// Answers a lifecycle hook that waits, from `ContinueServiceDeployment`'s input.
    pub async fn continue_service_deployment(&self, body: &Value) -> Result<(), Error> {
        let subject = text(body, "serviceDeploymentArn").unwrap_or_default();
        let send = ecs_call!(continue_service_deployment);
        let operation = Operation::ContinueServiceDeployment;
        let answer = self.inner.connection.change(operation, subject, body, send);
        unless_over(answer.await, "hookId is either completed")
    }
}

/// A change that comes too late finds what it wanted or something newer, and the next read shows which. ECS refuses it by
/// these words (aws.md §2.7).
fn unless_over(answer: Result<Value, Error>, words: &str) -> Result<(), Error> {
    match answer {
        Err(error) if error.kind == Kind::Refused && error.message.contains(words) => Ok(()),
        answer => answer.map(|_| ()),
    }
}

fn brief(deployment: &Value) -> Option<(f64, String)> {
    let created = deployment.get("createdAt").and_then(Value::as_f64).unwrap_or_default();
    Some((created, text(deployment, "serviceDeploymentArn")?.to_owned()))
}

/// Whether every container's digest is known: before that, the revision may still be filled in.
fn is_resolved(revision: &Value) -> bool {
    let images = revision.get("containerImages").and_then(Value::as_array);
    images.is_some_and(|images| {
        !images.is_empty() && images.iter().all(|image| text(image, "imageDigest").is_some())
    })
}

pub(super) fn deployment_batcher(connection: &SharedConnection) -> Batcher<(), String, Value> {
    let connection = connection.clone();
    Batcher::new(DESCRIBE, move |(), arns: Vec<String>| {
        let connection = connection.clone();
        async move {
            let operation = Operation::DescribeServiceDeployments;
            let (body, subject) = (json!({ "serviceDeploymentArns": arns }), arns.join(","));
            let send = ecs_call!(describe_service_deployments);
            let answer = connection.read(operation, &subject, &body, send).await?;
            Ok(by_arn(answer, operation, "serviceDeployments", "serviceDeploymentArn"))
        }
    })
}

pub(super) fn revision_batcher(connection: &SharedConnection) -> Batcher<(), String, Value> {
    let connection = connection.clone();
    Batcher::new(DESCRIBE, move |(), arns: Vec<String>| {
        let connection = connection.clone();
        async move {
            let operation = Operation::DescribeServiceRevisions;
            let (body, subject) = (json!({ "serviceRevisionArns": arns }), arns.join(","));
            let send = ecs_call!(describe_service_revisions);
            let answer = connection.read(operation, &subject, &body, send).await?;
            Ok(by_arn(answer, operation, "serviceRevisions", "serviceRevisionArn"))
        }
    })
}

/// The elements of `list` by ARN; failures other than MISSING are errors of their own.
pub(super) fn by_arn(
    mut answer: Value,
    operation: Operation,
    list: &str,
    arn: &str,
) -> HashMap<String, Result<Value, Error>> {
    let mut found = HashMap::new();
    for failure in array(&mut answer, "failures") {
        let (subject, reason) =
            (text(&failure, "arn").unwrap_or_default(), text(&failure, "reason"));
        if reason != Some("MISSING") {
            found.insert(subject.to_owned(), Err(failed(operation, subject, reason)));
        }
    }
    for element in array(&mut answer, list) {
        if let Some(arn) = text(&element, arn).map(str::to_owned) {
            found.insert(arn, Ok(element));
        }
    }
    found
}
