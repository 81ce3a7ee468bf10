"""How the commands that make virtual environments are changed; tests/plugins/test_virtualenv_real.py runs them."""

from __future__ import annotations

import os
import sys

import pytest

from mwaa_provider.airflow_compat import airflow_version
from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.plugins import venv_commands, venv_secrets, virtualenv
from mwaa_provider.plugins.report import Report, reports
from mwaa_provider.plugins.venv_settings import VenvSettings

OWN = f"{sys.version_info[0]}.{sys.version_info[1]}"
PIP = ["/tmp/venvx/bin/pip", "install", "-r", "/tmp/venvx/requirements.txt"]
UV_PIP = ["uv", "pip", "install", "--python", "/tmp/venvx/bin/python", "-r", "/tmp/venvx/requirements.txt"]


@pytest.mark.parametrize("asked", ["python", "python3", f"python{OWN}", f"python{OWN}.{sys.version_info[2]}"])
def test_this_python_is_taken_where_it_is_asked_for(asked):
    assert venv_commands.own_python_for(asked) == sys.executable
    assert venv_commands.venv_command("/x", asked, False) == [sys.executable, "-m", "venv", "/x"]


def test_another_python_is_looked_for_on_the_path():
    assert venv_commands.own_python_for("python3.1") == "python3.1"
    assert venv_commands.venv_command("/x", None, True) == [
        sys.executable,
        "-m",
        "venv",
        "/x",
        "--system-site-packages",
    ]
    with pytest.raises(
        InvalidInputError, match=f"python_version: there is no python3.1 on the PATH. This Airflow runs Python {OWN}"
    ):
        venv_commands.venv_command("/x", "python3.1", False)


@pytest.mark.parametrize(
    ("command", "makes"),
    [
        (PIP, True),
        (UV_PIP, True),
        (["uv", "venv", "/x"], True),
        ([sys.executable, "-m", "venv", "/x"], True),
        ([sys.executable, "-m", "virtualenv", "/x"], True),
        (["/tmp/venvx/bin/python", "/tmp/script.py", "in", "out"], False),
    ],
)
def test_the_tasks_own_program_is_not_touched(command, makes):
    assert venv_commands.makes_environment(command) is makes


def test_where_pip_must_not_write():
    home = {"HOME": os.environ.get("TMPDIR", "/tmp"), "PIP_USER": "1", "PIP_TARGET": "/t", "PIP_PREFIX": "/p", "A": "b"}
    assert VenvSettings().environment(home, PIP) == {"HOME": home["HOME"], "A": "b", "PIP_USER": "0"}
    assert VenvSettings().command([*PIP, "--user"], {}) == PIP


def test_a_home_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    environment = VenvSettings().environment({"HOME": str(tmp_path / "file" / "home")}, PIP)
    assert (environment["PIP_NO_CACHE_DIR"], environment["UV_NO_CACHE"]) == ("1", "1")


def test_wheels_alone(tmp_path):
    settings = VenvSettings(find_links="/plugins/w", no_index=True)
    pip = settings.environment({"HOME": str(tmp_path), "PIP_FIND_LINKS": "/mine"}, PIP)
    assert (pip["PIP_FIND_LINKS"], pip["PIP_NO_INDEX"]) == ("/mine /plugins/w", "1")
    uv = settings.environment({"HOME": str(tmp_path), "PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": "/mine"}, UV_PIP)
    assert uv["UV_FIND_LINKS"] == "/mine,/plugins/w"
    assert settings.command(UV_PIP, {}) == [*UV_PIP[:3], "--no-index", *UV_PIP[3:]]
    assert VenvSettings().command(UV_PIP, {"PIP_NO_INDEX": "1"}) == [*UV_PIP[:3], "--no-index", *UV_PIP[3:]]
    assert VenvSettings().command(UV_PIP, {"PIP_NO_INDEX": "0"}) == UV_PIP
    assert settings.command(["uv", "venv", "--allow-existing", "--seed", "/x"], {}) == [
        "uv",
        "venv",
        "--allow-existing",
        "/x",
    ]


def test_uv_learns_what_pip_knows_and_keeps_what_it_knows_better(tmp_path):
    (tmp_path / "pip.conf").write_text(
        "[global]\nindex-url = https://a:b@one/simple\ntrusted-host = one\n  two\n[install]\nuser = yes\n"
    )
    given = {
        "HOME": str(tmp_path),
        "PIP_CONFIG_FILE": str(tmp_path / "pip.conf"),
        "PIP_EXTRA_INDEX_URL": "https://two/simple",
    }
    assert {*VenvSettings().only_pip_reads(given)} >= {
        "extra-index-url",
        "index-url",
        "trusted-host",
    }  # /etc/pip.conf may say more
    made = VenvSettings().environment(given, UV_PIP)
    assert made["UV_DEFAULT_INDEX"] == "https://a:b@one/simple"
    assert (made["UV_INDEX"], made["UV_INSECURE_HOST"]) == ("https://two/simple", "one two")
    assert VenvSettings().environment({**given, "UV_DEFAULT_INDEX": "mine"}, UV_PIP)["UV_DEFAULT_INDEX"] == "mine"
    assert "UV_DEFAULT_INDEX" not in VenvSettings().environment(given, PIP)


def test_the_constraint(tmp_path):
    url = f"https://raw.githubusercontent.com/apache/airflow/constraints-{airflow_version()}/constraints-{{}}.txt"
    settings = VenvSettings(constraint="airflow")
    assert settings.command(PIP, {}) == [*PIP[:2], "--constraint", url.format(OWN), *PIP[2:]]
    assert settings.command(UV_PIP, {}) == [*UV_PIP[:3], "--constraint", url.format(OWN), *UV_PIP[3:]]
    (tmp_path / "pyvenv.cfg").write_text("home = /usr/bin\nversion_info = 3.9.18.final.0\n")
    assert settings.command([f"{tmp_path}/bin/pip", "install", "x"], {})[3] == url.format("3.9")
    for own in (["-c", "mine"], ["--constraint", "mine"], ["--constraint=mine"]):
        assert settings.command([*PIP, *own], {}) == [*PIP, *own]
    assert settings.command([sys.executable, "-m", "venv", "/x"], {}) == [sys.executable, "-m", "venv", "/x"]


def test_secrets_of_indexes_are_masked(tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    (tmp_path / "pip.conf").write_text("index-url = https://u:from-operator@h/simple")
    (tmp_path / "requirements.txt").write_text(
        "--index-url https://u:from-requirements@h\nx @ https://only-token@h/x.whl\n"
    )
    masked = []
    monkeypatch.setattr(venv_secrets, "mask_secret", masked.append)
    command = [
        f"{tmp_path}/bin/pip",
        "install",
        "--index-url",
        "https://u:from%2Boption@h/",
        "-r",
        f"{tmp_path}/requirements.txt",
    ]
    venv_secrets.mask(
        command, {"PIP_EXTRA_INDEX_URL": "https://aws:from-variable@h https://h2/", "OTHER": "https://a:not-this@h"}
    )
    assert masked == [
        "from%2Boption",
        "from+option",
        "from-operator",
        "from-requirements",
        "from-variable",
        "only-token",
    ]


def test_addresses_with_credentials_leave_the_command():
    secret, open_ = "https://u:p@h/simple", "https://h/simple"
    moved = venv_secrets.moved_to_variables
    assert moved([*PIP, "--index-url", secret], {"A": "b"}) == (PIP, {"A": "b", "PIP_INDEX_URL": secret})
    assert moved([*PIP, f"-i={secret}"], {"PIP_INDEX_URL": open_}) == (PIP, {"PIP_INDEX_URL": secret})
    extra = moved([*PIP, "--extra-index-url", secret, f"--extra-index-url={secret}2"], {"PIP_EXTRA_INDEX_URL": open_})
    assert extra == (PIP, {"PIP_EXTRA_INDEX_URL": f"{open_} {secret} {secret}2"})
    assert moved([*UV_PIP, "--index-url", secret], {}) == (UV_PIP, {"UV_DEFAULT_INDEX": secret})
    for harmless in ([*PIP, "--index-url", open_], [*PIP, f"--index-url={open_}", "--pre"]):
        assert moved(harmless, {}) == (harmless, {})


def test_options_that_are_wrong_are_told(options, tmp_path):
    options(
        virtualenv="True",
        virtualenv_find_links="/nowhere",
        virtualenv_no_index="perhaps",
        virtualenv_constraint="/none.txt",
        virtualenv_cache_folder="here",
    )
    virtualenv.MwaaVirtualenvPlugin.on_load()
    assert reports["mwaa_provider_virtualenv"].problems == [
        "mwaa_provider.virtualenv_no_index is 'perhaps': write True or False. It is taken as False",
        "mwaa_provider.virtualenv_find_links is '/nowhere', and there is no such thing here",
        "mwaa_provider.virtualenv_constraint is '/none.txt', and there is no such thing here",
        "mwaa_provider.virtualenv_cache_folder is 'here': it has to begin with /",
    ]


def test_addresses_stay_addresses(options):
    options(virtualenv_find_links="https://host/wheels/", virtualenv_constraint="https://host/constraints.txt")
    report = Report("x", "x")
    settings = VenvSettings.configured(report)
    assert (settings.find_links, settings.constraint, report.problems) == (
        "https://host/wheels/",
        "https://host/constraints.txt",
        [],
    )
