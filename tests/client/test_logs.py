"""What a task said, from every form in which it is told, and the end of it."""

from __future__ import annotations

import pytest

from mwaa_provider.client.rest.logs import LogPage, page
from mwaa_provider.exceptions import InvalidInputError, RestApiServerError
from mwaa_provider.local import Fault, LocalMwaa, ScriptedAirflow
from tests.client.conftest import MakeClient

#: Real ones, of Airflow 2.10.3; their payloads are {"end_of_log":true,"log_pos":9388} and {"end_of_log":false,"log_pos":1}.
END = "eyJlbmRfb2ZfbG9nIjp0cnVlLCJsb2dfcG9zIjo5Mzg4fQ.Oq2rYJJ5-PLr3LIk_ZB5xq8cfDk"
GOES_ON = "eyJlbmRfb2ZfbG9nIjpmYWxzZSwibG9nX3BvcyI6MX0.Oq2rYJJ5-PLr3LIk_ZB5xq8cfDk"
#: The same compressed, as itsdangerous writes a long one: what it says is not known.
UNKNOWN = ".eJyrVkrNS4nPT4vPyU9Xsiopr_VRVbIqKSpNAgCDSAiC.sig"


@pytest.mark.parametrize(
    ("content", "token", "expected"),
    [
        ("[('host', 'first\\nsecond \\'quoted\\'\\n')]", END, LogPage("first\nsecond 'quoted'\n", None)),
        ("[('one', 'first'), ('two', \"it's\")]", GOES_ON, LogPage("first\nit's", GOES_ON)),
        ("[(None, '')]", UNKNOWN, LogPage("", UNKNOWN)),
        ("no list [('", END, LogPage("no list [('", None)),
        ("[1, 2]", END, LogPage("[1, 2]", None)),
        ([], None, LogPage("", None)),
        (["a line", "another"], None, LogPage("a line\nanother", None)),
    ],
    ids=["one host", "two hosts", "nothing", "no list", "another list", "no messages", "lines"],
)
def test_forms_of_a_log(content: object, token: str | None, expected: LogPage) -> None:
    assert page({"content": content, "continuation_token": token}) == expected


def test_a_log_that_is_plain_text() -> None:
    assert page("host\n*** Found local files:\nfirst") == LogPage("host\n*** Found local files:\nfirst", None)


def test_messages_with_fields_become_lines_and_errors_python_s_own_words() -> None:
    """As recorded from Airflow 3.3.1, with a cause, as structlog writes one."""
    frame = {"filename": "/dags/load.py", "lineno": 46, "name": "fail"}
    error = {
        "exc_type": "RuntimeError",
        "exc_value": "no",
        "exc_notes": [],
        "is_cause": False,
        "frames": [frame, frame],
    }
    cause = {"exc_type": "OSError", "exc_value": "disk", "exc_notes": [], "is_cause": True, "frames": [frame]}
    content = [
        {"event": "::group::Log message source details"},
        {"event": "/logs/attempt=1.log"},
        {"event": "::endgroup::"},
        {"timestamp": "2026-11-23T22:15:01Z", "event": "Filling up the DagBag", "level": "info", "lineno": 460},
        {"timestamp": "2026-11-23T22:15:02Z", "event": "Task failed", "level": "error", "error_detail": [error, cause]},
        {"timestamp": "2026-11-23T22:15:03Z", "event": "Mine", "error_detail": "my own field"},
        {"timestamp": "2026-11-23T22:15:04Z", "event": "Mine too", "level": "warning", "error_detail": ["odd"]},
    ]
    assert page({"content": content, "continuation_token": None}).text.splitlines() == [
        "/logs/attempt=1.log",
        "[2026-11-23T22:15:01Z] INFO - Filling up the DagBag",
        "[2026-11-23T22:15:02Z] ERROR - Task failed",
        "Traceback (most recent call last):",
        '  File "/dags/load.py", line 46, in fail',
        "OSError: disk",
        "Traceback (most recent call last):",
        '  File "/dags/load.py", line 46, in fail',
        '  File "/dags/load.py", line 46, in fail',
        "RuntimeError: no",
        "[2026-11-23T22:15:03Z] INFO - Mine",
        "[2026-11-23T22:15:04Z] WARNING - Mine too",
        "odd",
    ]


def test_the_end_of_a_log(airflow: ScriptedAirflow, make_client: MakeClient) -> None:
    client = make_client()
    airflow.add_run("load", "mine", state="running")
    lines = [f"line {at:04}" for at in range(1000)]
    airflow.set_task_log("load", "mine", "work", "\n".join(lines))

    def end(tail: int) -> list[str]:
        said = client.get_task_log("target", "load", "mine", "work", try_number=1, tail=tail)
        assert len(said) <= tail
        return [line[-9:] for line in said.splitlines()]

    assert end(100_000)[-1000:] == lines
    default = client.get_task_log("target", "load", "mine", "work", try_number=1)
    assert 3900 < len(default) <= 4000
    assert end(4000)[-50:] == lines[-50:]
    assert end(9) == ["line 0999"]
    assert end(4) == ["0999"]


def test_a_log_in_parts_is_followed_to_its_end(
    airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client: MakeClient
) -> None:
    client = make_client(transport="session")
    airflow.add_run("load", "mine", state="running")
    parts = [("first", GOES_ON), ("second", GOES_ON), ("", GOES_ON)]
    for text, token in parts:
        content = str([("host", text)])
        local_mwaa.faults.add(Fault.answer(200, {"content": content, "continuation_token": token}, path="*/logs/1"))
    local_mwaa.faults.add(Fault.answer(502, path="*/logs/1"))
    assert client.get_task_log("target", "load", "mine", "work", try_number=1) == "first\nsecond"
    asked = [entry.query for entry in local_mwaa.journal.entries(is_rest=True)]
    assert asked == [{}, {"token": GOES_ON}, {"token": GOES_ON}]
    assert len(local_mwaa.faults.pending()) == 1


def test_a_part_that_fails_for_a_moment_is_asked_for_again(
    airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client: MakeClient
) -> None:
    airflow.add_run("load", "mine", state="running")
    airflow.set_task_log("load", "mine", "work", "all is well")
    local_mwaa.faults.add(Fault.answer(502, path="*/logs/1", times=2))
    assert make_client().get_task_log("target", "load", "mine", "work", try_number=1).endswith("all is well")
    local_mwaa.faults.add(Fault.answer(502, path="*/logs/1", times=None))
    with pytest.raises(RestApiServerError):
        make_client().get_task_log("target", "load", "mine", "work", try_number=1)


def test_tries_have_logs_of_their_own(airflow: ScriptedAirflow, make_client: MakeClient) -> None:
    airflow.add_run("load", "mine", state="running")
    airflow.set_task_state("load", "mine", "work", "up_for_retry")
    airflow.set_task_log("load", "mine", "work", "the first failed")
    airflow.set_task_state("load", "mine", "work", "running")
    airflow.set_task_state("load", "mine", "work", "failed")
    client = make_client()
    first, second = (client.get_task_log("target", "load", "mine", "work", try_number=at) for at in (1, 2))
    assert first.endswith("the first failed")
    assert second.endswith("Task failed with exception")


def test_problems_of_a_log_are_told_at_once(make_client: MakeClient) -> None:
    with pytest.raises(InvalidInputError) as caught:
        make_client().get_task_log("1", "a/b", "", "..", try_number=0, map_index=-2, tail=True)
    fields = [problem.split(":")[0] for problem in caught.value.problems]
    assert fields == ["environment_name", "dag_id", "run_id", "task_id", "map_index", "try_number", "tail"]
