"""What pytest wrote is counted, and the table says what it comes to."""

from __future__ import annotations

import _pytest_leg
from _report import Row, print_table

XML = """<testsuites><testsuite>
<testcase name="a"/><testcase name="b"/>
<testcase name="c"><failure message="no"/></testcase>
<testcase name="d"><error message="no"/></testcase>
<testcase name="e"><skipped message="no pyarrow"/></testcase>
<testcase name="f"><skipped message="no pyarrow"/></testcase>
</testsuite></testsuites>"""


def test_tests_are_counted(tmp_path):
    (tmp_path / "leg.xml").write_text(XML)
    assert _pytest_leg._counts(tmp_path / "leg.xml") == ((2, 2, 2), {"no pyarrow": 2})
    assert _pytest_leg._counts(tmp_path / "none.xml") == ((0, 0, 0), {})


def test_the_table(capsys):
    rows = [
        Row("lint", seconds=1.2),
        Row("Airflow 3.3.1", "3.12", "FAILED", 61.7, (10, 1, 2), ("skipped 2: no pyarrow",)),
        Row("Airflow 2.7.2", outcome="not run", notes=("no Python 3.11 or 3.10 here",)),
    ]
    print_table(rows, selected=False)
    assert capsys.readouterr().out == (
        "\n"
        "what           Python  outcome  seconds  passed  failed  skipped\n"
        "-------------  ------  -------  -------  ------  ------  -------\n"
        "lint                   passed         1\n"
        "Airflow 3.3.1  3.12    FAILED        62      10       1        2\n"
        "    skipped 2: no pyarrow\n"
        "Airflow 2.7.2          not run\n"
        "    no Python 3.11 or 3.10 here\n"
        "\n"
        "Not run: Airflow 2.7.2.\n"
        "FAILED: Airflow 3.3.1.\n"
    )


def test_nothing_failed(capsys):
    print_table([Row("lint", seconds=1.2)], selected=True)
    assert capsys.readouterr().out.endswith("\nNothing failed in what was selected.\n")
