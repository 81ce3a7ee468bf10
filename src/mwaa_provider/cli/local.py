"""``mwaa local``: a local MWAA on the command line."""

from __future__ import annotations

from urllib.parse import urlsplit

import click
from click.core import ParameterSource

from mwaa_provider.cli.wording import message_of
from mwaa_provider.exceptions import MwaaError

POSTGRES_URL_VARIABLE = "MWAA_LOCAL_POSTGRES_URL"


@click.group()
def local() -> None:
    """Run a local MWAA with a real Airflow, without an AWS account."""


@local.command()
@click.option(
    "--airflow-python",
    type=click.Path(),
    help="The bin/python of a virtual environment with Airflow 2.7.2 or later.  [default: the running Python]",
)
@click.option(
    "--name", "names", multiple=True, default=("local",), show_default=True, help="An environment; repeatable."
)
@click.option(
    "--dags-folder",
    type=click.Path(exists=True, file_okay=False),
    help="The DAG files of all environments.  [default: none]",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="The port of the AWS endpoint.  [default: any free one]",
)
@click.option("--region", default="us-east-1", show_default=True, help="The AWS region it plays.")
@click.option("--postgres-binaries", type=click.Path(), help="The folder of a system PostgreSQL's programs to use.")
@click.option(
    "--postgres-url",
    envvar=POSTGRES_URL_VARIABLE,
    help=f"An empty PostgreSQL database to use; '-' asks for it. With a password, put it into {POSTGRES_URL_VARIABLE}.",
)
@click.option("--unpause", is_flag=True, help="Let new DAGs run at once instead of leaving them paused.")
@click.option("--show-login-link", is_flag=True, help="Print a link that logs a browser in; valid for 60 seconds.")
@click.pass_context
def start(
    context: click.Context,
    airflow_python: str | None,
    names: tuple[str, ...],
    dags_folder: str | None,
    port: int,
    region: str,
    postgres_binaries: str | None,
    postgres_url: str | None,
    unpause: bool,
    show_login_link: bool,
) -> None:
    """Start a local MWAA and keep it until Ctrl-C or SIGTERM.

    Exit status: 0 when it was up and was asked to stop; 1 when it could not start or an Airflow process died; 2 for
    wrong options; 130 (Ctrl-C), 143 (SIGTERM) or 129 (SIGHUP) when it was stopped while still starting. No process is
    left in any case.
    """
    from mwaa_provider.cli.local_session import LocalSession

    if len(set(names)) != len(names):
        raise click.UsageError("every --name can be given once only")
    url = _checked_url(postgres_url, context.get_parameter_source("postgres_url"), len(names))
    try:
        session = LocalSession(
            names=names,
            python=airflow_python,
            dags_folder=dags_folder,
            port=port,
            region_name=region,
            postgres_binaries=postgres_binaries,
            postgres_url=url,
            unpause=unpause,
            show_login_link=show_login_link,
        )
        context.exit(session.run())
    except ImportError as error:
        raise click.ClickException(
            f"{error.name} is not installed: pip install 'airflow-provider-mwaa[local]'"
        ) from error
    except MwaaError as error:
        raise click.ClickException(message_of(error)) from error
    except OSError as error:
        raise click.ClickException(str(error)) from error


def _checked_url(url: str | None, source: ParameterSource | None, environments: int) -> str | None:
    if url is None:
        return None
    if environments > 1:
        raise click.UsageError("--postgres-url names one database, so it goes with one --name only")
    if url == "-":
        return str(click.prompt("URL of an empty PostgreSQL database", hide_input=True))
    if source is ParameterSource.COMMANDLINE and urlsplit(url).password:
        raise click.UsageError(
            f"--postgres-url holds a password, which everybody on this machine could read; "
            f"put the URL into the environment variable {POSTGRES_URL_VARIABLE}, or give '-' to be asked for it"
        )
    return url
