"""Targets of a service behind a load balancer (aws.md §3.3, §6.8)."""

from __future__ import annotations

import pytest

from processes import Endpoint, until
from refusals import refused
from rollouts import describe, ended, register, stable
from specs import container, fargate_service


@pytest.fixture(scope="module")
def elb(sandbox: Endpoint):
    return sandbox.client("elbv2")


def test_tasks_are_registered_checked_and_taken_out(ecs, elb, name):
    (group,) = elb.describe_target_groups(Names=["web"])["TargetGroups"]
    (balancer,) = elb.describe_load_balancers(Names=["public"])["LoadBalancers"]
    assert group["LoadBalancerArns"] == [balancer["LoadBalancerArn"]]
    (listener,) = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    rules = elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
    assert [rule["IsDefault"] for rule in rules] == [True]
    arn = group["TargetGroupArn"]

    def states() -> list[str]:
        targets = elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        return sorted(target["TargetHealth"]["State"] for target in targets)

    assert states() == []
    containers = [container("shop/app:v1", portMappings=[{"containerPort": 8080}])]
    definition = register(ecs, name, "", containerDefinitions=containers)
    front = [{"targetGroupArn": arn, "containerName": "app", "containerPort": 8080}]
    ecs.create_service(**fargate_service("shop", name, definition, loadBalancers=front))
    assert [one["status"] for one in ended(ecs, name, 1)] == ["SUCCESSFUL"]
    service = stable(ecs, name)
    assert states() == ["healthy", "healthy"]
    assert service["loadBalancers"] == front
    assert service["roleArn"].endswith("/AWSServiceRoleForECS")
    assert any(f"registered 2 targets in (target-group {arn})" in event["message"] for event in service["events"])
    ecs.update_service(cluster="shop", service=name, desiredCount=0)
    until("the targets to be gone", lambda: states() == [])
    until("no tasks", lambda: describe(ecs, name)["runningCount"] == 0)
    ecs.delete_service(cluster="shop", service=name)


def test_a_port_that_the_container_lacks(ecs, elb, name):
    (group,) = elb.describe_target_groups(Names=["web"])["TargetGroups"]
    definition = register(ecs, name, "shop/app:v1")
    front = [{"targetGroupArn": group["TargetGroupArn"], "containerName": "app", "containerPort": 9}]
    with refused("InvalidParameterException", "did not have a container port 9 defined"):
        ecs.create_service(**fargate_service("shop", name, definition, loadBalancers=front))


def test_unknown_target_groups(elb):
    absent = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/absent/0123456789abcdef"
    with refused("TargetGroupNotFound"):
        elb.describe_target_health(TargetGroupArn=absent)
