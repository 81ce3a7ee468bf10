"""What the subcommands that check files share: their options, how findings are printed, the exit status."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from mwaa_provider.cli.exit_status import ERRORS_FOUND, WARNINGS_FOUND
from mwaa_provider.cli.output import print_json
from mwaa_provider.packaging.findings import worst
from mwaa_provider.packaging.releases import RELEASES, Release, release_of
from mwaa_provider.packaging.rules import RULES, Severity

if TYPE_CHECKING:
    from mwaa_provider.packaging.findings import Finding

_NEWEST = list(RELEASES)[-1]


def release_options(*, required: bool) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command the options that say which release it is about.

    :param required: Whether a release must be named.
    """

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        command = click.option(
            "--python", metavar="VERSION", help="Its Python, for a release that this command does not know yet."
        )(command)
        return click.option(
            "--airflow", required=required, metavar="RELEASE", help=f"The environment's Airflow, such as {_NEWEST}."
        )(command)

    return add


def finding_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say what becomes of findings.

    :param command: The command's function.
    """
    command = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")(command)
    command = click.option("--strict", is_flag=True, help="End with status 6 if there are warnings, too.")(command)
    return click.option(
        "--ignore",
        "ignored",
        multiple=True,
        metavar="ID",
        callback=_ids,
        help="Leave findings of this kind out; repeatable.",
    )(command)


def chosen_release(airflow: str | None, python: str | None) -> Release | None:
    """Return the release that the options name; ``None`` if they name none.

    :param airflow: The release.
    :param python: Its Python.
    :raises InvalidInputError: It is not known.
    """
    if airflow is None and python is not None:
        raise click.UsageError("--python goes with --airflow")
    return None if airflow is None else release_of(airflow, python)


def report(context: click.Context, findings: Sequence[Finding], *, as_json: bool, strict: bool) -> None:
    """Print findings, and end with the status that tells the worst of them.

    :param context: The command's context.
    :param findings: The findings, in their order.
    :param as_json: Whether to print JSON.
    :param strict: Whether warnings make a status of their own.
    """
    counts = {severity: sum(finding.severity is severity for finding in findings) for severity in Severity}
    if as_json:
        print_json(
            {
                "findings": [finding.as_dict() for finding in findings],
                **{f"{severity.value}s": count for severity, count in counts.items()},
            }
        )
    else:
        for finding in findings:
            click.echo(str(finding))
    click.echo(_summary(counts), err=True)
    found = worst(findings)
    if found is Severity.ERROR:
        context.exit(ERRORS_FOUND)
    if found is Severity.WARNING and strict:
        context.exit(WARNINGS_FOUND)


def _summary(counts: dict[Severity, int]) -> str:
    parts = [f"{count} {severity.value}{'' if count == 1 else 's'}" for severity, count in counts.items()]
    return f"{', '.join(parts)}."


def _ids(context: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    if unknown := [one for one in given if one not in RULES]:
        raise click.BadParameter(f"there is no kind of finding {unknown[0]!r}", context, parameter)
    return given
