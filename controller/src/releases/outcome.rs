//! What is made known of a choice: the value of `${release:NAME}`, and the object on the board.

use std::collections::BTreeSet;

use crds::{ChosenVersion, ObjectKey, ReleaseName};

use crate::reconcile::Context;
use crate::references::{Answer, Found, Referent};

/// The most names that a hint lists.
const NAMES_MAX: usize = 10;

/// The image as task definitions name it: by its digest.
pub(super) fn image(chosen: &ChosenVersion) -> String {
    format!("{}@{}", chosen.image, chosen.digest)
}

/// Makes a version the value of the release. Returns the services that it touches.
pub(super) fn put(
    context: &Context,
    name: &ReleaseName,
    chosen: &ChosenVersion,
) -> BTreeSet<ObjectKey> {
    let answer = (Referent::Release(name.clone()), Answer::Found(found(name, chosen)));
    context.inventory().learn(vec![answer], context.clock.now())
}

fn found(name: &ReleaseName, chosen: &ChosenVersion) -> Found {
    Found {
        text: image(chosen),
        from: format!("release {name}"),
        version: Some(chosen.tag.clone()),
    }
}

/// Says why a release has no version yet. A value that was known stays.
pub(super) fn unresolved(context: &Context, name: &ReleaseName, why: &str) -> BTreeSet<ObjectKey> {
    let answer = Answer::Unread { why: why.to_owned() };
    context.inventory().learn(vec![(Referent::Release(name.clone()), answer)], context.clock.now())
}

/// Says that a release does not exist. Services that name it keep their last good spec.
pub(super) fn missing(context: &Context, name: &ReleaseName) -> BTreeSet<ObjectKey> {
    let answer = absence(context);
    context.inventory().learn(vec![(Referent::Release(name.clone()), answer)], context.clock.now())
}

fn absence(context: &Context) -> Answer {
    let names = context.inventory().releases().into_keys().take(NAMES_MAX);
    let names: Vec<String> = names.map(|name| name.to_string()).collect();
    let hint = match names.as_slice() {
        [] => "no source has an object of kind `Release`".to_owned(),
        names => format!("there are {}", names.join(", ")),
    };
    Answer::Missing { why: "no source has a release of this name".to_owned(), hint: Some(hint) }
}

/// What is known of releases already, for services that name them since just now. Of one that has not been looked at, nothing
/// is said.
pub fn answers(context: &Context, referents: Vec<Referent>) -> Vec<(Referent, Answer)> {
    let (is_complete, present) = {
        let inventory = context.inventory();
        (inventory.is_complete(), inventory.releases())
    };
    let answer = |referent: &Referent| {
        let Referent::Release(name) = referent else { return None };
        let object = context.statuses.release(name);
        match object.as_ref().and_then(|object| object.status.chosen.as_ref()) {
            Some(chosen) => Some(Answer::Found(found(name, chosen))),
            None if is_complete && !present.contains_key(name) => Some(absence(context)),
            None => {
                let condition = object.as_ref()?.status.conditions.first()?;
                Some(Answer::Unread { why: condition.message.clone() })
            }
        }
    };
    referents
        .into_iter()
        .filter_map(|referent| {
            let answer = answer(&referent)?;
            Some((referent, answer))
        })
        .collect()
}
