"""This package itself, for plugins.zip: as a folder to import from, or as a wheel for ``--find-links``. Nothing is downloaded."""

from __future__ import annotations

import base64
import hashlib
import tempfile
from importlib import metadata
from pathlib import Path

import mwaa_provider
from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.packaging.archive import Content, files_under, write_archive

DISTRIBUTION = "airflow-provider-mwaa"
PACKAGE = "mwaa_provider"
_SOURCE = Path(mwaa_provider.__file__).parent


def package_folder() -> dict[str, Content]:
    """Return the package's files, below the folder ``mwaa_provider``."""
    return {f"{PACKAGE}/{name}": content for name, content in files_under(_SOURCE).items()}


def package_wheel() -> tuple[str, Content]:
    """Return the name and the content of a wheel of the package as it is installed here.

    :raises InvalidInputError: The package is not installed by pip here, so that its metadata is not known.
    """
    try:
        distribution = metadata.distribution(DISTRIBUTION)
    except metadata.PackageNotFoundError as error:
        raise InvalidInputError(
            [
                f"with_package: {DISTRIBUTION} is not installed by pip here, so no wheel can be made of it; take the folder"
            ]
        ) from error
    stem = f"{DISTRIBUTION.replace('-', '_')}-{distribution.version}"
    info = f"{stem}.dist-info"
    files = {name: Content(content.read()) for name, content in package_folder().items()}
    for name in ("METADATA", "entry_points.txt", "licenses/LICENSE"):
        text = distribution.read_text(name)
        if text is not None:
            files[f"{info}/{name}"] = Content(text.encode("utf-8"))
    files[f"{info}/WHEEL"] = Content(
        f"Wheel-Version: 1.0\nGenerator: mwaa {mwaa_provider.__version__}\nRoot-Is-Purelib: true\nTag: py3-none-any\n".encode()
    )
    files[f"{info}/RECORD"] = Content(_record(files, f"{info}/RECORD"))
    with tempfile.TemporaryDirectory() as scratch:
        wheel = Path(scratch) / f"{stem}-py3-none-any.whl"
        write_archive(wheel, files)
        return wheel.name, Content(wheel.read_bytes())


def _record(files: dict[str, Content], itself: str) -> bytes:
    lines = []
    for name in sorted(files):
        data = files[name].read()
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(data)}\n")
    return "".join([*lines, f"{itself},,\n"]).encode()
