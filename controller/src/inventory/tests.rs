//! Two sources, and specs that come, go and move between them.

use std::path::Path;

use crds::DirectorySource;
use tempfile::TempDir;
use tokio::time::Instant;

use super::*;
use crate::references::{Answer, Found, Referent};
use crate::source::DirectoryReader;

const SPEC: &str = "
apiVersion: longshore.dev/v1alpha1
kind: Service
metadata: {name: web}
spec:
  cluster: shop
  taskDefinition: {containerDefinitions: [{name: app, image: 'shop/web:v1', memory: 128}]}
  service: {desiredCount: 1}
";

struct Two {
    inventory: Inventory,
    sources: Vec<(SourceName, TempDir, DirectoryReader)>,
}

impl Two {
    fn new() -> Self {
        let prune = SyncPolicy { prune: Some(true), ..SyncPolicy::default() };
        let names: Vec<SourceName> = ["a", "b"].map(|name| name.parse().unwrap()).into();
        let policies = names.iter().map(|name| (name.clone(), prune.clone()));
        let inventory = Inventory::new("test".parse().unwrap(), IndexMap::new(), policies);
        let sources = names
            .into_iter()
            .map(|name| {
                let folder = TempDir::new().unwrap();
                let path = folder.path().display().to_string();
                (name, folder, DirectoryReader::new(&DirectorySource { path }))
            })
            .collect();
        Self { inventory, sources }
    }

    fn folder(&self, index: usize) -> &Path {
        self.sources[index].1.path()
    }

    async fn read(&mut self, index: usize) {
        let (name, _, reader) = &mut self.sources[index];
        let began = Instant::now();
        let snapshot = reader.fetch().await.unwrap();
        self.inventory.update(name, &snapshot);
        self.inventory.confirm(name, began);
    }

    fn facts(&self) -> SourceFacts {
        self.inventory.source_facts(&key(), &self.sources[0].0)
    }
}

fn key() -> ObjectKey {
    ObjectKey {
        target: crds::TargetName::default(),
        cluster: "shop".parse().unwrap(),
        name: "web".parse().unwrap(),
    }
}

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).unwrap();
}

#[tokio::test]
async fn a_spec_that_moves_to_another_source_is_never_taken_for_gone() {
    let mut two = Two::new();
    write(two.folder(0), "web.yaml", SPEC);
    write(two.folder(0), "other.yaml", &SPEC.replace("web", "other"));
    write(two.folder(1), "third.yaml", &SPEC.replace("web", "third"));
    two.read(0).await;
    two.read(1).await;
    std::fs::remove_file(two.folder(0).join("web.yaml")).unwrap();
    write(two.folder(1), "web.yaml", SPEC);
    two.read(0).await;
    assert!(matches!(two.inventory.wanted(&key()), Wanted::Gone));
    assert_eq!(two.facts(), SourceFacts::Unread, "the other source has not been read since");
    two.read(1).await;
    assert!(matches!(two.inventory.wanted(&key()), Wanted::Spec { .. }));
}

/// What is known of a source that was read completely and sets no brake of its own.
fn complete(prune: bool, leaving: usize, total: usize) -> SourceFacts {
    SourceFacts::Complete { prune, brake: planner::prune::DEFAULT_BRAKE, leaving, total }
}

#[tokio::test]
async fn what_no_source_names_any_more_is_known_to_be_gone_once_all_were_read() {
    let mut two = Two::new();
    write(two.folder(0), "web.yaml", SPEC);
    write(two.folder(0), "other.yaml", &SPEC.replace("web", "other"));
    write(two.folder(1), "third.yaml", &SPEC.replace("web", "third"));
    two.read(0).await;
    two.read(1).await;
    std::fs::remove_file(two.folder(0).join("web.yaml")).unwrap();
    two.read(0).await;
    two.read(1).await;
    assert_eq!(two.facts(), complete(true, 1, 2));
    let kept =
        serde_json::json!({"tags": [{"key": "longshore.dev/deletion-policy", "value": "Orphan"}]});
    let kept = planner::observed::ObservedService::from_describe(&kept);
    two.inventory.note_seen(&key(), &kept);
    assert_eq!(two.facts(), complete(true, 0, 1));
    write(
        two.folder(1),
        "unclear.yaml",
        "apiVersion: longshore.dev/v1alpha1\nkind: Service\nmetadata: [\n",
    );
    two.read(1).await;
    assert_eq!(two.facts(), SourceFacts::Unclear, "it might stand in there");
}

#[tokio::test]
async fn generations_count_changes_of_the_spec_and_not_of_its_layout() {
    let mut two = Two::new();
    let generation = |two: &Two| match two.inventory.wanted(&key()) {
        Wanted::Spec { generation, .. } => generation.0,
        other @ (Wanted::Blocked { .. } | Wanted::Gone) => panic!("{other:?}"),
    };
    write(two.folder(0), "web.yaml", SPEC);
    two.read(0).await;
    assert_eq!(generation(&two), 1);
    write(two.folder(0), "web.yaml", &format!("# a comment\n{SPEC}"));
    two.read(0).await;
    assert_eq!(generation(&two), 1);
    write(two.folder(0), "web.yaml", &SPEC.replace("shop/web:v1", "shop/web:v2"));
    two.read(0).await;
    assert_eq!(generation(&two), 2);
}

#[tokio::test]
async fn two_specs_for_one_service_block_it_and_one_that_is_left_frees_it() {
    let mut two = Two::new();
    write(two.folder(0), "web.yaml", SPEC);
    write(two.folder(1), "web.yaml", SPEC);
    two.read(0).await;
    two.read(1).await;
    let Wanted::Blocked { reason, message, .. } = two.inventory.wanted(&key()) else { panic!() };
    assert_eq!(reason, Reason::DuplicateSpec);
    assert!(message.contains("a: web.yaml:2") && message.contains("b: web.yaml:2"), "{message}");
    write(two.folder(1), "web.yaml", &SPEC.replace("web", "other"));
    two.read(1).await;
    assert!(matches!(two.inventory.wanted(&key()), Wanted::Spec { .. }));
}

fn git(folder: &Path, words: &[&str]) {
    let done = std::process::Command::new("git")
        .args(["-c", "user.name=Ada", "-c", "user.email=ada@acme.io", "-c", "gc.auto=0"])
        .args(["-c", "commit.gpgsign=false"])
        .args(words)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// The parsed specs of every file. A file that is parsed again has new ones.
fn parsed(inventory: &Inventory, source: &SourceName) -> BTreeMap<String, Vec<Arc<Entry>>> {
    let files = &inventory.sources[source].files;
    files.iter().map(|(path, file)| (path.clone(), file.entries().cloned().collect())).collect()
}

#[tokio::test]
async fn one_commit_among_ten_thousand_specs_is_one_key_and_one_file_parsed() {
    const FILES: usize = 10_000;
    let (repository, cache) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    git(repository.path(), &["init", "--quiet", "--initial-branch=main", "."]);
    for number in 0..FILES {
        let spec = SPEC.replace("name: web}", &format!("name: web-{number}}}"));
        write(repository.path(), &format!("{number}.yaml"), &spec);
    }
    let commit = |what: &str| {
        git(repository.path(), &["add", "--all"]);
        git(repository.path(), &["commit", "--quiet", "--message", what]);
    };
    commit("ten thousand services");
    let place = crds::GitSource {
        url: repository.path().display().to_string(),
        ..crds::GitSource::default()
    };
    let access = crate::source::Access {
        s3: None,
        cache: cache.path().to_owned(),
        variables: crate::source::Variables::from_environment(std::env::vars_os()),
        read_secret: Arc::new(|_| Err("there is none".to_owned())),
    };
    let mut reader = crate::source::GitReader::new(&place, access).unwrap();
    let fleet: SourceName = "fleet".parse().unwrap();
    let sources = [(fleet.clone(), SyncPolicy::default())];
    let mut inventory = Inventory::new("test".parse().unwrap(), IndexMap::new(), sources);
    let first = reader.fetch().await.unwrap();
    assert_eq!(inventory.update(&fleet, &first).len(), FILES);
    let before = parsed(&inventory, &fleet);
    let spec = SPEC.replace("name: web}", "name: web-7}").replace("web:v1", "web:v2");
    write(repository.path(), "7.yaml", &spec);
    commit("one change");
    let changed = inventory.update(&fleet, &reader.fetch().await.unwrap());
    let names: Vec<_> = changed.iter().map(|key| key.name.as_str()).collect();
    assert_eq!(names, ["web-7"]);
    let after = parsed(&inventory, &fleet);
    let is_same = |path: &String| Arc::ptr_eq(&before[path][0], &after[path][0]);
    let again: Vec<&String> = after.keys().filter(|path| !is_same(path)).collect();
    assert_eq!(again, ["7.yaml"]);
}

/// A spec of this name whose image is what a reference says.
fn referring_to(name: &str, reference: &str) -> String {
    SPEC.replace("name: web}", &format!("name: {name}}}")).replace("shop/web:v1", reference)
}

fn parameter(name: &str) -> Referent {
    let (target, name) = (crds::TargetName::default(), name.to_owned());
    Referent::Parameter { target, name, selector: None }
}

fn found(text: &str, version: u32) -> Answer {
    let version = Some(format!("version {version}"));
    Answer::Found(Found { text: text.to_owned(), from: "here".to_owned(), version })
}

#[tokio::test]
async fn a_value_that_changes_is_one_spec_read_again_even_among_those_of_one_file() {
    let mut two = Two::new();
    let specs = [
        referring_to("a", "${ssm:/image}"),
        referring_to("b", "${ssm:/other}"),
        referring_to("c", "shop/web:v1"),
    ];
    write(two.folder(0), "all.yaml", &specs.join("---"));
    two.read(0).await;
    assert_eq!(two.inventory.keys().len(), 3, "what waits is named all the same");
    let now = jiff::Timestamp::UNIX_EPOCH;
    let learn = |two: &mut Two, answers: Vec<(Referent, Answer)>| -> Vec<String> {
        let touched = two.inventory.learn(answers, now);
        touched.iter().map(|key| key.name.to_string()).collect()
    };
    let both = vec![
        (parameter("/image"), found("shop/web:v1", 1)),
        (parameter("/other"), found("shop/web:v1", 1)),
    ];
    assert_eq!(learn(&mut two, both.clone()), ["a", "b"]);
    let source = two.sources[0].0.clone();
    let of = |two: &Two, name: &str| -> Arc<Entry> {
        let all = parsed(&two.inventory, &source);
        let named = |entry: &&Arc<Entry>| entry.desired.key.name.as_str() == name;
        Arc::clone(all["all.yaml"].iter().find(named).unwrap())
    };
    let before = ["a", "b", "c"].map(|name| of(&two, name));
    assert_eq!(learn(&mut two, both), Vec::<String>::new(), "nothing is new");
    let again = vec![(parameter("/image"), found("shop/web:v1", 2))];
    assert_eq!(learn(&mut two, again), Vec::<String>::new(), "another version of the same text");
    let newer = vec![(parameter("/image"), found("shop/web:v2", 3))];
    assert_eq!(learn(&mut two, newer), ["a"]);
    let after = ["a", "b", "c"].map(|name| of(&two, name));
    let same: Vec<bool> =
        before.iter().zip(&after).map(|(one, other)| Arc::ptr_eq(one, other)).collect();
    assert_eq!(same, [false, true, true]);
    assert_ne!(before[0].desired.spec_hash, after[0].desired.spec_hash);
}

#[tokio::test]
async fn what_could_not_be_read_is_not_what_is_not_there() {
    let mut two = Two::new();
    write(two.folder(0), "web.yaml", &referring_to("web", "${ssm:/image}"));
    two.read(0).await;
    let now = jiff::Timestamp::UNIX_EPOCH;
    let reason = |two: &Two| match two.inventory.wanted(&key()) {
        Wanted::Blocked { reason, invalid, .. } => Some((reason, invalid.len())),
        Wanted::Spec { .. } | Wanted::Gone => None,
    };
    assert_eq!(reason(&two), Some((Reason::NotYetObserved, 0)));
    let unread = || vec![(parameter("/image"), Answer::Unread { why: "no answer".to_owned() })];
    let missing = Answer::Missing { why: "there is none".to_owned(), hint: None };
    assert_eq!(two.inventory.learn(unread(), now).len(), 1);
    assert_eq!(reason(&two), Some((Reason::ReferenceUnread, 0)));
    assert_eq!(two.inventory.learn(unread(), now).len(), 0, "the same trouble is told once");
    two.inventory.learn(vec![(parameter("/image"), missing.clone())], now);
    assert_eq!(reason(&two), Some((Reason::InvalidSpec, 1)));
    two.inventory.learn(vec![(parameter("/image"), found("shop/web:v1", 1))], now);
    let doubt = |two: &Two| match two.inventory.wanted(&key()) {
        Wanted::Spec { entry, doubt, invalid, .. } => {
            (entry.references[0].value.clone(), doubt, invalid.len())
        }
        other @ (Wanted::Blocked { .. } | Wanted::Gone) => panic!("{other:?}"),
    };
    assert_eq!(doubt(&two), ("shop/web:v1".to_owned(), None, 0));
    assert_eq!(two.inventory.learn(unread(), now).len(), 1, "to be told");
    let (value, told, invalid) = doubt(&two);
    let told = told.unwrap();
    assert_eq!((value.as_str(), invalid, told.holds_newer), ("shop/web:v1", 0, false));
    assert!(told.message.contains("stays in force: no answer"), "{}", told.message);
    // Once gone, the last good spec stays, and its error is told.
    two.inventory.learn(vec![(parameter("/image"), missing)], now);
    assert_eq!(doubt(&two), ("shop/web:v1".to_owned(), None, 1));
}

const RELEASE: &str = "
apiVersion: longshore.dev/v1alpha1
kind: Release
metadata: {name: shop}
spec:
  image: ${var:registry}/shop
  policy: {semver: '>=1.4.0 <2.0.0'}
  tags:
    pattern: ^v(?<version>.+)$
";

#[tokio::test]
async fn releases_are_checked_with_their_references_replaced() {
    let mut two = Two::new();
    let vars = [("registry".to_owned(), "registry.example:5000".to_owned())];
    two.inventory.referents = vars.into_iter().collect::<IndexMap<_, _>>().into();
    let told = |two: &Two| -> Vec<String> {
        let invalid = two.inventory.invalid(&two.sources[0].0);
        invalid.iter().map(ToString::to_string).collect()
    };
    write(two.folder(0), "shop.yaml", RELEASE);
    two.read(0).await;
    assert_eq!(told(&two), Vec::<String>::new());
    for (good, bad, expected) in [
        ("<2.0.0", "<two", "shop.yaml:7:20: spec.policy.semver: `>=1.4.0 <two` is not a range"),
        ("?<version>", "?<", "shop.yaml:9:14: spec.tags.pattern: `^v(?<.+)$` is not a regular"),
        (
            "/shop\n",
            "/shop:1\n",
            "shop.yaml:6:10: spec.image: `registry.example:5000/shop:1` names",
        ),
        (
            "registry}",
            "registri}",
            "shop.yaml:6:10: spec.image: `${var:registri}` names a variable",
        ),
        ("pattern:", "patern:", "shop.yaml:9:5: spec.tags.patern: unknown field `patern`; did you"),
        ("name: shop", "name: Shop", "shop.yaml:4:18: metadata.name: release name `Shop` is not"),
        ("semver:", "tag: main, semver:", "shop.yaml:7:3: spec.policy: the policy names more"),
    ] {
        write(two.folder(0), "shop.yaml", &RELEASE.replace(good, bad));
        two.read(0).await;
        let told = told(&two);
        assert!(told.len() == 1 && told[0].starts_with(expected), "{told:?}");
    }
}

/// Places are looked up in one reading of the document: with one for each finding this would take minutes.
#[test]
fn an_object_with_thousands_of_faults_is_told_the_first_twenty() {
    let variables = "{name: '', value: a}, ".repeat(4_000);
    let spec = SPEC.replace("memory: 128", &format!("memory: 128, environment: [{variables}]"));
    let references = SPEC.replace("shop/web:v1", &"${x}".repeat(4_000));
    for (spec, path) in [
        (spec, "spec.taskDefinition.containerDefinitions[0].environment[0].name"),
        (references, "spec.taskDefinition.containerDefinitions[0].image"),
    ] {
        let file = SourceFile::new("web.yaml", spec.into());
        let (source, owner) = ("a".parse().unwrap(), "test".parse().unwrap());
        let (entries, invalid) =
            preview(&file, &source, &SyncPolicy::default(), &owner, &IndexMap::new());
        assert!(entries.is_empty());
        assert_eq!((invalid.len(), invalid[0].path.as_str()), (20, path));
        assert!(invalid.iter().all(|invalid| invalid.position.is_some()));
    }
}
