//! What our own reader and the offline rules say of a file that was made from others, told with the place it comes from.

use planner::rules;

use super::super::draft::Draft;
use super::super::verdict::said;
use crate::manifest::{self, Object};
use crate::source::SourceFile;

/// Adds what is wrong or doubtful; `place` finds a field of the spec in the file that it comes from.
pub(super) fn note(draft: &mut Draft, place: &dyn Fn(&str) -> Option<String>) {
    let file = SourceFile::new(draft.file.clone(), draft.text().into());
    let parsed = manifest::parse(&file);
    let mut found: Vec<(String, String)> =
        parsed.invalid.iter().map(|invalid| (invalid.path.clone(), said(invalid))).collect();
    for located in &parsed.objects {
        let Object::Service(service) = &located.object else { continue };
        found.extend(rules::check(service).into_iter().map(|finding| {
            let message = match &finding.hint {
                Some(hint) => format!("{}; {hint}", finding.message),
                None => finding.message,
            };
            (finding.path, message)
        }));
    }
    for (path, message) in found {
        match place(&path) {
            Some(place) => draft.note_from(&place, &path, &message),
            None => draft.note(&path, &message),
        }
    }
}
