"""``mwaa rest``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mwaa_provider.cli.connection import Connection, with_connection
from mwaa_provider.cli.output import print_json
from mwaa_provider.client.rest.raw_pages import WholeList, check_pages

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
    content = None if body is None else _object(body)
    problems = check_pages(method, path, params, content) if all_pages else []
    if problems:
        raise click.UsageError(f"--all: {'; '.join(problems)}")
    client = connection.client(transport)
    if all_pages:
        whole = WholeList()
        for page in client.invoke_rest_api_pages(environment, method, path, params=params, body=content):
            whole.add(page)
        if whole.missing:
            click.echo(f"The list changed while it was read: Airflow counts {whole.total} rows.", err=True)
        answer: Any = whole.answer
    else:
        answer = client.invoke_rest_api(environment, method, path, params=params, body=content).body
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
