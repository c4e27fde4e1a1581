//! Git tags that name another commit than before.
//!
//! A version is what its tag named when it was seen first. A tag that moves changes no choice: the image that was chosen stays,
//! and one that is still to be chosen may be made of either commit, which only people can tell. So it is told.

use std::collections::BTreeMap;

use jiff::Timestamp;
use planner::release::{Rule, git_tag_of, wanted_tags};

use crate::state::{Noticed, ReleaseRecord};

/// The commits of how many versions are remembered, the newest.
const KEPT: usize = 1_000;
/// How much of a commit's name is remembered.
const KEPT_LETTERS: usize = 16;
/// How much of it is shown.
const SHOWN_LETTERS: usize = 12;
/// How many moved tags are told of one by one.
const TOLD_MAX: usize = 20;

/// Notes what the tags of a repository name, and since when which of them are awaited; one that was moved is awaited anew.
/// Returns sentences about those that were moved.
pub(super) fn notice(
    record: &mut ReleaseRecord,
    rule: &Rule,
    listed: &BTreeMap<String, String>,
    awaited: &[String],
    now: Timestamp,
) -> Vec<String> {
    let known = known(record);
    let is_moved = |tag: &str, commit: &str| {
        known.get(tag).filter(|before| **before != head(commit, KEPT_LETTERS)).cloned()
    };
    let in_force = in_force(record, rule, listed);
    let wanted = wanted_tags(rule, listed.keys().map(String::as_str));
    let outside = in_force.iter().map(String::as_str).filter(|tag| !wanted.contains(tag));
    let mut moved = Vec::new();
    for tag in wanted.iter().copied().chain(outside) {
        let Some(commit) = listed.get(tag) else { continue };
        let Some(before) = is_moved(tag, commit) else { continue };
        let (from, to) = (head(&before, SHOWN_LETTERS), head(commit, SHOWN_LETTERS));
        let told = format!("the Git tag {tag} was moved from {from} to {to}");
        let stays = "; the image that was chosen for it stays";
        let is_in_force = in_force.as_deref() == Some(tag);
        moved.push(if is_in_force { format!("{told}{stays}") } else { told });
    }
    note_awaited(record, listed, awaited, now);
    record.commit = in_force.and_then(|tag| {
        // One that was deleted named this commit last.
        let last = || record.commit.clone().filter(|(own, _)| *own == tag);
        listed.get(&tag).map(|commit| (tag.clone(), commit.clone())).or_else(last)
    });
    record.tags = kept(rule, listed, &known);
    bounded(moved)
}

/// What is remembered of tags. A document of an earlier version has only those that were awaited or chosen.
fn known(record: &ReleaseRecord) -> BTreeMap<String, String> {
    let awaited = record.noticed.iter().map(|(tag, noticed)| (tag, &noticed.commit));
    let chosen = record.commit.iter().map(|(tag, commit)| (tag, commit));
    let early = awaited.chain(chosen);
    let early = early.map(|(tag, commit)| (tag.clone(), head(commit, KEPT_LETTERS).to_owned()));
    let mut known: BTreeMap<String, String> = early.collect();
    known.extend(record.tags.clone());
    known
}

/// The tag of the version in force: the one that it was chosen by, or the one that names it.
fn in_force(
    record: &ReleaseRecord,
    rule: &Rule,
    listed: &BTreeMap<String, String>,
) -> Option<String> {
    let chosen = record.chosen.as_ref()?;
    let by_choice = record.commit.as_ref().map(|(tag, _)| tag.clone());
    by_choice.or_else(|| {
        let names: Vec<&str> = listed.keys().map(String::as_str).collect();
        git_tag_of(rule, &names, &chosen.version).map(str::to_owned)
    })
}

fn note_awaited(
    record: &mut ReleaseRecord,
    listed: &BTreeMap<String, String>,
    awaited: &[String],
    now: Timestamp,
) {
    let noticed = awaited.iter().filter_map(|tag| {
        let commit = listed.get(tag)?;
        let kept = record.noticed.get(tag).filter(|known| known.commit == *commit).cloned();
        let fresh = || Noticed { commit: commit.clone(), at: now };
        Some((tag.clone(), kept.unwrap_or_else(fresh)))
    });
    record.noticed = noticed.collect();
}

/// What is remembered from now on. A tag that was deleted is remembered, too: it may come back elsewhere.
fn kept(
    rule: &Rule,
    listed: &BTreeMap<String, String>,
    known: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut all = known.clone();
    let listed = listed.iter();
    all.extend(listed.map(|(tag, commit)| (tag.clone(), head(commit, KEPT_LETTERS).to_owned())));
    let newest = wanted_tags(rule, all.keys().map(String::as_str)).into_iter().take(KEPT);
    newest.filter_map(|tag| Some((tag.to_owned(), all.get(tag)?.clone()))).collect()
}

fn bounded(mut moved: Vec<String>) -> Vec<String> {
    let more = moved.len().saturating_sub(TOLD_MAX);
    if more > 0 {
        moved.truncate(TOLD_MAX);
        moved.push(format!("{more} more Git tags were moved"));
    }
    moved
}

fn head(commit: &str, letters: usize) -> &str {
    commit.get(..letters).unwrap_or(commit)
}

#[cfg(test)]
mod tests {
    use crds::{ChosenVersion, ReleaseGit, ReleasePolicy, ReleaseSpec};

    use super::*;

    fn rule() -> Rule {
        let semver = Some(">=1.0.0".to_owned());
        let git = ReleaseGit { url: "shop.git".to_owned(), wait: None, verify: None };
        let spec = ReleaseSpec {
            image: "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop".to_owned(),
            target: None,
            interval: None,
            policy: ReleasePolicy { semver, ..ReleasePolicy::default() },
            tags: None,
            git: Some(git),
            gates: None,
            promote: None,
            write_back: None,
            allow_downgrade: None,
        };
        Rule::resolve(&spec).unwrap()
    }

    fn commit(letter: &str) -> String {
        letter.repeat(40)
    }

    fn tags(tags: &[(&str, &str)]) -> BTreeMap<String, String> {
        tags.iter().map(|(tag, letter)| ((*tag).to_owned(), commit(letter))).collect()
    }

    /// A release that runs this version and remembers nothing else.
    fn running(version: &str) -> ReleaseRecord {
        let chosen = ChosenVersion {
            image: "shop".to_owned(),
            version: version.to_owned(),
            tag: version.to_owned(),
            digest: "sha256:a".to_owned(),
            since: Timestamp::UNIX_EPOCH,
            reason: "shop/web runs it".to_owned(),
        };
        ReleaseRecord { chosen: Some(chosen), ..ReleaseRecord::default() }
    }

    fn told(record: &mut ReleaseRecord, listed: &[(&str, &str)], awaited: &[&str]) -> Vec<String> {
        let awaited: Vec<String> = awaited.iter().map(|tag| (*tag).to_owned()).collect();
        notice(record, &rule(), &tags(listed), &awaited, Timestamp::UNIX_EPOCH)
    }

    fn moved(tag: &str, from: &str, to: &str) -> String {
        format!("the Git tag {tag} was moved from {} to {}", from.repeat(12), to.repeat(12))
    }

    const NOTHING: [&str; 0] = [];

    #[test]
    fn every_wanted_tag_that_moves_is_told_once() {
        let mut record = running("1.1.0");
        let listed = [("v1.0.0", "a"), ("v1.1.0", "b"), ("v1.2.0", "c"), ("v0.1.0", "d")];
        assert_eq!(told(&mut record, &listed, &[]), NOTHING);
        // One behind the version in force, and one above it whose image is there.
        let listed = [("v1.0.0", "1"), ("v1.1.0", "b"), ("v1.2.0", "2"), ("v0.1.0", "3")];
        let expected = [moved("v1.2.0", "c", "2"), moved("v1.0.0", "a", "1")];
        assert_eq!(told(&mut record, &listed, &[]), expected, "0.1.0 is no version of the policy");
        assert_eq!(told(&mut record, &listed, &[]), NOTHING);
    }

    #[test]
    fn an_awaited_tag_that_moves_is_awaited_anew() {
        let mut record = running("1.0.0");
        told(&mut record, &[("v1.0.0", "a"), ("v1.1.0", "b")], &["v1.1.0"]);
        let listed = tags(&[("v1.0.0", "a"), ("v1.1.0", "c")]);
        let later = Timestamp::from_second(60).unwrap();
        let told = notice(&mut record, &rule(), &listed, &["v1.1.0".to_owned()], later);
        assert_eq!(told, [moved("v1.1.0", "b", "c")]);
        assert_eq!(record.noticed["v1.1.0"], Noticed { commit: commit("c"), at: later });
    }

    /// After the loss of the store, and where `git` was added to a release that ran already.
    #[test]
    fn the_tag_of_a_version_that_was_found_running_is_watched() {
        let mut record = running("1.0.0");
        assert_eq!(told(&mut record, &[("v1.0.0", "a")], &[]), NOTHING);
        assert_eq!(record.commit, Some(("v1.0.0".to_owned(), commit("a"))));
        let stays =
            format!("{}; the image that was chosen for it stays", moved("v1.0.0", "a", "b"));
        assert_eq!(told(&mut record, &[("v1.0.0", "b")], &[]), [stays]);
        assert_eq!(record.commit, Some(("v1.0.0".to_owned(), commit("b"))));
    }

    #[test]
    fn what_an_earlier_version_wrote_down_counts() {
        let mut record = running("0.9.0");
        record.commit = Some(("v0.9.0".to_owned(), commit("a")));
        let awaited = Noticed { commit: commit("b"), at: Timestamp::UNIX_EPOCH };
        record.noticed.insert("v1.1.0".to_owned(), awaited);
        let told = told(&mut record, &[("v0.9.0", "c"), ("v1.1.0", "d")], &["v1.1.0"]);
        let stays =
            format!("{}; the image that was chosen for it stays", moved("v0.9.0", "a", "c"));
        assert_eq!(told, [moved("v1.1.0", "b", "d"), stays], "out of range, but in force");
    }

    #[test]
    fn a_tag_that_is_deleted_and_comes_back_elsewhere_was_moved() {
        let mut record = running("1.0.0");
        told(&mut record, &[("v1.0.0", "a"), ("v1.1.0", "b")], &[]);
        assert_eq!(told(&mut record, &[], &[]), NOTHING);
        assert_eq!(record.commit, Some(("v1.0.0".to_owned(), commit("a"))));
        assert_eq!(told(&mut record, &[("v1.1.0", "c")], &[]), [moved("v1.1.0", "b", "c")]);
    }

    #[test]
    fn what_is_remembered_and_told_is_bounded() {
        let all = |letter: &str| -> BTreeMap<String, String> {
            (0..1_500).map(|patch| (format!("v1.0.{patch}"), commit(letter))).collect()
        };
        let mut record = running("1.0.0");
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(notice(&mut record, &rule(), &all("a"), &[], now), NOTHING);
        assert_eq!(record.tags.len(), 1_000);
        assert!(record.tags.contains_key("v1.0.1499") && !record.tags.contains_key("v1.0.499"));
        let told = notice(&mut record, &rule(), &all("b"), &[], now);
        assert_eq!(told.len(), 21);
        assert_eq!(told[20], "981 more Git tags were moved", "that in force among them");
    }
}
