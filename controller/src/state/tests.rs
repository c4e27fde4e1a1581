//! The same promises for every place: changed as read, absent is empty, unreadable is an error.

use std::convert::Infallible;
use std::path::Path;

use crds::{Order, Verb};
use planner::orders::Orders;
use sandbox::{Fault, FaultKind, Fixtures, Sandbox, SandboxTime};
use tempfile::TempDir;

use super::*;
use crate::aws::{Aws, ConnectOptions};

fn key(name: &str) -> ObjectKey {
    ObjectKey {
        target: crds::TargetName::default(),
        cluster: "shop".parse().unwrap(),
        name: name.parse().unwrap(),
    }
}

fn hold(id: u64, actor: &str) -> Order {
    serde_json::from_value(serde_json::json!({
        "id": id, "verb": Verb::Hold, "actor": actor, "time": "2026-03-01T00:00:00Z",
    }))
    .unwrap()
}

async fn write(store: &StateStore, name: &str, actor: &str) {
    let changed = store
        .change(&key(name), |record| {
            record.taken += 1;
            record.orders.hold = Some(hold(record.taken, actor));
            Ok::<(), Infallible>(())
        })
        .await;
    changed.unwrap().unwrap();
}

/// A bucket in an AWS of its own, seen by two operators.
async fn buckets() -> (Sandbox, StateStore, StateStore) {
    let sandbox = Sandbox::new(Fixtures::default());
    let time = SandboxTime::new("2026-03-01T00:00:00Z".parse().unwrap(), 1.0);
    let create = http::Request::builder().method("PUT").uri("/state").body(bytes::Bytes::new());
    assert!(sandbox.handle(time.now(), &create.unwrap()).status().is_success());
    let options = ConnectOptions::in_process(sandbox.http_client(time));
    let aws = Aws::connect(&[], options).await.unwrap();
    let store = || StateStore::in_bucket(aws.s3(None), "state".to_owned(), "prod/".to_owned());
    (sandbox, store(), store())
}

async fn keeps_and_forgets(store: &StateStore) {
    assert_eq!(*store.read(&key("web")).await.unwrap(), Record::default());
    write(store, "web", "ann").await;
    write(store, "api", "bob").await;
    write(store, "web", "eve").await;
    let record = store.read(&key("web")).await.unwrap();
    assert_eq!((record.taken, record.orders.hold.clone()), (2, Some(hold(2, "eve"))));
    assert_eq!(store.read(&key("api")).await.unwrap().orders.hold, Some(hold(1, "bob")));
    let refused: Result<Result<(), &str>, _> = store
        .change(&key("web"), |record| {
            *record = Record::default();
            Err("no")
        })
        .await;
    assert_eq!(refused, Ok(Err("no")));
    assert_eq!(store.read(&key("web")).await.unwrap().taken, 2, "a refusal changed something");
    let forget = |record: &mut Record| {
        *record = Record::default();
        Ok::<(), Infallible>(())
    };
    store.change(&key("web"), forget).await.unwrap().unwrap();
    assert_eq!(*store.read(&key("web")).await.unwrap(), Record::default());
    assert_eq!(store.read(&key("api")).await.unwrap().taken, 1);
}

#[tokio::test(start_paused = true)]
async fn every_place_keeps_and_forgets() {
    keeps_and_forgets(&StateStore::in_memory()).await;
    let folder = TempDir::new().unwrap();
    keeps_and_forgets(&StateStore::in_directory(folder.path().join("state"))).await;
    let (_sandbox, store, _) = buckets().await;
    keeps_and_forgets(&store).await;
}

#[tokio::test]
async fn a_directory_outlives_the_process_and_holds_whole_files_only() {
    let folder = TempDir::new().unwrap();
    write(&StateStore::in_directory(folder.path().to_owned()), "web", "ann").await;
    // A process that died while it wrote has left this.
    std::fs::write(folder.path().join("default/shop/web.json.new"), "{").unwrap();
    let store = StateStore::in_directory(folder.path().to_owned());
    assert_eq!(store.read(&key("web")).await.unwrap().orders.hold, Some(hold(1, "ann")));
    write(&store, "web", "bob").await;
    assert_eq!(store.read(&key("web")).await.unwrap().orders.hold, Some(hold(2, "bob")));
    let names: Vec<_> = std::fs::read_dir(folder.path().join("default/shop"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["web.json"]);
}

#[tokio::test]
async fn what_cannot_be_read_is_an_error_and_is_never_written_over() {
    let folder = TempDir::new().unwrap();
    let store = StateStore::in_directory(folder.path().to_owned());
    write(&store, "web", "ann").await;
    let file = folder.path().join("default/shop/web.json");
    let good = std::fs::read_to_string(&file).unwrap();
    for (bad, told) in [
        (String::new(), "EOF"),
        ("{\"form\": 1".to_owned(), "EOF"),
        (good.replace("\"form\": 1", "\"form\": 2"), "form 2"),
        (good.replace("\"web\"", "\"api\""), "the document of shop/api"),
        (good.replace("\"hold\"", "\"held\""), "unknown"),
        (" ".repeat(1 << 21), "more than 1048576 bytes"),
    ] {
        std::fs::write(&file, &bad).unwrap();
        let error = store.read(&key("web")).await.unwrap_err().to_string();
        assert!(error.starts_with("cannot read the state of shop/web: "), "{error}");
        assert!(error.contains(told), "{error}");
        let change = |record: &mut Record| {
            record.orders = Orders::default();
            Ok::<(), Infallible>(())
        };
        assert!(store.change(&key("web"), change).await.is_err());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), bad);
    }
    std::fs::write(&file, good).unwrap();
    assert_eq!(store.read(&key("web")).await.unwrap().orders.hold, Some(hold(1, "ann")));
}

#[tokio::test]
async fn writers_at_the_same_time_lose_nothing() {
    async fn race(stores: [StateStore; 2]) {
        let writers = (0..16).map(|index| {
            let store = stores[index % 2].clone();
            tokio::spawn(async move {
                let add = |record: &mut Record| {
                    record.taken += 1;
                    record.orders.hold = Some(hold(record.taken, "x"));
                    Ok::<(), Infallible>(())
                };
                // Somebody who loses five times in a row is told so and asks again.
                while store.change(&key("web"), add).await.is_err() {}
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await.unwrap();
        }
        let taken = stores[0].read(&key("web")).await.unwrap().taken;
        let web = key("web");
        let other = stores[1].change(&web, |record| Ok::<u64, Infallible>(record.taken));
        assert_eq!((taken.max(other.await.unwrap().unwrap())), 16);
    }
    let folder = TempDir::new().unwrap();
    let open = |path: &Path| StateStore::in_directory(path.to_owned());
    race([open(folder.path()), open(folder.path())]).await;
    let memory = StateStore::in_memory();
    race([memory.clone(), memory]).await;
}

#[tokio::test(start_paused = true)]
async fn of_two_writers_of_an_object_one_wins_and_the_other_adds_to_it() {
    let (_sandbox, one, other) = buckets().await;
    write(&one, "web", "ann").await;
    // The other one has listed the bucket before, and does not know that anything is there.
    assert_eq!(other.read(&key("web")).await.unwrap().taken, 1);
    write(&one, "web", "bob").await;
    assert_eq!(other.read(&key("web")).await.unwrap().taken, 1, "the listing is not that old");
    write(&other, "web", "eve").await;
    let record = other.read(&key("web")).await.unwrap();
    assert_eq!((record.taken, record.orders.hold.clone()), (3, Some(hold(3, "eve"))));
    tokio::time::sleep(std::time::Duration::from_secs(30)).await;
    assert_eq!(one.read(&key("web")).await.unwrap().taken, 3);
}

#[tokio::test(start_paused = true)]
async fn a_bucket_that_cannot_be_listed_keeps_what_was_read_and_knows_nothing_more() {
    let (sandbox, one, other) = buckets().await;
    write(&one, "web", "ann").await;
    let kind = || FaultKind::Error {
        code: "AccessDenied".to_owned(),
        message: "no".to_owned(),
        status: 403,
    };
    for operation in ["ListObjectsV2", "PutObject", "DeleteObject"] {
        sandbox.inject(Fault { times: None, ..Fault::once("s3", operation, kind()) });
    }
    tokio::time::sleep(std::time::Duration::from_mins(5)).await;
    assert_eq!(one.read(&key("web")).await.unwrap().orders.hold, Some(hold(1, "ann")));
    assert!(other.read(&key("web")).await.is_err(), "unknown was taken for nothing");
    let change = |record: &mut Record| {
        record.orders.hold = None;
        Ok::<(), Infallible>(())
    };
    assert!(one.change(&key("web"), change).await.is_err());
    assert_eq!(one.read(&key("web")).await.unwrap().orders.hold, Some(hold(1, "ann")));
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_answer_is_lost_is_read_again() {
    let (sandbox, one, other) = buckets().await;
    write(&one, "web", "ann").await;
    sandbox.inject(Fault::once("s3", "PutObject", FaultKind::DropReply));
    let release = |record: &mut Record| {
        record.orders.hold = None;
        record.orders.suspension = Some(hold(7, "eve"));
        Ok::<(), Infallible>(())
    };
    one.change(&key("web"), release).await.unwrap().unwrap();
    let record = other.read(&key("web")).await.unwrap();
    assert_eq!(record.orders.suspension, Some(hold(7, "eve")));
    assert_eq!(record.orders.hold, None);
}
