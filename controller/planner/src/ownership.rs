//! Whose a service is: read from tags, because tags outlive every process and every file.

use std::collections::{BTreeMap, BTreeSet};

use crds::{DeletionPolicy, ObjectKey, OwnerName, Provenance, ReleaseName, SourceName, SpecHash};
use serde_json::json;

/// The operator that manages the resource.
pub const OWNER: &str = "longshore.dev/owner";
/// The source that its spec came from.
pub const SOURCE: &str = "longshore.dev/source";
/// The source's revision in which the spec in force was read.
pub const COMMIT: &str = "longshore.dev/commit";
/// The hash of the spec in force; on a task definition, the hash of its content.
pub const SPEC_HASH: &str = "longshore.dev/spec-hash";
/// What becomes of the service when its spec is gone.
pub const DELETION_POLICY: &str = "longshore.dev/deletion-policy";

/// Digests of the services that this one depends on, so that it is deleted before them.
pub const DEPENDS_ON: &str = "longshore.dev/depends-on";
/// Whether the service must not be deleted: `true`. The annotation of a spec has the same name.
pub const PROTECT: &str = "longshore.dev/protect";

/// A short hash of the versions of the secrets that the running deployment was started with.
pub const SECRETS: &str = "longshore.dev/secrets";
/// The hash of a spec that a person left by a rollback or an abort, or that failed: it is not sent again before it changes or is
/// released.
pub const HELD_SPEC: &str = "longshore.dev/held-spec";
/// The images of that spec, by the beginnings of their digests: no other spec of a release brings them back by itself.
pub const HELD_IMAGES: &str = "longshore.dev/held-images";
/// The hash of the spec whose rollout is about to begin, and the newest rollout that there was before it.
pub const ATTEMPT: &str = "longshore.dev/attempt";

/// On the task of a hook: its phase and name.
pub const HOOK: &str = "longshore.dev/hook";
/// On the task of a hook: the service that it belongs to.
pub const SERVICE: &str = "longshore.dev/service";
/// The stages at which the service's deployment configuration has a pause of ours.
pub const GATES: &str = "longshore.dev/gates";
/// The start of the tags that name the version a release has chosen, as `longshore.dev/version.shop`.
pub const VERSION: &str = "longshore.dev/version.";

/// The prefix of all tags that are ours.
pub const PREFIX: &str = "longshore.dev/";

/// How many tags a resource takes.
pub(crate) const MAX_TAGS: usize = 50;

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// Whose a service is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ownership {
    /// It carries our owner tag.
    Ours,
    /// It carries no owner tag.
    Nobodys,
    /// It carries the owner tag of another operator.
    Another(String),
}

/// The tag that names the version of a release, for people and for an operator that has lost its memory.
pub fn version_tag(release: &ReleaseName) -> String {
    format!("{VERSION}{release}")
}

/// Whether a resource that has these tags takes those as well: 50 at most, those of AWS itself not counted (aws.md §4.1).
pub(crate) fn has_room(tags: &Tags, more: &Tags) -> bool {
    let keys: BTreeSet<&String> = tags.keys().chain(more.keys()).collect();
    keys.into_iter().filter(|key| !key.starts_with("aws:")).count() <= MAX_TAGS
}

/// These tags for a resource that has those already; where there is no room for all, these keys are left out, one after the other.
pub(crate) fn fitting(has: &Tags, mut more: Tags, spare: &[&str]) -> Tags {
    for key in spare {
        if has_room(has, &more) {
            break;
        }
        more.remove(*key);
    }
    more
}

/// Reads the owner off a service's tags.
pub fn ownership(tags: &Tags, owner: &OwnerName) -> Ownership {
    match tags.get(OWNER) {
        None => Ownership::Nobodys,
        Some(found) if found == owner.as_str() => Ownership::Ours,
        Some(found) => Ownership::Another(found.clone()),
    }
}

/// The source that a service says it came from.
pub fn source(tags: &Tags) -> Option<SourceName> {
    tags.get(SOURCE).and_then(|name| name.parse().ok())
}

/// The deletion policy that was written down while the spec still existed. Anything unreadable keeps the service.
pub fn deletion_policy(tags: &Tags) -> DeletionPolicy {
    match tags.get(DELETION_POLICY).map(String::as_str) {
        Some("Delete") => DeletionPolicy::Delete,
        _ => DeletionPolicy::Orphan,
    }
}

/// Whether a service must not be deleted. Anything but `false` protects it.
pub fn is_protected(tags: &Tags) -> bool {
    tags.get(PROTECT).is_some_and(|value| value != "false")
}

/// A service in ten characters: names are too long for all of them to fit a tag.
pub fn digest(key: &ObjectKey) -> String {
    let hash = SpecHash::of(&json!([key.target, key.cluster, key.name]));
    hash.as_str().get(..10).unwrap_or_default().to_owned()
}

/// The digests of the services that a service says it depends on.
pub fn depends_on(tags: &Tags) -> BTreeSet<String> {
    let value = tags.get(DEPENDS_ON).map(String::as_str).unwrap_or_default();
    value.split(' ').filter(|digest| !digest.is_empty()).map(str::to_owned).collect()
}

/// The value of that tag; at most 256 characters for as many as the rules allow.
pub(crate) fn depends_on_value(keys: &[ObjectKey]) -> String {
    keys.iter().map(digest).collect::<Vec<_>>().join(" ")
}

/// The tags of ours that a service should carry.
pub fn service_tags(
    owner: &OwnerName,
    provenance: &Provenance,
    spec_hash: &SpecHash,
    deletion_policy: DeletionPolicy,
) -> Tags {
    let policy = match deletion_policy {
        DeletionPolicy::Delete => "Delete",
        DeletionPolicy::Orphan => "Orphan",
    };
    [
        (OWNER, owner.as_str()),
        (SOURCE, provenance.source.as_str()),
        (COMMIT, provenance.revision.as_str()),
        (SPEC_HASH, spec_hash.as_str()),
        (DELETION_POLICY, policy),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unreadable_policy_keeps_the_service() {
        assert_eq!(deletion_policy(&Tags::new()), DeletionPolicy::Orphan);
        let odd = Tags::from([(DELETION_POLICY.to_owned(), "delete!".to_owned())]);
        assert_eq!(deletion_policy(&odd), DeletionPolicy::Orphan);
        let delete = Tags::from([(DELETION_POLICY.to_owned(), "Delete".to_owned())]);
        assert_eq!(deletion_policy(&delete), DeletionPolicy::Delete);
    }

    #[test]
    fn what_a_service_depends_on_is_read_as_it_was_written() {
        let key = |name: &str| ObjectKey {
            target: crds::TargetName::default(),
            cluster: "shop".parse().unwrap(),
            name: name.parse().unwrap(),
        };
        let keys = [key("api"), key("auth")];
        let tags = Tags::from([(DEPENDS_ON.to_owned(), depends_on_value(&keys))]);
        let digests = keys.iter().map(digest).collect::<BTreeSet<_>>();
        assert_eq!(depends_on(&tags), digests);
        assert!(digests.len() == 2 && digests.iter().all(|digest| digest.len() == 10));
        let nothing = Tags::from([(DEPENDS_ON.to_owned(), String::new())]);
        assert!(depends_on(&nothing).is_empty() && depends_on(&Tags::new()).is_empty());
    }

    #[test]
    fn what_has_no_room_is_left_out_in_its_order() {
        let has = |count: usize| -> Tags {
            let theirs = (0..count).map(|at| (format!("k{at}"), String::new()));
            theirs.chain([("aws:own".to_owned(), String::new())]).collect()
        };
        let more: Tags =
            ["a", "b", "c"].map(|key| (key.to_owned(), String::new())).into_iter().collect();
        for (count, left) in [(47, "abc"), (48, "ac"), (49, "c"), (50, "c")] {
            let fitting = fitting(&has(count), more.clone(), &["b", "a"]);
            assert_eq!(fitting.into_keys().collect::<String>(), left, "{count}");
        }
        // What stands there already needs no room.
        let mut has = has(49);
        has.insert("a".to_owned(), "old".to_owned());
        assert!(has_room(&has, &Tags::from([("a".to_owned(), "new".to_owned())])));
    }

    #[test]
    fn a_source_and_a_version_are_named_by_their_tags() {
        let tags = |value: &str| Tags::from([(SOURCE.to_owned(), value.to_owned())]);
        assert_eq!(source(&tags("fleet")).unwrap().as_str(), "fleet");
        assert_eq!((source(&tags("no name!")), source(&Tags::new())), (None, None));
        assert_eq!(version_tag(&"shop".parse().unwrap()), "longshore.dev/version.shop");
    }
}
