"""Links that leave the project have the form that lasts; whether they lead somewhere cannot be tried without a network.

They are read out of README, all pages, and the source and examples (docstrings link to AWS's and Airflow's pages).
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from _legs import LEGS  # noqa: E402

#: Where links may lead. A host that is not here is one that nobody has looked at.
HOSTS = {
    "airflow.apache.org",
    "aws.amazon.com",
    "docs.aws.amazon.com",
    "docs.kernel.org",
    "github.com",
    "man7.org",
    "pip.pypa.io",
    "raw.githubusercontent.com",
    "www.postgresql.org",
    "www.shellcheck.net",
}
#: What is written as an example of an address, and is no link.
NO_LINKS = re.compile(
    r"(localhost|127\.0\.0\.1|host|proxy|token@host|user:password@host|\.\.\.|HOST)\b|.*[{}$]|\.\.\.|[\w-]+\.\w+\.[\w-]+\.airflow\.amazonaws\.com"
    r"|errors\.pydantic\.dev"
)
URL = re.compile(r"https?://[^\s)>\"'`\]|]+")
TRACKING = re.compile(r"utm_\w+|trk\w*|sc_\w+|fbclid|gclid|ref|source")


def problems_of(url: str) -> list[str]:
    """Say what is wrong with a link, as far as it can be seen from here."""
    parts = urlsplit(url)
    found = []
    if parts.scheme != "https":
        found.append("it is not https")
    if parts.netloc not in HOSTS:
        found.append(f"{parts.netloc or 'nothing'} is no host that we link to")
    if tracked := [name for name, _ in parse_qsl(parts.query, keep_blank_values=True) if TRACKING.fullmatch(name)]:
        found.append(f"{', '.join(tracked)}: it tells where somebody comes from")
    if parts.netloc == "docs.aws.amazon.com" and not re.fullmatch(
        r"/mwaa/|/[\w-]+/latest/[\w-]+/[\w-]+\.html", parts.path
    ):
        found.append("a page of AWS is /SERVICE/latest/GUIDE/PAGE.html, without a language and without a version")
    if parts.netloc == "airflow.apache.org" and not re.fullmatch(
        r"/docs/[\w-]+/stable/([\w-]+/)*[\w-]+\.html", parts.path
    ):
        found.append("a page of Airflow is /docs/PACKAGE/stable/PAGE.html: those of a release go away")
    if parts.netloc == "github.com" and (re.search(r"/(blob|tree)/(main|master|dev)\b", parts.path) or parts.fragment):
        found.append("a branch moves on, and its lines with it: name a tag or commit, or the repository")
    if parts.netloc == "raw.githubusercontent.com":
        named = re.fullmatch(r"/apache/airflow/constraints-([\d.]+)/constraints-(\d+)\.(\d+)\.txt", parts.path)
        leg = LEGS.get(named[1]) if named else None
        if named is None or leg is None or leg.base_python != (int(named[2]), int(named[3])):
            found.append("it is no constraint file of a release that MWAA runs, for MWAA's Python")
    return found


def links() -> set[tuple[str, str]]:
    files = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "benchmarks/README.md"]
    for folder in ("src", "example_dags", "examples"):
        files += (ROOT / folder).rglob("*.py")
    return {
        (str(file.relative_to(ROOT)), url.rstrip(".,;:"))
        for file in files
        for url in URL.findall(file.read_text(encoding="utf-8"))
        if not NO_LINKS.match(url.partition("://")[2])
    }


def test_links_have_the_form_that_lasts() -> None:
    found = links()
    assert len(found) > 50
    assert [f"{file}: {url}: {problem}" for file, url in sorted(found) for problem in problems_of(url)] == []


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://github.com/aws/amazon-mwaa-docker-images", "it is not https"),
        ("https://example.com/a", "example.com is no host that we link to"),
        ("https://aws.amazon.com/blogs/?utm_source=x&trk=y", "utm_source, trk: it tells"),
        ("https://docs.aws.amazon.com/de_de/mwaa/latest/userguide/mwaa-quotas.html", "a page of AWS is"),
        ("https://airflow.apache.org/docs/apache-airflow/2.10.3/stable-rest-api-ref.html", "a page of Airflow is"),
        ("https://github.com/apache/airflow/blob/main/setup.py", "a branch moves on"),
        (
            "https://raw.githubusercontent.com/apache/airflow/constraints-3.2.1/constraints-3.11.txt",
            "it is no constraint file",
        ),
    ],
)
def test_a_link_that_will_not_last_is_found(url: str, problem: str) -> None:
    (found,) = problems_of(url)
    assert found.startswith(problem)
