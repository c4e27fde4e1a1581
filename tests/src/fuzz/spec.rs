//! A file of a source: it becomes objects, or errors that a person can use.

use std::sync::Arc;

use bytes::Bytes;
use controller::inventory::{Entry, preview};
use controller::manifest::{Located, Object, ParsedFile, parse};
use controller::source::SourceFile;
use crds::{InvalidObject, Position, SyncPolicy};

use super::assert_tellable;

/// The file's name.
const FILE: &str = "fleet/web.yaml";
/// The most errors that are told of one document.
const TOLD_MAX: usize = 20;
/// Stands in the corpus where a secret may stand by mistake.
const SECRET: &str = "hunter2hunter2";
/// What stands before it there.
const BEFORE_SECRET: [&str; 8] =
    ["value: ", "value: \"", "value: '", "value:", "value: !", "token: ", "token: \"", "secret: "];

/// Reading a file of specs.
///
/// Every error stands inside the file and has one line, and so does everything that the offline rules find; what is accepted
/// says the same when it is written and read again; what may be a secret is in no message.
pub fn spec(data: &[u8]) {
    let parsed = read(data);
    let text = std::str::from_utf8(data).ok().map(|text| text.trim_start_matches('\u{feff}'));
    for invalid in parsed.invalid.iter().chain(&parsed.unrecognised) {
        assert_told(invalid, text);
    }
    let documents =
        text.map_or(1, |text| text.matches("---").count() + text.matches("...").count() + 1);
    assert!(parsed.invalid.len() <= TOLD_MAX * documents, "{:#?}", parsed.invalid);
    for located in &parsed.objects {
        assert_inside(located.position, text.unwrap_or_default());
        assert_same_again(located);
    }
    let (entries, refused) = taken(data);
    let doubtful = entries.iter().flat_map(|entry| &entry.warnings);
    let told = refused.iter().chain(doubtful).inspect(|invalid| assert_told(invalid, text)).count();
    assert!(told <= 2 * TOLD_MAX * documents, "{told} findings");
    if text.is_some_and(is_discreet) {
        for invalid in parsed.invalid.iter().chain(&parsed.unrecognised) {
            assert!(!invalid.to_string().contains(SECRET), "{invalid}");
        }
    }
}

fn read(bytes: &[u8]) -> ParsedFile {
    parse(&SourceFile::new(FILE, Bytes::copy_from_slice(bytes)))
}

/// What a source would take from the file.
fn taken(bytes: &[u8]) -> (Vec<Arc<Entry>>, Vec<InvalidObject>) {
    let file = SourceFile::new(FILE, Bytes::copy_from_slice(bytes));
    let vars = [("image", "web:v2"), ("lines", "one\ntwo\n")];
    let vars = vars.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let (source, owner) = ("fleet".parse().unwrap(), "longshore".parse().unwrap());
    preview(&file, &source, &SyncPolicy::default(), &owner, &vars)
}

/// An error without a place is one of the whole file, or of one that is not text.
fn assert_told(invalid: &InvalidObject, text: Option<&str>) {
    assert_eq!(invalid.file, FILE);
    assert!(!invalid.message.is_empty());
    for part in [&invalid.message, &invalid.path].into_iter().chain(&invalid.hint) {
        assert_tellable(part);
    }
    match (invalid.position, text) {
        (Some(position), Some(text)) => assert_inside(position, text),
        (Some(position), None) => panic!("{position:?} in a file that is no text: {invalid}"),
        (None, _) => assert!(invalid.path.is_empty() && invalid.key.is_none(), "{invalid}"),
    }
}

/// The place is one that an editor can go to.
fn assert_inside(position: Position, text: &str) {
    let Position { line, column } = position;
    assert!(line >= 1 && column >= 1, "{position:?}");
    let lines: Vec<&str> = text.split('\n').collect();
    if text.replace("\r\n", "").contains('\r') {
        // YAML takes a lone return for the end of a line, which not every editor does.
        assert!(line as usize <= lines.len() + text.matches('\r').count(), "{position:?}");
        return;
    }
    let Some(here) = lines.get(line as usize - 1) else {
        panic!("{position:?} is behind the last line {}", lines.len());
    };
    assert!(column as usize <= here.chars().count() + 1, "{position:?} is behind {here:?}");
}

/// What was accepted is accepted again in the words of its types, and is the same.
fn assert_same_again(located: &Located<Object>) {
    let written = match &located.object {
        Object::Service(service) => serde_json::to_string(service),
        Object::Release(release) => serde_json::to_string(release),
        Object::Controller(controller) => serde_json::to_string(controller),
    };
    let written = written.unwrap();
    let again = read(written.as_bytes());
    assert_eq!(again.invalid, [], "{written}");
    let objects: Vec<&Object> = again.objects.iter().map(|located| &located.object).collect();
    assert_eq!(objects, [&located.object], "{written}");
}

/// Whether the secret stands only where messages keep it to themselves.
fn is_discreet(text: &str) -> bool {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(SECRET) {
        let line = before.rsplit('\n').next().unwrap_or_default();
        let is_a_value = BEFORE_SECRET.iter().any(|known| {
            let name = line.strip_suffix(known);
            name.is_some_and(|name| {
                name.trim_start_matches([' ', '-', '{']).is_empty() || name.ends_with(", ")
            })
        });
        if !is_a_value {
            return false;
        }
        rest = after;
    }
    true
}
