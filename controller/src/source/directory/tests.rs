//! Directories that change, vanish, grow and mislead.

use std::fs;
use std::os::unix::fs::symlink;

use super::*;
use crate::source::{FILE_BYTES_MAX, Refusal};

fn reader(root: &Path) -> DirectoryReader {
    DirectoryReader::new(&DirectorySource { path: root.display().to_string() })
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[tokio::test]
async fn specs_are_read_and_everything_else_is_left() {
    let root = tempfile::tempdir().unwrap();
    for path in ["web.yaml", "a/b/api.yml", "c.json", "README.md", ".git/x.yaml", "a/.hidden.yaml"]
    {
        write(root.path(), path, "x");
    }
    let snapshot = reader(root.path()).fetch().await.unwrap();
    let paths: Vec<&String> = snapshot.files().keys().collect();
    assert_eq!(paths, ["a/b/api.yml", "c.json", "web.yaml"]);
}

#[tokio::test]
async fn nothing_changed_is_the_same_snapshot_and_one_change_is_one_new_file() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "a.yaml", "a");
    write(root.path(), "b.yaml", "b");
    let mut reader = reader(root.path());
    let first = reader.fetch().await.unwrap();
    assert!(Arc::ptr_eq(&first, &reader.fetch().await.unwrap()));
    write(root.path(), "a.yaml", "A");
    let second = reader.fetch().await.unwrap();
    assert_ne!(first.revision(), second.revision());
    assert!(Arc::ptr_eq(&first.files()["b.yaml"], &second.files()["b.yaml"]));
    assert_eq!(second.files()["a.yaml"].bytes().as_ref(), b"A");
    write(root.path(), "a.yaml", "a");
    assert_eq!(reader.fetch().await.unwrap().revision(), first.revision());
}

#[tokio::test]
async fn a_second_change_within_the_same_tick_and_of_the_same_size_is_seen() {
    let root = tempfile::tempdir().unwrap();
    let mut reader = reader(root.path());
    for round in 0..20 {
        let text = format!("{:02}", round % 100);
        write(root.path(), "a.yaml", &text);
        let snapshot = reader.fetch().await.unwrap();
        assert_eq!(snapshot.files()["a.yaml"].bytes().as_ref(), text.as_bytes());
    }
}

#[tokio::test]
async fn links_and_large_files_are_refused_by_name() {
    let root = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    write(outside.path(), "secret.yaml", "s3cret");
    write(root.path(), "web.yaml", "x");
    write(root.path(), "big.yaml", &"x".repeat(usize::try_from(FILE_BYTES_MAX).unwrap() + 1));
    symlink(outside.path().join("secret.yaml"), root.path().join("link.yaml")).unwrap();
    symlink(outside.path(), root.path().join("folder")).unwrap();
    symlink(root.path().join("web.yaml"), root.path().join("script.sh")).unwrap();
    let snapshot = reader(root.path()).fetch().await.unwrap();
    let refused: Vec<(&str, Refusal)> =
        snapshot.files().values().filter_map(|file| Some((file.path(), file.refusal()?))).collect();
    assert_eq!(
        refused,
        [
            ("big.yaml", Refusal::TooLarge { bytes: FILE_BYTES_MAX + 1 }),
            ("folder", Refusal::Symlink),
            ("link.yaml", Refusal::Symlink),
        ]
    );
    assert_eq!(snapshot.files().len(), 4);
    let told = crate::manifest::parse(&snapshot.files()["link.yaml"]);
    assert_eq!(
        told.invalid[0].to_string(),
        "link.yaml: symbolic links are not followed; put the file itself here"
    );
    assert_eq!(told.invalid[0].key, None);
}

#[tokio::test]
async fn a_directory_that_is_empty_all_of_a_sudden_is_an_error_until_it_is_back() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "a.yaml", "a");
    let mut reader = reader(root.path());
    let first = reader.fetch().await.unwrap();
    fs::remove_file(root.path().join("a.yaml")).unwrap();
    for _ in 0..2 {
        let error = reader.fetch().await.unwrap_err();
        assert!(matches!(error, SourceError::SuddenlyEmpty { files_before: 1, .. }), "{error}");
    }
    write(root.path(), "a.yaml", "a");
    assert_eq!(reader.fetch().await.unwrap().revision(), first.revision());
}

#[tokio::test]
async fn an_empty_directory_is_a_snapshot_and_a_missing_one_an_error() {
    let root = tempfile::tempdir().unwrap();
    assert!(reader(root.path()).fetch().await.unwrap().files().is_empty());
    let error = reader(&root.path().join("nowhere")).fetch().await.unwrap_err();
    assert!(error.to_string().starts_with("cannot read /"), "{error}");
}

#[tokio::test]
async fn a_save_is_hinted_soon_and_reading_is_no_change() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "a.yaml", "a");
    let mut reader = reader(root.path());
    reader.fetch().await.unwrap();
    let quiet = tokio::time::timeout(Duration::from_millis(400), reader.changed()).await;
    assert!(quiet.is_err(), "reading was taken for a change");
    write(root.path(), "a.yaml", "b");
    write(root.path(), "new/b.yaml", "b");
    // Dropped half-way, it must still be told the next time.
    let _ = tokio::time::timeout(Duration::from_millis(20), reader.changed()).await;
    tokio::time::timeout(Duration::from_secs(10), reader.changed()).await.unwrap();
    assert_eq!(reader.fetch().await.unwrap().files().len(), 2);
    let quiet = tokio::time::timeout(Duration::from_millis(400), reader.changed()).await;
    assert!(quiet.is_err(), "the same change was told twice");
    write(root.path(), "new/b.yaml", "c");
    tokio::time::timeout(Duration::from_secs(10), reader.changed()).await.unwrap();
}

#[tokio::test]
async fn a_tree_that_keeps_changing_is_never_read_in_part() {
    let root = tempfile::tempdir().unwrap();
    // One file moves to and fro between two folders; every snapshot must hold it exactly once.
    write(root.path(), "a/x.yaml", "x");
    write(root.path(), "z/keep.yaml", "k");
    for index in 0..200 {
        write(root.path(), &format!("m/{index}.yaml"), "m");
    }
    let path = root.path().to_owned();
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let mover = std::thread::spawn(move || {
        while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
            fs::rename(path.join("a/x.yaml"), path.join("z/x.yaml")).unwrap();
            std::thread::sleep(Duration::from_millis(7));
            fs::rename(path.join("z/x.yaml"), path.join("a/x.yaml")).unwrap();
            std::thread::sleep(Duration::from_millis(7));
        }
    });
    let mut reader = reader(root.path());
    for _ in 0..10 {
        match reader.fetch().await {
            Ok(snapshot) => assert_eq!(snapshot.files().len(), 202),
            Err(SourceError::Unsettled { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    mover.join().unwrap();
}

#[tokio::test]
async fn ten_thousand_files_and_one_change_is_one_new_file() {
    let root = tempfile::tempdir().unwrap();
    for index in 0..10_000 {
        let path = format!("team-{}/service-{index}.yaml", index % 100);
        write(root.path(), &path, &format!("name: {index}\n"));
    }
    // Until then the file system's clock could not tell a second change from the first.
    tokio::time::sleep(walk::RACY + Duration::from_millis(100)).await;
    let mut reader = reader(root.path());
    let started = tokio::time::Instant::now();
    let first = reader.fetch().await.unwrap();
    let cold = started.elapsed();
    let started = tokio::time::Instant::now();
    assert!(Arc::ptr_eq(&first, &reader.fetch().await.unwrap()));
    let unchanged = started.elapsed();
    write(root.path(), "team-7/service-7.yaml", "name: seven\n");
    let started = tokio::time::Instant::now();
    let second = reader.fetch().await.unwrap();
    println!(
        "10,000 files: {cold:?} cold, {unchanged:?} unchanged, {:?} changed",
        started.elapsed()
    );
    let new =
        second.files().iter().filter(|(path, file)| !Arc::ptr_eq(file, &first.files()[*path]));
    assert_eq!(new.count(), 1);
}
