"""Bringing a database to the schema of this release, the core's and each plugin's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Connection, MetaData, Table, insert, inspect, select, update

from crm_store.engine import make_engine
from crm_store.journal import get_meta, new_epoch, set_meta
from crm_store.schema_steps import CORE, VERSION_TABLE, chain, is_newest, stands_at
from crm_store.tables.calendars import calendars
from crm_store.tables.desks import desk_statuses
from crm_store.tables.requests import sla_policies
from crm_store.tables.users import brands, roles
from hub.calendars import ALWAYS_WEEK, OFFICE_WEEK
from hub.roles import ROLES

if TYPE_CHECKING:
    from alembic.config import Config

HERE = Path(__file__).parent / "migrations"
FIRST_BRAND = 1
FIRST_STATUSES = [
    {"id": 1, "name": "At work", "works": True, "takes_new": True, "position": 1},
    {"id": 2, "name": "No new ones", "works": True, "takes_new": False, "position": 2},
    {"id": 3, "name": "Break", "works": False, "takes_new": False, "position": 3},
    {"id": 4, "name": "Gone home", "works": False, "takes_new": False, "position": 4},
]
"""The statuses of a new house; shown translated until they are renamed."""


FIRST_POLICIES = [
    {
        "id": 1,
        "brand_id": FIRST_BRAND,
        "name": "Urgent requests",
        "position": 1,
        "filter": {"field": "request.priority", "operator": "equals", "value": "urgent"},
        "first_minutes": 60,
        "next_minutes": 120,
        "solution_minutes": 9 * 60,
        "warn_minutes": 15,
        "pause_statuses": ["waiting", "on_hold"],
        "tell_client": True,
    },
    {
        "id": 2,
        "brand_id": FIRST_BRAND,
        "name": "All other requests",
        "position": 2,
        "filter": {},
        "first_minutes": 4 * 60,
        "next_minutes": 9 * 60,
        "solution_minutes": 3 * 9 * 60,
        "warn_minutes": 60,
        "pause_statuses": ["waiting", "on_hold"],
        "tell_client": True,
    },
]
"""What a new hub promises, until somebody says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginSchema:
    """A plugin's tables, and the folder of its steps (Alembic revisions) where it has one.

    Without steps the tables are made as they are declared, and never changed. Those of `kinds`
    follow their descriptions: they are made, and get the columns that a new version describes.
    """

    plugin: str
    tables: tuple[Table, ...] = ()
    versions: Path | None = None
    kinds: tuple[Table, ...] = ()


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
            return sorted(stands_at(conn))
    finally:
        engine.dispose()


def knows(revision: str) -> bool:
    """Say whether this release has a step of that name."""
    return revision in chain(CORE)


def upgrade_within(conn: Connection, revision: str, plugins: Iterable[PluginSchema] = ()) -> None:
    """Bring a database to one step inside the caller's transaction (a restore of rows)."""
    _upgrade(conn, VERSION_TABLE, target=revision)
    for one in plugins:
        _plugin(conn, one)


def is_new(url: str) -> bool:
    """Say whether nothing was ever made in a database."""
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        return True
    return not heads(url)


def pending(url: str, plugins: Iterable[PluginSchema] = ()) -> list[str]:
    """Give the names of the steps that are still to be taken, the core's and the plugins'."""
    engine = make_engine(url, writer=False)
    try:
        with engine.connect() as conn:
            steps = _lacking(conn, VERSION_TABLE, CORE)
            return [*steps, *(f"{one.plugin}:{step}" for one in plugins for step in _of(conn, one))]
    finally:
        engine.dispose()


def _lacking(conn: Connection, version_table: str, folder: Path) -> list[str]:
    current, steps = stands_at(conn, version_table), chain(folder)
    if not steps:
        from alembic.script import ScriptDirectory

        script = ScriptDirectory.from_config(_config(conn, version_table, folder))
        steps = [one.revision for one in script.walk_revisions()][::-1]
    taken = [n for n, name in enumerate(steps, 1) if name in current]
    return steps[max(taken, default=0) :]


def _of(conn: Connection, schema: PluginSchema) -> list[str]:
    found = inspect(conn)
    if schema.versions is not None:
        mark = f"{schema.plugin}_schema_version"
        # As in _own_tables: tables without a mark have what the first step makes.
        stand = not stands_at(conn, mark) and any(found.has_table(t.name) for t in schema.tables)
        steps = _lacking(conn, mark, schema.versions)[1 if stand else 0 :]
    else:
        steps = [one.name for one in schema.tables if not found.has_table(one.name)]
    for table in schema.kinds:
        if not found.has_table(table.name):
            steps.append(table.name)
            continue
        there = {one["name"] for one in found.get_columns(table.name)}
        steps += [f"{table.name}.{one.name}" for one in table.columns if one.name not in there]
    return steps


def _config(conn: Connection, version_table: str, versions: Path | None) -> Config:
    from alembic.config import Config

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
    if target == "head" and is_newest(conn, version_table, versions or CORE):
        return []
    from alembic import command
    from alembic.script import ScriptDirectory

    config = _config(conn, version_table, versions)
    script = ScriptDirectory.from_config(config)
    taken = {
        one.revision
        for head in stands_at(conn, version_table)
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
    return [*_own_tables(conn, schema), *_kinds(conn, schema)]


def _kinds(conn: Connection, schema: PluginSchema) -> list[str]:
    """Make the tables of a plugin's kinds, and add the columns that they lack."""
    done = []
    known = set(inspect(conn).get_table_names())
    for table in schema.kinds:
        if table.name not in known:
            table.create(conn)
            done.append(f"{schema.plugin}:{table.name}")
            continue
        there = {one["name"] for one in inspect(conn).get_columns(table.name)}
        for column in table.columns:
            if column.name not in there:
                _add(conn, table, column)
                done.append(f"{schema.plugin}:{table.name}.{column.name}")
        indexes = {one["name"] for one in inspect(conn).get_indexes(table.name)}
        for index in table.indexes:
            if index.name not in indexes:
                index.create(conn)
    return done


def _add(conn: Connection, table: Table, column: Column[Any]) -> None:
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext

    Operations(MigrationContext.configure(conn)).add_column(table.name, column._copy())


def _own_tables(conn: Connection, schema: PluginSchema) -> list[str]:
    if schema.versions is not None:
        # Tables that an earlier version made without steps stand where its first step leads.
        stand = any(inspect(conn).has_table(one.name) for one in schema.tables)
        done = _upgrade(conn, f"{schema.plugin}_schema_version", schema.versions, stand=stand)
        return [f"{schema.plugin}:{one}" for one in done]
    known = set(inspect(conn).get_table_names())
    missing = [one for one in schema.tables if one.name not in known]
    metadata = schema.tables[0].metadata if schema.tables else MetaData()
    metadata.create_all(conn, tables=missing, checkfirst=True)
    return [f"{schema.plugin}:{one.name}" for one in missing]


def _first_rows(conn: Connection) -> None:
    """Write what must be there from the first start: the epoch, the brand, the five roles."""
    if not get_meta(conn, "epoch"):
        new_epoch(conn)
        set_meta(conn, "schema", "1")
    if conn.execute(select(brands.c.id)).first() is None:
        conn.execute(insert(brands).values(id=FIRST_BRAND, name="", settings={}))
    if conn.execute(select(calendars.c.id)).first() is None:
        # Names of ours are translated where they are shown.
        conn.execute(
            insert(calendars),
            [
                {
                    "id": 1,
                    "brand_id": FIRST_BRAND,
                    "name": "Working hours",
                    "week": OFFICE_WEEK,
                    "is_default": True,
                },
                {
                    "id": 2,
                    "brand_id": FIRST_BRAND,
                    "name": "Around the clock",
                    "week": ALWAYS_WEEK,
                    "is_default": False,
                },
            ],
        )
    if not get_meta(conn, "desk_statuses"):
        set_meta(conn, "desk_statuses", "1")
        conn.execute(insert(desk_statuses), FIRST_STATUSES)
    if conn.execute(select(sla_policies.c.id)).first() is None:
        conn.execute(insert(sla_policies), FIRST_POLICIES)
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
