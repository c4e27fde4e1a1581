"""Tasks of one's own, and those of services."""

from __future__ import annotations

import pytest

from processes import until
from refusals import refused
from rollouts import create, describe, register, stable
from specs import NETWORK


def run(ecs, name, image, **members):
    definition = register(ecs, name, image)
    return ecs.run_task(
        cluster="shop", taskDefinition=definition, launchType="FARGATE", networkConfiguration=NETWORK, **members
    )


def test_a_job_runs_and_ends_with_its_exit_code(ecs, name):
    answer = run(ecs, name, "shop/app:job-1", startedBy="migration", count=2)
    assert (len(answer["tasks"]), answer["failures"]) == (2, [])
    arns = [task["taskArn"] for task in answer["tasks"]]
    assert {task["group"] for task in answer["tasks"]} == {f"family:{name}"}
    assert {task["lastStatus"] for task in answer["tasks"]} == {"PROVISIONING"}
    ecs.get_waiter("tasks_stopped").wait(cluster="shop", tasks=arns, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    for task in ecs.describe_tasks(cluster="shop", tasks=arns)["tasks"]:
        assert (task["stopCode"], task["containers"][0]["exitCode"]) == ("EssentialContainerExited", 0)
        assert task["stoppedReason"] == "Essential container in task exited"
        times = [task[when] for when in ("createdAt", "pullStartedAt", "pullStoppedAt", "startedAt", "stoppedAt")]
        assert times == sorted(times)
    assert set(ecs.list_tasks(cluster="shop", family=name, desiredStatus="STOPPED")["taskArns"]) == set(arns)
    assert {task["startedBy"] for task in ecs.describe_tasks(cluster="shop", tasks=arns)["tasks"]} == {"migration"}


def test_a_stopped_task_says_who_stopped_it(ecs, name):
    (task,) = run(ecs, name, "shop/app:v1")["tasks"]
    arn = task["taskArn"]
    ecs.get_waiter("tasks_running").wait(cluster="shop", tasks=[arn], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    assert ecs.list_tasks(cluster="shop", family=name)["taskArns"] == [arn]
    stopping = ecs.stop_task(cluster="shop", task=arn, reason="enough")["task"]
    assert stopping["desiredStatus"] == "STOPPED"
    ecs.get_waiter("tasks_stopped").wait(cluster="shop", tasks=[arn], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    (stopped,) = ecs.describe_tasks(cluster="shop", tasks=[arn])["tasks"]
    assert (stopped["stopCode"], stopped["stoppedReason"]) == ("UserInitiated", "enough")
    assert stopped["version"] > task["version"]


def test_a_service_replaces_a_task_that_is_stopped(ecs, name):
    create(ecs, name)
    stable(ecs, name)
    before = set(ecs.list_tasks(cluster="shop", serviceName=name)["taskArns"])
    ecs.stop_task(cluster="shop", task=sorted(before)[0])

    def replaced():
        return len(after := set(ecs.list_tasks(cluster="shop", serviceName=name)["taskArns"])) == 2 and after != before

    until("a task in place of the stopped one", replaced)
    until("two running", lambda: describe(ecs, name)["runningCount"] == 2)


def test_unknown_tasks(ecs, name):
    absent = f"arn:aws:ecs:eu-west-1:111122223333:task/shop/{'0' * 32}"
    answer = ecs.describe_tasks(cluster="shop", tasks=[absent])
    assert answer["tasks"] == []
    assert [(one["arn"], one["reason"]) for one in answer["failures"]] == [(absent, "MISSING")]
    with refused("InvalidParameterException"):
        ecs.stop_task(cluster="shop", task=absent)


def test_a_token_runs_once(ecs, name):
    request = {
        "cluster": "shop",
        "taskDefinition": register(ecs, name, "shop/app:v1"),
        "launchType": "FARGATE",
        "networkConfiguration": NETWORK,
        "clientToken": name,
    }
    first, again = ecs.run_task(**request), ecs.run_task(**request)
    assert [task["taskArn"] for task in again["tasks"]] == [task["taskArn"] for task in first["tasks"]]
    assert len(ecs.list_tasks(cluster="shop", family=name)["taskArns"]) == 1
    with refused("ConflictException"):
        ecs.run_task(**request, count=2)


def ended(ecs, arn):
    ecs.get_waiter("tasks_stopped").wait(cluster="shop", tasks=[arn], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    return ecs.describe_tasks(cluster="shop", tasks=[arn], include=["TAGS"])["tasks"][0]


@pytest.mark.parametrize(("command", "code"), [(["migrate", "up"], 0), (["fail", "now"], 7)])
def test_a_replaced_command_ends_the_task_with_its_own_exit_code(ecs, name, command, code):
    tags = [{"key": "longshore.dev/hook", "value": "before/migrate"}]
    override = {"name": "app", "command": command, "environment": [{"name": "DRY", "value": "no"}]}
    answer = run(
        ecs,
        name,
        "shop/app:v1",
        overrides={"containerOverrides": [override]},
        startedBy=f"longshore/{name}-0",
        clientToken=f"replaced-command-{command[0]}",
        tags=tags,
    )
    (task,) = answer["tasks"]
    task = ended(ecs, task["taskArn"])
    assert (task["stopCode"], task["containers"][0]["exitCode"]) == ("EssentialContainerExited", code)
    assert (task["startedBy"], task["tags"]) == (f"longshore/{name}-0", tags)
    assert task["overrides"]["containerOverrides"] == [override]
    found = ecs.list_tasks(cluster="shop", startedBy=f"longshore/{name}-0")["taskArns"]
    assert found == [task["taskArn"]]


def test_what_run_task_refuses(ecs, name):
    definition = register(ecs, name, "shop/app:v1")
    request = {"cluster": "shop", "taskDefinition": definition, "networkConfiguration": NETWORK}
    stranger = {"containerOverrides": [{"name": "nobody", "command": ["true"]}]}
    strategy = [{"capacityProvider": "FARGATE", "weight": 1}]
    for wrong in (
        {"launchType": "FARGATE", "overrides": stranger},
        {"launchType": "FARGATE", "capacityProviderStrategy": strategy},
        {"launchType": "FARGATE", "startedBy": "not a name"},
        {"launchType": "FARGATE", "clientToken": "x" * 65},
        {"launchType": "FARGATE", "count": 11},
    ):
        with refused("InvalidParameterException"):
            ecs.run_task(**request, **wrong)
    with refused("ClusterNotFoundException"):
        ecs.run_task(**{**request, "cluster": "nowhere"}, launchType="FARGATE")
    assert ecs.list_tasks(cluster="shop", family=name)["taskArns"] == []
