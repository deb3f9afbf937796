"""What left by a way that was given up leads, shows and counts as what it was."""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import select

from crm_store import many, many_results
from crm_store.tables.many import many_touches
from hub import (
    Address,
    CreateAccount,
    CreateContact,
    ExpireLeases,
    GiveConsent,
    ManyContent,
    ManyRecipient,
    PlanMany,
    SendMany,
    UpdateAccount,
)
from hub.many_rendering import CLICK, LEAVE, OPEN
from tests.houses import US, World, plugin_of, until
from tests.scenarios.web.house import ADDRESS, open_house

MINUTE = 60 * US
PERSON = {"user-agent": "Mozilla/5.0 (X11) Firefox/140.0"}
MESSAGE = "Come: https://short.example/ or {{ view_url }} {{ unsubscribe_url }}"
LETTER = (
    '<a href="https://first.example/">1</a> <a href="https://long.example/">2</a>'
    ' <a href="{{ unsubscribe_url }}">x</a>'
)


def links(words: str) -> list[str]:
    return [one.removeprefix(ADDRESS) for one in re.findall(rf"{ADDRESS}/c/[\w-]+", words)]


async def test_what_left_by_an_earlier_way_stays_what_it_was(
    tmp_path: Path, database_url: str
) -> None:
    world = World()
    async with open_house(tmp_path, database_url, ("pigeons", plugin_of(world))) as house:
        house.runtime.now = world.now
        house.runtime.database.set_clock(world.now)
        hub, browser = house.system, house.browser()
        pigeon, letter = await hub.do(
            CreateAccount(channel="pigeon", title="Pigeons"),
            CreateAccount(channel="letter", title="Letters"),
        )
        anna, boris = await hub.do(
            *(
                CreateContact(
                    name=name,
                    addresses=(
                        Address(kind="pigeon", value=name),
                        Address(kind="email", value=f"{name}@example.org"),
                    ),
                )
                for name in ("anna", "boris")
            )
        )
        await hub.do(*(GiveConsent(contact_id=one, how="form") for one in (anna, boris)))
        await hub.do(UpdateAccount(account_id=letter, paused=True))
        plan = PlanMany(
            mailing_id=7,
            topic="news",
            contents=(
                ManyContent(text=MESSAGE, account_id=pigeon),
                ManyContent(subject="News", text="News", html=LETTER, account_id=letter),
            ),
            routes=(pigeon, letter),
            fall_back_after=60,
        )
        ((send, ids),) = await hub.do(plan)
        recipients = [
            ManyRecipient(
                contact_id=one,
                address_id=(await hub.contact(one)).addresses[0].id,
                account_id=pigeon,
                content_id=ids[0],
            )
            for one in (anna, boris)
        ]
        await hub.do(SendMany(send_id=send, recipients=tuple(recipients)))

        async def ways(contact: int) -> list[tuple[int, str]]:
            found = await hub.read(many.ways_of, [send], [contact])
            return [(one.account_id, one.state) for one in found]

        async def all_sent() -> bool:
            return many.is_finished(await hub.read(many.counts, [send]))

        async def led(path: str, method: str = "GET") -> str:
            answer = await browser.request(method, path, headers=PERSON)
            return str(answer.headers.get("location", answer.status_code))

        await until(all_sent)
        first = {one.to.value: one for one in world.sent}
        world.offset_us += 61 * MINUTE
        await hub.do(ExpireLeases())
        assert await ways(anna) == await ways(boris) == [(pigeon, "passed"), (letter, "queued")]
        # Who follows a link before the next way has left is a person, and needs no other message.
        [short] = links(first["anna"].text)
        assert await led(short) == "https://short.example/"
        touched = select(many_touches.c.machine)
        assert await hub.read(lambda reader: reader.conn.execute(touched).scalars().all()) == [
            False
        ]
        assert await ways(anna) == [(pigeon, "sent")]
        await hub.do(UpdateAccount(account_id=letter, paused=False))
        await until(all_sent)
        assert await ways(boris) == [(pigeon, "passed"), (letter, "sent")]
        # Who has got both finds in each what stood there.
        world.offset_us += MINUTE
        [both] = [one for one in world.sent if one.html]
        assert both.to.value == "boris@example.org"
        [short] = links(first["boris"].text)
        assert await led(short) == "https://short.example/"
        assert await led(links(both.html)[1]) == "https://long.example/"
        view = re.findall(rf"{ADDRESS}(/u/\S+/letter)", first["boris"].text)[0]
        leave = both.unsubscribe_url.removeprefix(ADDRESS)
        assert "Come:" in (await browser.get(view)).text
        assert "long.example" not in (await browser.get(view)).text
        assert links((await browser.get(f"{leave}/letter")).text) == links(both.html)
        assert "…oris" in (await browser.get(view.removesuffix("/letter"))).text
        assert "bo…@example.org" in (await browser.get(leave)).text
        # Its clicks are those of its own link.
        tallies = await hub.read(many_results.links_of, [send])
        assert {one.url: one.people for one in tallies} == {
            "https://short.example/": 2,
            "https://long.example/": 1,
            "https://first.example/": 0,
        }

        async def behind(url: str) -> list[int]:
            return await hub.read(
                lambda reader: many_results.behind(reader, [send], "clicked", link=url)
            )

        assert await behind("https://short.example/") == [anna, boris]
        assert await behind("https://long.example/") == [boris]
        assert await behind("https://first.example/") == []
        # A picture tells of the way its letter left by, one of before of the letter.
        pictures = select(many_touches.c.account_id).where(many_touches.c.n == 0)
        for token in (f"{both.id}.2", str(both.id)):
            await browser.get(f"/o/{house.runtime.keys.sign(OPEN, token)}", headers=PERSON)
            told = await hub.read(lambda reader: reader.conn.execute(pictures).scalars().all())
            assert told == [letter]
        # What left before its links named a way goes on leading, and shows by its channel what it was.
        number, keys = both.id, house.runtime.keys
        for old in (keys.sign(CLICK, f"{number} 1"), keys.sign_short(CLICK, number, 1)):
            assert await led(f"/c/{old}", "HEAD") == "https://first.example/"
        old = keys.sign(LEAVE, f"{number} {boris} pigeon news")
        assert "Come:" in (await browser.get(f"/u/{old}/letter")).text
