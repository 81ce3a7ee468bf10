"""An import brings every kind of value to a real Airflow, whole, and finds nothing to do the second time."""

from __future__ import annotations

import json
import uuid

from mwaa_provider.client.models import Connection, Variable
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


def test_connections(contract: Contract) -> None:
    client, prefix = contract.client(), f"import_{uuid.uuid4().hex[:8]}_"
    secrets = {"secretsmanager://db": "p/@:\"'ß", "secretsmanager://keys#ü": "tell-nobody"}
    wanted = {
        f"{prefix}whole": {
            "conn_type": "postgres",
            "description": "für Bestellungen",
            "host": "db.example.com/with/a/path",
            "login": "etl",
            "password": "secretsmanager://db",
            "schema": "sales",
            "port": 5432,
            "extra": {"sslmode": "require", "nested": {"api_key": "secretsmanager://keys#ü", "list": [1, True, None]}},
        },
        f"{prefix}plain": {"conn_type": "http", "host": "example.com", "extra": '{"timeout": 5}'},
        f"{prefix}least": {"conn_type": "fs"},
    }
    report = client.import_connections(NAME, wanted, resolve=secrets.__getitem__)
    report.raise_for_errors()
    assert report.names("create") == list(wanted)
    found = {one.connection_id: one for one in client.list_connections(NAME) if one.connection_id.startswith(prefix)}
    shows_extra = contract.release[0] >= 3
    whole = found[f"{prefix}whole"]
    assert (whole.conn_type, whole.description, whole.host) == (
        *("postgres", "für Bestellungen", "db.example.com/with/a/path"),
    )
    assert (whole.login, whole.schema, whole.port) == ("etl", "sales", 5432)
    assert (whole.extra is not None) == shows_extra
    assert found[f"{prefix}least"] == Connection(f"{prefix}least", "fs", extra="" if shows_extra else None)

    again = client.import_connections(NAME, wanted, resolve=secrets.__getitem__)
    again.raise_for_errors()
    hidden = [f"{prefix}whole"] if shows_extra else [f"{prefix}whole", f"{prefix}plain"]
    assert (again.names("overwrite"), again.names("update")) == (hidden, [])

    # What a file leaves out stays as it is.
    changed = {f"{prefix}whole": {"conn_type": "postgres", "host": "db-2"}}
    assert client.import_connections(NAME, changed, prune_prefix=prefix).names("delete") == [
        f"{prefix}least",
        f"{prefix}plain",
    ]
    (left,) = (one for one in client.list_connections(NAME) if one.connection_id.startswith(prefix))
    assert (left.host, left.login, left.port) == ("db-2", "etl", 5432)
    client.delete_connection(NAME, f"{prefix}whole")
