"""Commands through the CLI endpoint: what is sent, how often, and what is told when it does not work out."""

from __future__ import annotations

import base64
import json
import pickle
import threading
from collections.abc import Iterator

import pytest
from botocore.config import Config

from mwaa_provider.client.cli_answer import CliResult
from mwaa_provider.client.mwaa import botocore_config_that_never_resends
from mwaa_provider.exceptions import (
    AccessDeniedError,
    CliCommandError,
    ConnectionFailedError,
    EnvironmentNotFoundError,
    InvalidInputError,
    ServiceError,
    ThrottledError,
    UnknownOutcomeError,
)
from mwaa_provider.local import (
    CliAnswer,
    Fault,
    Identity,
    LocalMwaa,
    ManualClock,
    ScriptedAirflow,
    ServiceRules,
)
from mwaa_provider.local.answers import json_response
from mwaa_provider.local.certificates import Certificates
from mwaa_provider.local.http_server import HttpRequest, HttpResponse, HttpServer

TRIGGER = ["dags", "trigger", "load", "-r", "mine"]


@pytest.fixture(scope="module")
def shared_mwaa() -> Iterator[LocalMwaa]:
    with LocalMwaa() as mwaa:
        yield mwaa


@pytest.fixture
def local_mwaa(shared_mwaa: LocalMwaa) -> Iterator[LocalMwaa]:
    """One for all tests of this module, clean for each: there are many of them."""
    shared_mwaa.journal.clear()
    shared_mwaa.faults.clear()
    yield shared_mwaa
    for environment in shared_mwaa.environments:
        shared_mwaa.delete_environment(environment.name)


@pytest.fixture(scope="module")
def shared_boto_client(shared_mwaa: LocalMwaa):
    config = botocore_config_that_never_resends(Config(inject_host_prefix=False))
    return shared_mwaa.boto3_session().client("mwaa", endpoint_url=shared_mwaa.endpoint_url, config=config)


@pytest.fixture
def make_client(make_client, shared_boto_client):
    """The same as elsewhere, with one boto3 client for all who are content with it: to make one takes long."""

    def make(**changes):
        if not {"identity", "session"} & set(changes):
            changes["boto_client"] = shared_boto_client
        return make_client(**changes)

    return make


def commands_run(mwaa: LocalMwaa) -> int:
    return mwaa.journal.count(operation="cli", backend_call=True)


def commands_sent(mwaa: LocalMwaa) -> int:
    return mwaa.journal.count(operation="cli")


def tokens_asked_for(mwaa: LocalMwaa) -> int:
    return mwaa.journal.count(operation="CreateCliToken")


class TestResult:
    def test_what_comes_back(self, airflow: ScriptedAirflow, make_client) -> None:
        assert make_client().run_cli("target", ["version"]) == CliResult(
            ("version",), f"{airflow.airflow_version}\n", "", 200
        )

    def test_json_behind_log_lines(self, airflow: ScriptedAirflow, make_client) -> None:
        conf = {"text": "ü \"x\" [1]\n'y'", "rows": [{"a": 1}]}
        result = make_client().run_cli("target", [*TRIGGER, "-c", json.dumps(conf), "-o", "json"])
        assert not result.stdout.startswith("[{")  # log lines come first
        [run] = result.json
        assert (run["dag_id"], run["dag_run_id"]) == ("load", "mine")
        assert airflow.runs("load")[0].conf == conf

    def test_no_rows_are_no_json(self, airflow: ScriptedAirflow, make_client) -> None:
        result = make_client().run_cli("target", ["dags", "unpause", "load", "-o", "json"])
        assert (result.json, result.stdout) == (None, "No paused DAGs were found\n")

    def test_the_line_that_is_sent(self, airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client) -> None:
        client = make_client()
        client.run_cli("target", ["airflow", "variables", "set", "k", "it's\ntwo lines, ü"])
        client.run_cli("target", "airflow   variables set  'other key'  \"x y\"")
        sent = [entry.body for entry in local_mwaa.journal.entries(operation="cli")]
        assert sent == ["variables set k 'it'\"'\"'s\ntwo lines, ü'", "variables set  'other key'  \"x y\""]
        assert airflow.variables() == {"k": "it's\ntwo lines, ü", "other key": "x y"}

    def test_one_token_serves_for_half_a_minute(
        self, airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client, clock
    ) -> None:
        client = make_client()
        for seconds in (0, 29, 1):
            clock.sleep(seconds)
            client.run_cli("target", ["version"])
        assert tokens_asked_for(local_mwaa) == 2

    def test_a_custom_domain(self, airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client) -> None:
        port = local_mwaa.environments[0].base_url.rpartition(":")[2]
        client = make_client(web_server_hosts={"target": f"localhost:{port}"}, verify=False)
        with pytest.warns(Warning, match="localhost"):  # urllib3's, for verify=False
            assert client.run_cli("target", "version").stdout == f"{airflow.airflow_version}\n"


class TestFailed:
    """The command was run, and failed."""

    @pytest.mark.parametrize("status", [200, 400, 500])
    def test_it_is_told_whatever_the_http_status(self, make_client, status: int) -> None:
        with LocalMwaa(rules=ServiceRules(cli_failure_status=status)) as mwaa:
            airflow = ScriptedAirflow("3.3.1")
            mwaa.create_environment("target", airflow)
            client = make_client(session=mwaa.boto3_session(), endpoint_url=mwaa.endpoint_url, verify=str(mwaa.ca_file))
            with pytest.raises(CliCommandError) as caught:
                client.run_cli("target", ["dags", "trigger", "nope", "-r", "x"])
            assert commands_run(mwaa) == 1
        error = caught.value
        assert str(error).startswith("`airflow dags trigger` failed in environment 'target':\nTraceback (most recent")
        assert str(error).endswith("airflow.exceptions.DagNotFound: Dag id nope not found in DagModel")
        assert error.facts == {
            "environment_name": "target",
            "command": ("dags", "trigger"),
            "status": status,
            "stdout": "",
            "stderr": error.stderr,
        }
        assert pickle.loads(pickle.dumps(error)).facts == error.facts

    def test_an_error_status_is_a_failure_whatever_was_printed(self, make_client) -> None:
        with LocalMwaa(rules=ServiceRules(cli_failure_status=400)) as mwaa:
            airflow = ScriptedAirflow("3.3.1")
            airflow.script_cli(["tasks", "clear"], CliAnswer("", "", 1))
            mwaa.create_environment("target", airflow)
            client = make_client(session=mwaa.boto3_session(), endpoint_url=mwaa.endpoint_url, verify=str(mwaa.ca_file))
            with pytest.raises(CliCommandError, match="it printed nothing"):
                client.run_cli("target", ["tasks", "clear", "load", "--yes"])

    def test_it_may_be_looked_at_instead(self, airflow: ScriptedAirflow, make_client) -> None:
        result = make_client().run_cli("target", ["variables", "get", "nope"], check=False)
        assert (result.has_failed, result.stdout) == (True, "")
        assert result.stderr.startswith("Variable nope does not exist")

    def test_values_are_told_to_nobody(self, airflow: ScriptedAirflow, make_client, caplog) -> None:
        uri = "my-scheme://someone:pa%20ss-word@host/base"
        airflow.script_cli(
            ["connections", "add"],
            CliAnswer(
                "", f"The URI provided to --conn-uri is invalid: {uri}\n(login someone, password pa ss-word)\n", 1
            ),
        )
        with caplog.at_level("DEBUG", "mwaa_provider"), pytest.raises(CliCommandError) as caught:
            make_client().run_cli("target", ["connections", "add", "db", "--conn-uri", uri])
        shown = str(caught.value) + repr(caught.value) + repr(caught.value.facts) + caplog.text
        assert [part for part in ("someone", "ss-word", "pa%20", uri) if part in shown] == []
        assert "The URI provided to --conn-uri is invalid: ***" in str(caught.value)

    def test_reprs_show_nothing(self, airflow: ScriptedAirflow, make_client) -> None:
        client = make_client()
        client.run_cli("target", ["variables", "set", "k", "a-secret-value"])
        result = client.run_cli("target", ["variables", "get", "k"])
        assert result.stdout == "a-secret-value\n"
        assert repr(result) == "CliResult(command=('variables', 'get'), status=200, has_failed=False)"
        assert "CliToken(web_server_host=" in repr(client.create_cli_token("target"))
        assert client.create_cli_token("target").value not in repr(client.create_cli_token("target"))


class TestRefused:
    """Nothing is sent."""

    @pytest.mark.parametrize(
        ("command", "told"),
        [
            (["connections", "list"], "does not take 'connections list' with Airflow {}; instead: GET /connections"),
            (["variables", "import", "x.json"], "instead: POST /variables, once for each variable"),
            (["pools", "list"], "instead: GET /pools"),
            (["dags", "details", "load"], "instead: GET /dags/{{dag_id}}/details"),
            (["users", "list"], "MWAA makes users from IAM identities"),
            (["scheduler"], "MWAA runs Airflow's components by itself"),
            (["dags", "triger", "load"], "instead: did you mean `dags trigger`?"),
            (["s3cret-value", "frobnicate"], "`supported_commands` in mwaa_provider.client.cli_commands lists"),
            (["dags", "delete", "load"], "'dags delete' asks for a confirmation, and there is nobody to give it"),
            (["tasks", "clear", "load"], "add '--yes' if it is meant"),
            (["db", "clean", "--clean-before-timestamp", "2024-01-01"], "'db clean' asks for a confirmation"),
            (["dags", "pause", "lo.*", "--treat-dag-id"], "'dags pause' asks for a confirmation"),
            (["variables", "set", "k", "--help"], "put '--' before the values if one of them is meant"),
            (["variables", "set", "k", "a\0b"], "a NUL character"),
            (["variables", "set", "k", "\ud800"], "half a surrogate pair"),
            (["variables", "set", "k", "x" * 131_072], "131,088 bytes long, 131,071 are possible"),
            (["dags", "trigger", "load", "-c", {"a": 1}], "argument 5 is of type dict"),
            ("dags list | grep load", "there is no shell over there that would know |"),
            ("dags trigger load -c '{", "cannot be split into words (No closing quotation)"),
            ([], "it is empty"),
            ("airflow", "it is empty"),
            (None, "NoneType is no command"),
        ],
    )
    @pytest.mark.parametrize("airflow", ["3.3.1"], indirect=True)
    def test_it_says_what_to_do(
        self, airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client, command, told
    ) -> None:
        with pytest.raises(InvalidInputError) as caught:
            make_client().run_cli("target", command)
        assert told.format(airflow.airflow_version) in str(caught.value)
        assert "s3cret" not in str(caught.value)
        assert local_mwaa.journal.count(surface="web") == tokens_asked_for(local_mwaa) == 0

    @pytest.mark.parametrize("airflow", ["2.10.3"], indirect=True)
    def test_on_airflow_2(self, airflow: ScriptedAirflow, make_client) -> None:
        with pytest.raises(InvalidInputError, match="instead: `dags backfill`"):
            make_client().run_cli("target", ["backfill", "create"])
        with pytest.raises(InvalidInputError, match="'dags backfill' asks for a confirmation"):
            make_client().run_cli("target", ["dags", "backfill", "load", "--reset-dag"])

    @pytest.mark.parametrize("airflow", ["3.3.1"], indirect=True)
    def test_on_airflow_3(self, airflow: ScriptedAirflow, make_client) -> None:
        with pytest.raises(InvalidInputError, match="clearTaskInstances, upon which the scheduler runs the task"):
            make_client().run_cli("target", ["tasks", "run", "load", "work", "x"])

    def test_all_problems_at_once(self, local_mwaa: LocalMwaa, make_client) -> None:
        with pytest.raises(InvalidInputError) as caught:
            make_client().run_cli("9", "dags list > x", timeout=0, turn_timeout="soon", at_once=5)
        fields = [problem.split(":")[0] for problem in caught.value.problems]
        assert fields == ["environment_name", "command", "timeout", "turn_timeout", "at_once"]
        assert local_mwaa.journal.count() == 0

    def test_an_unknown_environment(self, airflow: ScriptedAirflow, make_client) -> None:
        with pytest.raises(EnvironmentNotFoundError):
            make_client().run_cli("nowhere", ["version"])

    def test_what_would_ask_may_be_confirmed(self, airflow: ScriptedAirflow, make_client) -> None:
        airflow.script_cli(["db", "clean"], CliAnswer("Found 0 rows meeting deletion criteria.\n", "", 0))
        for confirmed in ("--yes", "-y", "--dry-run"):
            make_client().run_cli("target", ["db", "clean", "--clean-before-timestamp", "2024-01-01", confirmed])


class TestNotRun:
    """The endpoint did not take the command: it is sent again, whatever it is."""

    def test_busy_endpoint(self, airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client, clock) -> None:
        local_mwaa.faults.add(Fault.answer(503, operation="cli", times=3))
        make_client().run_cli("target", TRIGGER)
        assert (commands_sent(local_mwaa), len(airflow.runs("load"))) == (4, 1)

    def test_an_endpoint_that_stays_busy(
        self, airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client, clock
    ) -> None:
        local_mwaa.faults.add(Fault.answer(503, operation="cli", times=None))
        began = clock.monotonic()
        with pytest.raises(ThrottledError, match="`airflow dags trigger` was not run") as caught:
            make_client().run_cli("target", TRIGGER)
        assert (caught.value.status, caught.value.command) == (503, ("dags", "trigger"))
        assert clock.monotonic() - began <= 120
        assert (commands_sent(local_mwaa) > 5, commands_run(local_mwaa)) == (True, 0)

    def test_slots_that_are_full(self, make_client) -> None:
        """Somebody else's command runs; ours goes in when it has ended."""
        with LocalMwaa(rules=ServiceRules(cli_commands_at_once=1)) as mwaa:
            airflow = Waiting("3.3.1")
            mwaa.create_environment("target", airflow)
            arguments = {
                "session": mwaa.boto3_session(),
                "endpoint_url": mwaa.endpoint_url,
                "verify": str(mwaa.ca_file),
            }
            theirs = threading.Thread(target=lambda: make_client(**arguments).run_cli("target", ["variables", "list"]))
            theirs.start()
            assert airflow.began.wait(30)
            # a client with a clock of its own shares no turns, as another process would not
            client = make_client(**arguments, clock=ReleasingClock(airflow))
            assert client.run_cli("target", ["version"]).stdout == "3.3.1\n"
            theirs.join(30)
            statuses = [entry.status for entry in mwaa.journal.entries(operation="cli")]
        assert sorted(set(statuses)) == [200, 503]
        assert statuses.count(200) == 2

    @pytest.mark.parametrize("fault", [Fault.throttle("cli"), Fault.answer(429, operation="cli")])
    def test_throttled(self, airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client, fault: Fault) -> None:
        local_mwaa.faults.add(fault)
        make_client().run_cli("target", TRIGGER)
        assert (commands_sent(local_mwaa), len(airflow.runs("load"))) == (2, 1)

    @pytest.mark.parametrize("operation", ["CreateCliToken", "GetEnvironment"])
    def test_throttled_by_aws(self, airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client, operation) -> None:
        local_mwaa.faults.add(Fault.throttle(operation))
        make_client().run_cli("target", TRIGGER)
        assert len(airflow.runs("load")) == 1

    def test_a_lost_token_is_asked_for_again(
        self, airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client
    ) -> None:
        local_mwaa.faults.add(Fault.lose_answer(operation="CreateCliToken"))
        make_client().run_cli("target", TRIGGER)
        assert (tokens_asked_for(local_mwaa), len(airflow.runs("load"))) == (2, 1)

    def test_a_token_that_is_refused_once(self, airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client) -> None:
        local_mwaa.faults.add(Fault.deny("cli"))
        make_client().run_cli("target", TRIGGER)
        assert (tokens_asked_for(local_mwaa), commands_sent(local_mwaa), len(airflow.runs("load"))) == (2, 2, 1)

    def test_a_token_that_is_refused_for_good(
        self, airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client
    ) -> None:
        local_mwaa.faults.add(Fault.deny("cli", times=None))
        with pytest.raises(AccessDeniedError, match=r"took no token \(HTTP 403: .*`airflow dags trigger` was not run"):
            make_client().run_cli("target", TRIGGER)
        assert (tokens_asked_for(local_mwaa), commands_sent(local_mwaa)) == (2, 2)

    def test_a_token_that_expires_over_there(self, make_client) -> None:
        """The server's clock went on while ours stood still, as it does in a frozen Lambda function."""
        clock = ManualClock()
        with LocalMwaa(clock=clock) as mwaa:
            mwaa.create_environment("target", ScriptedAirflow("2.10.3"))
            client = make_client(session=mwaa.boto3_session(), endpoint_url=mwaa.endpoint_url, verify=str(mwaa.ca_file))
            client.run_cli("target", ["version"])
            clock.advance(61)
            client.run_cli("target", ["version"])
            assert [entry.status for entry in mwaa.journal.entries(operation="cli")] == [200, 403, 200]

    def test_iam_that_denies_the_token(self, airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client) -> None:
        client = make_client(identity=Identity("NOCLI", denied_actions=frozenset({"CreateCliToken"})))
        with pytest.raises(AccessDeniedError, match="environment/ENVIRONMENT") as caught:
            client.run_cli("target", TRIGGER)
        assert caught.value.action == "airflow:CreateCliToken"
        assert commands_sent(local_mwaa) == 0

    def test_a_host_that_cannot_be_reached(self, airflow: ScriptedAirflow, make_client) -> None:
        with pytest.raises(ConnectionFailedError, match="cannot be reached"):
            make_client(web_server_hosts={"target": "127.0.0.1:1"}).run_cli("target", TRIGGER)

    def test_what_the_endpoint_refuses(self, airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client) -> None:
        local_mwaa.faults.add(Fault.answer(400, {"error": "the command cannot be read"}, operation="cli"))
        with pytest.raises(ServiceError, match=r"refused `airflow dags trigger`: HTTP 400: .*cannot be read") as caught:
            make_client().run_cli("target", TRIGGER)
        assert (caught.value.status, commands_sent(local_mwaa)) == (400, 1)


class TestRedirects:
    """AWS's samples for Airflow 3 follow redirects; one to the endpoint's new place is followed, one to a sign-in page is not."""

    @pytest.fixture
    def moved(self):
        certificates = Certificates()
        seen: list[tuple[str, str, bytes]] = []
        places = {"/aws_mwaa/cli": "/pluginsv2/aws_mwaa/cli"}

        def answer(request: HttpRequest) -> HttpResponse:
            seen.append((request.method, request.path, request.body))
            if request.path in places:
                return json_response(307, {}, (("Location", places[request.path]),))
            printed = base64.b64encode(b"Variable k created\n").decode()
            return json_response(200, {"stdout": printed, "stderr": ""})

        server = HttpServer(answer, ssl_context=certificates.server_context)
        server.start()
        yield server, certificates, seen, places
        server.stop()
        certificates.remove()

    def client(self, make_client, moved):
        server, certificates, _, _ = moved
        return make_client(web_server_hosts={"target": f"127.0.0.1:{server.port}"}, verify=str(certificates.ca_file))

    @pytest.mark.parametrize("airflow", ["3.3.1"], indirect=True)
    def test_to_the_endpoint(self, airflow: ScriptedAirflow, make_client, moved) -> None:
        command = ["variables", "set", "k", "v"]
        assert self.client(make_client, moved).run_cli("target", command).stdout == "Variable k created\n"
        line = b"variables set k v"
        assert moved[2] == [("POST", "/aws_mwaa/cli", line), ("POST", "/pluginsv2/aws_mwaa/cli", line)]

    @pytest.mark.parametrize("airflow", ["3.3.1"], indirect=True)
    @pytest.mark.parametrize("to", ["/auth/login", "https://elsewhere.example/aws_mwaa/cli", "/aws_mwaa/cli"])
    def test_to_somewhere_else(self, airflow: ScriptedAirflow, make_client, moved, to: str) -> None:
        moved[3]["/aws_mwaa/cli"] = to
        with pytest.raises(AccessDeniedError, match=r"took no token \(HTTP 307"):
            self.client(make_client, moved).run_cli("target", TRIGGER)
        assert [path for _, path, _ in moved[2]] == ["/aws_mwaa/cli"] * 2  # the second with a fresh token


UNKNOWN = [
    pytest.param(Fault.lose_answer(operation="cli"), True, id="lose_answer"),
    pytest.param(Fault.refuse(operation="cli"), False, id="refuse"),
    pytest.param(Fault.answer(500, operation="cli"), False, id="500"),
    pytest.param(Fault.answer(502, operation="cli", after_acting=True), True, id="502-after-acting"),
    pytest.param(Fault.answer(504, operation="cli", after_acting=True), True, id="504-after-acting"),
    pytest.param(Fault.answer(200, operation="cli", after_acting=True), True, id="html"),
    pytest.param(Fault.answer(200, {}, operation="cli", after_acting=True), True, id="other-json"),
    pytest.param(
        Fault.answer(200, {"stdout": "%", "stderr": ""}, operation="cli", after_acting=True), True, id="no-base64"
    ),
]


class TestUnknownOutcome:
    """Nobody knows whether the command was run."""

    @pytest.mark.parametrize(("fault", "was_run"), UNKNOWN)
    def test_what_creates_is_not_sent_again(
        self, airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client, fault: Fault, was_run: bool
    ) -> None:
        local_mwaa.faults.add(fault)
        with pytest.raises(UnknownOutcomeError) as caught:
            make_client().run_cli("target", TRIGGER)
        assert "it may have been run, or be running still" in str(caught.value)
        assert "look first, at `dags list-runs` of the DAG" in str(caught.value)
        assert (caught.value.command, caught.value.environment_name) == (("dags", "trigger"), "target")
        assert (commands_sent(local_mwaa), len(airflow.runs("load"))) == (1, int(was_run))

    @pytest.mark.parametrize(("fault", "was_run"), UNKNOWN)
    def test_what_does_no_harm_is_sent_again(
        self, airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client, fault: Fault, was_run: bool
    ) -> None:
        local_mwaa.faults.add(fault)
        assert make_client().run_cli("target", ["variables", "set", "k", "v"]).stdout == "Variable k created\n"
        assert (commands_sent(local_mwaa), commands_run(local_mwaa)) == (2, 1 + int(was_run))

    def test_an_answer_that_comes_late_is_waited_for(
        self, airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client
    ) -> None:
        local_mwaa.faults.add(Fault.delay(0.3, operation="cli"), Fault.delay(0.3, operation="cli", after_acting=True))
        for _ in range(2):
            make_client().run_cli("target", ["version"])
        assert commands_sent(local_mwaa) == 2

    def test_an_answer_that_comes_too_late(self, local_mwaa: LocalMwaa, make_client) -> None:
        airflow = Waiting("3.3.1")
        local_mwaa.create_environment("slow", airflow)
        with pytest.raises(UnknownOutcomeError, match="ReadTimeout"):
            make_client().run_cli("slow", ["variables", "list"], timeout=0.2, is_idempotent=False)
        assert airflow.began.is_set()
        airflow.release.set()

    def test_an_outage_ends_in_the_same_error(
        self, airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client
    ) -> None:
        local_mwaa.faults.add(Fault.answer(502, operation="cli", times=None))
        with pytest.raises(UnknownOutcomeError, match="To run it again does no harm"):
            make_client().run_cli("target", ["dags", "list"])
        assert commands_sent(local_mwaa) == 5

    def test_the_caller_may_know_better(self, airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client) -> None:
        airflow.script_cli(["tasks", "clear"], CliAnswer("", "", 0))
        local_mwaa.faults.add(Fault.lose_answer(operation="cli"), Fault.lose_answer(operation="cli", times=1))
        client = make_client()
        with pytest.raises(UnknownOutcomeError):
            client.run_cli("target", ["variables", "list"], is_idempotent=False)
        client.run_cli("target", ["tasks", "clear", "load", "--yes"], is_idempotent=True)
        assert commands_run(local_mwaa) == 3


class Waiting(ScriptedAirflow):
    """Keeps `variables list` running until it is released."""

    def __init__(self, airflow_version: str) -> None:
        super().__init__(airflow_version)
        self.began, self.release = threading.Event(), threading.Event()
        self.inside = self.most_inside = 0
        self._lock = threading.Lock()

    def cli(self, arguments: list[str]) -> CliAnswer:
        if arguments[:2] != ["variables", "list"]:
            return super().cli(arguments)
        with self._lock:
            self.inside += 1
            self.most_inside = max(self.most_inside, self.inside)
        self.began.set()
        assert self.release.wait(30)
        with self._lock:
            self.inside -= 1
        return super().cli(arguments)


class ReleasingClock:
    """Whoever sleeps by it lets the waiting command go on."""

    def __init__(self, airflow: Waiting) -> None:
        self._airflow = airflow
        self._seconds = 0.0

    def monotonic(self) -> float:
        return self._seconds

    def time(self) -> float:
        return self._seconds

    def sleep(self, seconds: float) -> None:
        self._seconds += max(seconds, 0.01)
        self._airflow.release.set()


class TestTurns:
    """One command at a time in an environment, for all threads of a process."""

    @pytest.fixture
    def waiting(self, local_mwaa: LocalMwaa) -> Waiting:
        airflow = Waiting("3.3.1")
        local_mwaa.create_environment("target", airflow)
        return airflow

    @pytest.mark.parametrize("at_once", [1, 3])
    def test_threads_take_turns(self, waiting: Waiting, local_mwaa: LocalMwaa, make_client, at_once: int) -> None:
        client = make_client()
        threads = [
            threading.Thread(target=client.run_cli, args=("target", "variables list"), kwargs={"at_once": at_once})
            for _ in range(6)
        ]
        for thread in threads:
            thread.start()
        assert waiting.began.wait(30)
        waiting.release.set()
        for thread in threads:
            thread.join(30)
        assert commands_run(local_mwaa) == 6
        assert local_mwaa.journal.count(operation="cli", status=503) == 0
        assert waiting.most_inside <= at_once

    def test_a_turn_that_does_not_come(self, waiting: Waiting, local_mwaa: LocalMwaa, make_client) -> None:
        client = make_client()
        first = threading.Thread(target=client.run_cli, args=("target", "variables list"))
        first.start()
        assert waiting.began.wait(30)
        with pytest.raises(ThrottledError, match=r"busy for 0\.05 seconds; `airflow version` was not run"):
            client.run_cli("target", ["version"], turn_timeout=0.05)
        client.run_cli("target", ["version"], turn_timeout=0.05, at_once=2)
        waiting.release.set()
        first.join(30)
        assert commands_run(local_mwaa) == 2

    def test_a_failure_gives_the_turn_back(self, waiting: Waiting, make_client) -> None:
        client = make_client()
        for _ in range(2):
            with pytest.raises(CliCommandError):
                client.run_cli("target", ["variables", "get", "nope"], turn_timeout=0.05)
