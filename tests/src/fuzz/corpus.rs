//! The committed corpus, and disturbed copies of it.
//!
//! A failure prints the input; save it in the corpus, so that it is never forgotten.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use super::{events, git, listing, ranges, references, spec, tags, tfstate, webhook};

/// How many disturbed copies are tried when nobody asks for more.
const COPIES: u64 = 1_500;
/// The same where each of them is several calls of the SDK.
const COPIES_OF_CALLS: u64 = 400;
/// The longest input.
const BYTES_MAX: usize = 16 * 1024;
/// The most disturbances of one copy.
const DISTURBANCES_MAX: usize = 4;
/// What has a meaning somewhere.
const WORDS: [&[u8]; 32] = [
    b"\n",
    b"\n\n",
    b"---\n",
    b"- ",
    b": ",
    b"&a ",
    b"*a",
    b"!x ",
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b"'",
    b"|\n",
    b"#",
    b"\r",
    b"\t",
    b"\0",
    b"\xff",
    b"\xc3",
    b"<<: ",
    b"null",
    b"-1",
    b"18446744073709551616",
    b"1e999",
    b"||",
    b"-rc.1",
    b"v",
    b"=",
    b"<!--",
    b"&amp;",
];

#[test]
fn a_file_of_specs_is_objects_or_errors_that_help() {
    holds("spec", spec, COPIES);
}

#[test]
fn the_winner_among_tags_is_the_right_one() {
    holds("tags", tags, COPIES);
}

#[test]
fn ranges_mean_what_their_styles_document() {
    holds("ranges", ranges, COPIES);
}

#[test]
fn no_unsigned_call_of_a_webhook_is_let_in() {
    holds("webhook", webhook, COPIES);
}

#[test]
fn a_value_of_a_state_is_the_one_that_is_there() {
    holds("tfstate", tfstate, COPIES);
}

#[test]
fn a_listing_is_complete_or_an_error() {
    holds("listing", listing, COPIES_OF_CALLS);
}

#[test]
fn an_event_names_at_most_what_it_says_it_is_about() {
    holds("events", events, COPIES);
}

#[test]
fn a_reference_is_its_value_or_an_error() {
    holds("references", references, COPIES);
}

#[test]
fn an_answer_of_git_is_whole_or_none() {
    holds("git", git, COPIES);
}

/// What libFuzzer runs is what runs here.
#[test]
fn every_target_has_a_program_and_a_corpus() {
    let manifest = std::fs::read_to_string(root().join("fuzz/Cargo.toml")).unwrap();
    for name in
        ["spec", "tags", "ranges", "webhook", "tfstate", "listing", "events", "references", "git"]
    {
        assert!(
            manifest.contains(&format!("name = \"{name}\"")),
            "{name} is not in fuzz/Cargo.toml"
        );
        let program = root().join(format!("fuzz/fuzz_targets/{name}.rs"));
        let program = std::fs::read_to_string(program).unwrap();
        assert!(program.contains(&format!("fuzz::{name}(data)")), "{program}");
        let files = files(name);
        assert!(files.len() >= 10, "the corpus of {name} has {} files", files.len());
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The committed files of a target; what libFuzzer adds has no ending.
fn files(name: &str) -> Vec<(String, Vec<u8>)> {
    let folder = root().join("fuzz/corpus").join(name);
    let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some())
        .map(|path| (path.display().to_string(), std::fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}

fn holds(name: &str, check: fn(&[u8]), copies: u64) {
    let files = files(name);
    for (path, data) in &files {
        run(check, data, path);
    }
    let inputs: Vec<&[u8]> = files.iter().map(|(_, data)| data.as_slice()).collect();
    for copy in 0..asked_for("LONGSHORE_COPIES").unwrap_or(copies) {
        let data = disturbed(&inputs, &mut fastrand::Rng::with_seed(copy));
        run(check, &data, &format!("copy {copy}"));
    }
}

fn run(check: fn(&[u8]), data: &[u8], from: &str) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| check(data))) {
        eprintln!("{from}: b\"{}\"", data.escape_ascii());
        std::panic::resume_unwind(panic);
    }
}

#[allow(clippy::disallowed_methods, reason = "a switch for tests only")]
fn asked_for(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|number| number.parse().unwrap())
}

/// One of the inputs, disturbed a few times.
fn disturbed(inputs: &[&[u8]], random: &mut fastrand::Rng) -> Vec<u8> {
    let mut data = inputs[random.usize(..inputs.len())].to_vec();
    for _ in 0..random.usize(1..=DISTURBANCES_MAX) {
        let at = random.usize(..=data.len());
        let end = (at + random.usize(..40)).min(data.len());
        match random.u8(..8) {
            0 => data.truncate(at),
            1 => drop(data.drain(at..end)),
            2 => {
                let again = data[at..end].to_vec();
                drop(data.splice(at..at, again));
            }
            3 => {
                let other = inputs[random.usize(..inputs.len())];
                let from = random.usize(..=other.len());
                let to = (from + random.usize(..200)).min(other.len());
                drop(data.splice(at..end, other[from..to].iter().copied()));
            }
            4 | 5 => {
                let word = WORDS[random.usize(..WORDS.len())];
                drop(data.splice(at..at, word.iter().copied()));
            }
            6 if at < data.len() => data[at] = random.u8(..),
            _ if at < data.len() => data[at] ^= 1 << random.u8(..8),
            _ => {}
        }
        data.truncate(BYTES_MAX);
    }
    data
}
