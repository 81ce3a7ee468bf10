"""Connections of an environment: listed without their secrets, set, deleted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mwaa_provider.client import input_checks
from mwaa_provider.client.connection_import import check_connection_id, check_port
from mwaa_provider.client.core import raise_problems
from mwaa_provider.client.models import Connection
from mwaa_provider.client.rest.paging import rows_of
from mwaa_provider.client.settings import SettingCalls
from mwaa_provider.client.variable_import import without_value
from mwaa_provider.exceptions import MwaaError


class ConnectionCalls(SettingCalls):
    """Calls about connections."""

    def list_connections(self, environment_name: str) -> Iterator[Connection]:
        """Return the connections in the metadata database, in the order of their ids, page by page as they are wanted.

        Not those of a secrets backend or of the process's environment. No password is kept, not even masked.

        :param environment_name: The environment's name.
        """
        raise_problems(input_checks.check_environment_name(environment_name))
        return rows_of(self._airflow(environment_name).connections(), repeat=self._retry.repeat)

    def set_connection(
        self,
        environment_name: str,
        connection_id: str,
        conn_type: str,
        *,
        host: str | None = None,
        login: str | None = None,
        password: str | None = None,
        schema: str | None = None,
        port: int | None = None,
        extra: Mapping[str, Any] | None = None,
        description: str | None = None,
    ) -> Connection:
        """Make a connection, or change the one that is there, and return it as Airflow shows it. What is left out stays as it is.

        :param environment_name: The environment's name.
        :param connection_id: Its id; ``aws_default`` is MWAA's own, and refused.
        :param conn_type: Its type, such as ``postgres``.
        :param host: Its host.
        :param login: Its login.
        :param password: Its password; it is sent, and shown nowhere.
        :param schema: Its schema.
        :param port: Its port.
        :param extra: Its extra, what a JSON object can hold.
        :param description: Its description.
        :raises InvalidInputError: naming every problem of the arguments, without password and extra.
        """
        texts = {"host": host, "login": login, "password": password, "schema": schema, "description": description}
        given: dict[str, Any] = {"conn_type": conn_type, **texts, "port": port}
        problems = [*_problems(environment_name, connection_id), *_problems_of(texts, conn_type, port)]
        try:
            given["extra"] = None if extra is None else json.dumps(dict(extra), allow_nan=False, ensure_ascii=False)
        except (TypeError, ValueError, RecursionError):
            problems.append("extra: it is no JSON object; give one")
        raise_problems(problems)
        fields = {name: value for name, value in given.items() if value is not None}
        secrets = [fields[name] for name in ("password", "extra") if fields.get(name)]
        return self._set_connection(environment_name, connection_id, fields, secrets)

    def delete_connection(self, environment_name: str, connection_id: str) -> None:
        """Delete a connection.

        :param environment_name: The environment's name.
        :param connection_id: Its id; ``aws_default`` is MWAA's own, and refused.
        :raises InvalidInputError: naming every problem of the arguments.
        :raises NotFoundError: if there is none.
        """
        raise_problems(_problems(environment_name, connection_id))
        airflow = self._airflow(environment_name)
        self._delete(lambda: airflow.delete_connection(connection_id))

    def _set_connection(
        self, environment_name: str, connection_id: str, fields: Mapping[str, Any], secrets: Iterable[str]
    ) -> Connection:
        airflow = self._airflow(environment_name)
        try:
            return self._set(
                update=lambda: airflow.update_connection(connection_id, fields),
                create=lambda: airflow.create_connection(connection_id, fields),
            )
        except MwaaError as failure:
            # Airflow may repeat what it was sent.
            error: MwaaError = failure
            for secret in secrets:
                error = without_value(error, secret)
            raise error from None


def _problems(environment_name: Any, connection_id: Any) -> list[str]:
    return [
        *input_checks.check_environment_name(environment_name),
        *check_connection_id("connection_id", connection_id),
    ]


def _problems_of(texts: Mapping[str, Any], conn_type: Any, port: Any) -> list[str]:
    problems = [
        f"{name}: {type(text).__name__} is not a text"
        for name, text in texts.items()
        if not isinstance(text, (str, type(None)))
    ]
    if not isinstance(conn_type, str) or not conn_type:
        problems.append(f"conn_type: {conn_type!r} is none; give a text such as 'postgres'")
    return problems + check_port(port)
