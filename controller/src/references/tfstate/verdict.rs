//! What a state says of one address, in words that help.

use super::address::{Address, Holder, Key, ResourceAddress, Step, cut};
use super::descend::{Scrap, Scraps, There};
use super::heads::Heads;
use super::secret;
use super::values::{Instance, Values};
use crate::manifest::nearest;

/// The most names that a hint lists.
const NAMES_MAX: usize = 10;

/// What a state says of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is this text.
    Text(String),
    /// There is no such value, or it must not be used.
    Missing {
        /// Why.
        why: String,
        /// What to do about it.
        hint: Option<String>,
    },
}

fn missing(why: impl Into<String>, hint: Option<String>) -> Verdict {
    Verdict::Missing { why: why.into(), hint }
}

/// Judges the address that has this number.
pub(super) fn of(id: usize, address: &Address, heads: &Heads<'_>, values: &Values<'_>) -> Verdict {
    match &address.holder {
        Holder::Output(name) => output(id, address, name, heads, values),
        Holder::Resource { resource, index } => {
            let places = heads.places.get(resource).map(Vec::as_slice).unwrap_or_default();
            match places {
                [] => no_resource(resource, heads),
                [place] => {
                    let instances = values.instances.get(place).map(Vec::as_slice);
                    instance(id, address, resource, index.as_ref(), instances.unwrap_or_default())
                }
                _ => missing(format!("the state has the resource `{resource}` twice"), None),
            }
        }
    }
}

fn no_resource(resource: &ResourceAddress, heads: &Heads<'_>) -> Verdict {
    let known: Vec<&str> = heads.resources.iter().map(String::as_str).collect();
    let hint = match nearest(&resource.to_string(), &known) {
        Some(nearest) => Some(format!("did you mean `{}`?", cut(nearest))),
        None => listed("its resources are", known.iter().copied()),
    };
    missing(format!("the state has no resource `{resource}`"), hint)
}

fn output(
    id: usize,
    address: &Address,
    name: &str,
    heads: &Heads<'_>,
    values: &Values<'_>,
) -> Verdict {
    let mut found = values.outputs.iter().filter(|(other, _)| other == name);
    match (found.next(), found.next()) {
        (Some(_), Some(_)) => missing(format!("the state has the output `{name}` twice"), None),
        (Some((_, output)), None) if output.is_sensitive => sensitive(&format!("output `{name}`")),
        (Some((_, output)), None) => value(id, address, &output.scraps),
        (None, _) => {
            let known: Vec<&str> = heads.outputs.iter().map(String::as_str).collect();
            let hint = match nearest(name, &known) {
                Some(nearest) => Some(format!("did you mean `output.{}`?", cut(nearest))),
                None => listed("its outputs are", known.iter().copied()),
            };
            missing(format!("the state has no output `{name}`"), hint)
        }
    }
}

fn instance(
    id: usize,
    address: &Address,
    resource: &ResourceAddress,
    index: Option<&Key>,
    instances: &[Instance],
) -> Verdict {
    let mut fitting = instances.iter().filter(|instance| instance.index.as_ref() == index);
    let instance = match (fitting.next(), fitting.next()) {
        (Some(instance), None) => instance,
        (Some(_), Some(_)) => {
            let which = index.map(ToString::to_string).unwrap_or_default();
            return missing(format!("the state has the instance `{resource}{which}` twice"), None);
        }
        (None, _) => return no_instance(resource, index, instances),
    };
    let is_marked = |mark: &Option<Vec<Step>>| match mark {
        Some(mark) => address.path.starts_with(mark) || mark.starts_with(&address.path),
        None => true,
    };
    if secret::is_secret(address) || instance.sensitive.iter().any(is_marked) {
        return sensitive(&format!("`{address}`"));
    }
    value(id, address, &instance.scraps)
}

fn no_instance(resource: &ResourceAddress, index: Option<&Key>, instances: &[Instance]) -> Verdict {
    let keys: Vec<String> =
        instances.iter().filter_map(|it| it.index.as_ref().map(ToString::to_string)).collect();
    let known = listed("its instances are", keys.iter().map(String::as_str));
    match index {
        _ if instances.is_empty() => missing(format!("`{resource}` has no instances"), None),
        None => {
            missing(format!("`{resource}` has several instances, made by count or for_each"), known)
        }
        Some(index) if keys.is_empty() => {
            let hint = format!("write `{resource}` without `{index}`");
            missing(format!("`{resource}` has neither count nor for_each"), Some(hint))
        }
        Some(index) => missing(format!("`{resource}` has no instance `{index}`"), known),
    }
}

fn sensitive(what: &str) -> Verdict {
    let hint = "what is put into a spec can be read in the task definition; keep it in Secrets Manager or Parameter Store and \
                give it to the container by name, under `secrets`";
    missing(format!("{what} is sensitive"), Some(hint.to_owned()))
}

/// What was found at the end of the way.
fn value(id: usize, address: &Address, scraps: &Scraps) -> Verdict {
    let mut found = scraps.iter().filter(|(goal, _)| *goal == id).map(|(_, scrap)| scrap);
    match (found.next(), found.next()) {
        (_, Some(_)) | (Some(Scrap::Twice), None) => {
            missing(format!("the state has `{address}` twice"), None)
        }
        (None, None) => missing(format!("the state says nothing of `{address}`"), None),
        (Some(Scrap::Text(text)), None) => Verdict::Text(text.clone()),
        (Some(Scrap::Null), None) => missing(format!("`{address}` is null"), None),
        (Some(Scrap::Unfit(why)), None) => {
            missing(format!("`{address}` cannot be used: {why}"), None)
        }
        (Some(Scrap::List), None) => {
            let hint = format!("name one of its items: `{address}[0]`");
            missing(format!("`{address}` is a list"), Some(hint))
        }
        (Some(Scrap::Map(names)), None) => {
            let hint = listed("name one of its members:", names.iter().map(String::as_str));
            missing(format!("`{address}` is a map"), hint)
        }
        (Some(Scrap::Absent { depth, there }), None) => absent(address, *depth, there),
    }
}

fn absent(address: &Address, depth: usize, there: &There) -> Verdict {
    let (gone, rest) = address.path.split_at_checked(depth).unwrap_or_default();
    let before = Address { holder: address.holder.clone(), path: gone.to_vec() };
    let step = rest.first().map(ToString::to_string).unwrap_or_default();
    let why = format!("`{before}` has no `{}`", step.trim_start_matches('.'));
    let hint = match (there, rest.first()) {
        (There::Plain, _) => Some(format!("`{before}` is a single value")),
        (There::List(count), _) => Some(match count {
            0 => "the list is empty".to_owned(),
            1 => "it is a list of one item: `[0]`".to_owned(),
            count => format!("it is a list of {count} items, `[0]` to `[{}]`", count - 1),
        }),
        (There::Map(names), Some(Step::Member(name))) => {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            match nearest(name, &names) {
                Some(nearest) => Some(format!("did you mean `{}`?", cut(nearest))),
                None => listed("known here:", names.iter().copied()),
            }
        }
        (There::Map(names), _) => listed("known here:", names.iter().map(String::as_str)),
    };
    missing(why, hint)
}

/// The first of the names behind a word; `None` when there are none.
fn listed<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let names: Vec<&str> = names.take(NAMES_MAX + 1).collect();
    let shown = names.get(..NAMES_MAX.min(names.len())).unwrap_or_default();
    if shown.is_empty() {
        return None;
    }
    let more = if names.len() > NAMES_MAX { " and others" } else { "" };
    let shown: Vec<String> = shown.iter().map(|name| cut(name)).collect();
    Some(format!("{word} {}{more}", shown.join(", ")))
}
