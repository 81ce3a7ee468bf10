"""Variables, pools and the names of connections of an environment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

from mwaa_provider.client import input_checks
from mwaa_provider.client.core import ClientCore, raise_problems
from mwaa_provider.client.models import Pool, Variable
from mwaa_provider.client.pool_import import check_limit
from mwaa_provider.client.rest.paging import rows_of
from mwaa_provider.client.rest.settings import DEFAULT_POOL
from mwaa_provider.client.retry import UNKNOWN_OUTCOME
from mwaa_provider.exceptions import ConflictError, NotFoundError

Model = TypeVar("Model")


class SettingCalls(ClientCore):
    """Calls about variables, pools and connections."""

    def list_variables(self, environment_name: str) -> Iterator[Variable]:
        """Return the variables, in the order of their keys, page by page as they are wanted.

        Only those in the metadata database: not those of a secrets backend or of the process's environment. Airflow 3 masks values that
        look like secrets (see ``Variable.value``).
        https://airflow.apache.org/docs/apache-airflow/stable/stable-rest-api-ref.html

        :param environment_name: The environment's name.
        """
        raise_problems(input_checks.check_environment_name(environment_name))
        return rows_of(self._airflow(environment_name).variables(), repeat=self._retry.repeat)

    def get_variable(self, environment_name: str, key: str) -> Variable:
        """Return a variable of the metadata database. Airflow 3 masks a value that looks like a secret (see ``Variable.value``).

        :param environment_name: The environment's name.
        :param key: Its key.
        :raises InvalidInputError: naming every problem of the arguments.
        :raises NotFoundError: if there is none.
        """
        raise_problems(_problems(environment_name, "key", key))
        airflow = self._airflow(environment_name)
        return self._retry.repeat(lambda: airflow.get_variable(key))

    def set_variable(self, environment_name: str, key: str, value: str, *, description: str | None = None) -> Variable:
        """Make a variable, or change the one that is there, and return it as Airflow shows it (Airflow 3 masks what looks like a secret).

        :param environment_name: The environment's name.
        :param key: Its key.
        :param value: Its value, a text; for JSON the text of it.
        :param description: Its description (default: the one it has).
        :raises InvalidInputError: naming every problem of the arguments.
        """
        problems = _problems(environment_name, "key", key)
        if not isinstance(value, str):
            problems.append(f"value: {type(value).__name__} is not a text; give json.dumps(...) of it")
        raise_problems([*problems, *_problems_of_description(description)])
        airflow = self._airflow(environment_name)
        return self._set(
            update=lambda: airflow.update_variable(key, value, description),
            create=lambda: airflow.create_variable(key, value, description),
        )

    def delete_variable(self, environment_name: str, key: str) -> None:
        """Delete a variable.

        :param environment_name: The environment's name.
        :param key: Its key.
        :raises InvalidInputError: naming every problem of the arguments.
        :raises NotFoundError: if there is none.
        """
        raise_problems(_problems(environment_name, "key", key))
        airflow = self._airflow(environment_name)
        self._delete(lambda: airflow.delete_variable(key))

    def list_pools(self, environment_name: str) -> Iterator[Pool]:
        """Return the pools, in the order of their names, page by page as they are wanted.

        :param environment_name: The environment's name.
        """
        raise_problems(input_checks.check_environment_name(environment_name))
        return rows_of(self._airflow(environment_name).pools(), repeat=self._retry.repeat)

    def get_pool(self, environment_name: str, name: str) -> Pool:
        """Return a pool as it is now.

        :param environment_name: The environment's name.
        :param name: Its name; one with ``/`` can be asked for on Airflow 3.
        :raises InvalidInputError: naming every problem of the arguments.
        :raises NotFoundError: if there is none.
        """
        raise_problems(_problems(environment_name, "name", name))
        airflow = self._airflow(environment_name)
        return self._retry.repeat(lambda: airflow.get_pool(name))

    def set_pool(
        self,
        environment_name: str,
        name: str,
        slots: int,
        *,
        description: str | None = None,
        include_deferred: bool | None = None,
    ) -> Pool:
        """Make a pool, or change the one that is there, and return it. What is left out stays as it is.

        :param environment_name: The environment's name.
        :param name: Its name; one with ``/`` can be set on Airflow 3.
        :param slots: How many slots it has; -1 for no limit, from Airflow 3.2 on.
        :param description: Its description (default: the one it has); Airflow's default pool keeps its own.
        :param include_deferred: Whether deferred tasks hold their slots (default: as it is, for a new pool they do not).
        :raises InvalidInputError: naming every problem of the arguments.
        """
        problems = _problems(environment_name, "name", name)
        if not isinstance(slots, int) or isinstance(slots, bool) or slots < -1:
            problems.append(
                f"slots: {slots!r} is not a number of slots; give a whole number from 0, or -1 for no limit"
            )
        if include_deferred is not None:
            problems += input_checks.check_one_of("include_deferred", include_deferred, (True, False))
        if name == DEFAULT_POOL and description is not None:
            problems.append(f"description: that of {DEFAULT_POOL!r} cannot be changed; leave it out")
        raise_problems([*problems, *_problems_of_description(description)])
        if slots < 0:
            raise_problems(check_limit(slots, self._known_environment(environment_name).airflow_version))
        airflow = self._airflow(environment_name)

        def update() -> Pool:
            # The whole pool is written, so what is left out is read first.
            pool = replace(airflow.get_pool(name), slots=slots)
            if description is not None:
                pool = replace(pool, description=description)
            if include_deferred is not None:
                pool = replace(pool, include_deferred=include_deferred)
            return airflow.update_pool(pool)

        return self._set(
            update=update, create=lambda: airflow.create_pool(name, slots, description, bool(include_deferred))
        )

    def delete_pool(self, environment_name: str, name: str) -> None:
        """Delete a pool; its tasks then wait for ever.

        :param environment_name: The environment's name.
        :param name: Its name; one with ``/`` can be deleted on Airflow 3.
        :raises InvalidInputError: naming every problem of the arguments, or if it is Airflow's default pool.
        :raises NotFoundError: if there is none.
        """
        problems = _problems(environment_name, "name", name)
        if name == DEFAULT_POOL:
            problems.append(f"name: {DEFAULT_POOL!r} cannot be deleted")
        raise_problems(problems)
        airflow = self._airflow(environment_name)
        self._delete(lambda: airflow.delete_pool(name))

    def list_connection_ids(self, environment_name: str) -> Iterator[str]:
        """Return the ids of the connections in the metadata database, in alphabetical order, page by page as they are wanted.

        Nothing else of a connection is kept: passwords never get further than the answer they come in.

        :param environment_name: The environment's name.
        """
        raise_problems(input_checks.check_environment_name(environment_name))
        return rows_of(self._airflow(environment_name).connection_ids(), repeat=self._retry.repeat)

    def _set(self, *, update: Callable[[], Model], create: Callable[[], Model]) -> Model:
        """Change a thing, or make it if it is not there; both are sent as often as is safe."""

        def update_what_is_there() -> Model | None:
            try:
                return self._retry.repeat(update)
            except NotFoundError:
                return None

        made = update_what_is_there()
        if made is not None:
            return made
        try:
            return self._retry.create(create, look_up=update_what_is_there)
        except ConflictError:
            # Somebody else made it in between.
            made = update_what_is_there()
            if made is None:
                raise
            return made

    def _delete(self, call: Callable[[], None]) -> None:
        """Delete a thing; what is not there when it is asked again, after an unknown outcome, was deleted the first time."""
        may_be_done = False

        def attempt() -> None:
            nonlocal may_be_done
            try:
                call()
            except NotFoundError:
                if not may_be_done:
                    raise
            except UNKNOWN_OUTCOME:
                may_be_done = True
                raise

        self._retry.repeat(attempt)


def _problems(environment_name: str, field: str, key: str) -> list[str]:
    return [*input_checks.check_environment_name(environment_name), *input_checks.check_key(field, key)]


def _problems_of_description(description: str | None) -> list[str]:
    if description is None or isinstance(description, str):
        return []
    return [f"description: {type(description).__name__} is not a text"]
