//! Terraform states of format 4: what they say of addresses.
//!
//! A state is looked through twice and never built up in memory: first for where the wanted resources stand, then for the
//! wanted values. Everything else is skipped. What Terraform marks as sensitive is refused by name, and its value is
//! dropped as soon as the mark is seen. No message holds a value.

mod address;
mod descend;
mod heads;
mod secret;
#[cfg(test)]
mod tests;
mod through;
mod values;
mod verdict;

use serde::de::DeserializeSeed;

use self::descend::Goal;
use self::heads::Heads;
use self::values::Values;

pub use address::{Address, Holder, Key, ResourceAddress, Step};
pub use verdict::Verdict;

/// The format that Terraform has written since 0.12, and `OpenTofu` always.
const FORMAT: u64 = 4;

/// What a state says.
#[derive(Debug)]
pub struct Reading {
    /// How often the state was written.
    pub serial: Option<u64>,
    /// What it says of each address, in their order.
    pub verdicts: Vec<Verdict>,
}

/// Looks addresses up in a state, or says why it cannot be used.
pub fn read(bytes: &[u8], addresses: &[Address]) -> Result<Reading, String> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err("it is empty".to_owned());
    }
    let resources = addresses.iter().filter_map(|address| match &address.holder {
        Holder::Resource { resource, .. } => Some(resource),
        Holder::Output(_) => None,
    });
    let heads = Heads::of(bytes, resources.collect()).map_err(|error| unreadable(&error))?;
    match heads.version {
        Some(FORMAT) => {}
        _ if heads.is_encrypted => return Err("it is encrypted".to_owned()),
        Some(version) => {
            return Err(format!("it has format {version}; only format {FORMAT} is read"));
        }
        None => return Err("it is no Terraform state: it has no `version`".to_owned()),
    }
    let mut values = Values::default();
    for (id, Address { holder, path }) in addresses.iter().enumerate() {
        let goal = Goal { id, path, depth: 0 };
        match holder {
            Holder::Output(name) => values.into_outputs.entry(name).or_default().push(goal),
            Holder::Resource { resource, .. } => {
                for place in heads.places.get(resource).into_iter().flatten() {
                    values.into_resources.entry(*place).or_default().push(goal);
                }
            }
        }
    }
    values.gather(bytes).map_err(|error| unreadable(&error))?;
    let verdicts = addresses.iter().enumerate();
    let verdicts = verdicts.map(|(id, address)| verdict::of(id, address, &heads, &values));
    Ok(Reading { serial: heads.serial, verdicts: verdicts.collect() })
}

/// Reads all of a text as one value.
fn whole<'de, S: DeserializeSeed<'de>>(
    bytes: &'de [u8],
    seed: S,
) -> Result<S::Value, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = seed.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

/// Where a state stops making sense. The parser's own words may quote what stands there.
fn unreadable(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Eof => "it is cut off",
        serde_json::error::Category::Syntax | serde_json::error::Category::Io => "it is not JSON",
        serde_json::error::Category::Data => "it is not as Terraform writes it",
    };
    format!("{what} (line {}, column {})", error.line(), error.column())
}
