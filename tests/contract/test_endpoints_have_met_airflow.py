"""Nothing that client/ calls may be known from documentation only: each endpoint and each AWS operation must be in the journal of one
scenario, and on the default legs that scenario runs against a real Airflow.
"""

from __future__ import annotations

import ast
import re
import uuid
from pathlib import Path

import mwaa_provider.client
from mwaa_provider.client import rest
from mwaa_provider.client.rest import Endpoint
from tests.contract.environments import NAME, Contract

CLIENT = Path(mwaa_provider.client.__file__).parent


def scenario(contract: Contract) -> None:
    """Call every method of the client that leads to an endpoint. A new endpoint needs a line here."""
    client, run_id = contract.client(), f"contract-{uuid.uuid4().hex}"
    assert client.list_environments() == [NAME]
    client.create_cli_token(NAME)
    client.get_dag(NAME, "contract_quick")
    client.trigger_dag_run(NAME, "contract_quick", run_id=run_id)
    contract.wait(client, "contract_quick", run_id)
    client.clear_dag_run(NAME, "contract_quick", run_id)


def test_every_endpoint_answers(contract: Contract) -> None:
    scenario(contract)
    met = [entry for entry in contract.mwaa.journal.entries(is_rest=True) if entry.backend_call and entry.status == 200]
    not_met = [
        endpoint for endpoint in rest.ENDPOINTS if not any(is_of(endpoint, entry.method, entry.path) for entry in met)
    ]
    assert not_met == []


def test_every_aws_operation_is_answered(contract: Contract) -> None:
    scenario(contract)
    seen = {entry.operation for entry in contract.mwaa.journal.entries(surface="control")}
    seen |= {"InvokeRestApi" for _ in contract.mwaa.journal.entries(transport="iam")}
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
    in_module = {value for value in vars(rest).values() if isinstance(value, Endpoint)}
    assert in_module == set(rest.ENDPOINTS)
    makers = {
        (path.name, function.name)
        for path in CLIENT.rglob("*.py")
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef)
        for call in ast.walk(function)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "RestRequest"
    }
    # a path that is not from the table can only be the user's own
    assert makers == {("rest.py", "_call"), ("mwaa.py", "invoke_rest_api")}


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
