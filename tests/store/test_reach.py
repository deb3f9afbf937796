"""Whom a segment reaches is what a claim will say of each of its people, whatever is known of him."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from crm_store import segments
from crm_store.many_places import first_addresses
from crm_store.refusals import refusals
from crm_store.segment_reach import Route, reaches
from crm_store.tables.consents import consents, suppressions
from crm_store.tables.people import addresses
from crm_store.viewer import Reader
from hub import (
    Address,
    CreateContact,
    GiveConsent,
    PeerChange,
    PeerEvent,
    Segment,
    UpdateContact,
)
from tests.houses import house

EVERYBODY = Segment(id=0, name="", static=False)
WORDS = {
    "agreed": (("", "", "given", 1),),
    "refused": (("", "", "given", 1), ("email", "news", "withdrawn", 2)),
    "returned": (("", "", "withdrawn", 1), ("email", "", "given", 2)),
    "at once": (("", "", "given", 3), ("email", "", "withdrawn", 3)),
    "elsewhere": (("phone", "", "given", 1),),
    "otherwise": (("", "", "given", 1), ("", "sales", "withdrawn", 2)),
    "silent": (),
}
SHUT_OUT = ("agreed", "returned")
"""Who of them has no second address that takes something."""
BAD = {
    "hard": ("bounced_hard", 1),
    "soft": ("bounced_soft", 1),
    "soft often": ("bounced_soft", 9),
    "by hand": ("by_hand", 1),
}


@pytest.mark.parametrize("large", [False, True])
async def test_each_is_reached_or_kept_back_as_a_claim_says(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    async with house(tmp_path, database_url) as home:
        mail = [(f"{said}, {bad}", said, bad) for said in WORDS for bad in ("", *BAD, "blocked")]
        made = await home.user.do(
            *(
                CreateContact(
                    name=name,
                    addresses=tuple(
                        Address(kind=kind, value=value)
                        for kind, value in (
                            ("email", f"one{n}@example.com"),
                            ("email", f"two{n}@example.com"),
                            ("phone", f"+7900555{n:04}"),
                        )
                    ),
                )
                for n, (name, _, _) in enumerate(mail)
            ),
            CreateContact(name="Without"),
        )
        with home.runtime.database.administer() as conn:
            rows = conn.execute(select(addresses).order_by(addresses.c.id.desc())).all()
            # The first of two addresses is the last that is put here.
            first = {row.contact_id: row.id for row in rows if row.kind == "email"}
            second = {row.contact_id: row.id for row in rows[::-1] if row.kind == "email"}
            phones = {row.contact_id: row.id for row in rows if row.kind == "phone"}
            for person, (_, said, bad) in zip(made, mail, strict=False):
                for channel, topic, state, at in WORDS[said]:
                    conn.execute(
                        insert(consents).values(
                            contact_id=person, channel=channel, topic=topic, state=state, at=at
                        )
                    )
                if bad == "blocked":
                    where = addresses.c.id == first[person]
                    conn.execute(update(addresses).where(where).values(blocked="by_us"))
                elif bad:
                    reason, count = BAD[bad]
                    both = [first[person], second[person]] if said in SHUT_OUT else [first[person]]
                    conn.execute(
                        insert(suppressions),
                        [{"address_id": one, "reason": reason, "count": count} for one in both],
                    )
        if large:
            monkeypatch.setattr(segments, "AT_ONCE", 3)
            for module in ("segments", "segment_reach"):
                monkeypatch.setattr(f"crm_store.{module}.PART", 1)
        quiet = made[3]
        await home.user.do(UpdateContact(contact_id=quiet, values={"do_not_disturb": True}))
        routes = [Route("email"), Route("phone"), Route("pigeon")]

        def called(reader: Reader) -> set[int]:
            kept = refusals(
                reader.conn, sorted(phones.items()), channel="phone", topic="news", account_id=0
            )
            return {person for person, _ in kept}

        def ask(reader: Reader) -> None:
            people = segments.audience(reader, EVERYBODY, channel="email", limit=2_000)
            chosen = {one.contact_id: one.address_id for one in people if one.address_id}
            # Who has another address is not held to one that takes nothing.
            assert any(chosen[one] != first[one] for one in first)
            told = refusals(
                reader.conn, sorted(chosen.items()), channel="email", topic="news", account_id=0
            )
            assert told[quiet, chosen[quiet]] == "do_not_disturb"
            expected: dict[str, int] = {"no_address": 1}
            for reason in told.values():
                expected[reason] = expected.get(reason, 0) + 1
            is_large = segments.is_large(reader)
            assert is_large == large
            found = reaches(reader, EVERYBODY, routes=routes, topic="news", estimated=is_large)
            email, phone, pigeon = found.each
            assert found.estimated is email.estimated is large
            assert dict(email.kept_back) == expected
            assert email.reached == len(first) - len(told)
            assert email.total == found.total == len(made)
            # By phone goes whom no letter reaches, if he may be called.
            assert phone.reached == len(phones) - len(called(reader))
            left = {person for person, _ in told}
            assert found.in_order == (email.reached, len(left - called(reader)), 0)
            assert dict(pigeon.kept_back) == {"no_address": len(made)}
            service = reaches(reader, EVERYBODY, routes=routes, topic="", advertising=False)
            assert [one.reached for one in service.each] == [len(first), len(first), 0]

        await home.user.read(ask)


async def test_who_blocked_an_account_is_reached_by_another_of_his_names(
    tmp_path: Path, database_url: str
) -> None:
    async with house(tmp_path, database_url) as home:
        names = tuple(Address(kind="pigeon", value=value) for value in ("anna1", "anna2"))
        (anna,) = await home.user.do(CreateContact(name="Anna", addresses=names))
        await home.user.do(GiveConsent(contact_id=anna, how="form"))
        account = await home.system.account(home.pigeon)
        ids = [one.id for one in (await home.user.contact(anna)).addresses]

        async def chosen(**way: Any) -> tuple[int, int, int]:
            people = await home.user.audience(EVERYBODY, channel="pigeon", **way)
            found = await home.user.reach(EVERYBODY, channel="pigeon", **way)
            first = await home.user.read(
                lambda r: first_addresses(r.conn, [anna], {home.pigeon: "pigeon"})
            )
            return people[0].address_id, found.reached, first[anna, home.pigeon]

        assert await chosen(account_id=home.pigeon) == (ids[0], 1, ids[0])
        blocks = PeerEvent(dedupe_key="b", sender=names[0], change=PeerChange.BLOCKED)
        await home.runtime.receive(account, [blocks])
        assert await chosen(account_id=home.pigeon) == (ids[1], 1, ids[1])
        # Over another account, the first one is as good as before.
        assert (await chosen(account_id=home.letter))[0] == ids[0]
        await home.runtime.receive(account, [replace(blocks, dedupe_key="c", sender=names[1])])
        assert await chosen(account_id=home.pigeon) == (ids[0], 0, ids[0])
