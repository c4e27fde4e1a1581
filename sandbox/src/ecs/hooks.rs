//! Lifecycle hooks of progressive roll-outs, and `ContinueServiceDeployment` (aws.md §2.7, §2.10).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Ecs, arn,
    model::{Record, RecordStatus, Service},
    refusal,
    stages::Stage,
};
use crate::{
    ApiError,
    clock::{after, epoch},
    ids, input,
};

/// A hook that was reached.
#[derive(Debug, Clone)]
pub(super) struct Hook {
    pub(super) id: String,
    pub(super) stage: Stage,
    pub(super) status: HookStatus,
    pub(super) expires: Timestamp,
    /// Whether the roll-out goes on when nobody answers in time.
    pub(super) continues: bool,
    pause: bool,
    target: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HookStatus {
    AwaitingAction,
    Succeeded,
    Failed,
    TimedOut,
}

impl HookStatus {
    fn text(self) -> &'static str {
        match self {
            Self::AwaitingAction => "AWAITING_ACTION",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::TimedOut => "TIMED_OUT",
        }
    }
}

impl Ecs {
    /// The hooks of a stage that is reached now; Lambda functions succeed at once, there are none here.
    pub(super) fn hooks_of(
        &mut self,
        service: &Service,
        stage: Stage,
        now: Timestamp,
    ) -> Vec<Hook> {
        let null = Value::Null;
        let configuration = service.settings.get("deploymentConfiguration").unwrap_or(&null);
        let hooks: Vec<Hook> = input::list(configuration, "lifecycleHooks")
            .iter()
            .filter(|hook| input::texts(hook, "lifecycleStages").contains(&stage.text()))
            .map(|hook| {
                let pause = input::text(hook, "targetType") == Some("PAUSE");
                let timeout = input::present(hook, "timeoutConfiguration").unwrap_or(&null);
                let minutes = input::integer(timeout, "timeoutInMinutes").unwrap_or(1440);
                let seconds = u64::try_from(minutes).unwrap_or(0) * 60;
                let kind = if pause { "PAUSE" } else { "AWS_LAMBDA" };
                Hook {
                    id: format!("ecs-{kind}-{}", ids::uuid(&mut self.rng)),
                    stage,
                    status: if pause { HookStatus::AwaitingAction } else { HookStatus::Succeeded },
                    expires: after(now, std::time::Duration::from_secs(seconds)),
                    continues: input::text(timeout, "action") == Some("CONTINUE"),
                    pause,
                    target: input::text(hook, "hookTargetArn").map(str::to_owned),
                }
            })
            .collect();
        for hook in hooks.iter().filter(|hook| hook.status == HookStatus::AwaitingAction) {
            self.tell_hook(service, hook, now);
        }
        hooks
    }

    pub(super) fn continue_service_deployment(
        &mut self,
        request: &Value,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
        let record_arn = input::required(request, "serviceDeploymentArn")?;
        let hook_id = input::required(request, "hookId")?;
        if hook_id.strip_prefix("ecs-").is_none_or(|rest| !rest.contains('-')) {
            return Err(refusal::invalid(
                "Invalid hookId: hookId must follow the format: ecs-{hookType}-{id}",
            ));
        }
        let goes_on = match input::text(request, "action") {
            None | Some("CONTINUE") => true,
            Some("ROLLBACK") => false,
            Some(_) => return Err(refusal::invalid("The action must be CONTINUE or ROLLBACK.")),
        };
        let missing = || {
            ApiError::refused(
                "ServiceDeploymentNotFoundException",
                "The service deployment does not exist.",
            )
        };
        let (_, record) = self.find_record(record_arn).ok_or_else(missing)?;
        if record.status.is_terminal() {
            return Err(refusal::invalid(
                "Continuing a service deployment is not allowed for service deployment in terminal states.",
            ));
        }
        let before = self.read_lag.record(record_arn, now).is_none();
        if before {
            self.remember_record(record_arn, now);
        }
        let (cluster, name, record) =
            arn::three_parts(record_arn, "service-deployment").ok_or_else(missing)?;
        let id = self.service_by_name(cluster, name).ok_or_else(missing)?;
        let found = self.services.get_mut(&id).and_then(|one| one.record_mut(record));
        let record = found.filter(|one| one.status == RecordStatus::InProgress);
        let hook = record
            .and_then(|one| one.progress.as_mut())
            .and_then(|one| one.hooks.iter_mut().find(|hook| hook.id == hook_id))
            .filter(|hook| hook.status == HookStatus::AwaitingAction)
            .ok_or_else(|| {
                refusal::invalid(
                    "Provided hookId is either completed, unavailable, or not associated with the given Resource ARN",
                )
            })?;
        hook.status = if goes_on { HookStatus::Succeeded } else { HookStatus::Failed };
        if !goes_on {
            let record = arn::last_part(record_arn).to_owned();
            self.request_rollback(id, &record, now)?;
        }
        self.turn_soon(id, now);
        Ok(json!({"serviceDeploymentArn": record_arn}))
    }
}

impl Record {
    /// `lifecycleHookDetails` of what was reached so far.
    pub(super) fn hook_views(&self) -> Option<Value> {
        let progress = self.progress.as_ref()?;
        let views = progress.hooks.iter().map(|hook| {
            let mut view = json!({
                "hookId": hook.id,
                "targetType": if hook.pause { "PAUSE" } else { "AWS_LAMBDA" },
                "status": hook.status.text(),
                "expiresAt": epoch(hook.expires),
                "timeoutAction": if hook.continues { "CONTINUE" } else { "ROLLBACK" },
            });
            if let (Some(members), Some(target)) = (view.as_object_mut(), &hook.target) {
                members.insert("targetArn".to_owned(), json!(target));
            }
            view
        });
        Some(Value::Array(views.collect()))
    }
}
