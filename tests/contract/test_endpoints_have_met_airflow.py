"""Nothing that client/ calls may be known from documentation only: each endpoint and each AWS operation must be in the journal of one
scenario, and on the default legs that scenario runs against a real Airflow.
"""

from __future__ import annotations

import ast
import re
import uuid
from functools import cache
from pathlib import Path
from typing import Any

import mwaa_provider.client
from mwaa_provider.client.rest import ENDPOINTS, Endpoint, endpoints
from tests.contract.environments import NAME, Contract

CLIENT = Path(mwaa_provider.client.__file__).parent


@cache
def journal_of_scenario(contract: Contract) -> tuple[Any, ...]:
    """Return what the environment saw of the scenario; it takes a while, so each way goes through it once."""
    scenario(contract)
    return tuple(contract.mwaa.journal.entries())


def scenario(contract: Contract) -> None:
    """Call every method of the client that leads to an endpoint. A new endpoint needs a line here."""
    client, run_id = contract.client(), f"contract-{uuid.uuid4().hex}"
    key = run_id
    assert client.list_environments() == [NAME]
    client.create_cli_token(NAME)
    client.get_dag(NAME, "contract_odd")
    list(client.list_dags(NAME))
    client.set_dag_paused(NAME, "contract_odd", False)
    client.trigger_dag_run(NAME, "contract_odd", run_id=run_id)
    contract.wait(client, "contract_odd", run_id)
    list(client.list_dag_runs(NAME, "contract_odd"))
    list(client.list_task_instances(NAME, "contract_odd", run_id))
    list(client.list_task_instances(NAME, "contract_odd", task_ids="pushes"))
    client.get_task_instance(NAME, "contract_odd", run_id, "pushes")
    client.get_task_instance(NAME, "contract_odd", run_id, "mapped", map_index=1)
    client.trigger_dag_run(NAME, "contract_groups", run_id=run_id)
    list(client.list_task_instances(NAME, "contract_groups", run_id, task_group_id="outer"))
    client.get_task_log(NAME, "contract_odd", run_id, "pushes", try_number=1)
    list(client.list_xcoms(NAME, "contract_odd", run_id))
    client.get_xcom(NAME, "contract_odd", run_id, "pushes")
    client.set_dag_run_state(NAME, "contract_odd", run_id, "failed")
    client.set_dag_run_note(NAME, "contract_odd", run_id, "noted")
    client.clear_dag_run(NAME, "contract_odd", run_id)
    for value in ("1", "2"):
        client.set_variable(NAME, key, value)
    client.get_variable(NAME, key)
    list(client.list_variables(NAME))
    client.delete_variable(NAME, key)
    for slots in (1, 2):
        client.set_pool(NAME, key, slots)
    list(client.list_pools(NAME))
    client.delete_pool(NAME, key)
    for host in ("db-1", "db-2"):
        client.set_connection(NAME, key, "postgres", host=host)
    list(client.list_connections(NAME))
    list(client.list_connection_ids(NAME))
    client.delete_connection(NAME, key)
    list(client.list_assets(NAME))
    if contract.release >= (2, 9):
        client.send_asset_event(NAME, "s3://contract/orders", event_key=key)
    list(client.list_import_errors(NAME))
    client.get_health(NAME)
    client.get_version(NAME)


def test_every_endpoint_answers(contract: Contract) -> None:
    done = (200, 201, 204)
    met = [entry for entry in journal_of_scenario(contract) if entry.backend_call and entry.status in done]
    not_met = [
        endpoint
        for endpoint in ENDPOINTS
        if endpoint.major in (None, contract.major)
        and contract.release >= endpoint.since
        and not any(is_of(endpoint, entry.method, entry.path) for entry in met)
    ]
    assert not_met == []


def test_every_aws_operation_is_answered(contract: Contract) -> None:
    seen = {entry.operation for entry in journal_of_scenario(contract) if entry.surface == "control"}
    ways = {"iam": {"InvokeRestApi"}, "session": {"CreateWebLoginToken"}}
    assert seen == {"GetEnvironment", "ListEnvironments", "CreateCliToken"} | ways[contract.transport]
    assert aws_operations_of_the_client() == {
        "get_environment",
        "list_environments",
        "create_cli_token",
        "create_web_login_token",
        "invoke_rest_api",
    }


def test_endpoints_stand_in_the_table_and_requests_are_made_from_it() -> None:
    in_module = [value for value in vars(endpoints).values() if isinstance(value, Endpoint)]
    assert set(in_module) == set(ENDPOINTS)
    makers = {
        (path.name, function.name)
        for path in CLIENT.rglob("*.py")
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef)
        for call in ast.walk(function)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "RestRequest"
    }
    # a path that is not from the table can only be the user's own
    assert makers == {("core.py", "_call"), ("mwaa.py", "_send")}


def is_of(endpoint: Endpoint, method: str, path: str) -> bool:
    return endpoint.method == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", endpoint.path), path) is not None


def aws_operations_of_the_client() -> set[str]:
    """The boto3 methods that client/ names: attributes of the boto client, and the names given to ``_ask_aws``."""
    found = set()
    for path in CLIENT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            owner = node.func.value
            if isinstance(owner, ast.Attribute) and owner.attr == "_boto_client":
                found.add(node.func.attr)
            if node.func.attr == "_ask_aws" and isinstance(node.args[0], ast.Constant):
                found.add(node.args[0].value)
    return found
