"""Sixty services as people make them: at the console, by scripts, over years, each a little different."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from specs import EXECUTION_ROLE

ACCOUNT = "111122223333"
IMAGE = f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/shop/app:v1"
DIGEST = f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/shop/app@sha256:{'ab' * 32}"
TASK_ROLE = f"arn:aws:iam::{ACCOUNT}:role/teams/shop/app"
PARAMETER = f"arn:aws:ssm:eu-west-1:{ACCOUNT}:parameter/shop/database-url"
REGISTRY = f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:registry-a1b2c3"
SUBNETS = ["subnet-0b", "subnet-0a"]

Group = Callable[[str], str]


def app(**members: Any) -> dict:
    return {"name": "app", "image": IMAGE, **members}


def fargate(*containers: dict, **members: Any) -> dict:
    return {
        "cpu": "256",
        "memory": "512",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "executionRoleArn": EXECUTION_ROLE,
        "containerDefinitions": list(containers) or [app()],
        **members,
    }


def ec2(*containers: dict, **members: Any) -> dict:
    return {"containerDefinitions": list(containers) or [app(memory=128)], **members}


def network(**members: Any) -> dict:
    return {"awsvpcConfiguration": {"subnets": SUBNETS, "securityGroups": ["sg-0b", "sg-0a"], **members}}


def on_fargate(**members: Any) -> dict:
    return {"launchType": "FARGATE", "desiredCount": 1, "networkConfiguration": network(), **members}


def on_ec2(**members: Any) -> dict:
    return {"launchType": "EC2", "desiredCount": 1, **members}


def port(number: int = 8080, **members: Any) -> dict:
    return {"containerPort": number, **members}


def rollout(**members: Any) -> dict:
    return {"deploymentConfiguration": members}


def blue_green(strategy: str, group: Group, rule: str, **members: Any) -> dict:
    balancer = {
        "targetGroupArn": group("web"),
        "containerName": "app",
        "containerPort": 8080,
        "advancedConfiguration": {
            "alternateTargetGroupArn": group("green"),
            "productionListenerRule": rule,
            "roleArn": f"arn:aws:iam::{ACCOUNT}:role/ecs-load-balancers",
        },
    }
    return {
        "loadBalancers": [balancer],
        **rollout(strategy=strategy, bakeTimeInMinutes=0, **members),
    }


def balancers(group: Group, name: str = "web", number: int = 8080) -> list[dict]:
    return [{"targetGroupArn": group(name), "containerName": "app", "containerPort": number}]


def balanced(group: Group, name: str = "web") -> dict:
    return {"loadBalancers": balancers(group, name)}


def awslogs(**members: Any) -> dict:
    options = {"awslogs-group": "/shop", "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "app"}
    return {"logConfiguration": {"logDriver": "awslogs", "options": options, **members}}


SCRIPT = """set -euo pipefail
if [ "${STAGE:-}" = "prod" ]; then
  exec ./server --config "yes: no" # not YAML
fi

echo 'on'
"""

ROUTER = {
    "name": "router",
    "image": "amazon/aws-for-fluent-bit:stable",
    "essential": True,
    "user": "0",
    "memoryReservation": 50,
    "firelensConfiguration": {"type": "fluentbit", "options": {"enable-ecs-log-metadata": "true"}},
}


def services(group: Group, rule: str) -> dict[str, tuple[dict, dict]]:
    """By name: RegisterTaskDefinition's input without family, and CreateService's without names."""
    tags = [{"key": "team", "value": "shop"}, {"key": "012", "value": "yes"}, {"key": "empty", "value": ""}]
    connect = {
        "enabled": True,
        "namespace": "shop.local",
        "services": [{"portName": "http", "clientAliases": [{"port": 80, "dnsName": "web"}]}],
    }
    named_port = fargate(app(portMappings=[port(name="http", appProtocol="http")]))
    hooks = [
        {
            "hookTargetArn": f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:check",
            "roleArn": f"arn:aws:iam::{ACCOUNT}:role/hooks",
            "lifecycleStages": ["POST_SCALE_UP"],
        }
    ]
    return {
        "bare": (fargate(), on_fargate()),
        "none-wanted": (fargate(), on_fargate(desiredCount=0)),
        "three": (fargate(), on_fargate(desiredCount=3)),
        "vcpu": (fargate(cpu="1 vCPU", memory="2 GB"), on_fargate()),
        "half-vcpu": (fargate(cpu=".5 vCPU", memory="1 GB"), on_fargate()),
        "large": (fargate(cpu="4096", memory="30720", ephemeralStorage={"sizeInGiB": 100}), on_fargate()),
        "arm": (
            fargate(runtimePlatform={"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}),
            on_fargate(),
        ),
        "roles": (fargate(taskRoleArn=TASK_ROLE), on_fargate()),
        "digest": (fargate(app(image=DIGEST)), on_fargate()),
        "latest": (fargate(app(image="nginx")), on_fargate()),
        "environment": (
            fargate(
                app(
                    environment=[
                        {"name": "B", "value": "yes"},
                        {"name": "A", "value": "012"},
                        {"name": "EMPTY", "value": ""},
                        {"name": "LITERAL", "value": "${HOME} $${HOME} {{x}}"},
                        {"name": "KOREAN", "value": "안녕, #1: 'a' \"b\""},
                        {"name": "EXPONENT", "value": "1e3"},
                        {"name": "LINES", "value": SCRIPT},
                    ]
                )
            ),
            on_fargate(),
        ),
        "plaintext": (fargate(app(environment=[{"name": "DB_PASSWORD", "value": "hunter2"}])), on_fargate()),
        "secrets": (
            fargate(app(secrets=[{"name": "URL", "valueFrom": "/shop/database-url"}])),
            on_fargate(),
        ),
        "secret-arns": (
            fargate(
                app(
                    secrets=[{"name": "URL", "valueFrom": PARAMETER}],
                    **awslogs(secretOptions=[{"name": "splunk-token", "valueFrom": PARAMETER}]),
                )
            ),
            on_fargate(),
        ),
        "script": (fargate(app(entryPoint=["sh", "-c"], command=[SCRIPT])), on_fargate()),
        "health": (fargate(app(healthCheck={"command": ["CMD-SHELL", "true"]})), on_fargate()),
        "health-tuned": (
            fargate(
                app(
                    healthCheck={
                        "command": ["CMD", "true"],
                        "interval": 10,
                        "timeout": 3,
                        "retries": 5,
                        "startPeriod": 20,
                    }
                )
            ),
            on_fargate(),
        ),
        "logs": (fargate(app(**awslogs())), on_fargate()),
        "firelens": (
            fargate(app(logConfiguration={"logDriver": "awsfirelens", "options": {"Name": "http"}}), ROUTER),
            on_fargate(),
        ),
        "sidecar": (
            fargate(
                app(dependsOn=[{"containerName": "proxy", "condition": "HEALTHY"}]),
                {
                    "name": "proxy",
                    "image": "envoy:v1.30",
                    "essential": False,
                    "healthCheck": {"command": ["CMD-SHELL", "true"], "interval": 5},
                },
            ),
            on_fargate(),
        ),
        "ulimits": (
            fargate(
                app(
                    ulimits=[{"name": "nofile", "softLimit": 65536, "hardLimit": 65536}],
                    linuxParameters={"initProcessEnabled": True, "capabilities": {"drop": ["ALL"]}},
                    readonlyRootFilesystem=True,
                    stopTimeout=120,
                    user="1000:1000",
                    workingDirectory="/srv",
                    dockerLabels={"com.example.on": "off", "n": "1"},
                    systemControls=[{"namespace": "net.core.somaxconn", "value": "1024"}],
                )
            ),
            on_fargate(),
        ),
        "restarts": (fargate(app(restartPolicy={"enabled": True, "ignoredExitCodes": [0]})), on_fargate()),
        "consistency": (fargate(app(versionConsistency="disabled")), on_fargate()),
        "efs": (
            fargate(
                app(mountPoints=[{"sourceVolume": "files", "containerPath": "/files", "readOnly": True}]),
                volumes=[
                    {
                        "name": "files",
                        "efsVolumeConfiguration": {
                            "fileSystemId": "fs-0a1b2c3d",
                            "transitEncryption": "ENABLED",
                            "authorizationConfig": {"accessPointId": "fsap-0a1b2c3d", "iam": "ENABLED"},
                        },
                    }
                ],
            ),
            on_fargate(),
        ),
        "scratch": (
            fargate(
                app(mountPoints=[{"sourceVolume": "scratch", "containerPath": "/tmp"}]),
                volumes=[{"name": "scratch", "host": {}}],
            ),
            on_fargate(),
        ),
        "registry": (
            fargate(app(image="quay.io/a/b:1", repositoryCredentials={"credentialsParameter": REGISTRY})),
            on_fargate(),
        ),
        "public-ip": (fargate(), on_fargate(networkConfiguration=network(assignPublicIp="ENABLED"))),
        "no-groups": (
            fargate(),
            on_fargate(networkConfiguration={"awsvpcConfiguration": {"subnets": ["subnet-0a"]}}),
        ),
        "platform": (fargate(), on_fargate(platformVersion="1.4.0")),
        "balanced": (
            fargate(app(portMappings=[port()])),
            on_fargate(healthCheckGracePeriodSeconds=90, **balanced(group)),
        ),
        "two-groups": (
            fargate(app(portMappings=[port(), port(9000)])),
            on_fargate(loadBalancers=[*balancers(group), *balancers(group, "admin", 9000)]),
        ),
        "registered": (
            fargate(app(portMappings=[port()])),
            on_fargate(
                serviceRegistries=[{"registryArn": f"arn:aws:servicediscovery:eu-west-1:{ACCOUNT}:service/srv-1"}]
            ),
        ),
        "connect-server": (named_port, on_fargate(serviceConnectConfiguration=connect)),
        "connect-client": (
            fargate(),
            on_fargate(serviceConnectConfiguration={"enabled": True, "namespace": "shop.local"}),
        ),
        "connect-off": (fargate(), on_fargate(serviceConnectConfiguration={"enabled": False})),
        "breaker": (
            fargate(),
            on_fargate(**rollout(deploymentCircuitBreaker={"enable": True, "rollback": True})),
        ),
        "breaker-only": (
            fargate(),
            on_fargate(**rollout(deploymentCircuitBreaker={"enable": True, "rollback": False})),
        ),
        "careful": (fargate(), on_fargate(desiredCount=2, **rollout(maximumPercent=150, minimumHealthyPercent=50))),
        "alarms": (
            fargate(),
            on_fargate(**rollout(alarms={"alarmNames": ["errors", "latency"], "enable": True, "rollback": True})),
        ),
        "execute": (
            fargate(taskRoleArn=TASK_ROLE),
            on_fargate(enableExecuteCommand=True, enableECSManagedTags=True, propagateTags="SERVICE", tags=tags),
        ),
        "tagged": (fargate(tags=tags), on_fargate(propagateTags="TASK_DEFINITION", tags=tags)),
        "no-spread": (fargate(), on_fargate(availabilityZoneRebalancing="DISABLED")),
        "spot": (
            fargate(),
            {
                "desiredCount": 2,
                "networkConfiguration": network(),
                "capacityProviderStrategy": [
                    {"capacityProvider": "FARGATE", "weight": 1, "base": 1},
                    {"capacityProvider": "FARGATE_SPOT", "weight": 4},
                ],
            },
        ),
        "spot-only": (
            fargate(),
            {
                "desiredCount": 1,
                "networkConfiguration": network(),
                "capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT"}],
            },
        ),
        "blue-green": (
            fargate(app(portMappings=[port()])),
            on_fargate(**blue_green("BLUE_GREEN", group, rule)),
        ),
        "canary": (
            fargate(app(portMappings=[port()])),
            on_fargate(
                **blue_green(
                    "CANARY", group, rule, canaryConfiguration={"canaryPercent": 12.5, "canaryBakeTimeInMinutes": 0}
                )
            ),
        ),
        "linear": (
            fargate(app(portMappings=[port()])),
            on_fargate(
                **blue_green("LINEAR", group, rule, linearConfiguration={"stepPercent": 50, "stepBakeTimeInMinutes": 0})
            ),
        ),
        "hooked": (fargate(), on_fargate(**rollout(strategy="BLUE_GREEN", bakeTimeInMinutes=0, lifecycleHooks=hooks))),
        "bridge": (ec2(app(memory=128, portMappings=[port(80)])), on_ec2()),
        "fixed-port": (ec2(app(memory=128, portMappings=[port(80, hostPort=8081)])), on_ec2()),
        "classic": (
            ec2(app(memory=128, portMappings=[port(8080, hostPort=0)])),
            on_ec2(**balanced(group, "classic")),
        ),
        "host-network": (ec2(app(memory=128, portMappings=[port(9100)]), networkMode="host"), on_ec2()),
        "no-network": (ec2(app(memory=64), networkMode="none"), on_ec2()),
        "awsvpc-ec2": (ec2(app(memory=128), networkMode="awsvpc"), on_ec2(networkConfiguration=network())),
        "daemon": (
            ec2(app(memory=64, cpu=64)),
            {"launchType": "EC2", "schedulingStrategy": "DAEMON"},
        ),
        "daemon-careful": (
            ec2(app(memory=64)),
            {
                "launchType": "EC2",
                "schedulingStrategy": "DAEMON",
                **rollout(maximumPercent=100, minimumHealthyPercent=50),
            },
        ),
        "placed": (
            ec2(app(memory=128), placementConstraints=[{"type": "memberOf", "expression": "attribute:zone == a"}]),
            on_ec2(
                placementConstraints=[{"type": "distinctInstance"}],
                placementStrategy=[
                    {"type": "spread", "field": "attribute:ecs.availability-zone"},
                    {"type": "binpack", "field": "memory"},
                ],
                availabilityZoneRebalancing="DISABLED",
            ),
        ),
        "provider": (
            ec2(app(memory=128)),
            {"desiredCount": 1, "capacityProviderStrategy": [{"capacityProvider": "instances", "weight": 1}]},
        ),
        "docker-volume": (
            ec2(
                app(memory=128, mountPoints=[{"sourceVolume": "cache", "containerPath": "/cache"}]),
                volumes=[
                    {
                        "name": "cache",
                        "dockerVolumeConfiguration": {"scope": "shared", "autoprovision": True, "driver": "local"},
                    }
                ],
            ),
            on_ec2(),
        ),
        "task-volume": (
            ec2(
                app(memory=128, mountPoints=[{"sourceVolume": "cache", "containerPath": "/cache"}]),
                volumes=[{"name": "cache", "dockerVolumeConfiguration": {"scope": "task", "driver": "local"}}],
            ),
            on_ec2(),
        ),
        "host-path": (
            ec2(
                app(
                    memory=128,
                    privileged=True,
                    mountPoints=[{"sourceVolume": "sock", "containerPath": "/var/run/docker.sock"}],
                    extraHosts=[{"hostname": "db", "ipAddress": "10.0.0.1"}],
                    links=["helper:h"],
                ),
                {"name": "helper", "image": "busybox:1.36", "memoryReservation": 32, "essential": False},
                volumes=[{"name": "sock", "host": {"sourcePath": "/var/run/docker.sock"}}],
                pidMode="host",
            ),
            on_ec2(),
        ),
        "ebs": (
            fargate(
                app(mountPoints=[{"sourceVolume": "data", "containerPath": "/data"}]),
                volumes=[{"name": "data", "configuredAtLaunch": True}],
            ),
            on_fargate(
                volumeConfigurations=[
                    {
                        "name": "data",
                        "managedEBSVolume": {
                            "roleArn": f"arn:aws:iam::{ACCOUNT}:role/ebs",
                            "sizeInGiB": 20,
                            "volumeType": "gp3",
                            "encrypted": True,
                        },
                    }
                ]
            ),
        ),
    }
