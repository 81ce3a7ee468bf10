"""Archives and wheels as tests want them, good or bad."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

PLUGIN = b"from airflow.plugins_manager import AirflowPlugin\n\nclass OwnPlugin(AirflowPlugin):\n    name = 'own'\n"


def write_zip(path: Path, files: dict[str, bytes], modes: dict[str, int] | None = None) -> Path:
    """Write an archive with no regard to what is right.

    :param path: The archive.
    :param files: The entries, in their order.
    :param modes: Their modes (default 0644); with a file's type for links.
    """
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name)
            entry.filename = name  # zipfile itself would tidy it up
            entry.create_system = 3
            mode = (modes or {}).get(name, 0o644)
            entry.external_attr = (mode if stat.S_IFMT(mode) else stat.S_IFREG | mode) << 16
            archive.writestr(entry, data)
    return path


def wheel(name: str, version: str, *requires: str, tag: str = "py3-none-any") -> tuple[str, bytes]:
    """Make a wheel that pip installs.

    :param name: The distribution, with '_'.
    :param version: Its version.
    :param requires: Its ``Requires-Dist``.
    :param tag: What it fits.
    """
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: {version}\n"
    metadata += "".join(f"Requires-Dist: {one}\n" for one in requires)
    extras = {one.partition("extra == ")[2].strip("'\"") for one in requires if "extra ==" in one}
    metadata += "".join(f"Provides-Extra: {one}\n" for one in sorted(extras))
    files = {
        f"{name}.py": f"VERSION = {version!r}\n",
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    record = "".join(f"{file},,\n" for file in [*files, f"{info}/RECORD"])
    path = f"{name}-{version}-{tag}.whl"
    import io

    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for file, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(zipfile.ZipInfo(file), text)
    return path, content.getvalue()
