//! Alarms, a hundred a call (aws.md §6.9).

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_cloudwatch::types::{AlarmType, StateValue};

use super::super::account::Account;
use super::super::batch::{BatchLimits, Batcher};
use super::super::connection::SharedConnection;
use super::super::error::Error;
use super::super::operation::Operation;
use super::{FRESH, own};

const DESCRIBE: BatchLimits =
    BatchLimits { keys: 100, window: Duration::from_millis(10), in_flight: 2 };

/// What matters of an alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmFact {
    /// Whether it is in ALARM.
    pub rings: bool,
    /// Why it is in the state it is in, in CloudWatch's words.
    pub reason: String,
}

impl AlarmFact {
    fn of(state: Option<&StateValue>, reason: Option<&str>) -> Self {
        let rings = state == Some(&StateValue::Alarm);
        Self { rings, reason: reason.unwrap_or_default().to_owned() }
    }
}

impl Account {
    /// The alarm of this name; `None` if there is none.
    pub async fn alarm(&self, name: &str) -> Result<Option<AlarmFact>, Error> {
        self.inner.surroundings.alarms.get(name, FRESH).await
    }
}

pub(super) fn batcher(connection: &SharedConnection) -> Batcher<(), String, Option<AlarmFact>> {
    let connection = own(connection);
    Batcher::new(DESCRIBE, move |(), names: Vec<String>| {
        let connection = own(&connection);
        async move {
            let (operation, subject) = (Operation::DescribeAlarms, names.join(","));
            let kinds = vec![AlarmType::MetricAlarm, AlarmType::CompositeAlarm];
            let output = connection
                .ask_typed(operation, &subject, |clients| {
                    let call = clients.cloudwatch.describe_alarms().max_records(100);
                    let call = call.set_alarm_names(Some(names.clone()));
                    call.set_alarm_types(Some(kinds.clone())).send()
                })
                .await?;
            let metric = output.metric_alarms().iter().map(|alarm| {
                (alarm.alarm_name(), AlarmFact::of(alarm.state_value(), alarm.state_reason()))
            });
            let composite = output.composite_alarms().iter().map(|alarm| {
                (alarm.alarm_name(), AlarmFact::of(alarm.state_value(), alarm.state_reason()))
            });
            // An unknown name is simply left out.
            let mut found: HashMap<String, Result<Option<AlarmFact>, Error>> =
                names.into_iter().map(|name| (name, Ok(None))).collect();
            for (name, fact) in metric.chain(composite) {
                if let Some(name) = name {
                    found.insert(name.to_owned(), Ok(Some(fact)));
                }
            }
            Ok(found)
        }
    })
}
