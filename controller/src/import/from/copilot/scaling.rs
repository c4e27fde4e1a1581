//! The scaling of a manifest: a range, and the percentages of CPU and memory that are kept.

use serde_json::Value;

use super::super::super::document::Node;
use super::manifest::Manifest;
use super::number;

/// Fields, the policies that they become, and the metrics of these.
const METRICS: [(&str, &str, &str); 2] = [
    ("count.cpu_percentage", "cpu", "ECSServiceAverageCPUUtilization"),
    ("count.memory_percentage", "memory", "ECSServiceAverageMemoryUtilization"),
];

/// Seconds that Copilot waits after scaling in and out where the manifest does not say.
const COOLDOWN: (i64, i64) = (120, 60);

/// The block, where the manifest has a range and keeps a percentage. What else may move the count is left to be told of.
pub(super) fn scaling(manifest: &mut Manifest<'_>) -> Option<Node> {
    let (min, max) = bounds(manifest.peek("count.range")?)?;
    let policies: Vec<_> = METRICS
        .iter()
        .filter_map(|(field, name, metric)| Some(policy(manifest, field, name, metric)?.into()))
        .collect();
    if policies.is_empty() {
        return None;
    }
    if manifest.peek("count.range").is_some_and(Value::is_object) {
        manifest.take("count.range.min");
        manifest.take("count.range.max");
    } else {
        manifest.take("count.range");
    }
    Some(Node::mapping([
        ("minCapacity", number(min)),
        ("maxCapacity", number(max)),
        ("targetTracking", Node::List(policies)),
    ]))
}

/// `1-10`, or `min` and `max`.
fn bounds(range: &Value) -> Option<(i64, i64)> {
    if let Some(text) = range.as_str() {
        let (min, max) = text.split_once('-')?;
        return Some((min.trim().parse().ok()?, max.trim().parse().ok()?));
    }
    Some((range.get("min")?.as_i64()?, range.get("max")?.as_i64()?))
}

fn policy(manifest: &mut Manifest<'_>, field: &str, name: &str, metric: &str) -> Option<Node> {
    let own = manifest.number(field);
    let value = own.or_else(|| manifest.number(&format!("{field}.value")))?;
    let scale_in = cooldown(manifest, field, "in").unwrap_or(COOLDOWN.0);
    let scale_out = cooldown(manifest, field, "out").unwrap_or(COOLDOWN.1);
    Some(Node::mapping([
        ("name", Node::text(name)),
        ("predefinedMetric", Node::text(metric)),
        ("targetValue", number(value)),
        ("scaleInCooldown", number(scale_in)),
        ("scaleOutCooldown", number(scale_out)),
    ]))
}

/// The metric's own, or the one for all.
fn cooldown(manifest: &mut Manifest<'_>, field: &str, direction: &str) -> Option<i64> {
    let for_all = manifest.seconds(&format!("count.cooldown.{direction}"));
    manifest.seconds(&format!("{field}.cooldown.{direction}")).or(for_all)
}
