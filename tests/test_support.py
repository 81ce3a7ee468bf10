"""The tests' own tools do what they say."""

from __future__ import annotations

import os
import socket

import pytest

from tests.support.dag_runs import _file_for
from tests.support.network import NetworkBlockedError

DAG_OF_TWO = """
    import os
    from datetime import datetime

    try:
        from airflow.sdk import DAG, task
    except ImportError:
        from airflow import DAG
        from airflow.decorators import task

    with DAG("dag_of_two", start_date=datetime(2024, 1, 1), schedule=None, catchup=False) as dag:

        @task
        def give(params=None, dag_run=None):
            print("the task speaks")
            return {"conf": dag_run.conf, "greeting": os.environ["GREETING"], "home": os.environ["AIRFLOW_CONN_HOME"]}

        @task(retries=0)
        def fail(what):
            raise ValueError(f"it was {what['greeting']}")

        @task
        def double(number):
            return 2 * number

        double.expand(number=[1, 2])
        fail(give())
"""


@pytest.mark.patient
def test_a_dag_runs_for_real(run_dag):
    outcome = run_dag(
        DAG_OF_TWO, connections={"home": "http://127.0.0.1:1"}, environment={"GREETING": "hello"}, conf={"answer": 42}
    )
    assert (outcome.state, outcome.tasks) == (
        "failed",
        {"give": "success", "fail": "failed", "double[0]": "success", "double[1]": "success"},
    )
    assert outcome.xcoms == {
        "give": {"return_value": {"conf": {"answer": 42}, "greeting": "hello", "home": "http://127.0.0.1:1"}},
        "double[0]": {"return_value": 2},
        "double[1]": {"return_value": 4},
    }
    assert "the task speaks" in outcome.log
    assert "ValueError: it was hello" in outcome.log


def dag_from_a_function():
    return "what the function made"


def test_a_dag_may_come_from_a_function():
    namespace: dict[str, object] = {}
    exec(_file_for(dag_from_a_function), namespace)
    assert namespace["dag"] == "what the function made"
    with pytest.raises(ValueError, match="put it at the top of its module"):
        _file_for(lambda: None)


def test_a_dag_that_does_not_parse_is_told_apart_from_one_that_failed(run_dag):
    with pytest.raises(AssertionError, match="no_such_module"):
        run_dag("import no_such_module")


def test_nothing_leaves_this_machine():
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as connection:
        with pytest.raises(NetworkBlockedError, match=r"192\.0\.2\.1"):
            connection.connect(("192.0.2.1", 443))
        with pytest.raises(NetworkBlockedError, match=r"192\.0\.2\.1"):
            connection.connect_ex(("192.0.2.1", 443))
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection,
        pytest.raises(NetworkBlockedError, match=r"192\.0\.2\.1"),
    ):
        connection.sendto(b"x", ("192.0.2.1", 53))
    with pytest.raises(NetworkBlockedError, match="example"):
        socket.create_connection(("mwaa.example", 443))


def test_this_machine_is_reached():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        pass


def test_no_account_and_no_home_of_the_user():
    assert os.environ["AWS_ACCESS_KEY_ID"] == "testing"
    assert not os.path.exists(os.environ["AWS_CONFIG_FILE"])
    assert os.environ["AIRFLOW_HOME"].startswith("/tmp/mwaa-tests-")
