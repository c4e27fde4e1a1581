"""Clusters, lists of services, tags."""

from __future__ import annotations

from refusals import refused
from rollouts import create, describe, register, stable
from specs import fargate_service


def test_a_cluster_comes_and_goes(ecs, name):
    tags = [{"key": "team", "value": "shop"}]
    created = ecs.create_cluster(clusterName=name, tags=tags, capacityProviders=["FARGATE", "FARGATE_SPOT"])["cluster"]
    assert (created["clusterName"], created["status"], created["activeServicesCount"]) == (name, "ACTIVE", 0)
    answer = ecs.describe_clusters(clusters=[name, "nowhere"], include=["TAGS"])
    assert answer["clusters"][0]["tags"] == tags
    assert [one["reason"] for one in answer["failures"]] == ["MISSING"]
    register(ecs, name, "shop/app:v1")
    ecs.create_service(**fargate_service(name, "web", name))
    with refused("ClusterContainsServicesException"):
        ecs.delete_cluster(cluster=name)
    ecs.delete_service(cluster=name, service="web", force=True)
    waiter = ecs.get_waiter("services_inactive")
    waiter.wait(cluster=name, services=["web"], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    assert ecs.delete_cluster(cluster=name)["cluster"]["status"] == "INACTIVE"
    listed = ecs.get_paginator("list_clusters").paginate().build_full_result()["clusterArns"]
    assert created["clusterArn"] not in listed


def test_lists_of_services_have_pages_of_ten(ecs, name):
    ecs.create_cluster(clusterName=name)
    register(ecs, name, "shop/app:v1")
    for number in range(13):
        ecs.create_service(**fargate_service(name, f"web-{number}", name, desiredCount=0))
    assert len(ecs.list_services(cluster=name)["serviceArns"]) <= 10
    paginator = ecs.get_paginator("list_services")
    for size in (3, 100):
        arns = paginator.paginate(cluster=name, PaginationConfig={"PageSize": size}).build_full_result()["serviceArns"]
        assert sorted(arn.rsplit("/", 1)[1] for arn in arns) == sorted(f"web-{number}" for number in range(13))
    assert ecs.list_services(cluster=name, schedulingStrategy="DAEMON")["serviceArns"] == []
    with refused("InvalidParameterException"):
        ecs.list_services(cluster=name, nextToken="never given")


def test_tags_are_added_and_taken_away(ecs, name):
    arn = create(ecs, name, tags=[{"key": "team", "value": "shop"}, {"key": "stage", "value": "test"}])["serviceArn"]

    def tags():
        (service,) = ecs.describe_services(cluster="shop", services=[name], include=["TAGS"])["services"]
        listed = {tag["key"]: tag["value"] for tag in ecs.list_tags_for_resource(resourceArn=arn)["tags"]}
        assert listed == {tag["key"]: tag["value"] for tag in service["tags"]}
        return listed

    assert tags() == {"team": "shop", "stage": "test"}
    ecs.tag_resource(resourceArn=arn, tags=[{"key": "team", "value": "pay"}, {"key": "Team", "value": "x"}])
    assert tags() == {"team": "pay", "stage": "test", "Team": "x"}
    ecs.untag_resource(resourceArn=arn, tagKeys=["stage", "absent"])
    assert tags() == {"team": "pay", "Team": "x"}
    assert not describe(ecs, name).get("tags")
    with refused("InvalidParameterException"):
        ecs.tag_resource(resourceArn=arn, tags=[{"key": "aws:x", "value": ""}])


def test_what_a_bare_service_looks_like(ecs, name):
    create(ecs, name, deploymentConfiguration={})
    service = stable(ecs, name)
    assert service["loadBalancers"] == service["serviceRegistries"] == service["placementConstraints"] == []
    assert (service["platformVersion"], service["platformFamily"]) == ("LATEST", "Linux")
    assert service["deployments"][0]["platformVersion"] == "1.4.0"
    configuration = service["deploymentConfiguration"]
    assert (configuration["maximumPercent"], configuration["minimumHealthyPercent"]) == (200, 100)
    assert configuration["deploymentCircuitBreaker"]["enable"] is False
    assert service["networkConfiguration"]["awsvpcConfiguration"]["assignPublicIp"] == "DISABLED"
    assert (service["schedulingStrategy"], service["deploymentController"]) == ("REPLICA", {"type": "ECS"})
    assert (service["propagateTags"], service["enableECSManagedTags"]) == ("NONE", False)
    assert (service["enableExecuteCommand"], service["healthCheckGracePeriodSeconds"]) == (False, 0)
