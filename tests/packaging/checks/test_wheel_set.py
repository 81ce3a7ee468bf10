"""Whether wheels are enough to install from without an index."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.requirements import Requirement

from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.packaging.releases import release_of
from mwaa_provider.packaging.wheel_set import WheelSet, read_wheel, read_wheels
from tests.packaging.checks.files import wheel, write_zip

RELEASE = release_of("3.2.1")


def wheels(*made: tuple[str, bytes]) -> WheelSet:
    return WheelSet(tuple(read_wheel(*one) for one in made))


def closed(
    held: WheelSet, *wanted: str, without: tuple[str, ...] = ()
) -> tuple[list[str], list[tuple[str, str | None]]]:
    needed, missing = held.closure(map(Requirement, wanted), RELEASE, without)
    return [one.name for one in needed], [(str(one.requirement), one.by.name if one.by else None) for one in missing]


def test_what_wheels_ask_for_is_followed() -> None:
    held = wheels(
        wheel(
            "a",
            "1.0",
            "b>=2",
            "win-only; sys_platform == 'win32'",
            "d; extra == 'more'",
            "old; python_version < '3.12'",
        ),
        wheel("b", "2.0", "c"),
        wheel("c", "1.0", "a"),
        wheel("e", "1.0"),
    )
    assert closed(held, "a") == (["a", "b", "c"], [])
    assert closed(held, "a[more]==1.0", "B<2") == (["a", "b", "c"], [("B<2", None), ('d; extra == "more"', "a")])
    assert closed(held, "e", "missing") == (["e"], [("missing", None)])


def test_the_newest_that_fits_is_taken() -> None:
    held = wheels(wheel("a", "1.0", "b"), wheel("a", "2.0", tag="cp37-cp37m-linux_x86_64"), wheel("a", "1.5"))
    assert held.of(Requirement("a"), RELEASE) == held.wheels[2]
    assert held.of(Requirement("a==1.0"), RELEASE) == held.wheels[0]
    assert held.of(Requirement("a>1.5"), RELEASE) is None


def test_of_what_is_there_only_the_extras_are_followed() -> None:
    held = wheels(
        wheel("apache_airflow", "3.2.1", "b", "p; extra == 'snowflake'"),
        wheel("b", "1"),
        wheel("p", "1", "apache-airflow>=2"),
    )
    assert closed(held, "apache-airflow[snowflake]==3.2.1", without=("apache-airflow",)) == (["p"], [])
    assert closed(held, "apache-airflow[snowflake]==3.2.1") == (["apache-airflow", "b", "p"], [])


def test_where_find_links_looks(tmp_path: Path) -> None:
    (name, content), (_, deep) = wheel("a", "1.0"), wheel("b", "1.0")
    archive = write_zip(tmp_path / "plugins.zip", {name: content, "deep/b-1.0-py3-none-any.whl": deep, "c.txt": b""})
    assert [one.name for one in read_wheels(archive).wheels] == ["a"]
    (tmp_path / name).write_bytes(content)
    assert [one.name for one in read_wheels(tmp_path).wheels] == ["a"]


@pytest.mark.parametrize(("name", "content"), [("a.whl", b""), ("a-1.0-py3-none-any.whl", b"no")])
def test_no_wheel(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidInputError, match="is no wheel"):
        read_wheels(tmp_path)


def test_no_place(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("x")
    for place in ("missing", "text"):
        with pytest.raises(InvalidInputError, match="neither a folder nor an archive"):
            read_wheels(tmp_path / place)
