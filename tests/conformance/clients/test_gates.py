"""What may stop a roll-out half-way: pauses of a blue/green deployment, alarms (aws.md §2.7, §3.6, §3.8)."""

from __future__ import annotations

import pytest

from processes import until
from refusals import refused
from rollouts import create, deployments, describe, ended, register, stable

PAUSE = {"targetType": "PAUSE", "lifecycleStages": ["POST_SCALE_UP"]}
BLUE_GREEN = {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 1, "lifecycleHooks": [PAUSE]}


def waiting(ecs, name: str) -> tuple[str, str]:
    """Waits for the pause of the newest deployment; returns its ARN and the hook's id."""

    def paused() -> tuple[str, str] | None:
        newest = deployments(ecs, name)[-1:]
        hooks = newest[0].get("lifecycleHookDetails", []) if newest else []
        awaiting = [hook["hookId"] for hook in hooks if hook["status"] == "AWAITING_ACTION"]
        return (newest[0]["serviceDeploymentArn"], awaiting[0]) if awaiting else None

    return until("a pause", paused)


@pytest.mark.parametrize(
    ("action", "status", "image"), [("CONTINUE", "SUCCESSFUL", "v2"), ("ROLLBACK", "ROLLBACK_SUCCESSFUL", "v1")]
)
def test_a_pause_waits_for_a_decision(ecs, name, action, status, image):
    create(ecs, name)
    ended(ecs, name, 1)
    definition = register(ecs, name, "shop/app:v2")
    ecs.update_service(cluster="shop", service=name, taskDefinition=definition, deploymentConfiguration=BLUE_GREEN)
    deployment, hook = waiting(ecs, name)
    (paused,) = ecs.describe_service_deployments(serviceDeploymentArns=[deployment])["serviceDeployments"]
    assert (paused["status"], paused["lifecycleStage"]) == ("IN_PROGRESS", "POST_SCALE_UP")
    ecs.continue_service_deployment(serviceDeploymentArn=deployment, hookId=hook, action=action)
    assert ended(ecs, name, 2)[1]["status"] == status
    found = ecs.describe_task_definition(taskDefinition=stable(ecs, name)["taskDefinition"])["taskDefinition"]
    assert found["containerDefinitions"][0]["image"] == f"shop/app:{image}"
    with pytest.raises(ecs.exceptions.ClientError):
        ecs.continue_service_deployment(serviceDeploymentArn=deployment, hookId=hook)


def test_a_pause_is_not_allowed_while_traffic_shifts(ecs, name):
    create(ecs, name)
    hook = {"targetType": "PAUSE", "lifecycleStages": ["PRODUCTION_TRAFFIC_SHIFT"]}
    with refused("InvalidParameterException", "Invalid lifecycle stage provided for Pause Hook"):
        ecs.update_service(
            cluster="shop", service=name, deploymentConfiguration=BLUE_GREEN | {"lifecycleHooks": [hook]}
        )


def test_an_alarm_rolls_back(sandbox, ecs, name):
    cloudwatch = sandbox.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="shop",
        MetricName="Errors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=5,
        ComparisonOperator="GreaterThanThreshold",
    )
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="a test")
    alarms = {"alarmNames": [name], "enable": True, "rollback": True}
    create(ecs, name, deploymentConfiguration={"alarms": alarms})
    ended(ecs, name, 1)
    before = describe(ecs, name)["taskDefinition"]
    ecs.update_service(cluster="shop", service=name, taskDefinition=register(ecs, name, "shop/app:slow"))
    until("the deployment", lambda: [one for one in deployments(ecs, name)[1:] if one["status"] == "IN_PROGRESS"])
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a test")
    failed = ended(ecs, name, 2)[1]
    assert failed["status"] == "ROLLBACK_SUCCESSFUL"
    assert failed["alarms"]["triggeredAlarmNames"] == [name]
    assert stable(ecs, name)["taskDefinition"] == before
