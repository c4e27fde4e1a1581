//! When changes may roll tasks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::HumanDuration;

/// A time that comes again and again, in which changes may roll tasks or may not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Window {
    /// `allow` or `deny`. With any `allow`, changes that roll tasks wait for one of them; `deny` wins over `allow`.
    pub kind: WindowKind,
    /// When it begins, by the wall clock: minute, hour, day of the month, month, day of the week, as in `0 9 * * MON-FRI`.
    pub schedule: String,
    /// How long it lasts, in elapsed time.
    pub duration: HumanDuration,
    /// The time zone of the schedule, by its name in the IANA database. Default `UTC`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
}

/// What holds during a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum WindowKind {
    /// Changes may roll tasks.
    Allow,
    /// They may not.
    Deny,
}
