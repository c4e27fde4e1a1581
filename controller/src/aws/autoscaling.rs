//! Application Auto Scaling: what it has, read for all services at once, and its changes.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_applicationautoscaling::Client;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::account::Account;
use super::answer::{PAGES_MAX, array, text};
use super::connection::SharedConnection;
use super::error::{Error, Kind};
use super::json_call::{Exchange, json_call};
use super::operation::Operation;
use super::readings::{Found, Readings, Scope};

/// What a service takes when it is read alone: its target, its policies, its scheduled actions.
const CALLS_ALONE: u32 = 3;
/// Targets that DescribeScalableTargets takes by name (aws.md §5.4).
const TARGETS_MAX: usize = 50;
/// How long the last activities are taken for the last ones.
const ACTIVITIES_KEPT: Duration = Duration::from_secs(5);

/// Starts an SDK call of Application Auto Scaling that carries our JSON.
macro_rules! scaling_call {
    ($operation:ident) => {
        |client: &Client, exchange| client.$operation().customize().interceptor(exchange).send()
    };
}

/// The newest activities of the account and region, and when they were read.
pub(super) type Activities = Mutex<Option<(Instant, Arc<Vec<Value>>)>>;

impl Account {
    /// What there is for `service/<cluster>/<name>`: `{ScalableTargets, ScalingPolicies, ScheduledActions}`, or `null`.
    ///
    /// Read for all services together, at most some minutes ago.
    pub async fn scaling(&self, resource: &str) -> Result<Arc<Value>, Error> {
        self.inner.scaling.get(resource).await
    }

    /// The same, read a moment ago at the most.
    pub async fn scaling_now(&self, resource: &str) -> Result<Arc<Value>, Error> {
        self.inner.scaling.newest(resource).await
    }

    /// The newest fifty activities of all services of the account and region, newest first.
    pub async fn scaling_activities(&self) -> Result<Arc<Vec<Value>>, Error> {
        let mut known = self.inner.activities.lock().await;
        if let Some((when, activities)) = &*known
            && when.elapsed() < ACTIVITIES_KEPT
        {
            return Ok(Arc::clone(activities));
        }
        let operation = Operation::DescribeScalingActivities;
        let body = json!({ "ServiceNamespace": "ecs", "MaxResults": 50 });
        let send = scaling_call!(describe_scaling_activities);
        let mut page = ask(&self.inner.connection, operation, "ecs", &body, send).await?;
        let activities = Arc::new(array(&mut page, "ScalingActivities"));
        *known = Some((Instant::now(), Arc::clone(&activities)));
        Ok(activities)
    }

    /// Makes a scalable target or changes the members that the input has.
    pub async fn register_scalable_target(&self, input: &Value) -> Result<(), Error> {
        let send = scaling_call!(register_scalable_target);
        self.change_scaling(Operation::RegisterScalableTarget, input, send).await.map(|_| ())
    }

    /// Removes a scalable target with its policies and scheduled actions; one that is gone is no error.
    pub async fn deregister_scalable_target(&self, input: &Value) -> Result<(), Error> {
        let send = scaling_call!(deregister_scalable_target);
        gone(self.change_scaling(Operation::DeregisterScalableTarget, input, send).await)
    }

    /// Makes or replaces a policy and answers with its ARN.
    pub async fn put_scaling_policy(&self, input: &Value) -> Result<String, Error> {
        let operation = Operation::PutScalingPolicy;
        let send = scaling_call!(put_scaling_policy);
        let answer = self.change_scaling(operation, input, send).await?;
        let arn = text(&answer, "PolicyARN").map(str::to_owned);
        arn.ok_or_else(|| {
            let subject = text(input, "PolicyName").unwrap_or_default();
            Error::unexpected(operation, subject, "the answer has no `PolicyARN`")
        })
    }

    /// Removes a policy; one that is gone is no error.
    pub async fn delete_scaling_policy(&self, input: &Value) -> Result<(), Error> {
        let send = scaling_call!(delete_scaling_policy);
        gone(self.change_scaling(Operation::DeleteScalingPolicy, input, send).await)
    }

    /// Makes or changes a scheduled action.
    pub async fn put_scheduled_action(&self, input: &Value) -> Result<(), Error> {
        let send = scaling_call!(put_scheduled_action);
        self.change_scaling(Operation::PutScheduledAction, input, send).await.map(|_| ())
    }

    /// Removes a scheduled action; one that is gone is no error.
    pub async fn delete_scheduled_action(&self, input: &Value) -> Result<(), Error> {
        let send = scaling_call!(delete_scheduled_action);
        gone(self.change_scaling(Operation::DeleteScheduledAction, input, send).await)
    }

    async fn change_scaling<T, E, F, Sending>(
        &self,
        operation: Operation,
        input: &Value,
        send: F,
    ) -> Result<Value, Error>
    where
        F: FnOnce(&Client, Exchange) -> Sending,
        Sending: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: std::error::Error + ProvideErrorMetadata + 'static,
    {
        let resource = text(input, "ResourceId").unwrap_or_default();
        let named = ["PolicyName", "ScheduledActionName"];
        let subject = match named.iter().find_map(|name| text(input, name)) {
            Some(name) => format!("{name} of {resource}"),
            None => resource.to_owned(),
        };
        let client = &self.inner.connection.scaling;
        let attempt = json_call(operation, &subject, input, |exchange| send(client, exchange));
        let result = self.inner.connection.alter(operation, &subject, attempt).await;
        // Whatever came of it: what was read before says nothing any more.
        self.inner.scaling.forget(resource);
        result
    }
}

fn gone(result: Result<Value, Error>) -> Result<(), Error> {
    match result {
        Ok(_) | Err(Error { kind: Kind::NotFound, .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

async fn ask<T, E, F, Sending>(
    connection: &SharedConnection,
    operation: Operation,
    subject: &str,
    body: &Value,
    send: F,
) -> Result<Value, Error>
where
    F: Fn(&Client, Exchange) -> Sending,
    Sending: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    let attempt =
        || json_call(operation, subject, body, |exchange| send(&connection.scaling, exchange));
    connection.ask(operation, attempt).await
}

pub(super) fn readings(connection: &SharedConnection) -> Readings {
    let connection = Arc::clone(connection);
    Readings::new(CALLS_ALONE, move |scope| {
        let reading = Listing::new(Arc::clone(&connection));
        async move {
            match scope {
                Scope::Everything => reading.everything().await,
                Scope::Only(keys) => reading.only(&keys).await,
            }
        }
    })
}

/// One reading on its way.
struct Listing {
    connection: SharedConnection,
    found: Found,
}

impl Listing {
    fn new(connection: SharedConnection) -> Self {
        Self { connection, found: Found::default() }
    }

    async fn everything(mut self) -> Result<Found, Error> {
        self.targets(json!({ "MaxResults": 50 })).await?;
        // Nothing can be attached to a target that does not exist.
        if !self.found.values.is_empty() {
            self.policies(json!({ "MaxResults": 10 }), "all services").await?;
            self.actions(json!({ "MaxResults": 50 }), "all services").await?;
        }
        Ok(self.found)
    }

    async fn only(mut self, resources: &[String]) -> Result<Found, Error> {
        for some in resources.chunks(TARGETS_MAX) {
            self.targets(json!({ "MaxResults": 50, "ResourceIds": some })).await?;
        }
        for resource in resources {
            if self.found.values.contains_key(resource) {
                let of = |size: u32| {
                    json!({
                        "MaxResults": size, "ResourceId": resource,
                        "ScalableDimension": "ecs:service:DesiredCount",
                    })
                };
                self.policies(of(10), resource).await?;
                self.actions(of(50), resource).await?;
            }
        }
        Ok(self.found)
    }

    async fn targets(&mut self, body: Value) -> Result<(), Error> {
        let send = scaling_call!(describe_scalable_targets);
        let operation = Operation::DescribeScalableTargets;
        self.pages(operation, "ScalableTargets", body, "ecs", send).await
    }

    async fn policies(&mut self, body: Value, subject: &str) -> Result<(), Error> {
        let send = scaling_call!(describe_scaling_policies);
        let operation = Operation::DescribeScalingPolicies;
        self.pages(operation, "ScalingPolicies", body, subject, send).await
    }

    async fn actions(&mut self, body: Value, subject: &str) -> Result<(), Error> {
        let send = scaling_call!(describe_scheduled_actions);
        let operation = Operation::DescribeScheduledActions;
        self.pages(operation, "ScheduledActions", body, subject, send).await
    }

    /// Every page of a list, sorted out by resource: all of them, or an error.
    async fn pages<T, E, F, Sending>(
        &mut self,
        operation: Operation,
        member: &str,
        mut body: Value,
        subject: &str,
        send: F,
    ) -> Result<(), Error>
    where
        F: Fn(&Client, Exchange) -> Sending,
        Sending: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: std::error::Error + ProvideErrorMetadata + 'static,
    {
        set(&mut body, "ServiceNamespace", json!("ecs"));
        for _ in 0..PAGES_MAX {
            let mut page = ask(&self.connection, operation, subject, &body, &send).await?;
            self.found.calls += 1;
            sort_out(&mut self.found.values, member, array(&mut page, member));
            let next = text(&page, "NextToken").filter(|token| !token.is_empty());
            let Some(next) = next.map(str::to_owned) else { return Ok(()) };
            if text(&body, "NextToken") == Some(&next) {
                break;
            }
            set(&mut body, "NextToken", json!(next));
        }
        Err(Error::unexpected(operation, subject, "the list does not end"))
    }
}

fn set(body: &mut Value, name: &str, value: Value) {
    if let Some(members) = body.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

/// Puts elements to the resource that they are about.
fn sort_out(values: &mut HashMap<String, Value>, member: &str, elements: Vec<Value>) {
    for element in elements {
        let Some(resource) = text(&element, "ResourceId").map(str::to_owned) else { continue };
        if text(&element, "ScalableDimension") != Some("ecs:service:DesiredCount") {
            continue;
        }
        let of_resource = values.entry(resource).or_insert_with(|| json!({}));
        if let Some(members) = of_resource.as_object_mut()
            && let Value::Array(list) = members.entry(member).or_insert_with(|| json!([]))
        {
            list.push(element);
        }
    }
}
