//! Releases among the objects of a source.

use crds::{InvalidObject, Release};
use planner::release::Rule;

use super::Place;
use super::referring::resolve_references;
use crate::manifest::Located;
use crate::references::Referent;

/// Says everything that is wrong with a release, its references replaced.
pub(super) fn check(
    release: &Release,
    located: &Located<()>,
    place: &Place<'_>,
) -> Result<(), Vec<InvalidObject>> {
    let invalid = |path: String, message: String, hint: Option<String>| InvalidObject {
        source: place.source.to_string(),
        file: place.path.to_owned(),
        position: located.locate(&path),
        path,
        message,
        hint,
        key: None,
    };
    let target = release.spec.target.clone().unwrap_or_default();
    let told = resolve_references(release, &target, place.referents);
    let (release, told) = told.map_err(|(_, errors)| {
        let errors = errors.into_iter();
        errors.map(|error| invalid(error.path, error.message, error.hint)).collect::<Vec<_>>()
    })?;
    if let Some(outside) = told.uses.first() {
        let (message, hint) = refused(outside);
        return Err(vec![invalid("spec".to_owned(), message, Some(hint))]);
    }
    Rule::resolve(&release.spec).map(|_| ()).map_err(|wrong| {
        let wrong = wrong.into_iter();
        wrong.map(|finding| invalid(finding.path, finding.message, finding.hint)).collect()
    })
}

/// What a release follows must not move under it.
fn refused(outside: &Referent) -> (String, String) {
    let message = format!("a release cannot refer to `{outside}`, which may change by itself");
    (message, "write it out, or use `${var:NAME}`".to_owned())
}
