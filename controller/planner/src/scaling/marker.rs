//! The service's tag that says whether its scaling is ours, and which bounds of the spec were registered last.
//!
//! A tag of the service costs no call: DescribeServices brings it. Its value is `2-10`, the last registered `minCapacity` and
//! `maxCapacity`; ` changing` follows while calls are on their way, and stands alone before the first registration. By the
//! bounds a changed spec is told from bounds that a scheduled action moved; by ` changing` an interrupted change is told from
//! drift.

use serde_json::Value;

use super::DesiredScaling;
use crate::ownership::Tags;

/// The tag's key.
pub const SCALING: &str = "longshore.dev/scaling";

const CHANGING: &str = "changing";

/// What the tag says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// The spec's bounds that were registered last; `None` before the first time.
    pub bounds: Option<String>,
    /// Whether calls are on their way.
    pub is_changing: bool,
}

impl Marker {
    /// Reads the tag; `None` if the service does not carry it.
    pub fn of(tags: &Tags) -> Option<Self> {
        let value = tags.get(SCALING)?;
        let mut words = value.split(' ').filter(|word| !word.is_empty());
        let first = words.next().filter(|word| *word != CHANGING);
        let is_changing = value.ends_with(CHANGING);
        Some(Self { bounds: first.map(str::to_owned), is_changing })
    }

    /// Everything that was wanted is in force.
    pub(super) fn settled(scaling: &DesiredScaling) -> Self {
        Self { bounds: Some(bounds(scaling)), is_changing: false }
    }

    /// Calls are on their way; the bounds are the old ones.
    pub(super) fn changing(before: Option<Self>) -> Self {
        Self { bounds: before.and_then(|before| before.bounds), is_changing: true }
    }

    /// Whether the spec's bounds are others than those that were registered last. A service that was never ours has none.
    pub(super) fn has_other_bounds(&self, scaling: &DesiredScaling) -> bool {
        self.bounds.as_ref() != Some(&bounds(scaling))
    }

    /// The tag's value.
    pub fn value(&self) -> String {
        match (&self.bounds, self.is_changing) {
            (Some(bounds), false) => bounds.clone(),
            (Some(bounds), true) => format!("{bounds} {CHANGING}"),
            (None, _) => CHANGING.to_owned(),
        }
    }
}

fn bounds(scaling: &DesiredScaling) -> String {
    let bound = |name: &str| scaling.block.get(name).and_then(Value::as_i64).unwrap_or_default();
    format!("{}-{}", bound("minCapacity"), bound("maxCapacity"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_is_read_as_it_was_written() {
        for (bounds, is_changing) in
            [(Some("2-10".to_owned()), false), (Some("2-10".to_owned()), true), (None, true)]
        {
            let marker = Marker { bounds, is_changing };
            let tags = Tags::from([(SCALING.to_owned(), marker.value())]);
            assert_eq!(Marker::of(&tags), Some(marker));
        }
        assert_eq!(Marker::of(&Tags::new()), None);
    }
}
