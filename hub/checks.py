"""Looking over an installation: each finding is ok, a warning or a failure, in plain words."""

from __future__ import annotations

import asyncio
import os
import secrets
import stat
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from cryptography.fernet import InvalidToken
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import SQLAlchemyError

from crm_store.accounts import all_accounts
from crm_store.blobs import BlobStore
from crm_store.database import Database
from crm_store.engine import make_engine
from crm_store.journal import get_meta, set_meta
from crm_store.migrate import is_new, pending
from crm_store.tables.outbox import webhooks
from crm_store.tables.users import accounts, brands
from crm_store.viewer import Reader, Viewer
from crm_store.work import living_workers
from hub.errors import HubError, UntrustedRequest
from hub.http_client import HubHttpClient
from hub.keyring import KeyRing
from hub.plugin_host import PluginHost
from hub.runtime import system_now
from hub.settings import HubSettings
from hub.web.public_address import PURPOSE

SHARED = "blob_folder"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, `ok`, `warn` or `fail`, and what to do."""

    what: str
    state: str
    text: str


async def check_all(settings: HubSettings) -> list[Finding]:
    """Look at everything; a failure of one look does not stop the others."""
    found = [Finding("settings", "ok", f"data in {settings.data.resolve()}")]
    found += [_data_folder(settings), _keys(settings)]
    database = await asyncio.to_thread(_database, settings)
    found += database
    found += _plugins(settings)
    if all(one.state != "fail" for one in database) and not is_new(settings.database):
        looks: list[Callable[[HubSettings, Database], Awaitable[list[Finding]]]] = [
            _secrets,
            _blobs,
            _running,
            _public_url,
        ]
        store = Database(settings.database, now=system_now)
        try:
            for look in looks:
                try:
                    found += await look(settings, store)
                except (SQLAlchemyError, OSError) as error:
                    found.append(Finding(look.__name__.strip("_"), "fail", type(error).__name__))
        finally:
            store.close()
    return found


def _data_folder(settings: HubSettings) -> Finding:
    folder = settings.data
    if not folder.exists():
        return Finding("data folder", "warn", f"{folder} is made at the first start")
    if not os.access(folder, os.W_OK | os.X_OK):
        return Finding("data folder", "fail", f"{folder} cannot be written: give it to this user")
    free = os.statvfs(folder)
    left = free.f_bavail * free.f_frsize // 1_000_000
    if left < 500:
        return Finding("data folder", "warn", f"only {left} MB are free: make room")
    return Finding("data folder", "ok", f"{left // 1000} GB free")


def _keys(settings: HubSettings) -> Finding:
    path = settings.keys
    if not path.is_file():
        if is_new(settings.database):
            return Finding("key ring", "warn", f"{path} is made at the first start")
        return Finding(
            "key ring",
            "fail",
            f"{path} is missing: bring it back from where you keep it, or start without it and "
            "enter every account's secrets again",
        )
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        return Finding("key ring", "fail", f"others can read {path}: chmod 600 {path}")
    try:
        ring = KeyRing.open(path)
        ring.decrypt(ring.encrypt("x"))
    except (ValueError, KeyError, OSError) as error:
        return Finding("key ring", "fail", f"{path} cannot be used: {type(error).__name__}")
    return Finding("key ring", "ok", "keep a copy of it apart from the backups")


def _database(settings: HubSettings) -> list[Finding]:
    kind = "PostgreSQL" if settings.database_url else "SQLite"
    if settings.database.startswith("sqlite") and is_new(settings.database):
        return [Finding("database", "warn", "there is none yet: `dialoghub run` makes it")]
    try:
        engine = make_engine(settings.database, writer=True)
        try:
            with engine.connect() as conn, conn.begin():
                version = _version(conn)
                if conn.dialect.name == "sqlite":
                    broken = conn.exec_driver_sql("PRAGMA quick_check(1)").scalar()
                    if broken != "ok":
                        return [Finding("database", "fail", f"it is damaged: {broken}; restore")]
        finally:
            engine.dispose()
        if is_new(settings.database):
            return [
                Finding("database", "ok", f"{kind} {version}"),
                Finding("migrations", "warn", "it is empty: `dialoghub run` makes the tables"),
            ]
        steps = pending(settings.database)
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", error)).strip().splitlines()
        return [Finding("database", "fail", reason[0] if reason else type(error).__name__)]
    behind = f"{len(steps)} to do: take a backup, then `dialoghub migrate`"
    return [
        Finding("database", "ok", f"{kind} {version}"),
        Finding("migrations", "fail", behind)
        if steps
        else Finding("migrations", "ok", "up to date"),
    ]


def _version(conn: Connection) -> str:
    if conn.dialect.name == "sqlite":
        return str(conn.execute(text("SELECT sqlite_version()")).scalar())
    return str(conn.execute(text("SHOW server_version")).scalar())


def _plugins(settings: HubSettings) -> list[Finding]:
    host = PluginHost()
    host.load(settings.plugins_dir)
    wrong = [one for one in host.plugins.values() if one.error]
    found = [
        Finding(f"plugin {one.name}", "fail", f"{one.error} (mend it or take it out)")
        for one in wrong
    ]
    good = len(host.plugins) - len(wrong)
    return [*found, Finding("plugins", "ok", f"{good} loaded")]


async def _secrets(settings: HubSettings, store: Database) -> list[Finding]:
    if not settings.keys.is_file():
        return []
    ring = KeyRing.open(settings.keys)

    def sealed(conn: Connection) -> list[tuple[str, str]]:
        rows = conn.execute(
            select(accounts.c.title, accounts.c.secrets).where(
                ~accounts.c.removed, accounts.c.secrets != ""
            )
        )
        hooks = conn.execute(select(webhooks.c.url, webhooks.c.secret).where(webhooks.c.active))
        return [(one[0], one[1]) for one in (*rows, *hooks) if one[1]]

    lost = []
    every = await store.read(sealed)
    for title, value in every:
        try:
            ring.decrypt(value)
        except (InvalidToken, ValueError):
            lost.append(title)
    if lost:
        names = ", ".join(lost)
        return [Finding("secrets", "fail", f"cannot be read, enter them again: {names}")]
    found = [Finding("secrets", "ok", f"{len(every)} readable")]

    def states(conn: Connection) -> list[tuple[str, str, str]]:
        reader = Reader(conn=conn, viewer=Viewer.system(), now=system_now())
        return [(one.title, one.state, one.last_error) for one in all_accounts(reader)]

    for title, state, error in await store.read(states):
        if state not in ("ok", "new"):
            found.append(Finding(f"account {title}", "warn", f"{state}: {error}"))
    return found


async def _blobs(settings: HubSettings, store: Database) -> list[Finding]:
    """The folder of files is written and read; every machine must see the same one."""
    folder = settings.data / "blobs"

    def write() -> str:
        blobs = BlobStore(folder)
        blob_id, _, _ = blobs.put(b"check")
        try:
            return "" if blobs.get(blob_id) == b"check" else "what was written is not read back"
        finally:
            blobs.remove(blob_id)

    try:
        problem = await asyncio.to_thread(write)
    except (OSError, HubError) as error:
        return [Finding("files", "fail", f"{folder} cannot be written: {type(error).__name__}")]
    if problem:
        return [Finding("files", "fail", problem)]
    mark = folder / ".shared"

    def compare() -> bool:
        with store.administer() as conn:
            known = get_meta(conn, SHARED)
            if not known:
                known = secrets.token_hex(8)
                set_meta(conn, SHARED, known)
                mark.write_text(known)
                return True
        return mark.is_file() and mark.read_text() == known

    if settings.database_url and not await asyncio.to_thread(compare):
        return [
            Finding(
                "files",
                "warn",
                f"{folder} is not the folder another machine uses: mount the same one on all "
                f"(then copy {mark.name} into it)",
            )
        ]
    return [Finding("files", "ok", f"{folder} is writable")]


async def _running(settings: HubSettings, store: Database) -> list[Finding]:
    owners = await store.read(lambda conn: living_workers(conn, system_now()))
    if not owners:
        return [Finding("processes", "warn", "none runs at the moment")]
    return [Finding("processes", "ok", f"{len(owners)} run")]


async def _public_url(settings: HubSettings, store: Database) -> list[Finding]:
    stored = await store.read(lambda conn: conn.execute(select(brands.c.public_url)).scalar())
    url = (settings.public_url or str(stored or "")).rstrip("/")
    if not url:
        return [
            Finding(
                "public address",
                "warn",
                "none is set (HUB_PUBLIC_URL): webhooks and links work on this machine only",
            )
        ]
    found = []
    if urlsplit(url).scheme != "https" and urlsplit(url).hostname not in ("localhost", "127.0.0.1"):
        found.append(Finding("public address", "warn", f"{url} is not https: use a proxy with TLS"))
    if not await store.read(lambda conn: living_workers(conn, system_now())):
        return [*found, Finding("public address", "warn", f"{url} is tried once the hub runs")]
    client = HubHttpClient()
    try:
        word = secrets.token_hex(8)
        answer = await client.request("GET", f"{url}/healthz/{word}", timeout=10)
        KeyRing.open(settings.keys).unsign(f"{PURPOSE}:{word}", answer.text[:500])
        reached, reason = True, ""
    except UntrustedRequest:
        reached, reason = False, "something else answers there"
    except Exception as error:  # noqa: BLE001 - whatever keeps us from it is the finding
        reached, reason = False, f"{type(error).__name__}"
    finally:
        await client.close()
    if reached:
        return [*found, Finding("public address", "ok", f"{url} leads to this hub")]
    words = f"{url} does not lead here: {reason}; look at the proxy and the name"
    return [*found, Finding("public address", "fail", words)]
