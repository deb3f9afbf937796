"""Every setting of a mailing changes what leaves, to whom or when: none is shown and does nothing."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

import plugins.mailings
from crm_store.tables.many import many_contents, many_sends
from crm_store.tables.outbox import deliveries
from crm_store.tables.people import contacts
from hub import (
    AddAddress,
    Address,
    Attachment,
    Conflict,
    CreateAccount,
    CreateContact,
    FillSegment,
    GiveConsent,
    SaveSegment,
)
from plugins.mailings import sending
from plugins.mailings.audience import sends_of
from plugins.mailings.checking import findings
from plugins.mailings.commands import SteerMailing
from plugins.mailings.doing import mailing_of, send
from plugins.mailings.files import keep
from plugins.mailings.plans import Plan
from plugins.mailings.tables import runs
from tests import parrots
from tests.houses import US, World, plugin_of
from tests.scenarios.web.house import House, open_house
from tests.scenarios.web.test_mailings import TEXT, _draft, _own, _ready

HOUR = 3_600 * US
PEOPLE = 48
TWO = [{"subject": "A", "text": TEXT}, {"subject": "B", "text": TEXT + "\n\nB"}]
ONE_MORE = [{"days": 2, "subject": "Later", "text": "More"}]
AD = {"ad_kind": "own", "advertiser": "Sail", "inn": "7701", "erid": "X1"}
DAILY = {"repeat": "day"}
BY_CHANCE = {"share", "winner_hours", "hold_out"}
"""Whom these choose differs from mailing to mailing: only whether most are meant is compared."""
# Each setting with the plan it changes and what it becomes there. What pauses a mailing by its
# failures has a test of its own (test_mailings.py), for nothing fails here.
SETTINGS: dict[str, tuple[dict[str, Any], Any]] = {
    "segment_id": ({}, "$few"),
    "without": ({}, ["$few"]),
    "accounts": ({}, ["$parrot"]),
    "topic": ({}, "sales"),
    "advertising": ({}, False),
    "variants": ({}, TWO[1:]),
    "share": ({"variants": TWO, "share": 20}, 96),
    "winner_hours": ({"variants": TWO, "share": 20}, 12),
    "hold_out": ({}, 90),
    "at": ({}, "2099-01-01T09:00"),
    "local": ({"at": "2099-01-01T09:00"}, True),
    "quiet_from": ({"quiet_until": "08:00"}, "21:00"),
    "quiet_until": ({"quiet_from": "21:00", "quiet_until": "08:00"}, "09:00"),
    "cap_count": ({}, 3),
    "cap_days": ({"cap_count": 3}, 30),
    "per_minute": ({}, 10),
    "minutes": ({"per_minute": 10}, 8),
    "domain_per_minute": ({}, 10),
    "domain_minutes": ({"domain_per_minute": 10}, 60),
    "utm": ({}, "utm_source=mail"),
    "tracks_clicks": ({}, False),
    "tracks_opens": ({}, True),
    "sender_name": ({}, "Vera of Sails"),
    "fall_back_minutes": ({"accounts": ["$account", "$parrot"]}, 60),
    "template": ({"accounts": ["$parrot"]}, "order"),
    "template_language": ({"accounts": ["$parrot"], "template": "order"}, "de"),
    "template_values": ({"accounts": ["$parrot"], "template": "order"}, "1={{ contact.first_name }}"),
    "audience": ({}, "frozen"),
    "repeat": ({}, "day"),
    "repeat_every": (DAILY, 3),
    "repeat_until": (DAILY, "2000-01-01T00:00"),
    "steps": ({}, ONE_MORE),
    "stop_answered": ({"steps": ONE_MORE}, False),
    "files": ({"accounts": ["$parrot"]}, ["$file"]),
    "ad_kind": (AD, ""),
    "advertiser": (AD, "Boats"),
    "inn": (AD, "7702"),
    "erid": (AD, "X2"),
}  # fmt: skip


async def nobody_carries(_: object) -> None:
    await asyncio.Event().wait()


@pytest.fixture
async def house(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[House, World]]:
    world = World()
    # The test says when the mailings are looked at, and reads the outbox before anybody carries it:
    # that each of its rules is obeyed on the way has tests of its own (tests/store/test_many*.py).
    monkeypatch.delattr(plugins.mailings, "register_jobs")
    monkeypatch.setattr("hub.dispatcher.Dispatcher.run", nobody_carries)
    parts = (
        ("pigeons", plugin_of(world)),
        ("parrots", parrots.plugin_of(parrots.Perch())),
        ("mailings", plugins.mailings),
    )
    async with open_house(tmp_path, database_url, *parts) as one:
        one.runtime.now = world.now
        one.runtime.database.set_clock(world.now)
        yield one, world


async def outcome(
    house: House, world: World, plan: dict[str, Any], known: dict[str, int], *, rough: bool
) -> Any:
    """Send a mailing, let five hours pass, and give everything that it did or will do."""
    hub = _own(house)

    def real(value: Any) -> Any:
        if isinstance(value, list):
            return [real(one) for one in value]
        return str(known[value[1:]]) if isinstance(value, str) and value[:1] == "$" else value

    number = await _draft(
        house, known["segment"], known["account"], **{k: real(v) for k, v in plan.items()}
    )
    began = hub.now()
    draft = await mailing_of(hub, str(number))
    assert not [one for one in await findings(hub, draft) if one.level == "bad"], plan
    await send(hub, draft)
    # Somebody comes once it is on its way.
    late = Address(kind="email", value=f"late{number}@example.org")
    (made,) = await house.system.do(CreateContact(name="Late", addresses=(late,)))
    await house.system.do(GiveConsent(contact_id=made, how="form"))
    await sending.tick(hub, {})
    if "share" in plan:
        # Nobody carries letters here: those of the test leave now, and the better one is due.
        with house.runtime.database.administer() as conn:
            due = (deliveries.c.status == "queued", deliveries.c.due_at <= hub.now())
            conn.execute(update(deliveries).where(*due).values(status="sent", sent_at=hub.now()))
    world.offset_us += 5 * HOUR
    await sending.tick(hub, {})
    mailing = await mailing_of(hub, str(number))
    ids = await sends_of(hub, mailing)

    def read(conn: Any) -> Any:
        sends = [
            [value for name, value in row._mapping.items() if name not in APART]
            for row in conn.execute(
                select(many_sends).where(many_sends.c.id.in_(ids)).order_by(many_sends.c.id)
            )
        ]
        words = conn.execute(
            select(many_contents)
            .where(many_contents.c.send_id.in_(ids))
            .order_by(many_contents.c.id)
        ).all()
        place = {row.id: n for n, row in enumerate(words)}
        people = [
            (row.name, row.account_id, place[row.content_id],
             (row.due_at - began) // HOUR)
            for row in conn.execute(
                select(deliveries, contacts.c.name)
                .join(contacts, contacts.c.id == deliveries.c.contact_id)
                # Who came late to an earlier mailing is no matter of this one.
                .where(
                    deliveries.c.send_id.in_(ids),
                    (contacts.c.name != "Late") | (contacts.c.id == made),
                )
                .order_by(deliveries.c.send_id, deliveries.c.contact_id)
            )
        ]  # fmt: skip
        if rough:
            hours = Counter((account, hour) for _, account, _, hour in people)
            people = sorted(one for one, n in hours.items() if n > PEOPLE // 2)
        said = [[v for n, v in row._mapping.items() if n not in APART] for row in words]
        steps = conn.execute(
            select(runs.c.step, runs.c.days)
            .where(runs.c.mailing_id == number)
            .order_by(runs.c.send_id)
        ).all()
        return sends, said, people, [tuple(one) for one in steps]

    left = await house.runtime.database.read(read)
    if mailing.state in ("scheduled", "filling", "sending"):
        # Or each turn would look after all the mailings before it, too; some have finished.
        with suppress(Conflict):
            await hub.do(SteerMailing(mailing_id=number, state="cancelled"))
    # A wall clock stays where it is, everything else is counted from the start.
    waits = (mailing.due_at - (0 if "at" in plan else began)) // HOUR
    return left, mailing.state, mailing.occurrence, waits, mailing.held_out > PEOPLE // 2


APART = {"id", "mailing_id", "send_id", "created_at", "user_id", "state", "occurrence"}


@pytest.mark.slow
async def test_every_setting_changes_the_outcome(house: tuple[House, World]) -> None:
    assert set(SETTINGS) == {one.name for one in fields(Plan)} - {"fail_percent"}
    home, world = house
    segment, account = await _ready(home, PEOPLE)
    hub = home.system
    (parrot,) = await hub.do(CreateAccount(channel="parrot", title="Parrots"))
    # Its windows are another test's: with all of them closed nothing may be sent without a template.
    kinds = home.runtime.database.channels
    kinds["parrot"] = replace(kinds["parrot"], reply_window=None)
    everybody = next(one for one in await hub.segments() if one.id == segment)
    people = [one.contact_id for one in await hub.audience(everybody, channel="email")]
    await hub.do(
        *(
            AddAddress(contact_id=one, address=Address(kind="parrot", value=f"bird{n}"))
            for n, one in enumerate(people)
        )
    )
    (few,) = await hub.do(SaveSegment(name="Few", static=True))
    await hub.do(FillSegment(segment_id=few, add=tuple(people[:4])))
    file = Attachment(name="a.pdf", media_type="application/pdf", content=b"%PDF", size=4)
    (kept,) = await keep(_own(home), (file,))
    known = {
        "segment": segment, "account": account, "parrot": parrot, "few": few, "file": int(kept)
    }  # fmt: skip
    plain: dict[str, Any] = {}
    for name, (base, value) in SETTINGS.items():
        rough = name in BY_CHANCE
        key = f"{base} {rough}"
        if key not in plain:
            plain[key] = await outcome(home, world, base, known, rough=rough)
            # The same plan does the same: what differs below is the setting's doing.
            assert await outcome(home, world, base, known, rough=rough) == plain[key], base
        changed = await outcome(home, world, {**base, name: value}, known, rough=rough)
        assert changed != plain[key], name
