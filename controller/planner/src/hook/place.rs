//! Where the log of a hook's container is: awslogs names its streams after the container and the task.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A log group, and what the names of its streams begin with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LogPlace {
    group: String,
    stream_prefix: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    region: Option<String>,
}

impl LogPlace {
    /// Reads it off a container definition; `None` where the log goes elsewhere or its streams have names nobody can tell.
    pub(super) fn of(container: &Value) -> Option<Self> {
        let log = container.get("logConfiguration")?;
        if log.get("logDriver")?.as_str()? != "awslogs" {
            return None;
        }
        let option = |name: &str| log.get("options")?.get(name)?.as_str().map(str::to_owned);
        Some(Self {
            group: option("awslogs-group")?,
            stream_prefix: option("awslogs-stream-prefix")?,
            region: option("awslogs-region"),
        })
    }

    /// The stream of a container of a task.
    fn stream(&self, container: &str, task: &str) -> String {
        let id = task.rsplit('/').next().unwrap_or(task);
        format!("{}/{container}/{id}", self.stream_prefix)
    }

    /// `log group /shop/web, stream app/app/0123…`.
    pub(super) fn told(&self, container: &str, task: &str) -> String {
        format!("log group {}, stream {}", self.group, self.stream(container, task))
    }

    /// Its address in the console; `None` where the console has another address.
    pub(super) fn address(&self, container: &str, task: &str) -> Option<String> {
        let region = self.region.as_deref()?;
        let is_elsewhere = ["cn-", "us-gov-", "us-iso", "eusc-"];
        if is_elsewhere.iter().any(|partition| region.starts_with(partition)) {
            return None;
        }
        let (group, stream) = (escaped(&self.group), escaped(&self.stream(container, task)));
        Some(format!(
            "https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#logsV2:log-groups/log-group/{group}/log-events/{stream}"
        ))
    }
}

/// The console escapes names twice and writes `$` for the second `%`.
fn escaped(name: &str) -> String {
    let mut text = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "$25{byte:02X}");
        }
    }
    text
}
