//! How ECS carries out a deployment.

use serde_json::Value;

use super::shape::{Absent, Unit};
use super::table::{enumerations, shapes};

shapes! {
    /// How ECS carries out a deployment. What is left out has its default.
    pub struct DeploymentConfiguration {
        /// Ends a deployment whose tasks keep failing.
        deployment_circuit_breaker as "deploymentCircuitBreaker": Option<DeploymentCircuitBreaker> => is_defaults();
        /// How many tasks may exist during a deployment, in percent of the desired count, rounded down.
        /// Default: 200, for `DAEMON` 100.
        maximum_percent as "maximumPercent": Option<i32> => is_integer(200);
        /// How many tasks stay healthy during a deployment, in percent of the desired count, rounded up.
        /// Default: 100, for `DAEMON` 0.
        minimum_healthy_percent as "minimumHealthyPercent": Option<i32> => is_integer(100), limits(0.0, 100.0);
        /// CloudWatch alarms that end a deployment.
        alarms as "alarms": Option<DeploymentAlarms> => is_defaults();
        /// Replace tasks a few at a time, or bring up all new ones first and shift traffic at once, in two steps or in
        /// many. Default: `ROLLING`.
        strategy as "strategy": Option<DeploymentStrategy> => is_text("ROLLING");
        /// Minutes in which the old tasks stay after all traffic has moved. `BLUE_GREEN` needs it. Default for other
        /// strategies: 0.
        bake_time_in_minutes as "bakeTimeInMinutes": Option<i32> => is_integer(0), limits(0.0, 1440.0);
        /// What is asked or waited for at the stages of a deployment.
        lifecycle_hooks as "lifecycleHooks": Option<Vec<DeploymentLifecycleHook>> => set();
        /// The steps of `LINEAR`.
        linear_configuration as "linearConfiguration": Option<LinearConfiguration>;
        /// The steps of `CANARY`.
        canary_configuration as "canaryConfiguration": Option<CanaryConfiguration>;
        /// Lets a rolling deployment succeed before all its tasks are healthy.
        early_success_criteria as "earlySuccessCriteria": Option<DeploymentEarlySuccessCriteria> => is_defaults();
    }

    /// Ends a deployment whose tasks keep failing.
    pub struct DeploymentCircuitBreaker {
        /// Whether it is on. Default without the block: false.
        enable as "enable": bool => is_boolean(false);
        /// Whether ECS goes back to the last deployment that succeeded.
        rollback as "rollback": bool => is_boolean(false);
        /// Whether a healthy task sets the count of failures back to 0. Default: true.
        reset_on_healthy_task as "resetOnHealthyTask": Option<bool> => is_boolean(true);
        /// How many failures end the deployment.
        threshold_configuration as "thresholdConfiguration": Option<ThresholdConfiguration> => is_defaults();
    }

    /// How many failed tasks end a deployment.
    pub struct ThresholdConfiguration {
        /// A count, or percent of the desired count with or without ECS's lower and upper bound.
        /// Default: `BOUNDED_PERCENT`.
        r#type as "type": ThresholdType => is_text("BOUNDED_PERCENT");
        /// The count or the percentage. Default: 50.
        value as "value": i32 => is_integer(50);
    }

    /// CloudWatch alarms that end a deployment.
    pub struct DeploymentAlarms {
        /// The alarms' names.
        alarm_names as "alarmNames": Vec<String> => set();
        /// Whether ECS goes back to the last deployment that succeeded.
        rollback as "rollback": bool => is_boolean(false);
        /// Whether the alarms count.
        enable as "enable": bool => is_boolean(false);
    }

    /// What is asked or waited for at stages of a deployment.
    pub struct DeploymentLifecycleHook {
        /// `AWS_LAMBDA` asks a function; `PAUSE` waits for a person or Longshore. Default: `AWS_LAMBDA`.
        target_type as "targetType": Option<HookTargetType> => is_text("AWS_LAMBDA");
        /// The Lambda function's ARN. Not for `PAUSE`.
        hook_target_arn as "hookTargetArn": Option<String>;
        /// The role by which ECS calls the function. Not for `PAUSE`.
        role_arn as "roleArn": Option<String> => unit(Unit::RoleName);
        /// At which stages. `PAUSE` takes neither of the two traffic shifts.
        lifecycle_stages as "lifecycleStages": Option<Vec<LifecycleStage>> => set();
        /// Anything that the function should be told.
        hook_details as "hookDetails": Option<Value>;
        /// What happens without an answer.
        timeout_configuration as "timeoutConfiguration": Option<HookTimeoutConfiguration> => is_defaults();
    }

    /// What happens to a hook without an answer.
    pub struct HookTimeoutConfiguration {
        /// Minutes: for `PAUSE` up to 20160, for a function up to 1440. Default: 1440.
        timeout_in_minutes as "timeoutInMinutes": Option<i32> => is_integer(1440), limits(1.0, 20160.0);
        /// Roll back or go on. Default: `ROLLBACK`.
        action as "action": Option<HookTimeoutAction> => is_text("ROLLBACK");
    }

    /// The steps of a `LINEAR` deployment.
    pub struct LinearConfiguration {
        /// How much traffic moves in a step, in percent, by tenths. Default: 10.
        step_percent as "stepPercent": Option<f64> => is_integer(10), limits(3.0, 100.0);
        /// Minutes between steps. Default: 6.
        step_bake_time_in_minutes as "stepBakeTimeInMinutes": Option<i32> => is_integer(6), limits(0.0, 1440.0);
    }

    /// The two steps of a `CANARY` deployment.
    pub struct CanaryConfiguration {
        /// How much traffic moves in the first step, in percent, by tenths. Default: 5.
        canary_percent as "canaryPercent": Option<f64> => is_integer(5), limits(0.1, 100.0);
        /// Minutes between the two steps. Default: 10.
        canary_bake_time_in_minutes as "canaryBakeTimeInMinutes": Option<i32> => is_integer(10), limits(0.0, 1440.0);
    }

    /// Lets a rolling deployment succeed before all its tasks are healthy.
    pub struct DeploymentEarlySuccessCriteria {
        /// Whether it is on. Default without the block: false.
        enable as "enable": bool => is_boolean(false);
        /// How many tasks have to be healthy, in percent of the desired count; at least `minimumHealthyPercent`.
        healthy_percent as "healthyPercent": Option<i32> => absent(Absent::Server), limits(0.0, 100.0);
        /// Whether the old tasks end before (`BLOCKING`) or after (`DEFERRED`) the deployment counts as successful.
        source_service_revision_cleanup as "sourceServiceRevisionCleanup": Option<SourceServiceRevisionCleanup>
            => absent(Absent::Server);
    }

    /// Who carries out deployments.
    pub struct DeploymentController {
        /// ECS, `CodeDeploy` or another party. Only a change to `ECS` is possible in place.
        r#type as "type": DeploymentControllerType => is_text("ECS"), in_place_to("ECS");
    }
}

enumerations! {
    /// How tasks and traffic move to the new revision.
    pub enum DeploymentStrategy {
        Rolling = "ROLLING",
        BlueGreen = "BLUE_GREEN",
        Linear = "LINEAR",
        Canary = "CANARY",
    }

    /// How failed tasks are counted.
    pub enum ThresholdType {
        Count = "COUNT",
        BoundedPercent = "BOUNDED_PERCENT",
        UnboundedPercent = "UNBOUNDED_PERCENT",
    }

    /// What a hook does.
    pub enum HookTargetType { AwsLambda = "AWS_LAMBDA", Pause = "PAUSE" }

    /// A stage of a deployment at which a hook can stand.
    pub enum LifecycleStage {
        ReconcileService = "RECONCILE_SERVICE",
        PreScaleUp = "PRE_SCALE_UP",
        PostScaleUp = "POST_SCALE_UP",
        TestTrafficShift = "TEST_TRAFFIC_SHIFT",
        PostTestTrafficShift = "POST_TEST_TRAFFIC_SHIFT",
        PreProductionTrafficShift = "PRE_PRODUCTION_TRAFFIC_SHIFT",
        ProductionTrafficShift = "PRODUCTION_TRAFFIC_SHIFT",
        PostProductionTrafficShift = "POST_PRODUCTION_TRAFFIC_SHIFT",
    }

    /// What happens when a hook's time is over.
    pub enum HookTimeoutAction { Rollback = "ROLLBACK", Continue = "CONTINUE" }

    /// When the old tasks end.
    pub enum SourceServiceRevisionCleanup { Blocking = "BLOCKING", Deferred = "DEFERRED" }

    /// Who carries out deployments.
    pub enum DeploymentControllerType { Ecs = "ECS", CodeDeploy = "CODE_DEPLOY", External = "EXTERNAL" }
}
