"""What AWS documents and its models leave out: limits, page sizes, identifiers, values that the models rule out.

Sections are those of the AWS behaviour reference (aws.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from shapes import Violation

# Values that AWS uses although the model's enum lacks them: (shape, value).
OPEN_ENUM_VALUES = {
    # The stage is documented for hooks and reported while they run; the output enum omits it (aws.md §3.8, §8).
    ("ServiceDeploymentLifecycleStage", "PRE_PRODUCTION_TRAFFIC_SHIFT"),
    # The properties page lists it, the model does not (aws.md §8).
    ("ServiceDeploymentStatus", "STOP_IN_PROGRESS"),
}

# Lists that AWS answers empty although the model asks for an item: the examples of GetParameterHistory and
# LabelParameterVersion in the documents show `[]`.
OPEN_EMPTY_LISTS = {"ParameterLabelList"}


def is_open(shape: str, value: object) -> bool:
    """Whether AWS is known to answer what the model of the shape rules out."""
    if value == []:
        return shape in OPEN_EMPTY_LISTS
    return (shape, value) in OPEN_ENUM_VALUES


# Codes that every service may answer with (aws.md §0), and their statuses.
COMMON_ERRORS = {
    "AccessDenied": {403},
    "AccessDeniedException": {400, 403},
    "ExpiredTokenException": {400, 403},
    "IncompleteSignature": {400},
    "InvalidSignatureException": {400, 403},
    "MissingAuthenticationToken": {400, 403},
    "UnrecognizedClientException": {400, 403},
    "RequestExpired": {400},
    "ThrottlingException": {400},
    "ValidationException": {400},
    "ValidationError": {400},
    "SerializationException": {400},
    "InternalFailure": {500},
    "InternalError": {500},
    "ServiceUnavailable": {503},
}

# Modelled errors whose fault is the server's.
SERVER_ERRORS = {
    "ServerException",
    "InternalServerError",
    "InternalServiceException",
    "InternalServiceFault",
    "InternalServiceError",
}

# The most items that a list in a request may have (aws.md §2.2, §2.6, §2.8, §1.3, §6).
LIST_LIMITS = {
    ("ecs", "DescribeServices", "services"): 10,
    ("ecs", "DescribeTasks", "tasks"): 100,
    ("ecs", "DescribeClusters", "clusters"): 100,
    ("ecs", "DescribeContainerInstances", "containerInstances"): 100,
    ("ecs", "DescribeServiceDeployments", "serviceDeploymentArns"): 20,
    ("ecs", "DescribeServiceRevisions", "serviceRevisionArns"): 20,
    ("ecs", "DeleteTaskDefinitions", "taskDefinitions"): 10,
    ("ecs", "TagResource", "tags"): 50,
    ("ecs", "CreateService", "tags"): 50,
    ("ecs", "RunTask", "tags"): 50,
    ("ecs", "RegisterTaskDefinition", "tags"): 50,
    ("ecs", "RegisterTaskDefinition", "containerDefinitions"): 10,
    ("ecs", "RegisterTaskDefinition", "placementConstraints"): 10,
    ("ecs", "CreateService", "serviceRegistries"): 1,
    ("ecs", "UpdateService", "serviceRegistries"): 1,
    ("ecs", "CreateService", "loadBalancers"): 5,
    ("ecs", "UpdateService", "loadBalancers"): 5,
    ("ecs", "CreateService", "placementStrategy"): 5,
    ("ecs", "CreateService", "capacityProviderStrategy"): 20,
    ("ecs", "UpdateService", "capacityProviderStrategy"): 20,
    ("ssm", "GetParameters", "Names"): 10,
    ("ecr", "DescribeImages", "imageIds"): 100,
    ("ecr", "BatchGetImage", "imageIds"): 100,
    ("application-autoscaling", "DescribeScalableTargets", "ResourceIds"): 50,
    ("application-autoscaling", "DescribeScalingPolicies", "PolicyNames"): 50,
    ("application-autoscaling", "DescribeScheduledActions", "ScheduledActionNames"): 50,
}

# Whole numbers in requests: the least and the most (aws.md §2.3, §2.4, §2.8, §4.5).
RANGES = {
    ("ecs", "CreateService", "desiredCount"): (0, 5000),
    ("ecs", "UpdateService", "desiredCount"): (0, 5000),
    ("ecs", "CreateService", "healthCheckGracePeriodSeconds"): (0, 2_147_483_647),
    ("ecs", "UpdateService", "healthCheckGracePeriodSeconds"): (0, 2_147_483_647),
    ("ecs", "RunTask", "count"): (1, 10),
}

NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
CLIENT_TOKEN = re.compile(r"[!-~]{1,36}")
RUN_TASK_TOKEN = re.compile(r"[!-~]{1,64}")
STARTED_BY = re.compile(r"[A-Za-z0-9_/-]{1,128}")

# Strings in requests (aws.md §4.1, §2.3).
REQUEST_FORMATS = {
    ("ecs", "RegisterTaskDefinition", "family"): NAME,
    ("ecs", "CreateService", "serviceName"): NAME,
    ("ecs", "CreateCluster", "clusterName"): NAME,
    ("ecs", "CreateService", "clientToken"): CLIENT_TOKEN,
    ("ecs", "RunTask", "clientToken"): RUN_TASK_TOKEN,
    ("ecs", "RunTask", "startedBy"): STARTED_BY,
}


@dataclass(frozen=True)
class Page:
    """How long one answer of a paginated operation may be."""

    answered: str
    size: str
    default: int
    most: int


# aws.md §2.6, §5.4, §6.1, §6.2, §6.3.
PAGES = {
    ("ecs", "ListServices"): Page("serviceArns", "maxResults", 10, 100),
    ("ecs", "ListServicesByNamespace"): Page("serviceArns", "maxResults", 10, 100),
    ("ecs", "ListServiceDeployments"): Page("serviceDeployments", "maxResults", 20, 100),
    ("ecs", "ListTasks"): Page("taskArns", "maxResults", 100, 100),
    ("ecs", "ListClusters"): Page("clusterArns", "maxResults", 100, 100),
    ("ecs", "ListTaskDefinitions"): Page("taskDefinitionArns", "maxResults", 100, 100),
    ("ecs", "ListTaskDefinitionFamilies"): Page("families", "maxResults", 100, 100),
    ("ecs", "ListContainerInstances"): Page("containerInstanceArns", "maxResults", 100, 100),
    ("application-autoscaling", "DescribeScalableTargets"): Page("ScalableTargets", "MaxResults", 50, 50),
    ("application-autoscaling", "DescribeScalingPolicies"): Page("ScalingPolicies", "MaxResults", 10, 50),
    ("application-autoscaling", "DescribeScheduledActions"): Page("ScheduledActions", "MaxResults", 50, 50),
    ("application-autoscaling", "DescribeScalingActivities"): Page("ScalingActivities", "MaxResults", 50, 50),
    ("ssm", "GetParametersByPath"): Page("Parameters", "MaxResults", 10, 10),
    ("ssm", "DescribeParameters"): Page("Parameters", "MaxResults", 50, 50),
    ("secretsmanager", "ListSecrets"): Page("SecretList", "MaxResults", 100, 100),
    ("ecr", "DescribeImages"): Page("imageDetails", "maxResults", 100, 1000),
    ("ecr", "ListImages"): Page("imageIds", "maxResults", 100, 1000),
    ("ecr", "DescribeRepositories"): Page("repositories", "maxResults", 100, 1000),
}

_ARN = r"arn:aws[a-z-]*:ecs:[a-z0-9-]+:\d{12}:"
_WORD = r"[A-Za-z0-9_-]{1,255}"
CLUSTER_ARN = re.compile(rf"{_ARN}cluster/{_WORD}")
SERVICE_ARN = re.compile(rf"{_ARN}service/(?:{_WORD}/)?{_WORD}")
TASK_ARN = re.compile(rf"{_ARN}task/{_WORD}/[0-9a-f]{{32}}")
TASK_DEFINITION_ARN = re.compile(rf"{_ARN}task-definition/{_WORD}:[1-9]\d*")
SERVICE_DEPLOYMENT_ARN = re.compile(rf"{_ARN}service-deployment/{_WORD}/{_WORD}/[A-Za-z0-9_-]{{21}}")
SERVICE_REVISION_ARN = re.compile(rf"{_ARN}service-revision/{_WORD}/{_WORD}/\d{{1,19}}")
CONTAINER_INSTANCE_ARN = re.compile(rf"{_ARN}container-instance/{_WORD}/[0-9a-f]{{32}}")
DEPLOYMENT_ID = re.compile(r"ecs-svc/\d{1,19}")
IMAGE_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")

# Members of ECS's answers by their name, wherever they stand (aws.md §2.1).
ANSWER_FORMATS = {
    "clusterArn": CLUSTER_ARN,
    "clusterArns": CLUSTER_ARN,
    "serviceArn": SERVICE_ARN,
    "serviceArns": SERVICE_ARN,
    "taskArn": TASK_ARN,
    "taskArns": TASK_ARN,
    "taskDefinition": TASK_DEFINITION_ARN,
    "taskDefinitionArn": TASK_DEFINITION_ARN,
    "taskDefinitionArns": TASK_DEFINITION_ARN,
    "currentServiceDeployment": SERVICE_DEPLOYMENT_ARN,
    "serviceDeploymentArn": SERVICE_DEPLOYMENT_ARN,
    "serviceRevisionArn": SERVICE_REVISION_ARN,
    "targetServiceRevisionArn": SERVICE_REVISION_ARN,
    "containerInstanceArn": CONTAINER_INSTANCE_ARN,
    "containerInstanceArns": CONTAINER_INSTANCE_ARN,
    "imageDigest": IMAGE_DIGEST,
}

SERVICE_STATUSES = {"ACTIVE", "DRAINING", "INACTIVE"}
DEPLOYMENT_STATUSES = {"PRIMARY", "ACTIVE", "INACTIVE"}
SERVICE_EVENTS_MOST = 100


def request_violations(api: str, operation: str, request: dict) -> Iterator[Violation]:
    """What the documents do not allow in a request."""
    for name, value in request.items():
        path, rule = f"request.{name}", (api, operation, name)
        most = LIST_LIMITS.get(rule)
        if most is not None and isinstance(value, list) and len(value) > most:
            yield Violation(path, f"{len(value)} items, at most {most} are documented", value)
        least, largest = RANGES.get(rule, (None, None))
        if least is not None and isinstance(value, int) and not least <= value <= largest:
            yield Violation(path, f"documented from {least} to {largest}", value)
        form = REQUEST_FORMATS.get(rule)
        if form is not None and isinstance(value, str) and not form.fullmatch(value):
            yield Violation(path, f"documented as {form.pattern}", value)
    page = PAGES.get((api, operation))
    size = request.get(page.size) if page else None
    if isinstance(size, int) and not 1 <= size <= page.most:
        yield Violation(f"request.{page.size}", f"documented from 1 to {page.most}", size)
    tags = request.get("tags", [])
    for tag in tags if api == "ecs" and isinstance(tags, list) else []:
        if str(tag.get("key", "")).lower().startswith("aws:"):
            yield Violation("request.tags", "the prefix aws: is reserved", tag)


def answer_violations(api: str, operation: str, request: dict, answer: dict) -> Iterator[Violation]:
    """What the documents do not allow in an answer."""
    page = PAGES.get((api, operation))
    if page:
        asked = request.get(page.size)
        most = asked if isinstance(asked, int) else page.default
        listed = answer.get(page.answered, [])
        # A filter by names or ids answers all of them, without pages.
        if len(listed) > most and not (request.get("imageIds") or request.get("repositoryNames")):
            yield Violation(f"answer.{page.answered}", f"{len(listed)} items on a page of {most}")
    if api == "ecs":
        yield from _formats(answer, "answer")
        for service in _services(answer):
            yield from _service_violations(service)
        if operation == "DescribeServices":
            yield from _unanswered(request, answer)


def _services(answer: dict) -> list[dict]:
    one = answer.get("service")
    return ([one] if isinstance(one, dict) else []) + list(answer.get("services", []))


def _formats(value: object, path: str) -> Iterator[Violation]:
    if isinstance(value, list):
        for position, item in enumerate(value):
            yield from _formats(item, f"{path}[{position}]")
    elif isinstance(value, dict):
        for name, content in value.items():
            place, form = f"{path}.{name}", ANSWER_FORMATS.get(name)
            for text in content if isinstance(content, list) else [content]:
                if form and isinstance(text, str) and not form.fullmatch(text):
                    yield Violation(place, f"documented as {form.pattern}", text)
            yield from _formats(content, place)


def _service_violations(service: dict) -> Iterator[Violation]:
    path = f"service {service.get('serviceName')}"
    if service.get("status") not in SERVICE_STATUSES:
        yield Violation(f"{path}.status", "not a documented status", service.get("status"))
    if service.get("launchType") and service.get("capacityProviderStrategy"):
        yield Violation(f"{path}.launchType", "given together with a capacity provider strategy", service["launchType"])
    if len(service.get("events", [])) > SERVICE_EVENTS_MOST:
        yield Violation(f"{path}.events", f"more than {SERVICE_EVENTS_MOST} events", len(service["events"]))
    times = [event["createdAt"] for event in service.get("events", [])]
    if times != sorted(times, reverse=True):
        yield Violation(f"{path}.events", "not newest first", times[:5])
    deployments = service.get("deployments", [])
    primaries = sum(one.get("status") == "PRIMARY" for one in deployments)
    if service.get("status") == "ACTIVE" and primaries != 1:
        yield Violation(f"{path}.deployments", f"{primaries} PRIMARY deployments", primaries)
    for one in deployments:
        if one.get("status") not in DEPLOYMENT_STATUSES:
            yield Violation(f"{path}.deployments.status", "not a documented status", one.get("status"))
        if not DEPLOYMENT_ID.fullmatch(str(one.get("id"))):
            yield Violation(f"{path}.deployments.id", f"documented as {DEPLOYMENT_ID.pattern}", one.get("id"))
        if one.get("updatedAt", 0) < one.get("createdAt", 0):
            yield Violation(f"{path}.deployments.updatedAt", "before its creation", one["updatedAt"])


def _unanswered(request: dict, answer: dict) -> Iterator[Violation]:
    """Every service that was asked for is described or a failure (aws.md §2.6)."""
    described = {service["serviceName"] for service in answer.get("services", [])}
    failed = {failure.get("arn", "").rsplit("/", 1)[-1] for failure in answer.get("failures", [])}
    for wanted in request.get("services", []):
        if wanted.rsplit("/", 1)[-1] not in described | failed:
            yield Violation("answer.services", "neither described nor a failure", wanted)
