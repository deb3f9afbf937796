"""A person split off a card on screen, and given back to it."""

from __future__ import annotations

from hub import Address, CreateContact
from tests.scenarios.web.house import House


async def test_a_person_split_off_on_his_card_is_given_back_there(hub: House) -> None:
    browser = await hub.logged_in("agent")
    both = tuple(Address(kind="email", value=f"{one}@example.org") for one in ("anna", "boss"))
    anna = (await hub.system.do(CreateContact(name="Anna", addresses=both)))[0]
    path = f"/contacts/{anna}"
    boss = (await hub.system.contact(anna)).addresses[1]
    split = {"do": "split", "address": str(boss.id)}
    there = (await browser.submit(f"{path}/act", path, split)).headers["location"]
    page = (await browser.get(there)).text
    assert "A person of its own now. It can be undone below." in page
    assert f'<a class="person" href="{path}">Anna</a>' in page.partition("Split off from")[2]
    new = there.partition("?")[0]
    back = (await browser.submit(f"{new}/act", new, {"do": "unsplit"})).headers["location"]
    assert back.startswith(f"{path}?")
    page = (await browser.get(back)).text
    assert "The split was undone" in page
    assert boss.value in page
    # The number of what was split off leads to the card that has it again.
    assert (await browser.get(new)).headers["location"] == path
