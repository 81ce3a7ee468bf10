"""Whether the user of the database may do what a clean-up does, asked before the first row goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mwaa_provider.metadata.cleanup.plan import Plan
from mwaa_provider.metadata.cleanup.rules import RUNS, TASKS
from mwaa_provider.metadata.cleanup.sessions import ask

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_RIGHTS = """
SELECT c.relname, has_table_privilege(c.oid, 'SELECT'), has_table_privilege(c.oid, 'UPDATE'), has_table_privilege(c.oid, 'DELETE')
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = ANY(%s::text[]) ORDER BY c.relname
"""


def missing_rights(connection: Connection, plan: Plan) -> list[str]:
    """Tell what the user lacks, as sentences: SELECT, UPDATE (to lock rows) and DELETE.

    :param connection: A connection in a transaction.
    :param plan: What will be cleaned.
    """
    tables = dict.fromkeys((*plan.tables, *((RUNS, TASKS) if plan.run_tables else ())))
    rows = ask(connection, _RIGHTS, (plan.schema.name, list(tables)))
    problems = []
    for table, *has in rows:
        needed = ("SELECT", "UPDATE", "DELETE") if table in plan.tables else ("SELECT", "UPDATE")
        lacking = [right for right, there in zip(needed, has, strict=False) if not there]
        if lacking:
            problems.append(
                f"tables: the user of the database lacks {', '.join(lacking)} on {table!r}; grant it, or leave the table out"
            )
    return problems
