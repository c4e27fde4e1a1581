//! The board as its users see it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crds::{Health, ObjectKey, SourceRevision, SyncStatus};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;

const START: i64 = 1_795_000_000;

fn store() -> StatusStore {
    StatusStore::new(|| Timestamp::from_second(START).unwrap())
}

fn key(name: &str) -> ObjectKey {
    ObjectKey {
        target: "default".parse().unwrap(),
        cluster: "shop".parse().unwrap(),
        name: name.parse().unwrap(),
    }
}

fn condition(kind: &str, status: &str, reason: &str, message: &str) -> Value {
    json!({"type": kind, "status": status, "reason": reason, "message": message, "observedGeneration": 1,
        "lastTransitionTime": "2026-11-18T20:26:40Z"})
}

fn status(sync: &str, health: &str, conditions: &[Value]) -> Value {
    json!({"observedGeneration": 1, "sync": sync, "health": health, "conditions": conditions})
}

fn object(key: ObjectKey, status: Value) -> ServiceObject {
    let metadata = json!({"name": key.name.as_str(), "labels": {"team": "Shop"}});
    ServiceObject {
        key,
        metadata: serde_json::from_value(metadata).unwrap(),
        provenance: None,
        spec: Arc::new(SpecText::from(&json!({"cluster": "shop"}))),
        status: serde_json::from_value(status).unwrap(),
        invalid: Vec::new(),
    }
}

fn healthy(name: &str) -> ServiceObject {
    let ready = condition("Ready", "True", "RolloutSucceeded", "in force");
    object(key(name), status("Synced", "Healthy", &[ready]))
}

fn degraded(name: &str) -> ServiceObject {
    let stalled = condition("Stalled", "True", "RolledBack", "exit code 1");
    object(key(name), status("OutOfSync", "Degraded", &[stalled]))
}

fn source(name: &str) -> SourceObject {
    SourceObject::unread(name.parse().unwrap(), SourceKind::Git, "https://bot:pw@example.com/x.git")
}

fn names(page: &Page) -> Vec<&str> {
    page.items.iter().map(|object| object.key.name.as_str()).collect()
}

#[test]
fn a_list_is_in_the_order_of_keys_and_counts_what_it_leaves_out() {
    let store = store();
    for name in ["c", "a", "b"] {
        store.publish(healthy(name));
    }
    store.publish(degraded("d"));
    let page = store.list(&Query { health: vec![Health::Healthy], limit: 2, ..Query::default() });
    assert_eq!(names(&page), ["a", "b"]);
    assert_eq!((page.total, page.unfiltered, page.counts.all), (3, 4, 4));
    assert_eq!(page.counts.health[&Health::Degraded], 1);
    assert_eq!(page.counts.sync[&SyncStatus::Synced], 3);
    assert_eq!(page.after, Some(key("b")));
}

#[test]
fn paging_neither_repeats_nor_skips_when_services_come_and_go() {
    let store = store();
    for name in ["a", "c", "e", "g"] {
        store.publish(healthy(name));
    }
    let first = store.list(&Query { limit: 2, ..Query::default() });
    assert_eq!(names(&first), ["a", "c"]);
    store.remove(&key("c"));
    store.publish(healthy("b"));
    store.publish(healthy("d"));
    let second = store.list(&Query { limit: 2, after: first.after, ..Query::default() });
    assert_eq!(names(&second), ["d", "e"]);
    let third = store.list(&Query { limit: 2, after: second.after, ..Query::default() });
    assert_eq!(names(&third), ["g"]);
    assert_eq!(third.after, None);
}

#[test]
fn a_page_that_ends_with_the_list_has_no_next() {
    let store = store();
    store.publish(healthy("a"));
    store.publish(healthy("b"));
    assert_eq!(store.list(&Query { limit: 2, ..Query::default() }).after, None);
}

#[test]
fn every_word_of_a_search_has_to_occur_somewhere() {
    let store = store();
    store.publish(healthy("web"));
    store.publish(degraded("worker"));
    let search = |text: &str| {
        let page = store.list(&Query { text: text.to_owned(), ..Query::default() });
        names(&page).join(",")
    };
    assert_eq!(search("SHOP/w"), "web,worker");
    assert_eq!(search("team=shop rolledback"), "worker");
    assert_eq!(search("web rolledback"), "");
}

#[test]
fn the_same_name_at_two_targets_is_two_services() {
    let store = store();
    let elsewhere = ObjectKey { target: "eu".parse().unwrap(), ..key("web") };
    store.publish(healthy("web"));
    store.publish(object(elsewhere.clone(), status("Synced", "Healthy", &[])));
    let found = store.named(&"shop".parse().unwrap(), &"web".parse().unwrap());
    assert_eq!(found.iter().map(|it| &it.key).collect::<Vec<_>>(), [&key("web"), &elsewhere]);
}

#[tokio::test]
async fn only_what_is_visible_wakes_watchers() {
    let store = store();
    let mut watcher = store.subscribe(None);
    assert!(store.publish(healthy("web")));
    assert!(!store.publish(healthy("web")), "nothing is different");
    assert!(store.publish(degraded("web")));
    assert!(store.remove(&key("web")));
    assert!(!store.remove(&key("web")));
    let told = |update: &Update| match update {
        Update::Change(Change { what: Changed::Service(it), .. }) => {
            format!("{:?}", it.status.health)
        }
        Update::Change(Change { what: Changed::ServiceRemoved(key), .. }) => {
            format!("{key} is gone")
        }
        Update::Change(_) | Update::Resync(_) => panic!("{update:?}"),
    };
    for expected in ["Healthy", "Degraded", "shop/web is gone"] {
        assert_eq!(told(&watcher.next().await.unwrap()), expected);
    }
}

#[test]
fn reading_a_source_again_is_no_change_but_keeps_the_time() {
    let store = store();
    let read_at = |seconds| SourceObject {
        revision: Some(SourceRevision::new("abc")),
        fetched_at: Some(Timestamp::from_second(START + seconds).unwrap()),
        ..source("fleet")
    };
    assert!(store.publish_source(source("fleet")));
    assert!(store.publish_source(read_at(0)));
    assert!(!store.publish_source(read_at(60)));
    assert_eq!(store.sources()[0].fetched_at, read_at(60).fetched_at);
    assert!(store.publish_source(SourceObject { error: Some("timeout".into()), ..read_at(60) }));
}

#[test]
fn credentials_never_stay_on_the_board() {
    let store = store();
    let error = Some("cannot fetch https://bot:pw@example.com/x.git".to_owned());
    store.publish_source(SourceObject { error, ..source("fleet") });
    let seen = format!("{:?} {:?}", store.sources(), store.events(10));
    assert!(!seen.contains("pw"), "{seen}");
    assert!(seen.contains("https://***@example.com/x.git"));
}

#[tokio::test]
async fn a_watcher_that_comes_back_is_told_only_what_it_missed() {
    let store = store();
    for name in ["a", "b", "c"] {
        store.publish(healthy(name));
    }
    let left = store.version();
    store.publish(degraded("b"));
    store.remove(&key("c"));
    let start = store.subscribe(Some(left)).start;
    assert!(!start.complete);
    assert_eq!(start.services.iter().map(|it| it.key.clone()).collect::<Vec<_>>(), [key("b")]);
    assert_eq!(start.removed, [key("c")]);
    assert_eq!(start.version, store.version());

    let of_another = Version { epoch: left.epoch.wrapping_add(1), ..left };
    let start = store.subscribe(Some(of_another)).start;
    assert!(start.complete && start.services.len() == 2 && start.removed.is_empty());

    let of_the_future = Version { number: 1000, ..left };
    assert!(store.subscribe(Some(of_the_future)).start.complete);
}

#[tokio::test]
async fn what_was_removed_and_came_back_is_not_told_as_removed() {
    let store = store();
    store.publish(healthy("a"));
    let left = store.version();
    store.remove(&key("a"));
    store.publish(healthy("a"));
    let start = store.subscribe(Some(left)).start;
    assert_eq!((start.services.len(), start.removed.len()), (1, 0));
}

#[tokio::test]
async fn a_watcher_that_is_too_slow_starts_over_and_then_goes_on() {
    let store = store();
    let mut watcher = store.subscribe(None);
    for turn in 0..=CHANGES_BUFFERED {
        store.publish(if turn % 2 == 0 { healthy("a") } else { degraded("a") });
    }
    let Some(Update::Resync(start)) = watcher.next().await else { panic!("it was not too slow") };
    assert!(start.complete);
    assert_eq!(start.version, store.version());
    store.publish(healthy("b"));
    let Some(Update::Change(change)) = watcher.next().await else { panic!("it did not go on") };
    assert_eq!(change.version, store.version());
}

#[test]
fn transitions_become_events_and_first_sights_do_not() {
    let time = Arc::new(AtomicI64::new(START));
    let read = Arc::clone(&time);
    let store =
        StatusStore::new(move || Timestamp::from_second(read.load(Ordering::SeqCst)).unwrap());
    store.publish(healthy("web"));
    assert!(store.events(10).is_empty());
    time.fetch_add(60, Ordering::SeqCst);
    store.publish(degraded("web"));
    let events = store.events_of(&key("web"), 10);
    let told: Vec<_> = events
        .iter()
        .map(|it| (it.kind, it.level, it.reason.as_str(), it.message.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (
                EventKind::Health,
                EventLevel::Warning,
                "RolledBack",
                "Healthy -> Degraded: exit code 1"
            ),
            (EventKind::Sync, EventLevel::Info, "OutOfSync", "Synced -> OutOfSync"),
        ]
    );
    assert_eq!(events[0].time.as_second(), START + 60);
    assert_eq!(store.events(10), events);
}

#[test]
fn what_is_degraded_from_the_start_is_told() {
    let store = store();
    store.publish(degraded("web"));
    assert_eq!(store.events(10)[0].message, "Degraded: exit code 1");
}

#[test]
fn events_are_bounded_for_one_and_for_all() {
    let store = store();
    for turn in 0..2000 {
        store.publish(if turn % 2 == 0 { healthy("a") } else { degraded("a") });
    }
    assert_eq!(store.events_of(&key("a"), usize::MAX).len(), 20);
    assert_eq!(store.events(usize::MAX).len(), 1000);
}

#[test]
fn an_error_that_a_source_and_its_service_tell_is_told_once() {
    let store = store();
    let invalid = crds::InvalidObject {
        source: "fleet".into(),
        file: "a.yaml".into(),
        position: None,
        path: String::new(),
        message: "broken".into(),
        hint: None,
        key: Some(key("a")),
    };
    store.publish_source(SourceObject { invalid: vec![invalid.clone()], ..source("fleet") });
    store.publish(ServiceObject { invalid: vec![invalid.clone()], ..healthy("a") });
    store.publish(ServiceObject {
        invalid: vec![crds::InvalidObject { file: "b.yaml".into(), ..invalid }],
        ..healthy("b")
    });
    let (shown, total) = store.invalid(1);
    assert_eq!((shown.len(), total), (1, 2));
}

#[test]
fn readiness_says_what_it_waits_for() {
    let store = store();
    assert_eq!(store.readiness().missing, ["the first pass over the sources has not ended yet"]);
    store.publish_source(source("fleet"));
    assert_eq!(store.readiness().missing, ["source `fleet` has not been read yet"]);
    store.publish_source(SourceObject { error: Some("timeout".into()), ..source("fleet") });
    let unobserved = condition("Ready", "Unknown", "NotYetObserved", "");
    store.publish(object(key("web"), status("Unknown", "Unknown", &[unobserved])));
    store.publish(healthy("api"));
    assert_eq!(store.readiness().missing, ["1 of 2 services have not been looked at yet"]);
    store.set_ready(true);
    assert_eq!(store.readiness(), Readiness { ready: true, missing: Vec::new() });
}

#[test]
fn ids_of_versions_read_back() {
    let version = Version { epoch: u64::MAX, number: 42 };
    assert_eq!(version.to_string().parse(), Ok(version));
    for text in ["", "12", "x-1", "1-x", "1-2-3"] {
        assert!(text.parse::<Version>().is_err(), "{text}");
    }
}
