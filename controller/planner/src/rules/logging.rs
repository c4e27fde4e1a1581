//! Where output goes (aws.md §4.3).

use std::collections::BTreeMap;

use crds::ecs::logging::{LogConfiguration, LogDriver};

use super::finding::{Finding, error, warning};
use super::subject::{SERVICE, Subject};
use super::words::is_open;

/// What the driver `awslogs` takes.
const AWSLOGS_OPTIONS: &[&str] = &[
    "awslogs-create-group",
    "awslogs-credentials-endpoint",
    "awslogs-datetime-format",
    "awslogs-endpoint",
    "awslogs-force-flush-interval-seconds",
    "awslogs-format",
    "awslogs-group",
    "awslogs-max-buffered-events",
    "awslogs-multiline-pattern",
    "awslogs-region",
    "awslogs-stream",
    "awslogs-stream-prefix",
    "max-buffer-size",
    "mode",
    "tag",
];

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    for (at, container) in &subject.containers {
        if let Some(log) = &container.log_configuration {
            self::log(subject, &format!("{at}.logConfiguration"), log, found);
        }
        router(
            at,
            container.firelens_configuration.as_ref().and_then(|router| router.options.as_ref()),
            found,
        );
    }
    let connect = subject.service.service_connect_configuration.as_ref();
    if let Some(log) = connect.and_then(|connect| connect.log_configuration.as_ref()) {
        self::log(
            subject,
            &format!("{SERVICE}.serviceConnectConfiguration.logConfiguration"),
            log,
            found,
        );
    }
}

fn log(subject: &Subject<'_>, at: &str, log: &LogConfiguration, found: &mut Vec<Finding>) {
    let none = BTreeMap::new();
    let options = log.options.as_ref().unwrap_or(&none);
    let at_options = format!("{at}.options");
    match log.log_driver {
        LogDriver::AwsLogs => awslogs(subject, &at_options, options, found),
        LogDriver::Splunk => splunk(&at_options, log, options, found),
        LogDriver::AwsFirelens => firelens(subject, at, found),
        LogDriver::JsonFile
        | LogDriver::Syslog
        | LogDriver::Journald
        | LogDriver::Gelf
        | LogDriver::Fluentd
        | LogDriver::Other(_) => {}
    }
    delivery(&at_options, options, found);
}

type Options = BTreeMap<String, String>;

fn awslogs(subject: &Subject<'_>, at: &str, options: &Options, found: &mut Vec<Finding>) {
    let is_given = |name: &str| options.get(name).is_some_and(|value| !value.is_empty());
    if !is_given("awslogs-group") {
        found.push(
            error(format!("{at}.awslogs-group"), "is missing, and `awslogs` needs it")
                .hint("name a log group of CloudWatch Logs"),
        );
    }
    if !is_given("awslogs-region") {
        let finding = if subject.is_fargate { error } else { warning };
        found.push(
            finding(format!("{at}.awslogs-region"), "is missing, and `awslogs` needs it")
                .hint("name the region of the log group"),
        );
    }
    if subject.is_fargate && !is_given("awslogs-stream-prefix") {
        found.push(
            error(
                format!("{at}.awslogs-stream-prefix"),
                "is missing, and `awslogs` needs it on Fargate",
            )
            .hint("name what log streams begin with, for instance the service"),
        );
    }
    if is_given("awslogs-datetime-format") && is_given("awslogs-multiline-pattern") {
        found.push(
            error(
                format!("{at}.awslogs-multiline-pattern"),
                "stands beside awslogs-datetime-format",
            )
            .hint("give one of the two"),
        );
    }
    if let Some(create) = options.get("awslogs-create-group")
        && !matches!(create.as_str(), "true" | "false")
        && !is_open(create)
    {
        found.push(
            error(
                format!("{at}.awslogs-create-group"),
                format!("`{create}` is neither `true` nor `false`"),
            )
            .hint("use `true` or leave it out"),
        );
    }
    for name in options.keys().filter(|name| !AWSLOGS_OPTIONS.contains(&name.as_str())) {
        found.push(warning(
            format!("{at}.{name}"),
            format!("`{name}` is not an option of `awslogs` that Longshore knows"),
        ));
    }
}

fn splunk(at: &str, log: &LogConfiguration, options: &Options, found: &mut Vec<Finding>) {
    let secrets = log.secret_options.as_deref().unwrap_or_default();
    for name in ["splunk-token", "splunk-url"] {
        if !options.contains_key(name) && !secrets.iter().any(|secret| secret.name == name) {
            found.push(error(format!("{at}.{name}"), "is missing, and `splunk` needs it"));
        }
    }
    if options.get("splunk-token").is_some_and(|token| !token.is_empty() && !is_open(token)) {
        found.push(
            warning(format!("{at}.splunk-token"), "is a secret in plain text")
                .hint("refer to it under secretOptions"),
        );
    }
}

/// Output that goes to the task's log router needs one.
fn firelens(subject: &Subject<'_>, at: &str, found: &mut Vec<Finding>) {
    if !subject.containers.iter().any(|(_, container)| container.firelens_configuration.is_some()) {
        found.push(
            error(
                format!("{at}.logDriver"),
                "`awsfirelens` needs a log router, and no container of the task is one",
            )
            .hint("add a container with firelensConfiguration"),
        );
    }
}

/// What all drivers take: whether a container waits when its output is not taken, and how much is kept meanwhile.
fn delivery(at: &str, options: &Options, found: &mut Vec<Finding>) {
    if let Some(mode) = options.get("mode")
        && !matches!(mode.as_str(), "blocking" | "non-blocking")
        && !is_open(mode)
    {
        found.push(
            error(format!("{at}.mode"), format!("`{mode}` is not a way to deliver logs"))
                .hint("use `blocking` or `non-blocking`"),
        );
    }
    if let Some(size) = options.get("max-buffer-size")
        && !is_size(size)
        && !is_open(size)
    {
        found.push(
            error(format!("{at}.max-buffer-size"), format!("`{size}` is not an amount of memory"))
                .hint("write it like `10m`"),
        );
    }
}

/// A whole number, possibly with `b`, `k`, `m` or `g` and the `b` of bytes after those.
fn is_size(text: &str) -> bool {
    let lower = text.trim().to_ascii_lowercase();
    let number = lower.strip_suffix('b').unwrap_or(&lower);
    let number = number.strip_suffix(['k', 'm', 'g']).unwrap_or(number).trim_end();
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

fn router(at: &str, options: Option<&Options>, found: &mut Vec<Finding>) {
    let Some(options) = options else { return };
    let at = format!("{at}.firelensConfiguration.options");
    match options.get("config-file-type").map(String::as_str) {
        Some("file" | "s3") if !options.contains_key("config-file-value") => {
            found.push(error(
                format!("{at}.config-file-value"),
                "is missing beside config-file-type",
            ));
        }
        Some(kind) if !matches!(kind, "file" | "s3") && !is_open(kind) => found.push(
            error(
                format!("{at}.config-file-type"),
                format!("`{kind}` is not a place for a configuration"),
            )
            .hint("use `file` or `s3`"),
        ),
        Some(_) | None => {}
    }
}
