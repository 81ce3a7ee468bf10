"""An import brings every kind of value to a real Airflow, whole, and finds nothing to do the second time."""

from __future__ import annotations

import json
import uuid

from mwaa_provider.client.models import Variable
from tests.contract.environments import NAME, Contract

VALUES = {
    "quotes": 'it\'s "quoted" \\ and {{ braces }}',
    "lines": "-----BEGIN-----\nline\r\n\ttab\n",
    "ümläut/with/slash ?&#%": "Grüße 🦉",
    "long": "x" * 100_000,
    "empty": "",
    "true": True,
    "null": None,
    "number": 1.5,
    "object": {"ü": {"deep": [True, "zwei", None]}},
    "digits": "007",
}


def test_variables(contract: Contract) -> None:
    client, prefix = contract.client(), f"import_{uuid.uuid4().hex[:8]}_"
    wanted = {f"{prefix}{key}": value for key, value in VALUES.items()}
    described = f"{prefix}described"
    client.set_variable(NAME, f"{prefix}gone", "1")
    report = client.import_variables(
        NAME, {**wanted, described: {"value": "a", "description": "of Airflow's export"}}, prune_prefix=prefix
    )
    report.raise_for_errors()
    assert (report.names("create"), report.names("delete")) == ([*wanted, described], [f"{prefix}gone"])
    found = {variable.key: variable for variable in client.list_variables(NAME) if variable.key.startswith(prefix)}
    assert found.pop(described) == Variable(described, "a", "of Airflow's export")
    assert sorted(found) == sorted(wanted)
    for key, value in wanted.items():
        told = found[key].value
        assert (told if isinstance(value, str) else json.loads(told)) == value, key
    again = client.import_variables(NAME, wanted, prune_prefix=prefix)
    assert (again.names("keep"), again.names("delete")) == (list(wanted), [described])
    changed = client.import_variables(NAME, {**wanted, f"{prefix}true": 1})
    assert changed.names("update") == [f"{prefix}true"]
    assert client.import_variables(NAME, {f"{prefix}new": 1}, prune_prefix=prefix).names("delete") == [
        key for key in sorted(wanted) if key in found
    ]
    client.delete_variable(NAME, f"{prefix}new")


def test_pools(contract: Contract) -> None:
    client, prefix = contract.client(), f"import_{uuid.uuid4().hex[:8]}_"
    wanted = {
        f"{prefix}a": {"slots": 2, "description": "für a", "include_deferred": True},
        f"{prefix}b": {"slots": -1 if contract.release >= (3, 2) else 0},
    }
    default = client.get_pool(NAME, "default_pool")
    wanted["default_pool"] = {"slots": default.slots, "description": default.description}
    assert client.import_pools(NAME, wanted).names("create") == [f"{prefix}a", f"{prefix}b"]
    assert client.import_pools(NAME, wanted).names("keep") == list(wanted)
    wanted["default_pool"]["slots"] = default.slots + 1
    client.import_pools(NAME, {"default_pool": wanted["default_pool"]}, prune_prefix=prefix).raise_for_errors()
    assert client.get_pool(NAME, "default_pool").slots == default.slots + 1
    client.set_pool(NAME, "default_pool", default.slots)
    assert [pool.name for pool in client.list_pools(NAME) if pool.name.startswith(prefix)] == []
