"""Parameter Store and Secrets Manager (aws.md §6.1, §6.2)."""

from __future__ import annotations

import pytest

from processes import Endpoint
from refusals import refused


@pytest.fixture(scope="module")
def ssm(sandbox: Endpoint):
    return sandbox.client("ssm")


@pytest.fixture(scope="module")
def secrets(sandbox: Endpoint):
    return sandbox.client("secretsmanager")


def test_parameters_come_sorted_and_unknown_ones_are_named(ssm):
    for letter in "ba":
        ssm.put_parameter(Name=f"/sorted/{letter}", Value=letter, Type="String")
    answer = ssm.get_parameters(Names=["/sorted/b", "/sorted/none", "/sorted/a"])
    assert [one["Name"] for one in answer["Parameters"]] == ["/sorted/a", "/sorted/b"]
    assert answer["InvalidParameters"] == ["/sorted/none"]
    assert answer["Parameters"][0]["ARN"] == "arn:aws:ssm:eu-west-1:111122223333:parameter/sorted/a"


def test_versions_count_and_labels_move(ssm):
    name = "/versions/key"
    assert ssm.put_parameter(Name=name, Value="one", Type="String")["Version"] == 1
    with refused("ParameterAlreadyExists"):
        ssm.put_parameter(Name=name, Value="two", Type="String")
    assert ssm.put_parameter(Name=name, Value="two", Overwrite=True)["Version"] == 2
    ssm.label_parameter_version(Name=name, ParameterVersion=1, Labels=["stable"])
    labelled = ssm.get_parameter(Name=f"{name}:stable")["Parameter"]
    assert (labelled["Value"], labelled["Version"], labelled["Selector"]) == ("one", 1, ":stable")
    ssm.label_parameter_version(Name=name, Labels=["stable"])
    assert ssm.get_parameter(Name=f"{name}:stable")["Parameter"]["Version"] == 2
    assert ssm.get_parameter(Name=f"{name}:1")["Parameter"]["Value"] == "one"
    history = ssm.get_paginator("get_parameter_history").paginate(Name=name).build_full_result()["Parameters"]
    assert [(one["Version"], one["Labels"]) for one in history] == [(1, []), (2, ["stable"])]


def test_a_secure_string_is_not_shown_without_being_asked_for(ssm):
    ssm.put_parameter(Name="/secure/key", Value="plain text", Type="SecureString")
    shown = ssm.get_parameter(Name="/secure/key")["Parameter"]
    assert (shown["Type"], shown["Version"]) == ("SecureString", 1)
    assert "plain text" not in shown["Value"]


def test_paths_have_pages_of_ten(ssm):
    for number in range(12):
        ssm.put_parameter(Name=f"/paged/{number:02}", Value="v", Type="String")
    ssm.put_parameter(Name="/paged/deep/er", Value="v", Type="String")
    pages = list(ssm.get_paginator("get_parameters_by_path").paginate(Path="/paged"))
    assert len(pages) >= 2
    assert sum(len(page["Parameters"]) for page in pages) == 12
    deep = ssm.get_paginator("get_parameters_by_path").paginate(Path="/paged", Recursive=True).build_full_result()
    assert len(deep["Parameters"]) == 13
    filters = [{"Key": "Path", "Values": ["/paged"]}]
    described = ssm.get_paginator("describe_parameters").paginate(ParameterFilters=filters).build_full_result()
    assert len(described["Parameters"]) == 12


def test_refusals_of_parameters(ssm):
    with refused("ParameterNotFound"):
        ssm.get_parameter(Name="/nobody")
    with refused("ParameterNotFound"):
        ssm.delete_parameter(Name="/nobody")
    with refused("ValidationException"):
        ssm.put_parameter(Name="ssm-reserved", Value="v", Type="String")
    with refused("ValidationException"):
        ssm.get_parameters(Names=[f"/many/{number}" for number in range(11)])


def test_rotation_moves_the_stages(secrets):
    created = secrets.create_secret(Name="rotated", SecretString="one", Tags=[{"Key": "team", "Value": "shop"}])
    assert created["ARN"].startswith("arn:aws:secretsmanager:eu-west-1:111122223333:secret:rotated-")
    first = created["VersionId"]
    second = secrets.put_secret_value(SecretId="rotated", SecretString="two")["VersionId"]
    for wanted in ("rotated", created["ARN"]):
        described = secrets.describe_secret(SecretId=wanted)
        assert described["VersionIdsToStages"] == {first: ["AWSPREVIOUS"], second: ["AWSCURRENT"]}
        assert "KmsKeyId" not in described
    secrets.update_secret_version_stage(
        SecretId="rotated", VersionStage="AWSCURRENT", MoveToVersionId=first, RemoveFromVersionId=second
    )
    stages = secrets.describe_secret(SecretId="rotated")["VersionIdsToStages"]
    assert "AWSCURRENT" in stages[first]
    with refused("ResourceExistsException"):
        secrets.create_secret(Name="rotated", SecretString="again")


def test_a_deletion_can_be_taken_back(secrets):
    secrets.create_secret(Name="doomed", SecretString="v")
    secrets.delete_secret(SecretId="doomed", RecoveryWindowInDays=7)
    assert "DeletedDate" in secrets.describe_secret(SecretId="doomed")
    with refused("InvalidRequestException"):
        secrets.put_secret_value(SecretId="doomed", SecretString="w")
    secrets.restore_secret(SecretId="doomed")
    assert "DeletedDate" not in secrets.describe_secret(SecretId="doomed")
    secrets.delete_secret(SecretId="doomed", ForceDeleteWithoutRecovery=True)
    with refused("ResourceNotFoundException"):
        secrets.describe_secret(SecretId="doomed")


def test_secrets_are_listed_by_name(secrets):
    for number in range(3):
        secrets.create_secret(Name=f"listed/{number}", SecretString="v")
    filters = [{"Key": "name", "Values": ["listed/"]}]
    pages = list(secrets.get_paginator("list_secrets").paginate(Filters=filters, PaginationConfig={"PageSize": 2}))
    names = [secret["Name"] for page in pages for secret in page["SecretList"]]
    assert sorted(names) == ["listed/0", "listed/1", "listed/2"]
    assert len(pages) >= 2


def test_the_sandbox_gives_no_secret_values(secrets):
    secrets.create_secret(Name="silent", SecretString="hidden")
    with refused("AccessDeniedException"):
        secrets.get_secret_value(SecretId="silent")
