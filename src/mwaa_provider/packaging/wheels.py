"""Wheels for a private web server: downloaded by pip for MWAA's Python and platform, whatever this machine is."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mwaa_provider.exceptions import InvalidInputError, WheelsNotFoundError
from mwaa_provider.packaging.airflow_stub import STOOD_FOR, extras_in, stub_version, write_stubs
from mwaa_provider.packaging.archive import Content
from mwaa_provider.packaging.releases import AIRFLOW_ITSELF, PLUGINS_FOLDER
from mwaa_provider.packaging.requirements_file import RequirementsFile, read_requirements
from mwaa_provider.packaging.secret_finder import without_login
from mwaa_provider.packaging.wheel_set import Missing, read_wheels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.requirements import Requirement

    from mwaa_provider.packaging.releases import Release

_ROUNDS = 10
_OWN_WAYS = ("--index-url", "--extra-index-url", "--trusted-host", "--pre")


@dataclass(frozen=True)
class Downloaded:
    """Wheels.

    :param files: The wheels, by name.
    :param requirements: A requirements.txt that installs them where there is no internet.
    :param missing: What they ask for that is neither among them nor left out on purpose.
    :param left_out: Wheels that pip brought and nothing asks for on MWAA: only Airflow does, or another platform.
    """

    files: dict[str, Content]
    requirements: str
    missing: tuple[Missing, ...]
    left_out: tuple[str, ...]


def download_wheels(
    requirements: Path,
    release: Release,
    *,
    constraint: str | None = None,
    find_links: Sequence[str] = (),
    with_airflow: bool = False,
    timeout: float = 1800.0,
) -> Downloaded:
    """Let pip download the wheels that a requirements file needs on MWAA.

    pip takes its index, proxies and credentials from its own configuration and environment (``PIP_INDEX_URL`` ...), and from the file.
    Needs pip beside the running Python.

    :param requirements: The requirements file.
    :param release: The environment's release.
    :param constraint: Path or URL of the constraint file. Default: the release's published one. What the file itself says of
        ``--constraint``, ``--no-index`` and folders for ``--find-links`` is about MWAA's containers, and has no effect here.
    :param find_links: Further folders with wheels, such as your own packages' (default: none).
    :param with_airflow: Whether to bring Airflow's own wheels too, and what only they need (default false: MWAA has them).
    :param timeout: Seconds until pip is given up (default 1,800).
    :raises InvalidInputError: The file cannot be read, or pip is not there.
    :raises WheelsNotFoundError: pip found no wheels for all of it; with the end of what pip said.
    """
    read = _readable(requirements)
    with tempfile.TemporaryDirectory(prefix="mwaa-wheels-") as scratch:
        folder, wanted = Path(scratch) / "wheels", Path(scratch) / "requirements.txt"
        folder.mkdir()
        links = [word for link in find_links for word in ("--find-links", str(link))]
        command = [*_pip(), "download", "--requirement", str(wanted), "--dest", str(folder), *_target(release), *links]
        command += ["--constraint", constraint or release.constraint_url]
        if not with_airflow:
            command += _with_stubs(Path(scratch), read, release, links, timeout)
        asked = [one.requirement for one in read.wanted if one.requirement and _is_for(one.requirement, release)]
        lines = _for_pip(read)
        # pip decides over `; python_version < "3.12"` by the Python that it runs on. What it therefore left out is asked for by name.
        for _ in range(_ROUNDS):
            wanted.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
            _run(command, timeout)
            wheels = read_wheels(folder)
            needed, missing = wheels.closure(asked, release, () if with_airflow else AIRFLOW_ITSELF)
            further = [line for line in (_unconditional(one.requirement) for one in missing) if line not in lines]
            if not further:
                break
            lines += further
        kept = {wheel.file for wheel in needed}
        files = {name: Content((folder / name).read_bytes()) for name in sorted(kept)}
        left_out = sorted({wheel.file for wheel in wheels.wheels if wheel.name not in AIRFLOW_ITSELF} - kept)
    return Downloaded(files, _private(read), tuple(missing), tuple(left_out))


def _with_stubs(scratch: Path, read: RequirementsFile, release: Release, links: list[str], timeout: float) -> list[str]:
    """Let pip take Airflow for installed: stubs of it, and a constraint that chooses them."""
    stubs, real, constraint = scratch / "stubs", scratch / "real", scratch / "airflow.txt"
    stubs.mkdir()
    real.mkdir()
    extras = {}
    for name in sorted(
        {one.name for one in read.wanted if one.name in STOOD_FOR and one.requirement and one.requirement.extras}
    ):
        # Only the real one knows what its extras ask for.
        wanted = scratch / "extras.txt"
        options = [line for line in _for_pip(read) if line.startswith("--")]
        wanted.write_text("".join(f"{line}\n" for line in [*options, f"{name}=={release.airflow}"]), encoding="utf-8")
        _run(
            [
                *_pip(),
                "download",
                "--no-deps",
                "--requirement",
                str(wanted),
                "--dest",
                str(real),
                *_target(release),
                *links,
            ],
            timeout,
        )
        (wheel,) = real.glob(f"{name.replace('-', '_')}-*.whl")
        extras[name] = extras_in(wheel.read_bytes())
    write_stubs(stubs, release, extras)
    constraint.write_text("".join(f"{name}=={stub_version(release)}\n" for name in STOOD_FOR), encoding="utf-8")
    return ["--find-links", str(stubs), "--constraint", str(constraint)]


def _readable(requirements: Path) -> RequirementsFile:
    read = read_requirements(requirements.read_bytes())
    problems = [f"requirements: line {one.line}: {without_login(one.text)}" for one in read.problems]
    problems += [
        f"requirements: line {one.line}: {one.name} is not followed; write the packages into this file"
        for one in read.given("--requirement", "--editable")
    ]
    problems += [
        f"requirements: line {one.line}: {without_login(one.text)} tells no package's name; write: name @ address"
        for one in read.wanted
        if one.requirement is None
    ]
    if problems:
        raise InvalidInputError(problems)
    return read


def _for_pip(read: RequirementsFile) -> list[str]:
    # Constraints and --find-links that lead to paths of the container are of no use here.
    options = [
        f"{one.name} {one.value}".rstrip()
        for one in read.options
        if one.name in _OWN_WAYS or (one.name == "--find-links" and urlsplit(one.value).scheme)
    ]
    return [*options, *(one.text for one in read.wanted)]


def _private(read: RequirementsFile) -> str:
    names = [f"{one.requirement}" for one in read.wanted if one.requirement is not None]
    return "\n".join([f"--find-links {PLUGINS_FOLDER}", "--no-index", *names, ""])


def _is_for(requirement: Requirement, release: Release) -> bool:
    return requirement.marker is None or requirement.marker.evaluate(dict(release.markers))


def _unconditional(requirement: Requirement) -> str:
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    return f"{requirement.name}{extras}{requirement.specifier}"


def _pip() -> list[str]:
    if importlib.util.find_spec("pip") is None:
        raise InvalidInputError(
            [
                f"pip: it is not installed beside {sys.executable}; run `{sys.executable} -m ensurepip`, or install pip there"
            ]
        )
    return [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]


def _target(release: Release) -> list[str]:
    major, minor = release.python_numbers
    words = ["--only-binary", ":all:", "--implementation", "cp", "--python-version", release.python]
    words += ["--abi", f"cp{major}{minor}", "--abi", "abi3", "--abi", "none"]
    return [*words, *(word for platform in release.platforms for word in ("--platform", platform))]


def _run(command: list[str], timeout: float) -> None:
    try:
        done = subprocess.run(  # noqa: S603
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise WheelsNotFoundError(
            f"pip had not downloaded all wheels after {timeout:.0f} seconds.", output=""
        ) from error
    if done.returncode:
        output = without_login(done.stdout)
        errors = [line for line in output.splitlines() if line.startswith("ERROR")] or output.splitlines()[-5:]
        _, conflict, causes = output.partition("The conflict is caused by:\n")
        errors += [f"{line}" for line in causes.partition("\n\n")[0].splitlines()[:6]] if conflict else []
        raise WheelsNotFoundError(
            "pip did not find wheels for all of it:\n"
            + "\n".join(f"  {line}" for line in errors[-8:])
            + "\nA package without a wheel for Linux has to be built: `pip wheel --no-deps PACKAGE` on Linux with MWAA's Python, and give "
            "its folder as --find-links.",
            output=output[-10_000:],
        )
