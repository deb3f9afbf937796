"""The live stream as a browser hears it: numbered, resumed, for everybody only what he may see."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from crm_store.users import user as user_of
from hub import (
    AccountId,
    Address,
    ChangeObject,
    CreateAccount,
    CreateObject,
    DialogId,
    DialogQuery,
    InboundMessage,
    LinkDialog,
    Micros,
    SetDialogStatus,
    UpdateAccount,
    UpdateContact,
    UserId,
)
from hub.feed import Signal
from hub.web import live as live_module
from hub.web import live_telling as telling_module
from tests.scenarios.web.house import House
from tests.scenarios.web.pigeons import SETTINGS

PATIENCE = 20


class Listener:
    """One browser's ears."""

    def __init__(self, house: House, user_id: UserId, **query: str) -> None:
        self.house, self.user_id, self.query = house, user_id, query
        self.items: list[dict[str, Any]] = []
        self.last_id = ""
        self.connection = ""
        self._frames: AsyncIterator[bytes] | None = None

    async def start(self, last_id: str = "") -> Listener:
        hub = self.house.system.as_user(self.user_id)
        request = SimpleNamespace(
            state=SimpleNamespace(
                hub=hub,
                user=await self.house.system.read(user_of, self.user_id),
                language="en",
                session=f"session-{self.user_id}",
                client="198.51.100.7",
            ),
            query_params=self.query,
            headers={"last-event-id": last_id} if last_id else {},
        )
        self._frames = self.house.app.state.live.open(request)
        await self.hear(lambda item: item["k"] == "hello")
        return self

    async def hear(self, wanted: Any) -> dict[str, Any]:
        """Wait for an item."""
        assert self._frames is not None
        async with asyncio.timeout(PATIENCE):
            while True:
                found = next((one for one in self.items if wanted(one)), None)
                if found is not None:
                    self.items.remove(found)
                    return found
                text = (await anext(self._frames)).decode()
                for line in text.splitlines():
                    if line.startswith("id: "):
                        self.last_id = line[4:]
                    if line.startswith("data: "):
                        items = json.loads(line[6:])
                        self.items += items
                        for item in items:
                            self.connection = item.get("connection", self.connection)

    async def leave(self) -> None:
        assert self._frames is not None
        await self._frames.aclose()  # type: ignore[attr-defined]


@pytest.fixture
async def loft(hub: House) -> AccountId:
    """An account over which people write."""
    command = CreateAccount(channel="pigeon", title="Loft", settings=SETTINGS)
    return AccountId((await hub.system.do(command))[0])


async def write(hub: House, account_id: AccountId, number: int, who: str = "bird") -> DialogId:
    message = InboundMessage(
        dedupe_key=f"{who}{number}",
        external_id=f"{who}{number}",
        sender=Address(kind="pigeon", value=who, name=who.title()),
        text=f"coo {number}",
        sent_at=Micros(hub.system.now()),
    )
    await hub.runtime.receive(await hub.system.account(account_id), [message])
    query = DialogQuery(view="everything", address_kind="pigeon", address=who)
    return (await hub.system.dialogs(query)).dialogs[0].id


def is_row(dialog_id: DialogId) -> Any:
    return lambda item: item["k"] == "row" and item["id"] == str(dialog_id)


async def test_rows_and_numbers_arrive_by_themselves(hub: House, loft: AccountId) -> None:
    listener = await Listener(hub, await hub.user("agent")).start()
    dialog = await write(hub, loft, 1)
    row = await listener.hear(is_row(dialog))
    assert "coo 1" in row["html"]
    counters = await listener.hear(lambda item: item["k"] == "counters")
    assert counters["v"]["unassigned"] == 1
    assert listener.last_id.startswith(hub.runtime.epoch)
    await listener.leave()


async def test_words_reach_only_who_has_the_dialog_open(hub: House, loft: AccountId) -> None:
    dialog = await write(hub, loft, 1)
    reader = await Listener(hub, await hub.user("agent"), dialogs=str(dialog)).start()
    other = await Listener(hub, await hub.user("supervisor")).start()
    await write(hub, loft, 2)
    message = await reader.hear(lambda item: item["k"] == "msg")
    assert "coo 2" in message["html"]
    assert message["dialog"] == str(dialog)
    await other.hear(lambda item: item["k"] == "row" and "coo 2" in item["html"])
    assert not [item for item in other.items if item["k"] == "msg"]
    await reader.leave()
    await other.leave()


async def test_what_was_missed_comes_after_the_last_number(hub: House, loft: AccountId) -> None:
    agent = await hub.user("agent")
    listener = await Listener(hub, agent).start()
    await listener.hear(is_row(await write(hub, loft, 1)))
    await listener.leave()
    missed = await write(hub, loft, 1, "owl")
    again = await Listener(hub, agent).start(listener.last_id)
    assert "Owl" in (await again.hear(is_row(missed)))["html"]
    await again.leave()


async def test_what_happens_while_one_catches_up_does_not_pass_for_what_was_missed(
    hub: House, loft: AccountId, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = await hub.user("agent")
    listener = await Listener(hub, agent).start()
    await listener.hear(is_row(await write(hub, loft, 1)))
    missed = await write(hub, loft, 1, "owl")
    await listener.hear(is_row(missed))
    # The line is cut: this browser knows of the first bird only.
    position = f"{hub.runtime.epoch}-1"
    reading, may_go_on = asyncio.Event(), asyncio.Event()
    load = telling_module.load_changed

    async def slow(*given: Any) -> Any:
        if not reading.is_set():
            reading.set()
            await may_go_on.wait()
        return await load(*given)

    monkeypatch.setattr(telling_module, "load_changed", slow)
    again = Listener(hub, agent)
    await again.start(position)
    hearing = asyncio.create_task(again.hear(is_row(missed)))
    await asyncio.wait_for(reading.wait(), PATIENCE)
    newer = await write(hub, loft, 1, "raven")
    await listener.hear(is_row(newer))
    may_go_on.set()
    await hearing
    await again.hear(is_row(newer))
    await listener.leave()
    await again.leave()


async def test_open_pages_hear_of_a_full_disk_and_of_its_end(
    hub: House, loft: AccountId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_module, "HEARTBEAT_SECONDS", 0.05)
    browser = await hub.logged_in()
    listener = await Listener(hub, await hub.user("agent")).start()
    for is_full in (True, False):
        monkeypatch.setattr(hub.runtime, "lacks_room", lambda full=is_full: full)
        await listener.hear(lambda item: item["k"] == "banners")
        assert ("no-room" in (await browser.get("/inbox/banners")).text) == is_full
    await listener.leave()


async def test_a_line_cut_before_it_told_anything_moves_nobody_on(
    hub: House, loft: AccountId
) -> None:
    agent = await hub.user("agent")
    listener = await Listener(hub, agent).start()
    await listener.hear(is_row(await write(hub, loft, 1)))
    await listener.leave()
    await write(hub, loft, 1, "owl")
    again = await Listener(hub, agent).start(listener.last_id)
    assert again.last_id == listener.last_id
    await again.leave()


@pytest.mark.parametrize("position", ["other-5", "nonsense", "-1"])
async def test_a_position_nobody_knows_is_answered_by_resync(
    hub: House, loft: AccountId, position: str
) -> None:
    await write(hub, loft, 1)
    listener = await Listener(hub, await hub.user("agent")).start(position)
    await listener.hear(lambda item: item["k"] == "resync")
    await listener.leave()


async def test_a_gap_that_is_too_large_is_answered_by_resync(
    hub: House, loft: AccountId, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = await hub.user("agent")
    listener = await Listener(hub, agent).start()
    await listener.hear(is_row(await write(hub, loft, 1)))
    await listener.leave()
    monkeypatch.setattr("hub.web.live.MAX_GAP", 2)
    for number in range(3):
        await write(hub, loft, number, f"bird{number}")
    again = await Listener(hub, agent).start(listener.last_id)
    await again.hear(lambda item: item["k"] == "resync")
    await again.leave()


async def test_what_happened_while_a_dialog_was_drawn_is_read_again(
    hub: House, loft: AccountId
) -> None:
    """Between the reading of a page and the watching of its dialog nobody was told anything."""
    dialog = await write(hub, loft, 1)
    agent = await hub.user("agent")
    listener = await Listener(hub, agent).start()
    live = hub.app.state.live
    drawn_at = f"{hub.runtime.epoch}-{hub.runtime.feed.last}"
    assert live.watch(listener.connection, agent, {int(dialog): drawn_at})
    await write(hub, loft, 2)
    await listener.hear(lambda item: item["k"] == "msg")
    assert not [item for item in listener.items if item["k"] == "whole"]
    # The same, watched too late.
    other = await Listener(hub, agent).start()
    assert live.watch(other.connection, agent, {int(dialog): drawn_at})
    assert (await other.hear(lambda item: item["k"] == "whole"))["id"] == str(dialog)
    await listener.leave()
    await other.leave()


async def test_nobody_watches_with_the_connection_of_another(hub: House, loft: AccountId) -> None:
    listener = await Listener(hub, await hub.user("agent")).start()
    stranger = await hub.user("supervisor")
    assert not hub.app.state.live.watch(listener.connection, stranger, {1: ""})
    await listener.leave()


async def test_dialogs_of_a_closed_account_are_not_told_from_that_moment_on(
    hub: House, loft: AccountId
) -> None:
    agent = await hub.user("agent")
    other = await hub.user("supervisor")
    dialog = await write(hub, loft, 1)
    (task,) = await hub.system.do(CreateObject(kind="task", values={"title": "Answer"}))
    await hub.system.do(LinkDialog(kind="task", object_id=int(task), dialog_id=dialog))
    outsider = await Listener(hub, agent, dialogs=str(dialog)).start()
    await hub.system.do(UpdateAccount(account_id=loft, members=(other,)))
    await outsider.hear(lambda item: item["k"] == "banners")
    # What was told while he might see it was told.
    before = len(outsider.items)
    await write(hub, loft, 2)
    later = ChangeObject(kind="task", object_id=int(task), values={"title": "Answer today"})
    await hub.system.do(later)
    hub.runtime.feed.signal(
        Signal(kind="typing", dialog_id=dialog, user_id=other, value="Supervisor")
    )
    open_loft = AccountId(
        (await hub.system.do(CreateAccount(channel="pigeon", title="Two", settings=SETTINGS)))[0]
    )
    shown = await write(hub, open_loft, 1, "gull")
    await outsider.hear(is_row(shown))
    told = json.dumps(outsider.items[before:])
    assert str(dialog) not in told
    assert "coo 2" not in told
    assert str(task) not in told
    await outsider.leave()


async def test_who_types_is_told_to_the_others_not_to_himself(hub: House, loft: AccountId) -> None:
    dialog = await write(hub, loft, 1)
    agent, other = await hub.user("agent"), await hub.user("supervisor")
    himself, colleague = await Listener(hub, agent).start(), await Listener(hub, other).start()
    hub.runtime.feed.signal(Signal(kind="typing", dialog_id=dialog, user_id=agent, value="Agent"))
    signal = await colleague.hear(lambda item: item["k"] == "signal")
    assert (signal["dialog"], signal["name"]) == (str(dialog), "Agent")
    await write(hub, loft, 2)
    await himself.hear(is_row(dialog))
    assert not [item for item in himself.items if item["k"] == "signal"]
    await himself.leave()
    await colleague.leave()


async def test_a_person_who_is_renamed_and_a_line_of_history_are_told(
    hub: House, loft: AccountId
) -> None:
    dialog = await write(hub, loft, 1)
    listener = await Listener(hub, await hub.user("agent"), dialogs=str(dialog)).start()
    contact = (await hub.system.dialog(dialog)).contact_id
    await hub.system.do(UpdateContact(contact_id=contact, name="Jonathan"))
    assert (await listener.hear(lambda item: item["k"] == "contact"))["id"] == str(contact)
    await hub.system.do(SetDialogStatus(dialog_id=dialog, status="closed"))
    assert (await listener.hear(lambda item: item["k"] == "head"))["id"] == str(dialog)
    await listener.leave()


async def test_silence_is_broken_so_that_a_dead_line_is_noticed(
    hub: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.web.live.HEARTBEAT_SECONDS", 0.2)
    listener = await Listener(hub, await hub.user("agent")).start()
    frames = listener._frames
    assert frames is not None
    async with asyncio.timeout(PATIENCE):
        assert await anext(frames) == b"data: []\n\n"
        assert await anext(frames) == b"data: []\n\n"
    await listener.leave()
    assert hub.app.state.live.connections == 0
