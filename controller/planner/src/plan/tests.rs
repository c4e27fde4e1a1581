//! Scenarios of one service: a small world folds the plan into itself, and planning again must give nothing.

mod attempt;
mod checks;
mod deeds;
mod explained;
mod held;
mod hooks;
mod left;
mod orders;
mod reload;
mod turns;
mod under_way;

use crds::{Reason, Service, SyncPolicy};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Action, Plan, TaskDefinitionRef, plan, wants};
use crate::desired::Desired;
use crate::observed::{Observed, ObservedService, ObservedTaskDefinition, ServiceDeployment};
use crate::orders::Orders;
use crate::ownership::{HELD_SPEC, OWNER, SPEC_HASH};
use crate::unsaid;

pub(crate) const ARN: &str = "arn:aws:ecs:eu-west-1:111122223333";
/// The calls for a spec of new content: it is said that it is sent, then it is sent, then it is said that it was.
const NEW_ROLLOUT: [&str; 4] =
    ["RegisterTaskDefinition", "TagResource", "UpdateService", "TagResource"];

pub(crate) fn spec(image: &str, sync: &Value) -> Service {
    serde_json::from_value(json!({
        "apiVersion": "longshore.dev/v1alpha1",
        "kind": "Service",
        "metadata": { "name": "web" },
        "spec": {
            "cluster": "shop",
            "taskDefinition": {
                "cpu": "256", "memory": "512", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
                "containerDefinitions": [{ "name": "app", "image": image, "portMappings": [{ "containerPort": 80 }] }],
            },
            "service": {
                "launchType": "FARGATE", "desiredCount": 2,
                "networkConfiguration": { "awsvpcConfiguration": { "subnets": ["subnet-b", "subnet-a"] } },
                "tags": [{ "key": "team", "value": "shop" }],
            },
            "sync": sync,
        },
    }))
    .unwrap()
}

#[allow(clippy::needless_pass_by_value, reason = "callers write `json!({…})`")]
pub(crate) fn desired_with(image: &str, sync: Value) -> Desired {
    resolved(&spec(image, &sync))
}

pub(crate) fn resolved(spec: &Service) -> Desired {
    let provenance = crds::Provenance {
        source: "fleet".parse().unwrap(),
        revision: crds::SourceRevision::new("c0ffee"),
        file: "web.yaml".into(),
        line: 1,
    };
    let owner = "test".parse().unwrap();
    Desired::resolve(spec, &owner, provenance, &SyncPolicy::default()).unwrap()
}

pub(crate) fn desired(image: &str) -> Desired {
    desired_with(image, json!({}))
}

/// What AWS would hold: revisions and at most one service, as JSON of its answers.
#[derive(Debug, Default, Clone)]
pub(crate) struct World {
    pub(crate) revisions: Vec<Value>,
    pub(crate) service: Option<Value>,
    pub(crate) records: Vec<Value>,
}

impl World {
    pub(crate) fn running(image: &str) -> Self {
        let mut world = Self::default();
        let _ = world.settle(&desired(image));
        world
    }

    pub(crate) fn observe(&self) -> Observed {
        let revision = |arn: &str| {
            let found = self
                .revisions
                .iter()
                .find(|answer| answer["taskDefinition"]["taskDefinitionArn"] == arn);
            found.map(ObservedTaskDefinition::from_describe)
        };
        let mut service = self.service.as_ref().map(ObservedService::from_describe);
        let task_definition =
            service.as_ref().and_then(|service| revision(&service.task_definition));
        let deployments = self.records.iter().map(|record| ServiceDeployment {
            task_definition: record["taskDefinition"].as_str().and_then(revision),
            ..ServiceDeployment::from_describe(record)
        });
        let deployments: Vec<ServiceDeployment> = deployments.collect();
        if let Some(service) = &mut service {
            unsaid::by_records(service, &deployments);
        }
        Observed {
            service,
            task_definition,
            candidates: Some(
                self.revisions.iter().rev().map(ObservedTaskDefinition::from_describe).collect(),
            ),
            deployments: Some(deployments),
            ..Observed::default()
        }
    }

    fn plan(&self, desired: &Desired) -> Plan {
        plan(desired, &self.observe(), &Orders::default(), Timestamp::UNIX_EPOCH)
    }

    /// Carries a plan out, as AWS would once every rollout has ended well.
    pub(crate) fn apply(&mut self, plan: &Plan) {
        let mut registered = None;
        for action in &plan.actions {
            let reference =
                |reference: &TaskDefinitionRef, registered: &Option<String>| match reference {
                    TaskDefinitionRef::Existing(arn) => arn.clone(),
                    TaskDefinitionRef::Registered => registered.clone().expect("registered first"),
                };
            match action {
                Action::RegisterTaskDefinition { input, .. } => {
                    let arn =
                        format!("{ARN}:task-definition/shop-web:{}", self.revisions.len() + 1);
                    let mut definition = input.clone();
                    definition["taskDefinitionArn"] = json!(arn);
                    definition["status"] = json!("ACTIVE");
                    let tags = definition.as_object_mut().unwrap().remove("tags");
                    self.revisions.push(json!({ "taskDefinition": definition, "tags": tags }));
                    registered = Some(arn);
                }
                Action::CreateService { input, task_definition, .. } => {
                    let mut service = input.clone();
                    service["serviceArn"] = json!(format!("{ARN}:service/shop/web"));
                    service["status"] = json!("ACTIVE");
                    service["runningCount"] = service["desiredCount"].clone();
                    self.run(service, &reference(task_definition, &registered));
                }
                Action::UpdateService { input, task_definition, .. } => {
                    let mut service = self.service.clone().unwrap();
                    for (member, value) in input.as_object().unwrap() {
                        service[member] = value.clone();
                    }
                    let running = service["taskDefinition"].as_str().unwrap().to_owned();
                    let arn = task_definition
                        .as_ref()
                        .map_or(running, |wanted| reference(wanted, &registered));
                    self.run(service, &arn);
                }
                Action::TagResource { tags, .. } => {
                    let service = self.service.as_mut().unwrap();
                    let mut all = crate::observed::tags(service);
                    all.extend(tags.clone());
                    service["tags"] = all
                        .iter()
                        .map(|(key, value)| json!({ "key": key, "value": value }))
                        .collect();
                }
                Action::UntagResource { keys, .. } => {
                    let service = self.service.as_mut().unwrap();
                    let mut all = crate::observed::tags(service);
                    all.retain(|key, _| !keys.contains(key));
                    service["tags"] = all
                        .iter()
                        .map(|(key, value)| json!({ "key": key, "value": value }))
                        .collect();
                }
                Action::RunTask { .. }
                | Action::StopTask { .. }
                | Action::StopServiceDeployment { .. }
                | Action::ContinueServiceDeployment { .. } => {
                    panic!("a plan of a spec steers no deployment")
                }
                Action::Scaling { .. } => {
                    panic!("no spec here has scaling")
                }
                Action::DeleteService { .. } => self.service = None,
            }
        }
    }

    fn run(&mut self, mut service: Value, arn: &str) {
        service["taskDefinition"] = json!(arn);
        service["deployments"] = json!([{
            "id": "ecs-svc/1", "status": "PRIMARY", "taskDefinition": arn, "rolloutState": "COMPLETED",
            "desiredCount": 2, "runningCount": 2,
        }]);
        self.service = Some(service);
    }

    /// Plans and applies, and expects that nothing is left to do.
    pub(crate) fn settle(&mut self, desired: &Desired) -> Plan {
        let first = self.plan(desired);
        self.apply(&first);
        let second = self.plan(desired);
        assert!(second.actions.is_empty(), "still to do: {:#?}", second.actions);
        first
    }

    /// The rollout to the newest revision failed and ECS went back to the one before.
    fn roll_back(&mut self, from: &str, to: &str, status: &str) {
        let service = self.service.clone().unwrap();
        self.run(service, to);
        self.records.insert(0, json!({
            "status": status, "statusReason": "the circuit breaker threshold was exceeded.",
            "targetServiceRevision": { "arn": format!("{ARN}:service-revision/shop/web/2") }, "taskDefinition": from,
        }));
    }
}

fn operations(plan: &Plan) -> Vec<&'static str> {
    plan.actions.iter().map(Action::operation).collect()
}

fn reasons(plan: &Plan) -> Vec<Reason> {
    plan.holds.iter().map(|hold| hold.reason).collect()
}

fn revision_arn(number: u32) -> String {
    format!("{ARN}:task-definition/shop-web:{number}")
}

#[test]
fn a_service_that_is_not_there_is_registered_and_created_once() {
    let mut world = World::default();
    let plan = world.settle(&desired("web:v1"));
    assert_eq!(operations(&plan), ["RegisterTaskDefinition", "CreateService"]);
    assert_eq!(world.revisions.len(), 1);
}

#[test]
fn a_new_image_is_one_revision_and_one_update() {
    let mut world = World::running("web:v1");
    let plan = world.settle(&desired("web:v2"));
    assert_eq!(operations(&plan), NEW_ROLLOUT);
    let changes = plan.actions[0].changes();
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].path, "taskDefinition.containerDefinitions[app].image");
    assert_eq!(plan.actions[0].reason(), Reason::SpecChanged);
}

#[test]
fn going_back_uses_the_revision_that_is_there() {
    let mut world = World::running("web:v1");
    let _ = world.settle(&desired("web:v2"));
    let plan = world.settle(&desired("web:v1"));
    assert_eq!(operations(&plan), ["TagResource", "UpdateService", "TagResource"]);
    let paths: Vec<&str> =
        plan.actions[1].changes().iter().map(|change| change.path.as_str()).collect();
    let image = "taskDefinition.containerDefinitions[app].image";
    assert_eq!(paths, ["service.taskDefinition", image], "what goes back is named");
    assert_eq!(world.service.unwrap()["taskDefinition"], revision_arn(1));
    assert_eq!(world.revisions.len(), 2);
}

#[test]
fn an_inactive_revision_is_not_used_again() {
    let mut world = World::running("web:v1");
    let _ = world.settle(&desired("web:v2"));
    world.revisions[0]["taskDefinition"]["status"] = json!("INACTIVE");
    let plan = world.settle(&desired("web:v1"));
    assert_eq!(operations(&plan)[0], "RegisterTaskDefinition");
}

#[test]
fn what_somebody_changed_at_aws_is_healed_with_one_member() {
    let mut world = World::running("web:v1");
    world.service.as_mut().unwrap()["desiredCount"] = json!(7);
    let plan = world.settle(&desired("web:v1"));
    let [Action::UpdateService { input, task_definition: None, reason: Reason::Drifted, .. }] =
        plan.actions.as_slice()
    else {
        panic!("{:#?}", plan.actions)
    };
    assert_eq!(*input, json!({ "cluster": "shop", "service": "web", "desiredCount": 2 }));
}

#[test]
fn without_self_heal_it_is_told_and_left() {
    let mut world = World::running("web:v1");
    let desired = desired_with("web:v1", json!({ "selfHeal": false }));
    world.service.as_mut().unwrap()["desiredCount"] = json!(7);
    let plan = world.plan(&desired);
    assert_eq!((operations(&plan).len(), reasons(&plan)), (0, vec![Reason::SelfHealOff]));
    assert_eq!(plan.withheld.len(), 1);
}

#[test]
fn without_self_heal_a_new_spec_still_rolls_out() {
    let world = World::running("web:v1");
    let plan = world.plan(&desired_with("web:v2", json!({ "selfHeal": false })));
    assert_eq!(operations(&plan), NEW_ROLLOUT);
}

#[test]
fn a_service_of_nobody_is_left_alone_and_adopted_on_request_with_tags_only() {
    let mut world = World::running("web:v1");
    world.service.as_mut().unwrap()["tags"] = json!([]);
    world.revisions[0]["tags"] = json!([]);
    let plan = world.plan(&desired("web:v2"));
    assert_eq!((operations(&plan).len(), reasons(&plan)), (0, vec![Reason::NotOwned]));
    let plan = world.settle(&desired_with("web:v1", json!({ "adopt": true })));
    assert_eq!(operations(&plan), ["TagResource"]);
    assert_eq!(plan.actions[0].reason(), Reason::Adopting);
}

#[test]
fn a_service_of_another_operator_is_never_touched() {
    let mut world = World::running("web:v1");
    world.service.as_mut().unwrap()["tags"] = json!([{ "key": OWNER, "value": "other" }]);
    let plan = world.plan(&desired_with("web:v2", json!({ "adopt": true })));
    assert_eq!((operations(&plan).len(), reasons(&plan)), (0, vec![Reason::OwnedByAnother]));
}

#[test]
fn suspended_and_manual_services_keep_their_differences() {
    for (sync, reason) in [
        (json!({ "suspend": true }), Reason::Suspended),
        (json!({ "mode": "manual" }), Reason::ManualSync),
    ] {
        for world in [World::default(), World::running("web:v1")] {
            let plan = world.plan(&desired_with("web:v2", sync.clone()));
            assert_eq!((operations(&plan).len(), reasons(&plan)), (0, vec![reason]));
            assert!(!plan.withheld.is_empty());
        }
    }
}

#[test]
fn ignored_members_are_neither_compared_nor_changed() {
    let mut world = World::running("web:v1");
    world.service.as_mut().unwrap()["desiredCount"] = json!(7);
    let ignoring = |image: &str| {
        desired_with(
            image,
            json!({ "ignore": ["/service/desiredCount", "/taskDefinition/containerDefinitions/app/image"] }),
        )
    };
    assert!(world.plan(&ignoring("web:v1")).is_settled());
    assert!(
        world
            .plan(&ignoring("web:v9"))
            .actions
            .iter()
            .all(|action| action.operation() == "TagResource")
    );
}

#[test]
fn a_rolled_back_spec_is_not_tried_again_until_it_changes() {
    for (status, reason) in
        [("ROLLBACK_SUCCESSFUL", Reason::RolledBack), ("ROLLBACK_FAILED", Reason::RolloutFailed)]
    {
        let mut world = World::running("web:v1");
        let _ = world.settle(&desired("web:bad"));
        world.roll_back(&revision_arn(2), &revision_arn(1), status);
        let plan = world.settle(&desired("web:bad"));
        assert_eq!(operations(&plan), ["TagResource"], "{status}: it is written down");
        assert_eq!(reasons(&plan), [reason], "{status}");
        let plan = world.settle(&desired("web:v3"));
        assert_eq!(operations(&plan), [&NEW_ROLLOUT[..], &["UntagResource"]].concat());
    }
}

#[test]
fn a_hand_made_redeployment_does_not_release_the_failed_spec() {
    let mut world = World::running("web:v1");
    let _ = world.settle(&desired("web:bad"));
    world.roll_back(&revision_arn(2), &revision_arn(1), "ROLLBACK_SUCCESSFUL");
    world.records.insert(0, json!({ "status": "SUCCESSFUL", "taskDefinition": revision_arn(1) }));
    assert_eq!(reasons(&world.plan(&desired("web:bad"))), [Reason::RolledBack]);
}

#[test]
fn while_ecs_rolls_back_the_failed_spec_is_not_sent_again_even_if_its_tag_was_never_written() {
    let mut world = World::running("web:v1");
    let tags = world.service.as_ref().unwrap()["tags"].clone();
    let _ = world.settle(&desired("web:bad"));
    world.service.as_mut().unwrap()["tags"] = tags;
    world.roll_back(&revision_arn(2), &revision_arn(1), "ROLLBACK_IN_PROGRESS");
    assert_eq!(operations(&world.plan(&desired("web:bad"))), [""; 0]);
}

#[test]
fn a_changed_launch_type_waits_for_a_person() {
    let mut world = World::running("web:v1");
    world.service.as_mut().unwrap()["launchType"] = json!("EC2");
    let plan = world.plan(&desired("web:v2"));
    assert_eq!((operations(&plan).len(), reasons(&plan)), (0, vec![Reason::NeedsReplacement]));
}

#[test]
fn a_draining_name_is_waited_for_and_an_inactive_one_is_free() {
    let mut world = World::running("web:v1");
    world.service.as_mut().unwrap()["status"] = json!("DRAINING");
    assert_eq!(reasons(&world.plan(&desired("web:v1"))), [Reason::Draining]);
    world.service.as_mut().unwrap()["status"] = json!("INACTIVE");
    assert_eq!(operations(&world.plan(&desired("web:v1"))), ["CreateService"]);
}

/// The spec of `desired` with `monitoring`, or without.
fn monitored(seconds: Option<i32>) -> Desired {
    let mut spec = serde_json::to_value(spec("web:v1", &json!({}))).unwrap();
    if let Some(seconds) = seconds {
        spec["spec"]["service"]["monitoring"] = json!({"metricConfigurations": [{"metricNames": ["CPUUtilization"], "resolutionSeconds": seconds}]});
    }
    resolved(&serde_json::from_value(spec).unwrap())
}

/// Only service revisions show it, and whether a change makes one is not documented.
#[test]
fn what_only_revisions_show_follows_the_spec_and_is_not_sent_again_and_again() {
    let mut world = World::running("web:v1");
    let plan = world.plan(&monitored(Some(20)));
    assert_eq!(operations(&plan), ["UpdateService", "TagResource"]);
    assert_eq!(plan.actions[0].changes()[0].path, "service.monitoring");
    world.apply(&plan);
    // Read from a revision that does not have it yet: the spec was sent, that is all that can be known.
    world.service.as_mut().unwrap().as_object_mut().unwrap().remove("monitoring");
    assert!(world.plan(&monitored(Some(20))).is_settled());
    // A revision that shows it: the next spec's value differs from it, and a spec without it takes it back.
    world.service.as_mut().unwrap()["monitoring"] = json!({"metricConfigurations": [{"metricNames": ["CPUUtilization"], "resolutionSeconds": 20}]});
    assert!(world.plan(&monitored(Some(20))).is_settled());
    let plan = world.plan(&monitored(Some(60)));
    assert_eq!(plan.actions[0].changes()[0].path, "service.monitoring.metricConfigurations");
    let plan = world.plan(&monitored(None));
    let Action::UpdateService { input, .. } = &plan.actions[0] else { panic!("{plan:#?}") };
    assert_eq!(input["monitoring"], json!({"metricConfigurations": []}));
}

#[test]
fn a_revision_that_is_not_in_force_says_nothing() {
    let world = World::running("web:v1");
    let mut service = world.observe().service.unwrap();
    let revision = |number: u32| {
        json!({"serviceRevisionArn": format!("{ARN}:service-revision/shop/web/{number}"),
               "monitoring": {"metricConfigurations": [{"metricNames": ["CPUUtilization"], "resolutionSeconds": 20}]}})
    };
    let before = service.normal.clone();
    service.complete_from(&revision(2));
    assert_eq!(service.normal, before);
    service.complete_from(&revision(1));
    assert_ne!(service.normal, before);
}

#[test]
fn a_commit_that_changes_nothing_else_touches_no_tag() {
    let world = World::running("web:v1");
    let mut again = desired("web:v1");
    again.provenance.revision = crds::SourceRevision::new("0ddba11");
    assert!(world.plan(&again).is_settled());
}

#[test]
fn the_steady_state_asks_for_nothing_more() {
    let world = World::running("web:v1");
    let mut cheap = world.observe();
    (cheap.candidates, cheap.deployments) = (None, None);
    let wants = wants(&desired("web:v1"), &cheap);
    assert!(!wants.candidates && !wants.deployments && !wants.stopped && !wants.unlisted);
}

#[test]
fn where_ecs_says_nothing_the_records_are_read_until_the_end_is_known() {
    let mut world = World::running("web:v1");
    let shown = &mut world.service.as_mut().unwrap()["deployments"][0];
    shown.as_object_mut().unwrap().remove("rolloutState");
    let mut cheap = world.observe();
    (cheap.candidates, cheap.deployments) = (None, None);
    let asked = wants(&desired("web:v1"), &cheap);
    assert!(asked.deployments && !asked.stopped && !asked.images, "{asked:?}");
    let past = serde_json::from_value(json!({
        "id": "1", "taskDefinition": "shop-web:1", "taskDefinitionArn": revision_arn(1), "outcome": "Successful",
    }));
    unsaid::by_history(cheap.service.as_mut().unwrap(), &[past.unwrap()]);
    let asked = wants(&desired("web:v1"), &cheap);
    assert!(!asked.deployments && !asked.stopped && asked.images, "{asked:?}");
}

/// What a rollout under way brings counts for the spec that comes next, and the revision before it runs beside it.
#[test]
fn a_spec_that_comes_during_a_rollout_is_compared_with_the_revision_it_leads_to() {
    let mut world = World::running("web:v1");
    world.service.as_mut().unwrap()["deployments"][0]["rolloutState"] = json!("IN_PROGRESS");
    let arn = |number: u32| format!("{ARN}:service-revision/shop/web/{number}");
    world.service.as_mut().unwrap()["currentServiceRevisions"] =
        json!([{"arn": arn(7)}, {"arn": arn(1)}]);
    let observed = world.observe();
    let asked = |desired: &Desired| wants(desired, &observed);
    assert!(asked(&desired("web:v2")).unlisted && asked(&monitored(Some(20))).unlisted);
    assert!(!asked(&desired("web:v1")).unlisted && !asked(&desired("web:v1")).images);
    let service = observed.service.as_ref().unwrap();
    assert_eq!(service.revision_in_force(), Some(arn(1).as_str()));
}

#[test]
fn the_creation_token_is_stable_until_the_service_is_gone() {
    let token = |world: &World| match world.plan(&desired("web:v1")).actions.last() {
        Some(Action::CreateService { input, .. }) => {
            input["clientToken"].as_str().unwrap().to_owned()
        }
        other => panic!("{other:?}"),
    };
    let mut world = World::default();
    let first = token(&world);
    assert_eq!(first.len(), 32);
    assert_eq!(token(&world), first);
    let _ = world.settle(&desired("web:v1"));
    let service = world.service.as_mut().unwrap();
    (service["status"], service["createdAt"]) = (json!("INACTIVE"), json!(1_700_000_000.5));
    assert_ne!(token(&world), first);
}

#[test]
fn under_code_deploy_no_revision_is_forced_in() {
    let mut world = World::running("web:v1");
    world.service.as_mut().unwrap()["deploymentController"] = json!({ "type": "CODE_DEPLOY" });
    let plan = world.plan(&desired("web:v2"));
    assert!(operations(&plan).is_empty() && !plan.holds.is_empty(), "{plan:#?}");
}

fn any_tags() -> impl Strategy<Value = Value> {
    let owner = prop_oneof![Just(None), Just(Some("test")), Just(Some("other"))];
    let held =
        prop_oneof![Just(None), Just(Some("")), Just(Some(":rolled-back")), Just(Some(":failed"))];
    (owner, any::<bool>(), held).prop_map(|(owner, attempted, held)| {
        let mut tags: Vec<Value> =
            owner.iter().map(|owner| json!({ "key": OWNER, "value": owner })).collect();
        if attempted {
            tags.push(json!({ "key": SPEC_HASH, "value": desired("web:v2").spec_hash }));
        }
        if let Some(why) = held {
            let value = format!("{}{why}", desired("web:v2").spec_hash);
            tags.push(json!({ "key": HELD_SPEC, "value": value }));
        }
        json!(tags)
    })
}

proptest! {
    #[test]
    fn what_never_happens(
        tags in any_tags(),
        state in prop_oneof![Just("ACTIVE"), Just("DRAINING"), Just("INACTIVE")],
        rollout in prop_oneof![Just("COMPLETED"), Just("IN_PROGRESS"), Just("FAILED")],
        record in prop_oneof![Just("SUCCESSFUL"), Just("IN_PROGRESS"), Just("ROLLBACK_IN_PROGRESS"), Just("ROLLBACK_SUCCESSFUL"), Just("ROLLBACK_FAILED"), Just("STOPPED"), Just("NEW_WORD")],
        count in 0_i64..5,
        suspend in any::<bool>(),
        adopt in any::<bool>(),
    ) {
        let mut world = World::running("web:v1");
        let _ = world.settle(&desired("web:v2"));
        world.records = vec![json!({ "status": record, "taskDefinition": revision_arn(2) })];
        let service = world.service.as_mut().unwrap();
        (service["tags"], service["status"], service["desiredCount"]) = (tags.clone(), json!(state), json!(count));
        service["taskDefinition"] = json!(revision_arn(1));
        service["deployments"][0]["rolloutState"] = json!(rollout);
        let desired = desired_with("web:v2", json!({ "suspend": suspend, "adopt": adopt }));
        let plan = world.plan(&desired);
        let owner = tags.as_array().unwrap().iter().find(|tag| tag["key"] == OWNER).map(|tag| tag["value"].clone());
        let updates = operations(&plan).iter().filter(|name| **name == "UpdateService").count();
        prop_assert!(updates <= 1);
        prop_assert!(!operations(&plan).contains(&"DeleteService"));
        prop_assert!(!suspend || plan.actions.is_empty());
        if state == "ACTIVE" {
            let may_touch = owner == Some(json!("test")) || owner.is_none() && adopt;
            prop_assert!(may_touch || plan.actions.is_empty());
        }
        let marks = plan.actions.iter().all(Action::is_hold_mark) && owner == Some(json!("test"));
        prop_assert!(plan.actions.is_empty() || plan.holds.is_empty() || marks);
    }
}

#[test]
fn a_member_that_is_passed_through_is_compared_where_aws_shows_it() {
    let mut wanted = serde_json::to_value(spec("web:v1", &json!({}))).unwrap();
    wanted["spec"]["passthrough"] = json!({ "service": { "brandNew": 7 } });
    let wanted = resolved(&serde_json::from_value(wanted).unwrap());
    let mut world = World::default();
    let _ = world.settle(&wanted);
    // (what AWS shows, whether this spec has been applied before, whether it differs)
    for (shown, is_attempted, differs) in [
        (Some(7), true, false),
        (Some(8), true, true),
        (None, true, false),
        (None, false, true),
        (Some(7), false, false),
    ] {
        let mut world = world.clone();
        let service = world.service.as_mut().unwrap().as_object_mut().unwrap();
        service.remove("brandNew");
        service.extend(shown.map(|shown| ("brandNew".to_owned(), json!(shown))));
        if !is_attempted {
            let tags = service["tags"].as_array_mut().unwrap();
            tags.retain(|tag| tag["key"] != SPEC_HASH);
        }
        let plan = world.plan(&wanted);
        let is_sent = plan.actions.iter().any(|action| {
            matches!(action, Action::UpdateService { input, .. } if input["brandNew"] == 7)
        });
        assert_eq!(is_sent, differs, "{shown:?} {is_attempted}: {:?}", plan.actions);
    }
}
