"""The pages that list things have all of them: errors, what needs which IAM action, and every class in the reference."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import mwaa_provider
from mwaa_provider import exceptions
from mwaa_provider.exceptions import MwaaError
from mwaa_provider.get_provider_info import get_provider_info

DOCS = Path(__file__).parents[2] / "docs"


def read(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def errors() -> list[str]:
    kinds = [kind for kind in vars(exceptions).values() if inspect.isclass(kind) and issubclass(kind, MwaaError)]
    return sorted(kind.__name__ for kind in kinds if kind is not MwaaError)


def test_every_error_has_a_row_and_a_place_in_the_tree() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", read("errors.md"), re.MULTILINE)
    assert sorted(rows) == errors()
    tree = re.findall(r"[├└]── (\w+)", exceptions.__doc__ or "")
    assert sorted(tree) == errors()


def test_every_task_says_which_iam_action_it_needs() -> None:
    rows = re.findall(r"^\| [^|]+ \| `(\w+)` \| \S", read("connection.md"), re.MULTILINE)
    tasks = [name for name in mwaa_provider.__all__ if name.endswith(("Operator", "Sensor"))]
    assert sorted(rows) == sorted(tasks)


def test_the_reference_names_what_can_be_imported() -> None:
    named = re.findall(r"`(\w+)`", read("reference/index.md").partition("can be imported from")[2])
    assert set(mwaa_provider.__all__) - {"__version__"} <= set(named)
    directives = re.findall(
        r"^::: (\S+)$", "".join(path.read_text() for path in (DOCS / "reference").glob("*.md")), re.MULTILINE
    )
    assert len(directives) == len(set(directives))
    classes = {f"{home}.{name}" for name, home in mwaa_provider._HOME_OF.items()}
    assert classes - set(directives) == set()


def test_airflow_is_told_of_every_module_with_something_to_import() -> None:
    info = get_provider_info()
    told = {
        module
        for kind in ("hooks", "operators", "sensors", "triggers")
        for one in info[kind]
        for module in one["python-modules"]
    } | {one["python-module"] for one in info["transfers"]}
    homes = {home for home in mwaa_provider._HOME_OF.values() if ".client." not in home}
    assert homes - told == set()


def test_pictures_are_there_and_can_be_read_aloud() -> None:
    page = read("architecture.md")
    pictures = re.findall(r"!\[([^\]]+)\]\((\S+\.svg)\)", page)
    assert [name for _, name in pictures] == ["images/house.svg", "images/trigger.svg"]
    for about, name in pictures:
        assert len(about) > 60
        assert read(name).startswith("<svg ")
