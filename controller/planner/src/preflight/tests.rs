//! Preflight over facts that are made up.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;

fn desired(spec: &Value) -> Desired {
    let service: crds::Service = serde_json::from_value(json!({
        "apiVersion": "longshore.dev/v1alpha1", "kind": "Service", "metadata": { "name": "web" }, "spec": spec,
    }))
    .unwrap();
    let provenance = crds::Provenance {
        source: "fleet".parse().unwrap(),
        revision: crds::SourceRevision::new("c0ffee"),
        file: "web.yaml".to_owned(),
        line: 1,
    };
    let owner = "prod".parse().unwrap();
    Desired::resolve(&service, &owner, provenance, &crds::SyncPolicy::default()).unwrap()
}

const IMAGE: &str = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/web:v1.3.1";
const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop/db-AbCdEf";
const GROUP: &str = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/web/1";

fn full() -> Desired {
    desired(&json!({
        "cluster": "shop",
        "taskDefinition": {
            "networkMode": "awsvpc",
            "requiresCompatibilities": ["FARGATE"],
            "executionRoleArn": "arn:aws:iam::111122223333:role/run",
            "containerDefinitions": [{
                "name": "app",
                "image": IMAGE,
                "secrets": [
                    { "name": "URL", "valueFrom": "/shop/url" },
                    { "name": "DB", "valueFrom": format!("{SECRET}:password::") },
                ],
                "logConfiguration": {
                    "logDriver": "awslogs",
                    "options": { "awslogs-group": "/shop/web", "awslogs-region": "eu-west-1" },
                },
            }],
        },
        "service": {
            "capacityProviderStrategy": [{ "capacityProvider": "SPOT", "weight": 1 }],
            "loadBalancers": [{ "targetGroupArn": GROUP, "containerName": "app", "containerPort": 80 }],
            "deploymentConfiguration": { "alarms": { "alarmNames": ["5xx"], "enable": true, "rollback": true } },
        },
    }))
}

/// Facts in which everything is as it should be.
fn fine(mentions: &Mentions) -> Facts {
    let image = Image { digest: "sha256:ab".into(), unusable: None, platforms: None };
    let trust = json!({ "Statement": [{
        "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "Service": ["ecs-tasks.amazonaws.com"] },
    }] });
    let stored = |name: &StoredName| match name {
        StoredName::Elsewhere { local, .. } if matches!(**local, StoredName::Secret(_)) => {
            let stages = [("AWSCURRENT".to_owned(), "v-1".to_owned())].into();
            Stored::Secret(Secret { stages, ..Secret::default() })
        }
        StoredName::Elsewhere { .. } | StoredName::Parameter(_) | StoredName::Secret(_) => {
            Stored::Parameter(Parameter { version: 3, changed_at: None })
        }
    };
    Facts {
        images: mentions
            .images
            .iter()
            .map(|one| (one.name.clone(), Fact::Present(image.clone())))
            .collect(),
        stored: mentions
            .stored
            .iter()
            .map(|one| (one.name.clone(), Fact::Present(stored(&one.name))))
            .collect(),
        cluster: Some(Fact::Present(Cluster {
            status: "ACTIVE".into(),
            capacity_providers: vec!["SPOT".into(), "FARGATE".into()],
        })),
        target_groups: [(
            GROUP.to_owned(),
            Fact::Present(TargetGroup { target_type: "ip".into(), is_reachable: true }),
        )]
        .into(),
        log_groups: mentions
            .log_groups
            .iter()
            .map(|one| (one.name.clone(), Fact::Present(())))
            .collect(),
        roles: mentions
            .roles
            .iter()
            .map(|one| (one.name.clone(), Fact::Present(Role { trust: trust.clone() })))
            .collect(),
        alarms: [("5xx".to_owned(), Fact::Present(Alarm { rings: false }))].into(),
    }
}

/// What is found when one fact is otherwise.
fn found(change: impl FnOnce(&mut Facts)) -> (Vec<String>, Vec<String>) {
    let mentions = mentions(&full());
    let mut facts = fine(&mentions);
    change(&mut facts);
    let (findings, not_checked) = judge(&mentions, &facts);
    let told = findings
        .into_iter()
        .map(|one| format!("{}: {} ({})", one.path, one.message, one.hint.unwrap_or_default()));
    (told.collect(), not_checked)
}

fn absent<T>(known: &[&str]) -> Fact<T> {
    Fact::Absent(Absence {
        around: None,
        known: known.iter().map(|name| (*name).to_owned()).collect(),
    })
}

#[test]
fn everything_that_a_spec_names_outside_is_found() {
    let Mentions {
        images,
        stored,
        cluster,
        capacity_providers,
        target_groups,
        log_groups,
        roles,
        alarms,
    } = mentions(&full());
    assert_eq!(images[0].name.place.as_ref().unwrap().tag.as_deref(), Some("v1.3.1"));
    assert_eq!(images[0].wanted.as_deref(), Some("linux/amd64"));
    assert_eq!(stored.len(), 2);
    assert_eq!(stored[1].wanted.from, format!("{SECRET}:password::"));
    assert_eq!(cluster.name, "shop");
    assert_eq!(capacity_providers[0].name, "SPOT");
    assert_eq!(target_groups[0].wanted, TargetType::Ip);
    assert_eq!(log_groups[0].name.name, "/shop/web");
    assert_eq!(roles[0].path, "spec.taskDefinition.executionRoleArn");
    assert_eq!(alarms[0].name, "5xx");
}

#[test]
fn nothing_is_found_where_everything_is_there() {
    assert_eq!(found(|_| {}), (Vec::new(), Vec::new()));
}

#[test]
fn each_thing_that_is_missing_or_does_not_fit_is_told_with_its_place() {
    type Change = fn(&mut Facts);
    let cases: [(Change, &str); 12] = [
        (
            |facts| set(&mut facts.images, &absent(&["v1.2.0", "v1.3.0", "latest", "v1.0.0"])),
            "containerDefinitions[0].image: image `111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/web:v1.3.1` is not in its repository (nearest are `v1.3.0`, `v1.0.0` and `v1.2.0`)",
        ),
        (
            |facts| {
                let platforms = Some(vec!["linux/arm64".to_owned()]);
                let image = Image { digest: "sha256:ab".into(), unusable: None, platforms };
                set(&mut facts.images, &Fact::Present(image));
            },
            "has no manifest for linux/amd64",
        ),
        (
            |facts| {
                let unusable = Some("ARCHIVED".to_owned());
                let image = Image { digest: "sha256:ab".into(), unusable, platforms: None };
                set(&mut facts.images, &Fact::Present(image));
            },
            "is ARCHIVED and cannot be pulled",
        ),
        (
            |facts| {
                let name = StoredName::Parameter("/shop/url".to_owned());
                facts.stored.insert(name, absent(&["/shop/urls"]));
            },
            "secrets[0].valueFrom: parameter `/shop/url` does not exist (nearest is `/shop/urls`)",
        ),
        (
            |facts| {
                for fact in facts.stored.values_mut() {
                    if let Fact::Present(Stored::Secret(secret)) = fact {
                        secret.is_being_deleted = true;
                    }
                }
            },
            "is scheduled for deletion",
        ),
        (
            |facts| {
                for fact in facts.stored.values_mut() {
                    if let Fact::Present(Stored::Secret(secret)) = fact {
                        secret.stages.clear();
                    }
                }
            },
            "has no version with the label `AWSCURRENT`",
        ),
        (
            |facts| {
                facts.cluster = Some(Fact::Present(Cluster {
                    status: "INACTIVE".into(),
                    capacity_providers: Vec::new(),
                }));
            },
            "spec.cluster: cluster `shop` is INACTIVE",
        ),
        (
            |facts| {
                facts.cluster = Some(Fact::Present(Cluster {
                    status: "ACTIVE".into(),
                    capacity_providers: vec!["FARGATE".into()],
                }));
            },
            "capacityProviderStrategy[0].capacityProvider: capacity provider `SPOT` is not attached",
        ),
        (
            |facts| {
                let group = TargetGroup { target_type: "instance".into(), is_reachable: true };
                set(&mut facts.target_groups, &Fact::Present(group));
            },
            "has targets of type `instance`, and the tasks are of type `ip`",
        ),
        (
            |facts| {
                let group = TargetGroup { target_type: "ip".into(), is_reachable: false };
                set(&mut facts.target_groups, &Fact::Present(group));
            },
            "no listener forwards",
        ),
        (
            |facts| {
                let trust = json!({ "Statement": { "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "Service": "ec2.amazonaws.com" } } });
                set(&mut facts.roles, &Fact::Present(Role { trust }));
            },
            "does not trust ecs-tasks.amazonaws.com",
        ),
        (
            |facts| set(&mut facts.alarms, &Fact::Present(Alarm { rings: true })),
            "alarm `5xx` is in ALARM already",
        ),
    ];
    for (change, expected) in cases {
        let (findings, not_checked) = found(change);
        let [finding] = findings.as_slice() else { panic!("{expected}: {findings:?}") };
        assert!(finding.contains(expected), "{finding}\nnot {expected}");
        assert!(not_checked.is_empty());
    }
}

fn set<N, T: Clone>(facts: &mut BTreeMap<N, Fact<T>>, fact: &Fact<T>) {
    for value in facts.values_mut() {
        *value = fact.clone();
    }
}

#[test]
fn what_could_not_be_read_holds_nothing_and_is_told_once_for_each_reason() {
    let denied = "no permission".to_owned();
    let (findings, not_checked) = found(|facts| {
        set(&mut facts.images, &Fact::NotChecked(denied.clone()));
        set(&mut facts.stored, &Fact::NotChecked(denied.clone()));
        set(&mut facts.roles, &Fact::NotChecked("another account".to_owned()));
        facts.cluster = Some(Fact::NotChecked(denied.clone()));
    });
    assert!(findings.is_empty());
    assert_eq!(not_checked.len(), 2, "{not_checked:?}");
    assert!(not_checked[1].ends_with("and 1 more: no permission"), "{not_checked:?}");
}

#[test]
fn a_finding_withholds_every_action_and_asks_again_later_and_later() {
    let desired = full();
    let plan = Plan {
        actions: vec![Action::DeleteService { force: false, reason: Reason::Pruning }],
        ..Plan::nothing()
    };
    let mut facts = fine(&mentions(&desired));
    set(&mut facts.alarms, &absent(&[]));
    let pauses: Vec<Requeue> = [None, Some(10), Some(100), Some(10_000)]
        .into_iter()
        .map(|held| weigh(&desired, plan.clone(), &facts, held.map(Duration::from_secs)).requeue)
        .collect();
    let seconds = |seconds| Requeue::After(Duration::from_secs(seconds));
    assert_eq!(pauses, [seconds(30), seconds(30), seconds(50), seconds(300)]);
    let mut unread = fine(&mentions(&desired));
    set(&mut unread.alarms, &Fact::NotChecked("no permission".to_owned()));
    let weighed = weigh(&desired, plan.clone(), &unread, None);
    assert_eq!((weighed.actions.len(), weighed.not_checked.len()), (1, 1));
    let held = weigh(&desired, plan, &facts, None);
    assert!(held.actions.is_empty());
    assert_eq!(held.withheld.len(), 1);
    assert_eq!(held.holds[0].reason, Reason::PreflightFailed);
    assert!(held.holds[0].message.starts_with("web.yaml: spec.service.deploymentConfiguration"));
}

#[test]
fn value_from_comes_apart() {
    let elsewhere = |text: &str| match StoredName::parse(text) {
        Some((StoredName::Elsewhere { arn, local, .. }, selector)) => {
            (arn, *local, selector.stage, selector.version)
        }
        other => panic!("{text}: {other:?}"),
    };
    let parameter = "arn:aws:ssm:eu-west-1:111122223333:parameter/shop/url";
    assert_eq!(
        elsewhere(parameter),
        (parameter.to_owned(), StoredName::Parameter("/shop/url".into()), None, None)
    );
    let (arn, local, stage, version) = elsewhere(&format!("{SECRET}:key:AWSPREVIOUS:"));
    assert_eq!((arn.as_str(), local), (SECRET, StoredName::Secret(SECRET.to_owned())));
    assert_eq!((stage.as_deref(), version), (Some("AWSPREVIOUS"), None));
    assert_eq!(elsewhere(&format!("{SECRET}:::v-7")).3.as_deref(), Some("v-7"));
    let (name, _) = StoredName::parse("url:3").unwrap();
    assert_eq!(name, StoredName::Parameter("url".to_owned()));
    assert_eq!(StoredName::parse("arn:aws:s3:::x"), None);
}

#[test]
fn the_hash_changes_with_a_version_and_not_with_the_order() {
    let version = |from: &str, version: &str| SecretVersion {
        container: "app".into(),
        name: "X".into(),
        from: from.into(),
        version: version.into(),
        changed_at: Some(Timestamp::UNIX_EPOCH),
    };
    let (one, two) = (version("/a", "1"), version("/b", "1"));
    assert_eq!(hash(&[one.clone(), two.clone()]), hash(&[two.clone(), one.clone()]));
    assert_eq!(hash(&[one.clone(), one.clone()]), hash(std::slice::from_ref(&one)));
    assert_ne!(hash(&[one.clone(), two]), hash(&[one, version("/b", "2")]));
}

#[test]
fn images_in_ecr_are_told_from_others() {
    let place = |text: &str| ImageName::parse(text).place;
    for other in
        ["nginx:1", "public.ecr.aws/nginx/nginx:1", "ghcr.io/a/b", "1.dkr.ecr.x.amazonaws.com/a"]
    {
        assert_eq!(place(other), None, "{other}");
    }
    let china = place("111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn/a/b@sha256:ab").unwrap();
    assert_eq!(
        (china.region.as_str(), china.tag, china.digest.as_deref()),
        ("cn-north-1", None, Some("sha256:ab"))
    );
    assert_eq!(
        place("111122223333.dkr-ecr.eu-west-1.on.aws/a").unwrap().tag.as_deref(),
        Some("latest")
    );
}

#[test]
fn the_version_of_every_value_is_known_or_that_of_none() {
    let mentions = mentions(&full());
    let read = |change: fn(&mut Facts)| {
        let mut facts = fine(&mentions);
        change(&mut facts);
        versions(&mentions, &facts).map(|versions| {
            let told = versions.into_iter();
            told.map(|one| format!("{} {} {}", one.container, one.name, one.version))
                .collect::<Vec<_>>()
        })
    };
    let secrets = |facts: &mut Facts, change: fn(&mut Secret)| {
        for fact in facts.stored.values_mut() {
            if let Fact::Present(Stored::Secret(secret)) = fact {
                change(secret);
            }
        }
    };
    assert_eq!(read(|_| {}).unwrap(), ["app URL 3", "app DB v-1"]);
    assert_eq!(
        read(|facts| {
            facts.stored.pop_first();
        }),
        None
    );
    let mut facts = fine(&mentions);
    secrets(&mut facts, |secret| secret.stages.clear());
    assert_eq!(versions(&mentions, &facts), None);
}

#[test]
fn an_image_has_to_be_there_for_the_platform_of_its_tasks() {
    let wanted = |platform: Value, fargate: bool| {
        let requires = if fargate { json!(["FARGATE"]) } else { json!(["EC2"]) };
        let desired = desired(&json!({
            "cluster": "shop", "service": {},
            "taskDefinition": {
                "requiresCompatibilities": requires, "runtimePlatform": platform,
                "containerDefinitions": [{ "name": "app", "image": IMAGE }],
            },
        }));
        mentions(&desired).images[0].wanted.clone()
    };
    let windows =
        json!({ "operatingSystemFamily": "WINDOWS_SERVER_2022_CORE", "cpuArchitecture": "X86_64" });
    let arm = json!({ "operatingSystemFamily": "LINUX", "cpuArchitecture": "ARM64" });
    for (platform, fargate, expected) in [
        (Value::Null, true, Some("linux/amd64")),
        (Value::Null, false, None),
        (arm.clone(), true, Some("linux/arm64")),
        (arm, false, Some("linux/arm64")),
        (windows, true, Some("windows/amd64")),
    ] {
        assert_eq!(wanted(platform.clone(), fargate).as_deref(), expected, "{platform}");
    }
}

/// The credentials of a registry are a secret as well: by a name or by an ARN, for the container that they belong to.
#[test]
fn the_credentials_of_a_registry_are_a_secret() {
    for (text, name) in [
        ("registry", StoredName::Secret("registry".to_owned())),
        (SECRET, StoredName::parse(SECRET).unwrap().0),
    ] {
        let desired = desired(&json!({
            "cluster": "shop", "service": {},
            "taskDefinition": { "containerDefinitions": [{
                "name": "app", "image": IMAGE,
                "repositoryCredentials": { "credentialsParameter": text },
            }] },
        }));
        let stored = mentions(&desired).stored;
        let [one] = stored.as_slice() else { panic!("{stored:?}") };
        assert_eq!((&one.name, one.wanted.from.as_str()), (&name, text));
        let of = (one.wanted.container.as_str(), one.wanted.variable.as_str());
        assert_eq!(of, ("app", "repositoryCredentials"));
        assert!(one.path.ends_with("repositoryCredentials.credentialsParameter"));
    }
}

#[test]
fn of_many_findings_the_first_are_told_and_the_others_counted() {
    let finding = |number: usize| Finding {
        path: format!("spec.{number}"),
        message: "is not there".to_owned(),
        hint: None,
        severity: crate::rules::Severity::Error,
    };
    for (count, told, ends) in [
        (1, 1, "spec.0: is not there"),
        (5, 5, "spec.4: is not there"),
        (6, 5, "; and 1 more"),
        (9, 5, "; and 4 more"),
    ] {
        let text = tell("web.yaml", &(0..count).map(finding).collect::<Vec<_>>());
        assert_eq!(text.matches("is not there").count(), told, "{text}");
        assert!(text.starts_with("web.yaml: spec.0") && text.ends_with(ends), "{text}");
    }
}
