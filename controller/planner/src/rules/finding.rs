//! What a rule says about a spec.

use crds::shown;
use serde::Serialize;

/// Whether a finding stands in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// ECS would refuse the spec, or its rollout could not end well.
    Error,
    /// It may work; somebody should look at it.
    Warning,
}

/// One thing wrong or doubtful in a spec.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The member as the file writes it: `spec.taskDefinition.containerDefinitions[0].portMappings[1].hostPort`.
    pub path: String,
    /// The value and the rule it breaks.
    pub message: String,
    /// The nearest right value, or where to find one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Whether it stands in the way.
    pub severity: Severity,
}

impl Finding {
    /// The same with advice.
    pub(super) fn hint(mut self, hint: impl AsRef<str>) -> Self {
        self.hint = Some(shown(hint.as_ref()));
        self
    }

    fn new(path: String, message: &str, severity: Severity) -> Self {
        Self { path, message: shown(message), hint: None, severity }
    }
}

/// A finding that stands in the way.
pub(super) fn error(path: impl Into<String>, message: impl AsRef<str>) -> Finding {
    Finding::new(path.into(), message.as_ref(), Severity::Error)
}

/// A finding that somebody should look at.
pub(super) fn warning(path: impl Into<String>, message: impl AsRef<str>) -> Finding {
    Finding::new(path.into(), message.as_ref(), Severity::Warning)
}
