//! A Terraform state: addresses, a line each, an empty line, and the state.

use controller::references::Address;
use controller::references::tfstate::{Verdict, read};
use serde_json::Value;

use super::assert_tellable;

/// The most addresses that are looked up.
const ADDRESSES_MAX: usize = 10;
/// The longest value that is taken.
const BYTES_MAX: usize = 16 * 1024;
/// Stands in the corpus wherever a value is that no message may repeat.
const SECRET: &str = "never-shown";

/// Looking addresses up in a state.
///
/// A value that is given is the one that the state has there, and nothing marks it as sensitive; no message repeats a value;
/// addresses say themselves as they were written.
pub fn tfstate(data: &[u8]) {
    let end = data.windows(2).position(|two| two == b"\n\n");
    let (head, state) = end.map_or((data, data), |end| (&data[..end], &data[end + 2..]));
    let head = String::from_utf8_lossy(head);
    let addresses: Vec<Address> =
        head.lines().take(ADDRESSES_MAX).filter_map(|line| address(line.trim())).collect();
    match read(state, &addresses) {
        Err(why) => {
            assert_tellable(&why);
            assert!(!why.contains(SECRET), "{why}");
        }
        Ok(reading) => {
            // What nobody asks for is skipped, however deep it is and whatever its texts hold.
            let Ok(whole) = serde_json::from_slice::<Value>(state) else { return };
            let is_discreet = !head.contains(SECRET) && names_no_secret(&whole);
            let assert_told = |text: &str| {
                assert_tellable(text);
                assert!(!is_discreet || !text.contains(SECRET), "{text}");
            };
            assert_eq!(whole["version"], 4);
            assert_eq!(reading.serial, whole.get("serial").and_then(Value::as_u64));
            assert_eq!(reading.verdicts.len(), addresses.len());
            for (address, verdict) in addresses.iter().zip(reading.verdicts) {
                match verdict {
                    Verdict::Text(text) => assert_there(&whole, address, &text),
                    Verdict::Missing { why, hint } => {
                        assert_told(&why);
                        if let Some(hint) = &hint {
                            assert_told(hint);
                        }
                    }
                }
            }
        }
    }
}

fn address(line: &str) -> Option<Address> {
    match Address::parse(line) {
        Ok(address) => {
            assert_eq!(Address::parse(&address.to_string()).unwrap(), address, "{line:?}");
            Some(address)
        }
        Err(error) => {
            assert_tellable(&error.message);
            None
        }
    }
}

/// Whether no name has the secret in it; names are what hints are made of.
fn names_no_secret(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.iter().all(|(name, value)| {
            let is_name = ["module", "mode", "type", "name", "index_key"].contains(&name.as_str());
            !(name.contains(SECRET)
                || is_name && value.as_str().is_some_and(|text| text.contains(SECRET)))
                && names_no_secret(value)
        }),
        Value::Array(items) => items.iter().all(names_no_secret),
        Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => true,
    }
}

/// The value is what a plain walk through the whole state finds, and may be seen.
fn assert_there(state: &Value, address: &Address, text: &str) {
    assert!(text.len() <= BYTES_MAX);
    let found = match walk::holder(state, address) {
        walk::Holder::Output(output) => {
            assert!(!output["sensitive"].as_bool().unwrap_or(false), "{address} is sensitive");
            walk::value(&output["value"], address)
        }
        walk::Holder::Instance(instance) => {
            for mark in instance["sensitive_attributes"].as_array().into_iter().flatten() {
                assert!(!walk::is_marked(mark, address), "{address} is marked as sensitive");
            }
            walk::value(&instance["attributes"], address)
        }
    };
    let found = found.unwrap_or_else(|| panic!("{address} is not in the state"));
    let is_same = match found {
        Value::String(found) => found == text,
        Value::Bool(found) => found.to_string() == text,
        Value::Number(found) => {
            found.to_string() == text || found.as_f64() == text.parse::<f64>().ok()
        }
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    };
    assert!(is_same, "{address} is {found}, not {text:?}");
}

/// The way through a state that was read as a whole.
mod walk {
    use controller::references::Address;
    use controller::references::tfstate::{Holder as Held, Key, Step};
    use serde_json::Value;

    pub(super) enum Holder<'s> {
        Output(&'s Value),
        Instance(&'s Value),
    }

    /// The one output or instance that an address names.
    pub(super) fn holder<'s>(state: &'s Value, address: &Address) -> Holder<'s> {
        match &address.holder {
            Held::Output(name) => Holder::Output(&state["outputs"][name]),
            Held::Resource { resource, index } => {
                let is_it = |one: &&Value| {
                    one["module"].as_str().unwrap_or_default() == resource.module
                        && (one["mode"] == "data") == resource.is_data
                        && one["type"] == resource.kind
                        && one["name"] == resource.name
                };
                let found = only(&state["resources"], is_it);
                let is_it = |one: &&Value| {
                    let key = match &one["index_key"] {
                        Value::String(text) => Some(Key::Text(text.clone())),
                        Value::Number(number) => number.as_u64().map(Key::Number),
                        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
                    };
                    one["deposed"].is_null() && key == *index
                };
                Holder::Instance(only(&found["instances"], is_it))
            }
        }
    }

    fn only(list: &Value, is_it: impl Fn(&&Value) -> bool) -> &Value {
        let found: Vec<&Value> = list.as_array().unwrap().iter().filter(is_it).collect();
        assert_eq!(found.len(), 1, "{found:#?}");
        found[0]
    }

    pub(super) fn value<'s>(from: &'s Value, address: &Address) -> Option<&'s Value> {
        address.path.iter().try_fold(from, |at, step| match step {
            Step::Member(name) => at.get(name),
            Step::Item(item) => at.get(usize::try_from(*item).ok()?),
        })
    }

    /// Whether a mark is on the way, or behind its end.
    pub(super) fn is_marked(mark: &Value, address: &Address) -> bool {
        let steps = mark.as_array().into_iter().flatten().map(|step| match step["type"].as_str() {
            Some("get_attr") => step.get("value"),
            Some("index") => step["value"].get("value").or_else(|| step.get("value")),
            Some(_) | None => None,
        });
        steps.zip(&address.path).all(|(marked, step)| match (marked, step) {
            (None, _) => true,
            (Some(Value::String(name)), Step::Member(member)) => name == member,
            (Some(Value::Number(number)), Step::Item(item)) => number.as_u64() == Some(*item),
            (Some(_), _) => false,
        })
    }
}
