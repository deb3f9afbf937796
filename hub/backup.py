"""Backup: one compressed archive of a living hub, consistent, streamed, checked by hashes.

It holds the database (SQLite's file, or rows that either database takes in), every file that
a row names, and a manifest written last. The key ring is left out unless asked for: without
it nobody reads the accounts' secrets out of a lost backup.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO, TYPE_CHECKING

from sqlalchemy import Connection

from crm_store import copying
from crm_store.engine import make_engine
from crm_store.journal import epoch, last_event
from crm_store.migrate import heads, is_new
from hub.errors import Conflict, Invalid, NotFound
from hub.ids import Micros

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crm_store.blobs import BlobStore
    from hub.settings import HubSettings

FORMAT = 1
ABOUT, MANIFEST, KEYS = "about.json", "manifest.json", "keys.json"
DATABASE = "database/hub.db"
ROWS = "database/rows/"
BLOBS = "blobs/"
CHUNK = 1 << 20
LEVEL = 3
STANDARD = "-"

Tell = Callable[[int, int], None]


@dataclass(slots=True)
class Manifest:
    """What an archive holds. `missing` are files that were gone already when it was made."""

    made_at: Micros
    release: str
    schema: list[str]
    epoch: str
    last_event: int
    kind: str
    counts: dict[str, int] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    with_keys: bool = False
    sha256: dict[str, str] = field(default_factory=dict)

    def about(self) -> dict[str, object]:
        """Give what is known before the archive is written: its first member."""
        return {
            "format": FORMAT,
            "made_at": self.made_at,
            "release": self.release,
            "schema": self.schema,
            "epoch": self.epoch,
            "last_event": self.last_event,
            "kind": self.kind,
        }

    def whole(self) -> dict[str, object]:
        """Give everything: its last member."""
        return self.about() | {
            "counts": self.counts,
            "missing": self.missing,
            "with_keys": self.with_keys,
            "sha256": self.sha256,
        }


class _Hashed(io.RawIOBase):
    """A file that is hashed while tarfile reads it."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self.digest = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        self.digest.update(data)
        return data


class _Writer:
    """Adds members to the archive and their hashes to the manifest."""

    def __init__(self, tar: tarfile.TarFile, manifest: Manifest) -> None:
        self._tar = tar
        self._manifest = manifest

    def add(self, name: str, source: IO[bytes], size: int) -> None:
        """Add one member of a known size."""
        member = tarfile.TarInfo(name)
        member.size, member.mode = size, 0o600
        member.mtime = self._manifest.made_at // 1_000_000
        hashed = _Hashed(source)
        self._tar.addfile(member, hashed)
        if name not in (ABOUT, MANIFEST):
            self._manifest.sha256[name] = hashed.digest.hexdigest()

    def add_json(self, name: str, value: object) -> None:
        """Add one small member."""
        data = json.dumps(value, indent=1).encode()
        self.add(name, io.BytesIO(data), len(data))

    def add_file(self, name: str, path: Path) -> None:
        """Add a file of the disk."""
        with path.open("rb") as source:
            self.add(name, source, os.fstat(source.fileno()).st_size)


def make_backup(
    settings: HubSettings,
    blobs: BlobStore,
    target: Path,
    *,
    now: Micros,
    with_keys: bool = False,
    portable: bool = False,
    tell: Tell = lambda done, total: None,
) -> Manifest:
    """Write a backup; the hub may run meanwhile. Nothing half-made is left under the name."""
    if is_new(settings.database):
        raise NotFound(
            f"there is no hub to back up ({settings.database.partition('@')[2] or ''}"
            f"{settings.data})"
        )
    if str(target) != STANDARD and target.exists():
        raise Conflict(f"{target} exists already: give another name")
    as_file = settings.database.startswith("sqlite") and not portable
    with (
        tempfile.TemporaryDirectory(prefix=".backup-", dir=_room(settings, target)) as room,
        _output(target) as out,
        gzip.GzipFile(fileobj=out, mode="wb", compresslevel=LEVEL, filename="", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w|", bufsize=CHUNK) as tar,
    ):
        source = settings.database
        if as_file:
            copy = Path(room) / "hub.db"
            copying.copy_sqlite(Path(source.removeprefix("sqlite:///")), copy)
            source = f"sqlite:///{copy}"
        engine = make_engine(source, writer=False)
        try:
            # One transaction, one snapshot: rows, counts and names of files agree.
            with engine.connect() as conn, conn.begin():
                manifest = _begin(conn, source, now, "sqlite" if as_file else "rows")
                writer = _Writer(tar, manifest)
                writer.add_json(ABOUT, manifest.about())
                if as_file:
                    writer.add_file(DATABASE, Path(room) / "hub.db")
                else:
                    _add_rows(conn, writer, Path(room))
                names = copying.blob_ids(conn)
        finally:
            engine.dispose()
        _add_blobs(writer, manifest, blobs, names, tell)
        if with_keys:
            writer.add_file(KEYS, settings.keys)
            manifest.with_keys = True
        writer.add_json(MANIFEST, manifest.whole())
    return manifest


def _begin(conn: Connection, url: str, now: Micros, kind: str) -> Manifest:
    try:
        release = version("dialoghub")
    except PackageNotFoundError:
        release = ""
    return Manifest(
        made_at=now,
        release=release,
        schema=heads(url),
        epoch=epoch(conn),
        last_event=last_event(conn),
        kind=kind,
        counts=copying.counts(conn),
    )


def _add_rows(conn: Connection, writer: _Writer, room: Path) -> None:
    for table in copying.tables_of(conn):
        path = room / table.name
        with path.open("wb") as file:
            file.writelines(copying.dump(conn, table))
        writer.add_file(f"{ROWS}{table.name}.jsonl", path)
        path.unlink()


def _add_blobs(
    writer: _Writer, manifest: Manifest, blobs: BlobStore, names: Iterable[str], tell: Tell
) -> None:
    every = list(names)
    for n, name in enumerate(every):
        try:
            writer.add_file(f"{BLOBS}{name[:2]}/{name}", blobs.path(name))
        except (NotFound, FileNotFoundError):
            manifest.missing.append(name)
        tell(n + 1, len(every))


def _room(settings: HubSettings, target: Path) -> Path:
    """Where the copy lies meanwhile: beside the archive, which needs as much room anyway."""
    folder = settings.data if str(target) == STANDARD else target.resolve().parent
    if not folder.is_dir():
        raise Invalid(f"there is no folder {folder}")
    return folder


@contextmanager
def _output(target: Path) -> Iterator[IO[bytes]]:
    if str(target) == STANDARD:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    unfinished = target.with_name(f".{target.name}.part")
    try:
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(target)
    except OSError as error:
        raise Conflict(f"{target} cannot be written: {error.strerror}") from error
    finally:
        unfinished.unlink(missing_ok=True)
