//! What stands in for a lost memory.

use super::harness::{IMAGE, digest, image, noon, spec};
use crate::release::{Listing, Rule, Running, floor};

fn running(image: &str, tag: Option<&str>) -> Running {
    Running { service: "shop/web".to_owned(), image: image.to_owned(), tag: tag.map(str::to_owned) }
}

/// The tag and the digest of the floor.
fn found(policy: &str, running: &[Running]) -> Option<(String, String)> {
    let rule = Rule::resolve(&spec(policy)).unwrap();
    let listed = [("1.0.0", "a"), ("1.1.0", "b"), ("main", "b"), ("1.1.0_2", "b")];
    let images = listed.map(|(tag, letter)| image(&[tag], &digest(Some(letter), "")));
    let listing = Listing::complete(images.to_vec(), noon());
    floor(&rule, &listing, running, noon()).map(|chosen| (chosen.tag, chosen.digest))
}

#[test]
fn the_highest_version_that_runs_is_the_floor() {
    let at = |letter: &str| format!("{IMAGE}@{}", digest(Some(letter), ""));
    let pair = |tag: &str, letter: &str| Some((tag.to_owned(), digest(Some(letter), "")));
    // By our tag, which outlives the image; by the image's own tag; by the digest alone.
    assert_eq!(found(">=1.0.0", &[running(&at("c"), Some("1.9.0"))]), pair("1.9.0", "c"));
    assert_eq!(found(">=1.0.0", &[running(&format!("{IMAGE}:1.0.0"), None)]), pair("1.0.0", "a"));
    assert_eq!(found("1.1.0", &[running(&at("b"), None)]), pair("1.1.0_2", "b"));
    let several = [running(&at("c"), Some("1.9.0")), running(&at("a"), Some("1.0.0"))];
    assert_eq!(found(">=1.0.0", &several), pair("1.9.0", "c"));
    let reversed = [several[1].clone(), several[0].clone()];
    assert_eq!(found(">=1.0.0", &reversed), pair("1.9.0", "c"));
    // A version out of the range was in force all the same.
    assert_eq!(found("<1.5.0", &several), pair("1.9.0", "c"));
}

#[test]
fn what_is_none_of_the_release_is_no_floor() {
    let other = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/other:1.0.0";
    assert_eq!(found(">=1.0.0", &[running(other, Some("1.0.0"))]), None);
    assert_eq!(found(">=1.0.0", &[running(&format!("{IMAGE}:7.0.0"), None)]), None, "not listed");
    assert_eq!(found(">=1.0.0", &[running(&format!("{IMAGE}:main"), None)]), None, "no version");
    assert_eq!(found(">=1.0.0", &[]), None);
}
