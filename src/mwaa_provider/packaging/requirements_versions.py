"""The versions that a requirements.txt asks for, against the constraint file and what MWAA installs by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from mwaa_provider.packaging.findings import Finding
from mwaa_provider.packaging.releases import PROVIDER_PREFIX, WATCHTOWER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.requirements import Requirement

    from mwaa_provider.packaging.constraints import Constraints
    from mwaa_provider.packaging.releases import Release
    from mwaa_provider.packaging.requirements_file import RequirementsFile, Wanted

_AMAZON = f"{PROVIDER_PREFIX}amazon"
_AIRFLOW = ("apache-airflow", "apache-airflow-core")
# Any of these keeps a release of tomorrow out.
_BOUNDS = ("==", "===", "~=", "<", "<=")


def check(read: RequirementsFile, release: Release, constraints: Constraints | None, file: str) -> Iterator[Finding]:
    """Check the versions.

    :param read: The requirements file.
    :param release: The environment's release.
    :param constraints: The constraint file to compare with; ``None`` if none was read.
    :param file: The file's name, for the findings.
    """
    used = [one for one in read.wanted if _is_for(one.requirement, release)]
    for wanted in used:
        yield from _of_one(wanted, release, constraints, file)
    yield from _together(used, file)
    if constraints is None and used:
        yield Finding(
            "constraint-not-compared",
            "Versions were not compared with a constraint file, because none was given.",
            "Give --constraint FILE, or --constraint published to download the release's own.",
            file,
        )


def _is_for(requirement: Requirement | None, release: Release) -> bool:
    return requirement is None or requirement.marker is None or requirement.marker.evaluate(dict(release.markers))


def _of_one(wanted: Wanted, release: Release, constraints: Constraints | None, file: str) -> Iterator[Finding]:
    requirement, name = wanted.requirement, wanted.name
    if requirement is None or name is None:
        return
    if name == "watchtower":
        yield _watchtower(requirement, file, wanted.line)
        return
    if name.startswith("apache-airflow-backport-providers-"):
        yield Finding(
            "backport-provider",
            f"{name} is for Airflow 1.10, and breaks Airflow {release.airflow}.",
            f"Use {name.replace('backport-', '')}.",
            file,
            wanted.line,
        )
        return
    if name in _AIRFLOW:
        yield from _airflow(wanted, requirement, release, file)
        return
    held = constraints.versions.get(name) if constraints else None
    if held is not None and constraints is not None and not wanted.place and not _admits(requirement, held):
        yield Finding(
            "constraint-conflict",
            f"{wanted.text} does not admit {name} {held}, which the constraint file holds, so pip installs nothing at all.",
            f"Write {name}=={held}, or change the line in a copy of the constraint file, put that into the DAG folder, and name it: "
            f'--constraint "/usr/local/airflow/dags/constraints-{release.python}-updated.txt".',
            file,
            wanted.line,
        )
    elif held is None and not wanted.place and not _is_bounded(requirement):
        unknown = "" if constraints else " Whether the constraint file holds it was not compared."
        yield Finding(
            "unpinned",
            f"{wanted.text} takes whatever release is the newest on the day that a container starts.{unknown}",
            f"Write {name}==VERSION.",
            file,
            wanted.line,
        )
    yield from _provider(wanted, requirement, name, release, file)


def _watchtower(requirement: Requirement, file: str, line: int) -> Finding:
    agrees = str(requirement.specifier) == f"=={WATCHTOWER}"
    return Finding(
        "mwaa-overrides",
        f"MWAA installs watchtower=={WATCHTOWER} over everything, so that logs reach CloudWatch; "
        + ("naming it here can only conflict with the constraint file." if agrees else f"{requirement} does not last."),
        "Take the line out.",
        file,
        line,
    )


def _airflow(wanted: Wanted, requirement: Requirement, release: Release, file: str) -> Iterator[Finding]:
    if not _admits(requirement, release.airflow):
        yield Finding(
            "airflow-other-release",
            f"{wanted.text} asks for another Airflow than the environment's {release.airflow}.",
            _pinned(requirement, release.airflow),
            file,
            wanted.line,
        )
    elif not _is_bounded(requirement):
        yield Finding(
            "unpinned",
            f"{wanted.text} lets pip put a newer Airflow over {release.airflow}: no constraint file holds Airflow itself.",
            _pinned(requirement, release.airflow),
            file,
            wanted.line,
        )


def _pinned(requirement: Requirement, version: str) -> str:
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    return f"Write {requirement.name}{extras}=={version}."


def _provider(wanted: Wanted, requirement: Requirement, name: str, release: Release, file: str) -> Iterator[Finding]:
    mwaas = release.providers.get(name)
    if mwaas is None or _admits(requirement, mwaas):
        return
    pins = [spec.version for spec in requirement.specifier if spec.operator in ("==", "===")]
    # AWS's guide lets the amazon provider be raised, and no other.
    if name == _AMAZON and pins and _is_newer(pins[0], mwaas):
        return
    yield Finding(
        "provider-not-mwaas",
        f"MWAA {release.airflow} comes with {name}=={mwaas}, which it was tested with; {wanted.text} replaces it in every container.",
        f"Leave the line out, or write {name}=={mwaas}.",
        file,
        wanted.line,
    )


def _together(used: list[Wanted], file: str) -> Iterator[Finding]:
    first: dict[str, Wanted] = {}
    for wanted in used:
        if wanted.name is None or wanted.requirement is None:
            continue
        before = first.setdefault(wanted.name, wanted)
        if before is wanted or before.requirement is None:
            continue
        if _conflict(before.requirement, wanted.requirement):
            yield Finding(
                "requirements-conflict",
                f"{wanted.text} and {before.text} (line {before.line}) cannot both be met, so pip installs nothing at all.",
                "Keep one of them.",
                file,
                wanted.line,
            )
        elif before.requirement.extras == wanted.requirement.extras:
            yield Finding(
                "duplicate-requirement",
                f"{wanted.name} stands on line {before.line} already.",
                "Keep one of them.",
                file,
                wanted.line,
            )


def _conflict(one: Requirement, other: Requirement) -> bool:
    """Whether the exact version of one is refused by the other; ranges against ranges are left to pip."""
    for pinned, against in ((one, other), (other, one)):
        exact = [spec.version for spec in pinned.specifier if spec.operator == "==" and not spec.version.endswith(".*")]
        if exact and not all(_admits(against, version) for version in exact):
            return True
    return False


def _admits(requirement: Requirement, version: str) -> bool:
    return requirement.specifier.contains(version, prereleases=True)


def _is_bounded(requirement: Requirement) -> bool:
    return any(spec.operator in _BOUNDS for spec in requirement.specifier)


def _is_newer(version: str, than: str) -> bool:
    try:
        return Version(version) > Version(than)
    except InvalidVersion:
        return False
