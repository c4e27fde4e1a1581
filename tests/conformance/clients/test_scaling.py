"""Application Auto Scaling over ECS services (aws.md §5)."""

from __future__ import annotations

from datetime import datetime

import pytest

from processes import Endpoint, until
from refusals import refused
from rollouts import create, describe, stable

TRACKING = {
    "TargetValue": 60.0,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
}


@pytest.fixture(scope="module")
def scaling(sandbox: Endpoint):
    return sandbox.client("application-autoscaling")


def identity(name: str) -> dict:
    return {
        "ServiceNamespace": "ecs",
        "ResourceId": f"service/shop/{name}",
        "ScalableDimension": "ecs:service:DesiredCount",
    }


def targets(scaling, name: str) -> list[dict]:
    found = scaling.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=[f"service/shop/{name}"])
    return found["ScalableTargets"]


def test_registering_moves_the_count_into_the_range(ecs, scaling, name):
    create(ecs, name, desiredCount=1)
    arn = scaling.register_scalable_target(**identity(name), MinCapacity=3, MaxCapacity=6)["ScalableTargetARN"]
    assert describe(ecs, name)["desiredCount"] == 3
    (target,) = targets(scaling, name)
    assert (target["MinCapacity"], target["MaxCapacity"], target["ScalableTargetARN"]) == (3, 6, arn)
    scaling.register_scalable_target(**identity(name), MaxCapacity=5)
    scaling.register_scalable_target(**identity(name), SuspendedState={"DynamicScalingInSuspended": True})
    (target,) = targets(scaling, name)
    assert (target["MinCapacity"], target["MaxCapacity"]) == (3, 5)
    assert target["SuspendedState"]["DynamicScalingInSuspended"] is True
    assert target["SuspendedState"]["ScheduledScalingSuspended"] is False
    assert stable(ecs, name)["runningCount"] == 3


def test_a_target_tracking_policy_owns_two_alarms(ecs, scaling, name):
    create(ecs, name)
    with refused("ObjectNotFoundException"):
        scaling.put_scaling_policy(
            **identity(name),
            PolicyName="cpu",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration=TRACKING,
        )
    scaling.register_scalable_target(**identity(name), MinCapacity=1, MaxCapacity=4)
    put = scaling.put_scaling_policy(
        **identity(name),
        PolicyName="cpu",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=TRACKING,
    )
    assert len(put["Alarms"]) == 2
    assert all(alarm["AlarmName"].startswith(f"TargetTracking-service/shop/{name}-Alarm") for alarm in put["Alarms"])
    (policy,) = scaling.describe_scaling_policies(ServiceNamespace="ecs", ResourceId=f"service/shop/{name}")[
        "ScalingPolicies"
    ]
    assert (policy["PolicyARN"], policy["PolicyName"]) == (put["PolicyARN"], "cpu")
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 60.0
    scaling.delete_scaling_policy(**identity(name), PolicyName="cpu")
    with refused("ObjectNotFoundException"):
        scaling.delete_scaling_policy(**identity(name), PolicyName="cpu")


def test_policies_have_pages_of_ten(ecs, scaling, name):
    create(ecs, name)
    scaling.register_scalable_target(**identity(name), MinCapacity=1, MaxCapacity=4)
    for number in range(12):
        steps = {
            "AdjustmentType": "ChangeInCapacity",
            "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}],
        }
        scaling.put_scaling_policy(
            **identity(name),
            PolicyName=f"step-{number}",
            PolicyType="StepScaling",
            StepScalingPolicyConfiguration=steps,
        )
    pages = list(
        scaling.get_paginator("describe_scaling_policies").paginate(
            ServiceNamespace="ecs", ResourceId=f"service/shop/{name}"
        )
    )
    assert len(pages) >= 2
    assert len({policy["PolicyName"] for page in pages for policy in page["ScalingPolicies"]}) == 12


def test_a_scheduled_action_changes_the_range_for_good(ecs, scaling, name):
    create(ecs, name, desiredCount=1)
    scaling.register_scalable_target(**identity(name), MinCapacity=1, MaxCapacity=4)
    with refused("ValidationException"):
        scaling.put_scheduled_action(
            **identity(name), ScheduledActionName="bad", Schedule="every day", ScalableTargetAction={"MinCapacity": 2}
        )
    scaling.put_scheduled_action(
        **identity(name),
        ScheduledActionName="soon",
        Schedule="rate(1 minute)",
        ScalableTargetAction={"MinCapacity": 2, "MaxCapacity": 8},
    )
    (action,) = scaling.describe_scheduled_actions(ServiceNamespace="ecs", ResourceId=f"service/shop/{name}")[
        "ScheduledActions"
    ]
    assert (action["ScheduledActionName"], action["ScalableTargetAction"]["MaxCapacity"]) == ("soon", 8)
    until("the action", lambda: targets(scaling, name)[0]["MaxCapacity"] == 8, seconds=20)
    assert describe(ecs, name)["desiredCount"] == 2
    assert isinstance(action["CreationTime"], datetime)
    scaling.delete_scheduled_action(**identity(name), ScheduledActionName="soon")


def test_deregistering_takes_everything_along(ecs, scaling, name):
    create(ecs, name)
    scaling.register_scalable_target(**identity(name), MinCapacity=1, MaxCapacity=4)
    scaling.put_scaling_policy(
        **identity(name),
        PolicyName="cpu",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=TRACKING,
    )
    scaling.deregister_scalable_target(**identity(name))
    assert targets(scaling, name) == []
    listed = scaling.describe_scaling_policies(ServiceNamespace="ecs", ResourceId=f"service/shop/{name}")
    assert listed["ScalingPolicies"] == []
    with refused("ObjectNotFoundException"):
        scaling.deregister_scalable_target(**identity(name))
    with refused("ValidationException"):
        scaling.register_scalable_target(**identity("nobody"), MinCapacity=1, MaxCapacity=4)
    with refused("ValidationException"):
        scaling.register_scalable_target(**identity(name), MinCapacity=5, MaxCapacity=4)
