//! How plans are printed, for people and for programs.

use std::fmt;
use std::process::ExitCode;

use crds::InvalidObject;
use serde_json::{Value, json};

use crate::planned::{PlannedChange, PlannedService};

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

/// Prints JSON for programs, indented for the people who read it all the same.
pub(super) fn json(value: &Value) -> anyhow::Result<()> {
    say!("{}", serde_json::to_string_pretty(value)?);
    Ok(())
}

/// Longer values are cut in text; JSON has them whole.
const VALUE_WIDTH: usize = 100;

/// Everything that `plan` prints.
pub(super) struct Report {
    pub(super) services: Vec<PlannedService>,
    pub(super) invalid: Vec<InvalidObject>,
}

impl Report {
    /// 0: nothing to do, held differences included. 2: something to do. 1: something could not be read or used.
    pub(super) fn exit_code(&self) -> ExitCode {
        let failed =
            !self.invalid.is_empty() || self.services.iter().any(|service| service.error.is_some());
        let differs = self.services.iter().any(PlannedService::is_changing);
        match (failed, differs) {
            (true, _) => ExitCode::FAILURE,
            (false, true) => ExitCode::from(2),
            (false, false) => ExitCode::SUCCESS,
        }
    }

    /// The form that programs read.
    pub(super) fn to_json(&self) -> Value {
        json!({ "services": self.services, "invalid": self.invalid })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for invalid in &self.invalid {
            writeln!(f, "invalid  {invalid}")?;
        }
        let mut unchanged = 0;
        for service in &self.services {
            match &service.error {
                Some(message) => writeln!(f, "error    {}: {message}", service.key)?,
                None if service.is_settled() && service.holds.is_empty() => unchanged += 1,
                None => write_plan(f, service)?,
            }
        }
        let count = |counts: fn(&PlannedService) -> bool| {
            self.services.iter().filter(|it| counts(it)).count()
        };
        let changing = count(PlannedService::is_changing);
        let held = count(|service| !service.holds.is_empty());
        let failed = count(|service| service.error.is_some());
        write!(
            f,
            "{changing} to change, {held} held, {unchanged} unchanged, {} invalid, {failed} unread",
            self.invalid.len()
        )
    }
}

/// What is to be done to one service, and why anything is not.
fn write_plan(f: &mut fmt::Formatter<'_>, service: &PlannedService) -> fmt::Result {
    let word = if service.is_changing() { "change" } else { "held  " };
    writeln!(f, "{word}   {}", service.key)?;
    for hold in &service.holds {
        writeln!(f, "           held: {}: {}", hold.reason, hold.message)?;
    }
    for sentence in &service.not_checked {
        writeln!(f, "           not checked: {sentence}")?;
    }
    let mut told: Vec<&str> = Vec::new();
    for it in &service.references {
        if !told.contains(&it.reference.as_str()) {
            told.push(&it.reference);
            writeln!(f, "           {it}")?;
        }
    }
    for action in service.actions.iter().chain(&service.withheld) {
        writeln!(f, "           {} ({})", action.action, action.reason)?;
        for change in &action.changes {
            writeln!(f, "             {}", Line(change))?;
        }
    }
    Ok(())
}

/// One change on one line: `path: old -> new (effect)`.
struct Line<'a>(&'a PlannedChange);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PlannedChange { path, desired, observed, effect } = self.0;
        let (observed, desired) = (short(observed.as_ref()), short(desired.as_ref()));
        write!(f, "{path}: {observed} -> {desired} ({effect})")
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
