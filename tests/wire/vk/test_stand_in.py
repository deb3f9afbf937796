"""The VK stand-in serves a client that nobody of us wrote: vkbottle, with its typed answers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from aiohttp import ClientError
from vkbottle import API, AiohttpClient, VKAPIError
from vkbottle.callback import BotCallback
from vkbottle.polling import BotPolling
from vkbottle.tools import DocMessagesUploader, PhotoMessageUploader, VoiceMessageUploader
from vkbottle_types.events import bot_events

from tests.servers.stand_in import HTML, Reply, Request, StandIn
from tests.servers.vk import ANNA, TOKEN, Vk, error
from tests.servers.vk_events import GROUP


@pytest.fixture
def vk() -> Iterator[Vk]:
    with Vk() as one:
        one.allow()
        yield one


@pytest.fixture
async def api(vk: Vk) -> AsyncIterator[API]:
    one = API(TOKEN, http_client=AiohttpClient())
    one.API_URL = f"{vk.url}/method/"
    yield one
    await one.http_client.close()


async def send(api: API, random_id: int, **more: Any) -> Any:
    [sent] = await api.messages.send(peer_ids=[ANNA], random_id=random_id, **more)
    return sent


async def test_a_foreign_client_sends_once_however_often_it_repeats(vk: Vk, api: API) -> None:
    first = await send(api, 7, message="Здравствуйте")
    again = await send(api, 7, message="Здравствуйте")
    other = await send(api, 8, message="Здравствуйте")
    assert (first.message_id, first.conversation_message_id) == (
        again.message_id,
        again.conversation_message_id,
    )
    assert other.message_id != first.message_id
    assert [one["text"] for one in vk.sent()] == ["Здравствуйте"] * 2


async def test_a_foreign_client_reads_who_people_and_we_are(api: API) -> None:
    [anna] = await api.users.get(user_ids=[ANNA], fields=["city"])
    assert (anna.first_name, anna.city.title) == ("Анна", "Псков")
    groups = (await api.groups.get_by_id()).groups
    assert [(one.id, one.name) for one in groups] == [(GROUP, "Пекарня")]


@pytest.mark.filterwarnings("ignore:In v4, passing bytes:DeprecationWarning")
async def test_a_foreign_client_uploads_and_sends_files(vk: Vk, api: API) -> None:
    photo = await PhotoMessageUploader(api).upload(b"\xff\xd8jpeg", peer_id=ANNA)
    doc = await DocMessagesUploader(api).upload(b"bread 30", title="price.txt", peer_id=ANNA)
    voice = await VoiceMessageUploader(api).upload(b"OggS", title="v.ogg", peer_id=ANNA)
    names = ",".join(str(one).replace("audio_message", "doc") for one in (photo, doc, voice))
    await send(api, 1, attachment=names)
    assert vk.sent()[-1]["attachment_names"] == names
    assert set(vk.kept.values()) == {b"\xff\xd8jpeg", b"bread 30", b"OggS"}


async def test_a_foreign_client_changes_and_takes_back(vk: Vk, api: API) -> None:
    sent = await send(api, 1, message="old")
    number = sent.conversation_message_id
    assert await api.messages.edit(peer_id=ANNA, cmid=number, message="new")
    assert [one["text"] for one in vk.sent()] == ["new"]
    await api.messages.delete(peer_id=ANNA, cmids=[number], delete_for_all=True)
    assert vk.sent() == []


@pytest.mark.parametrize("code", [5, 6, 9, 10, 901, 911, 914])
async def test_a_foreign_client_understands_refusals(vk: Vk, api: API, code: int) -> None:
    vk.fail_next("messages.send", error(code))
    with pytest.raises(VKAPIError) as refused:
        await send(api, 1, message="x")
    assert refused.value.code == code


async def test_who_denied_messages_gets_none(vk: Vk, api: API) -> None:
    vk.deny()
    sent = await send(api, 1, message="x")
    assert sent.error.code == 901


@pytest.mark.parametrize(
    "wrong", [{"keyboard": '{"buttons":[]}'}, {"message": "x", "colour": "red"}, {}]
)
async def test_what_the_schema_forbids_is_refused_and_noted(
    vk: Vk, api: API, wrong: dict[str, str]
) -> None:
    with pytest.raises(VKAPIError):
        await api.request("messages.send", {"peer_ids": str(ANNA), "random_id": 1, **wrong})
    if wrong:
        assert vk.objections
    vk.objections.clear()


async def test_a_foreign_client_polls_and_types_every_event(vk: Vk, api: API) -> None:
    polling = BotPolling(api, group_id=GROUP, wait=5)
    server = await polling.get_server()
    asked = asyncio.create_task(polling.get_event(server))
    message = vk.write("Есть хлеб?", geo={"coordinates": {"latitude": 57.8, "longitude": 28.3}})
    got = await asked
    [new] = [bot_events.MessageNew(**one) for one in got["updates"]]
    assert new.object.message is not None
    assert new.object.message.text == "Есть хлеб?"
    assert new.object.message.geo.coordinates.latitude == 57.8

    vk.rewrite(message, "Есть батон?")
    vk.type()
    vk.read_up_to(message)
    vk.deny()
    vk.allow()
    vk.order(12)
    vk.order(12, status=3, edited=True)
    got = await polling.get_event({**server, "ts": got["ts"]})
    kinds = [
        bot_events.MessageEdit,
        bot_events.MessageTypingState,
        None,
        bot_events.MessageDeny,
        bot_events.MessageAllow,
        bot_events.MarketOrderNew,
        bot_events.MarketOrderEdit,
    ]
    typed = [
        kind(**one) for kind, one in zip(kinds, got["updates"], strict=True) if kind is not None
    ]
    assert typed[0].object.text == "Есть батон?"
    assert typed[-1].object.total_price.text == "450 ₽"


async def test_a_foreign_client_sees_a_pressed_button(vk: Vk, api: API) -> None:
    keyboard = (
        '{"one_time":false,"inline":true,"buttons":[[{"action":'
        '{"type":"callback","label":"Да","payload":"{\\"p\\":\\"yes\\"}"}}]]}'
    )
    await send(api, 1, message="Нужен хлеб?", keyboard=keyboard)
    event_id = vk.press(vk.sent()[-1])
    event = bot_events.MessageEvent(**vk.events[-1])
    assert event.object.payload == {"p": "yes"}
    assert await api.messages.send_message_event_answer(
        event_id=event_id, user_id=ANNA, peer_id=ANNA
    )
    assert vk.answered == [event_id]


async def test_a_foreign_client_follows_a_line_that_breaks(vk: Vk, api: API) -> None:
    polling = BotPolling(api, group_id=GROUP, wait=1)
    server = await polling.get_server()
    vk.key = "key-2"
    failed = await polling.get_event(server)
    assert failed == {"failed": 2}
    server = await polling.handle_failed_event(server, failed)
    assert (await polling.get_event(server))["updates"] == []
    vk.lost = True
    assert await polling.get_event(server) == {"failed": 3}
    assert (await polling.get_event({**server, "ts": "99"}))["failed"] == 1


async def test_a_foreign_client_sets_up_a_callback_server(vk: Vk, api: API) -> None:
    confirmed = threading.Event()

    class Shop(StandIn):
        code = ""

        def answer(self, request: Request) -> Reply:
            if request.json()["type"] == "confirmation":
                return Reply(200, self.code.encode())
            confirmed.set()
            return Reply(200, b"ok")

    with Shop() as shop:
        callback = BotCallback(url=f"{shop.url}/vk", title="shop", api=api, group_id=GROUP)
        shop.code = await callback.get_callback_confirmation_code()
        number = await callback.add_callback_server()
        await callback.set_callback_settings(number, {"message_new": True})
        for _ in range(600):
            [server] = await callback.get_callback_servers()
            if server["status"] == "ok":
                break
            await asyncio.sleep(0.05)
        assert server["secret_key"] == callback.get_secret_key()
        vk.write("Привет")
        assert await asyncio.to_thread(confirmed.wait, 30)
        assert shop.requests[-1].json()["secret"] == callback.get_secret_key()
        await callback.delete_callback_server(number)
        assert await callback.get_callback_servers() == []


async def test_a_foreign_client_gets_over_a_page_of_html(vk: Vk, api: API) -> None:
    vk.fail_next("messages.send", HTML)
    await send(api, 1, message="one")
    assert len(vk.sent()) == 1
    assert len([one for one in vk.requests if one.path.endswith("messages.send")]) == 2


async def test_an_answer_can_be_lost_after_the_message_was_taken(vk: Vk, api: API) -> None:
    vk.fail_next("messages.send", after=True)
    with pytest.raises(ClientError):
        await send(api, 2, message="two")
    assert [one["text"] for one in vk.sent()] == ["two"]
