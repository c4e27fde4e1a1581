"""Who calls, in which account and Region; alarms and metrics (aws.md §6.6, §6.9)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import boto3
import pytest

from processes import ACCOUNT, REGION, TOOLS, Endpoint
from refusals import refused


def test_the_caller_is_known_by_the_access_key(sandbox):
    identity = sandbox.client("sts").get_caller_identity()
    assert identity["Account"] == ACCOUNT
    assert identity["Arn"].startswith(f"arn:aws:iam::{ACCOUNT}:")
    done = sandbox.run(TOOLS / "aws", "sts", "get-caller-identity", "--query", "Account", "--output", "text")
    assert (done.stdout.strip(), done.returncode) == (ACCOUNT, 0), done.stderr


def test_an_assumed_role_works_in_its_own_account(sandbox):
    sts = sandbox.client("sts")
    role = "arn:aws:iam::444455556666:role/deployer"
    answer = sts.assume_role(RoleArn=role, RoleSessionName="conformance", DurationSeconds=900, ExternalId="shared")
    assert answer["AssumedRoleUser"]["Arn"] == "arn:aws:sts::444455556666:assumed-role/deployer/conformance"
    credentials = answer["Credentials"]
    assert credentials["Expiration"].tzinfo is not None
    session = boto3.Session(
        credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"], region_name=REGION
    )
    assert session.client("sts", endpoint_url=sandbox.url).get_caller_identity()["Account"] == "444455556666"
    there = session.client("ecs", endpoint_url=sandbox.url).create_cluster(clusterName="theirs")["cluster"]
    assert there["clusterArn"] == "arn:aws:ecs:eu-west-1:444455556666:cluster/theirs"
    ours = sandbox.client("ecs").describe_clusters(clusters=["theirs"])
    assert ours["clusters"] == []
    with refused("ValidationError"):
        sts.assume_role(RoleArn=role, RoleSessionName="not a name")


def test_regions_are_apart(sandbox):
    there = boto3.client(
        "ecs",
        endpoint_url=sandbox.url,
        region_name="us-east-1",
        aws_access_key_id=f"AKIA{ACCOUNT}",
        aws_secret_access_key="sandbox",
    )
    assert there.create_cluster(clusterName="far")["cluster"]["clusterArn"].startswith("arn:aws:ecs:us-east-1:")
    assert sandbox.client("ecs").describe_clusters(clusters=["far"])["clusters"] == []


@pytest.fixture(scope="module")
def cloudwatch(sandbox: Endpoint):
    return sandbox.client("cloudwatch")


def test_alarms_have_states(cloudwatch):
    cloudwatch.put_metric_alarm(
        AlarmName="errors",
        Namespace="shop",
        MetricName="Errors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=5,
        ComparisonOperator="GreaterThanThreshold",
    )
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=["errors", "unknown"])["MetricAlarms"]
    assert (alarm["AlarmName"], alarm["StateValue"], alarm["Threshold"]) == ("errors", "INSUFFICIENT_DATA", 5.0)
    cloudwatch.set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="a test")
    assert [one["AlarmName"] for one in cloudwatch.describe_alarms(StateValue="ALARM")["MetricAlarms"]] == ["errors"]
    cloudwatch.delete_alarms(AlarmNames=["errors"])
    assert cloudwatch.describe_alarms(AlarmNames=["errors"])["MetricAlarms"] == []


def test_metrics_come_back(cloudwatch):
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    data = [{"MetricName": "Latency", "Timestamp": now - timedelta(minutes=2), "Value": value} for value in (1.0, 3.0)]
    cloudwatch.put_metric_data(Namespace="shop", MetricData=data)
    metric = {"Metric": {"Namespace": "shop", "MetricName": "Latency"}, "Period": 60, "Stat": "Average"}
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=[{"Id": "latency", "MetricStat": metric}],
        StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(minutes=1),
    )
    (result,) = answer["MetricDataResults"]
    assert (result["Values"], result["StatusCode"]) == ([2.0], "Complete")
