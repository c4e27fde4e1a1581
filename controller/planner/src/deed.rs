//! What a person asked to be done once: a restart, a rollback, an abort, a promotion.
//!
//! None of these needs a spec: they are decided from what AWS says about the service, so that they work while every source
//! is down. What comes in: the order, what was sent for it, the service, its rollouts and releases. What leaves: the next
//! [`Step`]. Guarantees: a service that is not ours is not touched; a call is sent again only when it has had no effect for
//! longer than a read can be old; a rollback is never rolled back unless the person names the release to go to.

use crds::{ObjectKey, OnFailure, OwnerName, PastRelease, Reason, ReleaseOutcome, SpecHash, Verb};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::checks::mark::{self, Mark};
use crate::desired::{CAPTURED, Desired};
use crate::drift::{self, FieldDrift};
use crate::gate;
use crate::normal;
use crate::observed::{
    ObservedService, ObservedTaskDefinition, ServiceDeployment, ServiceState, WaitingHook,
};
use crate::orders::{Sent, UnderWay};
use crate::ownership::{self, Ownership, SPEC_HASH, Tags};
use crate::past;
use crate::plan::held::{self, Held, Why};
use crate::plan::{self, Action, TaskDefinitionRef};
use crate::rollout::{self, DeploymentStatus, is_open};

/// What is known when it is decided.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// The service's key.
    pub key: &'a ObjectKey,
    /// The operator.
    pub owner: &'a OwnerName,
    /// The service; `None` when AWS says that there is none.
    pub service: Option<&'a ObservedService>,
    /// The revision that the service names.
    pub running: Option<&'a ObservedTaskDefinition>,
    /// ECS's records of its rollouts, newest first.
    pub deployments: &'a [ServiceDeployment],
    /// Its releases as the state store has them, newest first.
    pub past: &'a [PastRelease],
    /// What is wanted, where a source can say so.
    pub desired: Option<&'a Desired>,
    /// Whether nothing may change but what goes back: the spec or a person suspends the service.
    pub is_suspended: bool,
    /// When AWS was asked for all that: what was sent less long before need not show in it.
    pub read_at: Timestamp,
    /// The time.
    pub now: Timestamp,
}

/// What is to be done next about an order.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Write down what is sent, then send it.
    Act(Act),
    /// A call may still be on its way: look again.
    Wait,
    /// It has had its effect.
    Done,
    /// It cannot be done, and why.
    Refused(String),
}

/// The calls for an order.
#[derive(Debug, Clone, PartialEq)]
pub struct Act {
    /// The calls, in order.
    pub actions: Vec<Action>,
    /// What shows later whether they were made.
    pub sent: Sent,
    /// The spec that is left with it, to be held from now on.
    pub leaves: Option<SpecHash>,
}

/// The next step of an order.
pub fn next(deed: &UnderWay, scene: &Scene<'_>) -> Step {
    let key = scene.key;
    let Some(service) = scene.service.filter(|service| service.state == ServiceState::Active)
    else {
        return Step::Refused(format!("there is no service {key}"));
    };
    match ownership::ownership(&service.tags, scene.owner) {
        Ownership::Ours => {}
        Ownership::Nobodys => return Step::Refused(format!("{key} carries no owner tag")),
        Ownership::Another(owner) => {
            return Step::Refused(format!("{key} belongs to the operator `{owner}`"));
        }
    }
    if let Some(sent) = &deed.sent {
        let is_over = has_had_effect(deed.order.verb, sent, service, scene.deployments);
        let subject = scene.deployments.iter().find(|record| record.arn == sent.subject);
        let went_through = deed.order.verb == Verb::Abort
            && subject.is_some_and(|record| record.status == DeploymentStatus::Successful);
        if is_over && !sent.is_refused && !went_through {
            return Step::Done;
        }
        // What went through runs, and its checks may go on; or the person has named where to go.
        let present = service.primary().map(crate::observed::Deployment::revision_number);
        let runs = went_through
            && subject.map(|record| &*record.target_revision) == present
            && !scene.deployments.iter().any(is_open);
        let is_named = deed.order.verb == Verb::Rollback && deed.order.to.is_some();
        if is_over && !runs && !is_named {
            return Step::Refused("what it was about is over without it".to_owned());
        }
        if !is_over && deed.is_on_its_way(scene.read_at) {
            return Step::Wait;
        }
    }
    if scene.is_suspended && matches!(deed.order.verb, Verb::Restart | Verb::Promote) {
        return Step::Refused("the service has been suspended since".to_owned());
    }
    let decided = match deed.order.verb {
        Verb::Restart => restart(service, scene),
        Verb::Rollback => rollback(service, scene, deed),
        Verb::Abort => abort(service, scene, deed),
        Verb::Promote => promote(service, scene, deed.order.hook_id.as_deref()),
        Verb::Sync | Verb::Suspend | Verb::Resume | Verb::Hold | Verb::Release | Verb::Approve => {
            return Step::Done;
        }
    };
    decided.map_or_else(Step::Refused, Step::Act)
}

/// Whether what was about to be sent shows in what is there.
fn has_had_effect(
    verb: Verb,
    sent: &Sent,
    service: &ObservedService,
    deployments: &[ServiceDeployment],
) -> bool {
    match verb {
        Verb::Abort => deployments
            .iter()
            .find(|record| record.arn == sent.subject)
            // A record that is not shown says nothing. Where ECS had ended the rollout, its deployment was the subject.
            .map_or_else(
                || sent.subject.starts_with("ecs-svc/") && has_given_way(service, sent),
                |record| !is_open(record),
            ),
        Verb::Promote if mark::is_passed(&sent.subject) => {
            service.tags.get(mark::CHECKS) == Some(&sent.subject)
        }
        Verb::Promote => {
            let present = service.primary().map(crate::observed::Deployment::revision_number);
            let is_shown = |record: &ServiceDeployment| Some(&*record.target_revision) == present;
            deployments.iter().any(is_shown)
                && !waiting(deployments).any(|(_, hook)| hook.id == sent.subject)
        }
        Verb::Restart
        | Verb::Rollback
        | Verb::Sync
        | Verb::Suspend
        | Verb::Resume
        | Verb::Hold
        | Verb::Release
        | Verb::Approve => has_given_way(service, sent),
    }
}

/// Whether another deployment has taken the place of the one that was the primary one.
fn has_given_way(service: &ObservedService, sent: &Sent) -> bool {
    service.primary().is_some_and(|primary| primary.id != sent.subject)
}

fn restart(service: &ObservedService, scene: &Scene<'_>) -> Result<Act, String> {
    let input = update_of(scene.key, json!({ "forceNewDeployment": true }));
    let update = Action::UpdateService {
        input,
        task_definition: None,
        reason: Reason::Restarting,
        changes: Vec::new(),
    };
    let sent = instead_of_primary(service, scene)?;
    Ok(Act { actions: vec![update], sent, leaves: None })
}

/// A new deployment can only be asked of ECS, and shows as another primary one.
fn instead_of_primary(service: &ObservedService, scene: &Scene<'_>) -> Result<Sent, String> {
    let controller = service.raw.pointer("/deploymentController/type").and_then(Value::as_str);
    if let Some(other) = controller.filter(|controller| *controller != "ECS") {
        return Err(format!("the service's deployments are carried out by {other}, not by ECS"));
    }
    let primary = service.primary().ok_or("ECS shows no deployment of the service")?;
    Ok(Sent::new(scene.now, primary.id.clone()))
}

fn rollback(service: &ObservedService, scene: &Scene<'_>, deed: &UnderWay) -> Result<Act, String> {
    let sent = instead_of_primary(service, scene)?;
    // Once it has been tried, the mark on the service is its own.
    let is_new = deed.sent.is_none();
    let target = match deed.order.to.as_deref() {
        Some(name) => named(service, scene, name)?,
        None if is_new && is_rolled_back(service) => {
            let why = "the service was rolled back already; name a release to go further";
            return Err(why.to_owned());
        }
        None => last_good(service, scene)?,
    };
    let leaves = spec_in_force(service, scene);
    let mut actions = hold_action(service, scene, leaves.as_ref());
    actions.push(go_to(service, scene.key, target, Reason::RolledBackByHand));
    Ok(Act { actions, sent, leaves })
}

/// How a rollout whose checks have failed is left: it is stopped while it is under way, and undone where ECS has ended it.
/// Without an earlier release that ended well it stays, because there is nothing to go to. Where another deployment has taken the
/// place of the one that was judged there is nothing to leave.
pub fn leave(scene: &Scene<'_>, judged: &str) -> Result<Vec<Action>, String> {
    let service = scene.service.ok_or_else(|| format!("there is no service {}", scene.key))?;
    if instead_of_primary(service, scene)?.subject != judged {
        return Ok(Vec::new());
    }
    // A newer rollout may be under way that the service does not show yet.
    let newest = scene.deployments.first().filter(|newest| is_open(newest));
    if newest.is_some_and(|newest| judged.rsplit('/').next() != Some(&newest.target_revision)) {
        return Ok(Vec::new());
    }
    if scene.desired.is_some_and(|desired| desired.gates.on_failure == OnFailure::Hold) {
        return Err("`rollout.onFailure` is `hold`".to_owned());
    }
    let present = service.primary().map(crate::observed::Deployment::revision_number);
    let record =
        scene.deployments.iter().find(|record| Some(record.target_revision.as_str()) == present);
    match record.map(|record| (&record.status, &record.arn)) {
        Some((DeploymentStatus::Pending | DeploymentStatus::InProgress, arn)) => {
            earlier(service, scene)?;
            let (arn, reason) = (arn.clone(), Reason::ChecksFailed);
            Ok(vec![Action::StopServiceDeployment { arn, reason, because: None }])
        }
        // It is being left already.
        Some((
            DeploymentStatus::StopRequested
            | DeploymentStatus::RollbackRequested
            | DeploymentStatus::RollbackInProgress
            | DeploymentStatus::RollbackSuccessful,
            _,
        )) => Ok(Vec::new()),
        // ECS lists a rollout a moment after it has begun: it is stopped when it shows, not overtaken.
        None if rollout::is_moving(service) => Ok(Vec::new()),
        None
        | Some((
            DeploymentStatus::Successful
            | DeploymentStatus::Stopped
            | DeploymentStatus::RollbackFailed
            | DeploymentStatus::Other(_),
            _,
        )) => {
            let target = earlier(service, scene)?;
            Ok(vec![go_to(service, scene.key, target, Reason::ChecksFailed)])
        }
    }
}

fn go_to(service: &ObservedService, key: &ObjectKey, target: Target, reason: Reason) -> Action {
    let task_definition = (target.arn != service.task_definition)
        .then(|| TaskDefinitionRef::Existing(target.arn.clone()));
    let mut settings = target.settings;
    pass_gates(&mut settings, service);
    Action::UpdateService {
        input: update_of(key, settings),
        changes: vec![FieldDrift {
            path: "service.taskDefinition".to_owned(),
            desired: Some(json!(target.arn)),
            observed: Some(json!(service.task_definition)),
            effect: crds::ecs::Effect::RollsTasks,
        }],
        task_definition,
        reason,
    }
}

/// Takes Longshore's own pauses out of the way of a rollback: who asks for one has decided, and there may be no spec by which
/// they could be answered.
fn pass_gates(settings: &mut Value, service: &ObservedService) {
    let mut configuration = service.raw.get("deploymentConfiguration").cloned().unwrap_or_default();
    let Some(hooks) = gate::hooks_without_ours(&configuration, &service.tags) else { return };
    if let (Some(configured), Some(members)) =
        (configuration.as_object_mut(), settings.as_object_mut())
    {
        configured.insert("lifecycleHooks".to_owned(), hooks);
        members.insert("deploymentConfiguration".to_owned(), configuration);
    }
}

/// Where a rollback leads: a revision, and the settings that have to change with it.
struct Target {
    arn: String,
    settings: Value,
}

/// Whether a person has left the spec that the service carries.
fn is_rolled_back(service: &ObservedService) -> bool {
    let spec = service.tags.get(SPEC_HASH).map(SpecHash::from_text);
    spec.and_then(|spec| Held::of_spec(&service.tags, &spec))
        .is_some_and(|held| held.why == Why::Left)
}

/// The newest release that ended well and is not the present one.
fn last_good(service: &ObservedService, scene: &Scene<'_>) -> Result<Target, String> {
    match scene.deployments.first().map(|record| &record.status) {
        Some(
            DeploymentStatus::RollbackRequested
            | DeploymentStatus::RollbackInProgress
            | DeploymentStatus::RollbackSuccessful,
        ) => {
            return Err("ECS has rolled back already; name a release to go further".to_owned());
        }
        Some(
            DeploymentStatus::Pending
            | DeploymentStatus::InProgress
            | DeploymentStatus::Successful
            | DeploymentStatus::Stopped
            | DeploymentStatus::StopRequested
            | DeploymentStatus::RollbackFailed
            | DeploymentStatus::Other(_),
        )
        | None => {}
    }
    earlier(service, scene)
}

fn earlier(service: &ObservedService, scene: &Scene<'_>) -> Result<Target, String> {
    let present = service.primary().map(crate::observed::Deployment::revision_number);
    // ECS calls a rollout successful that Longshore has undone afterwards.
    let was_undone = |record: &&ServiceDeployment| {
        scene.past.iter().any(|release| {
            release.id == record.target_revision
                && matches!(release.outcome, ReleaseOutcome::RolledBack | ReleaseOutcome::Failed)
        })
    };
    scene
        .deployments
        .iter()
        .filter(|record| record.status == DeploymentStatus::Successful)
        .filter(|record| Some(record.target_revision.as_str()) != present)
        .filter(|record| !was_undone(record))
        .filter_map(|record| recorded(service, record).ok())
        .find(|target| leads_elsewhere(service, target))
        .or_else(|| {
            let mut past = scene.past.iter();
            let release = past.find(|release| {
                release.outcome == ReleaseOutcome::Successful
                    && release.task_definition_arn != service.task_definition
            })?;
            Some(remembered(release))
        })
        .ok_or_else(|| "no earlier release of the service has ended well".to_owned())
}

/// The release that a person names, by its id, its revision `family:7` or that revision's ARN.
fn named(service: &ObservedService, scene: &Scene<'_>, name: &str) -> Result<Target, String> {
    let is_meant = |arn: &str| arn == name || past::short_name(arn) == name;
    let records: Vec<&ServiceDeployment> = scene
        .deployments
        .iter()
        .filter(|record| {
            record.target_revision == name
                || record.task_definition.as_ref().is_some_and(|found| is_meant(&found.arn))
        })
        .collect();
    let good = records.iter().find(|record| record.status == DeploymentStatus::Successful).copied();
    let remembers = scene
        .past
        .iter()
        .filter(|release| release.id == name || is_meant(&release.task_definition_arn));
    let target = if let Some(record) = good {
        recorded(service, record)?
    } else {
        let mut remembers = remembers.peekable();
        if records.is_empty() && remembers.peek().is_none() {
            return Err(format!("the service has had no release `{name}`"));
        }
        let good = remembers.find(|release| release.outcome == ReleaseOutcome::Successful);
        remembered(good.ok_or_else(|| format!("release `{name}` did not end well"))?)
    };
    if !leads_elsewhere(service, &target) {
        return Err(format!("the service runs `{name}` already"));
    }
    let wanted = scene.deployments.iter().filter_map(|record| record.task_definition.as_ref());
    let mut wanted = wanted.filter(|revision| revision.arn == target.arn);
    let is_wanted = |desired: &Desired| {
        target.settings.as_object().is_none_or(serde_json::Map::is_empty)
            && wanted.any(|revision| desired.is_content_of(revision))
    };
    if scene.desired.is_some_and(is_wanted) {
        return Err(format!("`{name}` is what the spec asks for: `release` lets it go"));
    }
    Ok(target)
}

fn leads_elsewhere(service: &ObservedService, target: &Target) -> bool {
    target.arn != service.task_definition
        || target.settings.as_object().is_some_and(|settings| !settings.is_empty())
}

/// The revision and the settings that ECS captured with a rollout.
fn recorded(service: &ObservedService, record: &ServiceDeployment) -> Result<Target, String> {
    let revision = record.task_definition.as_ref().ok_or_else(|| {
        format!("ECS no longer shows what service revision {} was", record.target_revision)
    })?;
    if !revision.is_active {
        return Err(format!("{} has been deregistered", past::short_name(&revision.arn)));
    }
    let mut wanted = normal::service_block(&service.raw);
    if let (Some(members), Some(captured)) = (wanted.as_object_mut(), &record.captured) {
        for member in CAPTURED {
            if let Some(value) = captured.get(*member) {
                members.insert((*member).to_owned(), value.clone());
            }
        }
    }
    let settings = drift::update_input(&wanted, &service.raw);
    Ok(Target { arn: revision.arn.clone(), settings })
}

/// A release that only the state store still knows: its revision.
fn remembered(release: &PastRelease) -> Target {
    Target { arn: release.task_definition_arn.clone(), settings: json!({}) }
}

fn abort(service: &ObservedService, scene: &Scene<'_>, deed: &UnderWay) -> Result<Act, String> {
    let Some(running) = scene.deployments.iter().find(|record| is_open(record)) else {
        // ECS has ended it, and its checks go on.
        return match being_checked(service, scene) {
            Some(_) => rollback(service, scene, deed),
            None => Err("no rollout is under way".to_owned()),
        };
    };
    let leaves = spec_in_force(service, scene);
    let mut actions = hold_action(service, scene, leaves.as_ref());
    actions.push(Action::StopServiceDeployment {
        arn: running.arn.clone(),
        reason: Reason::Aborted,
        because: None,
    });
    let sent = Sent::new(scene.now, running.arn.clone());
    Ok(Act { actions, sent, leaves })
}

/// The spec whose rollout is being checked.
fn being_checked<'a>(service: &ObservedService, scene: &Scene<'a>) -> Option<&'a Desired> {
    scene.desired.filter(|desired| {
        !desired.checks.is_empty()
            && mark::mark(desired, service) == Mark::Pending
            && scene.running.is_some_and(|running| desired.is_content_of(running))
    })
}

fn promote(
    service: &ObservedService,
    scene: &Scene<'_>,
    hook_id: Option<&str>,
) -> Result<Act, String> {
    let hooks: Vec<(&ServiceDeployment, &WaitingHook)> = waiting(scene.deployments).collect();
    if hook_id.is_none()
        && hooks.is_empty()
        && let Some(desired) = being_checked(service, scene)
    {
        let passes = mark::set(desired, service, Mark::Passed, Reason::Promoted);
        let sent = Sent::new(scene.now, mark::passed(desired));
        return Ok(Act { actions: passes.into_iter().collect(), sent, leaves: None });
    }
    let (record, hook) = match (hook_id, hooks.as_slice()) {
        (_, []) => return Err("no rollout waits at a hook".to_owned()),
        (Some(id), hooks) => hooks
            .iter()
            .find(|(_, hook)| hook.id == id)
            .ok_or_else(|| format!("no rollout waits at the hook `{id}`"))?,
        (None, [only]) => only,
        (None, several) => {
            let ids: Vec<&str> = several.iter().map(|(_, hook)| hook.id.as_str()).collect();
            return Err(format!("several hooks wait; name one of {}", ids.join(", ")));
        }
    };
    let continues = Action::ContinueServiceDeployment {
        input: json!({
            "serviceDeploymentArn": record.arn, "hookId": hook.id, "action": "CONTINUE",
        }),
        reason: Reason::Promoted,
    };
    let sent = Sent::new(scene.now, hook.id.clone());
    Ok(Act { actions: vec![continues], sent, leaves: None })
}

/// The hooks at which rollouts under way wait, each with its rollout.
fn waiting(
    deployments: &[ServiceDeployment],
) -> impl Iterator<Item = (&ServiceDeployment, &WaitingHook)> {
    deployments
        .iter()
        .filter(|record| is_open(record))
        .flat_map(|record| record.waiting.iter().map(move |hook| (record, hook)))
}

/// The spec that the service was last brought to: the wanted one if that has been sent, else what the tag says.
fn spec_in_force(service: &ObservedService, scene: &Scene<'_>) -> Option<SpecHash> {
    let tag = service.tags.get(SPEC_HASH);
    let is_sent = |desired: &&Desired| {
        tag.map(String::as_str) == Some(desired.spec_hash.as_str())
            || scene.running.is_some_and(|running| desired.is_content_of(running))
    };
    let wanted = scene.desired.filter(is_sent).map(|desired| desired.spec_hash.clone());
    wanted.or_else(|| tag.map(SpecHash::from_text))
}

/// The marks on the service itself that its spec is held and which images it brought, before the spec is left: they outlive
/// the state store.
fn hold_action(
    service: &ObservedService,
    scene: &Scene<'_>,
    spec: Option<&SpecHash>,
) -> Vec<Action> {
    let Some(spec) = spec else { return Vec::new() };
    if Held::of_spec(&service.tags, spec).is_some_and(|held| held.why == Why::Left) {
        return Vec::new();
    }
    let images = scene.running.and_then(|running| plan::held_images(&running.raw));
    let tags = held::added_to(Tags::new(), service, (spec, Why::Left), images);
    if tags.is_empty() {
        return Vec::new();
    }
    vec![Action::TagResource {
        arn: service.arn.clone(),
        tags,
        reason: Reason::RolledBackByHand,
        changes: Vec::new(),
    }]
}

fn update_of(key: &ObjectKey, mut input: Value) -> Value {
    if let Some(members) = input.as_object_mut() {
        members.insert("cluster".to_owned(), json!(key.cluster));
        members.insert("service".to_owned(), json!(key.name));
    }
    input
}
