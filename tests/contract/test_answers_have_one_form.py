"""The wire answers of the scripted back end and of real Airflows have one form: that of the recorded files.

The files are recorded from real Airflows and nothing else; to write one anew, with its diff to be read:

    RECORD_ANSWERS=1 scripts/test --leg 3.3.1 -- tests/contract/test_answers_have_one_form.py
"""

from __future__ import annotations

import difflib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.contract.calls import CALLS
from tests.contract.environments import Contract
from tests.contract.wire import Wire

RECORDED = Path(__file__).parent / "answers"
#: What the scripted back end says it does not answer (501), by line and call, with the reason.
NOT_SCRIPTED = {
    (2, "no such path"): "it cannot tell a path that no Airflow has from one that it does not know itself",
    (3, "no such path"): "it cannot tell a path that no Airflow has from one that it does not know itself",
    (3, "DAGs, a query that is not known"): "Airflow 3 ignores it; here it may be a filter that is not scripted",
}


def test_answers_have_the_recorded_form(environment: Contract) -> None:
    file = RECORDED / f"airflow-{environment.airflow_version}.json"
    is_recording = environment.is_real and os.environ.get("RECORD_ANSWERS") == "1"
    if not file.exists() and not is_recording:
        pytest.skip(f"no answers of a real Airflow {environment.airflow_version} are recorded")
    calls = [call for call in CALLS if call.major in (None, environment.major)]
    seen = Wire(environment).forms(calls)
    if is_recording:
        file.write_text(as_text(seen))
    unanswered = {name for name, form in seen.items() if form["status"] == 501}
    assert unanswered == (
        set() if environment.is_real else {name for major, name in NOT_SCRIPTED if major == environment.major}
    )
    answered = {name: form for name, form in json.loads(file.read_text()).items() if name not in unanswered}
    assert differences(answered, {name: form for name, form in seen.items() if name not in unanswered}) == ""


def as_text(answers: dict[str, Any]) -> str:
    return json.dumps(answers, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def differences(recorded: dict[str, Any], seen: dict[str, Any]) -> str:
    found = []
    for name in [*recorded, *(name for name in seen if name not in recorded)]:
        texts = [as_text(answers.get(name)).splitlines() for answers in (recorded, seen)]
        if lines := list(difflib.unified_diff(*texts, "recorded", "seen", lineterm="", n=1)):
            found.append("\n".join([f"{name}:", *lines[2:]]))
    return "\n".join(found)
