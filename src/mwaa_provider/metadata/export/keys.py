"""Where an export's objects lie: the key template, and the manifest's place beside the files."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

#: What may stand in a template.
FIELDS = ("environment", "table", "date", "run_id", "format", "part")
DEFAULT_TEMPLATE = "metadata/{environment}/{date}/{run_id}/{table}.{format}"
#: What S3 admits.
_KEY_BYTES = 1024
_ENDINGS = tuple(f".{kind}{packed}" for kind in ("csv", "jsonl", "parquet") for packed in (".gz", ".zst", ""))


@dataclass(frozen=True)
class KeyValues:
    """What the template's fields stand for in one export.

    :param environment: The environment's name.
    :param date: The day of the export.
    :param run_id: The DAG run's id.
    :param format: How the files' names end.
    :param part: Which part of a shared export this is; empty if it is not shared.
    """

    environment: str
    date: date
    run_id: str
    format: str
    part: str = ""


def check_template(template: Any, *, tables: Sequence[str] | None = None, part: str = "") -> list[str]:
    """Check a key template.

    :param template: What the caller gave.
    :param tables: The tables, once they are known.
    :param part: Which part of a shared export this is.
    """
    field = "s3_key_template"
    if not isinstance(template, str) or not template.strip():
        return [f"{field}: {template!r} is not a template; give for example {DEFAULT_TEMPLATE!r}"]
    try:
        parsed = list(string.Formatter().parse(template))
    except ValueError as error:
        return [f"{field}: {template!r} cannot be read ({error}); write a brace that is meant as '{{{{' or '}}}}'"]
    names = [name for _, name, _, _ in parsed if name is not None]
    problems = [
        f"{field}: {{{name}}} is unknown; there are {', '.join('{' + one + '}' for one in FIELDS)}"
        for name in names
        if name not in FIELDS
    ]
    if any(spec or conversion for _, _, spec, conversion in parsed):
        problems.append(f"{field}: {template!r} formats a field; write the field alone, like {{date}}")
    if template.startswith("/"):
        problems.append(f"{field}: {template!r} begins with '/', which makes a folder without a name; leave it out")
    if "table" not in names and (tables is None or len(tables) != 1):
        shown = " and ".join(repr(table) for table in (tables or ("dag_run", "task_instance"))[:2])
        problems.append(f"{field}: {template!r} maps {shown} to one key; put {{table}} into it")
    if part and "part" not in names:
        problems.append(f"{field}: {template!r} maps all parts of a shared export to one key; put {{part}} into it")
    return problems


def key_of(template: str, table: str, values: KeyValues) -> str:
    """Return a table's key.

    :param template: The template, checked.
    :param table: The table's name.
    :param values: What its fields stand for.
    """
    return template.format(
        table=table,
        environment=values.environment,
        date=values.date.isoformat(),
        run_id=values.run_id,
        format=values.format,
        part=values.part,
    )


def manifest_key(template: str, values: KeyValues) -> str:
    """Return the manifest's key: where a table called ``manifest`` would lie, ending in ``.json``.

    So it is beside the files, and as much its own as they are. A template without ``{table}`` gets ``.manifest.json`` at its end.

    :param template: The template, checked.
    :param values: What its fields stand for.
    """
    key = key_of(template, "manifest", KeyValues(values.environment, values.date, values.run_id, "json", values.part))
    if "{table}" not in template:
        return f"{key}.manifest.json"
    for ending in _ENDINGS:
        if key.endswith(ending):
            return f"{key[: -len(ending)]}.json"
    return key if key.endswith(".json") else f"{key}.json"


def check_keys(keys: dict[str, str]) -> list[str]:
    """Check the keys that came of a template.

    :param keys: Table (or ``manifest``) to key.
    """
    problems = []
    seen: dict[str, str] = {}
    for table, key in keys.items():
        if key in seen:
            problems.append(
                f"s3_key_template: it maps {seen[key]!r} and {table!r} to one key, {key!r}; put {{table}} into it"
            )
        seen[key] = table
        if len(key.encode()) > _KEY_BYTES:
            problems.append(
                f"s3_key_template: the key of {table!r} has {len(key.encode())} bytes; S3 admits {_KEY_BYTES}"
            )
    return problems
