"""Several processes on PostgreSQL take the same messages in at once."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import exists, func, select

from crm_store.database import make_engine
from crm_store.tables.dialogs import arrivals, dialogs, messages
from crm_store.tables.journal import journal
from crm_store.tables.people import addresses, contacts
from tests.houses import house

ROOT = Path(__file__).parent.parent.parent
PROCESSES = 3


async def crowd(folder: Path, url: str, kind: str, people: int, copies: int) -> dict[str, int]:
    """Let the processes loose together; gives how many rows there are then."""
    children = []
    async with house(folder / "first", url):
        pass
    for n in range(PROCESSES):
        children.append(  # noqa: PERF401 - each child must be known if a later one fails
            subprocess.Popen(
                [
                    sys.executable, "-m", "tests.scenarios.crowd_child", str(folder / f"p{n}"),
                    url, kind, str(people), str(copies), str(n),
                ],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )  # fmt: skip
    try:
        for child in children:
            assert child.stdout is not None
            line = await asyncio.to_thread(child.stdout.readline)
            assert line == "ready\n", child.stderr.read() if child.stderr else ""
        for child in children:
            assert child.stdin is not None
            child.stdin.write("go\n")
            child.stdin.flush()
        for child in children:
            said, errors = await asyncio.to_thread(child.communicate, timeout=900)
            assert child.returncode == 0, errors[-3000:]
            assert json.loads(said) == {"200": people * copies}, "a provider was refused"
    finally:
        for child in children:
            if child.poll() is None:
                child.kill()
                child.wait()
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
