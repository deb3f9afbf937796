"""Several processes on PostgreSQL take the same messages in at once."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest
from sqlalchemy import exists, func, select

from crm_store.engine import make_engine
from crm_store.tables.dialogs import arrivals, dialogs, messages
from crm_store.tables.journal import journal
from crm_store.tables.people import addresses, contacts
from tests.houses import house
from tests.warm import WarmProcess

PROCESSES = 3


async def crowd(folder: Path, url: str, kind: str, people: int, copies: int) -> dict[str, int]:
    """Let the processes loose together; gives how many rows there are then."""
    children = []
    async with house(folder / "first", url):
        pass
    hold = folder / "hold"
    hold.touch()
    try:
        for n in range(PROCESSES):
            arguments = (
                str(folder / f"p{n}"),
                url,
                kind,
                str(people),
                str(copies),
                str(n),
                str(hold),
            )
            children.append(
                WarmProcess(
                    "tests.scenarios.crowd_child",
                    *arguments,
                    env=os.environ,
                    output=folder / f"said-{n}",
                    errors=folder / f"errors-{n}",
                )
            )
        for child in children:
            await asyncio.to_thread(child.wait_until_said, "ready", 60)
        hold.unlink()
        for n, child in enumerate(children):
            code = await asyncio.to_thread(child.wait, 900)
            assert code == 0, (folder / f"errors-{n}").read_text()[-3000:]
            answers = json.loads(child.said().splitlines()[-1])
            assert answers == {"200": people * copies}, "a provider was refused"
    finally:
        for child in children:
            child.kill()
    return counted(url)


def counted(url: str) -> dict[str, int]:
    """Count the rows and what is half, over a connection of its own."""
    engine = make_engine(url, writer=False)
    with engine.connect() as conn:
        found = {
            one.name: conn.execute(select(func.count()).select_from(one)).scalar_one()
            for one in (messages, dialogs, contacts, addresses, arrivals)
        }
        facts = conn.execute(select(journal.c.type, func.count()).group_by(journal.c.type))
        found |= {f"fact {row[0]}": row[1] for row in facts}
        said = select(func.count()).where(messages.c.dialog_id == dialogs.c.id).scalar_subquery()
        known = exists().where(addresses.c.contact_id == contacts.c.id)
        placed = exists().where(dialogs.c.id == messages.c.dialog_id)
        kept = exists().where(messages.c.id == arrivals.c.message_id)
        found["half"] = sum(
            conn.execute(select(func.count()).select_from(table).where(where)).scalar_one()
            for table, where in (
                (dialogs, (said == 0) | (dialogs.c.message_count != said)),
                (contacts, ~known),
                (messages, ~placed),
                (arrivals, ~kept),
            )
        )
    engine.dispose()
    return found


# The large ones are in every wording of the promise: fifty copies of a thousand webhooks, fifty
# first messages of two hundred people. Seventeen in each of three processes are fifty-one.
@pytest.mark.parametrize(
    ("people", "copies"),
    [(100, 10), pytest.param(1000, 17, marks=pytest.mark.soak)],
)
@pytest.mark.slow
async def test_copies_of_a_webhook_over_processes_are_one_message(
    tmp_path: Path, postgres_url: str, people: int, copies: int
) -> None:
    found = await crowd(tmp_path, postgres_url, "copies", people, copies)
    for name in ("messages", "dialogs", "contacts", "addresses", "arrivals"):
        assert found[name] == people, name
    for name in ("message.received", "dialog.opened", "contact.created"):
        assert found[f"fact {name}"] == people, name
    assert found["half"] == 0


@pytest.mark.parametrize(
    ("people", "copies"),
    [(40, 8), pytest.param(200, 17, marks=pytest.mark.soak)],
)
async def test_first_messages_of_new_people_over_processes_make_one_dialog_each(
    tmp_path: Path, postgres_url: str, people: int, copies: int
) -> None:
    found = await crowd(tmp_path, postgres_url, "people", people, copies)
    assert found["messages"] == found["fact message.received"] == people * copies * PROCESSES
    for name in ("dialogs", "contacts", "addresses"):
        assert found[name] == people, name
    for name in ("dialog.opened", "contact.created"):
        assert found[f"fact {name}"] == people, name
    assert found["half"] == 0
