//! Specs that have no findings.

use serde_json::{Value, json};

/// A load-balanced web service on Fargate.
pub(super) fn fargate() -> Value {
    json!({
        "apiVersion": "longshore.dev/v1alpha1",
        "kind": "Service",
        "metadata": {"name": "api"},
        "spec": {
            "cluster": "shop",
            "taskDefinition": {
                "cpu": "512",
                "memory": "1 GB",
                "requiresCompatibilities": ["FARGATE"],
                "networkMode": "awsvpc",
                "executionRoleArn": "arn:aws:iam::111122223333:role/shop-execution",
                "containerDefinitions": [{
                    "name": "app",
                    "image": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop:1.4.0",
                    "portMappings": [{"containerPort": 8080}],
                    "secrets": [{"name": "DATABASE_URL", "valueFrom": "/shop/api/database-url"}],
                    "logConfiguration": {"logDriver": "awslogs", "options": {
                        "awslogs-group": "/shop/api",
                        "awslogs-region": "eu-west-1",
                        "awslogs-stream-prefix": "api",
                    }},
                }],
            },
            "service": {
                "launchType": "FARGATE",
                "desiredCount": 2,
                "networkConfiguration": {"awsvpcConfiguration": {
                    "subnets": ["subnet-0a", "subnet-0b"],
                    "securityGroups": ["sg-0a"],
                }},
                "loadBalancers": [{
                    "targetGroupArn": "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/api/1",
                    "containerName": "app",
                    "containerPort": 8080,
                }],
                "deploymentConfiguration": {
                    "deploymentCircuitBreaker": {"enable": true, "rollback": true},
                },
            },
        },
    })
}

/// A worker on container instances.
pub(super) fn ec2() -> Value {
    json!({
        "apiVersion": "longshore.dev/v1alpha1",
        "kind": "Service",
        "metadata": {"name": "worker"},
        "spec": {
            "cluster": "shop",
            "taskDefinition": {
                "requiresCompatibilities": ["EC2"],
                "containerDefinitions": [{
                    "name": "app",
                    "image": "registry.example.com/shop/worker:1.4.0",
                    "memory": 256,
                }],
            },
            "service": {
                "launchType": "EC2",
                "desiredCount": 1,
                "deploymentConfiguration": {
                    "deploymentCircuitBreaker": {"enable": true, "rollback": true},
                },
            },
        },
    })
}

/// A service that uses much of what ECS has: a log router, a canary, Service Connect, EFS, EBS.
pub(super) fn complete() -> Value {
    json!({
        "apiVersion": "longshore.dev/v1alpha1",
        "kind": "Service",
        "metadata": {"name": "shop_API-1", "labels": {"team": "shop"}},
        "spec": {
            "cluster": "shop",
            "taskDefinition": {
                "family": "shop-api",
                "cpu": "1 vCPU",
                "memory": "2048",
                "requiresCompatibilities": ["EC2", "FARGATE"],
                "networkMode": "awsvpc",
                "pidMode": "task",
                "executionRoleArn": "shop-execution",
                "ephemeralStorage": {"sizeInGiB": 21},
                "runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
                "volumes": [
                    {"name": "shared", "efsVolumeConfiguration": {
                        "fileSystemId": "fs-1", "rootDirectory": "/", "transitEncryption": "ENABLED",
                        "authorizationConfig": {"accessPointId": "fsap-1", "iam": "ENABLED"},
                    }},
                    {"name": "data", "configuredAtLaunch": true},
                    {"name": "scratch", "host": {}},
                ],
                "tags": [{"key": "cost centre", "value": "shop+web@7"}],
                "containerDefinitions": containers(),
            },
            "service": service(),
        },
    })
}

fn containers() -> Value {
    json!([
        {
            "name": "app",
            "image": "example.com:5000/shop/api@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "cpu": 512, "memory": 1024, "memoryReservation": 512,
            "portMappings": [
                {"name": "web", "containerPort": 8080, "hostPort": 8080, "appProtocol": "http"},
                {"containerPortRange": "9000-9010"},
                {"containerPort": 9000, "protocol": "udp"},
            ],
            "environment": [{"name": "TOKEN_TTL", "value": "60"}, {"name": "PASSWORD", "value": ""}],
            "secrets": [
                {"name": "A", "valueFrom": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop/db-AbC123:password::"},
                {"name": "B", "valueFrom": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop/db-AbC123"},
                {"name": "C", "valueFrom": "arn:aws:ssm:us-east-1:111122223333:parameter/shop/key"},
                {"name": "D", "valueFrom": "plain-name"},
            ],
            "environmentFiles": [{"value": "arn:aws:s3:::bucket/shop/api.env", "type": "s3"}],
            "dependsOn": [
                {"containerName": "init", "condition": "SUCCESS"},
                {"containerName": "router", "condition": "HEALTHY"},
            ],
            "startTimeout": 120, "stopTimeout": 120,
            "mountPoints": [
                {"sourceVolume": "shared", "containerPath": "/shared"},
                {"sourceVolume": "data", "containerPath": "/data"},
            ],
            "ulimits": [{"name": "nofile", "softLimit": 65535, "hardLimit": 1_048_576}],
            "linuxParameters": {"initProcessEnabled": true, "capabilities": {"add": ["SYS_PTRACE"], "drop": ["ALL"]}},
            "systemControls": [{"namespace": "net.core.somaxconn", "value": "1024"}],
            "restartPolicy": {"enabled": true, "ignoredExitCodes": [0], "restartAttemptPeriod": 60},
            "logConfiguration": {"logDriver": "awsfirelens", "options": {"Name": "cloudwatch", "mode": "non-blocking", "max-buffer-size": "10m"}},
        },
        {
            "name": "init", "image": "busybox:1.37", "essential": false,
            "volumesFrom": [{"sourceContainer": "app", "readOnly": true}],
        },
        {
            "name": "router", "image": "public.ecr.aws/aws-observability/aws-for-fluent-bit:2.34",
            "memoryReservation": 50,
            "healthCheck": {"command": ["CMD-SHELL", "exit 0"], "interval": 5, "timeout": 2, "retries": 10, "startPeriod": 300},
            "firelensConfiguration": {"type": "fluentbit", "options": {"config-file-type": "file", "config-file-value": "/extra.conf"}},
        },
    ])
}

fn service() -> Value {
    json!({
        "capacityProviderStrategy": [
            {"capacityProvider": "FARGATE", "base": 1, "weight": 1},
            {"capacityProvider": "FARGATE_SPOT", "weight": 3},
        ],
        "platformVersion": "1.4.0",
        "desiredCount": 4,
        "availabilityZoneRebalancing": "ENABLED",
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"], "assignPublicIp": "ENABLED"}},
        "loadBalancers": [{
            "targetGroupArn": "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/blue/1",
            "containerName": "app", "containerPort": 9005,
            "advancedConfiguration": {
                "alternateTargetGroupArn": "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/green/2",
                "productionListenerRule": "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener-rule/app/shop/1/2/3",
                "testListenerRule": "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener-rule/app/shop/1/2/4",
                "roleArn": "arn:aws:iam::111122223333:role/ecs",
            },
        }],
        "serviceRegistries": [{"registryArn": "arn:aws:servicediscovery:eu-west-1:111122223333:service/srv-1", "containerName": "app", "containerPort": 8080}],
        "deploymentConfiguration": deployment(),
        "serviceConnectConfiguration": {
            "enabled": true, "namespace": "shop",
            "services": [{"portName": "web", "discoveryName": "api", "clientAliases": [{"port": 80, "dnsName": "api.shop"}], "timeout": {"perRequestTimeoutSeconds": 15}}],
            "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "g", "awslogs-region": "r", "awslogs-stream-prefix": "p"}},
        },
        "volumeConfigurations": [{"name": "data", "managedEBSVolume": {
            "roleArn": "arn:aws:iam::111122223333:role/ebs", "sizeInGiB": 20, "iops": 3000, "throughput": 125,
            "tagSpecifications": [{"resourceType": "volume", "tags": [{"key": "a"}]}],
        }}],
        "monitoring": {"metricConfigurations": [{"metricNames": ["CPUUtilization"], "resolutionSeconds": 20}]},
        "tags": [{"key": "team", "value": "shop"}],
    })
}

fn deployment() -> Value {
    json!({
        "strategy": "CANARY",
        "bakeTimeInMinutes": 5,
        "canaryConfiguration": {"canaryPercent": 12.5, "canaryBakeTimeInMinutes": 3},
        "alarms": {"alarmNames": ["errors"], "enable": true, "rollback": true},
        "deploymentCircuitBreaker": {"enable": true, "rollback": true, "thresholdConfiguration": {"type": "COUNT", "value": 300}},
        "lifecycleHooks": [
            {"targetType": "PAUSE", "lifecycleStages": ["PRE_PRODUCTION_TRAFFIC_SHIFT"], "timeoutConfiguration": {"timeoutInMinutes": 20160}},
            {"hookTargetArn": "arn:aws:lambda:eu-west-1:111122223333:function:check", "roleArn": "arn:aws:iam::111122223333:role/hook", "lifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"]},
        ],
    })
}
