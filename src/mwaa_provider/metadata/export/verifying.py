"""What lies in S3, read back and compared with what the manifest says."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

from mwaa_provider.exceptions import InvalidInputError, VerificationError
from mwaa_provider.metadata.export import formats, s3_errors
from mwaa_provider.metadata.export.bucket import address, read_manifest
from mwaa_provider.metadata.export.manifest import FileEntry, Manifest

_CHUNK = 1024 * 1024


def verify(client: Any, manifest_address: str, progress: Callable[[FileEntry], None] | None = None) -> Manifest:
    """Read every object of an export and compare it with the manifest.

    IAM actions: ``s3:GetObject`` on ``arn:aws:s3:::BUCKET/*``, with versions also ``s3:GetObjectVersion``.

    :param client: boto3's client for S3.
    :param manifest_address: The manifest's address, ``s3://BUCKET/KEY``.
    :param progress: Is told of each file before it is read.
    :raises InvalidInputError: That is no address.
    :raises VerificationError: There is no such manifest, or what lies there is not what it says.
    """
    bucket, key = read_address(manifest_address)
    manifest = read_manifest(client, bucket, key)
    if manifest is None:
        raise VerificationError(
            f"There is no manifest {manifest_address}: that export does not exist, or did not come to its end.",
            manifest=manifest_address,
            differences=(),
        )
    differences = differences_of(manifest, client, progress)
    if differences:
        raise VerificationError(
            f"What lies in S3 is not what {manifest_address} says:" + "".join(f"\n  - {one}" for one in differences),
            manifest=manifest_address,
            differences=tuple(differences),
        )
    return manifest


def read_address(text: Any) -> tuple[str, str]:
    """Read ``s3://BUCKET/KEY``.

    :param text: What the caller gave.
    :raises InvalidInputError: It is not one.
    """
    bucket, slash, key = str(text).removeprefix("s3://").partition("/")
    if not str(text).startswith("s3://") or not bucket or not slash or not key:
        raise InvalidInputError(
            [f"manifest: {text!r} is not an address; give for example 's3://my-bucket/metadata/manifest.json'"]
        )
    return bucket, key


def differences_of(manifest: Manifest, client: Any, progress: Callable[[FileEntry], None] | None = None) -> list[str]:
    """Read every object and say what is not as the manifest says.

    :param manifest: The manifest.
    :param client: boto3's client for S3.
    :param progress: Is told of each file before it is read.
    """
    formats.load(manifest.file_format, manifest.compression)
    differences = []
    for file in manifest.files:
        if progress is not None:
            progress(file)
        differences += _differences_of_file(manifest, file, client)
    return differences


def _differences_of_file(manifest: Manifest, file: FileEntry, client: Any) -> list[str]:
    where = address(manifest.bucket, file.key)
    version = {"VersionId": file.version_id} if file.version_id and file.version_id != "null" else {}
    try:
        answer = client.get_object(Bucket=manifest.bucket, Key=file.key, **version)
    except Exception as error:
        if s3_errors.code_of(error) in ("404", "NoSuchKey", "NoSuchVersion"):
            return [f"{where} is not there" + (f" in version {file.version_id}" if version else "")]
        raise s3_errors.from_botocore(error, bucket=manifest.bucket, key=file.key) from error
    sum_, size = hashlib.sha256(), 0
    counter = _counter(manifest.file_format, manifest.compression)
    broken = ""
    for chunk in answer["Body"].iter_chunks(_CHUNK):
        sum_.update(chunk)
        size += len(chunk)
        if counter is not None and not broken:
            try:
                counter.take(chunk)
            except Exception as error:
                broken = str(error)
    found = []
    if size != file.size:
        found.append(f"{where} has {size:,} bytes, not {file.size:,}")
    if sum_.hexdigest() != file.sha256:
        found.append(f"{where} has the sum (sha256) {sum_.hexdigest()}, not {file.sha256}")
    if found or counter is None:
        return found
    try:
        rows = counter.rows()
    except Exception as error:
        broken = broken or str(error)
    if broken:
        return [f"{where} cannot be read: {broken}"]
    return [] if rows == file.row_count else [f"{where} holds {rows:,} rows, not {file.row_count:,}"]


def _counter(file_format: str, compression: str | None) -> Any:
    if file_format == "parquet" or compression == "zstd":
        if find_spec("pyarrow") is None:
            return None  # the sums are compared anyway
        return _ParquetRows() if file_format == "parquet" else _LineRows(_zstd_lines, header=file_format == "csv")
    return _LineRows(_gzip_lines if compression == "gzip" else iter, header=file_format == "csv")


class _LineRows:
    """Counts rows: ends of lines that lie in no quotes; JSON Lines has no quotes across lines."""

    def __init__(self, unpack: Callable[[Iterator[bytes]], Iterator[bytes]], *, header: bool) -> None:
        import queue
        import threading

        self._header = header
        self._count = 0
        self._error: Exception | None = None
        self._queue: queue.Queue[bytes | None] = queue.Queue(4)

        def count() -> None:
            inside = 0
            try:
                for text in unpack(iter(self._queue.get, None)):
                    if not header:
                        self._count += text.count(b"\n")
                        continue
                    for piece in text.split(b'"'):
                        if not inside:
                            self._count += piece.count(b"\n")
                        inside ^= 1
                    inside ^= 1  # a split gives one piece more than there are quotes
            except Exception as error:
                self._error = error
                while self._queue.get() is not None:
                    pass

        self._thread = threading.Thread(target=count, daemon=True)
        self._thread.start()

    def take(self, chunk: bytes) -> None:
        self._queue.put(chunk)

    def rows(self) -> int:
        self._queue.put(None)
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._count - self._header


def _gzip_lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    inflate = zlib.decompressobj(31)
    for chunk in chunks:
        yield inflate.decompress(chunk)
    yield inflate.flush()
    if not inflate.eof:
        raise ValueError("the gzip stream ends too early")


def _zstd_lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    import io

    import pyarrow

    class _Raw(io.RawIOBase):
        rest = b""

        def readable(self) -> bool:
            return True

        def readinto(self, target: Any) -> int:
            if not self.rest:
                self.rest = next(chunks, b"")
            taken, self.rest = self.rest[: len(target)], self.rest[len(target) :]
            target[: len(taken)] = taken
            return len(taken)

    with pyarrow.CompressedInputStream(pyarrow.PythonFile(io.BufferedReader(_Raw(), _CHUNK), "r"), "zstd") as stream:
        while text := stream.read(_CHUNK):
            yield text


class _ParquetRows:
    """Counts rows as the file's own end says; the end alone is kept."""

    _MOST = 16 * 1024 * 1024

    def __init__(self) -> None:
        self._end = b""

    def take(self, chunk: bytes) -> None:
        self._end = (self._end + chunk)[-self._MOST :]

    def rows(self) -> int:
        import pyarrow
        import pyarrow.parquet

        return int(pyarrow.parquet.read_metadata(pyarrow.BufferReader(self._end)).num_rows)
