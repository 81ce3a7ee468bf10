"""``mwaa rest``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mwaa_provider.cli.connection import Connection, with_connection
from mwaa_provider.cli.output import print_json

if TYPE_CHECKING:
    from mwaa_provider.client.routing import TransportChoice

Params = dict[str, Any]


@click.command()
@click.argument("environment")
@click.argument(
    "method", type=click.Choice(("GET", "POST", "PUT", "PATCH", "DELETE"), case_sensitive=False), metavar="METHOD"
)
@click.argument("path")
@click.option(
    "--param",
    "pairs",
    multiple=True,
    metavar="NAME=VALUE",
    help="A query parameter; repeatable.",
)
@click.option(
    "--body",
    metavar="JSON|@FILE|-",
    help="The body, a JSON object; @ and a file's name, or - for standard input, keep it out of the list of processes.",
)
@click.option(
    "--all",
    "all_pages",
    is_flag=True,
    help="Read a list to its end and print it as one.",
)
@click.option(
    "--transport",
    type=click.Choice(("auto", "iam", "session")),
    default="auto",
    metavar="WAY",
    help="iam (InvokeRestApi), session (a web session), or auto, whichever is open.  [default: auto]",
)
@with_connection
def rest(
    connection: Connection,
    *,
    environment: str,
    method: str,
    path: str,
    pairs: tuple[str, ...],
    body: str | None,
    all_pages: bool,
    transport: TransportChoice,
) -> None:
    """Call Airflow's REST API in ENVIRONMENT and print its answer as JSON.

    PATH is the part below /api/v1 (Airflow 2) or /api/v2 (Airflow 3): the environment knows which it speaks.

    \b
      mwaa rest production GET /dags --param limit=5
      mwaa rest production GET /dags/load/dagRuns --param state=failed --param state=running --all
      mwaa rest production PATCH /dags/load --body '{"is_paused": false}'
      mwaa rest production POST /dags/load/dagRuns --body '{"logical_date": null, "conf": {"day": 31}}'
      mwaa rest production POST /variables --body @variable.json

    GET, PUT, PATCH, DELETE and POST .../list are repeated when they fail for a passing reason. Any other POST is sent once:
    if no answer comes, the exit status is 4, and it may have been carried out.

    IAM: `mwaa policy ENVIRONMENT --action rest`, or session
    """
    method = method.upper()
    if "?" in path:
        raise click.UsageError("PATH: give what stands after the '?' with --param NAME=VALUE")
    params = _params(pairs)
    if all_pages and (method != "GET" or "offset" in params):
        raise click.UsageError("--all goes with GET, and without --param offset=...")
    content = None if body is None else _object(body)
    client = connection.client(transport)

    def call(params: Params) -> Any:
        return client.invoke_rest_api(environment, method, path, params=params, body=content).body

    answer = _every_page(call, params) if all_pages else call(params)
    if answer is not None:
        print_json(answer)


def _params(pairs: tuple[str, ...]) -> Params:
    params: Params = {}
    for pair in pairs:
        name, separator, value = pair.partition("=")
        if not separator or not name:
            raise click.UsageError(f"--param: {pair!r} is not NAME=VALUE")
        params.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in params.items()}


def _object(body: str) -> Any:
    try:
        content = json.loads(_text(body))
    except OSError as error:
        raise click.UsageError(f"--body: {body[1:]}: {error.strerror}") from error
    except ValueError as error:
        raise click.UsageError(f"--body: this is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise click.UsageError("--body: it must be a JSON object, {...}")
    return content


def _text(body: str) -> str:
    if body == "-":
        return sys.stdin.read()
    return Path(body[1:]).read_text(encoding="utf-8") if body.startswith("@") else body


def _every_page(call: Callable[[Params], Any], params: Params) -> Any:
    """Read a list to its end and return the first page's answer with the rows of all of them."""
    whole = call(params)
    rows = _rows(whole)
    page = rows
    while page and len(rows) < whole["total_entries"]:
        page = _rows(call({**params, "offset": len(rows)}))
        rows += page
    return whole


def _rows(answer: Any) -> list[Any]:
    lists = [value for value in answer.values() if isinstance(value, list)] if isinstance(answer, dict) else []
    if len(lists) != 1 or "total_entries" not in answer:
        raise click.UsageError("--all: this answer is not a list with a count (total_entries); leave --all out")
    return lists[0]
