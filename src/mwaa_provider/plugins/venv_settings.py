"""What virtual environments are made with: our options, pip's settings, and what must not reach them."""

from __future__ import annotations

import configparser
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mwaa_provider.airflow_compat import airflow_version, configured
from mwaa_provider.plugins import options
from mwaa_provider.plugins.report import Report
from mwaa_provider.plugins.venv_commands import python_of

#: pip's settings that say where packages come from and which, and the variable of uv for each: uv reads its own alone.
_FOR_UV = {
    "index_url": "UV_DEFAULT_INDEX",
    "extra_index_url": "UV_INDEX",
    "find_links": "UV_FIND_LINKS",
    "constraint": "UV_CONSTRAINT",
    "trusted_host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY",
}

#: Those that uv has to be told of: for the last one it has an option and no variable.
_SETTINGS = (*_FOR_UV, "no_index")

#: pip would install somewhere else than into the environment.
_ELSEWHERE = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT")

_AIRFLOWS_CONSTRAINT = "https://raw.githubusercontent.com/apache/airflow/constraints-{airflow}/constraints-{python}.txt"


@dataclass(frozen=True)
class VenvSettings:
    """Our options.

    :param find_links: A folder or page with wheels.
    :param no_index: Whether to take packages from nowhere else.
    :param constraint: A constraint file or its address; ``airflow`` for the one of this release, which MWAA applies too.
    :param cache_folder: Where environments are kept, on releases whose operator cannot.
    """

    find_links: str | None = None
    no_index: bool = False
    constraint: str | None = None
    cache_folder: str | None = None

    @classmethod
    def configured(cls, report: Report) -> VenvSettings:
        """Read them.

        :param report: Where what is wrong with them is said.
        """
        found = cls(
            find_links=options.place("virtualenv_find_links"),
            no_index=options.flag("virtualenv_no_index", report),
            constraint=options.place("virtualenv_constraint"),
            cache_folder=options.place("virtualenv_cache_folder"),
        )
        for name, value in (("find_links", found.find_links), ("constraint", found.constraint)):
            if value and value != "airflow" and "://" not in value and not Path(value).exists():
                report.problems.append(f"mwaa_provider.virtualenv_{name} is {value!r}, and there is no such thing here")
        if found.cache_folder and not os.path.isabs(found.cache_folder):
            report.problems.append(
                f"mwaa_provider.virtualenv_cache_folder is {found.cache_folder!r}: it has to begin with /"
            )
            found = cls(found.find_links, found.no_index, found.constraint)
        return found

    def uv_is_asked_for(self) -> bool:
        """Tell whether ``[standard] venv_install_method`` names uv, and does not leave the choice."""
        return (configured("standard", "venv_install_method") or "auto").strip().lower() == "uv"

    def only_pip_reads(self, environment: Mapping[str, str]) -> list[str]:
        """Name pip's settings that uv would not know.

        :param environment: The environment variables.
        """
        return sorted(name.replace("_", "-") for name in self._for_pip(environment))

    def environment(self, environment: Mapping[str, str], command: list[str]) -> dict[str, str]:
        """Return the variables under which an environment is made.

        :param environment: Those of the task.
        :param command: The command.
        """
        changed = {name: value for name, value in environment.items() if name not in _ELSEWHERE}
        changed["PIP_USER"] = "0"  # stronger than a file of pip's that says otherwise
        if not _can_write(_cache_home(environment)):
            # pip would complain and go on, uv would give up.
            changed.setdefault("PIP_NO_CACHE_DIR", "1")
            changed.setdefault("UV_NO_CACHE", "1")
        if Path(command[0]).name == "uv":
            for name, value in self._for_pip(environment).items():
                # uv separates what it finds links in by commas, all else by spaces, as pip does.
                if name in _FOR_UV:
                    changed.setdefault(_FOR_UV[name], ",".join(value.split()) if name == "find_links" else value)
        else:
            if self.find_links:
                changed["PIP_FIND_LINKS"] = f"{environment.get('PIP_FIND_LINKS', '')} {self.find_links}".strip()
            if self.no_index:
                changed["PIP_NO_INDEX"] = "1"
        return changed

    def command(self, command: list[str], environment: Mapping[str, str]) -> list[str]:
        """Return the command with what our options add, and without what would leave the environment.

        :param command: The command.
        :param environment: The environment variables of the task.
        """
        without_index = command[0] == "uv" and "no_index" in self._for_pip(environment)
        if command[:2] == ["uv", "venv"]:
            # uv would fetch pip from the index. It does not need pip.
            return [word for word in command if not (without_index and word == "--seed")]
        if "install" not in command:
            return command
        kept = [word for word in command if word != "--user"]
        if self.constraint and not any(
            word in ("-c", "--constraint") or word.startswith("--constraint=") for word in kept
        ):
            after = kept.index("install") + 1
            kept[after:after] = ["--constraint", self._constraint(kept)]
        if without_index and "--no-index" not in kept:
            kept.insert(kept.index("install") + 1, "--no-index")
        return kept

    def _constraint(self, command: list[str]) -> str:
        if self.constraint != "airflow":
            return str(self.constraint)
        python = command[command.index("--python") + 1] if command[0] == "uv" else command[0]
        return _AIRFLOWS_CONSTRAINT.format(airflow=airflow_version(), python=python_of(Path(python).parent.parent))

    def _for_pip(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return pip's settings that uv has a word for: from our options, from variables, from pip's files."""
        found = _files_of_pip(environment)
        found |= {
            name: environment[f"PIP_{name.upper()}"]
            for name in _SETTINGS
            if environment.get(f"PIP_{name.upper()}", "").strip()
        }
        if self.find_links:
            found["find_links"] = f"{found.get('find_links', '')} {self.find_links}".strip()
        if self.no_index:
            found["no_index"] = "1"
        if found.get("no_index", "").lower() in ("0", "false", "no", "off"):
            del found["no_index"]
        return found


def _files_of_pip(environment: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for file in _places_of_pip(environment):
        parser = configparser.RawConfigParser()
        try:
            parser.read(file, encoding="utf-8")
        except (OSError, configparser.Error, UnicodeDecodeError):
            continue
        for section in ("global", "install"):
            if parser.has_section(section):
                options_ = {name.replace("-", "_"): value for name, value in parser.items(section)}
                found |= {
                    name: " ".join(options_[name].split()) for name in _SETTINGS if options_.get(name, "").strip()
                }
    return found


def _places_of_pip(environment: Mapping[str, str]) -> Iterator[Path]:
    """https://pip.pypa.io/en/stable/topics/configuration/ : the later ones win."""
    if environment.get("PIP_CONFIG_FILE") == os.devnull:
        return
    yield Path("/etc/pip.conf")
    home = Path(environment.get("HOME") or os.path.expanduser("~"))
    yield home / ".pip" / "pip.conf"
    yield Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf"
    yield Path(sys.prefix) / "pip.conf"
    if environment.get("PIP_CONFIG_FILE"):
        yield Path(environment["PIP_CONFIG_FILE"])


def _cache_home(environment: Mapping[str, str]) -> Path:
    return Path(
        environment.get("XDG_CACHE_HOME") or Path(environment.get("HOME") or os.path.expanduser("~")) / ".cache"
    )


def _can_write(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
