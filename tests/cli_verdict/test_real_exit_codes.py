"""The verdict on what the installed Airflow's commands print, through the CLI endpoint, is the one of their exit codes.

    RECORD_CLI=1 scripts/test --leg 3.3.1 -- tests/cli_verdict/test_real_exit_codes.py -m slow

writes down what they print; read the diff. What was written down is held on every release by ``test_recorded_exit_codes.py``: a
hundred live commands take minutes, so they run on three releases: the first, and each line's one that most tests run on.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config

from mwaa_provider.client.mwaa import MwaaClient
from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.local import CliAnswer, LocalMwaa
from tests.cli_verdict.cases import commands
from tests.cli_verdict.samples import Sample, record

JUDGED_LIVE = ("2.7.2", "2.10.3", "3.3.1")
pytestmark = [
    pytest.mark.real_airflow,
    pytest.mark.slow,
    pytest.mark.skipif(
        version("apache-airflow") not in JUDGED_LIVE, reason=f"a hundred live commands run on {', '.join(JUDGED_LIVE)}"
    ),
]
DAGS = Path(__file__).parent / "dags"


@pytest.fixture
def airflow() -> Iterator[tuple[Any, MwaaClient]]:
    from mwaa_provider.local.real import RealAirflow

    class Judge(RealAirflow):
        """Keeps the last command's exit code, which MWAA does not give."""

        answer: CliAnswer | None = None

        def cli(self, arguments: list[str]) -> CliAnswer:
            self.answer = super().cli(arguments)
            return self.answer

    with LocalMwaa() as mwaa:
        judge = Judge(dags_folder=DAGS)
        mwaa.create_environment("judged", judge)
        for dag_id in ("cli_daily", "cli_quick", "cli_fails", "cli_to_delete"):
            judge.wait_for_dag(dag_id, timeout=120)
        yield (
            judge,
            MwaaClient(
                session=mwaa.boto3_session(),
                endpoint_url=mwaa.endpoint_url,
                botocore_config=Config(inject_host_prefix=False),
                verify=str(mwaa.ca_file),
            ),
        )


def test_the_exit_code_is_the_judge(airflow: tuple[Any, MwaaClient]) -> None:
    judge, client = airflow
    samples, wrong = [], []
    for command in commands(judge.airflow_version):
        judge.answer = None
        try:
            has_failed = client.run_cli("judged", list(command), check=False, is_idempotent=False).has_failed
        except InvalidInputError:  # it would ask, or MWAA does not take it: asked past the client, for the records
            has_failed = None
            judge.cli(list(command))
        answer = judge.answer
        assert answer is not None, command
        samples.append(Sample(command, answer.stdout, answer.stderr, answer.exit_code))
        print(answer.exit_code, command, file=sys.stderr)
        if has_failed is not None and has_failed != (answer.exit_code != 0):
            wrong.append(samples[-1])
    assert wrong == []
    assert sum(sample.exit_code != 0 for sample in samples) >= 20
    assert sum(sample.exit_code == 0 for sample in samples) >= 20
    assert sum(sample.warned for sample in samples) >= 20
    if os.environ.get("RECORD_CLI") == "1":
        record(judge.airflow_version, samples)
