"""Bringing a database to the schema of this release, the core's and each plugin's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, Table, insert, inspect, select, update

from crm_store.database import make_engine
from crm_store.journal import get_meta, new_epoch, set_meta
from crm_store.tables.users import brands, roles
from hub.roles import ROLES

HERE = Path(__file__).parent / "migrations"
VERSION_TABLE = "schema_version"
FIRST_BRAND = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginSchema:
    """A plugin's tables, and the folder of its steps (Alembic revisions) where it has one.

    Without steps the tables are made as they are declared, and never changed.
    """

    plugin: str
    tables: tuple[Table, ...]
    versions: Path | None = None


def migrate(url: str, plugins: Iterable[PluginSchema] = ()) -> list[str]:
    """Bring a database up to date; gives the names of the steps taken."""
    if url.startswith("sqlite:///"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    engine = make_engine(url, writer=True)
    done: list[str] = []
    try:
        with engine.connect() as conn:
            # SQLite's own transaction must not be open while PRAGMAs of batch mode run.
            with conn.begin():
                done += _upgrade(conn, VERSION_TABLE)
                _first_rows(conn)
            for one in plugins:
                with conn.begin():
                    done += _plugin(conn, one)
    finally:
        engine.dispose()
    return done


def heads(url: str) -> list[str]:
    """Give the step that a database stands at."""
    engine = make_engine(url, writer=False)
    try:
        with engine.connect() as conn:
            context = MigrationContext.configure(conn, opts={"version_table": VERSION_TABLE})
            return sorted(context.get_current_heads())
    finally:
        engine.dispose()


def knows(revision: str) -> bool:
    """Say whether this release has a step of that name."""
    script = ScriptDirectory(str(HERE))
    return any(one.revision == revision for one in script.walk_revisions())


def upgrade_within(conn: Connection, revision: str, plugins: Iterable[PluginSchema] = ()) -> None:
    """Bring a database to one step inside the caller's transaction (a restore of rows)."""
    _upgrade(conn, VERSION_TABLE, target=revision)
    for one in plugins:
        _plugin(conn, one)


def is_new(url: str) -> bool:
    """Say whether nothing was ever made in a database."""
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        return True
    engine = make_engine(url, writer=False)
    try:
        with engine.connect() as conn:
            context = MigrationContext.configure(conn, opts={"version_table": VERSION_TABLE})
            return not context.get_current_heads()
    finally:
        engine.dispose()


def pending(url: str) -> list[str]:
    """Give the names of the core's steps that are still to be taken."""
    engine = make_engine(url, writer=False)
    try:
        with engine.connect() as conn:
            context = MigrationContext.configure(conn, opts={"version_table": VERSION_TABLE})
            current = set(context.get_current_heads())
    finally:
        engine.dispose()
    script = ScriptDirectory(str(HERE))
    missing = []
    for revision in script.walk_revisions():
        if revision.revision in current:
            break
        missing.append(revision.revision)
    return missing[::-1]


def _config(conn: Connection, version_table: str, versions: Path | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    if versions is not None:
        config.set_main_option("path_separator", "newline")
        config.set_main_option("version_locations", str(versions).replace("%", "%%"))
    config.attributes["connection"] = conn
    config.attributes["version_table"] = version_table
    return config


def _upgrade(
    conn: Connection,
    version_table: str,
    versions: Path | None = None,
    *,
    target: str = "head",
    stand: bool = False,
) -> list[str]:
    config = _config(conn, version_table, versions)
    context = MigrationContext.configure(conn, opts={"version_table": version_table})
    script = ScriptDirectory.from_config(config)
    taken = {
        one.revision
        for head in context.get_current_heads()
        for one in script.walk_revisions(head=head)
    }
    if stand and not taken:
        [first] = script.get_bases()
        command.stamp(config, first)
        taken = {first}
    command.upgrade(config, target)
    return [
        one.revision
        for one in reversed(list(script.walk_revisions(head=target)))
        if one.revision not in taken
    ]


def _plugin(conn: Connection, schema: PluginSchema) -> list[str]:
    if schema.versions is not None:
        # Tables that an earlier version made without steps stand where its first step leads.
        stand = any(inspect(conn).has_table(one.name) for one in schema.tables)
        done = _upgrade(conn, f"{schema.plugin}_schema_version", schema.versions, stand=stand)
        return [f"{schema.plugin}:{one}" for one in done]
    metadata = schema.tables[0].metadata if schema.tables else MetaData()
    metadata.create_all(conn, tables=list(schema.tables), checkfirst=True)
    return []


def _first_rows(conn: Connection) -> None:
    """Write what must be there from the first start: the epoch, the brand, the five roles."""
    if not get_meta(conn, "epoch"):
        new_epoch(conn)
        set_meta(conn, "schema", "1")
    if conn.execute(select(brands.c.id)).first() is None:
        conn.execute(insert(brands).values(id=FIRST_BRAND, name="", settings={}))
    known = set(conn.execute(select(roles.c.name)).scalars())
    fresh = [
        {
            "name": role.name,
            "permissions": sorted(role.permissions),
            "scope": role.scope,
            "builtin": True,
        }
        for role in ROLES.values()
        if role.name not in known
    ]
    if fresh:
        conn.execute(insert(roles), fresh)
    # A release may bring new rights; the five roles are ours, so they have them at once.
    for role in ROLES.values():
        conn.execute(
            update(roles)
            .where(roles.c.name == role.name, roles.c.builtin)
            .values(permissions=sorted(role.permissions))
        )
