"""Every call of the client once, in the order in which one might make them: ``docs/client.md`` has them in a table.

    python every_call.py ENVIRONMENT DAG

It changes what is there: it starts, ends and clears runs of the DAG, and makes and deletes a variable, a pool and a connection of the
name ``every_call``. Try it against a local MWAA (docs/local-mwaa.md).
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta, timezone

from mwaa_provider.client.boto_client import botocore_config_that_never_resends
from mwaa_provider.client.mwaa import MwaaClient


def dag_runs(client: MwaaClient, environment_name: str, dag_id: str) -> None:
    """Start a run, follow it, and do to it what can be done."""
    before = datetime.now(timezone.utc) - timedelta(days=1)
    dag = client.get_dag(environment_name, dag_id)
    if dag.is_paused:
        client.set_dag_paused(environment_name, dag_id, False)
    run = client.trigger_dag_run(environment_name, dag_id, conf={"day": "2026-01-31"}, note="every call")
    print(client.dag_run_url(environment_name, dag_id, run.run_id))
    run = client.wait_for_dag_run(environment_name, dag_id, run.run_id, poke_interval=1, timeout=600)
    print(run.run_id, run.state, client.get_dag_run(environment_name, dag_id, run.run_id).end_date)

    for task in client.list_task_instances(environment_name, dag_id, run.run_id):
        same = client.get_task_instance(environment_name, dag_id, run.run_id, task.task_id, map_index=task.map_index)
        print(task.task_id, same.state, client.task_instance_url(environment_name, dag_id, run.run_id, task.task_id))
        print(client.get_task_log(environment_name, dag_id, run.run_id, task.task_id, try_number=task.try_number))
    for entry in client.list_xcoms(environment_name, dag_id, run.run_id):
        print(entry.key, client.get_xcom(environment_name, dag_id, run.run_id, entry.task_id).value)

    client.set_dag_run_note(environment_name, dag_id, run.run_id, "looked at")
    client.set_dag_run_state(environment_name, dag_id, run.run_id, "failed")
    client.clear_dag_run(environment_name, dag_id, run.run_id)
    client.cancel_dag_run(environment_name, dag_id, run.run_id)

    assert client.find_dag_run(environment_name, dag_id, "no_such_run") is None
    print(client.find_latest_dag_run(environment_name, dag_id))
    print([one.run_id for one in client.list_dag_runs(environment_name, dag_id, states="failed")])
    print([column.name for column in client.history_columns(environment_name, "dag_run")])
    until = datetime.now(timezone.utc) + timedelta(minutes=1)
    print(len(list(client.list_history(environment_name, "dag_run", since=before, until=until))))


def settings(client: MwaaClient, environment_name: str) -> None:
    """Make a variable, a pool and a connection, read them, and delete them."""
    client.set_variable(environment_name, "every_call", "1", description="of an example")
    print(client.get_variable(environment_name, "every_call").value)
    client.import_variables(environment_name, {"every_call": {"rows": [1, 2]}}, prune_prefix="every_call_")
    print([variable.key for variable in client.list_variables(environment_name)])
    client.delete_variable(environment_name, "every_call")

    client.set_pool(environment_name, "every_call", 4)
    print(client.get_pool(environment_name, "every_call").slots)
    client.import_pools(environment_name, {"every_call": {"slots": 8}}, dry_run=True)
    print([pool.name for pool in client.list_pools(environment_name)])
    client.delete_pool(environment_name, "every_call")

    client.set_connection(environment_name, "every_call", "http", host="example.com")
    client.import_connections(environment_name, {"every_call": {"conn_type": "http", "host": "example.org"}})
    print([(one.connection_id, one.host) for one in client.list_connections(environment_name)])
    client.delete_connection(environment_name, "every_call")
    print(list(client.list_connection_ids(environment_name)))


def looks(client: MwaaClient, environment_name: str) -> None:
    """Look at an environment as a whole."""
    print(client.list_environments(), client.get_environment(environment_name).status)
    print(client.get_version(environment_name), client.get_health(environment_name))
    print([dag.dag_id for dag in client.list_dags(environment_name, is_paused=False)])
    print([error.filename for error in client.list_import_errors(environment_name)])
    print(client.count_dags(environment_name), client.count_import_errors(environment_name))
    print(client.count_dag_runs(environment_name, states=["queued", "running"]))
    print(client.count_task_instances(environment_name, states="queued"))
    for asset in client.list_assets(environment_name):
        client.send_asset_event(environment_name, asset.uri, extra={"rows": 42})


def below(client: MwaaClient, environment_name: str) -> None:
    """Go where no call of its own leads: any command, any path."""
    print(client.run_cli(environment_name, ["version"]).stdout)
    print(client.invoke_rest_api(environment_name, "GET", "/dags", params={"limit": 1}).status)
    pages = client.invoke_rest_api_pages(environment_name, "GET", "/dags", params={"limit": 100})
    print(sum(len(page.body["dags"]) for page in pages))
    with client.open_stream(environment_name, "GET", "/mwaa_provider/no_such_page") as answer:
        print(answer.status)  # what a plugin adds to the web server; here there is none
    # Each of these lets somebody in: they belong into no log.
    assert client.create_cli_token(environment_name).value
    assert client.create_web_login_token(environment_name).value
    assert client.web_login_url(environment_name).startswith("https://")


def main(environment_name: str, dag_id: str) -> None:
    """Make all calls."""
    client = MwaaClient(botocore_config=botocore_config_that_never_resends())
    looks(client, environment_name)
    dag_runs(client, environment_name, dag_id)
    settings(client, environment_name)
    below(client, environment_name)


if __name__ == "__main__":
    main(*sys.argv[1:])
