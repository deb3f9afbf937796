"""Timelines: what was said in all dialogs of a client's people, page by page."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert

from crm_store import person_timeline
from crm_store.person_objects import PREVIEW
from crm_store.tables.dialogs import dialogs, messages
from crm_store.tables.people import clients, contacts
from crm_store.viewer import Reader, Viewer
from hub.ids import AccountId, ClientId
from hub.records.people import TimelineEntry
from tests.houses import House, house

DIALOGS, EACH = 23, 3


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url) as opened:
        yield opened


def _fill(home: House) -> None:
    """Write dialogs of two people, in which was spoken by turns."""
    with home.runtime.database.administer() as conn:
        conn.execute(insert(clients), {"id": 1, "name": "Harbour"})
        conn.execute(insert(contacts), [{"id": n, "client_id": 1} for n in (1, 2)])
        numbers = range(1, DIALOGS + 1)
        talks = [
            {
                "id": n,
                "account_id": n % 2 + 1,
                "contact_id": n % 2 + 1,
                "slot": str(n),
                "channel": "email",
                "last_at": n + DIALOGS * EACH,
            }
            for n in numbers
        ]
        conn.execute(insert(dialogs), talks)
        said = [
            {
                "id": n * 100 + turn,
                "dialog_id": n,
                "account_id": n % 2 + 1,
                "direction": "in",
                "at": n + DIALOGS * turn,
                "text": "x" * (PREVIEW + 1),
            }
            for n in numbers
            for turn in range(EACH)
        ]
        conn.execute(insert(messages), said)


def _pages(reader: Reader) -> Iterator[TimelineEntry]:
    subject, key = person_timeline.of_client(reader, ClientId(1)), ""
    while True:
        found, key = person_timeline.timeline(reader, subject, before=key, limit=7)
        yield from found
        if not key:
            return


async def test_pages_give_all_that_was_said_once_the_newest_first(home: House) -> None:
    _fill(home)
    found = await home.user.read(lambda reader: list(_pages(reader)))
    assert [one.at for one in found] == list(reversed(range(1, DIALOGS * EACH + 1)))
    assert {len(one.text) for one in found} == {PREVIEW}


async def test_what_was_said_where_one_may_not_look_is_left_out(home: House) -> None:
    _fill(home)
    rights = frozenset({"contacts.view", "dialogs.view"})
    viewer = Viewer(permissions=rights, hidden_accounts=frozenset({AccountId(2)}))
    with home.runtime.database.connect() as conn:
        reader = Reader(conn=conn, viewer=viewer, now=home.runtime.now())
        found = list(_pages(reader))
    assert {one.dialog_id % 2 for one in found} == {0}
    assert len(found) == DIALOGS // 2 * EACH
