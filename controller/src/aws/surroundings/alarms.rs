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

impl Account {
    /// Whether the alarm is in ALARM; `None` if there is none of this name.
    pub async fn alarm_rings(&self, name: &str) -> Result<Option<bool>, Error> {
        self.inner.surroundings.alarms.get(name, FRESH).await
    }
}

pub(super) fn batcher(connection: &SharedConnection) -> Batcher<(), String, Option<bool>> {
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
            let rings = |state: Option<&StateValue>| state == Some(&StateValue::Alarm);
            let metric = output.metric_alarms().iter();
            let metric = metric.map(|alarm| (alarm.alarm_name(), rings(alarm.state_value())));
            let composite = output.composite_alarms().iter();
            let composite = composite.map(|alarm| (alarm.alarm_name(), rings(alarm.state_value())));
            // An unknown name is simply left out.
            let mut found: HashMap<String, Result<Option<bool>, Error>> =
                names.into_iter().map(|name| (name, Ok(None))).collect();
            for (name, rings) in metric.chain(composite) {
                if let Some(name) = name {
                    found.insert(name.to_owned(), Ok(Some(rings)));
                }
            }
            Ok(found)
        }
    })
}
