"""The Airflow releases that Amazon MWAA runs: one leg of the test matrix each, with the Pythons it runs on.

Only the standard library, and only data: ``scripts/pins`` resolves these legs, ``scripts/test`` and ``scripts/demo``
install them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

PythonVersion = tuple[int, int]


@dataclass(frozen=True)
class Leg:
    """One Airflow release.

    :param airflow: The release.
    :param base_python: The Python that MWAA runs it on.
    :param newest_python: The newest Python that the release supports; the oldest is 3.10, which the project itself
        asks for.
    :param resolved_at: The day whose packages make the lock, for a release without a constraint file; None takes the
        constraint file.
    :param held_back: What that day already had in a version that this release does not work with.
    :param mwaa_versions: What MWAA itself installs where that differs from the constraint file (its published table
        of providers).
    """

    airflow: str
    base_python: PythonVersion
    newest_python: PythonVersion
    resolved_at: str | None = None
    mwaa_versions: dict[str, str] = field(default_factory=dict)
    held_back: dict[str, str] = field(default_factory=dict)

    @property
    def pythons(self) -> tuple[PythonVersion, ...]:
        """The Pythons this leg runs on, the base Python first."""
        others = [(3, minor) for minor in range(10, self.newest_python[1] + 1) if (3, minor) != self.base_python]
        return (self.base_python, *others)


OLDEST_PYTHON: PythonVersion = (3, 10)
NEWEST_PYTHON: PythonVersion = (3, 13)

_PROVIDER = "apache-airflow-providers-"

LEGS: dict[str, Leg] = {
    leg.airflow: leg
    for leg in (
        Leg(
            "2.7.2",
            base_python=(3, 11),
            newest_python=(3, 11),
            resolved_at="2023-11-01",
            mwaa_versions={
                f"{_PROVIDER}amazon": "8.7.1",
                f"{_PROVIDER}celery": "3.3.4",
                f"{_PROVIDER}common-sql": "1.7.2",
                f"{_PROVIDER}ftp": "3.5.2",
                f"{_PROVIDER}http": "4.5.2",
                f"{_PROVIDER}imap": "3.3.2",
                f"{_PROVIDER}postgres": "5.6.1",
                f"{_PROVIDER}sqlite": "3.4.3",
            },
        ),
        Leg(
            "2.8.1",
            base_python=(3, 11),
            newest_python=(3, 11),
            resolved_at="2024-02-01",
            # 0.6.0 asks for more arguments than Airflow's session interface gives: "airflow db migrate" ends with a
            # TypeError.
            held_back={"flask-session": "0.5.0"},
            mwaa_versions={
                f"{_PROVIDER}amazon": "8.16.0",
                f"{_PROVIDER}celery": "3.5.1",
                f"{_PROVIDER}common-sql": "1.10.0",
                f"{_PROVIDER}ftp": "3.7.0",
                f"{_PROVIDER}http": "4.8.0",
                f"{_PROVIDER}imap": "3.5.0",
                f"{_PROVIDER}postgres": "5.10.0",
                f"{_PROVIDER}sqlite": "3.7.0",
            },
        ),
        Leg("2.9.2", base_python=(3, 11), newest_python=(3, 12)),
        Leg("2.10.1", base_python=(3, 11), newest_python=(3, 12)),
        Leg("2.10.3", base_python=(3, 11), newest_python=(3, 12)),
        Leg("2.11.0", base_python=(3, 12), newest_python=(3, 12)),
        Leg("2.11.2", base_python=(3, 12), newest_python=(3, 12)),
        Leg(
            "3.0.6",
            base_python=(3, 12),
            newest_python=(3, 12),
            mwaa_versions={
                f"{_PROVIDER}amazon": "9.9.0",
                f"{_PROVIDER}celery": "3.12.1",
                f"{_PROVIDER}common-sql": "1.27.3",
                f"{_PROVIDER}fab": "2.3.0",
                f"{_PROVIDER}ftp": "3.13.1",
                f"{_PROVIDER}http": "5.3.2",
                f"{_PROVIDER}imap": "3.9.1",
                f"{_PROVIDER}postgres": "6.2.1",
                f"{_PROVIDER}sqlite": "4.1.1",
            },
        ),
        Leg("3.2.1", base_python=(3, 12), newest_python=(3, 13)),
        Leg("3.3.1", base_python=(3, 12), newest_python=(3, 13)),
    )
}

# One release of each line, for everyday work: the newest that MWAA runs of the 2.x without InvokeRestApi in its
# boto3, and the newest 3.x.
DEFAULT_LEGS = ("2.10.3", "3.3.1")
