"""Wheels that stand for Airflow while pip resolves: of its version, asking for nothing.

MWAA has Airflow and all that it asks for. pip would have to find wheels for that too, and for some releases there are none
(``unicodecsv``, which Airflow 2 asks for, has never had one).
"""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

from mwaa_provider.packaging.archive import Content, write_archive

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from mwaa_provider.packaging.releases import Release

#: What there is a stub for; ``apache-airflow-core`` from Airflow 3 on.
STOOD_FOR = ("apache-airflow", "apache-airflow-core")


def stub_version(release: Release) -> str:
    """Return the version of the stubs: newer for pip than the real one, and met by whatever the real one meets.

    :param release: The release.
    """
    return f"{release.airflow}+on.mwaa"


def write_stubs(folder: Path, release: Release, extras: dict[str, list[str]]) -> None:
    """Write the stubs.

    :param folder: Where.
    :param release: The release.
    :param extras: Of each distribution the ``Requires-Dist`` that only its extras ask for.
    """
    for distribution in STOOD_FOR:
        stem = f"{distribution.replace('-', '_')}-{stub_version(release)}"
        lines = extras.get(distribution, [])
        metadata = ["Metadata-Version: 2.1", f"Name: {distribution}", f"Version: {stub_version(release)}", *lines, ""]
        files = {
            "METADATA": "\n".join(metadata),
            "WHEEL": "Wheel-Version: 1.0\nGenerator: mwaa\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            "RECORD": "",
        }
        inside = {f"{stem}.dist-info/{name}": Content(text.encode()) for name, text in files.items()}
        write_archive(folder / f"{stem}-py3-none-any.whl", inside)


def extras_in(wheel: bytes) -> list[str]:
    """Return the lines of a wheel's metadata that are about its extras.

    :param wheel: The wheel.
    """
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        (name,) = (one for one in archive.namelist() if one.endswith(".dist-info/METADATA"))
        head = archive.read(name).decode("utf-8").partition("\n\n")[0].splitlines()
    return list(_about_extras(head))


def _about_extras(lines: Iterable[str]) -> Iterable[str]:
    for line in lines:
        if line.startswith("Provides-Extra:") or (line.startswith("Requires-Dist:") and "extra ==" in line):
            yield line
