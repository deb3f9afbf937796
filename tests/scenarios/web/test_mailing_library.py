"""Letters kept in a library with their versions, taken into mailings, sent by programs."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import plugins.mailings
from hub import (
    Address,
    ContactId,
    CreateAccount,
    CreateContact,
    DialogId,
    WithdrawConsent,
)
from tests.houses import World, plugin_of, until
from tests.scenarios.http_api.world import World as Programs
from tests.scenarios.web.house import House, open_house

TEXT = "# Hello, {{ contact.first_name }}!\n\nWe have new sails."


@pytest.fixture
async def world() -> World:
    return World()


@pytest.fixture
async def house(database_url: str, tmp_path: Path, world: World) -> AsyncIterator[House]:
    parts = (("pigeons", plugin_of(world)), ("mailings", plugins.mailings))
    async with open_house(tmp_path, database_url, *parts) as one:
        yield one


def _version(page: str) -> str:
    return str(re.findall(r'name="version" value="(\d*)"', page)[0])


async def test_a_letter_is_kept_compared_brought_back_and_taken(house: House) -> None:
    browser = await house.logged_in("marketer")
    assert "No letters yet" in (await browser.get("/p/mailings/letters")).text
    form = {"do": "save", "title": "Spring", "folder": "Sales", "subject": "News", "text": TEXT}
    saved = await browser.submit("/p/mailings/letters/new", data=form)
    assert saved.status_code == 303, saved.text
    address = saved.headers["location"].partition("?")[0]
    page = (await browser.get(address)).text
    assert "It was not changed yet" in page
    assert "Hello, Ann!" in (await browser.get(f"{address}/drawn")).text

    # Every save that changes the words keeps what they were; one from an old page is refused.
    form |= {"version": _version(page), "text": TEXT.replace("new", "old") + " {{ contact.nmae }}"}
    await browser.submit(address, data=form)
    stale = await browser.submit(address, data=form | {"text": "lost?"})
    assert stale.status_code == 409
    assert "lost?" in stale.text
    page = (await browser.get(address)).text
    assert "contact.nmae → contact.name" in page
    assert f'href="{address}/versions/1"' in page
    difference = (await browser.get(f"{address}/versions/1")).text
    went = re.findall(r'class="went".*?class="words">(.*?)</span>', difference)
    came = re.findall(r'class="came".*?class="words">(.*?)</span>', difference)
    assert went == ["We have new sails."]
    assert [one.startswith("We have old sails.") for one in came] == [True]
    await browser.submit(f"{address}/versions/1", data={})
    page = (await browser.get(address)).text
    assert "We have new sails." in page
    assert f"{address}/versions/2" in page

    # Found by its words, in its folder; a copy is one's own; a mailing remembers the version.
    assert "Spring" in (await browser.get("/p/mailings/letters?q=sails&folder=Sales")).text
    assert "Nothing matches" in (await browser.get("/p/mailings/letters?q=boats")).text
    copied = await browser.submit(address, data={"do": "copy"})
    assert "Spring 2" in (await browser.get(copied.headers["location"])).text
    made = (await browser.submit(address, data={"do": "mailing"})).headers["location"]
    mailing = made.partition("#")[0]
    page = (await browser.get(mailing)).text
    assert "We have new sails." in page
    assert "Began as version 3 of" in page
    kept = {"do": "keep", "title": "Kept", "version": _version(page), "text_0": "Kept words"}
    there = (await browser.submit(mailing, data=kept)).headers["location"]
    assert "Kept words" in (await browser.get(there)).text
    page = (await browser.get(mailing)).text
    number = address.rpartition("/")[2]
    take = {"do": "take", "title": "Kept", "version": _version(page), "take_letter": number}
    await browser.submit(mailing, data=take)
    assert "We have new sails." in (await browser.get(mailing)).text
    history = (await browser.get(f"{mailing}/versions")).text
    first = re.findall(rf'href="({mailing}/versions/\d+)"', history)[-1]
    await browser.submit(first, data={})
    assert "Began as version 3 of" in (await browser.get(mailing)).text

    # Another marketer sees only what is shared, and a shared one is not his to change.
    other = await house.logged_in("agent")
    assert (await other.get("/p/mailings/letters")).status_code == 403
    await browser.submit(address, data={"do": "remove"})
    assert (await browser.get(address)).status_code == 404


async def test_a_program_keeps_letters_and_sends_service_messages(
    house: House, world: World
) -> None:
    hub = house.system
    (desk,) = await hub.do(CreateAccount(channel="letter", title="Desk"))
    (dove,) = await hub.do(CreateAccount(channel="pigeon", title="Dove"))
    (vera,) = await hub.do(
        CreateContact(
            name="Вера Орлова", addresses=(Address(kind="email", value="vera@example.org"),)
        )
    )
    programs = Programs(house)
    program = await programs.program()
    letter = {
        "title": "Receipt",
        "scope": "all",
        "subject": "Order {{ given.order }}",
        "text": "# {{ contact.first_name }}, thank you\n\nPaid: {{ given.sum }}",
        "short": "Paid {{ given.sum }}",
    }
    await program.refused(
        422, "invalid", "POST", "/mailings/library", json={**letter, "text": "{{ contact.nmae }}"}
    )
    made = await program.ok("POST", "/mailings/library", json=letter)
    one = f"/mailings/library/{made['id']}"
    tag = (await program.get(one)).headers["etag"]
    await program.ok("PUT", one, json={"folder": "Shop"}, headers={"if-match": tag})
    await program.refused(412, "version", "PUT", one, json={}, headers={"if-match": tag})
    changed = await program.ok("PUT", one, json={"subject": "Your order {{ given.order }}"})
    assert changed["changed_at"].endswith("Z")
    error = await program.refused(422, "invalid", "PUT", one, json={"sbject": "Your order"})
    assert error["field"] == "sbject"
    (was,) = (await program.ok("GET", f"{one}/versions"))["items"]
    compared = await program.ok("GET", f"{one}/versions/{was['version']}")
    assert [
        (each["sign"], each["text"]) for each in compared["changes"] if each["sign"] in "+-"
    ] == [
        ("-", "subject: Order {{ given.order }}"),
        ("+", "subject: Your order {{ given.order }}"),
    ]
    back = await program.ok("POST", f"{one}/restore", json={"version": str(was["version"])})
    assert (back["subject"], back["version"]) == (letter["subject"], changed["version"] + 1)

    # A service message leaves whatever the person said about advertising.
    await hub.do(WithdrawConsent(contact_id=ContactId(vera), how="hand"))
    asked = {
        "letter_id": made["id"],
        "account_id": str(desk),
        "contact_id": str(vera),
        "given": {"order": "7 <b>", "sum": "480 €"},
    }
    key = {"idempotency-key": "order-7"}
    sent = await program.ok("POST", "/mailings/transactional", json=asked, headers=key)
    again = await program.ok("POST", "/mailings/transactional", json=asked, headers=key)
    assert again == sent
    await until(lambda: len(world.sent) == 1)
    [letter_sent] = world.sent
    assert (letter_sent.to.value, letter_sent.subject) == ("vera@example.org", "Order 7 <b>")
    assert "Вера, thank you" in letter_sent.html
    assert letter_sent.text == "Вера, thank you\n\nPaid: 480 €"
    assert letter_sent.automated
    assert not letter_sent.unsubscribe_url
    assert "unsubscribe" not in letter_sent.html

    async def delivered() -> bool:
        found = await program.ok("GET", f"/messages/{sent['message_id']}/delivery")
        return str(found["status"]) == "sent"

    await until(delivered)
    # It stands in the person's history, and nobody has to look at it.
    dialog = await hub.dialog(DialogId(int(sent["dialog_id"])))
    assert (dialog.contact_id, dialog.status.value) == (vera, "closed")
    thread = await hub.thread(dialog.id)
    assert [each.text for each in thread.messages] == [letter_sent.text]

    # To an address that nobody had, in the short words of a channel without letters.
    new = asked | {"account_id": str(dove), "address": {"value": "nest", "name": "Ira Fox"}}
    new.pop("contact_id")
    other = await program.ok("POST", "/mailings/transactional", json=new)
    await until(lambda: len(world.sent) == 2)
    assert (world.sent[1].to.value, world.sent[1].text) == ("nest", "Paid 480 €")
    person = (await hub.dialog(DialogId(int(other["dialog_id"])))).contact_id
    assert (await hub.contact(person)).name == "Ira Fox"
    # As many as are asked for: no guard against machines holds a service message back.
    for n in range(12):
        await program.ok(
            "POST", "/mailings/transactional", json=new | {"given": {"order": n, "sum": n}}
        )
    await until(lambda: len(world.sent) == 14)

    # What is not given stops it, and nothing is left behind.
    before = (await program.ok("GET", "/dialogs"))["items"]
    for wrong in ({"given": {"order": "7"}}, {"contact_id": "77"}, {"letter_id": "77"}):
        answer = await program.post("/mailings/transactional", json=asked | wrong)
        assert answer.status_code in (404, 422), answer.text
    assert len((await program.ok("GET", "/dialogs"))["items"]) == len(before)
    taken = await program.ok("POST", f"{one}/mailing", json={})
    draft = await program.ok("GET", f"/mailings/mailings/{taken['mailing_id']}")
    assert draft["plan"]["variants"][0]["letter"] == f"{made['id']}:{back['version']}"
    marketer = await programs.program("marketer")
    await marketer.refused(403, "not_allowed", "POST", "/mailings/transactional", json=asked)
    for each in programs.programs:
        await each.aclose()
