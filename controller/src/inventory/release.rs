//! Releases among the objects of a source.

use crds::{InvalidObject, Release};
use planner::release::Rule;

use super::{Place, resolve_references};
use crate::manifest::{Located, Object};

/// Says everything that is wrong with a release, its references replaced.
pub(super) fn check(
    release: &Release,
    located: &Located<Object>,
    place: &Place<'_>,
) -> Result<(), Vec<InvalidObject>> {
    let invalid = |path: String, message: String, hint: Option<String>| InvalidObject {
        source: place.source.to_string(),
        file: place.file.path().to_owned(),
        position: located.locate(&path),
        path,
        message,
        hint,
        key: None,
    };
    let (release, _) = resolve_references(release, place.vars).map_err(|errors| {
        let errors = errors.into_iter();
        errors.map(|error| invalid(error.path, error.message, error.hint)).collect::<Vec<_>>()
    })?;
    Rule::resolve(&release.spec).map(|_| ()).map_err(|wrong| {
        let wrong = wrong.into_iter();
        wrong.map(|finding| invalid(finding.path, finding.message, finding.hint)).collect()
    })
}
