//! Checks of rollouts: what they ask for that this rollout does not have, and secrets that stand in the spec.

use crds::CheckHeader;

use super::deployment::is_rolling;
use super::finding::{Finding, error, warning};
use super::subject::Subject;

/// Headers whose values are secrets.
const SECRET: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "x-api-key"];

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let Some(rollout) = &subject.object.spec.rollout else { return };
    for (index, check) in rollout.checks.iter().enumerate() {
        let at = format!("spec.rollout.checks[{index}]");
        if !check.at.is_empty() && is_rolling(subject) {
            found.push(
                error(format!("{at}.at"), "names stages, and a `ROLLING` deployment has none")
                    .hint("leave it out, or use strategy `BLUE_GREEN`, `LINEAR` or `CANARY`"),
            );
        }
        let asked = [
            ("http", check.http.as_ref().map(|http| &http.headers)),
            ("prometheus", check.prometheus.as_ref().map(|prometheus| &prometheus.headers)),
        ];
        for (provider, headers) in asked {
            let headers = headers.into_iter().flatten().enumerate();
            found.extend(headers.filter_map(|(index, header)| {
                secret(&format!("{at}.{provider}.headers[{index}].value"), header)
            }));
        }
        let rule = check.alb.as_ref();
        let conditions = rule.into_iter().flat_map(|rule| {
            [
                ("fiveXxRate", &rule.five_xx_rate),
                ("latency", &rule.latency),
                ("healthyHosts", &rule.healthy_hosts),
            ]
        });
        for (member, condition) in conditions {
            let names_old = condition.as_ref().is_some_and(|text| text.contains("old"));
            if names_old && is_rolling(subject) {
                found.push(
                    error(
                        format!("{at}.alb.{member}"),
                        "compares with `old`, and a `ROLLING` deployment has one target group for both",
                    )
                    .hint("write a number"),
                );
            }
        }
    }
}

fn secret(path: &str, header: &CheckHeader) -> Option<Finding> {
    let is_secret = SECRET.contains(&header.name.to_lowercase().as_str());
    (is_secret && header.value.is_some()).then(|| {
        warning(path, format!("is the value of `{}`, for everybody to read", header.name))
            .hint("use `credential`, one of the operator's `checks.credentials`")
    })
}
