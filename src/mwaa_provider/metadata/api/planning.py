"""How a table is cut into ranges of its primary key, from a sample of it.

The ranges follow the key and the age only filters: so that all ranges together read the table once, whether or not its age has an index.
The cuts come from a sample of whole blocks, a few in a hundred: finding them reads that much of the table and no more. They are as good as
the sample is; a range that turns out too large is cut again.
"""

from __future__ import annotations

from dataclasses import dataclass

from mwaa_provider.metadata.api.rows import Rows
from mwaa_provider.metadata.selecting import quoted

#: Rows that one range is to hold, and bytes of them, about; a range reads in well under a second.
ROWS, BYTES = 50_000, 16 * 1024 * 1024
#: Rows that may be looked at to find those of one range, where the age leaves few.
LOOKED_AT = 500_000
#: Ranges of one plan at most; of a table that needs more, they are larger.
MOST_RANGES = 2_000
#: Rows of the sample: so many at least, this part of the table, and so many at most.
_LEAST_SAMPLED, _SAMPLED, _MOST_SAMPLED = 20_000, 0.03, 1_000_000


@dataclass(frozen=True)
class Size:
    """How large PostgreSQL believes a table to be.

    :param rows: Its rows.
    :param bytes: Its bytes, long values that lie elsewhere included.
    """

    rows: int
    bytes: int

    @property
    def rows_of_a_range(self) -> int:
        """How many rows of it one range is to hold."""
        bytes_of_a_row = max(1.0, self.bytes / max(1, self.rows))
        return max(100, min(ROWS, int(BYTES / bytes_of_a_row)))


#: Parameters: the table's name as a ``regclass`` reads it. PostgreSQL's own planner reckons in this way: what it saw last, at today's size.
SIZE_STATEMENT = """
SELECT CASE WHEN reltuples > 0 AND relpages > 0 THEN reltuples / relpages ELSE 30 END
       * (pg_relation_size(oid) / current_setting('block_size')::int), pg_table_size(oid)
FROM pg_class WHERE oid = CAST(%s AS regclass)
"""


def sample_percent(rows: int) -> float:
    """Return how much of a table is looked at to find its cuts, in percent.

    :param rows: Its rows.
    """
    part = max(_LEAST_SAMPLED, min(_SAMPLED * rows, _MOST_SAMPLED)) / max(1, rows)
    return round(min(100.0, 100.0 * part), 4)


def cuts_statement(rows: Rows, percent: float, wanted: int) -> str:
    """Write the query of the keys at which a table is cut, as texts, in their order; each is the last of its range.

    :param rows: The rows that are wanted, of a table that has a key.
    :param percent: How much of the table to look at.
    :param wanted: How many of them a range is to hold.
    """
    keys = ", ".join(quoted(key) for key in rows.table.primary_key)
    texts = ", ".join(f"compared.{quoted(key)}::text" for key in rows.table.primary_key)
    # Without the table's name it would be the texts that are sorted.
    in_order = ", ".join(f"compared.{quoted(key)}" for key in rows.table.primary_key)
    share = percent / 100.0
    # A sample is looked for in the whole table, whatever the key: all of a range is found by its index instead.
    sample = f" TABLESAMPLE SYSTEM ({percent})" if percent < 100.0 else ""
    return (
        f"WITH seen AS (SELECT {keys}, ({rows.of_the_age}) IS TRUE AS mwaa_wanted "  # noqa: S608 - names are the catalog's, quoted
        f"FROM {rows.table.qualified}{sample} WHERE {rows.of_the_key}), "
        f"counted AS (SELECT {keys}, floor(sum(mwaa_wanted::int) OVER sorted / {max(1.0, wanted * share)!r} "
        f"+ row_number() OVER sorted / {max(1.0, max(LOOKED_AT, wanted) * share)!r}) AS mwaa_range FROM seen "
        f"WINDOW sorted AS (ORDER BY {keys} ROWS UNBOUNDED PRECEDING)), "
        f"compared AS (SELECT *, lag(mwaa_range) OVER (ORDER BY {keys}) AS mwaa_before FROM counted) "
        f"SELECT {texts} FROM compared WHERE mwaa_range <> mwaa_before ORDER BY {in_order}"
    )
