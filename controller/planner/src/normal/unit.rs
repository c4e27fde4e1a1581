//! Texts that differ and mean the same.

use crds::ecs::Unit;
use serde_json::Value;

/// The canonical text of a value in a unit. What cannot be read stays as it is, for ECS to refuse.
pub(super) fn canonical_text(unit: Unit, text: String) -> String {
    match unit {
        Unit::CpuUnits => amount(&text, "vcpu", 1024.0).unwrap_or(text),
        Unit::MemoryMib => amount(&text, "gb", 1024.0).unwrap_or(text),
        Unit::Plain | Unit::RoleName | Unit::ArnOrName | Unit::Namespace => text,
    }
}

/// `"1 vCPU"`, `".5 vcpu"` and `"2GB"` as whole numbers of the small unit (aws.md §4.2).
#[allow(
    clippy::cast_possible_truncation,
    reason = "an amount without a fraction, checked to be far below the precision of f64"
)]
fn amount(text: &str, suffix: &str, factor: f64) -> Option<String> {
    let lower = text.trim().to_ascii_lowercase();
    let small = match lower.strip_suffix(suffix) {
        Some(number) => number.trim().parse::<f64>().ok()? * factor,
        None => lower.parse::<f64>().ok()?,
    };
    let whole = small.fract() == 0.0 && (0.0..1e12).contains(&small);
    whole.then(|| (small as i64).to_string())
}

/// Whether a desired and an observed value of a unit mean the same.
///
/// A name is compared with the end of an ARN, two ARNs as they are. A namespace's ARN ends in an identifier that no name
/// contains; taking them for different would roll the service for ever, so they count as the same.
pub(crate) fn same(unit: Unit, desired: &Value, observed: &Value) -> bool {
    if desired == observed {
        return true;
    }
    let (Value::String(desired), Value::String(observed)) = (desired, observed) else {
        return false;
    };
    let one_is_an_arn = is_arn(desired) != is_arn(observed);
    match unit {
        Unit::RoleName | Unit::ArnOrName => one_is_an_arn && last(desired) == last(observed),
        Unit::Namespace => one_is_an_arn,
        Unit::Plain | Unit::CpuUnits | Unit::MemoryMib => false,
    }
}

fn is_arn(text: &str) -> bool {
    text.starts_with("arn:")
}

/// What follows the last slash.
fn last(text: &str) -> &str {
    text.rsplit('/').next().unwrap_or(text)
}
