"""A letter tried out before it is sent, with its files: on the page, by the API, in the outbox."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import plugins.mailings
from hub import (
    Actor,
    ActorKind,
    Address,
    CreateAccount,
    CreateContact,
    PermanentFailure,
    RejectReason,
    SaveSegment,
)
from hub.handle import BoundHub
from hub.upkeep import Upkeep
from plugins.mailings import sending
from plugins.mailings.doing import mailing_of
from plugins.mailings.results import funnel_of
from plugins.mailings.trying import tests_of as tried_of
from tests.houses import World, plugin_of, until
from tests.houses import letter as incoming
from tests.scenarios.http_api.world import World as Programs
from tests.scenarios.web.house import House, open_house

TEXT = "# Hello, {{ contact.first_name }}!\n\nYour post: {{ contact.position }}\n\n[Sale](https://shop.example/sale)"


@pytest.fixture
async def world() -> World:
    return World()


@pytest.fixture
async def house(database_url: str, tmp_path: Path, world: World) -> AsyncIterator[House]:
    parts = (("pigeons", plugin_of(world)), ("mailings", plugins.mailings))
    async with open_house(tmp_path, database_url, *parts) as one:
        yield one


def _own(house: House) -> BoundHub:
    return house.runtime.handle(Actor(kind=ActorKind.PLUGIN, name="mailings"))


async def test_a_letter_is_tried_out_and_counted_nowhere(house: House, world: World) -> None:
    hub = house.system
    (account,) = await hub.do(CreateAccount(channel="letter", title="Desk"))
    ira, bare = await hub.do(
        CreateContact(
            name="Ира {{ x }} Лис",
            values={"position": "captain"},
            addresses=(Address(kind="email", value="ira@example.org"),),
        ),
        CreateContact(name="Bare", addresses=(Address(kind="email", value="bare@example.org"),)),
    )
    (segment,) = await hub.do(SaveSegment(name="Everybody"))
    browser = await house.logged_in("marketer")
    form = {
        "do": "test",
        "title": "Spring",
        "segment_id": str(segment),
        f"account_{account}": "1",
        "advertising": "yes",
        "tracks_clicks": "yes",
        "tracks_opens": "yes",
        "subject_0": "News for {{ contact.first_name }}",
        "text_0": TEXT,
        "test_contact": str(ira),
    }
    saved = await browser.submit("/p/mailings/new", data=form)
    assert saved.status_code == 303, saved.text
    address = saved.headers["location"].partition("#")[0]
    mailing = await mailing_of(_own(house), address.rpartition("/")[2])
    await until(lambda: len(world.sent) == 1)
    [letter] = world.sent
    # To oneself, with the chosen person's data; nothing of it is followed.
    assert letter.to.value == "marketer@example.org"
    assert letter.subject == "[Test] News for Ира"
    assert "captain" in letter.text
    assert 'href="https://shop.example/sale"' in letter.html
    assert "/c/" not in letter.html
    assert "/o/" not in letter.html
    assert letter.unsubscribe_url in letter.html
    page = (await browser.get(address)).text
    assert "marked as a test" in page
    assert 'data-test="' in page

    # Nobody is left out for whom it could not be filled in: it is said instead.
    form |= {"version": re.findall(r'name="version" value="(\d+)"', page)[0]}
    refused = await browser.submit(address, data=form | {"test_contact": str(bare)})
    assert refused.status_code == 422
    assert "contact.position" in refused.text

    # A refused test is seen as that.
    world.outcomes = [PermanentFailure(RejectReason.INVALID_ADDRESS, "550 5.1.1 nobody")]
    page = (await browser.get(address)).text
    form |= {"version": re.findall(r'name="version" value="(\d+)"', page)[0]}
    await browser.submit(address, data=form | {"test_to": "gone@example.org, ira@example.org"})
    await until(lambda: len(world.sent) == 3)

    async def settled() -> list[str]:
        states = [one.state for one in await tried_of(_own(house), mailing)]
        return states if "sending" not in states and "queued" not in states else []

    await until(settled)
    assert sorted(await settled()) == ["failed", "sent", "sent"]
    tried = (await browser.get(f"{address}/tried")).json()
    assert {one["text"] for one in tried.values()} == {"sent", "failed"}

    # It is in no number and no history, and leaving by it makes nobody leave.
    assert (await funnel_of(_own(house), mailing)).planned == 0
    assert await _own(house).send_counts(await _own(house).sends_of(mailing.id)) == {}
    got = {"field": "contact.got_mailing", "operator": "contains", "value": str(mailing.id)}
    (of_it,) = await hub.do(SaveSegment(name="Who got it", filter=got))
    who = next(one for one in await hub.segments() if one.id == of_it)
    assert await hub.audience(who, channel="email") == []
    left = await house.browser().post(
        "/u/" + letter.unsubscribe_url.rpartition("/")[2],
        content="List-Unsubscribe=One-Click",
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert "nobody was unsubscribed" in left.text
    view = await house.browser().get("/u/" + letter.unsubscribe_url.rpartition("/")[2] + "/letter")
    assert "captain" in view.text

    # Whoever answers a test begins a dialog of his own; the address of the test becomes his.
    answer = incoming(
        "1", "gone@example.org", name="Late", references=(f"out-{world.sent[1].idempotency_key}",)
    )
    await hub.receive(account, [answer])
    late = await hub.find("contact", text="Late")
    assert [one.name for one in late.items] == ["Late"]


async def test_files_go_with_a_mailing_where_its_channels_take_them(
    house: House, world: World
) -> None:
    hub = house.system
    (dove,) = await hub.do(CreateAccount(channel="pigeon", title="Dove"))
    (desk,) = await hub.do(CreateAccount(channel="letter", title="Desk"))
    (vera,) = await hub.do(
        CreateContact(name="Vera", addresses=(Address(kind="pigeon", value="vera"),))
    )
    (segment,) = await hub.do(SaveSegment(name="Everybody"))
    programs = Programs(house)
    program = await programs.program("marketer")
    kept = await program.ok(
        "POST",
        "/mailings/files?name=price.pdf",
        content=b"%PDF-1.7 " + b"x" * 600_000,
        headers={"content-type": "application/pdf"},
    )
    big = await program.ok(
        "POST",
        "/mailings/files?name=..%2Fbig.bin",
        content=b"y" * 1_200_000,
        headers={"content-type": "application/octet-stream"},
    )
    assert (big["name"], big["size"]) == ("big.bin", 1_200_000)
    plan = {
        "segment_id": str(segment),
        "accounts": [str(dove)],
        "advertising": False,
        "variants": [{"text": "The list, {{ contact.first_name }}"}],
        "files": [kept["id"], big["id"]],
    }
    made = await program.ok("POST", "/mailings/mailings", json={"title": "M", "plan": plan})
    one = f"/mailings/mailings/{made['id']}"

    async def red(**change: object) -> list[str]:
        await program.ok("PUT", one, json={"plan": change})
        found = (await program.ok("GET", f"{one}/check"))["findings"]
        return [each["text"] for each in found if each["level"] == "bad"]

    assert await red() == ["A file is too large for this channel"]
    assert await red(files=["77"]) == ["a file of this letter is gone"]
    # A first channel without files stops it, a later one goes without them.
    assert "This channel takes no files" in await red(accounts=[str(desk)], files=[kept["id"]])
    assert not await red(accounts=[str(dove), str(desk)], files=[kept["id"]])
    texts = [each["text"] for each in (await program.ok("GET", f"{one}/check"))["findings"]]
    assert "Over this channel it goes without its files" in texts

    tried = await program.ok(
        "POST", f"{one}/test", json={"to": ["nobody"], "contact_id": str(vera)}
    )
    await until(lambda: len(world.sent) == 1)
    assert world.sent[0].text == "[Test] The list, Vera"
    assert (await program.ok("GET", f"{one}/tests"))["items"][0]["send_id"] == tried["send_ids"][0]
    await program.refused(422, "invalid", "POST", f"{one}/test", json={"to": []})
    await program.ok("POST", f"{one}/send", json={})
    await sending.tick(_own(house), {})
    await until(lambda: len(world.sent) == 2)
    for message in world.sent:
        [file] = message.attachments
        assert (file.name, file.media_type, file.size) == ("price.pdf", "application/pdf", 600_009)
        assert bytes(file.content or b"").startswith(b"%PDF-1.7")
    # The bytes are named by a row: whoever sweeps what nobody names leaves them.
    name = world.sent[1].attachments[0].reference
    assert Upkeep(house.runtime)._known([name, "0" * 32]) == {name}
    copied = await program.ok("POST", f"{one}/again", json={})
    assert copied["plan"]["files"] == [kept["id"]]
    for each in programs.programs:
        await each.aclose()
