"""SMS through the whole hub: in, out, files, states, words of consent, pools, and what it costs."""

from __future__ import annotations

import asyncio
from itertools import permutations
from pathlib import Path

import pytest

from hub import Conflict, RemoveAccount
from tests.houses import until
from tests.scenarios.office import SECONDS, Office, office
from tests.scenarios.twilio.conftest import PERSON, PLUGINS, hook, tell, text, values
from tests.servers.twilio import NUMBER, SERVICE, TOKEN, TwilioServer, call

PNG = b"\x89PNG\r\n\x1a\n" + b"picture" * 50


async def test_a_text_becomes_a_dialog_and_is_answered(shop: Office, twilio: TwilioServer) -> None:
    await text(twilio, "Do you have brown bread?")
    [message] = await shop.received(1)
    [dialog] = await shop.dialogs()
    assert (dialog.address_kind, dialog.address) == ("phone", PERSON)
    assert message.text == "Do you have brown bread?"
    sent = await shop.answer("Yes, until six")
    await shop.becomes(sent, "sent")
    [out] = twilio.messages
    assert (out["To"], out["From"], out["Body"]) == (PERSON, NUMBER, "Yes, until six")
    for status in ("sent", "delivered"):
        await tell(twilio, 0, status)
    await shop.becomes(sent, "delivered")


async def test_pictures_go_both_ways(shop: Office, twilio: TwilioServer) -> None:
    await text(twilio, "", **twilio.file("image/png", PNG))
    [message] = await shop.received(1)
    assert await shop.files(message.id) == [("file-1.png", "image/png", PNG)]
    file = await shop.attach("cake.png", PNG[::-1], "image/png")
    sent = await shop.answer("Ours", attachments=(file,))
    await shop.becomes(sent, "sent")
    # The stand-in fetched it from the hub's public address, as Twilio does.
    assert twilio.messages[0].files == [("image/png", PNG[::-1])]
    link = twilio.messages[0]["MediaUrl"]
    forged = link[:-2] + ("AA" if not link.endswith("AA") else "BB")
    status, _ = await asyncio.to_thread(call, forged, None, {})  # type: ignore[arg-type]
    assert status == 403


async def test_states_end_alike_in_every_order(shop: Office, twilio: TwilioServer) -> None:
    await text(twilio, "hi")
    await shop.received(1)
    for n, order in enumerate(permutations(("sent", "delivered", "undelivered"))):
        sent = await shop.answer("hello")
        await shop.becomes(sent, "sent")
        for status in (*order, *order):
            await tell(twilio, n, status, 30003 if status == "undelivered" else 0)
        assert (await shop.user.message(sent)).status == "delivered", order


async def test_a_state_that_overtakes_the_answer_is_merged(
    shop: Office, twilio: TwilioServer
) -> None:
    await text(twilio, "hi")
    await shop.received(1)
    create = twilio._create

    def early(request):  # type: ignore[no-untyped-def]
        reply = create(request)
        assert twilio.tell(twilio.messages[-1], "delivered")[0] == 200
        return reply

    twilio._create = early  # type: ignore[method-assign]
    await shop.becomes(await shop.answer("hello"), "delivered")


async def test_a_refused_number_says_why(shop: Office, twilio: TwilioServer) -> None:
    await text(twilio, "hi")
    await shop.received(1)
    sent = await shop.answer("hello")
    await shop.becomes(sent, "sent")
    await tell(twilio, 0, "undelivered", 30006)
    message = await shop.becomes(sent, "failed")
    assert message.reason == "invalid_address"
    assert message.reason_text.startswith("Twilio 30006")


@pytest.mark.parametrize("word", ["STOP", "стоп!"])
async def test_a_word_of_stop_is_kept_and_obeyed(
    shop: Office, twilio: TwilioServer, word: str
) -> None:
    await text(twilio, "hi")
    await text(twilio, word)
    await shop.received(2)
    with pytest.raises(Conflict, match="does not take messages"):
        await shop.answer("one more offer")
    # Writing something else does not take it back; only the word for it does.
    await text(twilio, "I said stop")
    with pytest.raises(Conflict):
        await shop.answer("sorry")
    await text(twilio, "START")
    await shop.becomes(await shop.answer("welcome back"), "sent")


async def test_twilio_knows_of_a_stop_that_we_do_not(shop: Office, twilio: TwilioServer) -> None:
    await text(twilio, "hi")
    await shop.received(1)
    twilio.stopped.add(PERSON)
    message = await shop.becomes(await shop.answer("hello"), "failed")
    assert message.reason == "unsubscribed"


async def test_a_pool_sends_and_receives(
    tmp_path: Path, database_url: str, twilio: TwilioServer
) -> None:
    settings = values(twilio, sender="", messaging_service=SERVICE)
    async with office(tmp_path, database_url, PLUGINS, "sms", settings) as shop:
        await until(lambda: twilio.service_url, SECONDS)
        await text(twilio, "hi", To="+15557654322")
        await shop.received(1)
        await shop.becomes(await shop.answer("hello"), "sent")
        assert twilio.messages[0]["MessagingServiceSid"] == SERVICE
        await shop.user.do(RemoveAccount(account_id=shop.account_id))
        assert twilio.service_url == ""


async def test_forged_and_repeated_webhooks(shop: Office, twilio: TwilioServer) -> None:
    url = await hook(shop)
    fields = {
        "MessageSid": "SM1",
        "From": PERSON,
        "Body": "x",
        "AccountSid": values(twilio)["account_sid"],
    }
    refused = [
        await asyncio.to_thread(twilio.post, url, fields, token="another"),
        await asyncio.to_thread(call, url, b"MessageSid=SM1", {}),
        # Signed, but for another address: the hub's own counts, not the Host that was asked.
        await asyncio.to_thread(_elsewhere, twilio, url, fields),
        await asyncio.to_thread(twilio.post, url, {**fields, "AccountSid": "AC" + "f" * 32}),
        await asyncio.to_thread(twilio.post, url, fields, algorithm="HMAC_SHA256"),
    ]
    assert [one[0] for one in refused] == [403] * 5
    assert await shop.dialogs() == []
    for _ in range(3):
        assert (await asyncio.to_thread(twilio.post, url, fields))[0] == 200
    assert len(await shop.messages()) == 1


def _elsewhere(twilio: TwilioServer, url: str, fields: dict[str, str]) -> tuple[int, str]:
    from urllib.parse import urlencode

    from twilio.request_validator import RequestValidator

    signature = RequestValidator(TOKEN).compute_signature(
        url.replace("127.0.0.1", "evil.example"), fields
    )
    headers = {"X-Twilio-Signature": signature, "Host": "evil.example"}
    headers["Content-Type"] = "application/x-www-form-urlencoded"
    return call(url, urlencode(fields).encode(), headers)


async def test_removing_the_account_takes_the_webhook_back(
    shop: Office, twilio: TwilioServer
) -> None:
    assert twilio.numbers[NUMBER] == await hook(shop)
    await shop.user.do(RemoveAccount(account_id=shop.account_id))
    assert twilio.numbers[NUMBER] == ""


async def test_the_price_is_counted_before_sending(shop: Office) -> None:
    _, channel = await shop.runtime.channel_host.get(shop.account_id)
    measured = channel.measure("Здравствуйте! " * 6)
    assert measured is not None
    assert (measured.parts, measured.encoding, measured.cost) == (2, "UCS-2", "0.0158 USD")


async def test_keys_and_bodies_of_every_kind_are_verified(
    tmp_path: Path, database_url: str, twilio: TwilioServer
) -> None:
    settings = values(twilio, previous_token="the-old-token", webhook_key="a-shared-key")
    async with office(tmp_path, database_url, PLUGINS, "sms", settings) as shop:
        url = await hook(shop)
        fields = {"MessageSid": "SM2", "From": PERSON, "Body": "x"}

        def post(**more: object) -> int:
            return twilio.post(url, fields, **more)[0]  # type: ignore[arg-type]

        assert await asyncio.to_thread(post, token="the-old-token") == 200
        sha256 = {"token": "a-shared-key", "algorithm": "HMAC_SHA256"}
        assert await asyncio.to_thread(post, **sha256) == 200
        assert await asyncio.to_thread(post, token="the-old-token", algorithm="HMAC_SHA256") == 403
        # A signed JSON body is Twilio's, though no message: it is kept, not refused.
        assert await asyncio.to_thread(post, as_json_body=True) == 200
        assert len(await shop.messages()) == 1
