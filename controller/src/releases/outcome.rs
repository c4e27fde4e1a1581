//! What is made known of a choice: the value of `${release:NAME}`, and the object on the board.

use std::collections::BTreeSet;

use crds::{ChosenVersion, ObjectKey, ReleaseName};

use crate::reconcile::Context;
use crate::references::{Answer, Found, Referent};

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
    let found = Found {
        text: image(chosen),
        from: format!("release {name}"),
        version: Some(chosen.tag.clone()),
    };
    let answer = (Referent::Release(name.clone()), Answer::Found(found));
    context.inventory().learn(vec![answer], context.clock.now())
}

/// Says why a release has no version yet. A value that was known stays.
pub(super) fn unresolved(
    context: &Context,
    name: &ReleaseName,
    why: &str,
) -> BTreeSet<ObjectKey> {
    let answer = Answer::Unread { why: why.to_owned() };
    context.inventory().learn(vec![(Referent::Release(name.clone()), answer)], context.clock.now())
}

/// Says that a release does not exist. Services that name it keep their last good spec.
pub(super) fn missing(context: &Context, name: &ReleaseName) -> BTreeSet<ObjectKey> {
    let names = context.inventory().releases().into_keys().map(|name| name.to_string());
    let names: Vec<String> = names.take(10).collect();
    let hint = match names.as_slice() {
        [] => "no source has an object of kind Release".to_owned(),
        names => format!("there are {}", names.join(", ")),
    };
    let why = "no source has a release of this name".to_owned();
    let answer = Answer::Missing { why, hint: Some(hint) };
    context.inventory().learn(vec![(Referent::Release(name.clone()), answer)], context.clock.now())
}

/// Tells the values again that are known already, for services that name a release since just now.
pub(super) fn tell_again(context: &Context) -> BTreeSet<ObjectKey> {
    let mut touched = BTreeSet::new();
    for object in context.statuses.releases() {
        if let Some(chosen) = &object.status.chosen {
            touched.append(&mut put(context, &object.name, chosen));
        }
    }
    let is_complete = context.inventory().is_complete();
    let (wanted, known) = {
        let inventory = context.inventory();
        (inventory.releases_in_use(), inventory.releases())
    };
    for name in wanted.iter().filter(|name| is_complete && !known.contains_key(*name)) {
        touched.append(&mut missing(context, name));
    }
    touched
}
