//! Tags of the application's repository: which versions there are, and which images are awaited.

use std::collections::BTreeMap;

use crds::{Reason, ReleaseGit};
use jiff::{SignedDuration, Timestamp};

use super::harness::{chosen, digest, image, noon, spec};
use crate::release::{
    Choice, Decision, Facts, GitTag, Listing, Past, Rule, Trust, Want, awaited, choose, git_tag_of,
    wanted_tags,
};

fn rule(verify: bool) -> Rule {
    let git = ReleaseGit {
        url: "https://github.com/acme/shop.git".to_owned(),
        wait: Some("30m".parse().unwrap()),
        verify: Some(verify),
    };
    Rule::resolve(&crds::ReleaseSpec { git: Some(git), ..spec(">=1.0.0") }).unwrap()
}

fn minutes_ago(minutes: i64) -> Option<Timestamp> {
    noon().checked_sub(SignedDuration::from_mins(minutes)).ok()
}

/// A tag at a commit, noticed so many minutes ago.
fn tag(name: &str, commit: &str, minutes: i64, trust: Trust) -> (String, GitTag) {
    let tag = GitTag { commit: commit.to_owned(), noticed_at: minutes_ago(minutes), trust };
    (name.to_owned(), tag)
}

fn plain(name: &str, minutes: i64) -> (String, GitTag) {
    tag(name, name, minutes, Trust::Unread)
}

fn listing(tags: &[&str]) -> Listing {
    let images = tags.iter().map(|tag| image(&[tag], &digest(None, tag))).collect();
    Listing::complete(images, noon())
}

fn past(version: &str) -> Past {
    Past { chosen: Some(chosen(version, &digest(None, version))), ..Past::default() }
}

fn decide(
    rule: &Rule,
    images: &[&str],
    tags: impl IntoIterator<Item = (String, GitTag)>,
    past: &Past,
) -> Decision {
    let git: BTreeMap<String, GitTag> = tags.into_iter().collect();
    let facts = Facts { git: Some(git), ..Facts::default() };
    choose(rule, &listing(images), &facts, past, noon())
}

#[test]
fn a_version_without_a_tag_in_git_is_no_candidate() {
    let (images, past) = (["1.0.0", "1.1.0", "1.2.0"], past("1.0.0"));
    let decision = decide(&rule(false), &images, [plain("v1.0.0", 0), plain("v1.1.0", 0)], &past);
    assert!(matches!(&decision.choice, Choice::Chosen { tag, .. } if tag == "1.1.0"));
    assert_eq!(decision.candidates, 2);
    let none = decide(&rule(false), &images, [plain("nightly", 0)], &Past::default());
    assert_eq!(none.choice.reason(), Reason::VersionMissing);
    assert!(none.choice.why().contains("3 without a tag in Git"), "{}", none.choice.why());
}

#[test]
fn nothing_is_chosen_while_the_tags_have_not_been_read() {
    let decision =
        choose(&rule(false), &listing(&["1.1.0"]), &Facts::default(), &past("1.0.0"), noon());
    assert_eq!(decision.choice.reason(), Reason::VersionPending);
}

#[test]
fn an_image_is_awaited_for_its_time_and_missed_afterwards() {
    let tags = |minutes| [plain("v1.0.0", 0), plain("v1.1.0", minutes), plain("v0.9.0", 0)];
    let waits = decide(&rule(false), &["1.0.0"], tags(4), &past("1.0.0"));
    let Choice::Pending { why, until } = &waits.choice else { panic!("{waits:?}") };
    assert!(why.starts_with("v1.1.0 was tagged in Git, noticed at 2026-11-21T11:56:00Z"), "{why}");
    assert_eq!(*until, noon().checked_add(SignedDuration::from_mins(26)).ok());
    assert_eq!(waits.waiting.len(), 1, "0.9.0 is behind");
    let late = decide(&rule(false), &["1.0.0"], tags(30), &past("1.0.0"));
    assert_eq!(late.choice.reason(), Reason::VersionMissing);
    assert!(
        late.choice.why().starts_with("1.0.0 stays: the image of v1.1.0 has not come within 30m")
    );
    // What is awaited keeps nothing lower from being taken.
    let lower = [plain("v1.0.0", 0), plain("v1.1.0", 0), plain("v1.2.0", 1)];
    let taken = decide(&rule(false), &["1.0.0", "1.1.0"], lower, &past("1.0.0"));
    assert!(matches!(&taken.choice, Choice::Chosen { tag, .. } if tag == "1.1.0"));
    assert_eq!(taken.waiting[0].tag, "v1.2.0");
}

#[test]
fn a_tag_has_to_be_one_commit_and_signed_where_that_is_asked_for() {
    let twins = [tag("v1.1.0", "a", 0, Trust::Unread), tag("1.1.0", "b", 0, Trust::Unread)];
    let refused = decide(&rule(false), &["1.1.0"], twins, &Past::default());
    assert!(refused.choice.why().contains("1.1.0 is several commits in Git"), "{refused:?}");
    let with =
        |trust| decide(&rule(true), &["1.1.0"], [tag("v1.1.0", "a", 0, trust)], &Past::default());
    let unread = with(Trust::Unread);
    assert_eq!(
        unread.wants.into_iter().collect::<Vec<_>>(),
        [Want::GitTag { tag: "v1.1.0".to_owned() }]
    );
    let bad = with(Trust::Refused("cannot trust tag v1.1.0".to_owned()));
    assert!(bad.choice.why().contains("cannot trust tag v1.1.0"));
    assert!(matches!(with(Trust::Signed).choice, Choice::Chosen { .. }));
}

#[test]
fn what_is_awaited_is_higher_wanted_and_not_there() {
    let tags = ["v1.0.0", "v1.1.0", "1.3.0", "v1.2.0", "v0.1.0", "v2.0.0-rc.1", "main"];
    let found = awaited(&rule(false), &listing(&["1.0.0", "1.2.0"]), &tags, &past("1.0.0"));
    assert_eq!(found, ["1.3.0", "v1.1.0"]);
    assert_eq!(git_tag_of(&rule(false), &tags, "1.2.0"), Some("v1.2.0"));
    assert_eq!(git_tag_of(&rule(false), &tags, "1.9.0"), None);
    let wanted = wanted_tags(&rule(false), tags);
    assert_eq!(wanted, ["1.3.0", "v1.2.0", "v1.1.0", "v1.0.0"]);
}

#[test]
fn git_tags_and_a_tag_that_moves_do_not_go_together() {
    let git = ReleaseGit { url: "x".to_owned(), wait: None, verify: None };
    let wrong = Rule::resolve(&crds::ReleaseSpec { git: Some(git), ..spec("tag=main") });
    assert!(wrong.unwrap_err()[0].message.contains("has no versions that Git tags could name"));
}
