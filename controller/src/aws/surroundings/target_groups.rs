//! Target groups of load balancers (aws.md §6.8).

use std::collections::HashMap;
use std::time::Duration;

use super::super::account::Account;
use super::super::batch::{BatchLimits, Batcher};
use super::super::connection::SharedConnection;
use super::super::error::{Error, Kind};
use super::super::operation::Operation;
use super::{FRESH, has_code, own};

/// One unknown ARN refuses the whole call, so that a call is kept small.
const DESCRIBE: BatchLimits =
    BatchLimits { keys: 20, window: Duration::from_millis(10), in_flight: 2 };

/// What matters of a target group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetGroupFact {
    /// `ip`, `instance`, `lambda` or `alb`.
    pub target_type: String,
    /// The load balancers whose listeners forward to it.
    pub load_balancers: Vec<String>,
}

impl Account {
    /// The target group of this ARN; `None` if Elastic Load Balancing knows none.
    pub async fn target_group(&self, arn: &str) -> Result<Option<TargetGroupFact>, Error> {
        self.inner.surroundings.target_groups.get(arn, FRESH).await
    }
}

pub(super) fn batcher(
    connection: &SharedConnection,
) -> Batcher<(), String, Option<TargetGroupFact>> {
    let connection = own(connection);
    Batcher::new(DESCRIBE, move |(), arns: Vec<String>| {
        let connection = own(&connection);
        async move {
            let (operation, subject) = (Operation::DescribeTargetGroups, arns.join(","));
            let answer = connection
                .ask_typed(operation, &subject, |clients| {
                    let call = clients.load_balancing.describe_target_groups();
                    call.set_target_group_arns(Some(arns.clone())).send()
                })
                .await;
            let output = match (answer, arns.as_slice()) {
                (Ok(output), _) => output,
                (Err(error), [arn]) if has_code(&error, "TargetGroupNotFound") => {
                    return Ok(HashMap::from([(arn.clone(), Ok(None))]));
                }
                // One of several is not there: asked about in halves.
                (Err(error), _) if has_code(&error, "TargetGroupNotFound") => {
                    return Err(Error { kind: Kind::Refused, ..error });
                }
                (Err(error), _) => return Err(error),
            };
            let mut found = HashMap::new();
            for group in output.target_groups() {
                let Some(arn) = group.target_group_arn() else { continue };
                let target_type = group.target_type().map(|kind| kind.as_str().to_owned());
                let fact = TargetGroupFact {
                    target_type: target_type.unwrap_or_else(|| "instance".to_owned()),
                    load_balancers: group.load_balancer_arns().to_vec(),
                };
                found.insert(arn.to_owned(), Ok(Some(fact)));
            }
            for arn in arns {
                let unknown =
                    || Err(Error::unexpected(operation, &arn, "the answer leaves it out"));
                found.entry(arn.clone()).or_insert_with(unknown);
            }
            Ok(found)
        }
    })
}
