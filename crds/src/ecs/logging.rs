//! Where output goes.

use std::collections::BTreeMap;

use super::environment::Secret;
use super::table::{enumerations, shapes};

shapes! {
    /// Where a container's output goes.
    pub struct LogConfiguration {
        /// The driver. Fargate takes `awslogs`, `splunk` and `awsfirelens`.
        log_driver as "logDriver": LogDriver;
        /// The driver's options; `awslogs` needs `awslogs-group`, `awslogs-region` and, on Fargate,
        /// `awslogs-stream-prefix`.
        options as "options": Option<BTreeMap<String, String>>;
        /// Options whose values ECS reads from SSM or Secrets Manager.
        secret_options as "secretOptions": Option<Vec<Secret>> => keyed_by(&["name"]);
    }

    /// A container that routes the logs of its task.
    pub struct FirelensConfiguration {
        /// Which router the image is.
        r#type as "type": FirelensConfigurationType;
        /// Options: `enable-ecs-log-metadata`, `config-file-type` (`file` only on Fargate), `config-file-value`.
        options as "options": Option<BTreeMap<String, String>>;
    }
}

enumerations! {
    /// A log driver.
    pub enum LogDriver {
        JsonFile = "json-file",
        Syslog = "syslog",
        Journald = "journald",
        Gelf = "gelf",
        Fluentd = "fluentd",
        AwsLogs = "awslogs",
        Splunk = "splunk",
        AwsFirelens = "awsfirelens",
    }

    /// A log router.
    pub enum FirelensConfigurationType { Fluentd = "fluentd", Fluentbit = "fluentbit" }
}
