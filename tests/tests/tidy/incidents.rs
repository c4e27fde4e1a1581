//! The page about incidents names tests that exist, and every test that was written for it.

use std::collections::BTreeMap;

use super::{files, root, text};

/// What stands before names whose tests are about to come.
const AWAITED: &str = "TODO(";

/// Every test, with the places of the files that have one of this name.
fn tests() -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for folder in ["crds", "controller", "sandbox", "tests"] {
        for file in files(folder, &["rs"]) {
            let place = file.strip_prefix(root()).unwrap().display().to_string();
            let text = std::fs::read_to_string(&file).unwrap();
            for name in tests_of(&text) {
                found.entry(name).or_default().push(place.clone());
            }
        }
    }
    found
}

/// The functions that follow an attribute which makes them tests.
fn tests_of(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if let Some((_, rest)) = line.split_once("fn ") {
            let name = rest.split(['(', '<']).next().unwrap_or_default();
            if std::mem::take(&mut is_test) {
                names.push(name.to_owned());
            }
        }
    }
    names
}

/// What stands in back-quotes.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// The files that have a test of this name, which may say in which room it stands: `crashes::a_first_rollout`.
fn places<'t>(tests: &'t BTreeMap<String, Vec<String>>, name: &str) -> Vec<&'t str> {
    let (room, name) = name.rsplit_once("::").unwrap_or(("", name));
    let places = tests.get(name).map(Vec::as_slice).unwrap_or_default().iter().map(String::as_str);
    places
        .filter(|place| room.is_empty() || place.split(['/', '.']).any(|step| step == room))
        .collect()
}

#[test]
fn every_incident_has_a_test_that_exists() {
    let (page, tests) = (text("docs/incidents.md"), tests());
    let mut wrong = Vec::new();
    let mut incidents = 0;
    for row in page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| ---")) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [incident, why, cell] = cells.as_slice() else { continue };
        if *incident == "incident" {
            continue;
        }
        incidents += 1;
        assert!(!why.is_empty(), "{incident}: it is not said why");
        let (there, awaited) = match cell.split_once(AWAITED) {
            Some((there, awaited)) => (quoted(there), quoted(awaited)),
            None => (quoted(cell), Vec::new()),
        };
        if there.is_empty() && awaited.is_empty() {
            wrong.push(format!("{incident}: no test is named"));
        }
        for name in there {
            match places(&tests, name).as_slice() {
                [] => wrong.push(format!("{incident}: there is no test {name}")),
                [_] => {}
                several => wrong.push(format!("{name} stands in {several:?}: say `file::{name}`")),
            }
        }
        for name in awaited.iter().filter(|name| !places(&tests, name).is_empty()) {
            wrong.push(format!("{incident}: {name} has come; take the mark before it away"));
        }
    }
    assert_eq!(wrong, [""; 0]);
    assert!(incidents > 60, "{incidents} rows: the page is not read as it is written");
}

#[test]
fn every_lesson_is_on_the_page() {
    let page = text("docs/incidents.md");
    for file in files("tests/tests/stories/lessons", &["rs"]) {
        for name in tests_of(&std::fs::read_to_string(&file).unwrap()) {
            assert!(page.contains(&format!("`{name}`")), "{name} is not in docs/incidents.md");
        }
    }
}
