"""What the built site must have: links that lead somewhere, all that is public in its reference, and a search that finds each sample.

    python _site_check.py SITE_FOLDER

Run by the Python that has built it: griffe reads the source, lunr searches as a browser does.
"""

from __future__ import annotations

import ast
import json
import re
import sys
import zlib
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "mwaa_provider"
#: Their names stand in the reference, all of them.
WHOLE_MODULES = (f"{PACKAGE}.exceptions", f"{PACKAGE}.client.models")
#: So far down the results somebody looks.
LOOKED_AT = 3


class Page(HTMLParser):
    """The ids and links of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what is wanted of a tag.

        :param tag: Its name.
        :param attrs: Its attributes.
        """
        for name, value in attrs:
            if name == "id" and value:
                self.ids.add(value)
            elif name in ("href", "src") and value and tag != "link":
                self.links.append(value)


def dead_links(site: Path) -> list[str]:
    """Name the links within the site that lead nowhere.

    :param site: The folder.
    """
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    found = []
    for path, page in pages.items():
        if path.name == "404.html":
            continue  # its links begin where the site lies on its server
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target /= "index.html"
            if not target.exists() or (
                parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids
            ):
                found.append(f"{path.relative_to(site)}: {link}")
    return found


def public_names() -> set[str]:
    """Return the full names of what users can rely on.

    These are: what the packages export, what the modules that Airflow is told of define, all errors and models, what a client can do,
    and what pages and examples import.
    """
    import griffe

    package = griffe.load(PACKAGE, search_paths=[str(ROOT / "src")], docstring_parser=None)
    names = {home for init in ("", "local", "local/real") for home in _exported(init)}
    for module in (*WHOLE_MODULES, *_modules_that_airflow_is_told_of()):
        of_module = package[module.partition(".")[2]]
        names |= {
            member.path
            for member in of_module.members.values()
            if not member.is_alias and member.is_class and member.is_public
        }
    client = package["client.mwaa.MwaaClient"]
    names |= {f"{client.path}.{name}" for name, one in client.all_members.items() if one.is_function and name[0] != "_"}
    return names | _imported_by_examples()


def _exported(init: str) -> set[str]:
    """Read the table of lazily loaded names in an ``__init__.py``."""
    tree = ast.parse((ROOT / "src" / PACKAGE / init / "__init__.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "_HOME_OF":
            return {f"{home}.{name}" for name, home in ast.literal_eval(node.value).items()}
    raise SystemExit(f"{init or PACKAGE} has no table _HOME_OF")


def _modules_that_airflow_is_told_of() -> set[str]:
    sys.path.insert(0, str(ROOT / "src"))
    from mwaa_provider.get_provider_info import get_provider_info

    info = get_provider_info()
    modules = {
        name
        for kind in ("hooks", "operators", "sensors", "triggers")
        for one in info[kind]
        for name in one["python-modules"]
    }
    return modules | {one["python-module"] for one in info["transfers"]}


def _imported_by_examples() -> set[str]:
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md")]
    texts = [block for text in texts for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL)]
    texts += [
        path.read_text(encoding="utf-8")
        for folder in ("example_dags", "examples")
        for path in (ROOT / folder).glob("*.py")
    ]
    return {
        f"{node.module}.{alias.name}"
        for text in texts
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{PACKAGE}.")
        for alias in node.names
        if node.module != f"{PACKAGE}.local"  # its names are in its own table
    }


def in_reference(site: Path) -> set[str]:
    """Return the full names that the reference explains: mkdocstrings writes them for other projects' links.

    :param site: The folder.
    """
    content = (site / "objects.inv").read_bytes()
    body = zlib.decompress(content.split(b"\n", 4)[4]).decode()
    return {line.split(" ", 1)[0] for line in body.splitlines()}


def samples_not_found(site: Path) -> list[str]:
    """Name the samples of the guide for whose names the site's search does not show their page.

    :param site: The folder.
    """
    from lunr import lunr

    documents = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))["docs"]
    index = lunr(
        ref="location",
        fields=[{"field_name": "title", "boost": 1000}, {"field_name": "text", "boost": 1}],
        documents=documents,
    )
    found = []
    for name in sample_names():
        # As the theme asks: any of the words, the more the better; what is found in one page is shown as one.
        results = index.search(" ".join(re.findall(r"\w+", name)))
        pages = list(dict.fromkeys(result["ref"].partition("#")[0] for result in results))
        if "samples/" not in pages[:LOOKED_AT]:
            found.append(f"{name}: it comes after {', '.join(pages[:LOOKED_AT])}")
    return found


def sample_names() -> list[str]:
    """Return what the samples are called in the table of docs/samples.md: our words, and the guide's title behind them."""
    text = (ROOT / "docs/samples.md").read_text(encoding="utf-8")
    cells = [cell.strip() for cell in re.findall(r"^\| \d+ \| ([^|]+) \|", text, re.MULTILINE)]
    return [name for cell in cells for name in (re.sub(r" \(\*.*\*\)", "", cell), *re.findall(r"\*(.+?)\*", cell))]


def main(folder: str) -> int:
    """Print all that is wrong; 0 if nothing is.

    :param folder: Where the site lies.
    """
    site = Path(folder).resolve()
    problems = [f"a link leads nowhere: {link}" for link in dead_links(site)]
    problems += [f"not in the reference: {name}" for name in sorted(public_names() - in_reference(site))]
    problems += [f"a search does not find the sample {name}" for name in samples_not_found(site)]
    print("\n".join(problems) or "Links, reference and search are whole.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
