//! Where the running service differs from the spec, and what closing the difference does.

mod equal;
mod ignore;
mod named;
mod update;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crds::ecs::{Absent, Effect, Kind, Member, Order, Shape, Unit};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::normal::{Normal, is_empty, present, wire_value};

pub use ignore::apply_ignore;
pub use named::named;
pub use update::{is_updatable, update_input};

/// One difference in a field that the spec owns.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldDrift {
    /// Where: `containerDefinitions[app].image`, `deploymentConfiguration.maximumPercent`.
    pub path: String,
    /// What the spec says; `None` if it says that there is none.
    pub desired: Option<Value>,
    /// What AWS says; `None` if there is none.
    pub observed: Option<Value>,
    /// What closing the difference does to the service.
    pub effect: Effect,
}

/// The differences between two normal forms, in the order of the shape's members, then of keys.
///
/// Paths lead to leaves; an element that one side lacks altogether is one difference. What a silent spec leaves to ECS is
/// no difference. `ignore` holds JSON pointers into the block as the user wrote it (`/containerDefinitions/0/cpu`); in
/// place of an index they may have the element's name (`/containerDefinitions/app/cpu`). A pointer below a list that is
/// compared as a whole ignores that list.
pub fn compare(
    shape: &'static Shape,
    desired: &Normal,
    observed: &Normal,
    ignore: &[String],
) -> Vec<FieldDrift> {
    let ignored = ignore::resolve(shape, desired, ignore);
    let mut comparison = Comparison { path: Vec::new(), ignored, found: Vec::new() };
    let sides = Sides { desired: Some(desired.value()), observed: Some(observed.value()) };
    comparison.structure(shape, sides, Effect::RollsTasks);
    comparison.found
}

/// One step of a path.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Step<'a> {
    /// A member of a structure.
    Member(&'a str),
    /// An element of a keyed list or an entry of a map.
    Key(&'a str),
}

impl<'a> Step<'a> {
    fn name(self) -> &'a str {
        match self {
            Self::Member(name) | Self::Key(name) => name,
        }
    }
}

/// The same place on both sides; nothing and emptiness are both `None`.
#[derive(Debug, Clone, Copy)]
struct Sides<'a> {
    desired: Option<&'a Value>,
    observed: Option<&'a Value>,
}

impl<'a> Sides<'a> {
    fn below(self, name: &str) -> Self {
        Self { desired: present(self.desired, name), observed: present(self.observed, name) }
    }

    /// The names below on either side, sorted.
    fn names(self) -> BTreeSet<&'a String> {
        let names = |side: Option<&'a Value>| side.and_then(Value::as_object).map(Map::keys);
        names(self.desired).into_iter().chain(names(self.observed)).flatten().collect()
    }
}

struct Comparison<'a> {
    path: Vec<Step<'a>>,
    ignored: Vec<Vec<String>>,
    found: Vec<FieldDrift>,
}

impl<'a> Comparison<'a> {
    fn structure(&mut self, shape: &'static Shape, sides: Sides<'a>, effect: Effect) {
        for member in shape.members {
            let below = sides.below(member.name);
            if is_compared(member, sides, below) {
                let effect = effect_of(member, below, effect);
                self.at(Step::Member(member.name), |comparison| {
                    comparison.value(member.kind, member.unit, below, effect);
                });
            }
        }
    }

    fn value(&mut self, kind: Kind, unit: Unit, sides: Sides<'a>, effect: Effect) {
        match kind {
            Kind::Struct(shape) => {
                if sides.desired.is_some() || sides.observed.is_some() {
                    self.structure(shape, sides, effect);
                }
            }
            Kind::List { of, order: Order::KeyedBy(_) } => self.elements(*of, sides, effect),
            Kind::Map => {
                for name in sides.names() {
                    self.at(Step::Key(name), |comparison| {
                        comparison.leaf(Kind::String, Unit::Plain, entry(sides, name), effect);
                    });
                }
            }
            Kind::String
            | Kind::Integer
            | Kind::Number
            | Kind::Boolean
            | Kind::Enumeration(_)
            | Kind::Document
            | Kind::List { order: Order::Significant | Order::Set, .. } => {
                self.leaf(kind, unit, sides, effect);
            }
        }
    }

    fn elements(&mut self, of: Kind, sides: Sides<'a>, effect: Effect) {
        for key in sides.names() {
            let below = sides.below(key);
            self.at(Step::Key(key), |comparison| match below {
                Sides { desired: Some(_), observed: Some(_) } => {
                    comparison.value(of, Unit::Plain, below, effect);
                }
                Sides { desired: None, .. } | Sides { observed: None, .. } => {
                    comparison.leaf(of, Unit::Plain, below, effect);
                }
            });
        }
    }

    fn leaf(&mut self, kind: Kind, unit: Unit, sides: Sides<'a>, effect: Effect) {
        let equal = match (sides.desired, sides.observed) {
            (None, None) => true,
            (Some(desired), Some(observed)) => equal::means_same(kind, unit, desired, observed),
            (Some(_), None) | (None, Some(_)) => false,
        };
        if equal || self.is_ignored(kind) {
            return;
        }
        let on_the_wire = |side: Option<&Value>| side.map(|value| wire_value(kind, value));
        self.found.push(FieldDrift {
            path: render(&self.path),
            desired: on_the_wire(sides.desired),
            observed: on_the_wire(sides.observed),
            effect,
        });
    }

    /// Whether a pointer names this place or one above it, or, for a list that is compared as a whole, one inside it.
    fn is_ignored(&self, kind: Kind) -> bool {
        let whole = matches!(kind, Kind::List { .. } | Kind::Document);
        self.ignored.iter().any(|pointer| {
            let shared = pointer.iter().zip(&self.path).all(|(name, step)| name == step.name());
            shared && (pointer.len() <= self.path.len() || whole)
        })
    }

    fn at(&mut self, step: Step<'a>, act: impl FnOnce(&mut Self)) {
        self.path.push(step);
        act(self);
        self.path.pop();
    }
}

/// Whether a difference in a member would be one that the spec owns and that can be seen.
fn is_compared(member: &Member, around: Sides<'_>, below: Sides<'_>) -> bool {
    let says = below.desired.is_some() || is_explicitly_empty(around.desired, member.name);
    let is_seen = match member.absent {
        Absent::Empty | Absent::Is(_) => true,
        Absent::Server | Absent::Kept => says,
        Absent::InputOnly => below.observed.is_some(),
    };
    let yields =
        member.yields_to.is_some_and(|sibling| present(around.observed, sibling).is_some());
    is_seen && !yields
}

/// The normal form keeps an empty list only where it says more than silence.
fn is_explicitly_empty(object: Option<&Value>, name: &str) -> bool {
    object.and_then(|object| object.get(name)).is_some_and(is_empty)
}

fn effect_of(member: &Member, sides: Sides<'_>, around: Effect) -> Effect {
    let desired = sides.desired.and_then(Value::as_str);
    if member.in_place_to.is_some() && member.in_place_to == desired {
        return Effect::InPlace;
    }
    member.effect.unwrap_or(around)
}

/// An entry of a map, where an empty text is a text.
fn entry<'a>(sides: Sides<'a>, name: &str) -> Sides<'a> {
    let of = |side: Option<&'a Value>| side.and_then(|side| side.get(name));
    Sides { desired: of(sides.desired), observed: of(sides.observed) }
}

fn render(path: &[Step<'_>]) -> String {
    let mut text = String::new();
    for step in path {
        // Writing to a string cannot fail.
        let _ = match step {
            Step::Member(name) if text.is_empty() => write!(text, "{name}"),
            Step::Member(name) => write!(text, ".{name}"),
            Step::Key(key) => write!(text, "[{key}]"),
        };
    }
    text
}

#[cfg(test)]
mod tests;
