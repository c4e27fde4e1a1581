//! One change of a spec, and what the plan has to say of it.

use std::collections::BTreeSet;

use crds::ecs::{
    Absent, Effect, Kind, Member, Order, ServiceDefinition, Shape, TaskDefinition, Unit,
};
use fastrand::Rng;
use planner::Plan;
use serde_json::{Value, json};

use crate::generate;
use crate::paths::{below, default, is_one_value, key};

/// Members whose value others hang on: changing them alone makes a spec that ECS refuses, or moves more than themselves.
const ENTANGLED: &[&str] = &[
    "family",
    "networkMode",
    "requiresCompatibilities",
    "cpu",
    "memory",
    "memoryReservation",
    "name",
    "containerName",
    "containerPort",
    "containerPortRange",
    "hostPort",
    "essential",
    "condition",
    "sourceVolume",
    "subnets",
    "schedulingStrategy",
    "capacityProviderStrategy",
    "loadBalancers",
    "deploymentController",
    "tags",
    "role",
    "maximumPercent",
    "strategy",
    "canaryConfiguration",
    "linearConfiguration",
    "lifecycleHooks",
    "field",
    "containerDefinitions",
    "launchType",
    "dependsOn",
    "logDriver",
    "command",
    "startTimeout",
    "stopTimeout",
    "platformVersion",
    "discoveryName",
];

/// What the plan should say.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expected {
    /// Nothing: ECS decides, or the old and the new value mean the same.
    Nothing,
    /// Differences at this path or below it and nowhere else, with this effect.
    At { path: String, effect: Effect },
}

/// One change of a spec.
#[derive(Debug)]
pub(crate) struct Change {
    /// The spec after it.
    pub(crate) spec: Value,
    /// What was done, for people.
    #[allow(dead_code, reason = "printed with the rest when a case fails")]
    what: String,
    pub(crate) expected: Expected,
}

/// A member of the spec that can be changed by itself.
struct Place {
    /// The structure that holds it, as a JSON pointer.
    pointer: String,
    /// Its path as plans print it.
    path: String,
    effect: Effect,
    member: &'static Member,
}

impl Change {
    /// Any change of any member that is not entangled with others; `None` if the spec has none.
    pub(crate) fn any(spec: &Value, random: &mut Rng) -> Option<Self> {
        let mut places = Vec::new();
        for (block, shape) in
            [("taskDefinition", TaskDefinition::SHAPE), ("service", ServiceDefinition::SHAPE)]
        {
            let pointer = format!("/spec/{block}");
            let value = spec.pointer(&pointer).unwrap();
            collect(
                shape,
                value,
                &At { pointer, path: block.to_owned(), effect: Effect::RollsTasks },
                &mut places,
            );
        }
        for _ in 0..20 {
            let place = places.get(random.usize(..places.len()))?;
            if let Some(change) = place.change(spec, random) {
                return Some(change);
            }
        }
        None
    }

    /// What every change brings along: the new revision and our tags.
    fn is_beside(path: &str) -> bool {
        path == "service.taskDefinition" || path.starts_with("service.tags[")
    }

    /// The plan says what is expected of it, and nothing else.
    pub(crate) fn assert_named(&self, plan: &Plan) {
        let named: Vec<(&str, Effect)> = plan
            .actions
            .iter()
            .chain(&plan.withheld)
            .flat_map(planner::Action::changes)
            .filter(|change| !Self::is_beside(&change.path))
            .map(|change| (change.path.as_str(), change.effect))
            .collect();
        match &self.expected {
            Expected::Nothing => assert!(named.is_empty(), "{named:?}\n{self:#?}"),
            Expected::At { path, effect } => {
                let held = plan.holds.iter().any(|hold| hold.message.contains(path.as_str()));
                assert!(!named.is_empty() || held, "not named: {self:#?}\n{plan:#?}");
                for (found, with) in &named {
                    let rest = found.strip_prefix(path.as_str());
                    let is_there =
                        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
                    assert!(is_there, "{found} is named as well: {self:#?}");
                    assert_eq!(with, effect, "{found}: {self:#?}");
                }
            }
        }
    }
}

/// Where a walk is.
struct At {
    pointer: String,
    path: String,
    effect: Effect,
}

impl At {
    fn member(&self, member: &Member) -> Self {
        Self {
            pointer: format!("{}/{}", self.pointer, member.name),
            path: below(&self.path, member.name),
            effect: member.effect.unwrap_or(self.effect),
        }
    }
}

/// Every member below a structure that can be changed by itself.
fn collect(shape: &'static Shape, value: &Value, at: &At, places: &mut Vec<Place>) {
    let is_connect = shape.name == "ServiceConnectConfiguration";
    let is_off = is_connect && value.get("enabled") == Some(&json!(false));
    for member in shape.members {
        if is_off || (is_connect && member.name == "enabled") {
            continue;
        }
        if ENTANGLED.contains(&member.name) && !descends(member) {
            continue;
        }
        let here = at.member(member);
        let found = value.get(member.name).filter(|value| !value.is_null());
        if !ENTANGLED.contains(&member.name) {
            places.push(Place {
                pointer: at.pointer.clone(),
                path: here.path.clone(),
                effect: here.effect,
                member,
            });
        }
        // A structure of which nothing is given comes and goes as a whole.
        let Some(found) = found.filter(|found| !is_hollow(found)) else { continue };
        match member.kind {
            Kind::Struct(inner) => collect(inner, found, &here, places),
            Kind::List { of: Kind::Struct(inner), order: Order::KeyedBy(names) } => {
                for (index, element) in found.as_array().into_iter().flatten().enumerate() {
                    let key = key(inner, names, element);
                    let element_at = At {
                        pointer: format!("{}/{index}", here.pointer),
                        path: format!("{}[{key}]", here.path),
                        effect: here.effect,
                    };
                    let mut inside = Vec::new();
                    collect(inner, element, &element_at, &mut inside);
                    inside.retain(|place| {
                        !(names.contains(&place.member.name) && place.pointer == element_at.pointer)
                    });
                    places.append(&mut inside);
                }
            }
            Kind::String
            | Kind::Integer
            | Kind::Number
            | Kind::Boolean
            | Kind::Enumeration(_)
            | Kind::Map
            | Kind::Document
            | Kind::List { .. } => {}
        }
    }
}

fn is_daemon(spec: &Value) -> bool {
    spec.pointer("/spec/service/schedulingStrategy").and_then(Value::as_str) == Some("DAEMON")
}

/// Entangled as a whole, but not in everything below.
fn descends(member: &Member) -> bool {
    member.name == "containerDefinitions"
}

impl Place {
    /// The member set to another value, taken out or brought in; `None` where none of these is a change by itself.
    fn change(&self, spec: &Value, random: &mut Rng) -> Option<Change> {
        // Which have defaults of their own, see the golden tests of the normal form.
        if is_daemon(spec)
            && ["maximumPercent", "minimumHealthyPercent"].contains(&self.member.name)
        {
            return None;
        }
        let old =
            spec.pointer(&self.pointer)?.get(self.member.name).filter(|value| !is_nothing(value));
        match (old, random.u8(0..3)) {
            (Some(_), 0) => self.taken_out(spec, old?),
            (Some(old), _) => self.set_otherwise(spec, old, random),
            (None, _) => self.brought_in(spec, random),
        }
    }

    fn taken_out(&self, spec: &Value, old: &Value) -> Option<Change> {
        if self.member.required {
            return None;
        }
        let mut changed = spec.clone();
        let members = changed.pointer_mut(&self.pointer)?.as_object_mut()?;
        members.remove(self.member.name);
        if members.values().all(is_nothing) {
            // The structure around it would go as well, with the defaults of its other members.
            return None;
        }
        let expected = match self.member.absent {
            Absent::Server | Absent::Kept => Expected::Nothing,
            // Where Service Connect is off nothing else of it counts.
            _ if self.member.name == "serviceConnectConfiguration" && old["enabled"] == false => {
                Expected::Nothing
            }
            Absent::Is(_) if default(self.member).is_some_and(|default| is_same(&default, old)) => {
                Expected::Nothing
            }
            // Defaults or not: with it the volume is Docker's, without it a bind mount.
            _ if self.member.name == "dockerVolumeConfiguration" && !is_hollow(old) => self.here(),
            // What a structure of nothing but defaults and choices of ECS says is said by its absence too.
            Absent::Empty | Absent::Is(_) | Absent::InputOnly
                if says_nothing_new(self.member.kind, old) =>
            {
                Expected::Nothing
            }
            Absent::Empty | Absent::Is(_) | Absent::InputOnly => self.here(),
        };
        Some(Change {
            spec: changed,
            what: format!("{} taken out, was {old}", self.path),
            expected,
        })
    }

    fn set_otherwise(&self, spec: &Value, old: &Value, random: &mut Rng) -> Option<Change> {
        let new = (0..10).map(|_| generate::value(self.member, 0.0, random)).find(|new| {
            is_one_value(self.member.kind)
                && !is_nothing(new)
                && !is_same(new, old)
                && !is_same_role(new, old)
        })?;
        let change = self.set(spec, new)?;
        match self.member.unit {
            // AWS answers an ARN that does not contain the name: the two cannot be compared.
            Unit::Namespace => Some(Change { expected: Expected::Nothing, ..change }),
            Unit::Plain | Unit::CpuUnits | Unit::MemoryMib | Unit::RoleName | Unit::ArnOrName => {
                Some(change)
            }
        }
    }

    fn brought_in(&self, spec: &Value, random: &mut Rng) -> Option<Change> {
        let new = generate::value(self.member, 0.0, random);
        let is_news = is_one_value(self.member.kind)
            && !is_nothing(&new)
            && !default(self.member).is_some_and(|default| is_same(&default, &new));
        // What ECS chose is not known here, so neither is whether it differs.
        let is_known = matches!(self.member.absent, Absent::Empty | Absent::Is(_));
        if is_news && is_known { self.set(spec, new) } else { None }
    }

    fn set(&self, spec: &Value, new: Value) -> Option<Change> {
        let mut changed = spec.clone();
        let what = format!("{} set to {new}", self.path);
        changed
            .pointer_mut(&self.pointer)?
            .as_object_mut()?
            .insert(self.member.name.to_owned(), new);
        Some(Change { spec: changed, what, expected: self.here() })
    }

    fn here(&self) -> Expected {
        Expected::At { path: self.path.clone(), effect: self.effect }
    }
}

/// `null`, `[]` and `{}`.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(elements) => elements.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Nothing, or a structure or list of nothing but that.
fn is_hollow(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.values().all(is_hollow),
        Value::Array(elements) => elements.iter().all(is_hollow),
        Value::Null => true,
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Equal, where 5 and 5.0 are, and lists of the same texts.
fn is_same(one: &Value, other: &Value) -> bool {
    let texts = |value: &Value| -> Option<BTreeSet<String>> {
        Some(value.as_array()?.iter().map(ToString::to_string).collect())
    };
    one == other
        || one.as_f64().is_some() && one.as_f64() == other.as_f64()
        || texts(one).is_some() && texts(one) == texts(other)
}

/// A role's name and an ARN that ends in it.
fn is_same_role(one: &Value, other: &Value) -> bool {
    let last =
        |value: &Value| value.as_str().and_then(|text| text.rsplit('/').next()).map(str::to_owned);
    let is_arn = |value: &Value| value.as_str().is_some_and(|text| text.starts_with("arn:"));
    is_arn(one) != is_arn(other) && last(one) == last(other)
}

/// Nothing but emptiness, defaults, and what ECS decides where a spec is silent.
fn says_nothing_new(kind: Kind, value: &Value) -> bool {
    if is_hollow(value) {
        return true;
    }
    let Kind::Struct(shape) = kind else { return false };
    shape.members.iter().all(|member| {
        let Some(found) = value.get(member.name).filter(|value| !value.is_null()) else {
            return true;
        };
        match member.absent {
            Absent::Server | Absent::Kept => true,
            Absent::Empty | Absent::Is(_) | Absent::InputOnly => {
                default(member).is_some_and(|default| is_same(&default, found))
                    || says_nothing_new(member.kind, found)
            }
        }
    })
}
