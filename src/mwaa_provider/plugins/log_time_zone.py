"""Stamps logs in the time zone of option ``mwaa_provider.log_time_zone``, with its offset; schedules stay as they are.

Airflow 2 formats every line with its class ``TimezoneAware``; Airflow 3 stamps with structlog's ``MaybeTimeStamper``, which both copies of
its logging module (``airflow._shared`` and ``airflow.sdk._shared``) use, and formats some lines of 3.0 the old way. So it is these two
classes that are changed, whichever is there. ``TZ`` is left alone: it would shift what tasks read from the clock.
"""

from __future__ import annotations

import logging
from datetime import datetime, timezone, tzinfo
from typing import Any

from airflow.plugins_manager import AirflowPlugin

from mwaa_provider.plugins import options
from mwaa_provider.plugins.patching import load, replace, when_imported
from mwaa_provider.plugins.report import Report
from mwaa_provider.plugins.zones import NoSuchZoneError, zone_of

NAME = "mwaa_provider_log_time_zone"

_STDLIB = "airflow.utils.log.timezone_aware"
_STRUCTLOG = "structlog.processors"


class MwaaLogTimeZonePlugin(AirflowPlugin):
    """Stamps logs in the configured time zone."""

    name = NAME

    @classmethod
    def on_load(cls, *args: Any, **kwargs: Any) -> None:
        """Change the stamps, if ``mwaa_provider.log_time_zone`` asks for it.

        :param args: What Airflow may hand over one day.
        :param kwargs: The same.
        """
        load(NAME, "log_time_zone", apply)


def apply(report: Report) -> None:
    """Change the stamps, and say so.

    :param report: What was done.
    """
    name = options.text("log_time_zone")
    if name is None:
        return
    report.configured = True
    report.too_late = "the lines that are logged before plugins are loaded"
    try:
        zone = zone_of(name)
    except NoSuchZoneError as error:
        report.problems.append(str(error))
        return
    when_imported(report, _STDLIB, lambda module: _change_formatter(module, zone, report))
    when_imported(report, _STRUCTLOG, lambda module: _change_stamper(module, zone, report))
    report.changed.append(f"logs are stamped in {name}")


def _change_formatter(module: Any, zone: tzinfo, report: Report) -> None:
    def make(original: Any) -> Any:
        def format_time(self: Any, record: logging.LogRecord, datefmt: str | None = None) -> str:
            moment = datetime.fromtimestamp(record.created, zone)
            text = moment.strftime(datefmt or self.default_time_format)
            if self.default_msec_format:
                text = self.default_msec_format % (text, record.msecs)
            if self.default_tz_format:
                text += moment.strftime(self.default_tz_format)
            return text

        return format_time

    if not replace(report, module.TimezoneAware, "formatTime", make):
        report.problems.append(f"{_STDLIB}.TimezoneAware has no formatTime in this release")


def _change_stamper(module: Any, zone: tzinfo, report: Report) -> None:
    def make(original: Any) -> Any:
        def stamp(self: Any, logger: Any, name: str, event: Any) -> Any:
            stamper = self.stamper
            if not stamper.utc or stamper.fmt is None or _goes_to_a_supervisor_that_drops_offsets():
                return original(self, logger, name, event)
            if stamper.key in event:
                event[stamper.key] = _in_zone(event[stamper.key], zone)
            else:
                event[stamper.key] = _text(now(), stamper.fmt, zone)
            return event

        return stamp

    if not replace(report, module.MaybeTimeStamper, "__call__", make):
        report.problems.append(f"{_STRUCTLOG}.MaybeTimeStamper is unlike what this plugin knows")


def now() -> datetime:
    """Return the moment; tests give another one."""
    return datetime.now(timezone.utc)


def _text(moment: datetime, form: str, zone: tzinfo) -> str:
    local = moment.astimezone(zone)
    if form.upper() == "ISO":
        return local.isoformat()
    # A time without its offset is ambiguous for an hour a year, and wrong for whoever takes it as UTC.
    return local.strftime(form if "%z" in form or "%:z" in form or "%Z" in form else f"{form}%z")


def _in_zone(stamp: Any, zone: tzinfo) -> Any:
    """Convert a stamp that another process has made: the task's, in UTC (3.0 hands it over without saying so), or in the zone already."""
    try:
        moment = datetime.fromisoformat(stamp.replace("Z", "+00:00")) if isinstance(stamp, str) else stamp
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=timezone.utc)
        return moment.astimezone(zone).isoformat()
    except (AttributeError, TypeError, ValueError):
        return stamp


def _goes_to_a_supervisor_that_drops_offsets() -> bool:
    # Airflow 3.0's supervisor cuts the offset off what its task process sends: what leaves here has to be UTC. It stamps anew over there.
    return any(type(handler).__name__ == "StdBinaryStreamHandler" for handler in logging.getLogger().handlers)
