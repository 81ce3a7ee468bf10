"""Variables, pools and connections of a file brought into an environment: the difference first, then what differs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mwaa_provider.client import input_checks
from mwaa_provider.client.connection_import import plan_connections, wanted_connections, with_secrets
from mwaa_provider.client.connections import ConnectionCalls
from mwaa_provider.client.core import raise_problems
from mwaa_provider.client.importing import Change, ImportReport, carry_out
from mwaa_provider.client.pool_import import check_slots, plan_pools, wanted_pools
from mwaa_provider.client.rest.settings import DEFAULT_POOL
from mwaa_provider.client.variable_import import plan_variables, wanted_variables, without_value
from mwaa_provider.exceptions import MwaaError

OnChange = Callable[[Change, MwaaError | None], None]


class ImportCalls(ConnectionCalls):
    """Calls that bring many variables, pools or connections at once."""

    def import_variables(
        self,
        environment_name: str,
        variables: Mapping[str, Any],
        *,
        prune_prefix: str | None = None,
        dry_run: bool = False,
        on_change: OnChange | None = None,
    ) -> ImportReport:
        """Make the variables of an environment what a file says, and tell what was done to each; one that fails does not stop the rest.

        What is there is read first, and only what differs is written. Airflow 3 shows some values masked: those are always written. It may
        be done again at any time. The report holds no values; ``raise_for_errors`` of it raises if one failed.

        :param environment_name: The environment's name.
        :param variables: Values by key: a text is kept as it is, anything else as JSON. An object of exactly ``value`` and ``description``
            is a value with a description, as ``airflow variables export`` writes it.
        :param prune_prefix: Delete the variables that begin so and are not among ``variables`` (default: none is deleted).
        :param dry_run: Whether to tell only what would be done (default false).
        :param on_change: Is told of each, when it is done or has failed (default: nobody is).
        :raises InvalidInputError: naming every problem of the arguments, never with a value; nothing was done.
        """
        wanted, problems = wanted_variables(variables)
        raise_problems([*_problems(environment_name, prune_prefix, "key"), *problems])
        plan = plan_variables(
            wanted,
            self.list_variables(environment_name),
            airflow_major=self._known_environment(environment_name).airflow_major,
            prune_prefix=prune_prefix,
        )

        def act(change: Change) -> None:
            if change.action == "delete":
                self.delete_variable(environment_name, change.name)
                return
            one = wanted[change.name]
            self.set_variable(environment_name, one.key, one.value, description=one.description)

        def clean(key: str, error: MwaaError) -> MwaaError:
            return without_value(error, wanted[key].value) if key in wanted else error

        return carry_out(environment_name, plan, act, dry_run=dry_run, clean=clean, on_change=on_change)

    def import_pools(
        self,
        environment_name: str,
        pools: Mapping[str, Any],
        *,
        prune_prefix: str | None = None,
        dry_run: bool = False,
        on_change: OnChange | None = None,
    ) -> ImportReport:
        """Make the pools of an environment what a file says, and tell what was done to each; one that fails does not stop the rest.

        :param environment_name: The environment's name.
        :param pools: By name, objects of ``slots`` and, if wanted, ``description`` and ``include_deferred``, as ``airflow pools export``
            writes them. What is left out stays as it is.
        :param prune_prefix: Delete the pools that begin so and are not among ``pools``, but for the default pool (default: none is).
        :param dry_run: Whether to tell only what would be done (default false).
        :param on_change: Is told of each, when it is done or has failed (default: nobody is).
        :raises InvalidInputError: naming every problem of the arguments; nothing was done.
        """
        wanted, problems = wanted_pools(pools)
        raise_problems([*_problems(environment_name, prune_prefix, "name"), *problems])
        raise_problems(check_slots(wanted, self._known_environment(environment_name).airflow_version))
        there = {pool.name: pool for pool in self.list_pools(environment_name)}
        plan = plan_pools(wanted, there.values(), prune_prefix=prune_prefix)

        def act(change: Change) -> None:
            if change.action == "delete":
                self.delete_pool(environment_name, change.name)
                return
            one = wanted[change.name]
            # Airflow's default pool keeps its own description, which an export of it has too.
            same = change.name == DEFAULT_POOL and one.description == there[DEFAULT_POOL].description
            self.set_pool(
                environment_name,
                one.name,
                one.slots,
                description=None if same else one.description,
                include_deferred=one.include_deferred,
            )

        return carry_out(environment_name, plan, act, dry_run=dry_run, on_change=on_change)

    def import_connections(
        self,
        environment_name: str,
        connections: Mapping[str, Any],
        *,
        resolve: Callable[[str], str] | None = None,
        prune_prefix: str | None = None,
        dry_run: bool = False,
        on_change: OnChange | None = None,
    ) -> ImportReport:
        """Make the connections of an environment what a file says, and tell what was done to each; one that fails does not stop the rest.

        Airflow shows no passwords, and Airflow 2 no extra: what has one in the file is written each time (``overwrite``). Secrets are read
        when they are sent, so with ``dry_run`` none is. They stand in no report and no error.

        :param environment_name: The environment's name.
        :param connections: By id, objects of ``conn_type`` and, if wanted, ``description``, ``host``, ``login``, ``password``, ``schema``,
            ``port`` and ``extra``, as ``airflow connections export`` writes them. Passwords, and what in ``extra`` sounds like a secret,
            must be references: ``secretsmanager://NAME`` or ``secretsmanager://NAME#KEY``. What is left out stays as it is.
            ``aws_default`` is refused.
        :param resolve: Gives the secret that a reference stands for:
            :class:`mwaa_provider.client.secret_references.SecretReader` (default: there may be no references).
        :param prune_prefix: Delete the connections that begin so and are not among ``connections`` (default: none is deleted).
        :param dry_run: Whether to tell only what would be done (default false).
        :param on_change: Is told of each, when it is done or has failed (default: nobody is).
        :raises InvalidInputError: naming every problem of the arguments, never with a secret; nothing was done.
        """
        wanted, problems = wanted_connections(connections)
        if resolve is None and not dry_run and any(one.has_references for one in wanted.values()):
            problems.append("resolve: there are references to secrets; give a SecretReader, which reads them")
        raise_problems([*_problems(environment_name, prune_prefix, "connection's id"), *problems])
        plan = plan_connections(wanted, self.list_connections(environment_name), prune_prefix=prune_prefix)

        def act(change: Change) -> None:
            if change.action == "delete":
                self.delete_connection(environment_name, change.name)
                return
            fields, secrets = with_secrets(wanted[change.name], resolve or (lambda reference: reference))
            self._set_connection(environment_name, change.name, fields, secrets)

        return carry_out(environment_name, plan, act, dry_run=dry_run, on_change=on_change)


def _problems(environment_name: Any, prune_prefix: Any, noun: str) -> list[str]:
    problems = input_checks.check_environment_name(environment_name)
    if prune_prefix is not None and (not isinstance(prune_prefix, str) or not prune_prefix):
        problems.append(f"prune_prefix: {prune_prefix!r} is no beginning of a {noun}; give one, or leave it out")
    return problems
