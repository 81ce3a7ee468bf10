"""plugins.zip, built."""

from __future__ import annotations

import ast
import hashlib
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import mwaa_provider
from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.packaging.archive import Content, files_under, write_archive
from mwaa_provider.packaging.ignore_file import GLOB, NAME, REGEXP, IgnoreFiles, line_for_folder
from mwaa_provider.packaging.package_wheel import DISTRIBUTION, PACKAGE, package_folder, package_wheel
from mwaa_provider.packaging.plugins_code import is_plugin_file, plugin_classes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PLUGINS = Path(mwaa_provider.__file__).parent / "plugins"
_THIN = '''"""For plugins.zip: Airflow loads this file, and with it a plugin of `{package}`."""

from {module} import {name} as {name}
'''
# A plugin that the package registers by itself, once pip has installed it, is not to come twice: Airflow 3.3 calls that an import error.
_THIN_UNLESS_BY_PIP = '''"""For plugins.zip: Airflow loads this file, and with it a plugin of `{package}`, unless pip has installed that."""

from {package}.plugins.registration import is_registered_by_pip

if not is_registered_by_pip("{plugin}"):
    from {module} import {name} as {name}
'''
_LARGE = 1_000_000_000


@dataclass(frozen=True)
class Contents:
    """What goes into plugins.zip.

    :param folder: Your own plugins, whose files go to the archive's root; ``None`` for none.
    :param plugins: Names of this package's plugins, each a file at the root.
    :param package: How this package comes along: ``folder``, to import from; ``wheel``, for ``--find-links``; or ``None``: by
        requirements.txt.
    :param include: Folders of binaries and data (Hive, the Oracle client), each under its own name, where Airflow looks for no plugins.
    :param wheels: Wheels for the root, by name.
    """

    folder: Path | None = None
    plugins: Sequence[str] = ()
    package: str | None = None
    include: Sequence[Path] = ()
    wheels: Mapping[str, Content] = field(default_factory=dict)


@dataclass(frozen=True)
class Built:
    """An archive that was built.

    :param path: Where it is.
    :param sha256: Its digest: the same contents make the same one.
    :param files: How many files are in it.
    :param size: Its size in bytes.
    :param unpacked: The size of all files in it, in bytes.
    """

    path: Path
    sha256: str
    files: int
    size: int
    unpacked: int

    @property
    def is_large(self) -> bool:
        """Whether it is above the 1 GB that AWS advises."""
        return max(self.size, self.unpacked) >= _LARGE


def available_plugins() -> dict[str, tuple[str, str]]:
    """Return this package's plugins: name to module and class. Airflow is not imported."""
    found = {}
    for file in sorted((*_PLUGINS.glob("*.py"), *_PLUGINS.glob("*/__init__.py"))):
        name = file.parent.name if file.name == "__init__.py" and file.parent != _PLUGINS else file.stem
        classes = plugin_classes(ast.parse(file.read_text(encoding="utf-8")))
        if classes:
            found[name] = (f"{PACKAGE}.plugins.{name}", classes[0].name)
    return found


def thin_file(name: str) -> tuple[str, str]:
    """Return the name and text of the file that brings one of this package's plugins.

    :param name: The plugin's name.
    """
    module, class_name = available_plugins()[name]
    thin = _THIN_UNLESS_BY_PIP if (_PLUGINS / "registration.py").exists() else _THIN
    return f"{PACKAGE}_{name}.py", thin.format(package=PACKAGE, module=module, name=class_name, plugin=name)


def plugin_named(name: str) -> str | None:
    """Return the plugin that a name means, or enough of it: ``timezone`` for ``log_time_zone``; ``None`` if it is none or more than one.

    :param name: The name.
    """
    plugins = available_plugins()
    if name in plugins:
        return name
    meant = [plugin for plugin in plugins if _letters(name) and _letters(name) in _letters(plugin)]
    return meant[0] if len(meant) == 1 else None


def _letters(name: str) -> str:
    return "".join(sign for sign in name.lower() if sign.isalnum())


def build_plugins(target: Path, contents: Contents) -> Built:
    """Build plugins.zip.

    :param target: The archive; one that is there is replaced.
    :param contents: What goes into it.
    :raises InvalidInputError: Two things have one name, a folder or plugin is not there, a link leads out of its folder, or
        ``.airflowignore`` would hide a plugin.
    """
    files = _collect(target, contents)
    target.parent.mkdir(parents=True, exist_ok=True)
    write_archive(target, files)
    return Built(
        target,
        hashlib.sha256(target.read_bytes()).hexdigest(),
        len(files),
        target.stat().st_size,
        sum(_size(content) for content in files.values()),
    )


def _collect(target: Path, contents: Contents) -> dict[str, Content]:
    problems = _wrong(contents)
    if problems:
        raise InvalidInputError(problems)
    files: dict[str, Content] = {}
    own_lines: list[str] = []
    if contents.folder is not None:
        files |= files_under(contents.folder, without=[target])
        own_lines = files.pop(NAME).read().decode("utf-8").splitlines() if NAME in files else []
    parts: list[tuple[str, Mapping[str, Content]]] = []
    for name in dict.fromkeys(filter(None, map(plugin_named, contents.plugins))):
        file, text = thin_file(name)
        parts.append((f"plugins: {name}", {file: Content(text.encode("utf-8"))}))
    if contents.package == "folder":
        parts.append(("with_package", package_folder()))
    elif contents.package == "wheel":
        parts.append(("with_package", dict([package_wheel()])))
    for folder in contents.include:
        held = {f"{folder.resolve().name}/{name}": one for name, one in files_under(folder, without=[target]).items()}
        parts.append((f"include: {folder}", held))
    parts.append(("wheels", contents.wheels))
    for what, part in parts:
        for name, content in part.items():
            if name in files:
                problems.append(
                    f"{what}: {name} is there already, from another source; rename or leave out one of them"
                )
            files[name] = content
    if problems:
        raise InvalidInputError(problems[:10])
    hidden = [folder.resolve().name for folder in contents.include]
    hidden += [PACKAGE] if contents.package == "folder" else []
    added = [line_for_folder(name) for name in sorted(set(hidden))]
    if problems := _hidden_plugins(files, added):
        raise InvalidInputError(problems)
    lines = list(dict.fromkeys([*own_lines, *added]))
    files[NAME] = Content("".join(f"{line}\n" for line in lines).encode("utf-8"))
    return files


def _wrong(contents: Contents) -> list[str]:
    problems = []
    problems += [
        f"plugins: there is no plugin {name!r}; there are {', '.join(available_plugins())}"
        for name in contents.plugins
        if plugin_named(name) is None
    ]
    if contents.package not in (None, "folder", "wheel"):
        problems.append(f"with_package: {contents.package!r} is neither 'folder' nor 'wheel'")
    for what, folder in (("folder", contents.folder), *(("include", one) for one in contents.include)):
        if folder is not None and not folder.is_dir():
            problems.append(f"{what}: {folder} is not a folder")
        elif what == "include" and folder is not None and "#" in folder.resolve().name:
            problems.append(f"include: {folder} has a '#' in its name, which begins a comment in {NAME}; rename it")
    if contents.package == "wheel" and any(
        name.startswith(f"{DISTRIBUTION.replace('-', '_')}-") for name in contents.wheels
    ):
        problems.append("with_package: the wheels bring the package already; leave one of them out")
    return problems


def _hidden_plugins(files: Mapping[str, Content], lines: Sequence[str]) -> list[str]:
    """As a regular expression the line for a folder also meets folders whose names end like its own: no plugin may lie there."""
    ignore = IgnoreFiles({"": "\n".join(lines)})
    python = {name for name in files if name.endswith(".py")}
    return [
        f"{NAME}: its line for a folder would also hide {name} from Airflow 2; rename one of the folders"
        for name in sorted(ignore.ignored(python, REGEXP) - ignore.ignored(python, GLOB))
        if _holds_plugin(files[name].read())
    ]


def _holds_plugin(content: bytes) -> bool:
    try:
        return is_plugin_file(ast.parse(content))
    except (SyntaxError, ValueError):
        return False


def _size(content: Content) -> int:
    return len(content.data) if isinstance(content.data, bytes) else content.data.stat()[stat.ST_SIZE]
