"""Logs are stamped in the configured zone, with its offset, before and after a change of the clocks; nothing else changes."""

from __future__ import annotations

import io
import json
import logging
import os
import time
from datetime import datetime, timezone
from zoneinfo import ZoneInfo, available_timezones

import pytest

from mwaa_provider.airflow_compat import AIRFLOW_3
from mwaa_provider.plugins import log_time_zone
from mwaa_provider.plugins.log_time_zone import MwaaLogTimeZonePlugin
from mwaa_provider.plugins.report import reports
from mwaa_provider.plugins.zones import zone_of
from tests.support.cloudwatch_logs import logs_service

#: Around the two changes of the clocks in Berlin in 2026: the moment, and what a clock there shows.
MOMENTS = [
    ("2026-03-29T00:59:59.250000+00:00", "2026-03-29T01:59:59.250", "+0100"),
    ("2026-03-29T01:00:00.250000+00:00", "2026-03-29T03:00:00.250", "+0200"),
    ("2026-10-25T00:30:00.250000+00:00", "2026-10-25T02:30:00.250", "+0200"),
    ("2026-10-25T01:30:00.250000+00:00", "2026-10-25T02:30:00.250", "+0100"),
]


@pytest.fixture
def in_berlin(options, caplog) -> None:
    options(log_time_zone="Europe/Berlin")
    MwaaLogTimeZonePlugin.on_load()
    assert reports["mwaa_provider_log_time_zone"].problems == []


def formatter() -> logging.Formatter:
    """The one that Airflow formats lines with in the old way; tasks and components of Airflow 2."""
    from airflow.utils.log.timezone_aware import TimezoneAware

    return TimezoneAware("[%(asctime)s] %(levelname)s - %(message)s")


def line_at(moment: str, of: logging.Formatter) -> str:
    record = logging.LogRecord("x", logging.INFO, "x.py", 1, "hello", (), None)
    record.created = datetime.fromisoformat(moment).timestamp()
    record.msecs = 250.0
    return of.format(record)


@pytest.mark.parametrize(("moment", "there", "offset"), MOMENTS)
def test_lines_of_the_old_form(in_berlin, moment, there, offset):
    assert line_at(moment, formatter()) == f"[{there}{offset}] INFO - hello"


@pytest.mark.skipif(AIRFLOW_3, reason="Airflow 3 has no such handlers")
def test_the_handlers_that_airflow_2_configured_use_it(in_berlin):
    handlers = [
        *logging.getLogger("airflow.task").handlers,
        *logging.getLogger("airflow.processor").handlers,
        *logging.getLogger().handlers,
    ]
    airflows = [
        handler.formatter
        for handler in handlers
        if type(handler).__module__.startswith("airflow.") and handler.formatter
    ]
    assert len(airflows) >= 2
    moment, there, offset = MOMENTS[1]
    for one in airflows:
        assert f"{there}{offset}" in line_at(moment, one)


def test_the_process_keeps_its_own_zone(options):
    before = (os.environ.get("TZ"), time.tzname, time.timezone)
    options(log_time_zone="Asia/Kathmandu")
    MwaaLogTimeZonePlugin.on_load()
    assert (os.environ.get("TZ"), time.tzname, time.timezone) == before


def written_by(processors, file) -> object:
    import structlog

    return structlog.wrap_logger(structlog.BytesLogger(file), processors=processors).bind()


def airflow_3_processors(*, to_supervisor: bool):
    """The ones that the release makes, for a task process or for its supervisor's file."""
    import inspect

    from airflow.sdk.log import logging_processors

    logging_processors.cache_clear()
    if "json_output" in inspect.signature(logging_processors).parameters:
        return logging_processors(json_output=True, sending_to_supervisor=to_supervisor)
    return logging_processors(enable_pretty_log=False, mask_secrets=not to_supervisor)[0]


@pytest.mark.skipif(not AIRFLOW_3, reason="Airflow 2 has no supervisor")
@pytest.mark.parametrize(("moment", "there", "offset"), MOMENTS)
@pytest.mark.parametrize("loaded_in_the_task", [True, False])
def test_from_the_task_process_to_the_file(options, monkeypatch, moment, there, offset, loaded_in_the_task):
    """What a task says goes as a line of JSON to its supervisor, which writes the file: both through the release's own code."""
    import airflow.sdk.log
    from airflow.sdk.execution_time.supervisor import process_log_messages_from_subprocess

    drops_offsets = hasattr(airflow.sdk.log, "StdBinaryStreamHandler")  # 3.0
    options(log_time_zone="Europe/Berlin")
    monkeypatch.setattr(log_time_zone, "now", lambda: datetime.fromisoformat(moment))
    sent = io.BytesIO()
    if loaded_in_the_task:
        MwaaLogTimeZonePlugin.on_load()
    root = logging.getLogger()
    handlers = list(root.handlers)
    try:
        if drops_offsets:  # what its configure_logging does in a task process
            root.handlers = [airflow.sdk.log.StdBinaryStreamHandler(sent)]
        task = written_by(airflow_3_processors(to_supervisor=True), sent)
        if loaded_in_the_task and not drops_offsets:
            task.info("hello")
        else:  # the stamp is structlog's own, in UTC
            task.info("hello", timestamp=moment.replace("+00:00", "Z"))
    finally:
        root.handlers = handlers
    MwaaLogTimeZonePlugin.on_load()
    file = io.BytesIO()
    supervisor = process_log_messages_from_subprocess((written_by(airflow_3_processors(to_supervisor=False), file),))
    next(supervisor)
    supervisor.send(sent.getvalue())
    line = json.loads(file.getvalue())
    assert line["event"] == "hello"
    assert line["timestamp"] == f"{there}000{offset[:3]}:{offset[3:]}"
    assert datetime.fromisoformat(line["timestamp"]) == datetime.fromisoformat(moment)


@pytest.mark.skipif(not AIRFLOW_3, reason="Airflow 2 has no structlog")
@pytest.mark.parametrize(("moment", "there", "offset"), MOMENTS)
def test_what_a_component_says_on_its_console(in_berlin, monkeypatch, moment, there, offset):
    import structlog.processors

    monkeypatch.setattr(log_time_zone, "now", lambda: datetime.fromisoformat(moment))

    def stamped(**arguments):
        return structlog.processors.MaybeTimeStamper(**arguments)(None, "info", {"event": "x"})["timestamp"]

    assert stamped(fmt="iso") == f"{there}000{offset[:3]}:{offset[3:]}"
    # [logging] log_timestamp_format, and the console of 3.0, which names no offset
    assert stamped(fmt="%Y-%m-%d %H:%M:%S") == f"{there[:19].replace('T', ' ')}{offset}"
    assert stamped(fmt="%H:%M %Z") == f"{there[11:16]} {'CEST' if offset == '+0200' else 'CET'}"
    assert isinstance(stamped(fmt=None), float)
    assert "+" not in stamped(fmt="iso", utc=False)  # somebody's own


@pytest.mark.skipif(not AIRFLOW_3, reason="Airflow 2 has no structlog")
def test_a_stamp_that_cannot_be_read_is_left(in_berlin):
    import structlog.processors

    stamper = structlog.processors.MaybeTimeStamper(fmt="iso")
    for stamp in ("yesterday", 12, None, 1.5):
        assert stamper(None, "info", {"timestamp": stamp})["timestamp"] == stamp


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Berlin", "Did you mean Europe/Berlin?"),
        ("America/Los Angeles", "Did you mean America/Los_Angeles"),
        ("../../etc/passwd", "Take a name such as Europe/Berlin."),
    ],
)
def test_a_wrong_name_is_told_and_ignored(options, name, hint):
    options(log_time_zone=name)
    before = line_at(MOMENTS[0][0], formatter())
    MwaaLogTimeZonePlugin.on_load()
    (problem,) = reports["mwaa_provider_log_time_zone"].problems
    assert problem.startswith(
        f"mwaa_provider.log_time_zone is {name!r}, which is no time zone, so logs are stamped as before. {hint}"
    )
    assert line_at(MOMENTS[0][0], formatter()) == before


def test_every_zone_is_a_zone():
    moment = datetime(2026, 7, 1, tzinfo=timezone.utc)
    assert all(moment.astimezone(zone_of(name)) == moment for name in available_timezones())


@pytest.fixture
def logs(monkeypatch):
    with logs_service("task") as service:
        monkeypatch.setenv("AIRFLOW_CONN_MOTO", service.connection)
        monkeypatch.setenv("AIRFLOW__LOGGING__REMOTE_LOG_CONN_ID", "moto")
        yield service


@pytest.mark.skipif(not AIRFLOW_3, reason="on Airflow 2 the line that the formatter makes is what CloudWatch Logs gets")
def test_what_reaches_cloudwatch_logs(in_berlin, monkeypatch, logs, tmp_path):
    """The amazon provider takes the stamp out of the event: the moment stays right, and the text is as without the plugin."""
    from airflow.providers.amazon.aws.log.cloudwatch_task_handler import CloudWatchRemoteLogIO
    from airflow.sdk.execution_time.supervisor import process_log_messages_from_subprocess

    monkeypatch.setenv("AIRFLOW__LOGGING__BASE_LOG_FOLDER", str(tmp_path))
    remote = CloudWatchRemoteLogIO(
        base_log_folder=str(tmp_path),
        remote_base="cloudwatch://x",
        delete_local_copy=False,
        log_group_arn=logs.arn,
    )
    # CloudWatch Logs takes no event that is more than two weeks old.
    recent = datetime.now(timezone.utc).replace(microsecond=250_000)
    line = {"timestamp": recent.isoformat().replace("+00:00", "Z"), "level": "info", "event": "hello"}
    with (tmp_path / "attempt=1.log").open("wb") as file:
        processors = list(airflow_3_processors(to_supervisor=False))
        processors[-1:-1] = remote.processors
        supervisor = process_log_messages_from_subprocess((written_by(processors, file),))
        next(supervisor)
        supervisor.send(json.dumps(line).encode())
    remote.handler.close()
    (event,) = logs.events("attempt=1")
    assert event["timestamp"] == int(recent.timestamp() * 1000)
    assert json.loads(event["message"]) == {"level": "info", "event": "hello"}
    written = json.loads((tmp_path / "attempt=1.log").read_text())
    assert written["timestamp"] == recent.astimezone(ZoneInfo("Europe/Berlin")).isoformat()
