//! ECS tasks of a service: those that run, and those that stopped and say why.

use std::time::Duration;

use futures_util::future::try_join_all;
use serde_json::{Value, json};

use super::account::Account;
use super::answer::{Paging, text, texts};
use super::batch::{BatchLimits, Batcher};
use super::connection::{SharedConnection, ecs_call};
use super::deployments::by_arn;
use super::error::Error;
use super::operation::Operation;

/// A hundred tasks a call, as many as `DescribeTasks` takes (aws.md §2.6).
const DESCRIBE: BatchLimits =
    BatchLimits { keys: 100, window: Duration::from_millis(10), in_flight: 4 };

/// Stopped tasks that are looked at: a service in a crash loop leaves more of them than anyone needs.
pub const STOPPED_TASKS_MAX: usize = 200;

impl Account {
    /// All tasks of the service that run or are to run, as `DescribeTasks` shows them.
    pub async fn running_tasks(&self, cluster: &str, service: &str) -> Result<Vec<Value>, Error> {
        self.tasks(cluster, service, "RUNNING", usize::MAX).await
    }

    /// Tasks of the service that stopped, those that ECS still keeps (an hour or more), at most [`STOPPED_TASKS_MAX`].
    ///
    /// Good for an explanation, not for counting: ECS does not say in which order it lists them.
    pub async fn stopped_tasks(&self, cluster: &str, service: &str) -> Result<Vec<Value>, Error> {
        self.tasks(cluster, service, "STOPPED", STOPPED_TASKS_MAX).await
    }

    /// The tasks of a family, whoever started them: those that run or are to run, and those that stopped and are still kept.
    pub async fn tasks_of_family(&self, cluster: &str, family: &str) -> Result<Vec<Value>, Error> {
        let mut tasks = Vec::new();
        for desired_status in ["RUNNING", "STOPPED"] {
            let filter = ("family", family);
            tasks.extend(self.listed(cluster, filter, desired_status, usize::MAX).await?);
        }
        Ok(tasks)
    }

    /// Asks for tasks from `RunTask`'s input and answers with its output, `{tasks, failures}`. That there is no room is an
    /// answer, not an error. After [`Kind::Ambiguous`](super::Kind::Ambiguous) the same input, with its client token, starts
    /// no second task (aws.md §2.8).
    pub async fn run_task(&self, body: &Value) -> Result<Value, Error> {
        let family = text(body, "taskDefinition").unwrap_or_default();
        let send = ecs_call!(run_task);
        self.inner.connection.change(Operation::RunTask, family, body, send).await
    }

    /// Stops a task from `StopTask`'s input.
    pub async fn stop_task(&self, body: &Value) -> Result<(), Error> {
        let task = text(body, "task").unwrap_or_default();
        let send = ecs_call!(stop_task);
        self.inner.connection.change(Operation::StopTask, task, body, send).await?;
        Ok(())
    }

    async fn tasks(
        &self,
        cluster: &str,
        service: &str,
        desired_status: &str,
        tasks_max: usize,
    ) -> Result<Vec<Value>, Error> {
        self.listed(cluster, ("serviceName", service), desired_status, tasks_max).await
    }

    /// The tasks of a cluster that one filter of `ListTasks` lets through.
    async fn listed(
        &self,
        cluster: &str,
        (filter, value): (&str, &str),
        desired_status: &str,
        tasks_max: usize,
    ) -> Result<Vec<Value>, Error> {
        let subject = format!("{cluster}/{value}");
        let mut body = json!({
            "cluster": cluster,
            "desiredStatus": desired_status,
            "maxResults": 100,
        });
        if let Some(members) = body.as_object_mut() {
            members.insert(filter.to_owned(), json!(value));
        }
        let mut arns = Vec::new();
        let take = |mut page: Value| {
            arns.extend(texts(&mut page, "taskArns"));
            if arns.len() < tasks_max { Paging::More } else { Paging::Enough }
        };
        self.pages(Operation::ListTasks, &subject, body, ecs_call!(list_tasks), take).await?;
        arns.truncate(tasks_max);
        self.describe_tasks(cluster, arns).await
    }

    /// The ARNs of all tasks of the cluster that run or are to run, whoever started them: every page, or an error.
    pub async fn cluster_tasks(&self, cluster: &str) -> Result<Vec<String>, Error> {
        let body = json!({ "cluster": cluster, "desiredStatus": "RUNNING", "maxResults": 100 });
        self.list(Operation::ListTasks, cluster, body, "taskArns", ecs_call!(list_tasks)).await
    }

    /// These tasks of a cluster as `DescribeTasks` shows them, a hundred a call.
    pub async fn describe_tasks(
        &self,
        cluster: &str,
        arns: Vec<String>,
    ) -> Result<Vec<Value>, Error> {
        let tasks = arns.into_iter().map(|arn| async move {
            let answer = self.inner.tasks.get(cluster.to_owned(), arn.clone()).await;
            answer.map_err(|error| error.about(&arn))
        });
        // A task may be gone by the time it is described: then the answer leaves it out.
        Ok(try_join_all(tasks).await?.into_iter().flatten().collect())
    }
}

pub(super) fn batcher(connection: &SharedConnection) -> Batcher<String, String, Value> {
    let connection = connection.clone();
    Batcher::new(DESCRIBE, move |cluster: String, arns: Vec<String>| {
        let connection = connection.clone();
        async move {
            let operation = Operation::DescribeTasks;
            let body = json!({ "cluster": cluster, "tasks": arns, "include": ["TAGS"] });
            let answer =
                connection.read(operation, &cluster, &body, ecs_call!(describe_tasks)).await?;
            Ok(by_arn(answer, operation, "tasks", "taskArn"))
        }
    })
}
