"""Quick replies from the page that writes them to the dialog that was solved after one."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

import plugins.quick_replies
from hub import (
    SYSTEM,
    Actor,
    ActorKind,
    BrandChanged,
    Button,
    Capabilities,
    ChangeObject,
    CreateContact,
    CreateObject,
    CreateUser,
    FieldChoice,
    Invalid,
    Micros,
    NotFound,
    SaveField,
    SaveTeam,
    SendMessage,
    SetDialogStatus,
    Suggestion,
    UpdateBrand,
    UpdateContact,
    UserId,
    Values,
)
from hub.handle import BoundHub
from hub.testing.real_hub import RunningHub, running_hub, until
from plugins.quick_replies.commands import SaveQuickReply, ShareQuickReply
from plugins.quick_replies.earlier import bring_back, versions_of
from plugins.quick_replies.favourites import FavourReply
from plugins.quick_replies.replies import QuickReply, one_reply
from plugins.quick_replies.suggesting import filled
from plugins.quick_replies.tables import replies
from plugins.quick_replies.uses import DAY_US, STALE_DAYS
from tests.scenarios.web.house import House, open_house

NAME = "quick_replies"


def _own(house: RunningHub, user_id: int | None = None) -> BoundHub:
    own = house.runtime.handle(Actor(kind=ActorKind.PLUGIN, name=NAME))
    return own.as_user(UserId(user_id or house.hub.actor.id))


async def _suggested(
    house: RunningHub, dialog_id: int, text: str, hub: BoundHub | None = None
) -> list[Suggestion]:
    dialog = await house.hub.dialog(dialog_id)  # type: ignore[arg-type]
    return await plugins.quick_replies.suggest_replies(hub or _own(house), dialog, text)


async def test_starters_follow_the_language_that_the_house_is_set_up_in(tmp_path: Path) -> None:
    async with running_hub(tmp_path, only=[NAME]) as house:
        own = house.runtime.handle(Actor(kind=ActorKind.PLUGIN, name=NAME))
        await plugins.quick_replies.startup(own)
        brand = await house.hub.brand()

        async def told(language: str) -> list[str]:
            await house.runtime.handle(SYSTEM).do(UpdateBrand(brand_id=brand.id, language=language))
            fact = BrandChanged(brand_id=brand.id, fields=("language",))
            await plugins.quick_replies.event_occurred(own, (fact,))
            statement = select(replies.c.title).order_by(replies.c.slot.desc(), replies.c.id)
            return [row["title"] for row in await own.store.all(statement)]

        assert "Greeting" in await told("en")
        russian = await told("ru")
        assert "Приветствие" in russian
        assert "Greeting" not in russian
        # What somebody may know by its name by now stays.
        assert await told("en") == russian


async def test_a_reply_is_found_filled_sent_and_counted(tmp_path: Path) -> None:
    async with running_hub(tmp_path, only=[NAME]) as house:
        hub = _own(house)
        await plugins.quick_replies.startup(
            house.runtime.handle(Actor(kind=ActorKind.PLUGIN, name=NAME))
        )
        [first] = await house.arrive("Сколько стоит доставка в Тверь?", sender="иван")
        starters = await _suggested(house, first.dialog_id, "")
        assert len(starters) == 8
        assert starters[0].shortcut == "delivery"
        assert starters[0].reason == "fits"
        # By a shortcut, a slip in the title, and with the other keyboard layout on.
        for typed in ("delivery", "Delivrey", "вудшмукн"):
            found = await _suggested(house, first.dialog_id, typed)
            assert found[0].shortcut == "delivery", typed
        greeting = (await _suggested(house, first.dialog_id, "hello"))[0]
        # He is answered in the language he writes in.
        assert greeting.text.startswith("Здравствуйте, Иван")

        title = plugins.quick_replies.commands.SaveQuickReply(
            title="Order", shortcut="order", texts={"en": {"text": "{{ interest.title }} is ready"}}
        )
        (reply_id,) = await hub.do(title)
        mine = (await _suggested(house, first.dialog_id, "order"))[0]
        assert mine.missing == ("interest.title",)
        with pytest.raises(Invalid, match="not filled in"):
            await house.answer(first.dialog_id, mine.text)
        sent = SendMessage(
            dialog_id=first.dialog_id, text="The sail is ready", suggested=f"{NAME}:{reply_id}"
        )
        message_id = (await house.hub.do(sent))[0]
        assert (await house.hub.message(message_id)).extra["suggested"] == f"{NAME}:{reply_id}"

        async def used() -> plugins.quick_replies.uses.Numbers | None:
            return (await plugins.quick_replies.uses.numbers(hub)).get(reply_id)

        await until(used, "the use to be counted")
        await house.hub.do(SetDialogStatus(dialog_id=first.dialog_id, status="closed"))

        async def solved() -> bool | None:
            numbers = await used()
            return numbers is not None and numbers.share == 100

        await until(solved, "the dialog to count as solved")
        # A colleague has the shared ones, never my own.
        other = (
            await house.runtime.handle(SYSTEM).do(
                CreateUser(email="o@x.org", name="Oleg", role="agent")
            )
        )[0]
        theirs = await _suggested(house, first.dialog_id, "order", _own(house, other))
        assert "order" not in {one.shortcut for one in theirs}


async def test_favourites_come_first_to_him_who_marked_them(tmp_path: Path) -> None:
    async with running_hub(tmp_path, only=[NAME]) as house:
        hub = _own(house)
        await plugins.quick_replies.startup(
            house.runtime.handle(Actor(kind=ActorKind.PLUGIN, name=NAME))
        )
        [first] = await house.arrive("Сколько стоит доставка в Тверь?", sender="иван")

        async def offered(text: str = "", by: BoundHub | None = None) -> list[str]:
            return [one.shortcut for one in await _suggested(house, first.dialog_id, text, by)]

        made = await hub.store.all(select(replies.c.id, replies.c.shortcut))
        ids = {one["shortcut"]: one["id"] for one in made}
        await hub.do(FavourReply(reply_id=ids["sorry"]), FavourReply(reply_id=ids["sorry"]))
        assert (await offered())[:2] == ["sorry", "delivery"]
        assert (await _suggested(house, first.dialog_id, ""))[0].favourite
        # What is typed decides; among equals the favourite leads.
        assert (await offered("del"))[0] == "delivery"
        texts = {"en": {"text": "Sails"}}
        other, own = await hub.do(
            SaveQuickReply(title="Sail one", texts=texts),
            SaveQuickReply(title="Sail two", texts=texts),
        )
        titles = [one.title for one in await _suggested(house, first.dialog_id, "sail")]
        assert titles[:2] == ["Sail one", "Sail two"]
        await hub.do(FavourReply(reply_id=own))
        titles = [one.title for one in await _suggested(house, first.dialog_id, "sail")]
        assert titles[:2] == ["Sail two", "Sail one"]
        # A colleague's list is as it was, and a reply of another's own is nobody's favourite.
        system = house.runtime.handle(SYSTEM)
        (oleg,) = await system.do(CreateUser(email="o@x.org", name="Oleg", role="agent"))
        assert (await offered(by=_own(house, oleg)))[0] == "delivery"
        with pytest.raises(NotFound):
            await _own(house, oleg).do(FavourReply(reply_id=other))
        with pytest.raises(Invalid, match="only a colleague"):
            await system.do(FavourReply(reply_id=own))
        await hub.do(FavourReply(reply_id=ids["sorry"], favourite=False))
        assert "sorry" not in (await offered())[:2]


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path, database_url, (NAME, plugins.quick_replies)) as one:
        yield one


async def test_the_pages_write_replies_and_say_what_is_wrong(house: House) -> None:
    browser = await house.logged_in("supervisor")
    page = await browser.get("/p/quick_replies/")
    assert page.text.count("<code>/") == 8
    form = {
        "title": "Price list",
        "shortcut": "/List",
        "scope": "all",
        "text_en": "Hello, {{ contact.frist_name }}!",
    }
    wrong = await browser.submit("/p/quick_replies/new", data=form)
    assert wrong.status_code == 422
    assert "Did you mean contact.first_name?" in wrong.text
    assert "contact.frist_name" in wrong.text
    form["text_en"] = "Hello, {{ contact.first_name }}!"
    saved = await browser.submit("/p/quick_replies/new", data=form)
    assert saved.status_code == 303
    address = saved.headers["location"].partition("?")[0]
    shown = await browser.get(address)
    assert "Hello, Ann!" in shown.text
    again = await browser.submit("/p/quick_replies/new", data=form)
    assert "another reply has this shortcut already" in again.text
    preview = await browser.post(
        "/p/quick_replies/preview",
        data={"text": form["text_en"], "language": "en", "_csrf": await browser.csrf()},
    )
    assert preview.json()["unknown_person"] == "Hello!"
    # A star, pressed where one stands: the list opens there again, and has a view of its own.
    number = address.rpartition("/")[2]
    row, favourites = f'id="reply-{number}"', "/p/quick_replies/?view=favourites"
    assert "No favourites yet" in (await browser.get(favourites)).text
    star = {"favourite": "yes", "view": "shared", "folder": "", "q": ""}
    pressed = await browser.submit(f"{address}/favourite", favourites, data=star)
    back = pressed.headers["location"]
    assert back == f"/p/quick_replies/?view=shared&folder=&q=#reply-{number}"
    starred = (await browser.get(favourites)).text
    assert starred.count('id="reply-') == starred.count('aria-pressed="true"') == 1
    assert row in starred
    star["favourite"] = "no"
    await browser.submit(f"{address}/favourite", favourites, data=star)
    assert row not in (await browser.get(favourites)).text
    # Somebody else saved in between: what was typed stays, and the page says so.
    late = await browser.post(
        address,
        data={**form, "title": "Prices", "version": "7", "_csrf": await browser.csrf(address)},
    )
    assert late.status_code == 409
    assert 'value="Prices"' in late.text
    agent = await house.logged_in("agent")
    refused = await agent.post(address, data={**form, "version": "1", "_csrf": await agent.csrf()})
    assert refused.status_code == 403
    removed = await browser.post(f"{address}/remove", data={"_csrf": await browser.csrf()})
    assert removed.status_code == 303
    assert (await browser.get(address)).status_code == 404


async def test_sums_deadlines_and_own_fields_are_filled_in(tmp_path: Path) -> None:
    async with running_hub(tmp_path, only=[NAME]) as house:
        system = house.runtime.handle(SYSTEM)
        [first] = await house.arrive("Is it ready?", sender="anna")
        contact = (await system.dialog(first.dialog_id)).contact_id
        await system.do(
            SaveField(kind="contact", label="Boat"),
            SaveField(
                kind="contact",
                label="Size",
                type="choice",
                choices=(FieldChoice(value="big", label="large"),),
            ),
        )
        await system.do(UpdateContact(contact_id=contact, values={"custom.boat": "Gull"}))
        interest, request = await system.do(
            CreateObject(
                kind="interest",
                values={"title": "Sail", "amount": 4_800_050, "currency": "EUR"},
                dialog_id=first.dialog_id,
            ),
            CreateObject(kind="request", values={"title": "Mend it"}, dialog_id=first.dialog_id),
        )
        due = (await system.get("request", request)).due_at
        assert due
        values = (await _own(house).values(dialog_id=first.dialog_id)).texts
        assert values["interest.title"] == "Sail"
        assert values["interest.sum"] == "€48,000.50"
        assert re.fullmatch(r"\d+ \w+ \d{4}, \d\d:\d\d", values["request.due"])
        made = _own(house).fill("{{ contact.custom.boat }}, {{ contact.custom.size }}", values)
        assert (made.text, made.missing) == (
            "Gull, {{ contact.custom.size }}",
            ("contact.custom.size",),
        )
        await system.do(UpdateContact(contact_id=contact, values={"custom.size": "big"}))
        values = (await _own(house).values(dialog_id=first.dialog_id)).texts
        assert _own(house).fill("{{ contact.custom.size }}", values).text == "large"
        assert not _own(house).check_template("{{ contact.custom.boat }}")
        assert _own(house).check_template("{{ contact.castom.boat }}")
        # So are those of the work that the dialog is about; what is empty never leaves as it stands.
        own, told = await system.do(
            SaveField(kind="interest", label="Cloth"), SaveField(kind="request", label="Mast")
        )
        assert own != told
        words = "{{ interest.custom.cloth }}, {{ request.custom.mast }}"
        assert not _own(house).check_template(words)
        await system.do(
            ChangeObject(kind="interest", object_id=interest, values={"custom.cloth": "dacron"})
        )
        values = (await _own(house).values(dialog_id=first.dialog_id)).texts
        made = _own(house).fill(words, values)
        assert made.text == "dacron, {{ request.custom.mast }}"
        assert made.missing == ("request.custom.mast",)
        with pytest.raises(Invalid, match="not filled in"):
            await house.answer(first.dialog_id, made.text)


async def test_a_letter_gets_html_and_an_earlier_version_comes_back_whole(tmp_path: Path) -> None:
    async with running_hub(tmp_path, only=[NAME]) as house:
        hub = _own(house)
        [first] = await house.arrive("Is it ready?", sender="Anna & Co")
        reply = SaveQuickReply(
            title="Order",
            texts={
                "en": {
                    "text": "{{ contact.first_name }}, it is ready",
                    "html": "<p><b>{{ contact.first_name }}</b>, it is ready</p>",
                }
            },
            buttons=(("Shop", "https://example.com"),),
            template="order_ready",
            add_files=(("price.txt", "text/plain", b"sails"), ("map.txt", "text/plain", b"here")),
        )
        (reply_id,) = await hub.do(reply)

        async def now() -> QuickReply:
            user = await hub.user(UserId(house.hub.actor.id))
            found = await one_reply(hub, reply_id, user)
            assert found is not None
            return found

        # Where letters are written it goes as HTML, with nobody's name taken for code.
        values = await hub.values(dialog_id=first.dialog_id)
        letters = Capabilities(address_kind="email", html=True)
        assert filled(hub, await now(), values, letters).html == ("<p><b>Anna</b>, it is ready</p>")
        named = Values(texts={"contact.first_name": "A<b>"}, language="en")
        assert "A&lt;b&gt;" in filled(hub, await now(), named, letters).html
        assert not filled(hub, await now(), values, Capabilities(address_kind="boat")).html
        for html, why in (
            ("<p onclick='x()'>", "cannot run scripts"),
            ("<script>", "cannot run scripts"),
        ):
            with pytest.raises(Invalid, match=why):
                await hub.do(replace(reply, texts={"en": {"text": "Hi", "html": html}}))
        with pytest.raises(Invalid, match="plain text too"):
            await hub.do(replace(reply, texts={"en": {"html": "<p>Hi</p>"}}))

        # Everything of it changes, one file goes; the version brings all of it back.
        whole = await now()
        await hub.do(
            SaveQuickReply(
                reply_id=reply_id,
                title="Other",
                texts={"en": {"text": "Other words"}},
                drop_files=(whole.files[0][0],),
                add_files=(("new.txt", "text/plain", b"new"),),
            )
        )
        changed = await now()
        assert [name for _, name, _ in changed.files] == ["map.txt", "new.txt"]
        (was,) = await versions_of(hub, changed)
        assert was.more["files"] == ["price.txt", "map.txt"]
        assert ("-", "▢ Shop https://example.com") in was.lines
        assert ("+", "new.txt") in was.lines
        await bring_back(hub, changed, str(was.version))
        back = await now()
        assert replace(back, version=1, changed_at=whole.changed_at) == whole
        # And what stood there in between can be had again, its file too.
        await bring_back(hub, back, str(changed.version))
        assert [name for _, name, _ in (await now()).files] == ["map.txt", "new.txt"]


async def test_a_reply_fits_its_channel_its_team_and_the_place_it_is_looked_for(
    house: House,
) -> None:
    system = house.system
    clock = system.now()
    house.runtime.now = lambda: clock
    house.runtime.database.set_clock(lambda: clock)
    vera, oleg = await house.user("supervisor"), await house.user("agent")
    (team,) = await system.do(SaveTeam(name="Sails", members=(vera,)))
    (eva,) = await system.do(CreateContact(name="Eva"))
    own = house.runtime.handle(Actor(kind=ActorKind.PLUGIN, name=NAME))
    (number,) = await own.as_user(vera).do(
        ShareQuickReply(
            title="Hours",
            folder="Desk",
            scope="team",
            team_id=team,
            texts={"en": {"text": "We are open {{ working_hours }}, write!", "short": "Open {{ working_hours }}"}},
            buttons=(("Call me", ""), ("Site", "https://example.org"), ("Map", "https://example.org/m")),
        )
    )  # fmt: skip
    reply = await one_reply(own, number, await system.user(vera))
    assert reply is not None
    assert await one_reply(own, number, await system.user(oleg)) is None
    # The hours are those of the working calendar, in the person's language.
    known = (await system.values(contact_id=eva)).texts["working_hours"]
    assert known in ("Mon–Fri 9:00–18:00", "пн–пт 9:00–18:00")
    values = Values(texts={"working_hours": known}, language="en")
    sms = filled(own, reply, values, Capabilities(address_kind="phone", max_text=1530))
    assert (sms.text, sms.buttons) == (f"Open {known}", ())
    bot = filled(own, reply, values, Capabilities(address_kind="bot", max_text=4096, buttons=2))
    assert bot.text == f"We are open {known}, write!"
    assert bot.buttons == (
        Button(label="Call me", payload="Call me"),
        Button(label="Site", url="https://example.org"),
    )
    # The list: by folder, and what nobody used for long.
    browser = house.browser()
    await browser.log_in("supervisor@example.org")
    listed = "/p/quick_replies/?"
    mine = f'"/p/quick_replies/{number}"'
    assert mine in (await browser.get(f"{listed}folder=Desk")).text
    assert mine not in (await browser.get(f"{listed}folder=Other")).text
    assert mine not in (await browser.get(f"{listed}view=stale")).text
    clock = Micros(clock + (STALE_DAYS + 1) * DAY_US)
    await browser.log_in("supervisor@example.org")
    assert mine in (await browser.get(f"{listed}view=stale")).text
    # Its team has it at hand, a colleague of another one does not.
    other = house.browser()
    await other.log_in("agent@example.org")
    assert mine not in (await other.get(listed)).text
