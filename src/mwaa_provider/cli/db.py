"""``mwaa db``."""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from mwaa_provider.cli.connection import Connection, with_connection
from mwaa_provider.cli.exit_status import INTERRUPTED
from mwaa_provider.cli.output import output_for_the_result_alone, print_json
from mwaa_provider.metadata.cleanup.request import ROUTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mwaa_provider.metadata.cleanup.cleaning import Progress
    from mwaa_provider.metadata.cleanup.pace import Stop
    from mwaa_provider.metadata.cleanup.report import Report

_BY_SIGNAL = "told to by a signal"


@click.group()
def db() -> None:
    """Clean the metadata database of an environment, or of the Airflow that this runs in.

    \b
      mwaa db clean --max-age-in-days 90 --dry-run
      mwaa db clean --max-age-in-days 90 --max-duration 600 --yes
      mwaa db clean --environment production --max-age-in-days 90
    """


@db.command()
@click.option("--max-age-in-days", type=float, metavar="DAYS", help="How many days back rows stay.  [default: 30]")
@click.option("--before", metavar="MOMENT", help="The cut-off instead, ISO 8601 with time zone: older rows go.")
@click.option(
    "--min-age-in-days",
    type=float,
    default=1,
    show_default=True,
    metavar="DAYS",
    help="Rows younger than this are refused.",
)
@click.option(
    "--table",
    "tables",
    multiple=True,
    metavar="NAME",
    help="A table, with those that hang on it; repeatable.  [default: all run history]",
)
@click.option("--dag", "dag_ids", multiple=True, metavar="ID", help="Only rows of this DAG; repeatable.")
@click.option("--exclude-dag", "exclude_dag_ids", multiple=True, metavar="ID", help="No rows of this DAG; repeatable.")
@click.option("--dry-run", is_flag=True, help="Count what would go, and write nothing.")
@click.option("--batch-size", type=int, metavar="ROWS", help="The most rows of one transaction.  [default: by time]")
@click.option("--parallel", type=int, default=1, show_default=True, metavar="COUNT", help="Connections side by side.")
@click.option("--max-duration", type=float, metavar="SECONDS", help="Begin no batch after that.")
@click.option(
    "--statement-timeout", type=float, default=10, show_default=True, metavar="SECONDS", help="For one statement."
)
@click.option("--lock-timeout", type=float, default=0.5, show_default=True, metavar="SECONDS", help="For one lock.")
@click.option(
    "--pause",
    "pause_between_batches",
    type=float,
    default=0,
    show_default=True,
    metavar="SECONDS",
    help="After each batch.",
)
@click.option("--route", type=click.Choice(ROUTES), default="auto", show_default=True, help="The road to the rows.")
@click.option("--environment", metavar="NAME", help="The environment.  [default: the one this runs in]")
@click.option("--archive-to", metavar="S3_ADDRESS", help="Write what goes to s3://BUCKET/PREFIX before it goes.")
@click.option("--metadata-conn-id", metavar="ID", help="An Airflow connection to the metadata database.")
@click.option("--no-analyze", is_flag=True, help="Do not run ANALYZE on what lost rows.")
@click.option("--vacuum", is_flag=True, help="Run VACUUM on what lost rows too.")
@click.option("--drop-leftovers", is_flag=True, help="Drop the archive tables that `airflow db clean` has left.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@with_connection
def clean(
    connection: Connection, *, environment: str | None, no_analyze: bool, yes: bool, quiet: bool, **given: Any
) -> None:
    """Remove old rows in short transactions, and print what went as JSON.

    Active runs, the newest run of each DAG that is not manual, and what something kept refers to stay. Ctrl-C and SIGTERM end it after the
    batch that is under way; the next one goes on.

    IAM, where the database cannot be reached from here: `mwaa policy ENVIRONMENT --action session,cli`
    """
    from mwaa_provider.metadata.cleanup.asking import run_cleanup
    from mwaa_provider.metadata.cleanup.pace import Stop

    names = {name: list(given.pop(name)) or None for name in ("tables", "dag_ids", "exclude_dag_ids")}
    if not (yes or given["dry_run"]):
        click.confirm("Rows that are removed cannot be brought back. Go on?", abort=True, err=True)
    stop = Stop()
    with output_for_the_result_alone(), _ended_by_signals(stop), _progress(quiet) as progress:
        arguments = {**given, **names, "environment_name": environment, "analyze": not no_analyze}
        result = run_cleanup(arguments, connection.client, connection.s3_client, stop=stop, progress=progress)
    print_json(result.xcom())
    if stop.why == _BY_SIGNAL:
        click.get_current_context().exit(INTERRUPTED)


@contextmanager
def _ended_by_signals(stop: Stop) -> Iterator[None]:
    """End after the batch that is under way; a second signal ends at once."""
    former = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def end(number: int, frame: object) -> None:
        stop.ask(_BY_SIGNAL)
        signal.signal(number, former[signal.Signals(number)])

    for number in former:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


@contextmanager
def _progress(quiet: bool) -> Iterator[Progress | None]:
    """Show on a terminal how far it is."""
    if quiet or not sys.stderr.isatty():
        yield None
        return

    def show(reached: str, report: Report) -> None:
        click.echo(f"\r\x1b[K{report.total:,} rows removed; at {reached} ", nl=False, err=True)

    try:
        yield show
    finally:
        click.echo("", err=True)
