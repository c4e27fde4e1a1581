//! The budgets of the product, measured: `cargo bench -p longshore-tests`. Calls and memory are printed beside the times;
//! compare runs as ratios, machines differ.
#![recursion_limit = "256"]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::large_futures,
    reason = "a test that cannot go on should stop where it stands"
)]
#![allow(missing_docs, reason = "a bench has no interface")]

use std::time::Duration;

use controller::webhooks::Webhooks;
use crds::{Provenance, SecretFrom, Service, SourceRevision, SyncPolicy, Webhook, WebhookProvider};
use divan::{Bencher, black_box};
use jiff::Timestamp;
use longshore_tests::specs::{image, release, service, with};
use longshore_tests::{Fleet, FleetOptions};
use planner::observed::{ObservedService, ObservedTaskDefinition};
use planner::{Desired, Observed, Orders};
use serde_json::{Value, json};

fn main() {
    tags();
    passes();
    divan::main();
}

fn desired(spec: &Value) -> Desired {
    let spec: Service = serde_json::from_value(spec.clone()).unwrap();
    let provenance = Provenance {
        source: "fleet".parse().unwrap(),
        revision: SourceRevision::new("c0ffee"),
        file: "web.json".into(),
        line: 1,
    };
    Desired::resolve(&spec, &"test".parse().unwrap(), provenance, &SyncPolicy::default()).unwrap()
}

/// What AWS answers for a service that matches its spec.
fn answers(spec: &Value) -> (Value, Value) {
    let mut service = spec["spec"]["service"].clone();
    let tags = desired(spec).service_tags();
    service["tags"] = planner::plan::tag_list(&tags);
    service["status"] = json!("ACTIVE");
    service["runningCount"] = service["desiredCount"].clone();
    service["taskDefinition"] =
        json!("arn:aws:ecs:eu-west-1:111122223333:task-definition/shop-web:1");
    service["deployments"] =
        json!([{ "id": "ecs-svc/1", "status": "PRIMARY", "rolloutState": "COMPLETED" }]);
    let mut definition = spec["spec"]["taskDefinition"].clone();
    definition["status"] = json!("ACTIVE");
    definition["family"] = json!("shop-web");
    (service, json!({ "taskDefinition": definition, "tags": [] }))
}

/// One turn that finds nothing to do: read the answers, normalise, compare, say so. Budget: 1 ms of CPU.
#[divan::bench]
fn no_op_turn(bencher: Bencher) {
    let spec = service("web", &image("web", "v1"));
    let (desired, (service, definition)) = (desired(&spec), answers(&spec));
    bencher.bench_local(|| {
        let observed = Observed {
            service: Some(ObservedService::from_describe(black_box(&service))),
            task_definition: Some(ObservedTaskDefinition::from_describe(black_box(&definition))),
            ..Observed::default()
        };
        let plan = planner::plan(&desired, &observed, &Orders::default(), Timestamp::UNIX_EPOCH);
        assert!(plan.is_settled(), "{plan:#?}");
        plan
    });
}

/// Parse and check 1,000 specs, as `validate` does.
#[divan::bench(sample_count = 10)]
fn parse_and_check_1000_specs(bencher: Bencher) {
    let specs: Vec<controller::source::SourceFile> = (0..1000)
        .map(|number| {
            let name = format!("web-{number}");
            let text = serde_json::to_string_pretty(&service(&name, &image("web", "v1"))).unwrap();
            controller::source::SourceFile::new(format!("{name}.json"), text.into())
        })
        .collect();
    bencher.bench_local(|| {
        specs
            .iter()
            .map(|file| {
                let parsed = controller::manifest::parse(file);
                assert!(parsed.invalid.is_empty());
                parsed
                    .objects
                    .iter()
                    .map(|located| match &located.object {
                        controller::manifest::Object::Service(service) => {
                            planner::rules::check(service).len()
                        }
                        controller::manifest::Object::Release(_)
                        | controller::manifest::Object::Controller(_) => 0,
                    })
                    .sum::<usize>()
            })
            .sum::<usize>()
    });
}

/// Choose among 9,000 tags, with a filter and an exclusion, from the complete listing as it came. Budget: 50 ms.
#[divan::bench]
fn choose_among_9000_tags(bencher: Bencher) {
    choose_among(bencher, 9000, |version| vec![format!("v{version}")], 8868);
}

/// The same number of tags, two of each version, which have to name one image.
#[divan::bench]
fn choose_among_9000_tags_of_twins(bencher: Bencher) {
    choose_among(bencher, 4500, |version| vec![format!("v{version}"), version.to_owned()], 8866);
}

fn choose_among(bencher: Bencher, images: usize, tags: fn(&str) -> Vec<String>, candidates: usize) {
    use planner::release::{Facts, ListedImage, Listing, Past, Rule, Storage, choose};
    let spec = json!({
        "image": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop",
        "policy": { "semver": ">=1.4.0 <99.0.0" },
        "tags": { "pattern": "^v?(?<version>.+)$", "exclude": ["-broken$"] },
    });
    let rule = Rule::resolve(&serde_json::from_value(spec).unwrap()).unwrap();
    let images = (0..images).map(|number| ListedImage {
        digest: format!("sha256:{number:064x}"),
        tags: tags(&format!("{}.{}.{}", number % 97, number / 97 % 10, number / 970)),
        pushed_at: Some(Timestamp::UNIX_EPOCH),
        storage: Storage::Active,
        manifest_type: Some("application/vnd.oci.image.index.v1+json".to_owned()),
        artifact_type: None,
        subject: None,
    });
    let images: Vec<ListedImage> = images.collect();
    bencher.with_inputs(|| images.clone()).bench_local_values(|images| {
        let listing = Listing::complete(images, Timestamp::UNIX_EPOCH);
        let (facts, past) = (Facts::default(), Past::default());
        let decision = choose(&rule, black_box(&listing), &facts, &past, Timestamp::UNIX_EPOCH);
        assert_eq!(decision.candidates, candidates, "{decision:?}");
        decision
    });
}

/// Plan 1,000 services that match their specs.
#[divan::bench(sample_count = 10)]
fn plan_1000_services(bencher: Bencher) {
    let spec = service("web", &image("web", "v1"));
    let (desired, (service, definition)) = (desired(&spec), answers(&spec));
    let observed = Observed {
        service: Some(ObservedService::from_describe(&service)),
        task_definition: Some(ObservedTaskDefinition::from_describe(&definition)),
        ..Observed::default()
    };
    bencher.bench_local(|| {
        (0..1000)
            .filter(|_| {
                planner::plan(
                    black_box(&desired),
                    black_box(&observed),
                    &Orders::default(),
                    Timestamp::UNIX_EPOCH,
                )
                .is_settled()
            })
            .count()
    });
}

/// From the call of a webhook that tells of a Git tag to UpdateService, the image being there: 8 ms a call to AWS, and the
/// CPU of it. Budget: 2 s.
fn tags() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let fixtures = "clusters: [{name: shop}]\nlatency: 8ms\n\
                        repositories: [{name: shop/web, images: [{tags: [v1.0.0]}]}]\n";
        let mut fleet =
            Fleet::with(FleetOptions { fixtures: fixtures.to_owned(), ..FleetOptions::default() })
                .await;
        let git = json!({ "url": "https://gitlab.com/acme/shop.git" });
        let shop = with(release("shop", ">=1.0.0 <2.0.0"), "/spec/git", git);
        fleet.tag_git("v1.0.0", 'a');
        fleet.commit(&[shop, service("web", "${release:shop}")]).await;
        fleet.until_runs("web", "v1.0.0").await;
        for version in 1..=20 {
            fleet.push(&format!("v1.0.{version}"));
        }
        fleet.pass(Duration::from_mins(10)).await;
        let (mut slowest, began) = (Duration::ZERO, cpu());
        for version in 1..=20 {
            let tag = format!("v1.0.{version}");
            fleet.tag_git(&tag, 'b');
            let pinned = fleet.pinned(&tag);
            tell_tagged(&fleet, &tag);
            let took = fleet.takes("sent", |fleet| fleet.image("web") == pinned).await;
            slowest = slowest.max(took);
            fleet.until_ready("web").await;
        }
        println!(
            "a tag told by a webhook, its image being there: UpdateService within {slowest:?} of the operator's time \
             (8 ms a call), {:.1} ms CPU a tag with the whole rollout and the embedded AWS",
            (cpu() - began) / 20.0 * 1000.0,
        );
    });
}

/// GitLab calls the webhook of the fleet's source.
fn tell_tagged(fleet: &Fleet, tag: &str) {
    let (source, provider) = ("fleet".parse().unwrap(), WebhookProvider::Gitlab);
    let webhook = Webhook { source, provider, secret: SecretFrom::default() };
    let secret = |_: &SecretFrom| Ok("s3cret".to_owned());
    let webhooks = Webhooks::new(&[webhook], fleet.triggers().clone(), secret).unwrap();
    let mut headers = http::HeaderMap::new();
    headers.insert("x-gitlab-token", "s3cret".parse().unwrap());
    let body = json!({
        "object_kind": "tag_push", "ref": format!("refs/tags/{tag}"),
        "project": { "path_with_namespace": "acme/shop" },
    });
    let caller = webhooks.admit(provider, "fleet").unwrap();
    caller.receive(&headers, body.to_string().as_bytes(), fleet.now()).unwrap();
}

/// Calls of one pass in the steady state, and the memory of the whole process, sandbox included.
fn passes() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    for count in [100_usize, 1000] {
        runtime.block_on(async {
            let options = FleetOptions {
                fixtures: "clusters: [{name: shop}]\nlatency: 8ms\nthrottling: false\n".to_owned(),
                interval: Duration::from_mins(10),
                ..FleetOptions::default()
            };
            let mut fleet = Fleet::with(options).await;
            let specs: Vec<Value> =
                (0..count).map(|number| service(&format!("web-{number}"), &image("web", "v1"))).collect();
            fleet.sandbox.keep_calls(20_000);
            fleet.commit(&specs).await;
            fleet
                .until("all ready", |fleet| {
                    let services = fleet.statuses.services();
                    services.len() == count && services.iter().all(|object| object.status.is_ready())
                })
                .await;
            fleet.pass(Duration::from_mins(30)).await;
            let (mark, began) = (fleet.sandbox.call_count(), cpu());
            fleet.pass(Duration::from_mins(100)).await;
            let calls = fleet.sandbox.call_count() - mark;
            let writes = fleet.changes_since(mark).len();
            println!(
                "{count} services, about ten passes: {calls} read calls, {writes} writes, {:.1} ms CPU a pass and {} MiB RSS with the embedded AWS",
                (cpu() - began) / 10.0 * 1000.0,
                resident() / 1024,
            );
        });
    }
}

/// CPU seconds of this process.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let ticks: Vec<f64> =
        fields.split(' ').skip(11).take(2).map(|field| field.parse().unwrap()).collect();
    (ticks[0] + ticks[1]) / 100.0
}

/// Resident KiB of this process.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
