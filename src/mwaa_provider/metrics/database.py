"""How large the metadata database is: its tables, rows that are gone but hold their space, the oldest run.

Nothing is counted row by row: PostgreSQL keeps estimates (``n_live_tup``, ``n_dead_tup``), and the oldest run has the lowest id.
https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-ALL-TABLES-VIEW
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from mwaa_provider.metrics.environment import environment_measurement
from mwaa_provider.metrics.model import Measurement

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

#: The tables that grow with the work that is done; those that a release does not have are left out.
GROWING_TABLES = (
    "dag_run",
    "task_instance",
    "task_instance_history",
    "rendered_task_instance_fields",
    "xcom",
    "log",
    "job",
    "dag_version",
    "serialized_dag",
    "import_error",
)

_SIZE = "SELECT pg_database_size(current_database())"
_TABLES = """
    SELECT c.relname, pg_total_relation_size(c.oid), coalesce(s.n_live_tup, 0), coalesce(s.n_dead_tup, 0)
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
    WHERE n.nspname = coalesce(%(schema)s, current_schema()) AND c.relkind IN ('r', 'p') AND c.relname = ANY(%(tables)s)
    ORDER BY array_position(%(tables)s, c.relname::text)
"""
_OLDEST_RUN = "SELECT start_date FROM {schema}dag_run WHERE start_date IS NOT NULL ORDER BY id LIMIT 1"


@dataclass(frozen=True)
class TableFigures:
    """How large a table is.

    :param name: Its name.
    :param size: Its size in bytes, indexes included.
    :param rows: Its rows, an estimate.
    :param dead_rows: Rows that are gone, and whose space is not free yet; an estimate.
    """

    name: str
    size: int
    rows: int
    dead_rows: int


@dataclass(frozen=True)
class DatabaseFigures:
    """How large a metadata database is.

    :param size: Its size in bytes.
    :param tables: Those of its tables that grow.
    :param oldest_run: When its oldest run began; ``None`` if none has.
    """

    size: int
    tables: tuple[TableFigures, ...]
    oldest_run: datetime | None


def read_database(connection: Connection, schema: str | None = None) -> DatabaseFigures:
    """Read how large the metadata database is, in three short statements.

    :param connection: A connection to it.
    :param schema: The schema of Airflow's tables (default: the first that the connection finds).
    """
    size = connection.exec_driver_sql(_SIZE).scalar_one()
    asked = {"schema": schema, "tables": list(GROWING_TABLES)}
    tables = [TableFigures(*row) for row in connection.exec_driver_sql(_TABLES, asked)]
    quoted = "" if schema is None else f"{connection.dialect.identifier_preparer.quote(schema)}."
    oldest_run = connection.exec_driver_sql(_OLDEST_RUN.format(schema=quoted)).scalar()
    return DatabaseFigures(int(size), tuple(tables), oldest_run)


def database_measurements(environment_name: str, at: datetime, figures: DatabaseFigures) -> list[Measurement]:
    """Return the values of a metadata database, for CloudWatch.

    :param environment_name: The environment's name.
    :param at: When it was read.
    :param figures: How large it is.
    """
    values: list[tuple[str, float, str]] = [("database_size", figures.size, "")]
    for table in figures.tables:
        values += [
            ("table_size", table.size, table.name),
            ("table_rows", table.rows, table.name),
            ("table_dead_rows", table.dead_rows, table.name),
        ]
    if figures.oldest_run is not None:
        values.append(("oldest_run_age", max(0.0, (at - figures.oldest_run).total_seconds()), ""))
    return [environment_measurement(environment_name, at, *value) for value in values]
