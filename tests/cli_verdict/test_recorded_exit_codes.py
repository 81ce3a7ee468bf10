"""The verdict on what real Airflows printed is the one of their exit codes."""

from __future__ import annotations

import pytest

from mwaa_provider.client.cli_answer import trailing_json
from mwaa_provider.client.cli_line import read_line
from mwaa_provider.client.cli_verdict import has_failed
from tests.cli_verdict.samples import FOLDER, Sample, recorded

RELEASES = sorted(file.stem.removeprefix("airflow-") for file in FOLDER.glob("airflow-*.json"))


def wrong(samples: list[Sample], release: str) -> list[str]:
    return [
        f"{sample}: exit code {sample.exit_code}" for sample in samples if _judged(sample, release) != sample.exit_code
    ]


def _judged(sample: Sample, release: str) -> int:
    line, _ = read_line(list(sample.command))
    failed = has_failed(line, sample.stdout, sample.stderr, airflow_version=release)
    return (sample.exit_code or 1) if failed else 0


def test_both_lines_are_recorded() -> None:
    assert {release[0] for release in RELEASES} == {"2", "3"}
    assert {"2.10.3", "3.3.1"} <= set(RELEASES)


@pytest.mark.parametrize("release", RELEASES)
def test_the_exit_code_is_the_judge(release: str) -> None:
    samples = recorded(release)
    assert wrong(samples, release) == []
    assert sum(sample.exit_code != 0 for sample in samples) >= 20
    assert sum(sample.warned for sample in samples) >= 20


@pytest.mark.parametrize("release", RELEASES)
def test_json_is_found_behind_what_real_commands_print_before_it(release: str) -> None:
    asked = [sample for sample in recorded(release) if "json" in sample.command and sample.exit_code == 0]
    assert len(asked) >= 5
    assert [str(sample) for sample in asked if not isinstance(trailing_json(sample.stdout), list)] == []


def test_a_wrong_verdict_would_be_found() -> None:
    turned = [Sample(s.command, s.stdout, s.stderr, 1 - min(s.exit_code, 1)) for s in recorded("3.3.1")]
    assert len(wrong(turned, "3.3.1")) == len(turned)
