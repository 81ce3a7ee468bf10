"""What is given arrives: held against the installed Airflow's own parser."""

from __future__ import annotations

import contextlib
import io
import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mwaa_provider.client.cli_line import check_supported, read_line
from mwaa_provider.client.cli_verdict import has_failed

values = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)))
#: What argparse has words for of its own.
tricky = st.sampled_from(
    [
        "",
        "-",
        "-h",
        "--help",
        "--he",
        "-vh",
        "-j",
        "-5",
        "-1e3",
        "--conf",
        "--conf=x",
        "-c",
        "-x y",
        "{}",
        "\n",
        "'",
        '"',
        "\\",
    ]
)
any_value = st.one_of(values, tricky, values.map("-{}".format), values.map("--{}".format))


@pytest.fixture(scope="module")
def parse():
    """The installed Airflow's parser: a line as it is sent becomes what its command is given, or an exit code and what was printed."""
    from airflow.cli.cli_parser import get_parser

    parser = get_parser()

    def parse(text):
        with contextlib.redirect_stdout(io.StringIO()) as stdout, contextlib.redirect_stderr(io.StringIO()) as stderr:
            try:
                return parser.parse_args(shlex.split(text)), None
            except SystemExit as end:
                return None, (end.code, stdout.getvalue(), stderr.getvalue())

    return parse


@given(arguments=st.lists(any_value.filter(lambda value: value != "--"), min_size=1))
def test_a_list_arrives_as_it_was_given(arguments):
    line, problems = read_line(["version", *arguments])
    assert (shlex.split(line.text), problems) == (["version", *arguments], [])


@given(text=st.one_of(values, st.lists(any_value, min_size=1).map(shlex.join)))
def test_a_text_is_sent_as_it_is_or_refused(text):
    line, problems = read_line(text)
    if line is None:
        assert problems
    elif shlex.split(text)[:1] == ["airflow"]:
        assert list(line.arguments) == shlex.split(line.text) == shlex.split(text)[1:]
    else:
        assert (line.text, list(line.arguments)) == (text, shlex.split(text))


@settings(deadline=None)  # Airflow makes its parsers when they are first asked
@given(key=any_value, value=any_value)
def test_positional_values_arrive_behind_two_dashes(parse, key, value):
    line, problems = read_line(["variables", "set", "--", key, value])
    if "--" in (key, value):
        assert (line, len(problems)) == (None, 1)
        return
    arguments, _ = parse(line.text)
    assert (arguments.key, arguments.value) == (key, value)


@settings(deadline=None)
@given(dag_id=any_value, conf=any_value, run_id=any_value)
def test_values_of_options_arrive_behind_an_equals_sign(parse, dag_id, conf, run_id):
    line, problems = read_line(["dags", "trigger", f"--conf={conf}", f"--run-id={run_id}", "--", dag_id])
    if "--" in (dag_id, conf, run_id):
        assert (line, len(problems)) == (None, 1)
        return
    arguments, _ = parse(line.text)
    assert (arguments.dag_id, arguments.conf, arguments.run_id) == (dag_id, conf, run_id)


@settings(deadline=None)
@given(dag_id=any_value, conf=any_value, run_id=any_value)
def test_without_them_values_arrive_or_nothing_is_done(parse, dag_id, conf, run_id):
    """Airflow refuses what looks like an option; what prints its help and does nothing is refused here, or is told as a failure."""
    line, problems = read_line(["dags", "trigger", dag_id, "-c", conf, "-r", run_id])
    if line is None or check_supported(line, "3.3.1"):
        assert problems or "--help" in str(check_supported(line, "3.3.1"))
        return
    arguments, ended = parse(line.text)
    if arguments is None:
        code, stdout, stderr = ended
        assert code == 2 or stdout.lower().startswith("usage: ")
        assert has_failed(line, stdout, stderr, airflow_version="3.3.1")
    elif "--" not in (dag_id, conf, run_id):
        assert (arguments.dag_id, arguments.conf, arguments.run_id) == (dag_id, conf, run_id)


@pytest.mark.parametrize(
    "asked",
    [
        ["-o", "json"],
        ["-ojson"],
        ["-o=json"],
        ["--output", "json"],
        ["--output=json"],
        ["--out", "json"],
        ["--outp=json"],
    ],
    ids=" ".join,
)
def test_json_is_asked_for_however_argparse_takes_it(parse, asked):
    line, _ = read_line(["dags", "list", *asked])
    assert parse(line.text)[0].output == "json"
    assert line.wants_json


@pytest.mark.parametrize(
    "rest", [["-o", "table"], ["-o=plain"], ["--output=yaml"], ["json"], ["--only=json"], ["--", "-o", "json"], ["-o"]]
)
def test_json_is_not_asked_for(rest):
    line, _ = read_line(["dags", "list", *rest])
    assert not line.wants_json


def test_help_may_be_asked_for(parse):
    line, _ = read_line(["dags", "trigger", "--help"])
    assert check_supported(line, "3.3.1") == []
    _, (code, stdout, stderr) = parse(line.text)
    assert (code, has_failed(line, stdout, stderr, airflow_version="3.3.1")) == (0, False)


def test_reprs_show_no_values():
    line, _ = read_line(["variables", "set", "k", "a-secret-value"])
    assert repr(line) == "CliLine()"
