"""The application on the real schema, in this process: what it serves, what it refuses, and how much it reads."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mwaa_provider.metadata.api.framing import Deframer, unpacked
from tests.metadata.api.support import AIRFLOW_3_ONLY, URL, Database, client_of, table

pytestmark = AIRFLOW_3_ONLY

UUID = "md5(n::text)::uuid"
#: Texts that are hard to quote, by number.
HARD = """(ARRAY['', 'a,b', 'say "hi"', E'two\\nlines', E'\\\\.', '100%', 'ünïcödé 🎈', NULL, ' ', E'tab\\t''quote'])[n % 10 + 1]"""


class Api:
    """Asks the application as an administrator does."""

    def __init__(self, client: Any, token: str) -> None:
        self.client = client
        self.headers = {"Authorization": f"Bearer {token}"}

    def post(self, what: str, body: Any) -> Any:
        content = body if isinstance(body, bytes) else json.dumps(body)
        end = time.monotonic() + 20.0
        while True:
            answer = self.client.post(f"{URL}/{what}", content=content, headers=self.headers)
            # A place is given back a moment after its answer was taken; whoever finds none comes again, as clients do.
            if answer.status_code != 429 or time.monotonic() > end:
                return answer
            time.sleep(0.02)

    def plan(self, **body: Any) -> dict[str, Any]:
        answer = self.post("plan", body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def question(
        self, plan: dict[str, Any], planned: dict[str, Any], part: dict[str, Any], **changes: Any
    ) -> dict[str, Any]:
        names = ("table", "age_column", "since", "until", "undated")
        return {
            **{name: planned[name] for name in names},
            "columns": [column["name"] for column in planned["columns"]],
            "revision": plan["schema_revision"],
            **part,
            **changes,
        }

    def rows(self, question: dict[str, Any]) -> tuple[bytes, Any]:
        answer = self.post("rows", question)
        assert answer.status_code == 200, answer.text
        frames = Deframer()
        pieces = list(frames.add(answer.content))
        frames.finish()
        assert frames.failure is None, frames.failure
        assert frames.said is not None
        return b"".join(unpacked(iter(pieces), frames.said)), frames.said

    def all_rows(self, **body: Any) -> tuple[list[bytes], int]:
        """All rows of one table, range by range, sorted; and how many ranges there were."""
        plan = self.plan(**body)
        (planned,) = plan["tables"]
        csv = b"".join(self.rows(self.question(plan, planned, part))[0] for part in planned["ranges"])
        return sorted(csv.splitlines(keepends=True)), len(planned["ranges"])


@pytest.fixture
def api(token_of: Callable[..., str]) -> Api:
    from mwaa_provider.metadata.api.app import create_app

    return Api(client_of(create_app()), token_of("ADMIN"))


@pytest.fixture(scope="module")
def numbers(database: Database) -> Iterator[str]:
    """A table with 120,000 rows: more than one range takes."""
    columns = "id bigint PRIMARY KEY, at timestamptz, note text, raw bytea"
    rows = f"""SELECT n, '2026-01-01Z'::timestamptz + n * interval '1 minute', {HARD}, decode(md5(n::text), 'hex')
               FROM generate_series(1, 120000) n"""
    with table(database, "mwaa numbers", columns, rows) as name:
        yield name


def test_its_facts(api, database):
    ((revision,),) = database.run("SELECT version_num FROM alembic_version")
    told = api.client.get(URL, headers=api.headers).json()
    import airflow

    assert (told["protocol"], told["airflow_version"], told["schema_revision"]) == (1, airflow.__version__, revision)
    assert {"dag_run", "task_instance", "log", "xcom"} <= set(told["served"])
    assert {"connection", "variable", "session"}.isdisjoint(told["served"])


def test_nothing_is_told_about_itself_to_those_who_may_not(api):
    for path in ("/docs", "/redoc", "/openapi.json", "/", "/metadata", f"{URL}/x"):
        assert api.client.get(path).status_code == 404, path
    for path, method in ((URL, "GET"), (f"{URL}/plan", "POST"), (f"{URL}/cuts", "POST"), (f"{URL}/rows", "POST")):
        answer = api.client.request(method, path, content=b"x" * 200_000)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer"), path


def test_all_rows_come_as_postgres_writes_them(api, database, numbers):
    rows, ranges = api.all_rows(tables=[numbers])
    assert ranges == pytest.approx(120_000 / 50_000, abs=1.5)
    assert rows == database.copied(
        f"""SELECT id, at, note, replace(encode(raw, 'base64'), chr(10), '') FROM "{numbers}" """
    )


def test_the_age_is_a_filter(api, database, numbers):
    bounds = {"since": "2026-01-10T00:00:00Z", "until": "2026-01-20T00:00:00+00:00"}
    plan = api.plan(tables=[numbers], age_columns={numbers: "at"}, **bounds)
    (planned,) = plan["tables"]
    answers = [api.rows(api.question(plan, planned, part)) for part in planned["ranges"]]
    found = sorted(b"".join(csv for csv, _ in answers).splitlines(keepends=True))
    assert found == database.copied(
        f"""SELECT id, at, note, replace(encode(raw, 'base64'), chr(10), '') FROM "{numbers}"
            WHERE at >= '2026-01-10Z' AND at < '2026-01-20Z'"""
    )
    sums = [said for _, said in answers if said.rows]
    assert sum(said.rows for said in sums) == 14_400
    assert min(said.first_age for said in sums) == "2026-01-10T00:00:00.000000Z"
    assert max(said.last_age for said in sums) == "2026-01-19T23:59:00.000000Z"


def test_a_table_is_read_once_not_once_per_range(api, database, numbers):
    def read() -> int:
        database.run("SELECT pg_stat_force_next_flush()")
        database.run("SELECT pg_stat_clear_snapshot()")
        ((rows,),) = database.run(
            "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables WHERE relname = %s", numbers
        )
        return rows

    before = read()
    rows, ranges = api.all_rows(
        tables=[numbers], age_columns={numbers: "at"}, since="2026-01-02T00:00:00Z", until="2026-03-20T00:00:00Z"
    )
    assert ranges > 1
    assert len(rows) > 100_000
    # The sample that the ranges come from is 20,000 rows here; a pass over the table per range would be 240,000 and more.
    assert 120_000 <= read() - before <= 120_000 + 30_000


def test_a_row_without_an_age_belongs_to_those_who_ask_for_all(api, database):
    columns = "id int PRIMARY KEY, at timestamp"
    rows = (
        "SELECT n, CASE WHEN n > 2 THEN '2026-01-01'::timestamp + n * interval '1 day' END FROM generate_series(1, 5) n"
    )
    with table(database, "mwaa undated", columns, rows) as name:
        asked = {"tables": [name], "age_columns": {name: "at"}}
        assert api.all_rows(**asked)[0] == [
            b"1,\n", b"2,\n", b"3,2026-01-04 00:00:00\n", b"4,2026-01-05 00:00:00\n", b"5,2026-01-06 00:00:00\n"
        ]  # fmt: skip
        assert api.all_rows(**asked, since="2026-01-05T00:00:00Z")[0] == [
            b"4,2026-01-05 00:00:00\n",
            b"5,2026-01-06 00:00:00\n",
        ]
        assert api.all_rows(**asked, until="2026-01-05T00:00:00Z")[0] == [b"3,2026-01-04 00:00:00\n"]


def test_what_may_still_change_is_left_to_the_next_export(api, database):
    rows = "SELECT n, now() - n * interval '20 seconds' FROM generate_series(1, 6) n"
    with table(database, "mwaa young", "id int PRIMARY KEY, at timestamptz", rows) as name:
        plan = api.plan(tables=[name], age_columns={name: "at"})
        (planned,) = plan["tables"]
        assert planned["until"] == plan["cut"]
        csv, _ = api.rows(api.question(plan, planned, planned["ranges"][0]))
        assert {int(row.split(b",")[0]) for row in csv.splitlines()} in ({3, 4, 5, 6}, {4, 5, 6})


@pytest.mark.parametrize(
    ("columns", "rows"),
    [
        ('"a,""b" text, n int, PRIMARY KEY ("a,""b", n)', "SELECT 'k' || (n % 3) || '%''\"', n FROM generate_series(1, 60000) n"),
        ("id uuid PRIMARY KEY, note text", f"SELECT {UUID}, repeat('x', 50) FROM generate_series(1, 60000) n"),
        ("a text COLLATE \"C\", b text, PRIMARY KEY (a, b)", "SELECT chr(65 + n % 50), n FROM generate_series(1, 60000) n"),
        ("at timestamptz PRIMARY KEY, x int", "SELECT to_timestamp(n / 7.0), n FROM generate_series(1, 60000) n"),
        ("n numeric PRIMARY KEY", "SELECT n / 7.0 FROM generate_series(-30000, 30000) n"),
        ("note text", "SELECT n::text FROM generate_series(1, 60000) n"),
    ],
    ids=["two columns, odd name", "uuid", "other collation", "moments", "numbers", "no key"],
)  # fmt: skip
def test_every_kind_of_key_cuts_a_table_without_losing_or_doubling_a_row(api, database, columns, rows):
    with table(database, 'mwaa "odd" %s name', columns, rows) as name:
        quoted = name.replace('"', '""')
        found, ranges = api.all_rows(tables=[name])
        assert found == database.copied(f'SELECT * FROM "{quoted}"')
        assert (ranges > 1) == ("PRIMARY KEY" in columns)


def test_a_range_can_be_cut_again(api, database, numbers):
    plan = api.plan(tables=[numbers])
    (planned,) = plan["tables"]
    part = planned["ranges"][1]
    question = api.question(plan, planned, part)
    smaller = api.post("cuts", question).json()["ranges"]
    assert len(smaller) >= 3
    assert (smaller[0]["after"], smaller[-1]["up_to"]) == (part["after"], part["up_to"])
    whole, _ = api.rows(question)
    parts = b"".join(api.rows({**question, **one})[0] for one in smaller)
    assert sorted(parts.splitlines()) == sorted(whole.splitlines())


@pytest.mark.parametrize("name", ["connection", "variable", "session", "revoked_token"])
def test_a_table_that_holds_credentials_is_never_served(api, database, name):
    if not database.run("SELECT 1 FROM pg_tables WHERE tablename = %s", name):
        pytest.skip(f"this release has no table {name}")
    answer = api.post("plan", {"tables": [name]})
    assert (answer.status_code, answer.json()["code"]) == (403, "secret")
    question = {"table": name, "columns": ["id"], "revision": api.plan()["schema_revision"]}
    for what in ("rows", "cuts"):
        answer = api.post(what, question)
        assert (answer.status_code, answer.json()["code"]) == (403, "secret")


def test_a_secret_column_is_never_served(api, database):
    rows = "SELECT 1, 'hunter2', 'yes'"
    with table(database, "mwaa_plugin", "id int PRIMARY KEY, api_key text, open text", rows) as name:
        plan = api.plan(tables=[name])
        (planned,) = plan["tables"]
        assert planned["left_out"] == ["api_key"]
        question = api.question(plan, planned, planned["ranges"][0])
        assert api.rows(question)[0] == b"1,yes\n"
        answer = api.post("rows", {**question, "columns": ["id", "api_key"]})
        assert answer.status_code == 422
        assert answer.json() == {
            "code": "invalid",
            "detail": "Invalid input: columns: 'api_key' is no column of 'mwaa_plugin' that is served",
        }


ODD_NAMES = [
    "log; DROP TABLE log",
    'log"; DROP TABLE log; --',
    "log' OR '1'='1",
    "pg_catalog.pg_authid",
    "pg_authid",
    "information_schema.tables",
    "../log",
    "LOG",
    "%s",
    "log -- ",
]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_sql_in_names_is_a_name_that_is_not_there(api, database, name):
    revision = api.plan()["schema_revision"]
    log = {"table": "log", "columns": ["id"], "revision": revision}
    assert api.post("plan", {"tables": [name]}).status_code == 422
    assert api.post("plan", {"age_columns": {"log": name}}).status_code == 422
    assert api.post("rows", {**log, "table": name}).status_code == 404
    assert api.post("cuts", {**log, "table": name}).status_code == 404
    assert api.post("rows", {**log, "columns": [name]}).status_code == 422
    assert api.post("rows", {**log, "age_column": name, "since": "2026-01-01T00:00:00Z"}).status_code == 422
    assert api.post("rows", {**log, "revision": name}).status_code == 409
    assert database.run("SELECT count(*) > 0 FROM pg_tables WHERE tablename = 'log'") == [(True,)]


@pytest.mark.parametrize(
    ("after", "up_to", "status"),
    [
        (["-2147483648"], ["2147483647"], 200),
        (["2147483647"], ["-2147483648"], 200),
        (["2147483648"], None, 422),
        (["9223372036854775808"], None, 422),
        (["-1"], ["-1"], 200),
        (["9" * 40], None, 422),
        (["-" + "9" * 4000], None, 422),
        (["1; DROP TABLE log"], None, 422),
        (["1') OR ('1'='1"], None, 422),
        (["1' OR '1'='1"], None, 422),
        (["\\'; DROP TABLE log; --"], None, 422),
        (["1e400"], None, 422),
        (["NaN"], None, 422),
        ([""], None, 422),
        (["1", "2"], None, 422),
        ([], None, 422),
        (["1" * 5000], None, 422),
    ],
)
def test_huge_negative_and_hostile_ranges(api, database, after, up_to, status):
    question = {
        "table": "log",
        "columns": ["id"],
        "after": after,
        "up_to": up_to,
        "revision": api.plan()["schema_revision"],
    }
    assert api.post("rows", question).status_code == status
    assert api.post("cuts", question).status_code == status
    assert database.run("SELECT count(*) > 0 FROM pg_tables WHERE tablename = 'log'") == [(True,)]


def test_an_error_of_the_database_quotes_no_value(api):
    question = {"table": "log", "columns": ["id"], "after": ["hunter2"], "revision": api.plan()["schema_revision"]}
    assert "hunter2" not in api.post("rows", question).text


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"])
def test_the_ends_of_time(api, moment):
    plan = api.plan(tables=["log"], since=moment)
    (planned,) = plan["tables"]
    assert api.rows(api.question(plan, planned, planned["ranges"][0]))[1].rows >= 0


def test_a_question_that_is_too_long_is_not_read(api):
    assert api.post("rows", b" " * 70_000).status_code == 413


def test_another_revision_of_the_database_asks_for_a_new_plan(api):
    answer = api.post("rows", {"table": "log", "columns": ["id"], "revision": "0" * 12})
    assert (answer.status_code, answer.json()["code"]) == (409, "changed")


def test_a_third_request_is_told_to_come_again(token_of, database, numbers):
    from mwaa_provider.metadata.api.app import create_app
    from mwaa_provider.metadata.api.work import Places

    places = Places()
    api = Api(client_of(create_app(places=places)), token_of("ADMIN"))
    held = [places.take(), places.take()]
    for what in ("", "/plan", "/cuts", "/rows"):
        question = json.dumps({} if what == "/plan" else QUESTION)
        answer = api.client.request("POST" if what else "GET", f"{URL}{what}", content=question, headers=api.headers)
        assert (answer.status_code, answer.headers["retry-after"], answer.json()["code"]) == (429, "1", "busy")
    held[0].let_go()
    assert api.post("plan", {}).status_code == 200


QUESTION = {"table": "log", "columns": ["id"], "revision": "x"}


def test_every_place_is_given_back(token_of, database, numbers):
    from mwaa_provider.metadata.api.app import create_app
    from mwaa_provider.metadata.api.work import Places

    api = Api(client_of(create_app(places=Places(most=1))), token_of("ADMIN"))
    revision = api.plan()["schema_revision"]
    for question in (
        {**QUESTION, "revision": revision},
        {**QUESTION, "table": "nothing"},
        {**QUESTION, "table": "connection"},
        {**QUESTION, "revision": revision, "after": ["x"]},
        {**QUESTION, "sql": 1},
    ):
        for what in ("rows", "cuts"):
            assert api.post(what, question).status_code != 429, (what, question)
    assert api.plan()["schema_revision"] == revision


def test_a_range_that_takes_too_long_is_refused_and_its_transaction_ended(token_of, database):
    from mwaa_provider.metadata.api.app import create_app
    from mwaa_provider.metadata.api.reading import Reader

    clock = itertools.count(0, 15)  # each look at it is 15 seconds later
    api = Api(client_of(create_app(Reader(now=lambda: float(next(clock))))), token_of("ADMIN"))
    with table(database, "mwaa slow", "id int PRIMARY KEY", "SELECT n FROM generate_series(1, 300000) n") as name:
        revision = api.plan()["schema_revision"]
        answer = api.post("rows", {"table": name, "columns": ["id"], "revision": revision})
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
        database.run(
            "SET lock_timeout = '5s'"
        )  # a transaction that has read the table would keep it from being dropped


def test_the_transaction_sees_the_limits(token_of, database, monkeypatch):
    from mwaa_provider.metadata.api import reading

    reader = reading.Reader()
    with reader._snapshot() as connection:
        told = {
            name: connection.exec_driver_sql(f"SHOW {name}").scalar()
            for name in (
                "statement_timeout",
                "lock_timeout",
                "idle_in_transaction_session_timeout",
                "transaction_read_only",
                "transaction_isolation",
                "max_parallel_workers_per_gather",
                "TimeZone",
            )
        }
    assert told == {
        "statement_timeout": "20s",
        "lock_timeout": "2s",
        "idle_in_transaction_session_timeout": "20s",
        "transaction_read_only": "on",
        "transaction_isolation": "repeatable read",
        "max_parallel_workers_per_gather": "0",
        "TimeZone": "UTC",
    }


def test_many_at_once_are_two_at_a_time(token_of, database, numbers):
    """Two are read, however slowly; all others are told to come again."""
    from mwaa_provider.metadata.api.app import create_app
    from mwaa_provider.metadata.api.reading import Reader

    at_work, others_were_told = threading.Semaphore(0), threading.Event()

    class HeldReader(Reader):
        def rows(self, question, pipe):
            at_work.release()
            others_were_told.wait(60)
            return super().rows(question, pipe)

    client = client_of(create_app(HeldReader()))
    api = Api(client, token_of("ADMIN"))
    plan = api.plan(tables=[numbers])
    (planned,) = plan["tables"]
    question = json.dumps(api.question(plan, planned, planned["ranges"][0]))
    statuses: list[int] = []

    def ask() -> None:
        statuses.append(client.post(f"{URL}/rows", content=question, headers=api.headers).status_code)

    two, others = ([threading.Thread(target=ask) for _ in range(count)] for count in (2, 28))
    for thread in two:
        thread.start()
    assert all(at_work.acquire(timeout=60) for _ in two)
    for thread in others:
        thread.start()
    for thread in others:
        thread.join(60)
    assert statuses == [429] * 28
    others_were_told.set()
    for thread in two:
        thread.join(60)
    assert statuses == [429] * 28 + [200] * 2
