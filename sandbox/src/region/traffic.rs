//! Requests to load balancers, and what CloudWatch has of each minute of them (aws.md §6.8, §6.9).
//!
//! A minute is counted when it is over, with the weights and targets of that moment. As at AWS, what did not happen has no
//! data: a target group without requests has no request count, and one without 5xx no count of them.

#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Region;
use crate::{elb::GroupTraffic, json::epoch};

const MINUTE: i64 = 60;
/// How long a target takes to answer, in seconds.
const ANSWER: f64 = 0.05;

impl Region {
    /// When requests are to be counted next, if there are any.
    pub(super) fn next_count(&self) -> Option<Timestamp> {
        let seconds = self.counted.as_second().div_euclid(MINUTE) * MINUTE + MINUTE;
        Timestamp::from_second(seconds).ok().filter(|_| self.elb.has_traffic())
    }

    /// Counts the requests of the minute that ends at `when`, if one does.
    pub(super) fn count_requests(&mut self, when: Timestamp) {
        if self.next_count().is_none_or(|next| next > when) {
            return;
        }
        self.counted = when;
        let shares = self.ecs.failing_requests();
        for traffic in self.elb.traffic() {
            let rows: Vec<Value> = rows(&traffic, |address| {
                f64::from(shares.get(address).copied().unwrap_or_default()) / 100.0
            })
            .into_iter()
            .map(|(name, value)| {
                json!({
                    "MetricName": name, "Value": value, "Dimensions": dimensions(&traffic),
                    "Timestamp": epoch(when - SignedDuration::from_secs(MINUTE)),
                })
            })
            .collect();
            let input = json!({"Namespace": "AWS/ApplicationELB", "MetricData": rows});
            if let Err(error) = self.cloudwatch.call("PutMetricData", &input, when) {
                tracing::warn!(error = error.message, "cannot count requests");
            }
        }
    }

    /// The ARN of a rule of a load balancer's listener, of the default one without a priority; none if there is no such rule.
    pub fn listener_rule_arn(
        &self,
        balancer: &str,
        port: u16,
        priority: Option<u32>,
    ) -> Option<String> {
        self.elb.rule_arn(balancer, port, priority).map(str::to_owned)
    }

    /// Sets the target groups and weights of a rule, as somebody at the console would.
    pub fn set_weights(&mut self, rule: &str, weights: &[(String, u32)]) {
        self.elb.set_weights(rule, weights);
    }

    /// The target groups and weights of a rule, or of a Network Load Balancer's listener; none if there is neither.
    pub fn weights(&self, rule_or_listener: &str) -> Option<Vec<(String, u32)>> {
        self.elb.weights(rule_or_listener)
    }
}

/// What is counted of a target group whose targets fail these shares of their requests. Where no target is healthy the load
/// balancer answers by itself.
fn rows(traffic: &GroupTraffic, fails: impl Fn(&str) -> f64) -> Vec<(&'static str, f64)> {
    let targets = u32::try_from(traffic.healthy.len()).map_or(f64::MAX, f64::from);
    let mut rows = Vec::new();
    if traffic.requests > 0.0 && targets > 0.0 {
        let share: f64 = traffic.healthy.iter().map(|one| fails(one)).sum::<f64>() / targets;
        let failed = (traffic.requests * share).round();
        rows.push(("RequestCount", traffic.requests.round()));
        rows.push(("TargetResponseTime", ANSWER));
        rows.extend((failed > 0.0).then_some(("HTTPCode_Target_5XX_Count", failed)));
    }
    let unhealthy = u32::try_from(traffic.unhealthy).map_or(f64::MAX, f64::from);
    if targets + unhealthy > 0.0 {
        rows.push(("HealthyHostCount", targets));
        rows.push(("UnHealthyHostCount", unhealthy));
    }
    rows
}

fn dimensions(traffic: &GroupTraffic) -> Value {
    let balancer = traffic.balancer.split_once(":loadbalancer/").map_or("", |(_, end)| end);
    let group = traffic.group.rsplit(':').next().unwrap_or_default();
    json!([
        {"Name": "LoadBalancer", "Value": balancer},
        {"Name": "TargetGroup", "Value": group},
    ])
}
