//! `wait`: it ends when it should, and not before.

use std::time::Duration;

use super::world::{World, key, object, ready, spec};

const COMMIT: &str = "9f3c2ab41d7e5a60b8c1";

#[tokio::test]
async fn what_is_so_already_is_not_waited_for() {
    let world = World::new().await;
    world.statuses.publish(ready("shop/web"));
    world.statuses.publish(object("shop/api", ("Stalled", "RolledBack"), 1));
    for (arguments, sentence) in [
        (&["wait", "web"][..], "shop/web is Healthy, Synced: RolloutSucceeded: 1 of 2 tasks run\n"),
        (&["wait", "web", "--for", "synced"], "shop/web is Healthy, Synced"),
        (&["wait", "web", "--for", "healthy"], "shop/web is Healthy, Synced"),
        (&["wait", "api", "--for", "stalled"], "shop/api is Degraded, OutOfSync: RolledBack"),
        (&["wait", "none", "--for", "gone"], ""),
    ] {
        let run = world.run(arguments).await;
        assert_eq!(run.code, 0, "{arguments:?}: {run:?}");
        assert!(run.out.starts_with(sentence), "{arguments:?}: {}", run.out);
    }
}

#[tokio::test]
async fn a_name_with_several_meanings_is_not_gone() {
    let world = World::new().await;
    world.statuses.publish(ready("shop/web"));
    world.statuses.publish(ready("data/web"));
    let run = world.run(&["wait", "web", "--for", "gone"]).await;
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.err.contains("say which of `data/web`, `shop/web`"), "{}", run.err);
}

#[tokio::test]
async fn what_comes_about_later_is_noticed() {
    let world = World::new().await;
    world.statuses.publish(object("shop/web", ("Reconciling", "RolloutInProgress"), 1));
    world.statuses.publish(ready("shop/api"));
    let later = async {
        tokio::time::sleep(Duration::from_millis(800)).await;
        world.statuses.publish(ready("shop/web"));
    };
    let (run, ()) = tokio::join!(world.run(&["wait", "api", "web", "--output", "json"]), later);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(run.json()["reached"], true);
    assert_eq!(run.json()["services"][1]["status"]["health"], "Healthy");
    let removed = async {
        tokio::time::sleep(Duration::from_millis(800)).await;
        world.statuses.remove(&key("shop/web"));
    };
    let (run, ()) = tokio::join!(world.run(&["wait", "web", "--for", "gone"]), removed);
    assert_eq!((run.code, run.out.as_str()), (0, "shop/web is gone\n"));
}

#[tokio::test]
async fn what_will_not_come_about_is_not_waited_for() {
    let world = World::new().await;
    world.statuses.publish(object("shop/web", ("Stalled", "RolledBack"), 1));
    let run = world.run(&["wait", "web", "--timeout", "1h"]).await;
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.out.contains("RolledBack"), "{}", run.out);
    world.statuses.publish(object("shop/web", ("Reconciling", "RolloutInProgress"), 1));
    let run = world.run(&["wait", "web", "--timeout", "1s"]).await;
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.err.contains("it was not so within 1s"), "{}", run.err);
    assert!(run.out.contains("RolloutInProgress"), "it says how things stand: {}", run.out);
}

#[tokio::test]
async fn the_status_of_an_older_spec_does_not_count() {
    let world = World::new().await;
    world.statuses.publish(ready("shop/web"));
    world.commit(&spec(2)).await;
    assert_eq!(world.run(&["wait", "web"]).await.code, 0);
    world.commit(&spec(3)).await;
    let run = world.run(&["wait", "web", "--timeout", "1s"]).await;
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.out.contains("a newer spec has not been looked at yet"), "{}", run.out);
    let later = async {
        tokio::time::sleep(Duration::from_millis(800)).await;
        world.statuses.publish(object("shop/web", ("Ready", "RolloutSucceeded"), 2));
    };
    let (run, ()) = tokio::join!(world.run(&["wait", "web"]), later);
    assert_eq!(run.code, 0, "{run:?}");
}

#[tokio::test]
async fn a_commit_has_to_be_read_first() {
    let world = World::new().await;
    world.statuses.publish(ready("shop/web"));
    world.read_source("0000000000000000");
    let run = world.run(&["wait", "web", "--commit", COMMIT, "--timeout", "1s"]).await;
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.out.contains("not read at that commit"), "{}", run.out);
    let later = async {
        tokio::time::sleep(Duration::from_millis(800)).await;
        world.read_source(COMMIT);
    };
    let words = ["wait", "web", "--commit", &COMMIT[..12]];
    let (run, ()) = tokio::join!(world.run(&words), later);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(world.run(&["wait", "web", "--commit", "main"]).await.code, 2);
}
