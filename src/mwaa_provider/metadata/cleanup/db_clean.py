"""`airflow db clean`, release by release: the tables it cleans, its options, what it prints. All that is known of it is in here.

https://airflow.apache.org/docs/apache-airflow/stable/howto/usage-cli.html#purge-history-from-metadata-database
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from mwaa_provider.client.cli_answer import CliResult
from mwaa_provider.metadata.cleanup.plan import Wanted
from mwaa_provider.metadata.cleanup.rules import why_kept

Release = tuple[int, int, int]
_ALWAYS: Release = (0, 0, 0)
_NEVER: Release = (99, 0, 0)
_LINE_3: Release = (3, 0, 0)
#: From this release on it has ``--batch-size``, ``--dag-ids`` and ``--exclude-dag-ids``.
_WITH_DAGS: Release = (3, 2, 0)


@dataclass(frozen=True)
class CleanTable:
    """A table that ``airflow db clean`` cleans.

    :param name: Its name.
    :param since: Its first release.
    :param until: The first release without it.
    :param is_of_runs: Whether rows of active runs may be among those it removes.
    :param has_dag: Whether it tells the rows of DAGs apart, where the release can. Given ``--dag-ids``, it cleans all rows of most other
        tables, and fails for the rest.
    :param is_default: Whether it is cleaned without being named.
    """

    name: str
    since: Release = _ALWAYS
    until: Release = _NEVER
    is_of_runs: bool = False
    has_dag: bool = False
    is_default: bool = True


#: Children first: on Airflow 3 a table brings those that hang on it, which then have no rows left to go.
TABLES = (
    CleanTable("xcom", is_of_runs=True, has_dag=True),
    CleanTable("task_reschedule", is_of_runs=True),
    CleanTable("task_fail", until=_LINE_3, is_of_runs=True),
    CleanTable("task_instance_history", since=(2, 10, 0), is_of_runs=True, has_dag=True),
    CleanTable("task_instance", is_of_runs=True, has_dag=True),
    CleanTable("task_state_store", since=(3, 3, 0), is_of_runs=True),
    CleanTable("deadline", since=_LINE_3, is_of_runs=True),
    CleanTable("dag_run", is_of_runs=True, has_dag=True),
    CleanTable("log", has_dag=True),
    CleanTable("job", has_dag=True),
    CleanTable("import_error"),
    CleanTable("sla_miss", until=_LINE_3),
    CleanTable("dataset_event", until=_LINE_3),
    CleanTable("asset_event", since=_LINE_3),
    CleanTable("_xcom_archive", since=_LINE_3),
    CleanTable("callback_request"),
    CleanTable("celery_taskmeta"),
    CleanTable("celery_tasksetmeta"),
    CleanTable("session"),
    CleanTable("revoked_token", since=(3, 2, 0)),
    CleanTable("connection_test_request", since=(3, 3, 0)),
    CleanTable("trigger", since=(2, 8, 0), is_of_runs=True),
    CleanTable("dag_version", since=_LINE_3, is_of_runs=True, is_default=False),
    CleanTable("dag", is_of_runs=True, is_default=False),
)


def release_of(airflow_version: str) -> Release:
    """Read a version.

    :param airflow_version: Such as ``3.2.1``.
    """
    major, minor, patch = (int(part) for part in re.findall(r"\d+", f"{airflow_version}.0.0")[:3])
    return major, minor, patch


def tables_of(wanted: Wanted, airflow_version: str) -> tuple[tuple[CleanTable, ...], list[str]]:
    """Find the tables that it is to clean, and what cannot be, as sentences.

    :param wanted: Which rows are to go.
    :param airflow_version: The release over there.
    """
    release = release_of(airflow_version)
    there = {table.name: table for table in TABLES if table.since <= release < table.until}
    problems = []
    if wanted.is_by_dag and release < _WITH_DAGS:
        problems.append(
            f"dag_ids, exclude_dag_ids: `airflow db clean` of Airflow {airflow_version} does not tell DAGs apart; it does from 3.2.1 on"
        )
    if wanted.tables is None:
        chosen = [table for table in there.values() if table.is_default and (table.has_dag or not wanted.is_by_dag)]
        return tuple(chosen), problems
    for name in wanted.tables:
        if name not in there:
            near = difflib.get_close_matches(name, there, n=3, cutoff=0.5)
            hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else why_kept(name) or ""
            hint = hint if not hint or hint.startswith(";") else f": {hint}"
            problems.append(f"tables: `airflow db clean` of Airflow {airflow_version} does not clean {name!r}{hint}")
        elif wanted.is_by_dag and not there[name].has_dag:
            problems.append(
                f"tables: `airflow db clean` does not tell the rows of {name!r} by DAG; leave it out, or give neither dag_ids nor "
                "exclude_dag_ids"
            )
    return tuple(table for table in there.values() if table.name in wanted.tables), problems


def command(
    wanted: Wanted,
    tables: Sequence[str],
    before: datetime,
    airflow_version: str,
    *,
    batch_size: int | None = None,
    dry_run: bool = False,
) -> list[str]:
    """Write the command.

    :param wanted: Which DAGs' rows.
    :param tables: The tables.
    :param before: Older rows go.
    :param airflow_version: The release over there.
    :param batch_size: How many rows one transaction takes, where the release can do that.
    :param dry_run: Whether to count only.
    """
    words = [
        "db",
        "clean",
        f"--clean-before-timestamp={before.astimezone(timezone.utc).isoformat()}",
        f"--tables={','.join(tables)}",
        *(["--dry-run"] if dry_run else ["--skip-archive", "--yes"]),
    ]
    if release_of(airflow_version) >= _WITH_DAGS:
        words += [f"--batch-size={batch_size}"] if batch_size is not None and not dry_run else []
        words += [f"--dag-ids={','.join(wanted.dag_ids)}"] if wanted.dag_ids is not None else []
        words += [f"--exclude-dag-ids={','.join(wanted.exclude_dag_ids)}"] if wanted.exclude_dag_ids is not None else []
    return words


@dataclass(frozen=True)
class Said:
    """What it printed.

    :param rows: Table to the number of its rows that were old enough.
    :param done: The tables that it came to the end of.
    :param missing: The tables that are not there.
    """

    rows: dict[str, int]
    done: frozenset[str]
    missing: frozenset[str] = frozenset()


_TABLE = re.compile(r"^Checking table (\S+)\s*$", re.MULTILINE)
_FOUND = re.compile(r"^Found (\d+) rows meeting deletion criteria", re.MULTILINE)
_FINISHED = re.compile(r"^Finished Performing Delete", re.MULTILINE)
_MISSING = re.compile(r"Table (\S+) not found\.\s+Skipping")
_FAILED = re.compile(r"Encountered error when attempting to clean table '([^']+)'")


def read(result: CliResult) -> Said:
    """Read what it printed. It goes on after a table that it failed to clean, and ends well; so does one that was killed half-way.

    :param result: The command's result.
    """
    rows: dict[str, int] = {}
    done = set()
    _, *parts = _TABLE.split(result.stdout.replace("\r", ""))
    for table, said in zip(parts[::2], parts[1::2], strict=True):
        if (found := _FOUND.search(said)) is not None:
            rows[table] = int(found[1])
            if not rows[table] or _FINISHED.search(said):
                done.add(table)
    all_of_it = result.stdout + "\n" + result.stderr
    return Said(rows, frozenset(done - set(_FAILED.findall(all_of_it))), frozenset(_MISSING.findall(all_of_it)))
