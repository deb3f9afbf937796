"""A customer writes to a VK community and is answered, through the whole hub, both ways in."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

import channels.vk
from channels.vk import rules
from channels.vk.channel import random_id
from crm_store import objects
from crm_store.objects import NOUNS, ObjectQuery
from crm_store.reachability import state_of
from crm_store.tables.people import addresses
from crm_store.viewer import Reader
from hub import (
    Button,
    Conflict,
    Direction,
    EditMessage,
    ReactToMessage,
    RetractMessage,
    SaveRule,
    UpdateContact,
)
from plugins import crm_actions
from tests.houses import until
from tests.scenarios.office import SECONDS, Office, office
from tests.servers.vk import ANNA, TOKEN, Vk
from triggers.gallery import rule_of


@pytest.mark.parametrize("way", ["callback", "polling"])
async def test_a_customer_is_heard_and_answered(shop: Office, vk: Vk) -> None:
    vk.write("Есть [club1001|хлеб]?\nСвежий?")
    [message] = await shop.received(1)
    assert message.text == "Есть хлеб?\nСвежий?"
    sent = await shop.answer("Есть, *свежий* & горячий <b>")
    await shop.becomes(sent, "sent")
    [shown] = vk.sent()
    assert shown["text"] == "Есть, *свежий* & горячий <b>"
    assert shown["random_id"] > 0


async def test_a_person_is_introduced_by_vk(shop: Office, vk: Vk) -> None:
    vk.write("Здравствуйте")
    [message] = await shop.received(1)

    async def named() -> bool:
        return (await shop.messages())[0].author_name == "Анна Белова"

    await until(named, SECONDS)
    dialog = (await shop.dialogs())[0]
    contact = await shop.user.contact(dialog.contact_id)
    assert contact.name == "Анна Белова"
    assert contact.addresses[0].profile == {"vk_page": f"https://vk.com/id{ANNA}", "city": "Псков"}
    [panel] = await channels.vk.names.panels(shop.system, dialog)
    assert [one.value for one in panel.lines] == [f"https://vk.com/id{ANNA}", "Псков"]
    await shop.user.do(UpdateContact(contact_id=contact.id, name="Аня"))
    vk.write("Ещё вопрос")
    messages = await shop.received(2)
    assert [one.author_name for one in messages] == ["Анна Белова"] * 2
    assert message.direction is Direction.IN


async def test_a_silent_vk_costs_time_and_not_the_name(shop: Office, vk: Vk) -> None:
    vk.fail_next("users.get")
    vk.write("Здравствуйте")
    await shop.received(1)

    async def named() -> bool:
        return (await shop.messages())[0].author_name == "Анна Белова"

    await until(named, SECONDS)


async def test_files_travel_both_ways(shop: Office, vk: Vk) -> None:
    doc = vk.doc("Заказ.txt", b"bread 2")
    sticker = {
        "type": "sticker",
        "sticker": {
            "inner_type": "base_sticker_new",
            "sticker_id": 7,
            "images": [
                {"url": vk.photo(b"png")["photo"]["sizes"][1]["url"], "width": 128, "height": 128}
            ],
        },
    }
    voice = {"type": "audio_message", "audio_message": vk.voice(doc["url"])}
    vk.write(
        attachments=[vk.photo(b"\xff\xd8\xffjpeg"), {"type": "doc", "doc": doc}, voice, sticker]
    )
    [message] = await shop.received(1)
    files = await shop.files(message.id)
    assert [(kind, content) for _, kind, content in files] == [
        ("image/jpeg", b"\xff\xd8\xffjpeg"),
        ("text/plain", b"bread 2"),
        ("audio/ogg", b"bread 2"),
        ("image/png", b"png"),
    ]
    ids = (
        await shop.attach("торт.png", b"\x89PNG", "image/png"),
        await shop.attach("Прайс.pdf", b"%PDF", "application/pdf"),
        await shop.attach("голос.ogg", b"OggS", "audio/ogg"),
    )
    sent = await shop.answer("Вот", attachments=ids)
    await shop.becomes(sent, "sent")
    names = vk.sent()[-1]["attachment_names"].split(",")
    assert [one.rstrip("0123456789_key-") for one in names] == ["photo", "doc", "doc"]
    assert {b"\x89PNG", b"%PDF", b"OggS"} <= set(vk.kept.values())
    [saved] = [one for one in vk.called("docs.save") if one["title"] == "Прайс.pdf"]
    assert saved


async def test_a_file_that_vk_refuses_fails_with_its_words(shop: Office, vk: Vk) -> None:
    vk.write("?")
    await shop.received(1)
    virus = await shop.attach("setup.exe", b"MZ", "application/octet-stream")
    failed = await shop.becomes(await shop.answer("Вот", attachments=(virus,)), "failed")
    assert "the extension is prohibited" in failed.reason_text
    assert vk.sent() == []


async def test_what_is_no_file_becomes_a_line(shop: Office, vk: Vk) -> None:
    wall = {"id": 3, "owner_id": -5, "text": "Акция недели", "from_id": -5, "date": 1}
    vk.write(
        "Смотрите",
        geo={"coordinates": {"latitude": 57.8, "longitude": 28.3}, "place": {"title": "Псков"}},
        attachments=[
            {"type": "link", "link": {"url": "https://example.org/cake", "title": "Торт"}},
            {"type": "video", "video": {"id": 8, "owner_id": 9, "title": "Печём", "duration": 75}},
            {"type": "wall", "wall": wall},
            {"type": "podcasts", "podcasts": {}},
        ],
        fwd_messages=[{"from_id": 77, "date": 1, "text": "Рецепт", "conversation_message_id": 4}],
    )
    [message] = await shop.received(1)
    assert message.text.splitlines() == [
        "Смотрите",
        "🔗 Торт https://example.org/cake",
        "🎬 Печём (1:15) https://vk.com/video9_8",
        "📰 Акция недели https://vk.com/wall-5_3",
        "📍 Псков 57.8, 28.3 https://yandex.ru/maps/?pt=28.3,57.8&z=16",
        "> Рецепт",
    ]
    assert message.unsupported == "podcasts"


@pytest.mark.parametrize("way", ["polling"])
async def test_edits_replies_and_reactions(shop: Office, vk: Vk) -> None:
    first = vk.write("Есть хлеб?")
    [question] = await shop.received(1)
    await shop.becomes(await shop.answer("Есть", reply_to=question.id), "sent")
    ours = vk.sent()[-1]
    assert ours["answers"] == first["conversation_message_id"]
    await shop.becomes(await shop.answer("И батон"), "sent")
    assert "answers" not in vk.sent()[-1]

    vk.rewrite(first, "Есть ржаной хлеб?")

    async def edited() -> bool:
        return (await shop.messages())[0].text == "Есть ржаной хлеб?"

    await until(edited, SECONDS)
    vk.react(ours, 4)

    async def reacted() -> bool:
        return [one[0] for one in (await shop.messages())[1].reactions] == ["👍"]

    await until(reacted, SECONDS)
    reply = {"from_id": -1001, "date": 1, "text": "Есть", "peer_id": ANNA, "id": ours["id"]}
    reply["conversation_message_id"] = ours["conversation_message_id"]
    vk.write("Беру", reply_message=reply)
    [*_, last] = await shop.received(2)
    assert last.text == "Беру"


@pytest.mark.parametrize("way", ["polling"])
async def test_read_marks_typing_and_consent(shop: Office, vk: Vk) -> None:
    vk.write("Есть хлеб?")
    await shop.received(1)
    ids = [await shop.answer(text) for text in ("Есть", "Ржаной", "И белый")]
    for one in ids:
        await shop.becomes(one, "sent")
    vk.read_up_to(vk.sent()[1])
    await shop.becomes(ids[1], "read")
    assert [(await shop.user.message(one)).status for one in ids] == ["read", "read", "sent"]
    vk.deny()

    async def consent() -> str:
        return await shop.system.read(_consent, shop.account_id)

    async def is_blocked() -> bool:
        return await consent() == "blocked"

    await until(is_blocked, SECONDS)
    with pytest.raises(Conflict, match="does not take messages"):
        await shop.answer("Ещё что-нибудь?")
    vk.allow()

    async def is_allowed() -> bool:
        return await consent() == "allowed"

    await until(is_allowed, SECONDS)
    await shop.becomes(await shop.answer("Рады вас видеть"), "sent")
    assert [one["text"] for one in vk.sent()] == ["Есть", "Ржаной", "И белый", "Рады вас видеть"]


def _consent(reader: Reader, account_id: int) -> str:
    profile = reader.conn.execute(
        select(addresses.c.profile).where(addresses.c.value == str(ANNA))
    ).scalar()
    return state_of(profile or {}, account_id)[0]


async def test_an_answer_is_changed_reacted_to_and_taken_back(shop: Office, vk: Vk) -> None:
    asked = vk.write("Есть хлеб?")
    [question] = await shop.received(1)
    photo = await shop.attach("хлеб.png", b"\x89PNG", "image/png")
    sent = await shop.answer("Ест", attachments=(photo,))
    await shop.becomes(sent, "sent")
    [ours] = vk.sent()
    picture = ours["attachment_names"]
    await shop.user.do(EditMessage(message_id=sent, text="Есть"))
    await until(lambda: ours["text"] == "Есть", SECONDS)
    assert ours["attachment_names"] == picture
    await shop.user.do(ReactToMessage(message_id=question.id, emoji="👍"))
    await until(lambda: asked.get("reaction") == 4, SECONDS)
    await shop.user.do(ReactToMessage(message_id=question.id, emoji=""))
    await until(lambda: "reaction" not in asked, SECONDS)
    await shop.user.do(RetractMessage(message_id=sent))
    await until(lambda: vk.sent() == [], SECONDS)


@pytest.mark.parametrize("way", ["callback", "polling"])
async def test_a_pressed_button_speaks_and_stops_waiting(shop: Office, vk: Vk) -> None:
    vk.write("Есть хлеб?")
    await shop.received(1)
    buttons = (
        Button(label="Да", payload="order:1"),
        Button(label="Сайт", url="https://example.org"),
    )
    await shop.becomes(await shop.answer("Отложить?", buttons=buttons), "sent")
    event_id = vk.press(vk.sent()[-1])
    [*_, pressed] = await shop.received(2)
    assert pressed.text == "Да"
    await until(lambda: vk.answered == [event_id], SECONDS)


@pytest.mark.parametrize("way", ["polling"])
async def test_orders_of_the_shop_are_entries_of_the_dialog(shop: Office, vk: Vk) -> None:
    vk.order(12)
    [order] = await shop.received(1)
    assert order.text.splitlines() == ["🛒 №1001-12 · new", "· … +1", "Σ 450 ₽", "💬 Без свечей"]
    profile = order.extra["profile"]
    assert (profile["event"], profile["order_status"], profile["order_amount"]) == (
        "order_new",
        "new",
        "45000",
    )
    assert not order.automated
    vk.order(12, status=3, edited=True, track_number="RU1")
    [_, changed] = await shop.received(2)
    assert changed.extra["profile"]["order_status"] == "delivering"
    assert changed.automated
    assert len(await shop.dialogs()) == 1


async def test_rules_ask_for_an_order_by_its_parts(
    tmp_path: Path, database_url: str, vk: Vk
) -> None:
    """The ready rule makes an interest of a new order, and a rule of one's own asks for more."""
    plugins = {"vk": channels.vk, "crm_actions": crm_actions}
    settings = {"token": TOKEN, "receive": "polling", "api_url": vk.url}
    async with office(tmp_path, database_url, plugins, "vk", settings) as shop:
        ready = rule_of(rules.RECIPES[0], "ru")
        asked: list[dict[str, object]] = [
            {"field": "vk.order_status", "operator": "equals", "value": "delivering"},
            {"field": "vk.order_amount", "operator": "greater", "value": 449},
            {"field": "vk.order_items", "operator": "contains", "value": "торт"},
        ]
        note = {"action": "crm_actions.tag", "params": {"tags": ["едет"]}}
        own = {
            "name": "On its way",
            "when": [{"event": "message.received"}],
            "if": {"all": asked},
            "then": [note],
        }
        for definition in (ready, own):
            await shop.user.do(SaveRule(definition=definition, enabled=True))
        await until(lambda: any(r.path == "/lp" for r in vk.requests), SECONDS)
        vk.write("Хочу заказать торт")
        await shop.received(1)
        vk.order(12, goods=("Торт",))
        [_, order] = await shop.received(2)
        assert order.text.splitlines()[1] == "· Торт × 1 = 450 ₽"

        async def interests() -> list[object]:
            page = await shop.user.read(objects.page, NOUNS["interest"], ObjectQuery())
            return list(page.items)

        await until(interests, SECONDS)
        vk.order(12, status=3, edited=True, goods=("Торт",))

        async def tagged() -> bool:
            return (await shop.dialogs())[0].tags == ("едет",)

        await until(tagged, SECONDS)
        # Words about an order are none, and an order that changed is no second one.
        assert len(await interests()) == 1


@pytest.mark.parametrize("way", ["polling"])
async def test_a_chat_of_several_people_is_one_dialog(shop: Office, vk: Vk) -> None:
    chat = 2_000_000_001
    vk.users[6002] = {"first_name": "Борис", "last_name": "Ветров"}
    vk.write("Всем привет", peer=chat)
    vk.write("И вам", peer=chat, sender=6002)
    messages = await shop.received(2)
    assert len(await shop.dialogs()) == 1

    async def named() -> list[str]:
        names = [one.author_name for one in await shop.messages()]
        return names if names == ["Анна Белова", "Борис Ветров"] else []

    await until(named, SECONDS)
    await shop.becomes(await shop.answer("Добрый день"), "sent")
    assert [one["text"] for one in vk.sent(chat)] == ["Добрый день"]
    assert messages


async def test_a_long_answer_goes_in_parts_that_never_double(shop: Office, vk: Vk) -> None:
    vk.write("?")
    await shop.received(1)
    text = "\n".join(f"строка {n} " + "х" * 80 for n in range(100))
    await shop.becomes(await shop.answer(text), "sent")
    parts = [one["text"] for one in vk.sent()]
    assert len(parts) > 1
    assert max(map(len, parts)) <= 4096
    assert "\n".join(parts).split() == text.split()
    numbers = [one["random_id"] for one in vk.sent()]
    assert len(set(numbers)) == len(numbers)


def test_the_number_of_a_message_is_vks_kind_of_number() -> None:
    numbers = {random_id(str(n)) for n in range(10_000)}
    assert all(0 < one <= 0x7FFFFFFF for one in numbers)
    assert len(numbers) == 10_000
    assert random_id("12/0") == random_id("12/0") != random_id("12/1")
