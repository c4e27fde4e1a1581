//! Values that ECS will probably refuse.
//!
//! Types are checked when a spec is read. Limits and known values are not: AWS widens them, and a spec that uses what it
//! learned yesterday should not have to wait for a release. They are doubts, for a person to see.

use std::fmt;

use serde_json::Value;

use super::shape::{Kind, Limits, Member, Shape};

/// A value that ECS will probably refuse, and where it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Doubt {
    /// The JSON pointer of the value.
    pub pointer: String,
    /// The value.
    pub value: Value,
    /// What is doubtful.
    pub why: Doubtful,
}

/// What is doubtful about a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Doubtful {
    /// It is none of these.
    NotOneOf(&'static [&'static str]),
    /// It is not between these.
    OutOf(Limits),
}

impl fmt::Display for Doubt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pointer, value, why } = self;
        match why {
            Doubtful::NotOneOf(known) => {
                write!(
                    formatter,
                    "`{pointer}` is {value}, ECS is known to take {}",
                    known.join(", ")
                )
            }
            Doubtful::OutOf(Limits { min, max }) => {
                write!(formatter, "`{pointer}` is {value}, ECS is known to take {min} to {max}")
            }
        }
    }
}

/// All doubtful values of a block, in the order of its shape's members.
pub fn doubts(shape: &Shape, block: &Value) -> Vec<Doubt> {
    let mut found = Vec::new();
    structure(shape, block, "", &mut found);
    found
}

fn structure(shape: &Shape, value: &Value, pointer: &str, found: &mut Vec<Doubt>) {
    for member in shape.members {
        if let Some(below) = value.get(member.name) {
            let pointer = format!("{pointer}/{}", member.name);
            if let Some(limits) = limits_broken(member, below) {
                let why = Doubtful::OutOf(limits);
                found.push(Doubt { pointer, value: below.clone(), why });
            } else {
                inside(member.kind, below, &pointer, found);
            }
        }
    }
}

fn limits_broken(member: &Member, value: &Value) -> Option<Limits> {
    let (limits, number) = (member.limits?, value.as_f64()?);
    (number < limits.min || number > limits.max).then_some(limits)
}

fn inside(kind: Kind, value: &Value, pointer: &str, found: &mut Vec<Doubt>) {
    match kind {
        Kind::Enumeration(known) => {
            if value.as_str().is_some_and(|text| !known.contains(&text)) {
                let why = Doubtful::NotOneOf(known);
                found.push(Doubt { pointer: pointer.to_owned(), value: value.clone(), why });
            }
        }
        Kind::Struct(shape) => structure(shape, value, pointer, found),
        Kind::List { of, .. } => {
            for (index, element) in value.as_array().into_iter().flatten().enumerate() {
                inside(*of, element, &format!("{pointer}/{index}"), found);
            }
        }
        Kind::String
        | Kind::Integer
        | Kind::Number
        | Kind::Boolean
        | Kind::Map
        | Kind::Document => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{ServiceDefinition, TaskDefinition};
    use super::*;

    fn texts(shape: &Shape, block: &Value) -> Vec<String> {
        doubts(shape, block).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn unknown_values_and_broken_limits_are_named_with_what_is_known() {
        let block = json!({
            "networkMode": "quantum",
            "requiresCompatibilities": ["FARGATE", "MOON"],
            "ephemeralStorage": {"sizeInGiB": 20},
            "containerDefinitions": [
                {"name": "a", "portMappings": [{"containerPort": 65536, "protocol": "udp"}]},
                {"name": "b", "healthCheck": {"interval": 4.0}},
            ],
        });
        assert_eq!(
            texts(TaskDefinition::SHAPE, &block),
            [
                "`/networkMode` is \"quantum\", ECS is known to take bridge, host, awsvpc, none",
                "`/containerDefinitions/0/portMappings/0/containerPort` is 65536, ECS is known to take 0 to 65535",
                "`/containerDefinitions/1/healthCheck/interval` is 4.0, ECS is known to take 5 to 300",
                "`/requiresCompatibilities/1` is \"MOON\", ECS is known to take EC2, FARGATE, EXTERNAL, MANAGED_INSTANCES",
                "`/ephemeralStorage/sizeInGiB` is 20, ECS is known to take 21 to 200",
            ]
        );
    }

    #[test]
    fn the_ends_of_a_range_are_inside_it() {
        let block = json!({
            "desiredCount": 5000,
            "deploymentConfiguration": {"maximumPercent": 100, "minimumHealthyPercent": 0,
                                        "canaryConfiguration": {"canaryPercent": 0.1}},
        });
        assert_eq!(texts(ServiceDefinition::SHAPE, &block), Vec::<String>::new());
        assert_eq!(
            texts(ServiceDefinition::SHAPE, &json!({"desiredCount": 5001})),
            ["`/desiredCount` is 5001, ECS is known to take 0 to 5000"]
        );
    }
}
