"""MwaaImportVariablesOperator: files from disk and S3, what is logged, what fails, and that a retry does the rest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mwaa_provider.exceptions import InvalidInputError, SettingsNotImportedError
from mwaa_provider.local import Fault, LocalMwaa, ScriptedAirflow
from mwaa_provider.operators.variables import MwaaImportVariablesOperator
from tests.support.played import CONN_ID, play
from tests.support.s3 import BUCKET, started_s3


@pytest.fixture(params=["2.9.2", "3.3.1"])
def target(request: pytest.FixtureRequest, local_mwaa: LocalMwaa, monkeypatch: pytest.MonkeyPatch) -> ScriptedAirflow:
    airflow = ScriptedAirflow(request.param)
    play(airflow, local_mwaa, monkeypatch)
    return airflow


class Said:
    """What a task logged; Airflow 3 does not let pytest see it."""

    def __init__(self) -> None:
        self.text = ""

    def info(self, message: str, *arguments: Any) -> None:
        self.text += message % arguments + "\n"

    error = info

    def warning(self, message: str, *arguments: Any) -> None:
        """Airflow's own, that a test calls execute."""


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Said:
    said = Said()
    monkeypatch.setattr(MwaaImportVariablesOperator, "log", said)
    return said


def operator(file: Any, **arguments: Any) -> MwaaImportVariablesOperator:
    defaults = {"task_id": "bring", "environment_name": "target", "file": file, "aws_conn_id": CONN_ID}
    return MwaaImportVariablesOperator(**{**defaults, **arguments})


def written(tmp_path: Path, content: Any) -> str:
    (tmp_path / "variables.json").write_text(json.dumps(content))
    return str(tmp_path / "variables.json")


def counts(**given: int) -> dict[str, int]:
    nothing = dict.fromkeys(("create", "update", "overwrite", "keep", "delete", "failed", "not_tried"), 0)
    return {**nothing, **given}


def test_a_file_on_disk(target: ScriptedAirflow, tmp_path: Path, said: Said) -> None:
    target.set_variable("old", "1")
    target.set_variable("b", "before")
    file = written(tmp_path, {"a": {"x": "tell-nobody"}, "b": "after", "c": "tell-nobody"})
    assert operator(file, prune_prefix="o").execute({}) == counts(create=2, update=1, delete=1)
    assert target.variables() == {"a": '{"x": "tell-nobody"}', "b": "after", "c": "tell-nobody"}
    assert said.text == (
        "Variable a: create -> ***\nVariable b: update *** -> ***\nVariable c: create -> ***\nVariable old: delete \n"
    )
    assert operator(file).execute({}) == counts(keep=3)


def test_a_dry_run(target: ScriptedAirflow, tmp_path: Path, said: Said) -> None:
    assert operator(written(tmp_path, {"a": 1}), dry_run=True, prune_prefix="").execute({}) == counts(create=1)
    assert (target.variables(), said.text) == ({}, "Variable a: would create -> ***\n")


def test_a_file_in_s3_by_a_connection_of_its_own(target: ScriptedAirflow, monkeypatch: pytest.MonkeyPatch) -> None:
    with started_s3() as s3:
        s3.client.put_object(Bucket=BUCKET, Key="v.yml", Body="grüße: [1, zwei]\n".encode())
        extra = {"endpoint_url": s3.endpoint_url, "region_name": "eu-west-1"}
        monkeypatch.setenv("AIRFLOW_CONN_BUCKETS", json.dumps({"conn_type": "aws", "extra": extra}))
        task = operator(f"s3://{BUCKET}/v.yml", s3_conn_id="buckets")
        assert task.execute({}) == counts(create=1)
    assert target.variables() == {"grüße": '[1, "zwei"]'}


def test_one_that_fails_fails_the_task_and_a_retry_does_the_rest(
    target: ScriptedAirflow, local_mwaa: LocalMwaa, tmp_path: Path, said: Said
) -> None:
    local_mwaa.faults.add(Fault.answer(400, {"detail": "tell-nobody!"}, operation="rest", method="POST"))
    task = operator(written(tmp_path, {"a": "tell-nobody", "b": "2"}))
    with pytest.raises(SettingsNotImportedError) as caught:
        task.execute({})
    assert (list(caught.value.failed), target.variables()) == (["a"], {"b": "2"})
    assert "Variable a: create failed" in said.text
    assert "tell-nobody" not in f"{said.text}{caught.value}{caught.value.facts}"
    assert task.execute({}) == counts(create=1, keep=1)


def test_all_problems_at_once(target: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
    with pytest.raises(InvalidInputError) as caught:
        operator("s3://bucket", environment_name="9").execute({})
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["environment_name", "file"]
    assert local_mwaa.journal.count() == 0
