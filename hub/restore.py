"""Restore: an archive becomes a hub again, and nobody is written to twice.

Everything is unpacked and checked beside the target first, made safe (a new epoch, all that is
outgoing held, nobody logged in), and only then put in its place. What was there is kept.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from crm_store import copying
from crm_store.engine import make_engine
from crm_store.erasure import all_erasures
from crm_store.migrate import PluginSchema, is_new, knows, migrate, upgrade_within
from crm_store.viewer import Reader, Viewer
from hub.backup import ABOUT, BLOBS, DATABASE, FORMAT, KEYS, MANIFEST, ROWS, STANDARD
from hub.errors import Conflict, Invalid
from hub.ids import Micros
from hub.keyring import KeyRing
from hub.records.system import Held
from hub.settings import HubSettings

CHUNK = 1 << 20
_NAMES = re.compile(
    rf"^({ABOUT}|{MANIFEST}|{KEYS}|{DATABASE}|{ROWS}[A-Za-z0-9_]+\.jsonl"
    rf"|{BLOBS}[0-9a-z]{{2}}/[0-9a-z]{{32}})$"
)


@dataclass(slots=True)
class Restored:
    """What a restore did, and what is to be told."""

    made_at: Micros
    counts: dict[str, int]
    held: Held
    erasures: list[int] = field(default_factory=list)
    replaced: Path | None = None
    missing_files: int = 0
    keys: str = ""
    locked: list[str] = field(default_factory=list)
    needs_reindex: bool = False


@dataclass(slots=True)
class Unpacked:
    """An archive on the disk, checked."""

    folder: Path
    about: dict[str, Any]
    manifest: dict[str, Any]


def unpack(source: Path, folder: Path) -> Unpacked:
    """Unpack an archive and check every hash; raises Invalid where it is not whole."""
    sums: dict[str, str] = {}
    try:
        with _input(source) as file, tarfile.open(fileobj=file, mode="r|gz", bufsize=CHUNK) as tar:
            for member in tar:
                if not member.isreg() or not _NAMES.match(member.name):
                    raise Invalid(f"this is not a backup of a hub: it holds {member.name[:100]!r}")
                content = tar.extractfile(member)
                assert content is not None
                sums[member.name] = _copy(content, folder / member.name)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise Invalid(f"the backup cannot be read: {error}") from None
    if MANIFEST not in sums or ABOUT not in sums:
        raise Invalid("the backup is not whole: its end is missing")
    try:
        about = json.loads((folder / ABOUT).read_text())
        manifest = json.loads((folder / MANIFEST).read_text())
        wanted: dict[str, str] = manifest["sha256"]
    except (ValueError, KeyError):
        raise Invalid("the backup's manifest cannot be read") from None
    for name, digest in wanted.items():
        if sums.get(name) != digest:
            raise Invalid(f"the backup is damaged: {name}")
    if about.get("format") != FORMAT or not all(knows(one) for one in about["schema"]):
        raise Invalid(f"the backup was made by a newer release ({about.get('release', '')})")
    return Unpacked(folder=folder, about=about, manifest=manifest)


def _input(source: Path) -> IO[bytes]:
    if str(source) == STANDARD:
        return sys.stdin.buffer
    return source.open("rb")


def _copy(source: IO[bytes], target: Path) -> str:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest = hashlib.sha256()
    with target.open("wb") as file:
        while data := source.read(CHUNK):
            digest.update(data)
            file.write(data)
    target.chmod(0o600)
    return digest.hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """One line of what was erased: whom, when, and the hashes of the addresses."""

    contact_id: int
    at: int
    address_hashes: tuple[str, ...]


def _erasure(one: Mapping[str, Any]) -> Erasure:
    return Erasure(
        contact_id=int(one["contact_id"]),
        at=int(one["at"]),
        address_hashes=tuple(str(each) for each in one["address_hashes"]),
    )


def look_at_target(settings: HubSettings, now: Micros, *, force: bool, since: int) -> list[Erasure]:
    """Refuse a target that is in use or holds something; give whom it has erased since."""
    if is_new(settings.database):
        return []
    engine = make_engine(settings.database, writer=False)
    try:
        with engine.connect() as conn, conn.begin():
            if settings.database_url and copying.is_running(conn, now):
                raise Conflict("the hub is running on this database: stop every process first")
            if copying.holds_anything(conn) and not force:
                raise Conflict(
                    "there is a hub here already; with --force it is replaced"
                    + ("" if settings.database_url else " (and kept aside)")
                )
            reader = Reader(conn=conn, viewer=Viewer.system(), now=now)
            return [_erasure(one) for one in all_erasures(reader, since)]
    finally:
        engine.dispose()


def read_erasures(path: Path, since: int) -> list[Erasure]:
    """Read a list made by `dialoghub erasures`."""
    try:
        found = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
        return [one for one in map(_erasure, found) if one.at > since]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Invalid(f"{path} is not a list of erasures: {type(error).__name__}") from None


def put_in_place(
    settings: HubSettings, unpacked: Unpacked, now: Micros, plugins: Sequence[PluginSchema]
) -> Restored:
    """Make the restored database safe and put it, its files and its keys where they belong."""
    stamp = datetime.fromtimestamp(now / 1e6, UTC).strftime("%Y%m%d-%H%M%S")
    aside = settings.data / f"replaced-{stamp}"
    result = Restored(
        made_at=unpacked.about["made_at"],
        counts=unpacked.manifest["counts"],
        held=Held(deliveries=0, jobs=0, webhooks=0, oldest_at=Micros(0)),
        missing_files=len(unpacked.manifest["missing"]),
    )
    rows = sorted((unpacked.folder / ROWS).glob("*.jsonl"))
    if settings.database_url:
        if not rows:
            raise Invalid(
                "this backup holds an SQLite database: make it with --portable to move to PostgreSQL"
            )
        result.held = _load_rows(settings.database, unpacked, rows, now, plugins, wipe=True)
        result.needs_reindex = True
    else:
        fresh = unpacked.folder / DATABASE
        url = f"sqlite:///{fresh.resolve()}"
        if rows:
            fresh.parent.mkdir(parents=True, exist_ok=True)
            result.held = _load_rows(url, unpacked, rows, now, plugins, wipe=False)
            result.needs_reindex = True
        else:
            migrate(url, plugins)
            result.held = _make_safe(url, now)
        path = Path(settings.database.removeprefix("sqlite:///"))
        if _move_aside([path, *(Path(f"{path}-{end}") for end in ("wal", "shm"))], aside):
            result.replaced = aside
        for end in ("-wal", "-shm"):
            left = Path(f"{fresh}{end}")
            if left.exists():
                shutil.move(left, f"{path}{end}")
        shutil.move(fresh, path)
    _place_files(settings, unpacked, aside, result)
    return result


def _place_files(settings: HubSettings, unpacked: Unpacked, aside: Path, result: Restored) -> None:
    blobs = settings.data / BLOBS
    if blobs.is_dir() and any(blobs.iterdir()) and _move_aside([blobs], aside):
        result.replaced = aside
    shutil.rmtree(blobs, ignore_errors=True)
    if (unpacked.folder / BLOBS).is_dir():
        shutil.move(unpacked.folder / BLOBS, blobs)
    blobs.mkdir(exist_ok=True)
    packed = unpacked.folder / KEYS
    if packed.is_file() and not settings.keys.exists():
        settings.keys.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(packed, settings.keys)
        result.keys = "taken from the backup"
    elif packed.is_file():
        result.keys = "the one that was here was kept"
        if KeyRing.open(settings.keys).adopt(packed):
            result.keys += ", and reads with the keys of the backup too"


def _move_aside(paths: Iterable[Path], aside: Path) -> bool:
    moved = False
    for path in paths:
        if path.exists():
            aside.mkdir(parents=True, exist_ok=True, mode=0o700)
            shutil.move(path, aside / path.name)
            moved = True
    return moved


def _make_safe(url: str, now: Micros) -> Held:
    engine = make_engine(url, writer=True)
    try:
        with engine.connect() as conn:
            with conn.begin():
                held = copying.make_safe(conn, now)
            if conn.dialect.name == "sqlite":
                # Everything into the one file that is moved.
                conn.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
        return held
    finally:
        engine.dispose()


def _load_rows(
    url: str,
    unpacked: Unpacked,
    files: Sequence[Path],
    now: Micros,
    plugins: Sequence[PluginSchema],
    *,
    wipe: bool,
) -> Held:
    """Take rows in, in one transaction: a failure leaves what was there."""
    engine = make_engine(url, writer=True)
    try:
        with engine.connect() as conn, conn.begin():
            if wipe:
                copying.drop_everything(conn)
            for revision in unpacked.about["schema"]:
                upgrade_within(conn, revision, plugins)
            known = {one.name: one for one in copying.tables_of(conn)}
            for path in files:
                table = known.get(path.stem)
                if table is None:
                    # A table of a plugin that is not installed here: its rows stay in the archive.
                    continue
                with path.open("rb") as lines:
                    copying.load(conn, table, lines)
            upgrade_within(conn, "head")
            copying.finish_loading(conn)
            held = copying.make_safe(conn, now)
    finally:
        engine.dispose()
    if url.startswith("sqlite"):
        migrate(url, plugins)
    return held
