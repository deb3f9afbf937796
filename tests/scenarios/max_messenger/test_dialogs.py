"""A customer writes to a MAX bot and is answered, through the whole hub, both ways in."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

import channels.max_messenger
from crm_store.quarantine import quarantined
from hub import (
    Address,
    Button,
    Conflict,
    EditMessage,
    RetractMessage,
    UpdateAccount,
)
from tests.houses import until
from tests.scenarios.office import SECONDS, Office, office
from tests.servers.max_messenger import ANNA, TOKEN, MaxMessenger, refusal
from tests.servers.stand_in import HTML, Reply
from tests.wire.killed import killed_in_send

SECRET = "s3cretOfTheBakery"
POLLING = pytest.mark.parametrize("way", ["polling"])


@pytest.fixture
def messenger() -> Iterator[MaxMessenger]:
    with MaxMessenger() as one:
        yield one


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Failed attempts are repeated after a second, not after up to ten."""
    monkeypatch.setattr("hub.outcomes.BACKOFF_FIRST", timedelta(milliseconds=100))


@pytest.fixture
def way() -> str:
    return "webhook"


@pytest.fixture
async def shop(
    tmp_path: Path, database_url: str, messenger: MaxMessenger, way: str
) -> AsyncIterator[Office]:
    settings = {
        "token": TOKEN,
        "receive": way,
        "webhook_secret": SECRET,
        "api_url": messenger.url,
    }
    plugins = {"max_messenger": channels.max_messenger}
    async with office(tmp_path, database_url, plugins, "max", settings) as one:
        if way == "webhook":
            await until(lambda: messenger.subscriptions, SECONDS)
        yield one


@pytest.mark.parametrize("way", ["webhook", "polling"])
async def test_a_customer_is_heard_and_answered(shop: Office, messenger: MaxMessenger) -> None:
    asked = messenger.write("Есть хлеб?")
    [message] = await shop.received(1)
    assert (message.text, message.author_name) == ("Есть хлеб?", "Анна Белова")
    await shop.becomes(await shop.answer("Есть, <b>свежий</b>", reply_to=message.id), "sent")
    [sent] = messenger.sent()
    assert sent["body"]["text"] == "Есть, <b>свежий</b>"
    assert sent["link"]["message"]["mid"] == asked["body"]["mid"]


@POLLING
async def test_what_stands_out_leaves_as_maxs_own_formatting(
    shop: Office, messenger: MaxMessenger
) -> None:
    messenger.write("Есть хлеб?")
    await shop.received(1)
    sent = await shop.answer("*Есть*: [цены](https://a.example/?a=1&b=2)\n<b>")
    await shop.becomes(sent, "sent")
    [ours] = messenger.sent()
    assert ours["body"]["text"] == (
        '<b>Есть</b>: <a href="https://a.example/?a=1&amp;b=2">цены</a>\n&lt;b&gt;'
    )
    assert messenger.formats == ["html"]
    await shop.user.do(EditMessage(message_id=sent, text="_Нет_"))
    await until(lambda: ours["body"]["text"] == "<i>Нет</i>", SECONDS)


async def test_files_travel_both_ways(shop: Office, messenger: MaxMessenger) -> None:
    vcard = "BEGIN:VCARD\r\nFN:Анна Белова\r\nTEL;TYPE=cell:+79110000001\r\nEND:VCARD"
    messenger.write(
        "Вот",
        attachments=[
            messenger.file("image", b"jpeg"),
            messenger.file("file", b"bread 2", filename="Заказ.txt", size=7),
            {"type": "location", "latitude": 57.8, "longitude": 28.3},
            {"type": "contact", "payload": {"vcf_info": vcard}},
        ],
    )
    [message] = await shop.received(1)
    assert message.text.splitlines() == [
        "Вот",
        "📍 57.8, 28.3 https://yandex.ru/maps/?pt=28.3,57.8&z=16",
        "👤 Анна Белова +79110000001",
    ]
    files = await shop.files(message.id)
    assert [(name, content) for name, _, content in files] == [
        ("image1.jpg", b"jpeg"),
        ("Заказ.txt", b"bread 2"),
    ]
    ids = (
        await shop.attach("торт.png", b"\x89PNG", "image/png"),
        await shop.attach("голос.ogg", b"OggS", "audio/ogg"),
        await shop.attach("Прайс.pdf", b"%PDF", "application/pdf"),
    )
    messenger.not_ready = 2
    await shop.becomes(await shop.answer("Прайс", attachments=ids), "sent")
    [sent] = messenger.sent()
    assert [one["type"] for one in sent["body"]["attachments"]] == ["image", "audio", "file"]
    assert {b"\x89PNG", b"OggS", b"%PDF"} <= set(messenger.kept.values())


@POLLING
async def test_edits_take_backs_and_buttons(shop: Office, messenger: MaxMessenger) -> None:
    asked = messenger.write("Есть хлеб?")
    await shop.received(1)
    messenger.rewrite(asked, "Есть батон?")

    async def edited() -> bool:
        return (await shop.messages())[0].text == "Есть батон?"

    await until(edited, SECONDS)
    messenger.remove(asked)

    async def removed() -> bool:
        return bool((await shop.messages())[0].extra.get("taken_back"))

    await until(removed, SECONDS)
    buttons = (Button(label="Да", payload="yes"), Button(label="Сайт", url="https://example.org"))
    sent = await shop.answer("Отложить", buttons=buttons)
    await shop.becomes(sent, "sent")
    [ours] = messenger.sent()
    await shop.user.do(EditMessage(message_id=sent, text="Отложить?"))
    await until(lambda: ours["body"]["text"] == "Отложить?", SECONDS)
    assert [one["type"] for one in ours["body"]["attachments"]] == ["inline_keyboard"]
    callback = messenger.press(ours, "yes")
    [*_, pressed] = await shop.received(2)
    assert pressed.text == "Да"
    await until(lambda: messenger.answered == [callback], SECONDS)
    await shop.user.do(RetractMessage(message_id=sent))
    await until(lambda: messenger.sent() == [], SECONDS)


async def test_consent_follows_the_bots_start_and_stop(
    shop: Office, messenger: MaxMessenger
) -> None:
    messenger.begin("from-the-site")
    [started] = await shop.received(1)
    assert started.extra["profile"]["start"] == "from-the-site"
    await shop.becomes(await shop.answer("Здравствуйте"), "sent")
    messenger.end()

    async def refused() -> bool:
        try:
            await shop.answer("Ещё?")
        except Conflict as error:
            return error.what == "person_blocked"
        return False

    await until(refused, SECONDS)


async def test_typing_is_shown_in_the_persons_chat(shop: Office, messenger: MaxMessenger) -> None:
    messenger.write("Есть хлеб?")
    await shop.received(1)
    _, channel = await shop.runtime.channel_host.get(shop.account_id)
    anna = Address(kind="max", value=str(ANNA["user_id"]))
    await channel.signal(anna, "typing")
    await channel.signal(anna, "seen")
    assert messenger.actions == [("75001", "typing_on"), ("75001", "mark_seen")]


async def test_a_group_is_one_dialog(shop: Office, messenger: MaxMessenger) -> None:
    boris = {"user_id": 6002, "first_name": "Борис", "is_bot": False}
    messenger.write("Всем привет", chat=-88)
    messenger.write("И вам", sender=boris, chat=-88)
    messages = await shop.received(2)
    assert {one.author_name for one in messages} == {"Анна Белова", "Борис"}
    assert len(await shop.dialogs()) == 1
    await shop.becomes(await shop.answer("Добрый день"), "sent")
    assert messenger.sent()[0]["recipient"]["chat_id"] == -88


# -- troubles --------------------------------------------------------------------------------


async def test_passing_and_final_troubles(shop: Office, messenger: MaxMessenger) -> None:
    messenger.write("Есть хлеб?")
    await shop.received(1)
    busy = Reply(429, b'{"code":"too.many.requests"}', headers={"Retry_After": "1"})
    messenger.fail_next("/messages", busy)
    await shop.becomes(await shop.answer("раз"), "sent")
    messenger.fail_next("/messages", refusal(404, "chat.not.found"))
    failed = await shop.becomes(await shop.answer("два"), "failed")
    assert failed.reason == "invalid_address"
    # MAX knows no key: a lost answer is never repeated by itself.
    for trouble in (HTML, None, Reply(500)):
        messenger.fail_next("/messages", trouble, after=True)
        await shop.becomes(await shop.answer("три"), "unknown")
    assert [one["body"]["text"] for one in messenger.sent()] == ["раз", "три", "три", "три"]


async def test_a_slow_max_holds_up_nobody_else_and_its_silence_is_unknown(
    shop: Office, messenger: MaxMessenger, monkeypatch: pytest.MonkeyPatch
) -> None:
    messenger.write("Есть хлеб?")
    await shop.received(1)
    monkeypatch.setattr("hub.http_client.TOTAL_SECONDS", 3.0)
    hold = threading.Event()
    messenger.fail_next("/messages", after=True, hold=hold)
    sent = await shop.answer("Есть")
    await until(messenger.sent, SECONDS)
    messenger.write("Алло?")
    await shop.received(2)
    await shop.becomes(sent, "unknown")
    hold.set()
    assert len(messenger.sent()) == 1


async def test_a_revoked_token_turns_the_account_red_and_keeps_the_answer(
    shop: Office, messenger: MaxMessenger
) -> None:
    messenger.write("Есть хлеб?")
    await shop.received(1)
    messenger.tokens.clear()
    sent = await shop.answer("Есть")

    async def red() -> bool:
        account = await shop.account()
        return account.state == "down" and "MAX 401" in account.last_error

    await until(red, SECONDS)
    fresh = "afreshtokenofthebakery9876543210"
    messenger.tokens.add(fresh)
    settings = {**(await shop.account()).settings, "token": fresh}
    await shop.user.do(UpdateAccount(account_id=shop.account_id, settings=settings))
    await shop.becomes(sent, "sent")
    assert len(messenger.sent()) == 1


async def test_a_webhook_again_and_a_forged_one(shop: Office, messenger: MaxMessenger) -> None:
    messenger.write("Есть хлеб?")
    await shop.received(1)
    [update], [known] = messenger.updates, messenger.subscriptions
    answers = await asyncio.gather(
        *(asyncio.to_thread(messenger.deliver, update, known) for _ in range(5))
    )
    assert set(answers) == {200}
    for secret in ("", "wrong"):
        forged = {**known, "secret": secret}
        assert await asyncio.to_thread(messenger.deliver, update, forged) == 403
    assert len(await shop.messages()) == 1
    async with httpx2.AsyncClient() as client:
        for body in (b"[]", b"\xff", json.dumps({"update_type": "hologram"}).encode()):
            headers = {"x-max-bot-api-secret": SECRET}
            answer = await client.post(known["url"], content=body, headers=headers)
            assert answer.status_code == 200
        person = {"update_type": "hologram", "user": ANNA, "timestamp": 1}
        await client.post(known["url"], content=json.dumps(person).encode(), headers=headers)
    assert len(await shop.system.read(quarantined)) == 3
    assert "hologram" in {one.unsupported for one in await shop.messages()}


async def test_a_dropped_subscription_is_renewed(shop: Office, messenger: MaxMessenger) -> None:
    _, channel = await shop.runtime.channel_host.get(shop.account_id)
    assert (await channel.inspect()).ok
    messenger.subscriptions.clear()
    assert not (await channel.inspect()).ok
    assert (await channel.inspect()).ok
    checks = await channel.check()
    assert [(one.name, one.ok) for one in checks] == [("Bot", True), ("Receiving", False)]


@POLLING
async def test_a_line_that_breaks_loses_nothing(shop: Office, messenger: MaxMessenger) -> None:
    messenger.write("Один")
    await shop.received(1)
    messenger.fail_next("/updates", HTML)
    messenger.fail_next("/updates")
    messenger.write("Два")
    messenger.write("Три")
    await shop.received(3)
    assert [one.text for one in await shop.messages()] == ["Один", "Два", "Три"]


@pytest.mark.slow
async def test_a_kill_in_the_middle_of_a_send_is_unknown_and_not_repeated(
    tmp_path: Path, database_url: str, messenger: MaxMessenger
) -> None:
    # MAX takes the message and keeps its answer to itself.
    messenger.fail_next("/messages", None, after=True, hold=threading.Event())
    reached = asyncio.Event()

    async def watch() -> None:
        await until(messenger.sent, SECONDS)
        reached.set()

    watching = asyncio.create_task(watch())
    status = await killed_in_send(
        tmp_path,
        database_url,
        module="channels.max_messenger",
        channel="max",
        settings={"token": TOKEN, "api_url": messenger.url, "receive": "polling"},
        person=Address(kind="max", value=str(ANNA["user_id"]), name="Анна"),
        reached=reached,
    )
    await watching
    assert status == "unknown"
    assert len(messenger.sent()) == 1
