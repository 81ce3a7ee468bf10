from __future__ import annotations

import json
import socket
import threading

import boto3
import botocore
import pytest
import requests

from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.local import BackendAnswer, Identity, LocalMwaa, ScriptedAirflow
from tests.local.callers import Web, boto3_client


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def port_of(address: str) -> int:
    return int(address.rsplit(":", 1)[1])


def test_environment_has_the_agreed_names(mwaa, env, airflow):
    assert env.name == "target"
    assert env.host.startswith("127.0.0.1:")
    assert env.base_url == f"https://{env.host}"
    assert env.backend is airflow
    assert env.status == "AVAILABLE"
    assert env.arn == "arn:aws:airflow:us-east-1:123456789012:environment/target"
    assert mwaa.environments == (env,)


def test_it_listens_on_the_loopback_only(mwaa, env):
    for port in (port_of(mwaa.endpoint_url), port_of(env.host)):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.2", port)) != 0


def test_stop_leaves_no_thread_and_no_open_port():
    threads = set(threading.enumerate())
    mwaa = LocalMwaa()
    env = mwaa.create_environment("target", ScriptedAirflow("3.3.1"))
    client, web = boto3_client(mwaa), Web(mwaa, env)
    client.get_environment(Name="target")
    web("GET", "/health")
    idle = socket.create_connection(("127.0.0.1", port_of(env.host)))
    ports = [port_of(mwaa.endpoint_url), port_of(env.host)]
    ca_file = mwaa.ca_file
    assert all(is_open(port) for port in ports)

    mwaa.stop()
    mwaa.stop()

    assert [is_open(port) for port in ports] == [False, False]
    assert set(threading.enumerate()) <= threads
    assert not ca_file.parent.exists()
    idle.close()


def test_stop_ends_connections_that_are_only_just_coming_in():
    threads = set(threading.enumerate())
    for _ in range(25):
        mwaa = LocalMwaa()
        port = port_of(mwaa.create_environment("target", ScriptedAirflow("3.3.1")).host)
        coming = [socket.create_connection(("127.0.0.1", port)) for _ in range(6)]
        mwaa.stop()
        assert set(threading.enumerate()) <= threads
        for connection in coming:
            connection.close()


def test_port_in_use_is_named(mwaa):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        expected = f"port {port} on 127.0.0.1 is in use by another process; choose another port, or 0 for any free one"
        with pytest.raises(InvalidInputError) as control_plane:
            LocalMwaa(port=port)
        with pytest.raises(InvalidInputError) as web_server:
            mwaa.create_environment("target", ScriptedAirflow("3.3.1"), port=port)

    assert control_plane.value.problems == web_server.value.problems == (expected,)
    assert mwaa.environments == ()
    assert mwaa.create_environment("target", ScriptedAirflow("3.3.1")).status == "AVAILABLE"


def test_port_that_does_not_exist():
    with pytest.raises(InvalidInputError, match="port 70000 does not exist"):
        LocalMwaa(port=70000)


def test_given_ports_are_taken():
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        control, web = one.getsockname()[1], two.getsockname()[1]
    with LocalMwaa(port=control) as mwaa:
        env = mwaa.create_environment("target", ScriptedAirflow("3.3.1"), port=web)
        assert (mwaa.endpoint_url, env.host) == (f"http://127.0.0.1:{control}", f"127.0.0.1:{web}")


def test_a_silent_client_does_not_block_others(mwaa, env):
    silent = [socket.create_connection(("127.0.0.1", port_of(env.host))) for _ in range(3)]

    assert Web(mwaa, env).rest("GET", "/version").status_code == 200

    for connection in silent:
        connection.setblocking(False)
        with pytest.raises(BlockingIOError):  # still open: nobody had to be let go before the other was answered
            connection.recv(1)
        connection.close()


def test_a_failed_start_leaves_nothing(mwaa, client):
    seen = []

    class Broken(ScriptedAirflow):
        def start(self, environment_name, base_url):
            seen.append((environment_name, base_url, client.get_environment(Name="target")["Environment"]["Status"]))
            raise RuntimeError("no database")

        def stop(self):
            seen.append("stopped")

    threads = threading.active_count()
    with pytest.raises(RuntimeError, match="no database"):
        mwaa.create_environment("target", Broken("3.3.1"))

    (name, base_url, status), stopped = seen
    assert (name, status, stopped) == ("target", "CREATING", "stopped")
    assert not is_open(port_of(base_url))
    assert threading.active_count() <= threads + 1
    assert mwaa.environments == ()
    assert mwaa.create_environment("target", ScriptedAirflow("3.3.1")).name == "target"


def test_environments_are_created_in_parallel(mwaa):
    together = threading.Barrier(3)

    class Slow(ScriptedAirflow):
        def start(self, environment_name, base_url):
            together.wait(20)

    threads = [threading.Thread(target=mwaa.create_environment, args=(name, Slow("3.3.1"))) for name in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(env.name for env in mwaa.environments) == ["a", "b", "c"]
    assert {env.status for env in mwaa.environments} == {"AVAILABLE"}


def test_a_name_is_taken_once(mwaa, env):
    with pytest.raises(InvalidInputError, match="environment 'target' exists already"):
        mwaa.create_environment("target", ScriptedAirflow("3.3.1"))
    assert mwaa.environments == (env,)


def test_a_name_the_service_would_refuse(mwaa):
    with pytest.raises(InvalidInputError, match=r"environment name 'no\.dots' is none that MWAA takes"):
        mwaa.create_environment("no.dots", ScriptedAirflow("3.3.1"))


def test_delete_environment(mwaa, env, client):
    port = port_of(env.host)
    mwaa.delete_environment("target")

    assert not is_open(port)
    assert client.list_environments()["Environments"] == []
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_environment(Name="target")
    with pytest.raises(InvalidInputError, match="environment 'target' does not exist"):
        mwaa.delete_environment("target")


def test_one_back_end_that_does_not_stop_does_not_keep_the_rest():
    class Stubborn(ScriptedAirflow):
        def stop(self):
            raise RuntimeError("will not")

    mwaa = LocalMwaa()
    envs = [mwaa.create_environment("a", Stubborn("3.3.1")), mwaa.create_environment("b", ScriptedAirflow("3.3.1"))]
    ports = [port_of(mwaa.endpoint_url), *(port_of(env.host) for env in envs)]

    with pytest.raises(RuntimeError, match="will not"):
        mwaa.stop()
    assert [is_open(port) for port in ports] == [False, False, False]


def test_a_back_end_that_breaks_is_a_500(mwaa, client, caplog):
    class Broken(ScriptedAirflow):
        def page(self, request):
            raise ValueError("oops")

    web = Web(mwaa, mwaa.create_environment("target", Broken("2.10.3")))
    answer = web("GET", "/health")

    assert (answer.status_code, answer.json()) == (
        500,
        {"message": "The local MWAA failed; its log has the reason."},
    )
    assert "oops" in caplog.text
    assert (mwaa.journal.entries()[-1].status, mwaa.journal.entries()[-1].backend_call) == (500, True)


def test_airflow_connection(mwaa):
    assert mwaa.airflow_connection(Identity("VIEWER", airflow_role="Viewer")) == {
        "conn_type": "aws",
        "login": "VIEWER",
        "password": "local-mwaa-does-not-verify-signatures",
        "extra": {
            "region_name": "us-east-1",
            "endpoint_url": mwaa.endpoint_url,
            "verify": str(mwaa.ca_file),
            "config_kwargs": {"inject_host_prefix": False},
        },
    }
    assert mwaa.identities.get("VIEWER").airflow_role == "Viewer"
    assert json.dumps(mwaa.airflow_connection())


def test_environment_variables(mwaa, env, monkeypatch):
    variables = mwaa.environment_variables(Identity("VIEWER", airflow_role="Viewer"))
    assert variables == {
        "AWS_ENDPOINT_URL_MWAA": mwaa.endpoint_url,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "VIEWER",
        "AWS_SECRET_ACCESS_KEY": "local-mwaa-does-not-verify-signatures",
        "AWS_CA_BUNDLE": str(mwaa.ca_file),
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
    }
    assert mwaa.identities.get("VIEWER").airflow_role == "Viewer"
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    if tuple(map(int, botocore.__version__.split(".")[:2])) < (1, 36):
        pytest.skip("this release's boto3 puts api. before any address")
    assert boto3.client("mwaa").list_environments()["Environments"] == [env.name]


def test_http_details(mwaa, env, line):
    session = requests.Session()
    session.trust_env = False
    verify = str(mwaa.ca_file)

    def chunks():
        yield b"token="
        yield b"x"

    path = {2: "/aws_mwaa/login", 3: "/pluginsv2/aws_mwaa/login"}[line]
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    chunked = session.post(env.base_url + path, data=chunks(), headers=kind, verify=verify, timeout=30)
    head = session.head(env.base_url + "/aws_mwaa/aws-console-sso", verify=verify, timeout=30)
    wrong_method = session.get(env.base_url + path, verify=verify, timeout=30)

    assert chunked.json() == {"error": "The web login token is not one of this environment."}
    assert (head.status_code, head.text) == (200, "")
    assert int(head.headers["Content-Length"]) > 100
    assert (wrong_method.status_code, wrong_method.headers["Allow"]) == (405, "POST")


def test_headers_of_the_back_end_travel(mwaa, client):
    class Redirecting(ScriptedAirflow):
        def page(self, request):
            return BackendAnswer(302, headers=(("Location", "/home"),))

    web = Web(mwaa, mwaa.create_environment("target", Redirecting("2.10.3")))
    answer = web("GET", "/health")

    assert (answer.status_code, answer.headers["Location"]) == (302, "/home")


def test_the_fixture_gives_a_started_service(local_mwaa):
    local_mwaa.create_environment("target", ScriptedAirflow("3.3.1"))

    assert boto3_client(local_mwaa).list_environments()["Environments"] == ["target"]
