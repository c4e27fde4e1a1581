"""The judge judged: calls that AWS's models allow pass, and every kind of mistake in them is found where it is."""

from __future__ import annotations

import copy
import json

import pytest

import contract
from shapes import matches

CLUSTER = "arn:aws:ecs:eu-west-1:111122223333:cluster/shop"
SERVICE = "arn:aws:ecs:eu-west-1:111122223333:service/shop/web"
DEFINITION = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:1"

GOOD_CALL = {
    "time": "2026-11-21T00:00:00Z",
    "api": "ecs",
    "operation": "DescribeServices",
    "account": "111122223333",
    "region": "eu-west-1",
    "status": 200,
    "request": {"cluster": "shop", "services": ["web", "gone"], "include": ["TAGS"]},
    "response": {
        "services": [
            {
                "serviceArn": SERVICE,
                "serviceName": "web",
                "clusterArn": CLUSTER,
                "status": "ACTIVE",
                "desiredCount": 2,
                "launchType": "FARGATE",
                "taskDefinition": DEFINITION,
                "deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
                "createdAt": 1_767_225_600.25,
                "deployments": [
                    {
                        "id": "ecs-svc/6216346761948112104",
                        "status": "PRIMARY",
                        "taskDefinition": DEFINITION,
                        "rolloutState": "COMPLETED",
                        "createdAt": 1_767_225_600.25,
                        "updatedAt": 1_767_225_660,
                    }
                ],
                "events": [
                    {"id": "b", "createdAt": 1_767_225_601, "message": "later"},
                    {"id": "a", "createdAt": 1_767_225_600, "message": "earlier"},
                ],
                "tags": [{"key": "team", "value": "shop"}],
            }
        ],
        "failures": [{"arn": "arn:aws:ecs:eu-west-1:111122223333:service/shop/gone", "reason": "MISSING"}],
    },
}

MISSING = object()


def call(*changes: tuple[str, object]) -> dict:
    """The good call with members changed; a path is written as `response.services.0.status`."""
    changed = copy.deepcopy(GOOD_CALL)
    for path, value in changes:
        *way, last = path.split(".")
        place: object = changed
        for step in way:
            place = place[int(step) if isinstance(place, list) else step]
        if value is MISSING:
            del place[last]
        elif isinstance(place, list):
            place[int(last)] = value
        else:
            place[last] = value
    return changed


def other(api: str, operation: str, request: object, response: object, status: int = 200) -> dict:
    """A call of another operation."""
    return {**GOOD_CALL, "api": api, "operation": operation, "request": request, "response": response, "status": status}


def found(one: dict, **options: bool) -> list[str]:
    return [str(violation) for violation in contract.call_violations(one, **options)]


def test_good_calls_pass():
    assert found(GOOD_CALL) == []
    assert found(call(("status", 0), ("response", None))) == []


S = "response.services.0"
BROKEN = {
    "an unknown operation": (call(("operation", "DescribeNothing")), "operation: ecs has no such operation"),
    "an unknown service": (call(("api", "nowhere")), "api: botocore has no such service"),
    "a required member left out": (call(("request.services", MISSING)), "required member services is missing"),
    "an unknown member of a request": (call(("request.servces", [])), "request.servces: no member of"),
    "an unknown member of an answer": (
        call((f"{S}.taskDefinitionArn", DEFINITION)),
        "taskDefinitionArn: no member of Service",
    ),
    "a null": (call((f"{S}.roleArn", None)), "roleArn: null"),
    "a number as text": (call((f"{S}.desiredCount", "2")), "desiredCount: not a whole number"),
    "a fraction as a whole number": (call((f"{S}.desiredCount", 2.0)), "desiredCount: not a whole number"),
    "a boolean as a number": (call((f"{S}.desiredCount", True)), "desiredCount: not a whole number"),
    "more than 32 bits": (call((f"{S}.desiredCount", 2**31)), "does not fit 32 bits"),
    "a boolean as text": (call((f"{S}.enableExecuteCommand", "true")), "enableExecuteCommand: not a boolean"),
    "text as a list": (call(("request.services", "web")), "request.services: not a list"),
    "a list as text": (call((f"{S}.status", ["ACTIVE"])), "status: not a string"),
    "a time as text": (call((f"{S}.createdAt", "2026-01-01T00:00:00Z")), "times are numbers"),
    "a time in milliseconds": (call((f"{S}.createdAt", 1_767_225_600_250)), "not a plausible number of seconds"),
    "a value that an enum lacks": (call((f"{S}.launchType", "LAMBDA")), "not one of LaunchType's"),
    "a value that an enum in a list lacks": (call(("request.include", ["TAG"])), "request.include[0]: not one of"),
    "eleven services": (call(("request.services", ["web"] * 11)), "at most 10 are documented"),
    "an undocumented status": (call((f"{S}.status", "RUNNING")), "not a documented status"),
    "two PRIMARY deployments": (
        call((f"{S}.deployments", GOOD_CALL["response"]["services"][0]["deployments"] * 2)),
        "2 PRIMARY deployments",
    ),
    "a deployment's id of another form": (call((f"{S}.deployments.0.id", "web-1")), "documented as ecs-svc"),
    "events oldest first": (
        call((f"{S}.events", GOOD_CALL["response"]["services"][0]["events"][::-1])),
        "not newest first",
    ),
    "a family where the revision belongs": (call((f"{S}.taskDefinition", "web:1")), "taskDefinition: documented as"),
    "a launch type beside a strategy": (
        call((f"{S}.capacityProviderStrategy", [{"capacityProvider": "FARGATE"}])),
        "given together with a capacity provider strategy",
    ),
    "a service that is neither found nor missing": (call(("response.failures", [])), "neither described nor a failure"),
    "an answer with status 201": (call(("status", 201)), "answers have status 200"),
    "a page longer than its default": (
        other("ecs", "ListServices", {"cluster": "shop"}, {"serviceArns": [SERVICE] * 11}),
        "11 items on a page of 10",
    ),
    "a page larger than possible": (
        other("ecs", "ListServices", {"maxResults": 101}, {"serviceArns": []}),
        "documented from 1 to 100",
    ),
    "a task with a short id": (
        other("ecs", "ListTasks", {}, {"taskArns": ["arn:aws:ecs:eu-west-1:111122223333:task/shop/1"]}),
        "answer.taskArns: documented as",
    ),
    "a service deployment with a short id": (
        other("ecs", "StopServiceDeployment", {"serviceDeploymentArn": "a"}, {"serviceDeploymentArn": f"{SERVICE}/1"}),
        "answer.serviceDeploymentArn: documented as",
    ),
    "a reserved tag": (
        other("ecs", "TagResource", {"resourceArn": SERVICE, "tags": [{"key": "AWS:x", "value": ""}]}, {}),
        "the prefix aws: is reserved",
    ),
    "letters that a tag may not have": (
        other("ecs", "TagResource", {"resourceArn": SERVICE, "tags": [{"key": "a,b", "value": ""}]}, {}),
        "request.tags[0].key: does not match",
    ),
    "a key of a tag that is too long": (
        other("ecs", "TagResource", {"resourceArn": SERVICE, "tags": [{"key": "k" * 129, "value": ""}]}, {}),
        "129 characters, at most 128 are allowed",
    ),
    "an empty list that needs an item": (
        other("ssm", "GetParameters", {"Names": []}, {}),
        "0 items, at least 1 are needed",
    ),
    "a number out of its range": (
        other("secretsmanager", "ListSecrets", {"MaxResults": 101}, {"SecretList": []}),
        "request.MaxResults: 101, at most 100 are allowed",
    ),
    "a name of a repository in capitals": (
        other("ecr", "ListImages", {"repositoryName": "Shop"}, {"imageIds": []}),
        "request.repositoryName: does not match",
    ),
    "a name of a policy with a control character": (
        other(
            "application-autoscaling",
            "DeleteScalingPolicy",
            {
                "PolicyName": "a\x07",
                "ServiceNamespace": "ecs",
                "ResourceId": "service/shop/web",
                "ScalableDimension": "ecs:service:DesiredCount",
            },
            {},
        ),
        "request.PolicyName: does not match",
    ),
    "an undeclared error": (
        other("ecs", "ListServices", {}, {"__type": "ServiceNotFoundException", "message": "m"}, 400),
        "ListServices declares no such error",
    ),
    "an error with status 404": (
        other("ecs", "ListServices", {}, {"__type": "ClusterNotFoundException", "message": "m"}, 404),
        "ClusterNotFoundException has status [400]",
    ),
    "an error without a code": (other("ecs", "ListServices", {}, {"message": "m"}, 400), "a refusal names its code"),
    "an error with a member of its own": (
        other("ecs", "ListServices", {}, {"__type": "ThrottlingException", "message": "m", "wait": 1}, 400),
        "ThrottlingException has no members but its message",
    ),
    "an operation that the sandbox lacks": (
        other("ecs", "ListServices", {}, {"__type": "UnknownOperationException", "message": "m"}, 400),
        "the sandbox has no such operation",
    ),
    "an unknown member of a form": (
        other("sts", "GetCallerIdentity", {"Action": "GetCallerIdentity", "Version": "2011-06-15", "Who": "me"}, None),
        "request.Who: no member",
    ),
    "a form's list that does not count from 1": (
        other(
            "sts",
            "AssumeRole",
            {"RoleArn": "arn:aws:iam::111122223333:role/a", "RoleSessionName": "ab", "TransitiveTagKeys.member.2": "a"},
            None,
        ),
        "not a list of members from 1",
    ),
    "a form's number that is none": (
        other(
            "sts",
            "AssumeRole",
            {"RoleArn": "arn:aws:iam::111122223333:role/a", "RoleSessionName": "ab", "DurationSeconds": "1h"},
            None,
        ),
        "request.DurationSeconds: not a whole number",
    ),
}


@pytest.mark.parametrize("mistake", BROKEN)
def test_a_mistake_is_found(mistake):
    one, expected = BROKEN[mistake]
    assert any(expected in violation for violation in found(one)), found(one)


def test_documented_values_that_the_model_lacks_are_let_through():
    deployment = {"lifecycleStage": "PRE_PRODUCTION_TRAFFIC_SHIFT"}
    request = {"serviceDeploymentArns": [f"arn:aws:ecs:eu-west-1:111122223333:service-deployment/shop/web/{'a' * 21}"]}
    answer = {"serviceDeployments": [deployment], "failures": []}
    assert found(other("ecs", "DescribeServiceDeployments", request, answer)) == []
    deployment["lifecycleStage"] = "LUNCH"
    assert found(other("ecs", "DescribeServiceDeployments", request, answer)) != []


def test_lists_that_aws_answers_empty_are_let_through_in_answers_only():
    request = {"Name": "/a", "Labels": ["stable"]}
    assert found(other("ssm", "LabelParameterVersion", request, {"InvalidLabels": [], "ParameterVersion": 1})) == []
    assert found(other("ssm", "LabelParameterVersion", {**request, "Labels": []}, {"ParameterVersion": 1})) != []


def test_modelled_errors_keep_their_members():
    error = {"__type": "ConflictException", "message": "m", "resourceIds": ["a"]}
    request = {"taskDefinition": "web:1", "clientToken": "a"}
    assert found(other("ecs", "RunTask", request, error, 400)) == []
    error["resourceIds"] = "a"
    assert found(other("ecs", "RunTask", request, error, 400)) != []


def test_refused_requests_may_break_the_model_only_on_purpose():
    refused = call(
        ("request.services", ["a"] * 11), ("status", 400), ("response", {"__type": "InvalidParameterException"})
    )
    assert found(refused) != []
    assert found(refused, refused_may_break=True) == []
    assert found(call(("request.services", ["web"] * 11)), refused_may_break=True) != []


def test_forms_are_read_as_members():
    form = {
        "Action": "AssumeRole",
        "Version": "2011-06-15",
        "RoleArn": "arn:aws:iam::111122223333:role/deployer",
        "RoleSessionName": "longshore",
        "DurationSeconds": "900",
        "Tags.member.1.Key": "a",
        "Tags.member.1.Value": "b",
    }
    assert found(other("sts", "AssumeRole", form, None)) == []
    assert found(other("sts", "AssumeRole", {**form, "DurationSeconds": "899"}, None)) != []


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("[a-z]+", "abc", True),
        ("[a-z]+", "abc1", False),
        ("^[a-z]+", "abc1", True),
        (r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)", "Ü 1", True),
        (r"\p{Print}+", "a\x07", False),
        (r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\r\n\t]*", "a 🚢", True),
    ],
)
def test_patterns_of_the_models_are_understood(pattern, text, expected):
    assert matches(pattern, text) == expected


def test_the_program_counts_and_exits(tmp_path, monkeypatch, capsys):
    def run(*calls: dict) -> int:
        recording = tmp_path / "calls.jsonl"
        recording.write_text("".join(json.dumps(one) + "\n" for one in calls), encoding="utf-8")
        monkeypatch.setattr("sys.argv", ["contract.py", str(recording)])
        return contract.main()

    assert run(GOOD_CALL, GOOD_CALL) == 0
    assert "ecs DescribeServices" in capsys.readouterr().out
    assert run(GOOD_CALL, call(("request.services", MISSING))) == 1
    assert "VIOLATION calls.jsonl:2 ecs DescribeServices: request: required member" in capsys.readouterr().out
    assert run() == 1
