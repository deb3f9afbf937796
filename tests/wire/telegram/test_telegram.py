"""Telegram over real HTTP, from a customer's phone to the dialog and back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from channels.telegram.linking import PURPOSE, as_parameter
from crm_store.deliveries import delivery
from crm_store.quarantine import quarantined
from hub import (
    Address,
    Attachment,
    Button,
    CreateAccount,
    CreateContact,
    DialogQuery,
    EditMessage,
    Invalid,
    MessageId,
    ReactToMessage,
    RemoveAccount,
    RetractMessage,
    SendMessage,
    UpdateAccount,
)
from tests.houses import until
from tests.servers.telegram import Refused, TelegramServer
from tests.wire.killed import killed_in_send
from tests.wire.telegram.far_side import TOKEN, Messenger, messenger


@pytest.fixture(params=["webhook", "polling"])
async def both(
    tmp_path: Path, database_url: str, request: pytest.FixtureRequest
) -> AsyncIterator[Messenger]:
    async with messenger(tmp_path, database_url, receive=request.param) as found:
        yield found


@pytest.fixture
async def shop(tmp_path: Path, database_url: str) -> AsyncIterator[Messenger]:
    async with messenger(tmp_path, database_url) as found:
        yield found


async def test_words_and_files_go_both_ways(both: Messenger) -> None:
    server, bot = both.server, both.bot
    vera = server.private(7, "Vera")
    photo = server.keep_file(b"\x89PNG small", width=9, height=9)
    await bot.hears(vera, photo=[photo], caption="Is this yours?")
    await bot.hears(
        vera,
        text="See here, bold",
        entities=[
            {"type": "text_link", "offset": 4, "length": 4, "url": "https://shop.example/7"},
            {"type": "bold", "offset": 10, "length": 4},
        ],
    )
    found = await both.messages(2)
    assert [one.text for one in found] == [
        "Is this yours?",
        "See here (https://shop.example/7), bold",
    ]
    # It has no letter behind it, only a look.
    assert [one.extra.get("rich") for one in found] == [None, True]
    dialog = await both.dialog()
    assert (dialog.contact_name, dialog.address) == ("Vera", "7")

    async def fetched() -> bool:
        return (await both.messages(2))[0].attachments[0].state == "ready"

    await until(fetched)
    file = await both.house.system.file((await both.messages(2))[0].attachments[0].id)
    assert file.content == b"\x89PNG small"

    upload = await both.agent.upload(
        Attachment(name="цены.pdf", media_type="application/pdf", content=b"%PDF-1.4"), dialog.id
    )
    mine = await both.answer("Here are our prices", attachments=(upload,), reply_to=found[0].id)
    await both.becomes(mine, "sent")
    (sent,) = server.said("sendDocument")
    assert sent["document"] == ("цены.pdf", b"%PDF-1.4")
    assert sent["caption"] == "Here are our prices"
    assert sent["reply_parameters"]["message_id"] == 1


async def test_what_stands_out_leaves_as_telegrams_own_formatting(shop: Messenger) -> None:
    server, bot = shop.server, shop.bot
    await bot.hears(server.private(7, "Vera"), text="What does it cost?")
    mine = await shop.answer("🥖 *10* euros, see [the list](https://a.example)")
    assert (await shop.becomes(mine, "sent")).text.startswith("🥖 *10* euros")
    said = server.said("sendMessage")[-1]
    assert said["text"] == "🥖 10 euros, see the list" == (await shop.dialog()).preview
    assert said["entities"] == [
        {"type": "bold", "offset": 3, "length": 2},
        {"type": "text_link", "offset": 17, "length": 8, "url": "https://a.example"},
    ]
    await shop.agent.do(EditMessage(message_id=mine, text="_12_ euros"))
    await until(lambda: server.said("editMessageText"))
    changed = server.said("editMessageText")[-1]
    assert (changed["text"], changed["entities"][0]["type"]) == ("12 euros", "italic")

    async def shown() -> bool:
        return (await shop.dialog()).preview == "12 euros"

    await until(shown)
    # A caption that fits counts without its signs; one that does not goes before the file.
    for words in (f"*{'a' * 1024}*", f"*{'a' * 1025}*"):
        paper = Attachment(name="a.pdf", media_type="application/pdf", content=b"%PDF-1.4")
        file = await shop.agent.upload(paper, (await shop.dialog()).id)
        await shop.becomes(await shop.answer(words, attachments=(file,)), "sent")
    whole, bare = server.said("sendDocument")
    assert whole["caption_entities"] == [{"type": "bold", "offset": 0, "length": 1024}]
    assert "caption" not in bare
    assert server.said("sendMessage")[-1]["text"] == "a" * 1025


async def test_the_same_update_twice_is_one_message(shop: Messenger) -> None:
    body = {
        "update_id": 5,
        "message": shop.server.keep(
            shop.server.private(7, "Vera"),
            {"from": {"id": 7, "is_bot": False, "first_name": "Vera"}, "text": "Hi"},
        ),
    }
    assert [await shop.bot.post(body) for _ in range(3)] == [200] * 3
    assert len(await shop.messages()) == 1


async def test_only_telegram_is_let_in(shop: Messenger) -> None:
    vera = shop.server.private(7, "Vera")
    body = {"update_id": 5, "message": shop.server.keep(vera, {"text": "Hi"})}
    for secret in ("", "wrong"):
        assert await shop.bot.post(body, secret=secret) == 403
    assert await shop.dialogs() == ()


async def test_what_happens_to_messages(shop: Messenger) -> None:
    server, bot = shop.server, shop.bot
    vera = server.private(7, "Vera")
    said = await bot.hears(vera, text="Tow chairs")
    await bot.happens(edited_message={**said, "text": "Two chairs", "edit_date": said["date"] + 5})
    user = {"id": 7, "is_bot": False, "first_name": "Vera"}
    await bot.happens(
        message_reaction={
            "chat": vera,
            "message_id": said["message_id"],
            "user": user,
            "date": said["date"],
            "old_reaction": [],
            "new_reaction": [{"type": "emoji", "emoji": "🔥"}],
        }
    )
    (message,) = await shop.messages()
    assert (message.text, message.reactions[0][0]) == ("Two chairs", "🔥")

    yes = Button(label="Yes", payload="order:yes")
    mine = await shop.answer("Shall we send them?", buttons=(yes,))
    await shop.becomes(mine, "sent")
    asked = server.messages[7, 2]
    assert asked["reply_markup"]["inline_keyboard"][0][0]["callback_data"] == "order:yes"
    await bot.happens(
        callback_query={
            "id": "q1",
            "from": user,
            "chat_instance": "1",
            "data": "order:yes",
            "message": asked,
        }
    )
    assert (await shop.messages(3))[-1].text == "Yes"
    await until(lambda: bot.answered == ["q1"])

    await shop.agent.do(EditMessage(message_id=mine, text="Shall we bring them?"))
    await until(lambda: asked["text"] == "Shall we bring them?")
    await shop.agent.do(ReactToMessage(message_id=message.id, emoji="👍"))
    await until(lambda: bot.reactions.get((7, 1)) == [{"type": "emoji", "emoji": "👍"}])
    await shop.agent.do(RetractMessage(message_id=mine))
    await until(lambda: (7, 2) not in server.messages)


async def test_places_people_and_things_that_are_no_words(shop: Messenger) -> None:
    server, bot = shop.server, shop.bot
    vera = server.private(7, "Vera")
    await bot.hears(vera, location={"latitude": 55.75, "longitude": 37.61})
    await bot.hears(vera, contact={"phone_number": "79990001122", "first_name": "V", "user_id": 7})
    voice = server.keep_file(b"OggS", duration=3)
    await bot.hears(vera, voice=voice)
    await bot.hears(
        vera, sticker={**server.keep_file(b"RIFF"), "type": "regular", "width": 9, "height": 9,
                       "is_animated": False, "is_video": False, "emoji": "🙂"}
    )  # fmt: skip
    await bot.hears(vera, game={"title": "Chess", "description": "x", "photo": []})
    await bot.happens(
        purchased_paid_media={"from": vera | {"is_bot": False}, "paid_media_payload": "x"}
    )
    found = await shop.messages(6)
    assert "55.750000" in found[0].text
    assert found[1].extra["profile"]["phone"] == "+79990001122"  # type: ignore[index]
    assert found[2].attachments[0].media_type == "audio/ogg"
    assert found[3].text == "🙂"
    assert found[4].unsupported == "game"
    assert found[5].unsupported == "purchased_paid_media"


async def test_a_business_account_has_dialogs_of_its_own(shop: Messenger) -> None:
    """The bot answers in the name of a connected account, in which messages count anew."""
    server, bot = shop.server, shop.bot
    vera = server.private(7, "Vera")
    user = {"id": 7, "is_bot": False, "first_name": "Vera"}
    await bot.hears(vera, text="To the bot")
    number = {"message_id": 1, "date": int(time.time()), "chat": vera, "from": user}
    here = {**number, "business_connection_id": "Bc-1_x"}
    await bot.happens(business_message={**here, "text": "To the owner"})
    owner = {"id": 99, "is_bot": False, "first_name": "Owner"}
    await bot.happens(business_message={**here, "message_id": 2, "from": owner, "text": "mine"})
    await bot.happens(
        edited_business_message={**here, "text": "To the owner!", "edit_date": number["date"] + 1}
    )
    await until(lambda: _counts(shop, [1, 1]))
    said = {one.preview: one for one in await shop.dialogs()}
    assert set(said) == {"To the bot", "To the owner!"}
    dialog = said["To the owner!"]
    sent = await shop.agent.do(SendMessage(dialog_id=dialog.id, text="Yes", send_anyway=True))
    mine = await shop.becomes(MessageId(sent[0]), "sent")
    assert server.said("sendMessage")[-1]["business_connection_id"] == "Bc-1_x"
    assert not [one for one in server.said("sendMessage") if "business_connection_id" not in one]
    await shop.agent.do(RetractMessage(message_id=mine.id))
    await until(lambda: server.said("deleteBusinessMessages"))
    gone = server.said("deleteBusinessMessages")[0]
    assert gone["business_connection_id"] == "Bc-1_x"
    await bot.happens(
        deleted_business_messages={
            "business_connection_id": "Bc-1_x", "chat": vera, "message_ids": [1]
        }
    )  # fmt: skip
    thread = (await shop.house.system.thread(dialog.id)).messages
    assert thread[0].extra["taken_back"]
    other = (await shop.house.system.thread(said["To the bot"].id)).messages
    assert "taken_back" not in other[0].extra


async def test_comments_of_a_channel_and_words_to_it(shop: Messenger) -> None:
    """A post in the discussion group asks for nothing, its comments do, and so do direct words."""
    server, bot = shop.server, shop.bot
    channel = {"id": -1002, "type": "channel", "title": "News"}
    group = server.group(-1001, "News, discussed")
    vera = {"id": 7, "is_bot": False, "first_name": "Vera"}
    telegram = {"id": 777000, "is_bot": False, "first_name": "Telegram"}
    post = await bot.hears(
        group, telegram, text="We open at nine", sender_chat=channel, is_automatic_forward=True
    )
    comment = await bot.hears(
        group, vera, text="On Sunday too?", reply_to_message=post, message_thread_id=1
    )
    found = await shop.messages(2)
    assert [one.automated for one in found] == [True, False]
    assert found[1].reply_to == found[0].id
    # An answer to the comment stands below the post, where its reader looks.
    mine = await shop.answer("Yes", reply_to=found[1].id)
    await shop.becomes(mine, "sent")
    said = server.said("sendMessage")[-1]
    assert said["reply_parameters"]["message_id"] == comment["message_id"]
    assert "message_thread_id" not in said
    # What is written to the channel itself, each person in a topic of his own.
    direct = server.group(-1003, "News", is_direct_messages=True)
    topic = {"topic_id": 7, "user": vera}
    await bot.hears(direct, vera, text="May I ask?", direct_messages_topic=topic)
    await until(lambda: _counts(shop, [1, 3]))
    (asked,) = [one for one in await shop.dialogs() if one.preview == "May I ask?"]
    assert (asked.contact_name, asked.address_kind) == ("Vera", "telegram")
    sent = await shop.agent.do(SendMessage(dialog_id=asked.id, text="Do", send_anyway=True))
    await shop.becomes(MessageId(sent[0]), "sent")
    said = server.said("sendMessage")[-1]
    assert (int(said["chat_id"]), int(said["direct_messages_topic_id"])) == (-1003, 7)


async def test_several_bots_know_one_person_apart(shop: Messenger) -> None:
    """Two bots of a house: one person, a dialog with each, each answered by its own bot."""
    other = shop.server.new_bot("654321:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw")
    settings = {"token": other.token, "api_url": shop.server.url}
    await shop.house.system.do(
        CreateAccount(channel="telegram", title="Second bot", settings=settings)
    )
    await until(lambda: other.webhook)
    vera = shop.server.private(7, "Vera")
    await shop.bot.hears(vera, text="To the first")
    await other.hears(vera, text="To the second")
    query = DialogQuery(view="everything")
    first, second = sorted(
        (await shop.house.system.dialogs(query)).dialogs, key=lambda one: one.account_id
    )
    assert first.contact_id == second.contact_id
    assert (first.preview, second.preview) == ("To the first", "To the second")
    sent = await shop.agent.do(SendMessage(dialog_id=second.id, text="Hello", send_anyway=True))
    await shop.becomes(MessageId(sent[0]), "sent")
    assert [one["from"]["id"] for one in shop.server.messages.values()][-1] == other.user["id"]


async def test_albums_leave_as_albums(shop: Messenger) -> None:
    """Pictures and films of one answer stand together, what is no picture stands beside them."""
    await shop.bot.hears(shop.server.private(7, "Vera"), text="Show me")
    dialog = (await shop.messages())[0].dialog_id
    files = []
    for name, kind in (
        ("a.png", "image/png"), ("b.jpg", "image/jpeg"), ("c.mp4", "video/mp4"),
        ("d.pdf", "application/pdf"),
    ):  # fmt: skip
        one = Attachment(name=name, media_type=kind, content=name.encode())
        files.append(await shop.agent.upload(one, dialog))
    mine = await shop.answer("All we have", attachments=tuple(files))
    await shop.becomes(mine, "sent")
    (album,) = shop.server.said("sendMediaGroup")
    assert [one["type"] for one in album["media"]] == ["photo", "photo", "video"]
    assert album["media"][0]["caption"] == "All we have"
    assert [one["document"][0] for one in shop.server.said("sendDocument")] == ["d.pdf"]


async def test_files_up_to_the_limits_and_from_a_server_of_ones_own(
    tmp_path: Path, database_url: str
) -> None:
    """Telegram's own servers refuse above 20 MB in words; a server with --local gives its disk."""
    big = b"x" * 20_000_001
    async with messenger(tmp_path, database_url) as shop:
        vera = shop.server.private(7, "Vera")

        async def busy(request: web.Request) -> web.Response:
            return web.Response(status=502, text="<html>", content_type="text/html")

        shop.server.fails("file", busy)
        for content in (big, b"small"):
            await shop.bot.hears(vera, document=shop.server.keep_file(content, file_name="a.bin"))

        async def settled() -> bool:
            return not any(one.attachments[0].state == "pending" for one in await shop.messages(2))

        await until(settled)
        large, small = [one.attachments[0] for one in await shop.messages(2)]
        assert (large.state, "too big" in large.error) == ("failed", True)
        assert small.state == "ready"
        # The limits of an account are its own: what Telegram refuses, a server with --local takes.
        heavy = Attachment(name="c.bin", media_type="application/zip", content=b"x" * 50_000_001)
        upload = await shop.agent.upload(heavy, (await shop.dialog()).id)
        with pytest.raises(Invalid, match="up to 50 MB"):
            await shop.answer("", attachments=(upload,))
        account = await shop.house.system.account(shop.account_id)
        shop.server.disk = tmp_path / "disk"
        shop.server.disk.mkdir()
        await shop.house.system.do(
            UpdateAccount(account_id=account.id, settings={**account.settings, "local_files": True})
        )
        await shop.bot.hears(vera, document=shop.server.keep_file(big, file_name="b.bin"))
        found = (await shop.messages(3))[2]

        async def fetched() -> bool:
            return (await shop.house.system.message(found.id)).attachments[0].state == "ready"

        await until(fetched)
        file = await shop.house.system.file(found.attachments[0].id)
        assert len(file.content or b"") == len(big)
        await shop.becomes(await shop.answer("", attachments=(upload,)), "sent")
        (sent,) = shop.server.said("sendDocument")
        assert len(sent["document"][1]) == 50_000_001


async def test_an_album_is_one_message(shop: Messenger) -> None:
    vera = shop.server.private(7, "Vera")
    for n in range(3):
        photo = shop.server.keep_file(b"photo %d" % n, width=9, height=9)
        await shop.bot.hears(
            vera, photo=[photo], media_group_id="77", **({"caption": "Three"} if n == 0 else {})
        )
    await until(lambda: _album(shop))


async def _album(shop: Messenger) -> bool:
    found = await shop.messages()
    return [(one.text, len(one.attachments)) for one in found] == [("Three", 3)]


async def test_groups_and_their_topics_are_dialogs_of_their_own(shop: Messenger) -> None:
    server, bot = shop.server, shop.bot
    group = server.group(-1001, "Builders", is_forum=True)
    vera = {"id": 7, "is_bot": False, "first_name": "Vera"}
    oleg = {"id": 8, "is_bot": False, "first_name": "Oleg"}
    await bot.hears(group, vera, text="Roof", message_thread_id=3, is_topic_message=True)
    await bot.hears(group, oleg, text="Tiles", message_thread_id=3, is_topic_message=True)
    await bot.hears(group, vera, text="Doors", message_thread_id=4, is_topic_message=True)
    await until(lambda: _counts(shop, [1, 2]))
    roof = next(one for one in await shop.dialogs() if one.message_count == 2)
    sent = await shop.agent.do(SendMessage(dialog_id=roof.id, text="Tomorrow", send_anyway=True))
    await shop.becomes(sent[0], "sent")
    said = server.said("sendMessage")[-1]
    assert (int(said["chat_id"]), int(said["message_thread_id"])) == (-1001, 3)


async def _counts(shop: Messenger, wanted: list[int]) -> bool:
    return sorted(one.message_count for one in await shop.dialogs()) == wanted


async def test_a_group_that_becomes_a_supergroup_stays_one_dialog(shop: Messenger) -> None:
    server, bot = shop.server, shop.bot
    group = server.group(-5, "Builders") | {"type": "group"}
    vera = {"id": 7, "is_bot": False, "first_name": "Vera"}
    await bot.hears(group, vera, text="Before")
    server.migrated[-5] = -1005
    server.group(-1005, "Builders")
    # Our answer meets the change first, the update of it comes later.
    mine = await shop.answer("Meanwhile")
    await shop.becomes(mine, "sent")
    await bot.hears(group, vera, migrate_to_chat_id=-1005)
    await bot.hears(server.chats[-1005], vera, text="After")
    said = {one.text for one in await shop.messages(3)}
    assert said == {"Before", "Meanwhile", "After"}


async def _refuse(code: int, words: str, **more: Any) -> None:
    raise Refused(code, words, **more)


@pytest.mark.parametrize(
    ("fault", "status", "reason"),
    [
        (
            lambda _: _refuse(429, "Too Many Requests: retry after 900", retry_after=900),
            "queued",
            "",
        ),
        (lambda _: _refuse(500, "Internal Server Error"), "queued", ""),
        (lambda _: _refuse(403, "Forbidden: bot was blocked by the user"), "failed", "blocked"),
        (lambda _: _refuse(400, "Bad Request: chat not found"), "failed", "invalid_address"),
    ],
    ids=["flood", "trouble", "blocked", "nobody"],
)
async def test_a_refusal_keeps_its_meaning(
    shop: Messenger, fault: Any, status: str, reason: str
) -> None:
    await shop.bot.hears(shop.server.private(7, "Vera"), text="Hi")
    await shop.messages()
    shop.server.fails("sendMessage", fault)
    mine = await shop.answer("Hello")

    async def tried() -> bool:
        return bool((await shop.house.system.read(delivery, mine)).attempts)

    await until(tried)
    message = await shop.becomes(mine, status)
    assert message.reason == reason
    kept = await shop.house.system.read(delivery, mine)
    # Telegram's own words of patience are kept to.
    assert (kept.due_at - shop.house.system.now() > 600_000_000) == ("900" in message.reason_text)


async def test_a_revoked_token_turns_the_account_red_and_keeps_the_answer(shop: Messenger) -> None:
    await shop.bot.hears(shop.server.private(7, "Vera"), text="Hi")
    await shop.messages()
    del shop.server.bots[TOKEN]
    mine = await shop.answer("Hello")

    async def red() -> bool:
        account = await shop.house.system.account(shop.account_id)
        return account.state == "down" and "token" in account.last_error

    await until(red)
    assert (await shop.house.system.message(mine)).status == "queued"
    fresh = shop.server.new_bot(TOKEN.replace("AAH", "AAJ"))
    account = await shop.house.system.account(shop.account_id)
    settings = {**account.settings, "token": fresh.token}
    await shop.house.system.do(UpdateAccount(account_id=account.id, settings=settings))
    await shop.becomes(mine, "sent")
    assert len(shop.server.said("sendMessage")) == 1


async def test_a_page_of_html_is_tried_again(shop: Messenger) -> None:
    await shop.bot.hears(shop.server.private(7, "Vera"), text="Hi")
    await shop.messages()

    async def bad_gateway(request: web.Request) -> web.Response:
        return web.Response(status=502, text="<html>Bad Gateway</html>", content_type="text/html")

    shop.server.fails("sendMessage", bad_gateway)
    mine = await shop.answer("Hello")

    async def tried() -> bool:
        return bool((await shop.house.system.read(delivery, mine)).attempts)

    await until(tried)
    assert (await shop.house.system.message(mine)).status in ("queued", "sent")


async def test_an_answer_that_never_comes_is_unknown_and_not_repeated(
    shop: Messenger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.telegram.wire.SECONDS", 1)
    monkeypatch.setattr("channels.telegram.sending.SECONDS", 1)
    await shop.bot.hears(shop.server.private(7, "Vera"), text="Hi")
    await shop.messages()
    taken: list[int] = []

    async def taken_and_silent(request: web.Request) -> None:
        taken.append(1)
        await asyncio.sleep(5)

    shop.server.fails("sendMessage", taken_and_silent)
    mine = await shop.answer("Hello")
    await until(lambda: taken)
    # While Telegram is slow, others are heard.
    await shop.bot.hears(shop.server.private(8, "Oleg"), text="And me?")
    assert (await shop.house.system.message(mine)).status != "unknown"
    await shop.becomes(mine, "unknown")
    assert taken == [1]


async def test_a_long_answer_leaves_in_parts_that_fit(shop: Messenger) -> None:
    await shop.bot.hears(shop.server.private(7, "Vera"), text="Hi")
    await shop.messages()
    mine = await shop.answer("слово 😀 " * 700)
    await shop.becomes(mine, "sent")
    said = [one["text"] for one in shop.server.said("sendMessage")]
    assert len(said) == 2
    assert " ".join(said).split() == ("слово 😀 " * 700).split()


async def test_what_cannot_be_read_is_put_aside_and_the_rest_goes_on(both: Messenger) -> None:
    broken = {"update_id": 900, "message": {"message_id": "?", "chat": 5}}
    nameless = {"update_id": 901, "never_seen": {"x": 1}}
    if both.bot.webhook:
        assert [await both.bot.post(one) for one in (broken, nameless)] == [200, 200]
    else:
        both.bot.updates += [broken, nameless]
        both.bot.news.set()
    await both.bot.hears(both.server.private(7, "Vera"), text="Hi")
    assert [one.text for one in await both.messages()] == ["Hi"]
    assert len(await both.house.system.read(quarantined)) == 2


async def test_two_readers_of_one_bot_are_explained(tmp_path: Path, database_url: str) -> None:
    async with messenger(tmp_path, database_url, receive="polling") as shop:
        shop.server.fails("getUpdates", *[
            lambda _: _refuse(409, "Conflict: terminated by other getUpdates request")
        ] * 5)  # fmt: skip

        async def red() -> bool:
            account = await shop.house.system.account(shop.account_id)
            return "one reader" in account.last_error

        await until(red)


async def test_a_removed_account_leaves_no_webhook_behind(shop: Messenger) -> None:
    assert shop.bot.webhook.startswith("https://hub.example/hooks/")
    await shop.agent.do(RemoveAccount(account_id=shop.account_id))
    assert shop.bot.webhook == ""


async def test_a_start_link_knows_who_comes(shop: Messenger) -> None:
    (contact,) = await shop.agent.do(CreateContact(name="Vera of the letters"))
    token = as_parameter(shop.house.system.sign(PURPOSE, str(contact)))
    await shop.bot.hears(shop.server.private(8, "V"), text=f"/start {token}")

    async def bound() -> bool:
        found = await shop.dialogs()
        return [one.contact_id for one in found] == [contact]

    await until(bound)
    # A link that is not ours changes nothing. (The last letter has bits that say nothing.)
    forged = token[:-4] + ("A" if token[-4] != "A" else "B") + token[-3:]
    await shop.bot.hears(shop.server.private(9, "Stranger"), text=f"/start {forged}")
    await until(lambda: _counts(shop, [1, 1]))
    assert len({one.contact_id for one in await shop.dialogs()}) == 2


async def test_a_kill_in_the_middle_of_a_send_is_unknown_and_not_repeated(
    tmp_path: Path, database_url: str
) -> None:
    async with TelegramServer() as server:
        bot = server.new_bot(TOKEN)
        server.private(7, "Vera")
        reached = asyncio.Event()

        async def taken_and_silent(request: web.Request) -> None:
            reached.set()
            await asyncio.sleep(5)

        server.fails("sendMessage", taken_and_silent)
        status = await killed_in_send(
            tmp_path,
            database_url,
            module="channels.telegram",
            channel="telegram",
            settings={"token": bot.token, "api_url": server.url, "receive": "polling"},
            person=Address(kind="telegram", value="7", name="Vera"),
            reached=reached,
        )
        assert status == "unknown"
        # What Telegram took before the kill is the only one there is.
        assert len(server.said("sendMessage")) <= 1
