"""Proxies, certificates and hosts: what is said once holds for AWS and for the web server alike."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.config import Config

from mwaa_provider.client.mwaa import MwaaClient
from mwaa_provider.exceptions import ConnectionFailedError, InvalidInputError
from mwaa_provider.local import Fault, LocalMwaa, ScriptedAirflow
from tests.support.proxies import Proxy, http_proxy, socks_proxy


def port_of(address: str) -> int:
    return int(address.rsplit(":", 1)[1])


@pytest.fixture(params=["http", "socks5h"])
def proxy(request: pytest.FixtureRequest) -> Iterator[tuple[str, Proxy]]:
    if request.param == "socks5h":
        pytest.importorskip("socks", reason="PySocks (requests[socks]) is not installed")
    with (http_proxy if request.param == "http" else socks_proxy)() as proxy:
        yield f"{request.param}://127.0.0.1:{proxy.port}", proxy


def test_one_proxy_leads_to_aws_and_to_the_web_server(
    airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client, proxy: tuple[str, Proxy]
) -> None:
    address, server = proxy
    client = make_client(transport="session", proxies={"http": address, "https": address})
    run = client.trigger_dag_run("target", "load", run_id="through_a_proxy", conf={"é": "ü"})
    assert run.conf == {"é": "ü"}
    [environment] = local_mwaa.environments
    assert set(server.asked_for) == {
        ("127.0.0.1", port_of(local_mwaa.endpoint_url)),
        ("127.0.0.1", port_of(environment.host)),
    }


def test_the_proxies_of_botocores_configuration_lead_there_too(
    airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client, proxy: tuple[str, Proxy]
) -> None:
    address, server = proxy
    config = Config(inject_host_prefix=False, proxies={"http": address, "https": address})
    make_client(transport="session", botocore_config=config).get_dag("target", "load")
    assert {port for _, port in server.asked_for} == {
        port_of(local_mwaa.endpoint_url),
        port_of(local_mwaa.environments[0].host),
    }


def test_a_socks_proxy_of_the_process_leads_there_too(
    airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("socks", reason="PySocks (requests[socks]) is not installed")
    with socks_proxy() as server:
        monkeypatch.setenv("NO_PROXY", "")
        for scheme in ("HTTP", "HTTPS"):
            monkeypatch.setenv(f"{scheme}_PROXY", f"socks5h://127.0.0.1:{server.port}")
        make_client(transport="session").get_dag("target", "load")
        assert len(set(server.asked_for)) == 2


def test_errors_of_aws_come_through_socks_as_they_are(
    airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client
) -> None:
    pytest.importorskip("socks", reason="PySocks (requests[socks]) is not installed")
    with socks_proxy() as server:
        address = f"socks5h://127.0.0.1:{server.port}"
        client = make_client(proxies={"http": address, "https": address})
        local_mwaa.faults.add(Fault.lose_answer(operation="GetEnvironment"), Fault.throttle(operation="GetEnvironment"))
        assert client.get_environment("target").name == "target"
        assert [entry.error_code for entry in local_mwaa.journal.entries()] == [None, "ThrottlingException", None]


def test_a_socks_proxy_that_is_not_there(local_mwaa: LocalMwaa, make_client) -> None:
    pytest.importorskip("socks", reason="PySocks (requests[socks]) is not installed")
    client = make_client(proxies={"http": "socks5h://127.0.0.1:1", "https": "socks5h://127.0.0.1:1"})
    with pytest.raises(ConnectionFailedError, match="AWS cannot be reached for environment 'target'"):
        client.get_environment("target")


@pytest.mark.parametrize("airflow", ["3.3.1"], indirect=True)
def test_one_proxy_for_all_leads_to_aws_too(
    airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client, proxy: tuple[str, Proxy]
) -> None:
    """requests knows ``all``, botocore does not."""
    address, server = proxy
    make_client(transport="session", proxies={"all": address}).get_dag("target", "load")
    assert {port for _, port in server.asked_for} == {
        port_of(local_mwaa.endpoint_url),
        port_of(local_mwaa.environments[0].host),
    }


@pytest.mark.parametrize(
    "proxies",
    [
        "socks5h://127.0.0.1:1080",
        {"https": None},
        {"https": ""},
        {"https": "http://"},
        {"https": "pot of tea"},
        {"https": "ftp://user:hunter2@proxy:1"},
        {"https": "http://user:hunter2@proxy:port"},
    ],
)
def test_proxies_that_are_none_are_named_and_show_no_password(proxies: object) -> None:
    with pytest.raises(InvalidInputError, match=r"proxies: .* give .*\{'https': 'http://host:3128'\}") as caught:
        MwaaClient(proxies=proxies)  # type: ignore[arg-type]
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "hosts",
    ["airflow.example.com", {"target": "http://a"}, {"target": "a/b"}, {"target": "a b"}, {"target": 1}],
)
def test_hosts_that_are_none_are_named(hosts: object) -> None:
    with pytest.raises(
        InvalidInputError, match=r"web_server_hosts: .*, .*\{'production': 'airflow.example.com'\}|whose host"
    ):
        MwaaClient(web_server_hosts=hosts)  # type: ignore[arg-type]


WITHOUT_PYSOCKS = """
import sys
sys.modules["socks"] = None  # as if it were not installed
from botocore.config import Config
from mwaa_provider.client.mwaa import MwaaClient
from mwaa_provider.exceptions import InvalidInputError
endpoint_url, ca_file = sys.argv[1:]
socks = "socks5h://127.0.0.1:1"
for proxies, transport in (({"http": socks}, "iam"), ({"https": socks}, "session")):
    client = MwaaClient(
        region_name="us-east-1", endpoint_url=endpoint_url, verify=ca_file, transport=transport, proxies=proxies,
        botocore_config=Config(inject_host_prefix=False),
    )
    try:
        client.get_dag("target", "load")
    except InvalidInputError as error:
        print(error)
"""


def test_a_socks_proxy_without_the_package_for_it(airflow: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
    told = subprocess.run(
        [sys.executable, "-c", WITHOUT_PYSOCKS, local_mwaa.endpoint_url, str(local_mwaa.ca_file)],
        check=True,
        capture_output=True,
        text=True,
    )
    wanted = "Invalid input: proxies: a SOCKS proxy needs a further package: pip install 'requests[socks]'\n"
    assert told.stdout == wanted * 2


def test_a_private_web_server_is_called_private(airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client) -> None:
    host = "0a1b2c3d-vpce.c10.us-west-2.airflow.amazonaws.com:1"
    with http_proxy() as proxy:  # no test looks up a name; this one cannot reach it either
        client = make_client(
            transport="session",
            web_server_hosts={"target": host},
            proxies={"https": f"http://127.0.0.1:{proxy.port}"},
        )
        with pytest.raises(ConnectionFailedError) as caught:
            client.get_dag("target", "load")
    assert caught.value.host == host
    assert str(caught.value).endswith(
        "'-vpce' in the name says that the web server is private: it can be reached only from inside its VPC (or through a tunnel or "
        "proxy into it)."
    )
    # told at once: asking again would not open the VPC
    assert local_mwaa.journal.count(operation="CreateWebLoginToken") == 1


@pytest.mark.parametrize("given", ["{host}", "https://{host}", "https://{host}/"])
def test_a_custom_domain_stands_for_the_host_of_aws(
    airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client, given: str
) -> None:
    """``localhost`` here: the certificate of the local MWAA names it too, and AWS's answer does not."""
    [environment] = local_mwaa.environments
    host = f"localhost:{port_of(environment.host)}"
    client = make_client(transport="session", web_server_hosts={"target": given.format(host=host)})
    assert client.get_environment("target").web_server_host == host
    assert client.get_dag("target", "load").dag_id == "load"
    assert client.web_login_url("target").startswith(f"https://{host}/aws_mwaa/aws-console-sso?login=true#")


@pytest.mark.parametrize("verify", [True, None])
def test_a_certificate_that_is_not_trusted(airflow: ScriptedAirflow, make_client, verify: bool | None) -> None:
    with pytest.raises(
        ConnectionFailedError, match="Its certificate is not trusted: give the file of its CA as verify"
    ):
        make_client(transport="session", verify=verify).get_dag("target", "load")


def test_a_ca_file_that_is_not_there_is_refused_before_any_call(local_mwaa: LocalMwaa, make_client) -> None:
    with pytest.raises(
        InvalidInputError, match=r"verify: '/no/such/ca\.pem' is not there; give the path of a CA bundle"
    ):
        make_client(verify="/no/such/ca.pem")
    assert local_mwaa.journal.entries() == ()


@pytest.mark.parametrize("airflow", ["3.3.1"], indirect=True)
def test_a_ca_file_that_has_gone_is_named(
    airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client, tmp_path: Path
) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_bytes(local_mwaa.ca_file.read_bytes())
    client = make_client(transport="session", verify=bundle)
    bundle.unlink()
    with pytest.raises(InvalidInputError, match=r"verify: .*ca\.pem"):
        client.get_dag("target", "load")


def test_a_folder_is_no_ca_file(make_client, tmp_path: Path) -> None:
    """requests would take one, botocore does not."""
    with pytest.raises(InvalidInputError, match=r"verify: .* is a folder; give the path of a CA bundle"):
        make_client(verify=str(tmp_path))


@pytest.mark.parametrize("airflow", ["3.3.1"], indirect=True)
def test_a_path_object_will_do(airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client) -> None:
    assert make_client(transport="session", verify=local_mwaa.ca_file).get_dag("target", "load").dag_id == "load"


def test_any_certificate_is_trusted_on_request(airflow: ScriptedAirflow, make_client) -> None:
    with pytest.warns(Warning, match="Unverified HTTPS request"):
        assert make_client(transport="session", verify=False).get_dag("target", "load").dag_id == "load"
