"""Values on their way to CloudWatch: aggregated, in as few calls as it takes, repeated when a call fails for a passing reason.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
"""

from __future__ import annotations

import gzip
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any
from urllib.parse import urlencode

from mwaa_provider.client.clock import Clock, SystemClock
from mwaa_provider.client.retry import Retry
from mwaa_provider.exceptions import InvalidInputError, MetricsNotPublishedError, MwaaError
from mwaa_provider.metrics.cloudwatch import ask_cloudwatch
from mwaa_provider.metrics.model import (
    NAMESPACE,
    Measurement,
    check_measurements,
    check_namespace,
    check_storage_resolution,
)

log = logging.getLogger(__name__)

#: What one call takes: so many metrics, of each so many different values, and so many bytes as they are sent.
MOST_METRICS = 1000
MOST_VALUES = 150
MOST_BYTES = 1_000_000

Datum = dict[str, Any]


@dataclass(frozen=True)
class Published:
    """What was published.

    :param values: How many values.
    :param series: How many series they are of.
    :param calls: By how many calls.
    """

    values: int
    series: int
    calls: int


class MetricPublisher:
    """Publishes measurements.

    Values of one series that CloudWatch stores as one moment travel together, as values and how often each occurred; nothing is averaged.

    IAM action: ``cloudwatch:PutMetricData`` on ``*``.

    :param boto_client: A boto3 ``cloudwatch`` client; made so that it never sends a call twice by itself.
    :param namespace: The metrics' namespace (default ``MWAACustom``).
    :param storage_resolution: 60 (default), or 1 for values that are to be kept by the second.
    :param repeat: Makes a call, again while it fails for a passing reason (default: up to five times within two minutes, with jitter).
    :param clock: The clock.
    :raises InvalidInputError: naming every problem of the arguments.
    """

    def __init__(
        self,
        boto_client: Any,
        *,
        namespace: str = NAMESPACE,
        storage_resolution: int = 60,
        repeat: Callable[[Callable[[], None]], None] | None = None,
        clock: Clock | None = None,
    ) -> None:
        if problems := [*check_namespace(namespace), *check_storage_resolution(storage_resolution)]:
            raise InvalidInputError(problems)
        self._boto_client = boto_client
        self._namespace = namespace
        self._storage_resolution = storage_resolution
        self._clock = clock or SystemClock()
        self._repeat = repeat or Retry(self._clock).repeat

    def publish(self, measurements: Sequence[Measurement]) -> Published:
        """Publish them all. A call that fails does not keep the others from being made.

        A call whose answer is lost is made again: its values may count twice then, which leaves averages and extremes as they are.

        :param measurements: What was measured.
        :raises InvalidInputError: naming every value that CloudWatch would refuse; nothing was sent.
        :raises MetricsNotPublishedError: if calls failed; it names what is missing.
        """
        if problems := check_measurements(measurements, datetime.fromtimestamp(self._clock.time(), timezone.utc)):
            raise InvalidInputError(problems)
        data = self._aggregated(measurements)
        batches = [
            batch
            for start in range(0, len(data), MOST_METRICS)
            for batch in self._fitting(data[start : start + MOST_METRICS])
        ]
        failed: list[tuple[list[Datum], MwaaError]] = []
        for batch in batches:
            try:
                self._repeat(lambda batch=batch: self._put(batch))  # type: ignore[misc]
            except MwaaError as error:
                failed.append((batch, error))
        if failed:
            raise _not_published(failed, len(data), len(batches)) from failed[0][1]
        return Published(len(measurements), len({_series(datum) for datum in data}), len(batches))

    def _put(self, batch: list[Datum]) -> None:
        ask_cloudwatch(self._boto_client, "put_metric_data", Namespace=self._namespace, MetricData=batch)

    def _aggregated(self, measurements: Sequence[Measurement]) -> list[Datum]:
        groups: dict[tuple[Any, ...], Counter[float]] = {}
        for one in measurements:
            moment = int(one.timestamp.timestamp()) // self._storage_resolution * self._storage_resolution
            key = (one.name, one.unit, moment, tuple(sorted(one.dimensions.items())))
            groups.setdefault(key, Counter())[float(one.value)] += 1
        return [datum for key, values in groups.items() for datum in self._data(key, sorted(values.items()))]

    def _data(self, key: tuple[Any, ...], values: list[tuple[float, int]]) -> Iterator[Datum]:
        name, unit, moment, dimensions = key
        for start in range(0, len(values), MOST_VALUES):
            part = values[start : start + MOST_VALUES]
            yield {
                "MetricName": name,
                "Dimensions": [{"Name": one, "Value": value} for one, value in dimensions],
                "Timestamp": datetime.fromtimestamp(moment, timezone.utc),
                "Unit": unit,
                "StorageResolution": self._storage_resolution,
                **(
                    {"Value": part[0][0]}
                    if len(part) == 1 and part[0][1] == 1
                    else {"Values": [value for value, _ in part], "Counts": [float(count) for _, count in part]}
                ),
            }

    def _fitting(self, batch: list[Datum]) -> list[list[Datum]]:
        """Halve a batch until each part is small enough to be sent."""
        if not batch:
            return []
        if len(batch) == 1 or self._size(batch) <= MOST_BYTES:
            return [batch]
        middle = len(batch) // 2
        return [*self._fitting(batch[:middle]), *self._fitting(batch[middle:])]

    def _size(self, batch: list[Datum]) -> int:
        """How many bytes botocore will send: its own form of them (it has three), compressed where it compresses."""
        from botocore.serialize import create_serializer

        service = self._boto_client.meta.service_model
        operation = service.operation_model("PutMetricData")
        protocol = getattr(service, "resolved_protocol", None) or service.metadata["protocol"]
        request = create_serializer(protocol).serialize_to_request(
            {"Namespace": self._namespace, "MetricData": batch}, operation
        )
        body = request["body"]
        whole: bytes = (
            urlencode(body).encode() if isinstance(body, dict) else body if isinstance(body, bytes) else body.encode()
        )
        compresses = getattr(operation, "request_compression", None) and not getattr(
            self._boto_client.meta.config, "disable_request_compression", False
        )
        return len(gzip.compress(whole)) if compresses and len(whole) > MOST_BYTES else len(whole)


def _series(datum: Datum) -> tuple[Any, ...]:
    return (datum["MetricName"], *((one["Name"], one["Value"]) for one in datum["Dimensions"]))


def _not_published(failed: list[tuple[list[Datum], MwaaError]], data: int, calls: int) -> MetricsNotPublishedError:
    names = sorted({datum["MetricName"] for batch, _ in failed for datum in batch})
    missing = sum(len(batch) for batch, _ in failed)
    reasons = tuple(dict.fromkeys(str(error) for _, error in failed))
    return MetricsNotPublishedError(
        f"{missing} of {data} metrics were not published ({len(failed)} of {calls} calls failed): {', '.join(names[:20])}"
        f"{', ...' if len(names) > 20 else ''}. {' '.join(reasons)}",
        published=data - missing,
        missing=missing,
        metric_names=tuple(names),
        reasons=reasons,
    )
