//! What the tables of the API say by themselves: limits of numbers and known values of enumerations.

use crds::Scaling;
use crds::ecs::{Kind, Limits, Member, ServiceDefinition, Shape, TaskDefinition};
use serde_json::Value;

use super::finding::{Finding, error, warning};
use super::scaling::SCALING;
use super::subject::{SERVICE, Subject, TASK};
use super::words::{is_open, quoted};

/// Members on which another rule has more to say.
const JUDGED_ELSEWHERE: &[&str] = &[
    "spec.service.launchType",
    "spec.taskDefinition.ephemeralStorage.sizeInGiB",
    "spec.taskDefinition.placementConstraints[].type",
    "spec.service.volumeConfigurations[].managedEBSVolume.sizeInGiB",
];

pub(super) fn check(subject: &Subject<'_>, found: &mut Vec<Finding>) {
    let task = serde_json::to_value(subject.task).unwrap_or_default();
    let service = serde_json::to_value(subject.service).unwrap_or_default();
    walk(TaskDefinition::SHAPE, &task, &mut Place::at(TASK), found);
    walk(ServiceDefinition::SHAPE, &service, &mut Place::at(SERVICE), found);
    if let Some(scaling) = &subject.object.spec.scaling {
        let scaling = serde_json::to_value(scaling).unwrap_or_default();
        walk(Scaling::SHAPE, &scaling, &mut Place::at(SCALING), found);
    }
}

/// Where the walk is: as the file writes it, and with empty brackets as the lists above do.
struct Place {
    written: String,
    pattern: String,
}

impl Place {
    fn at(root: &str) -> Self {
        Self { written: root.to_owned(), pattern: root.to_owned() }
    }

    /// Looks at something one step further down.
    fn below(&mut self, written: &str, pattern: &str, look: impl FnOnce(&mut Self)) {
        let lengths = (self.written.len(), self.pattern.len());
        self.written.push_str(written);
        self.pattern.push_str(pattern);
        look(self);
        self.written.truncate(lengths.0);
        self.pattern.truncate(lengths.1);
    }

    fn is_in(&self, patterns: &[&str]) -> bool {
        patterns.contains(&self.pattern.as_str())
    }
}

fn walk(shape: &Shape, structure: &Value, place: &mut Place, found: &mut Vec<Finding>) {
    for member in shape.members {
        let Some(value) = structure.get(member.name) else { continue };
        let step = format!(".{}", member.name);
        place.below(&step, &step, |place| look(member.kind, member, value, place, found));
    }
}

fn look(kind: Kind, member: &Member, value: &Value, place: &mut Place, found: &mut Vec<Finding>) {
    match kind {
        Kind::Struct(shape) => walk(shape, value, place, found),
        Kind::List { of, .. } => {
            for (index, element) in value.as_array().into_iter().flatten().enumerate() {
                place.below(&format!("[{index}]"), "[]", |place| {
                    look(*of, member, element, place, found);
                });
            }
        }
        Kind::Integer | Kind::Number => {
            if let Some(limits) = member.limits {
                number(limits, value, place, found);
            }
        }
        Kind::Enumeration(known) => known_value(known, value, place, found),
        Kind::String | Kind::Boolean | Kind::Map | Kind::Document => {}
    }
}

fn number(limits: Limits, value: &Value, place: &Place, found: &mut Vec<Finding>) {
    let Some(number) = value.as_f64() else { return };
    let Limits { min, max } = limits;
    if (min..=max).contains(&number) || place.is_in(JUDGED_ELSEWHERE) {
        return;
    }
    let message = format!("`{number}` is not within {min} to {max}");
    let nearest = format!("the nearest is {}", number.clamp(min, max));
    found.push(error(place.written.clone(), message).hint(nearest));
}

/// Enumerations are open, because AWS adds values: an unknown one is only doubtful.
fn known_value(known: &[&str], value: &Value, place: &Place, found: &mut Vec<Finding>) {
    let Some(text) = value.as_str() else { return };
    if known.contains(&text) || is_open(text) || place.is_in(JUDGED_ELSEWHERE) {
        return;
    }
    let hint = match known.iter().find(|known| known.eq_ignore_ascii_case(text)) {
        Some(spelling) => format!("ECS spells it `{spelling}`"),
        None => format!("known are {}", quoted(known)),
    };
    found.push(
        warning(
            place.written.clone(),
            format!("`{text}` is not a value that Longshore knows here"),
        )
        .hint(hint),
    );
}
