"""Timelines: what was said in all dialogs of a client's people, page by page."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert

from crm_store import journey, person_timeline
from crm_store.person_objects import PREVIEW
from crm_store.pipelines import all_pipelines
from crm_store.tables.dialogs import dialogs, messages
from crm_store.tables.people import clients, contacts
from crm_store.viewer import Reader, Viewer
from hub import CreateClient, CreateObject, MoveInterest, WinInterest
from hub.ids import AccountId, ClientId, InterestId
from hub.records.people import JourneyStep, TimelineEntry
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


async def test_moves_of_an_interest_are_entries_and_stops_up_to_the_money(home: House) -> None:
    client = ClientId((await home.user.do(CreateClient(name="Harbour")))[0])
    [pipeline, *_] = await home.user.read(all_pipelines)
    first, second = pipeline.stages[:2]
    values = {"title": "Ten boats", "client_id": str(client), "amount": "1500"}
    made = InterestId((await home.user.do(CreateObject(kind="interest", values=values)))[0])
    home.world.offset_us += 1_000_000
    await home.user.do(MoveInterest(interest_id=made, stage_id=second.id))
    home.world.offset_us += 1_000_000
    await home.user.do(WinInterest(interest_id=made))

    def read(reader: Reader) -> tuple[list[TimelineEntry], list[JourneyStep]]:
        subject = person_timeline.of_client(reader, client)
        entries, _ = person_timeline.timeline(reader, subject, kinds=("move",))
        return entries, journey.journey(reader, client)

    entries, steps = await home.user.read(read)
    assert {(one.kind, one.ref_kind, one.ref_id, one.title) for one in entries} == {
        ("move", "interest", made, "Ten boats")
    }
    told = [(one.data["field"], one.data["before"], one.data["after"]) for one in entries]
    assert ("status", "in_work", "won") in told
    assert told.index(("status", "in_work", "won")) < told.index(
        ("stage_id", str(first.id), str(second.id))
    )
    reached = [one for one in steps if one.kind in ("interest", "stage", "won")]
    assert [(one.kind, one.word) for one in reached] == [
        ("interest", "Ten boats"),
        ("stage", second.name),
        ("won", "Ten boats"),
    ]
    assert {one.ref_id for one in reached} == {made}
    assert (reached[-1].amount, reached[-1].currency) == (150_000, "RUB")
