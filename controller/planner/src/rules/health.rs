//! Commands that tell whether a container works (aws.md §4.3). Their numbers are in the tables.

use super::finding::{Finding, error, warning};
use super::subject::Subject;

/// The words with which a command says how it is run.
const EXEC: &str = "CMD";
const SHELL: &str = "CMD-SHELL";

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    for (at, container) in &subject.containers {
        if let Some(check) = &container.health_check {
            command(format!("{at}.healthCheck.command"), &check.command, found);
        }
    }
}

fn command(path: String, command: &[String], found: &mut Vec<Finding>) {
    match command {
        [] => found.push(
            error(path, "is empty, and a health check needs a command")
                .hint("for instance `[CMD-SHELL, \"curl -f http://localhost/ || exit 1\"]`"),
        ),
        [word] if word == EXEC || word == SHELL => {
            found.push(error(path, format!("has nothing to run after `{word}`")));
        }
        [word, _, _, ..] if word == SHELL => found.push(
            warning(
                path,
                format!(
                    "has more than one text after `{SHELL}`, and the shell runs only the first"
                ),
            )
            .hint("write one line"),
        ),
        [word, ..] if word == EXEC || word == SHELL => {}
        [word, ..] if word.eq_ignore_ascii_case(EXEC) || word.eq_ignore_ascii_case(SHELL) => {
            found.push(
                error(path, format!("begins with `{word}`, which is run as a program"))
                    .hint(format!("write `{}`", word.to_ascii_uppercase())),
            );
        }
        [word, ..] if word.trim().contains(char::is_whitespace) => found.push(
            warning(path, format!("begins with `{word}`, which is run as a program of that name"))
                .hint(format!("put `{SHELL}` before it")),
        ),
        _ => {}
    }
}
