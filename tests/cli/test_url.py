"""``mwaa url``."""

from __future__ import annotations

import requests

from mwaa_provider.local import LocalMwaa, ScriptedAirflow
from tests.cli.conftest import RunMwaa


def test_the_link_and_nothing_else_and_it_logs_in(
    run: RunMwaa, airflow: ScriptedAirflow, local_mwaa: LocalMwaa
) -> None:
    (environment,) = local_mwaa.environments
    ended = run("url", "production")
    assert (ended.status, ended.stderr) == (0, "")
    link, token = ended.stdout.rstrip("\n").split("#")
    assert link == f"{environment.base_url}/aws_mwaa/aws-console-sso?login=true"

    login = "/aws_mwaa/login" if environment.airflow_line == 2 else "/pluginsv2/aws_mwaa/login"
    answer = requests.post(
        environment.base_url + login, data={"token": token}, verify=str(local_mwaa.ca_file), timeout=10
    )
    assert answer.status_code == 200


def test_an_environment_that_is_not_there(run: RunMwaa) -> None:
    ended = run("url", "gone")
    assert (ended.status, ended.stdout) == (1, "")
    assert ended.stderr.startswith("Error: There is no MWAA environment 'gone' in this account and region")
