//! What Longshore says about a service.

use crate::scaling::ScalingStatus;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{CheckStatus, Generation, HookStatus, SourceName, SourceRevision, SpecHash};

/// Whether AWS matches the spec.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum SyncStatus {
    /// Nothing differs.
    Synced,
    /// Something differs; the conditions say whether it is being acted on.
    OutOfSync,
    /// It could not be found out.
    Unknown,
}

/// How the service itself is doing.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum Health {
    /// The wanted number of tasks runs the wanted revision.
    Healthy,
    /// A rollout is under way.
    Progressing,
    /// Something failed; the conditions say what.
    Degraded,
    /// The spec asks not to be acted on.
    Suspended,
    /// There is no such service at AWS.
    Missing,
    /// It could not be found out.
    Unknown,
}

/// A condition's type. The first three are those of kstatus, so that any tool that waits for them can wait for a service.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum ConditionType {
    /// The spec is fully in force.
    Ready,
    /// Work is under way.
    Reconciling,
    /// Nothing more will happen until a person or a new spec steps in.
    Stalled,
    /// The file that a release names in `writeBack` holds the version that is chosen. Of releases only.
    WrittenBack,
    /// The source that the spec comes from can be read and trusted. Of services only, and only while it is `False`.
    SourceReady,
}

/// Whether a condition holds.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum ConditionStatus {
    /// It holds.
    True,
    /// It does not.
    False,
    /// It could not be found out.
    Unknown,
}

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// Why: the one list of reasons that conditions, holds, actions, logs and metrics share.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum Reason {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Reason {
            /// Every reason with its explanation, in the order of the documentation.
            pub const ALL: &[(Reason, &'static str)] = &[$((Reason::$name, concat!($($doc),+)),)+];

            /// The reason as it is written in conditions and labels.
            pub const fn as_str(self) -> &'static str {
                match self { $(Reason::$name => stringify!($name),)+ }
            }
        }
    };
}

reasons! {
    /// The spec is in force: the deployment that was started has ended well and its revision is the primary one.
    RolloutSucceeded,
    /// The service does not exist at AWS yet and is being created.
    ServiceMissing,
    /// The spec has changed and the service is being brought to it.
    SpecChanged,
    /// The spec has not changed, but the service at AWS has; it is being brought back.
    Drifted,
    /// The service differs and `selfHeal` is off: the difference is reported and left.
    SelfHealOff,
    /// A parameter or secret has a new version and `reloadOnSecretChange` is set: tasks are replaced so that they read it.
    SecretsChanged,
    /// ECS is replacing tasks.
    RolloutInProgress,
    /// The rollout has gone on for longer than `rollout.timeout`; ECS goes on trying and so does the operator's watch.
    ProgressDeadlineExceeded,
    /// The rollout of this spec failed and ECS went back to the revision before; it is held until a new spec comes.
    RolledBack,
    /// The rollout of this spec failed and there was nothing to go back to; it is held until a new spec comes.
    RolloutFailed,
    /// A one-off task of the spec (`rollout.hooks`) is due or runs; what comes after it waits for its end.
    HookRunning,
    /// A one-off task of the spec (`rollout.hooks`) failed, or nobody can say how it ended; what comes after it is held until a new spec comes or it is released.
    HookFailed,
    /// ECS has carried the rollout on or ended it, and its checks (`rollout.checks`) are still being measured.
    ChecksRunning,
    /// Checks of the rollout cannot be measured or say nothing; `longshore promote` or `longshore abort` decides.
    ChecksInconclusive,
    /// A check of the rollout has failed: the rollout is stopped, or undone where ECS has ended it.
    ChecksFailed,
    /// `suspend` is set: nothing is changed.
    Suspended,
    /// `mode: manual`: the difference waits for a person.
    ManualSync,
    /// A person holds the service as it is; `longshore release` ends that.
    ManualHold,
    /// `rollout.approval` asks for an approval of this very spec, and none is in force.
    AwaitingApproval,
    /// A person went back to an earlier release; the spec that was left is held until a new spec comes or it is released.
    RolledBackByHand,
    /// A person stopped the rollout of this spec; it is held until a new spec comes or it is released.
    Aborted,
    /// A person released a spec that was held: it is tried once more.
    Released,
    /// A person asked for new tasks of the same revision.
    Restarting,
    /// A person let a rollout go on that was waiting.
    Promoted,
    /// Everything that a pause of the rollout was there for is given: the rollout goes on.
    GatePassed,
    /// The rollout waits at a pause for the newest spec, which is not the one that is being rolled out.
    GateOutdated,
    /// The tasks of the rollout fail in a way that no waiting mends: it is stopped, or held where there is nothing to go back to.
    RolloutHopeless,
    /// A person asked for the service to be deleted and created again, because ECS cannot change it in place.
    Replacing,
    /// What people said about this service cannot be read from the state store, so nothing is changed.
    StateUnknown,
    /// A service of this name exists and carries no owner tag; set `adopt: true` to take it over.
    NotOwned,
    /// A service of this name exists and belongs to another operator.
    OwnedByAnother,
    /// The service is being taken over: its tags are set, and nothing else unless it differs.
    Adopting,
    /// The change is one that ECS cannot make to an existing service; it has to be replaced.
    NeedsReplacement,
    /// Something that the spec names outside itself is missing or does not fit; nothing is registered before it does.
    PreflightFailed,
    /// A service that this one depends on is not ready with its newest spec yet.
    WaitingForDependency,
    /// A service that this one depends on has failed or is held; the change waits until that is mended.
    DependencyFailed,
    /// No source has a service that this one depends on.
    DependencyMissing,
    /// Services depend on each other in a circle, so that none of them can go first.
    DependencyCycle,
    /// As many services of the target are rolling tasks as it allows; the change waits in line.
    WaitingForPlace,
    /// `rollout.windows` allows no change that rolls tasks, and no move of production traffic, at this time.
    OutsideWindow,
    /// Another deployment controller (CodeDeploy, EXTERNAL) carries out the service's rollouts.
    ForeignController,
    /// The service, or the previous one of this name, is still draining.
    Draining,
    /// The spec has left the source and the service is being deleted.
    Pruning,
    /// The spec has left the source and `prune` is off: the service goes on running.
    PruneOff,
    /// The spec has left the source and its deletion policy is `Orphan`: the service goes on running, without our tags.
    Orphaned,
    /// A service that depends on this one is still there; this one is deleted after it.
    WaitingForDependents,
    /// The annotation `longshore.dev/protect` keeps the service from being deleted.
    Protected,
    /// More services of the source would be pruned at once than the brake allows; nothing is deleted.
    PruneBrake,
    /// The source could not be read completely, so the last good specs stay in force and nothing is deleted.
    SourceIncomplete,
    /// The source has become what only a person can judge: rewritten history, a moved tag, a missing signature, or nothing where there was something. The last good specs stay in force and nothing is deleted.
    SourceUntrusted,
    /// The source was read completely.
    SourceRead,
    /// The newest version of the spec cannot be used; the last good one stays in force.
    InvalidSpec,
    /// Two specs name the same service; neither is acted on.
    DuplicateSpec,
    /// AWS could not be read; nothing is decided from a guess.
    ObservationFailed,
    /// AWS asked for fewer calls; the turn is taken again later.
    Throttled,
    /// AWS refused for want of a permission.
    AccessDenied,
    /// AWS refused a call in a way that trying again cannot mend.
    CallRefused,
    /// A call failed in a way that may pass; the turn is taken again later.
    CallFailed,
    /// Less is running than wanted, although no rollout is under way.
    TasksMissing,
    /// The tags that mark ownership and origin are brought up to date.
    TagsChanged,
    /// The service has not been looked at yet.
    NotYetObserved,
    /// The release has chosen another version than before.
    VersionChosen,
    /// The version that the release has chosen is the best that fits its policy.
    VersionCurrent,
    /// The version that the release has chosen stays, because no other may take its place.
    VersionKept,
    /// A version waits for a gate of the release, or for facts about it that have not been read.
    VersionPending,
    /// Nothing in the repository fits the release's policy, or the image of a Git tag has not come in time.
    VersionMissing,
    /// Several images claim to be the version that would be chosen; none is taken.
    VersionAmbiguous,
    /// The repository lost its tags or most of them since it was read before; nothing is chosen from that.
    ListingSuspicious,
    /// The file of `writeBack` holds the version that is chosen.
    VersionWritten,
    /// The version that is chosen has not been written to the file of `writeBack` yet.
    WriteBackPending,
    /// What `writeBack` asks for cannot be done: the source takes no commits, or the file is not there or has no place for the version.
    WriteBackInvalid,
    /// The repository's host did not take the commit of `writeBack`: for want of a permission, or by a rule of its own.
    WriteBackRefused,
    /// The commit of `writeBack` could not be made or pushed, in a way that may pass; it is tried again.
    WriteBackFailed,
    /// The spec names a release that has not chosen a version yet.
    ReleaseUnresolved,
    /// A value that the spec refers to could not be read: the last one stays in force, and without one nothing is changed.
    ReferenceUnread,
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One statement about a service, in the form that Kubernetes made a standard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// What it is about.
    #[serde(rename = "type")]
    pub kind: ConditionType,
    /// Whether it holds.
    pub status: ConditionStatus,
    /// Why, for programs.
    pub reason: Reason,
    /// Why, for people.
    pub message: String,
    /// The generation of the spec it was said of.
    pub observed_generation: Generation,
    /// When `status` last changed.
    #[schemars(with = "String")]
    pub last_transition_time: Timestamp,
}

/// One attempt to bring a spec into force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// The source that the spec came from.
    pub source: SourceName,
    /// The Git commit or S3 version of the source.
    pub commit: SourceRevision,
    /// The spec's hash.
    pub spec_hash: SpecHash,
    /// When it was first tried, or first seen in force.
    #[schemars(with = "String")]
    pub time: Timestamp,
}

/// The image that one container runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImageStatus {
    /// The container's name.
    pub container: String,
    /// The image without tag and digest.
    pub repository: String,
    /// The tag in the task definition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// The digest that ECS resolved, `sha256:…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// The rollout that is under way, or the last one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RolloutStatus {
    /// ECS's id of the deployment, `ecs-svc/…`.
    pub id: String,
    /// `ROLLING`, `BLUE_GREEN`, `CANARY` or `LINEAR`.
    pub strategy: String,
    /// ECS's state of it: `IN_PROGRESS`, `COMPLETED`, `FAILED`, or a service deployment's status.
    pub stage: String,
    /// Tasks that run.
    pub running: i64,
    /// Tasks that should run.
    pub desired: i64,
    /// Tasks on their way.
    pub pending: i64,
    /// Tasks that failed to start.
    pub failed: i64,
    /// When ECS created it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub started_at: Option<Timestamp>,
    /// ECS's own words about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The traffic of the new tasks, where ECS shifts any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traffic_weights: Option<TrafficWeights>,
    /// When this process first saw the stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub stage_since: Option<Timestamp>,
    /// In the stage `BAKE_TIME`: when it ends, at the latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub bake_until: Option<Timestamp>,
    /// The PAUSE hooks at which it waits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<WaitingStatus>,
    /// How the checks of the rollout stand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckStatus>,
}

/// How much of the traffic goes to the new tasks, in percent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TrafficWeights {
    /// Of the production traffic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub production: Option<f64>,
    /// Of the test traffic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<f64>,
}

/// A PAUSE hook at which a rollout waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WaitingStatus {
    /// Its id.
    pub hook_id: String,
    /// Whether Longshore asked for the pause and ends it by itself once what it waits for is given. Any other pause waits for
    /// `longshore promote`.
    #[serde(default)]
    pub is_gate: bool,
    /// The stage at which it stands, where ECS says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// Since when it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub since: Option<Timestamp>,
    /// Until when it waits; then ECS does what the hook's timeout says, which for Longshore's own is a rollback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub expires_at: Option<Timestamp>,
}

/// The version of one parameter or secret, never its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretStatus {
    /// The container that reads it.
    pub container: String,
    /// The variable or option that takes it.
    pub name: String,
    /// `valueFrom` as the spec writes it.
    pub from: String,
    /// The number of a parameter's newest version, or the id of a secret's version in force.
    pub version: String,
}

/// A reason why a difference is not acted on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HoldStatus {
    /// Why, for programs.
    pub reason: Reason,
    /// Why, for people.
    pub message: String,
}

/// What Longshore says about a service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceStatus {
    /// The generation that was last planned for.
    pub observed_generation: Generation,
    /// Whether AWS matches the spec.
    pub sync: SyncStatus,
    /// How the service itself is doing.
    pub health: Health,
    /// The spec that was last tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_attempted: Option<Attempt>,
    /// The spec that was last fully in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_applied: Option<Attempt>,
    /// The task-definition revision that runs, `family:7`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_definition: Option<String>,
    /// The images that run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<ImageStatus>,
    /// The versions of the parameters and secrets that the spec names, as they were last read: once a minute with
    /// `reloadOnSecretChange`, otherwise before a rollout.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<SecretStatus>,
    /// The rollout under way, or the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<RolloutStatus>,
    /// The hooks of the spec that have begun, in the order of the spec.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hooks: Vec<HookStatus>,
    /// Application Auto Scaling's bounds and count, where the spec has the block `scaling`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scaling: Option<ScalingStatus>,
    /// Why differences are not acted on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<HoldStatus>,
    /// What could not be looked at before the last rollout of this spec, and why; it held nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_checked: Vec<String>,
    /// `Ready`, `Reconciling`, `Stalled`; `SourceReady` while the source cannot be read or trusted.
    pub conditions: Vec<Condition>,
    /// The last attempts, newest first, at most 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Attempt>,
}

impl ServiceStatus {
    /// The condition of a type, if it has been said.
    pub fn condition(&self, kind: ConditionType) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.kind == kind)
    }

    /// Whether `Ready` is `True`.
    pub fn is_ready(&self) -> bool {
        self.condition(ConditionType::Ready)
            .is_some_and(|condition| condition.status == ConditionStatus::True)
    }
}
