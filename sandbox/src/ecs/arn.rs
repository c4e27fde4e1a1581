//! The ARNs of ECS, and the names inside them (aws.md §2.1).

use super::Ecs;

impl Ecs {
    pub(super) fn arn(&self, resource: &str) -> String {
        format!("arn:aws:ecs:{}:{}:{resource}", self.region, self.account)
    }

    pub(super) fn cluster_arn(&self, cluster: &str) -> String {
        self.arn(&format!("cluster/{cluster}"))
    }

    pub(super) fn service_arn(&self, cluster: &str, service: &str) -> String {
        self.arn(&format!("service/{cluster}/{service}"))
    }

    pub(super) fn revision_arn(&self, cluster: &str, service: &str, number: u64) -> String {
        self.arn(&format!("service-revision/{cluster}/{service}/{number}"))
    }

    pub(super) fn record_arn(&self, cluster: &str, service: &str, record: &str) -> String {
        self.arn(&format!("service-deployment/{cluster}/{service}/{record}"))
    }

    pub(super) fn task_arn(&self, cluster: &str, task: &str) -> String {
        self.arn(&format!("task/{cluster}/{task}"))
    }
}

/// The part of an ARN after the account; the whole text if it is no ARN.
pub(super) fn resource(text: &str) -> &str {
    if text.starts_with("arn:") { text.splitn(6, ':').nth(5).unwrap_or_default() } else { text }
}

/// The last part of a name or ARN.
pub(super) fn last_part(text: &str) -> &str {
    resource(text).rsplit('/').next().unwrap_or_default()
}

/// The account of an ARN.
pub(super) fn account(text: &str) -> Option<&str> {
    text.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(3))
}

/// `cluster`, `service` and the last part of `kind/cluster/service/last`.
pub(super) fn three_parts<'a>(text: &'a str, kind: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let mut parts = resource(text).split('/');
    match (parts.next(), parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(first), Some(cluster), Some(service), Some(last), None) if first == kind => {
            Some((cluster, service, last))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_arns() {
        let arn = "arn:aws:ecs:eu-west-1:111122223333:service/prod/web";
        assert_eq!(resource(arn), "service/prod/web");
        assert_eq!(last_part(arn), "web");
        assert_eq!(last_part("web"), "web");
        assert_eq!(account(arn), Some("111122223333"));
        let revision = "arn:aws:ecs:eu-west-1:111122223333:service-revision/prod/web/42";
        assert_eq!(three_parts(revision, "service-revision"), Some(("prod", "web", "42")));
        assert_eq!(three_parts(revision, "service-deployment"), None);
    }
}
