//! Which revisions of a family are no longer needed.
//!
//! Deregistering cannot be taken back, and a revision may be named by things that nobody here can see (a schedule, a pipeline).
//! So every doubt keeps it: what is not known to be ours, old and unnamed stays.

use std::collections::BTreeSet;

use crds::OwnerName;

use crate::observed::ObservedTaskDefinition;
use crate::ownership::{self, Ownership};

/// The ACTIVE revisions that are neither among the newest `keep` nor named by anything, oldest first.
///
/// `active` is the complete list of the family's ACTIVE revisions; `named` holds every revision that a service, a deployment
/// or a task names, as an ARN or as `family:revision`. If any entry of the list cannot be read as a revision, nothing is
/// surplus.
pub fn surplus<'a>(active: &'a [String], named: &BTreeSet<String>, keep: usize) -> Vec<&'a str> {
    let named: BTreeSet<&str> = named.iter().map(|name| short(name)).collect();
    let numbered: Option<Vec<(u64, &str)>> =
        active.iter().map(|arn| Some((number(arn)?, arn.as_str()))).collect();
    let Some(mut numbered) = numbered else { return Vec::new() };
    numbered.sort_unstable_by(|one, other| other.cmp(one));
    numbered.dedup();
    let old = numbered.into_iter().skip(keep).map(|(_, arn)| arn);
    let mut surplus: Vec<&str> = old.filter(|arn| !named.contains(short(arn))).collect();
    surplus.reverse();
    surplus
}

/// Whether a revision is one that this operator registered and that is still ACTIVE.
pub fn is_ours(revision: &ObservedTaskDefinition, owner: &OwnerName) -> bool {
    let registered_by_us = ownership::ownership(&revision.tags, owner) == Ownership::Ours;
    revision.is_active && registered_by_us && revision.content_hash.is_some()
}

/// `family:revision`.
fn short(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

fn number(arn: &str) -> Option<u64> {
    short(arn).rsplit_once(':')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn arn(number: u64) -> String {
        format!("arn:aws:ecs:eu-west-1:111122223333:task-definition/shop-web:{number}")
    }

    fn names(of: &[&str]) -> BTreeSet<String> {
        of.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_newest_stay_by_number_and_not_by_the_order_of_the_list() {
        let active: Vec<String> = [2, 11, 9, 10, 1].map(arn).to_vec();
        assert_eq!(surplus(&active, &BTreeSet::new(), 3), [arn(1), arn(2)]);
        assert_eq!(surplus(&active, &BTreeSet::new(), 5), [""; 0]);
    }

    #[test]
    fn what_is_named_stays_however_it_is_named() {
        let active: Vec<String> = (1..=6).map(arn).collect();
        let named = names(&[&arn(1), "shop-web:3", "other:2"]);
        assert_eq!(surplus(&active, &named, 2), [arn(2), arn(4)]);
    }

    #[test]
    fn a_list_that_cannot_be_read_keeps_everything() {
        let mut active: Vec<String> = (1..=6).map(arn).collect();
        active.push("arn:aws:ecs:eu-west-1:111122223333:task-definition/shop-web".to_owned());
        assert_eq!(surplus(&active, &BTreeSet::new(), 1), [""; 0]);
    }

    #[test]
    fn only_what_we_registered_and_is_active_is_ours() {
        let revision = |status: &str, tags: serde_json::Value| {
            let answer = json!({"taskDefinition": {"taskDefinitionArn": arn(1), "status": status}, "tags": tags});
            is_ours(&ObservedTaskDefinition::from_describe(&answer), &"prod".parse().unwrap())
        };
        let owner = |name: &str| json!({"key": ownership::OWNER, "value": name});
        let hash = json!({"key": ownership::SPEC_HASH, "value": "ab"});
        assert!(revision("ACTIVE", json!([owner("prod"), hash])));
        assert!(!revision("INACTIVE", json!([owner("prod"), hash])));
        assert!(!revision("ACTIVE", json!([owner("staging"), hash])));
        assert!(!revision("ACTIVE", json!([hash])));
        // Somebody copied the owner's tag on a revision of their own.
        assert!(!revision("ACTIVE", json!([owner("prod")])));
    }

    proptest! {
        #[test]
        fn what_never_happens(
            numbers in proptest::collection::btree_set(1_u64..60, 0..40),
            named in proptest::collection::btree_set(1_u64..60, 0..10),
            keep in 1_usize..20,
        ) {
            let active: Vec<String> = numbers.iter().copied().map(arn).collect();
            let named: BTreeSet<String> = named.into_iter().map(arn).collect();
            let surplus = surplus(&active, &named, keep);
            prop_assert!(surplus.iter().all(|arn| !named.contains(*arn)));
            prop_assert!(active.len() - surplus.len() >= keep.min(active.len()));
            for newest in numbers.iter().rev().take(keep) {
                prop_assert!(!surplus.contains(&arn(*newest).as_str()));
            }
        }
    }
}
