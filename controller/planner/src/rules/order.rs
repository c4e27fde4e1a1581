//! What a change waits for (`rollout.dependsOn`, `rollout.windows`), and what keeps a service from being deleted.

use std::collections::BTreeSet;

use crds::ObjectKey;

use super::finding::{Finding, error, warning};
use super::subject::Subject;
use super::words::{each, is_open};
use crate::ownership::{PREFIX, PROTECT};
use crate::waiting::window;

const ROLLOUT: &str = "spec.rollout";
/// As many digests as fit the tag that outlives the spec.
const DEPENDENCIES_MAX: usize = 20;
const WINDOWS_MAX: usize = 50;

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    annotations(subject, found);
    let Some(rollout) = &subject.object.spec.rollout else { return };
    if rollout.depends_on.len() > DEPENDENCIES_MAX {
        let count = rollout.depends_on.len();
        found.push(error(
            format!("{ROLLOUT}.dependsOn"),
            format!("has `{count}` services; there may be {DEPENDENCIES_MAX}"),
        ));
    }
    dependencies(subject, found);
    if rollout.windows.len() > WINDOWS_MAX {
        let count = rollout.windows.len();
        found.push(error(
            format!("{ROLLOUT}.windows"),
            format!("has `{count}` windows; there may be {WINDOWS_MAX}"),
        ));
        return;
    }
    for (at, window) in each(ROLLOUT, "windows", Some(&rollout.windows)) {
        let is_open = is_open(&window.schedule) || window.timezone.as_deref().is_some_and(is_open);
        if is_open {
            continue;
        }
        for fault in window::faults(window) {
            found.push(error(format!("{at}.{}", fault.member), fault.message).hint(fault.hint));
        }
    }
}

fn dependencies(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let object = subject.object;
    let Ok(name) = object.metadata.name.parse() else { return };
    let target = object.spec.target.clone().unwrap_or_default();
    let own = ObjectKey { target, cluster: object.spec.cluster.clone(), name };
    let rollout = object.spec.rollout.as_ref();
    let list = rollout.map(|rollout| rollout.depends_on.as_slice());
    let mut seen = BTreeSet::new();
    for (at, dependency) in each(ROLLOUT, "dependsOn", list) {
        let key = dependency.key(&own);
        if key == own {
            found.push(
                error(at, format!("`{key}` is the service itself"))
                    .hint("name the services that have to be ready before it"),
            );
        } else if !seen.insert(key.clone()) {
            found.push(warning(at, format!("`{key}` is named twice")));
        }
    }
}

fn annotations(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    for (key, value) in &subject.object.metadata.annotations {
        let path = format!("metadata.annotations[{key}]");
        if key == PROTECT {
            if !matches!(value.as_str(), "true" | "false") {
                found.push(
                    error(path, format!("`{value}` is neither `true` nor `false`"))
                        .hint("the nearest is \"true\""),
                );
            }
        } else if key.starts_with(PREFIX) {
            found.push(
                warning(path, format!("`{key}` is no annotation that Longshore knows"))
                    .hint(format!("the only one is {PROTECT}")),
            );
        }
    }
}
