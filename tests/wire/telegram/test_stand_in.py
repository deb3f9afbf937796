"""The stand-in of the Bot API serves a client that nobody of us wrote."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import telegram
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, RetryAfter

from tests.servers.telegram import Refused, StandInBot, TelegramServer

TOKEN = "123456:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"


@pytest.fixture
async def server() -> AsyncIterator[TelegramServer]:
    async with TelegramServer() as found:
        yield found


@pytest.fixture
async def client(server: TelegramServer) -> AsyncIterator[telegram.Bot]:
    server.new_bot(TOKEN)
    base, files = f"{server.url}/bot", f"{server.url}/file/bot"
    async with telegram.Bot(TOKEN, base_url=base, base_file_url=files) as bot:
        yield bot


def bot_of(server: TelegramServer) -> StandInBot:
    return server.bots[TOKEN]


async def test_words_files_and_changes(server: TelegramServer, client: telegram.Bot) -> None:
    assert client.username == "shop_bot"
    server.private(7, "Vera")
    keys = telegram.InlineKeyboardMarkup(
        [[telegram.InlineKeyboardButton("Yes", callback_data="y")]]
    )
    sent = await client.send_message(7, "Hello", reply_markup=keys)
    assert (sent.text, sent.chat.id) == ("Hello", 7)
    changed = await client.edit_message_text("Good day", 7, sent.message_id)
    assert isinstance(changed, telegram.Message)
    assert changed.text == "Good day"
    with pytest.raises(BadRequest, match=r"(?i)not modified"):
        await client.edit_message_text("Good day", 7, sent.message_id)
    letter = await client.send_document(7, b"%PDF-1.4", filename="a.pdf", caption="Price list")
    assert letter.document is not None
    file = await client.get_file(letter.document.file_id)
    assert bytes(await file.download_as_bytearray()) == b"%PDF-1.4"
    album = await client.send_media_group(
        7, [telegram.InputMediaPhoto(b"one"), telegram.InputMediaPhoto(b"two")]
    )
    assert len(album) == 2
    assert await client.set_message_reaction(7, sent.message_id, "👍")
    assert await client.delete_message(7, sent.message_id)


async def test_updates_are_asked_for_and_forgotten(
    server: TelegramServer, client: telegram.Bot
) -> None:
    vera = server.private(7, "Vera")
    await bot_of(server).hears(vera, text="One")
    await bot_of(server).hears(vera, text="Two")
    first = await client.get_updates(timeout=1)
    assert [one.message.text for one in first if one.message] == ["One", "Two"]
    rest = await client.get_updates(offset=first[0].update_id + 1, timeout=1)
    assert len(rest) == 1
    assert await client.set_webhook("https://hub.example/hooks/1", secret_token="s")
    info = await client.get_webhook_info()
    assert info.url == "https://hub.example/hooks/1"
    with pytest.raises(Conflict):
        await client.get_updates(timeout=1)


async def test_refusals(
    server: TelegramServer, client: telegram.Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "true")
    server.private(7, "Vera")
    server.blocked.add(7)
    with pytest.raises(Forbidden):
        await client.send_message(7, "Hello")
    with pytest.raises(BadRequest, match="Chat not found"):
        await client.send_message(8, "Hello")
    server.blocked.clear()
    with pytest.raises(BadRequest, match=r"(?i)too long"):
        await client.send_message(7, "😀" * 2049)

    async def busy(request: object) -> None:
        raise Refused(429, "Too Many Requests: retry after 3", retry_after=3)

    server.fails("sendMessage", busy)
    with pytest.raises(RetryAfter):
        await client.send_message(7, "Hello")
    stranger = telegram.Bot(
        "123456:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDxxx", base_url=f"{server.url}/bot"
    )
    with pytest.raises(InvalidToken):
        await stranger.initialize()
    await stranger.shutdown()
