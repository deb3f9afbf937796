"""The MAX stand-in serves a client that nobody of us wrote: maxapi, with its typed answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from maxapi import Bot
from maxapi.enums.message_link_type import MessageLinkType
from maxapi.exceptions.max import InvalidToken, MaxApiError
from maxapi.types.input_media import InputMediaBuffer
from maxapi.types.message import NewMessageLink
from maxapi.types.updates import UpdateUnionAdapter

from tests.servers.max_messenger import ANNA, BOT, TOKEN, MaxMessenger, refusal

USER = int(str(ANNA["user_id"]))


@pytest.fixture
def messenger() -> Iterator[MaxMessenger]:
    with MaxMessenger() as one:
        yield one


@pytest.fixture
async def bot(messenger: MaxMessenger) -> AsyncIterator[Bot]:
    one = Bot(TOKEN)
    one.set_api_url(messenger.url)
    yield one
    await one.close_session()


async def test_a_foreign_client_writes_answers_changes_and_removes(
    messenger: MaxMessenger, bot: Bot
) -> None:
    assert (await bot.get_me()).username == BOT["username"]
    asked = messenger.write("Есть хлеб?")
    link = NewMessageLink(type=MessageLinkType.REPLY, mid=asked["body"]["mid"])
    sent = await bot.send_message(user_id=USER, text="Ест", link=link)
    assert sent is not None
    mid = sent.message.body.mid
    assert sent.message.recipient.chat_id == USER + 70_000
    assert (await bot.edit_message(message_id=mid, text="Есть")).success  # type: ignore[union-attr]
    assert [one["body"]["text"] for one in messenger.sent()] == ["Есть"]
    assert (await bot.delete_message(mid)).success
    assert messenger.sent() == []
    assert (await bot.send_action(chat_id=75001)).success


async def test_a_foreign_client_uploads_files(messenger: MaxMessenger, bot: Bot) -> None:
    bot.after_input_media_delay = 0
    bot.after_upload_retry_delay = 0
    messenger.not_ready = 1
    png = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
    photo = InputMediaBuffer(buffer=png, filename="cake.png")
    text = InputMediaBuffer(buffer=b"bread 30", filename="price.txt")
    sent = await bot.send_message(user_id=USER, attachments=[photo, text])
    assert sent is not None
    assert [one.type for one in sent.message.body.attachments or []] == ["image", "file"]
    assert {png, b"bread 30"} <= set(messenger.kept.values())


async def test_a_foreign_client_polls_and_types_every_update(
    messenger: MaxMessenger, bot: Bot
) -> None:
    message = messenger.write("Есть хлеб?", attachments=[messenger.file("image", b"jpeg")])
    messenger.rewrite(message, "Есть батон?")
    messenger.remove(message)
    callback = messenger.press(message, "yes")
    messenger.begin("link")
    messenger.end()
    found = await bot.get_updates(timeout=1)
    kinds = [UpdateUnionAdapter.validate_python(one).update_type for one in found["updates"]]
    assert kinds == [one["update_type"] for one in messenger.updates]
    assert found["marker"] == len(kinds)
    assert (await bot.send_callback(callback_id=callback, notification="ok")).success
    assert messenger.answered == [callback]


async def test_a_foreign_client_subscribes_a_webhook(messenger: MaxMessenger, bot: Bot) -> None:
    url = "https://shop.example/max"
    assert (await bot.subscribe_webhook(url=url, secret="s3cret")).success
    assert [one.url for one in (await bot.get_subscriptions()).subscriptions] == [url]
    assert messenger.subscriptions[0]["secret"] == "s3cret"
    assert (await bot.unsubscribe_webhook(url=url)).success
    assert (await bot.get_subscriptions()).subscriptions == []


async def test_a_foreign_client_understands_refusals(messenger: MaxMessenger, bot: Bot) -> None:
    messenger.fail_next("/messages", refusal(429, "too.many.requests"))
    with pytest.raises(MaxApiError) as refused:
        await bot.send_message(user_id=USER, text="x")
    assert refused.value.code == 429
    messenger.end()
    with pytest.raises(MaxApiError) as refused:
        await bot.send_message(user_id=USER, text="x")
    assert refused.value.code == 403
    messenger.tokens.clear()
    with pytest.raises(InvalidToken):
        await bot.get_me()
