"""A clean-up by `airflow db clean` through the CLI endpoint: steps that fit, whatever the endpoint does with them."""

from __future__ import annotations

import argparse
import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from botocore.config import Config

from mwaa_provider.client.cli_answer import CliResult
from mwaa_provider.client.mwaa import MwaaClient
from mwaa_provider.exceptions import CleanupError, InvalidInputError
from mwaa_provider.local import Fault, LocalMwaa, ScriptedAirflow
from mwaa_provider.local.backend import CliAnswer
from mwaa_provider.local.http_server import CutConnection
from mwaa_provider.metadata.cleanup import db_clean
from mwaa_provider.metadata.cleanup.asking import run_cleanup
from mwaa_provider.metadata.cleanup.cli_cleaner import CliCleaner
from mwaa_provider.metadata.cleanup.cli_steps import Steps
from mwaa_provider.metadata.cleanup.pace import Stop
from mwaa_provider.metadata.cleanup.plan import Wanted
from mwaa_provider.metadata.cleanup.request import read_request

NOW = datetime.now(timezone.utc).replace(microsecond=0)
CUT = NOW - timedelta(days=30)
#: What is too long for the endpoint, in seconds, and what a command takes before it does anything.
PATIENCE, START = 300.0, 10.0


class HurryingClock:
    """Counts its own time: what is waited for has passed at once."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Table:
    """Rows by their days, which is enough for what `db clean` does."""

    days: Counter[int] = field(default_factory=Counter)

    def older(self, before: datetime) -> list[int]:
        return [day for day in self.days if NOW - timedelta(days=day) < before]


class WithDbClean(ScriptedAirflow):
    """An Airflow played in memory that has `db clean`, as slow as rows make it.

    :param airflow_version: The release to play.
    :param clock: Is moved on by what commands take.
    """

    def __init__(self, airflow_version: str, clock: HurryingClock) -> None:
        super().__init__(airflow_version)
        self.hurrying = clock
        self.tables: dict[str, Table] = {}
        self.rows_a_second = 2_000.0
        self.failing: set[str] = set()
        #: What was asked for: tables and how old rows had to be, in days; dry runs apart.
        self.steps: list[tuple[str, float]] = []
        self.lines: list[list[str]] = []

    def fill(self, table: str, rows_a_day: int, days: int) -> None:
        self.tables[table] = Table(Counter(dict.fromkeys(range(1, days + 1), rows_a_day)))

    def left(self, table: str) -> int:
        """How many rows older than the cut-off are left."""
        return sum(self.tables[table].days[day] for day in self.tables[table].older(CUT))

    def cli(self, arguments: list[str]) -> CliAnswer:
        if arguments[:2] != ["db", "clean"]:
            return super().cli(arguments)
        self.lines.append(arguments[2:])
        parser = argparse.ArgumentParser(exit_on_error=True)
        parser.add_argument("--clean-before-timestamp", type=datetime.fromisoformat, required=True)
        parser.add_argument("--tables", type=lambda text: text.split(","))
        for flag in ("--dry-run", "--skip-archive", "--yes"):
            parser.add_argument(flag, action="store_true")
        if tuple(map(int, self.airflow_version.split("."))) >= (3, 2):
            parser.add_argument("--batch-size", type=int)
            parser.add_argument("--dag-ids")
            parser.add_argument("--exclude-dag-ids")
        given = parser.parse_args(arguments[2:])
        assert given.clean_before_timestamp.tzinfo is not None
        assert given.dry_run is not given.skip_archive
        return self._clean(given)

    def _clean(self, given: argparse.Namespace) -> CliAnswer:
        said, errors = [], ""
        self.hurrying.now += START
        for name in given.tables:
            if name not in self.tables:
                errors += (
                    f"[2026-01-01T00:00:00.000+0000] {{db_cleanup.py:1}} WARNING - Table {name} not found.  Skipping.\n"
                )
                continue
            table = self.tables[name]
            days = table.older(given.clean_before_timestamp)
            count = sum(table.days[day] for day in days)
            said += ["", f"Checking table {name}", f"Found {count} rows meeting deletion criteria."]
            if given.dry_run:
                continue
            self.steps.append((name, (NOW - given.clean_before_timestamp) / timedelta(days=1)))
            if name in self.failing and count:
                errors += (
                    "[2026-01-01T00:00:00.000+0000] {db_cleanup.py:1} WARNING - Encountered error when attempting to clean table "
                    f"'{name}'. \n"
                )
                continue
            if START + count / self.rows_a_second > PATIENCE:
                # It is given up, and nothing of its one statement is done.
                self.hurrying.now += PATIENCE
                raise CutConnection
            self.hurrying.now += count / self.rows_a_second
            if count:
                said += [
                    "Performing Delete...",
                    f"Moving data to table _airflow_deleted__{name}__1",
                    "Finished Performing Delete",
                ]
            for day in days:
                del table.days[day]
        return CliAnswer("\n".join(said) + "\n", errors, 0)


@dataclass
class There:
    mwaa: LocalMwaa
    airflow: WithDbClean
    clock: HurryingClock

    def client(self) -> MwaaClient:
        return MwaaClient(
            session=self.mwaa.boto3_session(),
            endpoint_url=self.mwaa.endpoint_url,
            botocore_config=Config(inject_host_prefix=False),
            verify=str(self.mwaa.ca_file),
            clock=self.clock,
        )

    def cleaner(self) -> CliCleaner:
        return CliCleaner(self.client(), "there", clock=self.clock, wait=self.clock.sleep)

    def clean(self, *, stop: Stop | None = None, progress: Any = None, **given: Any) -> Any:
        return self.cleaner().clean(read_request(before=CUT, **given), stop, progress)


@pytest.fixture(params=["2.10.3", "3.3.1"])
def there(request: pytest.FixtureRequest) -> Iterator[There]:
    with started(request.param) as there:
        yield there


class started:  # noqa: N801 - a context manager
    def __init__(self, airflow_version: str, first_run: float = 400) -> None:
        clock = HurryingClock()
        airflow = WithDbClean(airflow_version, clock)
        airflow.add_dag("nightly")
        self._airflow, self._clock, self._first = airflow, clock, first_run

    def __enter__(self) -> There:
        self._mwaa = LocalMwaa()
        self._mwaa.__enter__()
        self._mwaa.create_environment("there", self._airflow)
        run_at(self._airflow, "oldest", self._first, "success")
        return There(self._mwaa, self._airflow, self._clock)

    def __exit__(self, *raised: Any) -> None:
        self._mwaa.__exit__(*raised)


def run_at(airflow: WithDbClean, run_id: str, days: float, state: str) -> None:
    airflow.add_run("nightly", run_id=run_id, logical_date=NOW - timedelta(days=days), state=state)
    for run in airflow._store.runs.values():
        if run.run_id == run_id:
            run.start_date = NOW - timedelta(days=days)


def test_a_table_goes_step_by_step_from_its_oldest_rows_to_the_cut_off(there, caplog):
    there.airflow.fill("log", 2_000, 400)
    with caplog.at_level(logging.INFO, "mwaa_provider"):
        report = there.clean()
    assert there.airflow.left("log") == 0
    assert there.airflow.tables["log"].days[30] == 2_000
    days = [days for _, days in there.airflow.steps]
    assert days == sorted(days, reverse=True)
    assert days[-1] == 30
    assert 5 < len(days) < 40
    assert (report.rows, report.is_complete) == ({"log": 2_000 * 370}, True)
    assert report.notes == ["`airflow db clean` did it, by its own rules: see docs/clean-up.md."]
    assert report.longest_batch < PATIENCE
    assert "log: 740,000 rows removed" in caplog.text


def test_what_is_sent(there):
    there.airflow.fill("log", 10, 40)
    there.clean(tables=["log"])
    before = f"--clean-before-timestamp={CUT.isoformat()}"
    batches = ["--batch-size=10000"] if there.airflow.airflow_version == "3.3.1" else []
    assert there.airflow.lines == [
        [before, "--tables=log", "--dry-run"],
        [before, "--tables=log", "--skip-archive", "--yes", *batches],
    ]


def test_little_is_done_at_once_and_nothing_costs_one_command(there):
    there.airflow.fill("log", 10, 400)
    there.airflow.fill("job", 0, 1)
    there.clean()
    assert there.airflow.steps == [("log", 30)]
    there.airflow.lines.clear()
    there.clean()
    assert len(there.airflow.lines) == 1


def test_children_go_before_what_they_hang_on(there):
    for table in ("dag_run", "xcom", "task_instance", "log"):
        there.airflow.fill(table, 10, 60)
    there.clean()
    assert [table for table, _ in there.airflow.steps] == ["xcom", "task_instance", "dag_run", "log"]


def test_a_step_that_takes_too_long_is_halved_until_it_fits_and_quick_ones_grow(there):
    there.airflow.fill("log", 2_000, 400)
    there.airflow.rows_a_second = 200  # 50,000 rows take 250 s
    for day in range(380, 401):
        there.airflow.tables["log"].days[day] = 10_000
    report = there.clean()
    assert there.airflow.left("log") == 0
    assert report.is_complete
    assert "answers of the CLI endpoint were lost" in report.notes[1]
    steps = [
        before - after for (_, before), (_, after) in zip(there.airflow.steps, there.airflow.steps[1:], strict=False)
    ]
    assert min(steps) < 0 < max(steps)  # some were taken back


def test_rows_that_are_older_than_any_run_are_found(there):
    """The log has years more than there are runs: the first step is moved towards them."""
    there.airflow.fill("log", 1_000, 3_000)
    there.airflow.rows_a_second = 200
    assert there.clean().is_complete
    assert there.airflow.left("log") == 0


@pytest.mark.parametrize(
    "fault",
    [
        Fault.lose_answer(operation="cli", times=2),
        Fault.cut_answer(10, operation="cli", times=2),
        Fault.answer(504, operation="cli", times=3),
        Fault.answer(502, operation="cli", every=2, times=3, after_acting=True),
        Fault.answer(503, operation="cli", times=4),
        Fault.refuse(operation="cli", times=2),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}-{fault.every}",
)
def test_what_goes_wrong_on_the_way_costs_time_and_no_row(there, fault):
    there.airflow.fill("log", 2_000, 400)
    there.airflow.fill("xcom", 500, 400)
    there.mwaa.faults.add(fault)
    report = there.clean()
    assert there.mwaa.faults.pending() == ()
    assert (there.airflow.left("log"), there.airflow.left("xcom")) == (0, 0)
    assert report.is_complete


def test_an_endpoint_that_is_busy_for_good_ends_it(there):
    there.airflow.fill("log", 10, 400)
    there.mwaa.faults.add(Fault.answer(503, operation="cli", times=None))
    with pytest.raises(
        CleanupError, match=r"The clean-up failed at its beginning: The CLI endpoint of environment 'there' is busy"
    ):
        there.clean()
    assert 900 < there.clock.now < 1200


def test_a_table_that_cannot_be_cleaned_is_listed_and_the_others_are(there):
    there.airflow.fill("import_error", 10, 400)
    there.airflow.fill("log", 10, 400)
    there.airflow.failing.add("log")
    report = there.clean()
    assert there.airflow.left("import_error") == 0
    assert there.airflow.left("log") == 3_700
    (left,) = report.left
    assert (left.table, left.why) == ("log", "`airflow db clean` could not clean it, or was ended before it was done")
    assert not report.is_complete


def test_nothing_of_runs_goes_that_is_younger_than_the_oldest_active_run(there, caplog):
    for table in ("dag_run", "xcom", "log"):
        there.airflow.fill(table, 10, 400)
    run_at(there.airflow, "stuck", 100, "running")
    with caplog.at_level(logging.WARNING, "mwaa_provider"):
        report = there.clean()
    assert there.airflow.left("log") == 0
    assert sorted(there.airflow.tables["xcom"].days)[-1] == 100
    assert sorted(there.airflow.tables["dag_run"].days)[-1] == 100
    assert "run 'stuck' of 'nightly' is active" in report.notes[1]
    assert "run 'stuck' of 'nightly' is active" in caplog.text


def test_a_run_that_becomes_active_in_the_middle_counts_too(there):
    there.airflow.fill("xcom", 2_000, 400)

    def clear_a_run(reached: str, report: Any) -> None:
        if not [run for run in there.airflow.runs("nightly") if run.run_id == "cleared"]:
            run_at(there.airflow, "cleared", 100, "running")

    there.clean(progress=clear_a_run)
    assert sorted(there.airflow.tables["xcom"].days)[-1] == 100


def test_it_ends_between_two_steps_and_the_next_one_goes_on(there):
    there.airflow.fill("log", 2_000, 400)
    report = there.clean(max_duration=60.0)
    assert report.stopped == "max_duration (60 s) has passed"
    assert report.reached.startswith("log, older than ")
    assert 0 < there.airflow.left("log") < 740_000
    stop = Stop()
    report = there.clean(stop=stop, progress=lambda reached, report: stop.ask("the task was killed"))
    assert report.stopped == "the task was killed"
    assert there.clean().is_complete
    assert there.airflow.left("log") == 0


def test_a_dry_run_counts(there):
    there.airflow.fill("log", 10, 400)
    there.airflow.fill("xcom", 5, 400)
    run_at(there.airflow, "stuck", 100, "running")
    told = there.cleaner().preview(read_request(before=CUT, dry_run=True)).xcom()
    assert told["rows"] == {"xcom": 1_500, "log": 3_700}
    assert told["bytes"] == {}
    assert there.airflow.steps == []
    assert list(told["stays"]) == [
        f"Of runs only what is older than {(NOW - timedelta(days=100)).isoformat()} goes: run 'stuck' of 'nightly' is active, and "
        "`airflow db clean` would remove its rows"
    ]


def test_the_road_is_the_last_one_and_says_why(caplog):
    with started("3.3.1") as there, caplog.at_level(logging.INFO, "mwaa_provider"):
        there.airflow.fill("log", 10, 60)
        told = run_cleanup({"before": CUT, "environment_name": "there"}, there.client).xcom()
        assert there.airflow.left("log") == 0
    assert told["rows"] == {"log": 300}
    assert "Cleaning by the CLI endpoint of environment there (road 'cli'), the first that leads there." in caplog.text
    assert (
        "Not by the metadata API of environment there: The web server of environment 'there' has nothing at"
        in caplog.text
    )


def test_what_its_release_cannot_do_is_named_before_anything_is_done():
    with started("2.10.3") as there:
        with pytest.raises(InvalidInputError) as refused:
            run_cleanup(
                {
                    "route": "cli",
                    "environment_name": "there",
                    "tables": ["logs", "asset_event", "variable"],
                    "dag_ids": ["a"],
                    "before": CUT,
                },
                there.client,
            )
        assert there.airflow.lines == []
    assert list(refused.value.problems) == [
        "dag_ids, exclude_dag_ids: `airflow db clean` of Airflow 2.10.3 does not tell DAGs apart; it does from 3.2.1 on",
        "tables: `airflow db clean` of Airflow 2.10.3 does not clean 'logs'; did you mean 'log'?",
        "tables: `airflow db clean` of Airflow 2.10.3 does not clean 'asset_event'; did you mean 'dataset_event'?",
        "tables: `airflow db clean` of Airflow 2.10.3 does not clean 'variable': what users have set, no history",
    ]


def test_dags_are_told_apart_only_in_tables_where_it_does():
    wanted = Wanted(CUT, dag_ids=("a", "b"))
    tables, problems = db_clean.tables_of(wanted, "3.2.1")
    assert problems == []
    assert [table.name for table in tables] == [
        "xcom",
        "task_instance_history",
        "task_instance",
        "dag_run",
        "log",
        "job",
    ]
    assert "--dag-ids=a,b" in db_clean.command(wanted, ["log"], CUT, "3.2.1")
    _, problems = db_clean.tables_of(Wanted(CUT, ("job", "import_error"), ("a",)), "3.3.1")
    assert problems == [
        "tables: `airflow db clean` does not tell the rows of 'import_error' by DAG; leave it out, or give neither dag_ids nor "
        "exclude_dag_ids"
    ]


def test_what_was_ended_half_way_is_not_taken_for_done():
    printed = (
        "\nChecking table xcom\nFound 0 rows meeting deletion criteria.\n"
        "\nChecking table log\r\nFound 12 rows meeting deletion criteria.\nPerforming Delete...\nFinished Performing Delete\n"
        "\nChecking table task_instance\nFound 7 rows meeting deletion criteria.\nPerforming Delete...\n"
        "\nChecking table dag_run\n"
    )
    said = db_clean.read(CliResult(("db", "clean"), printed, "", 200))
    assert said == db_clean.Said({"xcom": 0, "log": 12, "task_instance": 7}, frozenset({"xcom", "log"}))


def test_steps_come_to_an_end_whatever_happens():
    steps = Steps(CUT - timedelta(days=300), CUT, 10_000_000)
    tries = 1
    while steps.failed():
        tries += 1
        assert steps.target <= CUT
    assert tries == 12
    steps = Steps(CUT - timedelta(days=300), CUT, None)
    assert steps.target == CUT
    steps.done(5)
    assert steps.is_end
