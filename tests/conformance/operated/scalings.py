"""Application Auto Scaling of some of the services of `people`, set up by hand."""

from __future__ import annotations

from typing import Any

from people import ACCOUNT
from processes import Endpoint

TOPIC = f"arn:aws:sns:eu-west-1:{ACCOUNT}:on-call"


def tracking(metric: str, value: float, **members: Any) -> dict:
    return {"TargetValue": value, "PredefinedMetricSpecification": {"PredefinedMetricType": metric}, **members}


# By service: the bounds, policies of target tracking, scheduled actions.
SCALED: dict[str, tuple[dict, dict[str, dict], dict[str, dict]]] = {
    "careful": (
        {
            "MinCapacity": 2,
            "MaxCapacity": 8,
            "SuspendedState": {"DynamicScalingInSuspended": True, "ScheduledScalingSuspended": False},
        },
        {"cpu": tracking("ECSServiceAverageCPUUtilization", 60.0, ScaleInCooldown=300, ScaleOutCooldown=30)},
        {
            "sale": {
                "Schedule": "cron(0 6 24 11 ? 2099)",
                "Timezone": "Europe/Berlin",
                "ScalableTargetAction": {"MinCapacity": 4},
            }
        },
    ),
    "balanced": (
        {"MinCapacity": 1, "MaxCapacity": 20},
        {
            "memory": tracking("ECSServiceAverageMemoryUtilization", 72.5, DisableScaleIn=True),
            "depth": {
                "TargetValue": 100.0,
                "CustomizedMetricSpecification": {
                    "MetricName": "Depth",
                    "Namespace": "Shop",
                    "Dimensions": [{"Name": "queue", "Value": "${orders}"}],
                    "Statistic": "Average",
                },
            },
        },
        {},
    ),
    # Bounds that nothing moves.
    "spot": ({"MinCapacity": 2, "MaxCapacity": 2}, {}, {}),
    "provider": ({"MinCapacity": 1, "MaxCapacity": 4}, {}, {}),
}
# The step policy is started by an alarm of the team's own.
STEPPED = "provider"


def identity(name: str) -> dict:
    return {
        "ServiceNamespace": "ecs",
        "ResourceId": f"service/shop/{name}",
        "ScalableDimension": "ecs:service:DesiredCount",
    }


def make(endpoint: Endpoint) -> None:
    scaling = endpoint.client("application-autoscaling")
    for name, (target, policies, actions) in SCALED.items():
        scaling.register_scalable_target(**identity(name), **target)
        for policy, configuration in policies.items():
            scaling.put_scaling_policy(
                **identity(name),
                PolicyName=policy,
                PolicyType="TargetTrackingScaling",
                TargetTrackingScalingPolicyConfiguration=configuration,
            )
        for action, members in actions.items():
            scaling.put_scheduled_action(**identity(name), ScheduledActionName=action, **members)
    put = scaling.put_scaling_policy(
        **identity(STEPPED),
        PolicyName="out",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration={
            "AdjustmentType": "ChangeInCapacity",
            "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}],
        },
    )
    endpoint.client("cloudwatch").put_metric_alarm(
        AlarmName="queue-is-long",
        Namespace="Shop",
        MetricName="Depth",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1000,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[put["PolicyARN"], TOPIC],
    )


def seen(endpoint: Endpoint) -> dict[str, list[dict]]:
    """Everything that scales, and its alarms but for their state."""
    scaling, alarms = endpoint.client("application-autoscaling"), endpoint.client("cloudwatch")
    found = {}
    for operation, member in (
        ("describe_scalable_targets", "ScalableTargets"),
        ("describe_scaling_policies", "ScalingPolicies"),
        ("describe_scheduled_actions", "ScheduledActions"),
    ):
        pages = scaling.get_paginator(operation).paginate(ServiceNamespace="ecs")
        found[member] = [one for page in pages for one in page[member]]
    pages = alarms.get_paginator("describe_alarms").paginate()
    found["MetricAlarms"] = [
        {name: value for name, value in one.items() if not name.startswith("State")}
        for page in pages
        for one in page["MetricAlarms"]
    ]
    return found
