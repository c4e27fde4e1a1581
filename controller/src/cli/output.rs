//! How plans are printed, for people and for programs.

use std::fmt;
use std::process::ExitCode;

use crds::{InvalidObject, ObjectKey};
use planner::drift::FieldDrift;
use planner::{Action, Plan};
use serde_json::{Value, json};

/// Prints a line to standard output. A reader that has gone away (`| head`) is no error. Characters that would steer a
/// terminal are shown instead of sent: names and values come from files that anybody may have written.
macro_rules! say {
    ($($argument:tt)*) => {{
        use std::io::Write as _;
        let text = crate::cli::output::visible(&format!($($argument)*));
        let _ = writeln!(std::io::stdout(), "{text}");
    }};
}
pub(super) use say;

/// The text with control and direction characters written out.
pub(super) fn visible(text: &str) -> String {
    let steers = |character: char| {
        character.is_control() && character != '\n' && character != '\t'
            || ('\u{202a}'..='\u{202e}').contains(&character)
            || ('\u{2066}'..='\u{2069}').contains(&character)
    };
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if steers(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Longer values are cut in text; JSON has them whole.
const VALUE_WIDTH: usize = 100;

/// One service's plan, or why there is none.
pub(super) struct PlannedService {
    pub(super) key: ObjectKey,
    pub(super) result: Result<Plan, String>,
}

/// Everything that `plan` prints.
pub(super) struct Report {
    pub(super) services: Vec<PlannedService>,
    pub(super) invalid: Vec<InvalidObject>,
}

impl Report {
    /// 0: nothing to do, held differences included. 2: something to do. 1: something could not be read or used.
    pub(super) fn exit_code(&self) -> ExitCode {
        let failed =
            !self.invalid.is_empty() || self.services.iter().any(|service| service.result.is_err());
        let differs = self
            .services
            .iter()
            .any(|service| service.result.as_ref().is_ok_and(|plan| !plan.actions.is_empty()));
        match (failed, differs) {
            (true, _) => ExitCode::FAILURE,
            (false, true) => ExitCode::from(2),
            (false, false) => ExitCode::SUCCESS,
        }
    }

    /// The form that programs read.
    pub(super) fn to_json(&self) -> Value {
        let services: Vec<Value> = self.services.iter().map(service_json).collect();
        json!({ "services": services, "invalid": self.invalid })
    }
}

fn service_json(service: &PlannedService) -> Value {
    let PlannedService { key, result } = service;
    let mut value = json!({ "target": key.target, "cluster": key.cluster, "name": key.name });
    let Some(members) = value.as_object_mut() else { return value };
    match result {
        Ok(plan) => {
            let holds: Vec<Value> = plan
                .holds
                .iter()
                .map(|hold| json!({ "reason": hold.reason, "message": hold.message }))
                .collect();
            members.insert("actions".into(), plan.actions.iter().map(action_json).collect());
            members.insert("withheld".into(), plan.withheld.iter().map(action_json).collect());
            members.insert("holds".into(), Value::Array(holds));
            members.insert("notChecked".into(), json!(plan.not_checked));
        }
        Err(message) => {
            members.insert("actions".into(), json!([]));
            members.insert("withheld".into(), json!([]));
            members.insert("holds".into(), json!([]));
            members.insert("notChecked".into(), json!([]));
            members.insert("error".into(), json!(message));
        }
    }
    value
}

fn action_json(action: &Action) -> Value {
    let changes: Vec<Value> = action
        .changes()
        .iter()
        .map(|change| {
            json!({
                "path": change.path, "observed": change.observed, "desired": change.desired,
                "effect": change.effect.as_str(),
            })
        })
        .collect();
    json!({ "action": action.operation(), "reason": action.reason(), "changes": changes })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for invalid in &self.invalid {
            writeln!(f, "invalid  {invalid}")?;
        }
        let mut unchanged = 0;
        for PlannedService { key, result } in &self.services {
            match result {
                Err(message) => writeln!(f, "error    {key}: {message}")?,
                Ok(plan) if plan.is_settled() && plan.holds.is_empty() => unchanged += 1,
                Ok(plan) => write_plan(f, key, plan)?,
            }
        }
        let changing = self
            .services
            .iter()
            .filter(|service| service.result.as_ref().is_ok_and(|plan| !plan.actions.is_empty()))
            .count();
        let held = self
            .services
            .iter()
            .filter(|service| service.result.as_ref().is_ok_and(|plan| !plan.holds.is_empty()))
            .count();
        let failed = self.services.iter().filter(|service| service.result.is_err()).count();
        write!(
            f,
            "{changing} to change, {held} held, {unchanged} unchanged, {} invalid, {failed} unread",
            self.invalid.len()
        )
    }
}

fn write_plan(f: &mut fmt::Formatter<'_>, key: &ObjectKey, plan: &Plan) -> fmt::Result {
    let word = if plan.actions.is_empty() { "held  " } else { "change" };
    writeln!(f, "{word}   {key}")?;
    for hold in &plan.holds {
        writeln!(f, "           held: {}: {}", hold.reason, hold.message)?;
    }
    for sentence in &plan.not_checked {
        writeln!(f, "           not checked: {sentence}")?;
    }
    for action in plan.actions.iter().chain(&plan.withheld) {
        writeln!(f, "           {} ({})", action.operation(), action.reason())?;
        for change in action.changes() {
            writeln!(f, "             {}", Line(change))?;
        }
    }
    Ok(())
}

/// One change on one line: `path: old -> new (effect)`.
struct Line<'a>(&'a FieldDrift);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FieldDrift { path, desired, observed, effect } = self.0;
        write!(
            f,
            "{path}: {} -> {} ({})",
            short(observed.as_ref()),
            short(desired.as_ref()),
            effect.as_str()
        )
    }
}

fn short(value: Option<&Value>) -> String {
    let Some(value) = value else { return "(none)".to_owned() };
    let text = value.to_string();
    if text.chars().count() <= VALUE_WIDTH {
        return text;
    }
    let cut: String = text.chars().take(VALUE_WIDTH - 1).collect();
    format!("{cut}…")
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn what_would_steer_a_terminal_is_written_out() {
        assert_eq!(visible("a\u{1b}[31m b\u{202e}\n\tc"), "a\\u{1b}[31m b\\u{202e}\n\tc");
    }
}
