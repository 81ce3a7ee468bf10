"""What to use instead of an Airflow command that MWAA's CLI endpoint does not take."""

from __future__ import annotations

from collections.abc import Sequence

from mwaa_provider.client.cli_commands import nearest_command, supported_commands

_MWAA_RUNS_IT = "MWAA runs Airflow's components by itself"
_MWAA_KEEPS_IT = "MWAA looks after the metadata database by itself; `db clean` is the one command for it"
_IAM_USERS = "MWAA makes users from IAM identities; their Airflow role is in the policy's role ARN"

#: The words a command begins with, and what does the same. A pair is for Airflow 2 and for Airflow 3.
_INSTEAD: dict[str, str | tuple[str, str]] = {
    # Airflow 1
    "trigger_dag": "`dags trigger`",
    "list_dags": "`dags list`",
    "list_tasks": "`tasks list`",
    "backfill": ("`dags backfill`", "`backfill create`"),
    "variables import": "POST /variables, once for each variable",
    "variables export": "GET /variables",
    "connections list": "GET /connections",
    "connections get": "GET /connections/{connection_id}, which shows no password",
    "connections export": "GET /connections, which shows no passwords",
    "connections import": "POST /connections, once for each connection",
    "connections test": "POST /connections/test",
    "connections create-default-connections": "POST /connections, once for each connection",
    "pools list": "GET /pools",
    "pools get": "GET /pools/{pool_name}",
    "pools set": "POST /pools or, if it is there, PATCH /pools/{pool_name}",
    "pools delete": "DELETE /pools/{pool_name}",
    "pools import": "POST /pools, once for each pool",
    "pools export": "GET /pools",
    "dags backfill": ("`dags backfill`", "`backfill create`"),
    "dags clear": "POST /dags/{dag_id}/clearTaskInstances",
    "dags details": "GET /dags/{dag_id}/details",
    "dags show-dependencies": ("GET /datasets", "GET /assets"),
    "tasks run": "POST /dags/{dag_id}/clearTaskInstances, upon which the scheduler runs the task, or `tasks test`",
    "assets list": ("GET /datasets", "`assets list`"),
    "assets details": ("GET /datasets/{uri}", "`assets details`"),
    "assets materialize": ("POST /datasets/events (Airflow 2.9 and later), or `dags trigger`", "`assets materialize`"),
    "backfill create": ("`dags backfill`", "`backfill create`"),
    "roles delete": ("DELETE /roles/{role_name}", "`roles del-perms`, which leaves the role empty"),
    "roles export": "`roles list --permission -o json`",
    "roles import": "`roles create` and `roles add-perms`",
    "config": "GET /config, if the configuration option [webserver] or [api] expose_config allows it",
    "plugins": "GET /plugins",
    "info": "`version` and `providers list`",
    "providers": "`providers list` or GET /providers",
    "jobs": ("GET /health", "GET /jobs"),
    "users": _IAM_USERS,
    "sync-perm": _IAM_USERS,
    "teams": _IAM_USERS,
    "db export-archived": "`db clean --skip-archive`, which leaves no archive tables",
    "db drop-archived": "`db clean --skip-archive`, which leaves no archive tables",
    "db": _MWAA_KEEPS_IT,
    "db-manager": _MWAA_KEEPS_IT,
    "rotate-fernet-key": _MWAA_KEEPS_IT,
    **dict.fromkeys(
        ("api-server", "celery", "dag-processor", "edge", "kerberos", "kubernetes", "scheduler", "standalone"),
        _MWAA_RUNS_IT,
    ),
    **dict.fromkeys(("triggerer", "webserver"), _MWAA_RUNS_IT),
}


def instead_of(arguments: Sequence[str], airflow_version: str) -> str:
    """Tell in half a sentence what to use instead of a command; empty if nothing is like it.

    :param arguments: The arguments without the leading ``airflow``.
    :param airflow_version: The environment's Airflow version.
    """
    for length in (2, 1):
        known = _INSTEAD.get(" ".join(arguments[:length]))
        if known is not None:
            return known if isinstance(known, str) else known[int(airflow_version.split(".")[0]) >= 3]
    nearest = nearest_command(arguments, supported_commands(airflow_version))
    return f"did you mean `{' '.join(nearest)}`?" if nearest else ""
