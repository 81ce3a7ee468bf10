"""A requirements file is read as pip reads it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwaa_provider.packaging.requirements_file import Option, read_requirements


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("-c a.txt", [Option(1, "--constraint", "a.txt")]),
        ("-ca.txt", [Option(1, "--constraint", "a.txt")]),
        ("--constraint=a.txt", [Option(1, "--constraint", "a.txt")]),
        ('--constraint "a b.txt"', [Option(1, "--constraint", "a b.txt")]),
        ("--no-index --find-links x", [Option(1, "--no-index"), Option(1, "--find-links", "x")]),
        ("\n\n  -i https://h/#frag # note", [Option(3, "--index-url", "https://h/#frag")]),
        ("--find-links \\\n  /a/b", [Option(1, "--find-links", "/a/b")]),
        ("# -i https://h\n", []),
    ],
)
def test_options(text: str, options: list[Option]) -> None:
    read = read_requirements(text)
    assert (list(read.options), list(read.wanted), list(read.problems)) == (options, [], [])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Some_Package[b,a] >= 1.0 , <2 ; python_version < '3.13'", [(1, "some-package")]),
        ("a==1 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\nb", [(1, "a"), (4, "b")]),
        ("a #c\nb # d", [(1, "a"), (2, "b")]),
        ("/usr/local/airflow/plugins/numpy-2.2.0-cp312-cp312-manylinux1_x86_64.whl", [(1, "numpy")]),
        ("https://h/w/numpy-2.2.0-cp312-cp312-manylinux1_x86_64.whl", [(1, "numpy")]),
        ("git+https://h/x.git@v1#egg=name", [(1, "name")]),
        ("./local", [(1, None)]),
        ("name @ git+https://h/x.git", [(1, "name")]),
    ],
)
def test_packages(text: str, wanted: list[tuple[int, str | None]]) -> None:
    read = read_requirements(text)
    assert [(one.line, one.name) for one in read.wanted] == wanted
    assert not read.problems


@pytest.mark.parametrize("text", ["a b", "a=1.0", "--no-such", "-c", "a==1 --no-such", '-c "', "-x y", "a==", "a;b"])
def test_what_pip_refuses(text: str) -> None:
    assert [one.line for one in read_requirements(f"good\n{text}\n").problems] == [2]


@given(st.text(max_size=200))
def test_nothing_makes_it_fail(text: str) -> None:
    read = read_requirements(text)
    lines = text.count("\n") + len(text.splitlines()) + 1
    assert all(1 <= one.line <= lines for one in (*read.options, *read.wanted, *read.problems))
