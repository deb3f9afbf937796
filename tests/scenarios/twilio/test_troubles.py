"""What goes wrong at Twilio, and what becomes of the messages: nothing lost, nothing doubled."""

from __future__ import annotations

import json
import threading

import pytest

from hub import Account, Invalid, UpdateAccount
from tests.houses import until
from tests.scenarios.office import SECONDS, Office
from tests.scenarios.twilio.conftest import tell, text
from tests.servers.stand_in import HTML, Reply
from tests.servers.twilio import NUMBER, TOKEN, TwilioServer, refuse

MESSAGES = "/Messages.json"


@pytest.fixture
async def asked(shop: Office, twilio: TwilioServer) -> Office:
    await text(twilio, "Do you have bread?")
    await shop.received(1)
    return shop


async def test_passing_troubles_delay_and_never_double(asked: Office, twilio: TwilioServer) -> None:
    troubles = [
        refuse(20429, Retry_After="1"),
        refuse(20429),
        Reply(429, headers={"Retry_After": "1"}),
        Reply(503, b"<html>", "text/html", {"Retry_After": "1"}),
    ]
    for n, trouble in enumerate(troubles):
        twilio.fail_next(MESSAGES, trouble)
        await asked.becomes(await asked.answer(f"Yes {n}"), "sent")
    assert [one["Body"] for one in twilio.messages] == [f"Yes {n}" for n in range(len(troubles))]


async def test_an_outcome_nobody_knows_is_unknown_and_not_repeated(
    asked: Office, twilio: TwilioServer
) -> None:
    """Twilio takes the message; its answer is lost, or is a gateway's page."""
    for n, trouble in enumerate((None, HTML, Reply(500), Reply(201, b"<html>"), Reply(201, b"{}"))):
        twilio.fail_next(MESSAGES, trouble, after=True)
        sent = await asked.answer(f"Yes {n}")
        await asked.becomes(sent, "unknown")
        assert len(twilio.messages) == n + 1
        # The callback's address carries our own key: its state is still known as this message's.
        await tell(twilio, n, "delivered")
        await asked.becomes(sent, "delivered")


async def test_an_answer_that_never_comes_is_unknown(
    asked: Office, twilio: TwilioServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels._twilio.wire.SECONDS", 1.0)
    hold = threading.Event()
    twilio.fail_next(MESSAGES, after=True, hold=hold)
    sent = await asked.answer("Yes")
    # Meanwhile others are served.
    await text(twilio, "Hello?")
    await asked.received(2)
    await asked.becomes(sent, "unknown")
    hold.set()
    assert len(twilio.messages) == 1


async def test_a_final_refusal_fails_with_its_reason(asked: Office, twilio: TwilioServer) -> None:
    for code, reason in (
        (21211, "invalid_address"),
        (21610, "unsubscribed"),
        (21614, "invalid_address"),
        (21408, "other"),
        (30004, "blocked"),
        (21999, "provider_error"),
    ):
        twilio.fail_next(MESSAGES, refuse(code))
        failed = await asked.becomes(await asked.answer("Yes"), "failed")
        assert failed.reason == reason
        assert failed.reason_text.startswith(f"Twilio {code}: ")
        if failed.reason in ("unsubscribed", "blocked"):
            # Who wants nothing gets nothing, until he says START.
            await text(twilio, "START")
    assert twilio.messages == []


async def test_a_revoked_token_turns_the_account_red_and_keeps_the_answer(
    asked: Office, twilio: TwilioServer
) -> None:
    twilio.token = "a-fresh-token"
    sent = await asked.answer("Yes")

    async def red() -> Account | None:
        account = await asked.account()
        return account if account.state == "down" else None

    account = await until(red, SECONDS)
    assert account is not None
    assert "Twilio 20003" in account.last_error
    assert (await asked.user.message(sent)).status == "queued"
    settings = {**account.settings, "auth_token": "a-fresh-token"}
    await asked.user.do(UpdateAccount(account_id=asked.account_id, settings=settings))
    await asked.becomes(sent, "sent")
    assert len(twilio.messages) == 1
    assert TOKEN not in json.dumps(dict(account.settings))


async def test_health_is_told_by_twilio(asked: Office, twilio: TwilioServer) -> None:
    _, channel = await asked.runtime.channel_host.get(asked.account_id)
    health = await channel.inspect()
    assert (health.ok, health.webhook, health.quota) == (True, "set", "12.34 USD")
    twilio.numbers[NUMBER] = "https://elsewhere.example/hook"
    health = await channel.inspect()
    assert (health.ok, health.webhook) == (False, "elsewhere")
    twilio.status = "suspended"
    health = await channel.inspect()
    assert (health.ok, "suspended" in health.text) == (False, True)
    assert [one.ok for one in await channel.check()] == [False]


async def test_what_sms_does_not_take_is_refused_before_the_wire(
    asked: Office, twilio: TwilioServer
) -> None:
    big = await asked.attach("film.mp4", b"\x00" * 5_000_001, "video/mp4")
    odd = await asked.attach("a.exe", b"MZ", "application/x-msdownload")
    for file in (big, odd):
        with pytest.raises(Invalid):
            await asked.answer("Here", attachments=(file,))
    # Twilio counts all files of a message together.
    half = [await asked.attach(f"{n}.png", bytes(3_000_000), "image/png") for n in "ab"]
    with pytest.raises(Invalid, match="5 MB of files in one message"):
        await asked.answer("Both", attachments=tuple(half))
    assert not [one for one in twilio.requests if one.path.endswith(MESSAGES)]
    assert twilio.messages == []
