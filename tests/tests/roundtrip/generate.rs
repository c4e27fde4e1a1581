//! Any JSON that a table allows: every member of every structure, its extremes, its odd spellings.

use crds::ecs::{Kind, Limits, Member, Order, Shape, Unit};
use fastrand::Rng;
use serde_json::{Map, Value, json};

/// The members that are told apart, `names` of a keyed list.
pub(crate) type Names = &'static [&'static str];

/// A structure in which each member that may be left out is there with this probability.
pub(crate) fn structure(shape: &'static Shape, density: f64, random: &mut Rng) -> Value {
    let mut members = Map::new();
    for member in shape.members {
        if member.required || random.f64() < density {
            members.insert(member.name.to_owned(), value(member, density, random));
        } else if random.f64() < 0.02 {
            members.insert(member.name.to_owned(), Value::Null);
        }
    }
    Value::Object(members)
}

/// A value that a member may have.
pub(crate) fn value(member: &Member, density: f64, random: &mut Rng) -> Value {
    match (member.kind, member.limits) {
        (Kind::Integer, Some(limits)) => whole(limits, random),
        (Kind::Number, Some(limits)) => tenths(limits, random),
        (kind, _) => of_kind(kind, member.unit, density, random),
    }
}

fn of_kind(kind: Kind, unit: Unit, density: f64, random: &mut Rng) -> Value {
    match kind {
        Kind::String => json!(text(unit, random)),
        Kind::Integer => json!(random.i32(0..200)),
        Kind::Number => json!(f64::from(random.i32(0..100)) / 10.0),
        Kind::Boolean => json!(random.bool()),
        Kind::Enumeration(known) => json!(known[random.usize(..known.len())]),
        Kind::Struct(shape) => structure(shape, density, random),
        Kind::Document => json!({"any": [1, null, {}], "n": random.i32(0..9)}),
        Kind::Map => {
            let entries = (0..random.usize(0..3)).map(|_| (word(random), json!(word(random))));
            Value::Object(entries.collect())
        }
        Kind::List { of, order } => {
            let count = random.usize(0..4);
            let elements = (0..count).map(|_| of_kind(*of, Unit::Plain, density, random)).collect();
            match order {
                Order::KeyedBy(names) => distinct(names, elements),
                Order::Significant | Order::Set => Value::Array(elements),
            }
        }
    }
}

/// The elements without those that could not be told from one before.
fn distinct(names: Names, elements: Vec<Value>) -> Value {
    let mut seen = Vec::new();
    let fresh = |element: &Value| {
        let key: Vec<Value> = names.iter().map(|name| element[*name].clone()).collect();
        let is_fresh = !seen.contains(&key) && key.iter().any(|part| !part.is_null());
        seen.push(key);
        is_fresh
    };
    Value::Array(elements.into_iter().filter(fresh).collect())
}

fn whole(Limits { min, max }: Limits, random: &mut Rng) -> Value {
    #[allow(clippy::cast_possible_truncation, reason = "limits are small whole numbers")]
    let (min, max) = (min as i64, max as i64);
    json!(match random.u8(0..4) {
        0 => min,
        1 => max,
        _ => random.i64(min..=max),
    })
}

fn tenths(Limits { min, max }: Limits, random: &mut Rng) -> Value {
    match random.u8(0..4) {
        0 => json!(min),
        1 => json!(max),
        2 => json!((min + (max - min) * 0.5).floor()),
        _ => json!((random.f64() * (max - min) * 10.0).floor() / 10.0 + min.ceil()),
    }
}

fn text(unit: Unit, random: &mut Rng) -> String {
    match unit {
        Unit::RoleName => match random.u8(0..3) {
            0 => format!("role-{}", word(random)),
            1 => format!("arn:aws:iam::111122223333:role/role-{}", word(random)),
            _ => format!("arn:aws:iam::111122223333:role/teams/shop/role-{}", word(random)),
        },
        Unit::CpuUnits | Unit::MemoryMib => "1024".to_owned(),
        Unit::Plain | Unit::ArnOrName | Unit::Namespace => word(random),
    }
}

/// A text: plain ones mostly, some that serialisers stumble over.
pub(crate) fn word(random: &mut Rng) -> String {
    const ODD: [&str; 7] =
        ["true", "0", "1 vCPU", "\u{e9}\u{fc}", "a b", "quo\"te\\", "line\nbreak"];
    match random.u8(0..8) {
        0 => ODD[random.usize(..ODD.len())].to_owned(),
        _ => (0..random.usize(1..4)).map(|_| random.char('a'..'f')).collect(),
    }
}
