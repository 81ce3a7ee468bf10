"""Every block of README and docs is tried: included from an example, run by a test, or, where it is a command's line, taken by the command.

- Python that is included is compared with its source (``test_documentation_is_true.py``), and that runs or is parsed.
- Python that is not is run: here, or by the tests that ``ELSEWHERE`` names.
- A session (``console``) is run by ``test_command_page.py``, output and all.
- Other lines are commands. One of ``mwaa`` is parsed by the command itself, one of the AWS CLI is held against botocore's models, what
  ``pip install`` is given against the grammar of requirements; scripts are there. Nothing is carried out.
- JSON and TOML can be read.

And every figure that was measured names the benchmark, or the test, that measures and prints it.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.session
import click
import pytest
from botocore import xform_name
from packaging.requirements import Requirement

from mwaa_provider.cli.group import mwaa
from mwaa_provider.local import LocalMwaa
from tests.support.cloudwatch import cloudwatch

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from _legs import LEGS  # noqa: E402

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"(<!-- \[START \w+\] from \S+ -->\n)?^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)

#: Blocks of Python that other tests run, by a line of theirs.
ELSEWHERE = {
    "client.wait_for_dag_run(": "tests/docs/test_client_examples.py",
    "client.get_environment(": "tests/docs/test_client_examples.py",
    "MwaaClient().run_cli(": "tests/docs/test_client_examples.py",
    "import lambda_trigger_dag": "tests/docs/test_client_examples.py",
    "test_a_lost_answer_starts_one_run": "tests/docs/test_documentation_is_true.py",
    "ApiSource(MwaaClient(": "tests/metadata/api/test_api_source.py",
    ".metrics_reader(": "tests/docs/test_every_block_is_tried.py",
}
#: What lines may call besides ``mwaa``, ``aws``, ``pip`` and what is in ``scripts/``.
OF_THE_SHELL = {"cd", "cp", "export", "git", "mkdir", "zip"}


@dataclass(frozen=True)
class Block:
    page: str
    line: int
    language: str
    text: str
    is_included: bool


def blocks(*languages: str) -> list[Block]:
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in BLOCK.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            found.append(Block(str(page.relative_to(ROOT)), line, match[2], match[3], match[1] is not None))
    return [block for block in found if not languages or block.language in languages]


def named(block: Any) -> str:
    return f"{block.page}:{block.line}"


def test_blocks_are_of_kinds_that_are_tried() -> None:
    assert {block.language for block in blocks()} == {"", "console", "json", "python", "toml"}
    assert {block.page for block in blocks("console")} == {"docs/command.md"}


BY_THEMSELVES = [
    block for block in blocks("python") if not block.is_included and not any(line in block.text for line in ELSEWHERE)
]


@pytest.mark.parametrize("block", BY_THEMSELVES, ids=named)
def test_python_runs(block: Block) -> None:
    names = dict.fromkeys(("key", "value", "conf", "run_id", "dag_id"), "x")
    exec(compile(block.text, named(block), "exec"), names)


@pytest.mark.parametrize("line", ELSEWHERE)
def test_what_others_run_is_there_and_run(line: str) -> None:
    assert [block for block in blocks("python") if line in block.text and not block.is_included]
    text = (ROOT / ELSEWHERE[line]).read_text(encoding="utf-8")
    assert "exec(compile(" in text


def test_metrics_are_read(local_mwaa: LocalMwaa, monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = (block for block in blocks("python") if ".metrics_reader(" in block.text)
    with cloudwatch() as cloud:
        for name, value in cloud.variables.items():
            monkeypatch.setenv(name, value)
        names: dict[str, Any] = {}
        exec(compile(block.text, named(block), "exec"), names)
        assert names["reader"].read("QueuedTasks").latest is None
        assert cloud.calls == 5


def commands() -> Iterator[tuple[str, list[str]]]:
    """Yield each command of a block without a language, as the shell would take it apart, and where it stands."""
    for block in blocks(""):
        text = block.text.replace("\\\n", " ")
        if text.startswith("--constraint"):
            text = "pip install " + text.replace("\n", " ")  # requirements.txt
        for line in text.splitlines():
            words = shlex.split(line.strip("()"), comments=True)
            while words:
                end = words.index("&&") if "&&" in words else len(words)
                yield named(block), [word for word in words[:end] if word not in (">", "uri.txt")]
                words = words[end + 1 :]


COMMANDS = [pytest.param(words, id=f"{place} {' '.join(words[:3])}") for place, words in commands()]


@pytest.mark.parametrize("words", COMMANDS)
def test_a_command_can_be_given(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("dags", "plugins/instantclient_18_5", "instantclient_18_5"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("requirements.txt", "requirements-private.txt", "startup.sh", "plugins.zip"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    program, *arguments = words
    if program == "mwaa":
        parse(mwaa, arguments)
    elif program == "aws":
        check_aws(*arguments)
    elif program == "pip":
        check_pip(arguments)
    elif program.startswith("scripts/"):
        assert (ROOT / program).is_file()
    else:
        assert program in OF_THE_SHELL


def parse(command: click.Command, arguments: list[str], parent: click.Context | None = None) -> None:
    """Let click take the arguments, down to the last command, and carry nothing out."""
    context = command.make_context(command.name, list(arguments), parent=parent)
    if isinstance(command, click.Group):
        # click's name for it from 8.2 on, and before.
        name = "_protected_args" if hasattr(context, "_protected_args") else "protected_args"
        _, below, left = command.resolve_command(context, [*getattr(context, name), *context.args])
        assert below is not None
        parse(below, left, context)


def check_aws(service: str, operation: str, *arguments: str) -> None:
    model = botocore.session.get_session().get_service_model("s3" if service == "s3api" else service)
    (found,) = (one for one in model.operation_names if xform_name(one, "-") == operation)
    members = {xform_name(name, "-") for name in model.operation_model(found).input_shape.members}
    options = {word.removeprefix("--") for word in arguments if word.startswith("--")}
    assert options - members == set()


def check_pip(arguments: list[str]) -> None:
    assert arguments.pop(0) == "install"
    while arguments:
        word = arguments.pop(0)
        if word == "--constraint":
            found = re.fullmatch(
                r"https://raw\.githubusercontent\.com/apache/airflow/constraints-(.+)/constraints-(\d+)\.(\d+)\.txt",
                arguments.pop(0),
            )
            assert found is not None
            assert LEGS[found[1]].base_python == (int(found[2]), int(found[3]))
        elif word == "--target":
            arguments.pop(0)
        elif word != "--no-deps":
            Requirement(word)


@pytest.mark.parametrize("block", blocks("json"), ids=named)
def test_json_can_be_read(block: Block) -> None:
    assert json.loads(block.text)


@pytest.mark.parametrize("block", blocks("toml"), ids=named)
def test_toml_can_be_read(block: Block) -> None:
    tomllib = pytest.importorskip("tomllib", reason="Python 3.10 reads no TOML")
    assert tomllib.loads(block.text)


#: What only a measurement can say: how fast, how much of something else, how much it grew.
MEASURED = re.compile(
    r"\bmeasured (?:with|on|by)\b|(?<!of )\b[\d,.]+ rows a second|hundred rows a second|\d\.\d+ times|\bpercentile\b|\bgrew by\b"
    r"|\bin \d+\.\d+ s\b|\b0\.\d+ of\b",
    re.IGNORECASE,
)


def test_every_measured_figure_names_its_benchmark() -> None:
    bare = []
    for page in [*PAGES, ROOT / "ARCHITECTURE.md"]:
        for paragraph in re.split(r"\n\n|\n(?=- |\d+\. |\| )", page.read_text(encoding="utf-8")):
            named_in_it = re.findall(r"benchmarks/\w+\.py|tests/\S+\.py", paragraph)
            named_in_it += [f"benchmarks/{name}.py" for name in re.findall(r"scripts/bench (\w+)", paragraph)]
            assert [name for name in named_in_it if not (ROOT / name).is_file()] == []
            if MEASURED.search(paragraph) and not named_in_it:
                bare.append(f"{page.name}: {paragraph}")
    assert bare == []


def test_every_picture_is_drawn_taken_or_a_chart_of_a_benchmark() -> None:
    pictures = {path.name for path in (ROOT / "docs/images").iterdir()}
    drawn = {"house.svg", "trigger.svg"}
    assert drawn <= pictures
    taken = re.findall(r'f"([\w-]+-airflow-)\{', (ROOT / "scripts/_screenshots_story.py").read_text(encoding="utf-8"))
    assert len(taken) == 2
    benchmarks = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "benchmarks").glob("*.py"))
    charts = set(re.findall(r"docs/images/([\w-]+\.png)", benchmarks))
    assert charts <= pictures
    assert [name for name in sorted(pictures - drawn - charts) if not name.startswith(tuple(taken))] == []
