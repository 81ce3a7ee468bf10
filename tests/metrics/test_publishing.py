"""What arrives in CloudWatch is what was measured: all of it, once, in as few calls as it takes, or named as missing."""

from __future__ import annotations

import gzip
import math
import random
import re
from base64 import b64encode
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mwaa_provider.client.clock import SystemClock
from mwaa_provider.client.retry import Retry
from mwaa_provider.exceptions import InvalidInputError, MetricsNotPublishedError
from mwaa_provider.metrics.model import Measurement, check_measurements, dimension_value
from mwaa_provider.metrics.publishing import MOST_BYTES, MetricPublisher, Published
from tests.support.cloudwatch import CloudWatch

NOW = datetime.now(timezone.utc).replace(microsecond=0)
MINUTE = NOW.replace(second=0)


def measured(name: str, value: float, *, at: datetime = NOW, unit: str = "Count", **dimensions: str) -> Measurement:
    return Measurement(name, value, unit, at, dimensions or {"Environment": "prod"})


def test_the_series_are_exactly_those_that_were_measured(cloud: CloudWatch) -> None:
    told = MetricPublisher(cloud.client()).publish(
        [
            measured("dags", 3, Environment="prod"),
            measured("memory", 1.5e9, unit="Bytes", Environment="prod", Host="10.0.0.1"),
            measured("memory", 2.5e9, unit="Bytes", Environment="prod", Host="10.0.0.2"),
        ]
    )
    assert told == Published(values=3, series=3, calls=1)
    assert cloud.calls == 1
    assert sorted(
        ((one.name, one.value, one.unit, one.at, one.dimensions) for one in cloud.kept()), key=repr
    ) == sorted(
        [
            ("dags", 3.0, "Count", MINUTE, {"Environment": "prod"}),
            ("memory", 1.5e9, "Bytes", MINUTE, {"Environment": "prod", "Host": "10.0.0.1"}),
            ("memory", 2.5e9, "Bytes", MINUTE, {"Environment": "prod", "Host": "10.0.0.2"}),
        ],
        key=repr,
    )
    assert cloud.kept("Other") == []


def test_values_of_one_minute_travel_together_and_none_is_lost(cloud: CloudWatch) -> None:
    values = [1.0, 2.0, 2.0, 2.0, 7.5]
    told = MetricPublisher(cloud.client(), namespace="Mine").publish([measured("seconds", value) for value in values])
    assert told == Published(values=5, series=1, calls=1)
    (answer,) = cloud.client().get_metric_statistics(
        Namespace="Mine",
        MetricName="seconds",
        Dimensions=[{"Name": "Environment", "Value": "prod"}],
        StartTime=MINUTE - timedelta(minutes=1),
        EndTime=MINUTE + timedelta(minutes=1),
        Period=60,
        Statistics=["Sum", "Minimum", "Maximum", "SampleCount"],
    )["Datapoints"]
    assert [answer[name] for name in ("Sum", "Minimum", "Maximum", "SampleCount")] == [14.5, 1.0, 7.5, 5.0]


def test_high_resolution_keeps_seconds_apart(cloud: CloudWatch) -> None:
    later = NOW + timedelta(seconds=1)
    MetricPublisher(cloud.client(), storage_resolution=1).publish([measured("x", 1), measured("x", 2, at=later)])
    assert [(one.value, one.at) for one in cloud.kept()] == [(1.0, NOW), (2.0, later)]


def test_a_thousand_metrics_are_one_call_and_one_more_are_two(cloud: CloudWatch) -> None:
    cloud.mood = "swallows"
    publisher = MetricPublisher(cloud.client(disable_request_compression=True))
    assert publisher.publish([measured(f"metric_{number}.", number) for number in range(1000)]).calls == 1
    assert publisher.publish([measured(f"metric_{number}.", number) for number in range(1001)]).calls == 2
    assert [names_in(body) for body in cloud.bodies] == [
        [f"metric_{number}." for number in range(1000)],
        [f"metric_{number}." for number in range(1000)],
        ["metric_1000."],
    ]


def names_in(body: bytes) -> list[str]:
    """The metrics of a call, whatever form it has."""
    return [name.decode() for name in re.findall(rb"metric_\d+\.", body)]


def test_no_call_is_larger_than_a_megabyte_as_it_is_sent(cloud: CloudWatch) -> None:
    """Names and dimensions as long as they may be, of texts that do not compress."""
    dice = random.Random(7)

    def text() -> str:
        return b64encode(dice.randbytes(750)).decode()

    names = [f"metric_{number}." for number in range(150)]
    long = [Measurement(name, 1.0, "Count", NOW, {f"d{number}": text() for number in range(12)}) for name in names]
    cloud.mood = "swallows"
    told = MetricPublisher(cloud.client()).publish(long)
    assert told.values == told.series == 150
    assert max(map(len, cloud.bodies)) <= MOST_BYTES
    assert told.calls == cloud.calls > 1
    whole = [
        gzip.decompress(body) if encoding == "gzip" else body
        for body, encoding in zip(cloud.bodies, cloud.encodings, strict=True)
    ]
    assert [name for body in whole for name in names_in(body)] == names


def test_what_botocore_compresses_fits_in_one_call(cloud: CloudWatch) -> None:
    cloud.mood = "swallows"
    values = [measured(f"metric_{number % 300}", number / 7) for number in range(300 * 150)]
    client = cloud.client()
    told = MetricPublisher(client).publish(values)
    compresses = "gzip" in cloud.encodings
    assert told.series == 300
    assert compresses == (
        getattr(client.meta.service_model.operation_model("PutMetricData"), "request_compression", None) is not None
    )
    whole = [gzip.decompress(body) if compresses else body for body in cloud.bodies]
    assert sum(map(len, whole)) > MOST_BYTES
    assert max(map(len, cloud.bodies)) <= MOST_BYTES
    if compresses:
        assert cloud.calls == told.calls == 1


def test_it_is_tried_again_while_cloudwatch_throttles_with_jitter(cloud: CloudWatch) -> None:
    pauses: list[float] = []

    class Clock(SystemClock):
        def sleep(self, seconds: float) -> None:
            pauses.append(seconds)
            cloud.mood = "well" if len(pauses) == 3 else "throttled"

    cloud.mood = "throttled"
    clock = Clock()
    repeat = Retry(clock, jitter=lambda most: most / 4).repeat
    assert MetricPublisher(cloud.client(), repeat=repeat, clock=clock).publish([measured("x", 1)]).calls == 1
    assert pauses == [0.25, 0.5, 1.0]
    assert cloud.moods == ["throttled"] * 3 + ["well"]
    assert [one.value for one in cloud.kept()] == [1.0]


def test_a_denial_is_not_repeated_and_says_what_to_allow(cloud: CloudWatch) -> None:
    cloud.mood = "denied"
    with pytest.raises(MetricsNotPublishedError) as raised:
        MetricPublisher(cloud.client()).publish([measured("b", 1), measured("a", 1)])
    assert cloud.calls == 1
    assert (raised.value.published, raised.value.missing, raised.value.metric_names) == (0, 2, ("a", "b"))
    assert "2 of 2 metrics were not published (1 of 1 calls failed): a, b." in str(raised.value)
    assert "Allow cloudwatch:PutMetricData" in str(raised.value)


def test_a_call_that_fails_does_not_keep_the_others_from_being_made(cloud: CloudWatch) -> None:
    def repeat(call):
        try:
            call()
        finally:
            cloud.mood = "well"

    cloud.mood = "failing"
    measurements = [measured(f"metric_{number}.", number) for number in range(1010)]
    with pytest.raises(MetricsNotPublishedError) as raised:
        MetricPublisher(cloud.client(), repeat=repeat).publish(measurements)
    assert (raised.value.published, raised.value.missing) == (10, 1000)
    assert [one.name for one in cloud.kept()] == [f"metric_{number}." for number in range(1000, 1010)]


def test_what_cloudwatch_would_refuse_is_named_before_anything_is_sent(cloud: CloudWatch) -> None:
    wrong = [
        measured("good", 1),
        measured("nan", math.nan),
        measured("infinite", -math.inf),
        measured("large", 2.0**361),
        measured("unit", 1, unit="Kilometres"),
        measured("old", 1, at=NOW - timedelta(days=15)),
        measured("early", 1, at=NOW + timedelta(hours=3)),
        measured("naive", 1, at=datetime(2026, 1, 1)),
        measured("empty", 1, Environment=""),
        measured("blank", 1, Environment="   "),
        measured("umlaut", 1, Environment="prüfung"),
        measured("long", 1, Environment="x" * 1025),
        measured("colon", 1, **{":name": "x"}),
        Measurement("many", 1.0, "Count", NOW, {f"d{number}": "x" for number in range(31)}),
        measured("", 1),
    ]
    with pytest.raises(InvalidInputError) as raised:
        MetricPublisher(cloud.client()).publish(wrong)
    assert cloud.calls == 0
    assert [problem.partition("{")[0] for problem in raised.value.problems] == [one.name for one in wrong[1:]]
    assert raised.value.problems[0] == "nan{Environment=prod}: the value nan is not a finite number"
    assert raised.value.problems[8].startswith(
        "blank{Environment=   }: dimension 'Environment': the value '   ' is not 1 to 1024"
    )


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"namespace": "AWS/MWAA"}, "namespace: 'AWS/MWAA' begins with 'AWS/', which AWS keeps; use another name"),
        ({"namespace": ""}, "namespace: '' is not one; give 1 to 255 printable ASCII characters"),
        ({"namespace": ":x"}, "namespace: ':x' begins with ':'; use another name"),
        (
            {"storage_resolution": 30},
            "storage_resolution: 30 is not one; give 60 (seconds), or 1 for high resolution, which costs more",
        ),
    ],
)
def test_arguments_that_cannot_be_right(arguments: dict[str, object], problem: str) -> None:
    with pytest.raises(InvalidInputError) as raised:
        MetricPublisher(object(), **arguments)  # type: ignore[arg-type]
    assert raised.value.problems == (problem,)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=50))
@example("ü" * 1024)
@example(" ")
def test_any_id_becomes_a_dimension_that_cloudwatch_takes(text: str) -> None:
    assert check_measurements([measured("x", 1, Task=dimension_value(text))], NOW) == []


def test_ids_in_ascii_stay_as_they_are() -> None:
    assert dimension_value("load.orders-1_a") == "load.orders-1_a"
    assert dimension_value("für") == r"f\xfcr"
