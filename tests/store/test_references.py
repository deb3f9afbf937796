"""Rows of plugins that name people go where the people go: merges, splits, and the way back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, UniqueConstraint, select

from crm_store.merge_reading import merge_preview
from crm_store.tables.journal import journal
from hub import (
    AddAddress,
    Address,
    CreateObject,
    EraseContact,
    LinkDialog,
    MergeContacts,
    Reference,
    SplitContact,
    UndoMerge,
    UndoSplit,
    hookimpl,
)
from hub.events import EventRegistry
from hub.plugin_host import PluginHost
from hub.registration import register
from plugins import contracts, csat
from plugins.csat.commands import KeepAsk, Rate
from plugins.csat.tables import asks
from tests.houses import House, house, letter, message


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    brought = [("csat", csat), ("contracts", contracts)]
    async with house(tmp_path, database_url, plugins=brought, migrate=True) as one:
        yield one


def rows(home: House, statement: Any) -> list[Any]:
    return list(home.runtime.database.read_now(lambda conn: conn.execute(statement).all()))


async def asked(home: House, given: Any, number: int) -> None:
    dialog = await home.system.dialog(given.dialog_id)
    ask = KeepAsk(
        ask_id=number,
        dialog_id=dialog.id,
        contact_id=dialog.contact_id,
        user_id=0,
        channel="pigeon",
        days=0,
    )
    await home.system.do(ask, Rate(ask_id=number, mark=5, comment="Good"))


def whose(home: House) -> dict[int, int]:
    return dict(map(tuple, rows(home, select(asks.c.id, asks.c.contact_id))))


async def test_marks_follow_a_merge_and_its_undoing(home: House) -> None:
    anna = (await home.receive(message("1", "anna")))[0]
    other = (await home.receive(message("2", "anna2")))[0]
    await asked(home, anna, 1)
    await asked(home, other, 2)
    one, two = anna.contact_id, other.contact_id
    merge = MergeContacts(survivor_id=one, merged_id=two)
    (merge_id,) = await home.user.do(merge)
    assert whose(home) == {1: one, 2: one}
    # What is asked of his dialog since goes back with it.
    await asked(home, other, 3)
    assert whose(home)[3] == one
    await home.user.do(UndoMerge(merge_id=merge_id))
    assert whose(home) == {1: one, 2: two, 3: two}
    # People choose what a merge moves by what they know: rows of a plugin's own are not named there.
    seen = await home.user.read(merge_preview, "contact", one, two)
    assert "csat_asks" not in seen.moves


async def test_a_split_takes_plugins_rows_and_kinds_along_and_gives_them_back(home: House) -> None:
    anna = (await home.receive(message("1", "anna")))[0]
    post = Address(kind="email", value="boss@example.com", name="Boss")
    (mail,) = await home.user.do(AddAddress(contact_id=anna.contact_id, address=post))
    given = (await home.receive(letter("2", "boss@example.com"), letter=True))[0]
    await asked(home, anna, 1)
    await asked(home, given, 2)
    table = home.runtime.nouns[contracts.NAME].table
    named = {"contact_id": anna.contact_id}
    mine, theirs = [
        (await home.user.do(CreateObject(kind=contracts.NAME, values={"number": n, **named})))[0]
        for n in "12"
    ]
    about = LinkDialog(dialog_id=given.dialog_id, kind=contracts.NAME, object_id=theirs)
    await home.user.do(about)
    (boss,) = await home.user.do(SplitContact(address_id=mail))
    assert whose(home) == {1: anna.contact_id, 2: boss}
    signed = select(table.c["id", "contact_id"])
    assert dict(map(tuple, rows(home, signed))) == {mine: anna.contact_id, theirs: boss}
    await home.user.do(UndoSplit(contact_id=boss))
    assert set(whose(home).values()) == {anna.contact_id}
    assert {one.contact_id for one in rows(home, signed)} == {anna.contact_id}


async def test_who_is_erased_is_forgotten_by_every_number_that_he_had(home: House) -> None:
    anna = (await home.receive(message("1", "anna")))[0]
    other = (await home.receive(message("2", "anna2")))[0]
    await home.user.do(MergeContacts(survivor_id=anna.contact_id, merged_id=other.contact_id))
    await home.user.do(EraseContact(contact_id=other.contact_id))
    told = select(journal.c.subject_id).where(journal.c.type == "contact.erased")
    assert {one[0] for one in rows(home, told)} == {anna.contact_id, other.contact_id}


def plugin(*columns: Any, table: str = "logs_lines") -> ModuleType:
    module = ModuleType("logs")

    @hookimpl
    def register_tables(metadata: MetaData) -> None:
        Table("logs_lines", metadata, *columns)

    @hookimpl
    def register_references() -> list[Reference]:
        return [Reference(table=table)]

    module.register_tables = register_tables  # type: ignore[attr-defined]
    module.register_references = register_references  # type: ignore[attr-defined]
    return module


def key() -> Column[int]:
    return Column("id", Integer, primary_key=True)


def person() -> Column[int]:
    return Column("contact_id", Integer, nullable=False)


@pytest.mark.parametrize(
    ("module", "why"),
    [
        (plugin(key(), person()), ""),
        (plugin(key(), person(), table="logs_others"), "none of its tables"),
        (plugin(key(), Column("who", Integer)), "names nobody"),
        (plugin(Column("id", String(9)), person(), Column("n", Integer, primary_key=True)), "key"),
        (plugin(key(), person(), UniqueConstraint("contact_id")), "person once"),
    ],
)
def test_a_table_that_cannot_follow_is_refused_at_the_start(module: ModuleType, why: str) -> None:
    host = PluginHost()
    host.add("logs", module)
    found = register(host, EventRegistry(), ())
    error = host.plugins["logs"].error
    assert (why in error) if why else not error, error
    assert set(found.references) == (set() if why else {"logs_lines"})
