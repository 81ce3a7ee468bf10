"""Small wheels, and a package index on 127.0.0.1 that can ask for a password."""

from __future__ import annotations

import base64
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote


def wheel(
    folder: Path, name: str, version: str, files: dict[str, str] | None = None, requires: tuple[str, ...] = ()
) -> Path:
    """Write a wheel of pure Python.

    :param folder: Where.
    :param name: The package, which is its one module too.
    :param version: Its version, ``module.__version__`` too.
    :param files: Its files, if it is not that one module.
    :param requires: Its requirements.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    metadata += "".join(f"Requires-Dist: {line}\n" for line in requires)
    content = {
        **(files or {f"{name}.py": f"__version__ = {version!r}\n"}),
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    content[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*content, f"{info}/RECORD"])
    with zipfile.ZipFile(file, "w") as archive:
        for path, text in content.items():
            archive.writestr(path, text)
    return file


class PackageIndex:
    """A package index in the simple form of PEP 503.

    :param folder: Where its wheels lie.
    :param user: Who may come in; everybody if not given.
    :param password: With this password.
    """

    def __init__(self, folder: Path, user: str | None = None, password: str | None = None) -> None:
        self.folder = folder
        #: The paths that were asked for, and the status of the answer.
        self.asked_for: list[tuple[str, int]] = []
        wanted = None if user is None else "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        index = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if wanted is not None and self.headers.get("Authorization") != wanted:
                    self._answer(401, b"", ("WWW-Authenticate", 'Basic realm="packages"'))
                else:
                    status, body = index.answer(unquote(self.path))
                    self._answer(status, body)

            do_HEAD = do_GET  # noqa: N815

            def _answer(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
                index.asked_for.append((self.path, status))
                self.send_response(status)
                kind = "application/octet-stream" if self.path.endswith(".whl") else "text/html"
                for name, value in (("Content-Type", kind), ("Content-Length", str(len(body))), *headers):
                    self.send_header(name, value)
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server.server_address[1]}"

    def answer(self, path: str) -> tuple[int, bytes]:
        parts = path.strip("/").split("/")
        if parts[0] == "simple" and len(parts) == 2:
            files = sorted(self.folder.glob(f"{parts[1].replace('-', '_')}-*.whl"))
            links = "".join(f'<a href="/files/{file.name}">{file.name}</a>' for file in files)
            return (200 if files else 404), f"<!DOCTYPE html><html><body>{links}</body></html>".encode()
        file = self.folder / parts[-1]
        return (200, file.read_bytes()) if parts[0] == "files" and file.is_file() else (404, b"")


@contextmanager
def package_index(folder: Path, user: str | None = None, password: str | None = None) -> Iterator[PackageIndex]:
    """Start a package index, and end it.

    :param folder: Where its wheels lie.
    :param user: Who may come in; everybody if not given.
    :param password: With this password.
    """
    index = PackageIndex(folder, user, password)
    thread = threading.Thread(target=index.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield index
    finally:
        index.server.shutdown()
        index.server.server_close()
        thread.join()
