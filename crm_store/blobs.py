"""Bytes: files under random names, their hash beside them in the database, references counted.

A blob is written and flushed to disk before the transaction that names it; what a crash
leaves unnamed is swept away after a day. Several machines need a shared folder.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.errors import NotFound

SWEEP_AFTER_SECONDS = 86_400


@contextmanager
def _whole(temporary: Path) -> Iterator[None]:
    """Remove what could be written only in part: half a file on a full disk would keep it full."""
    try:
        yield
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


class BlobStore:
    """A folder of blobs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def put(self, content: bytes) -> tuple[str, str, int]:
        """Write bytes durably; gives the blob's id, their sha256 and their size."""
        blob_id = secrets.token_hex(16)
        path = self._path(blob_id)
        path.parent.mkdir(exist_ok=True)
        temporary = path.with_suffix(".new")
        with _whole(temporary), temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        self._name(temporary, path)
        return blob_id, hashlib.sha256(content).hexdigest(), len(content)

    def put_file(self, source: Path) -> tuple[str, str, int]:
        """Copy a file durably, however large; gives what `put` gives."""
        with source.open("rb") as given:
            return self.put_parts(iter(lambda: given.read(1 << 20), b""))

    def put_parts(self, parts: Iterable[bytes]) -> tuple[str, str, int]:
        """Write bytes that come part by part durably; gives what `put` gives."""
        blob_id = secrets.token_hex(16)
        path = self._path(blob_id)
        path.parent.mkdir(exist_ok=True)
        temporary = path.with_suffix(".new")
        digest, size = hashlib.sha256(), 0
        with _whole(temporary), temporary.open("wb") as file:
            for part in parts:
                digest.update(part)
                size += len(part)
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        self._name(temporary, path)
        return blob_id, digest.hexdigest(), size

    def _name(self, temporary: Path, path: Path) -> None:
        temporary.rename(path)
        # The name must survive a power cut as the bytes do.
        handle = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def get(self, blob_id: str) -> bytes:
        """Read a blob; raises NotFound."""
        try:
            return self._path(blob_id).read_bytes()
        except OSError as error:
            raise NotFound("the file's bytes are gone") from error

    def path(self, blob_id: str) -> Path:
        """Give where a blob lies, to be streamed; raises NotFound."""
        path = self._path(blob_id)
        if not path.is_file():
            raise NotFound("the file's bytes are gone")
        return path

    def remove(self, blob_id: str) -> None:
        """Delete a blob; a blob that is gone is no error."""
        self._path(blob_id).unlink(missing_ok=True)

    def sweep(self, is_known: Callable[[list[str]], set[str]]) -> int:
        """Delete files older than a day that no row names; gives how many."""
        limit = time.time() - SWEEP_AFTER_SECONDS
        removed = 0
        for folder in sorted(self._folder.iterdir()):
            if not folder.is_dir():
                continue
            old = {one.stem: one for one in folder.iterdir() if one.stat().st_mtime < limit}
            for blob_id in set(old) - is_known(sorted(old)):
                old[blob_id].unlink(missing_ok=True)
                removed += 1
        return removed

    def _path(self, blob_id: str) -> Path:
        if not (len(blob_id) == 32 and blob_id.isalnum()):
            raise NotFound("this is not the name of a file")
        return self._folder / blob_id[:2] / blob_id
