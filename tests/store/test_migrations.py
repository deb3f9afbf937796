"""A released database survives: each step is taken with rows in every table, and none is rewritten."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    insert,
    select,
    text,
)

from crm_store import migrate as migrations
from crm_store.database import make_engine
from crm_store.erasure import address_hash
from crm_store.tables.people import erased_addresses
from hub.events import EventRegistry
from hub.plugin_host import PluginHost
from hub.registration import register as registered
from tests.houses import house, letter

RELEASED = {
    "0001_first.py": "ee16df1be2fa2bb3da949e27dcb17afccea8a0b4a15c8a34e905d0abb9fe049d",
    "0002_channels.py": "56ce55c1c8b3daaa0fef05b7b893eb5c6c4485c6cc957fd4cbd07787782071d3",
    "0003_erased_addresses.py": "7ddac33c6dc60bd25d8c89220ed5a9a86a85a8f9300f94f119fadc5e677532f6",
    "0004_dialogs_by_age.py": "f3c27e14f81bc041725e88f689a92206b64fc49338c5d1039f00a96713732b27",
    "0005_partial_indexes.py": "97fb884d3db7ba94b3af4920f65a153ff7699d7ecadcb68b724344ce79d46543",
    "0006_leads.py": "522189036547ebbb69965c5d7276a9d4f5ad33303cfe917f16f14f76f7fcf2f9",
}
"""What each step was when it came to main. Never change a line: add a step, and its line here."""

VERSIONS = Path(migrations.HERE) / "versions"
FIRST = "0001"


def test_no_step_that_was_released_is_rewritten() -> None:
    found = {
        one.name: hashlib.sha256(one.read_bytes()).hexdigest()
        for one in sorted(VERSIONS.glob("0*.py"))
    }
    assert found == RELEASED, "a database that took a step will not take it again: add another"


def test_the_steps_are_one_chain() -> None:
    script = ScriptDirectory(str(migrations.HERE))
    assert len(script.get_heads()) == 1
    names = [one.revision for one in script.walk_revisions()][::-1]
    assert names == [f"{n:04}" for n in range(1, len(names) + 1)]


@pytest.fixture
def first_database(empty_database_url: str) -> str:
    """A database as the first release made it, with rows in every table."""
    engine = make_engine(empty_database_url, writer=True)
    with engine.connect() as conn, conn.begin():
        migrations.upgrade_within(conn, FIRST)
        for table in tables_of(conn):
            conn.execute(insert(table), [row_of(table, n) for n in (1, 2)])
    engine.dispose()
    return empty_database_url


def test_every_row_of_the_first_release_is_still_there(first_database: str) -> None:
    engine = make_engine(first_database, writer=False)
    with engine.connect() as conn:
        before = {one.name: (one, rows_of(conn, one)) for one in tables_of(conn)}
    steps = migrations.migrate(first_database)
    assert steps == [one.revision for one in newer_than_first()]
    assert migrations.pending(first_database) == []
    with engine.connect() as conn:
        for name, (table, rows) in before.items():
            if name in ("roles", "meta"):
                # The hub writes its own beside them: its five roles, its epoch.
                assert set(rows) <= set(rows_of(conn, table)), name
            else:
                assert rows_of(conn, table) == rows, name
        hashes = conn.execute(select(erased_addresses)).all()
    engine.dispose()
    # What was erased before there was a table to look it up stays erased.
    assert [(row.hash, row.at) for row in hashes] == [(address_hash("email", "eve@x.example"), 8)]


async def test_a_hub_lives_on_a_database_of_the_first_release(
    tmp_path: Path, empty_database_url: str
) -> None:
    engine = make_engine(empty_database_url, writer=True)
    with engine.connect() as conn, conn.begin():
        migrations.upgrade_within(conn, FIRST)
    engine.dispose()
    migrations.migrate(empty_database_url)
    async with house(tmp_path, empty_database_url) as home:
        given = (await home.receive(letter("k1"), letter=True))[0]
        assert (await home.user.message(given.message_id)).text == "hello"


def newer_than_first() -> list[Any]:
    script = ScriptDirectory(str(migrations.HERE))
    return [one for one in list(script.walk_revisions())[::-1] if one.revision != FIRST]


def tables_of(conn: Connection) -> list[Table]:
    """Every ordinary table, as the database has it; the index of words has its own shape."""
    metadata = MetaData()
    metadata.reflect(
        conn,
        only=lambda name, _: (
            "terms" not in name and name not in (migrations.VERSION_TABLE, "sqlite_sequence")
        ),
    )
    return metadata.sorted_tables


def row_of(table: Table, n: int) -> dict[str, Any]:
    """A row with a value in every column; two rows differ in every column that can."""
    row = {column.name: value_of(column, n) for column in table.columns}
    if table.name == "erasures":
        row |= {"at": n + 6, "address_hashes": [address_hash("email", "eve@x.example")]}
    return row


def value_of(column: Column[Any], n: int) -> Any:
    kind = column.type
    if isinstance(kind, JSON) or str(kind).upper().startswith("JSON"):
        return {"n": n}
    if isinstance(kind, Boolean):
        return n == 1
    if isinstance(kind, LargeBinary):
        return bytes([n])
    if isinstance(kind, Integer):
        return n
    return f"{column.name}-{n}"[: getattr(kind, "length", None) or 100]


def rows_of(conn: Connection, table: Table) -> list[str]:
    """The rows of the columns that the first release knew, as comparable text."""
    key = list(table.primary_key.columns)
    return [repr(tuple(row)) for row in conn.execute(select(table).order_by(*key))]


STEPS = {
    "0001_first.py": """
revision, down_revision = "0001", None
def upgrade():
    op.create_table("desk_notes", sa.Column("id", sa.BigInteger, primary_key=True))
""",
    "0002_words.py": """
revision, down_revision = "0002", "0001"
def upgrade():
    op.add_column("desk_notes", sa.Column("words", sa.Text, nullable=False, server_default=""))
""",
}
DESK = """
import hub
from sqlalchemy import BigInteger, Column, Table, Text

@hub.hookimpl
def register_tables(metadata):
    Table("desk_notes", metadata, Column("id", BigInteger, primary_key=True), {more})
"""


def desk(folder: Path, more: str, *steps: str) -> PluginHost:
    """A stranger's package in the plugins folder, with its steps."""
    room = folder / "desk"
    (room / "migrations").mkdir(parents=True, exist_ok=True)
    (room / "__init__.py").write_text(DESK.replace("{more}", more), "utf-8")
    if not steps:
        (room / "migrations").rmdir()
    for name in steps:
        text = "import sqlalchemy as sa\nfrom alembic import op\n" + STEPS[name]
        (room / "migrations" / name).write_text(text, "utf-8")
    host = PluginHost()
    host.load(folder)
    assert host.plugins["desk"].state == "loaded"
    return host


@pytest.mark.parametrize("before", ["steps", "no steps"])
def test_a_plugins_tables_take_its_own_steps(
    tmp_path: Path, empty_database_url: str, before: str
) -> None:
    words = 'Column("words", Text, nullable=False, server_default="")'
    first = ("0001_first.py",) if before == "steps" else ()
    old = registered(desk(tmp_path / "old of it", "", *first), EventRegistry(), ()).schemas
    migrations.migrate(empty_database_url, old)
    engine = make_engine(empty_database_url, writer=True)
    with engine.connect() as conn, conn.begin():
        conn.execute(text("INSERT INTO desk_notes (id) VALUES (7)"))
    new = registered(desk(tmp_path / "new", words, *STEPS), EventRegistry(), ()).schemas
    assert migrations.migrate(empty_database_url, new) == ["desk:0002"]
    assert migrations.migrate(empty_database_url, new) == []
    with engine.connect() as conn:
        assert conn.execute(text("SELECT id, words FROM desk_notes")).all() == [(7, "")]
    engine.dispose()
