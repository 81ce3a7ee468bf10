"""Every kind of finding, with its severity: the table of docs/packaging.md, held to it by a test."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Severity(Enum):
    """How bad a finding is."""

    #: It does not work on MWAA, or lets a secret out.
    ERROR = "error"
    #: It works today or in some places only.
    WARNING = "warning"
    #: Worth knowing; also what was not checked, and why.
    NOTE = "note"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


@dataclass(frozen=True)
class Rule:
    """A kind of finding.

    :param severity: How bad it is.
    :param meaning: What it means, in one line.
    """

    severity: Severity
    meaning: str


def _rules(severity: Severity, **meanings: str) -> dict[str, Rule]:
    return {name.replace("_", "-"): Rule(severity, meaning) for name, meaning in meanings.items()}


PLUGINS_RULES = {
    **_rules(
        Severity.ERROR,
        not_a_zip="the file cannot be read as a zip archive",
        escaping_entry="an entry would be unpacked outside of the plugins folder",
        nested_top_folder="everything lies in one folder instead of at the archive's root",
        not_executable="a script or program has no exec bit",
        shadows_module="Airflow would put the file in the place of a module of Python, of Airflow or of a package",
        import_failed="the target's Airflow cannot import the plugin",
        gone_in_airflow_3="the plugin imports what Airflow 3 no longer has",
        syntax_error="Python cannot read the file",
        reserved_variable="a variable is set that MWAA sets itself",
        private_key="a private key",
        aws_key="an AWS access key",
        plugin_ignored="`.airflowignore` keeps Airflow from loading a plugin",
        wheel_for_other_target="a wheel does not fit MWAA's Python or platform",
    ),
    **_rules(
        Severity.WARNING,
        dag_like_not_ignored="a file that looks like a DAG and is no plugin is not in `.airflowignore`",
        module_missing="the plugin imports a module that is not installed where it was tried",
        duplicate_entry="two entries have one name",
        too_large="more than the 1 GB that AWS advises",
        wheel_not_at_root="`--find-links` does not look into folders",
        ignore_line_differs="a line of `.airflowignore` means something else on Airflow 3 than on Airflow 2",
        registers_nothing="a plugin registers what Airflow 2 and 3 no longer take from plugins",
    ),
    **_rules(
        Severity.NOTE,
        import_not_tried="the plugins were not imported",
        name_not_importable="the file's name cannot stand in an import statement",
        left_over="a file that only takes space",
    ),
}

REQUIREMENTS_RULES = {
    **_rules(
        Severity.ERROR,
        bad_line="pip cannot read the line",
        constraint_other_release="the constraint file is another Airflow's",
        constraint_other_python="the constraint file is another Python's",
        constraint_not_a_file="the address is a web page, not the constraint file",
        constraint_conflict="the constraint file holds another version: pip installs nothing",
        requirements_conflict="two lines cannot both be met",
        mwaa_overrides="MWAA installs its own version over it",
        airflow_other_release="another Airflow than the environment's",
        backport_provider="a package for Airflow 1.10",
        credentials_in_url="a password or token in the file",
        not_in_container="a file that is not there on MWAA",
        needs_internet="a private web server cannot reach it",
        wheel_for_other_target="a wheel does not fit MWAA's Python or platform",
        private_key="a private key",
        aws_key="an AWS access key",
        wheel_missing="a private web server finds no wheel",
    ),
    **_rules(
        Severity.WARNING,
        constraint_missing="no constraint file is named",
        unpinned="nothing holds the version",
        duplicate_requirement="one package on two lines",
        provider_not_mwaas="MWAA installs another release of this provider",
        insecure_index="packages come unprotected",
        wheel_dependency_missing="a wheel asks for a package that is not among the wheels",
    ),
    **_rules(
        Severity.NOTE,
        constraint_not_compared="versions were not compared with a constraint file",
        wheels_not_compared="the file was not compared with the wheels",
    ),
}

STARTUP_RULES = {
    **_rules(
        Severity.ERROR,
        reserved_variable="a variable is set that MWAA sets itself",
        download_on_private_web_server="a private web server waits for the download until it times out",
        python_updated="the system's Python would be updated",
        script_syntax="the shell cannot read the script",
        windows_line_ends="lines end as on Windows",
        private_key="a private key",
        aws_key="an AWS access key",
        credentials_in_url="a password or token in the file",
        shellcheck_error="an error that shellcheck found",
    ),
    **_rules(
        Severity.WARNING,
        asks_a_person="the command waits for an answer that nobody gives",
        pip_unconstrained="pip changes Airflow's packages without a constraint file",
        shellcheck_warning="a warning of shellcheck",
    ),
    **_rules(
        Severity.NOTE,
        stops_at_failure="the script ends at the first command that fails",
        expires="a token is fetched at start only",
        bash_under_sh="the script uses bash under the name of sh",
        shellcheck_note="a remark of shellcheck",
        shellcheck_not_run="shellcheck is not installed",
    ),
}

RULES = {**PLUGINS_RULES, **REQUIREMENTS_RULES, **STARTUP_RULES}
