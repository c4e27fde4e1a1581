//! A commit that changes one file of 10,000, noticed, fetched and parsed: `cargo bench -p longshore-tests --bench git`.
//! Budget: 200 ms for the fetch from a repository on this machine.
#![recursion_limit = "256"]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench that cannot go on should stop where it stands"
)]
#![allow(missing_docs, reason = "a bench has no interface")]

use std::cell::RefCell;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use controller::inventory::Inventory;
use controller::source::{Access, SourceReader, Variables};
use crds::{GitSource, SourceLocation, SourceName, SyncPolicy};
use divan::Bencher;
use indexmap::IndexMap;
use longshore_tests::specs::{image, service};
use tempfile::TempDir;

const FILES: usize = 10_000;

fn main() {
    divan::main();
}

struct World {
    repository: TempDir,
    _cache: TempDir,
    reader: SourceReader,
    inventory: Inventory,
    commits: usize,
}

fn git(folder: &Path, words: &[&str]) {
    let done = Command::new("git")
        .args(["-c", "user.name=Ada", "-c", "user.email=ada@acme.io", "-c", "gc.auto=0"])
        .args(["-c", "commit.gpgsign=false"])
        .args(words)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

fn fleet() -> SourceName {
    "fleet".parse().unwrap()
}

impl World {
    fn new() -> Self {
        let (repository, cache) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        git(repository.path(), &["init", "--quiet", "--initial-branch=main", "."]);
        for number in 0..FILES {
            write(repository.path(), number, "v1");
        }
        let place = SourceLocation::Git(Box::new(GitSource {
            url: repository.path().display().to_string(),
            ..GitSource::default()
        }));
        let access = Access {
            s3: None,
            cache: cache.path().to_owned(),
            variables: Variables::from_environment(std::env::vars_os()),
            read_secret: Arc::new(|_| Err("there is none".to_owned())),
        };
        let reader = SourceReader::open(&place, access).unwrap();
        let sources = [(fleet(), SyncPolicy::default())];
        let inventory = Inventory::new("test".parse().unwrap(), IndexMap::new(), sources);
        Self { repository, _cache: cache, reader, inventory, commits: 0 }
    }

    fn commit(&mut self) {
        self.commits += 1;
        write(self.repository.path(), 7, &format!("v{}", self.commits));
        git(self.repository.path(), &["add", "--all"]);
        git(self.repository.path(), &["commit", "--quiet", "--message", "change"]);
    }
}

fn write(folder: &Path, number: usize, tag: &str) {
    let name = format!("web-{number}");
    let team = folder.join(format!("team-{}", number % 100));
    std::fs::create_dir_all(&team).unwrap();
    let spec = service(&name, &image(&name, tag));
    std::fs::write(team.join(format!("{name}.json")), spec.to_string()).unwrap();
}

/// From the first command to the snapshot, in which one file is new.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn fetch_one_change_of_10000_files(bencher: Bencher) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let world = RefCell::new(World::new());
    world.borrow_mut().commit();
    runtime.block_on(world.borrow_mut().reader.fetch()).unwrap();
    bencher
        .with_inputs(|| world.borrow_mut().commit())
        .bench_local_values(|()| runtime.block_on(world.borrow_mut().reader.fetch()).unwrap());
}

/// What of it is git's own: the same commands in a cache of their own, whose answers nobody reads.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn git_alone_for_one_change_of_10000_files(bencher: Bencher) {
    const FETCHED: &str = "refs/longshore/fetched";
    let cache = TempDir::new().unwrap();
    git(cache.path(), &["init", "--quiet", "--bare", "--template=", "."]);
    let world = RefCell::new(World::new());
    let commands = || {
        let place = world.borrow().repository.path().display().to_string();
        let into = format!("+HEAD:{FETCHED}");
        git(cache.path(), &["ls-remote", "--quiet", "--", &place, "HEAD"]);
        let options = ["--quiet", "--depth=1", "--no-tags", "--no-write-fetch-head"];
        let arguments = ["--update-shallow", "--", &place, &into];
        git(cache.path(), &[&["fetch"], &options[..], &arguments].concat());
        git(cache.path(), &["cat-file", "commit", FETCHED]);
        git(cache.path(), &["ls-tree", "-r", "-z", "--long", "--full-tree", FETCHED]);
        git(cache.path(), &["cat-file", "blob", &format!("{FETCHED}:team-7/web-7.json")]);
    };
    world.borrow_mut().commit();
    commands();
    bencher.with_inputs(|| world.borrow_mut().commit()).bench_local_values(|()| commands());
}

/// From the snapshot to the keys that need a turn: one.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn take_one_change_of_10000_specs(bencher: Bencher) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let world = RefCell::new(World::new());
    let read = || {
        let mut world = world.borrow_mut();
        world.commit();
        runtime.block_on(world.reader.fetch()).unwrap()
    };
    let snapshot = read();
    assert_eq!(world.borrow_mut().inventory.update(&fleet(), &snapshot).len(), FILES);
    bencher.with_inputs(read).bench_local_values(|snapshot| {
        let changed = world.borrow_mut().inventory.update(&fleet(), &snapshot);
        assert_eq!(changed.len(), 1);
    });
}
