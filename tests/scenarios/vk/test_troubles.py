"""What goes wrong at VK, and what becomes of the messages: nothing lost, nothing doubled."""

from __future__ import annotations

import asyncio
import json
import threading

import httpx2
import pytest

from crm_store.quarantine import quarantined
from crm_store.viewer import Reader
from hub import Account, Conflict, QuarantineItem, UpdateAccount
from hub.replay import replay
from tests.houses import until
from tests.scenarios.office import SECONDS, Office
from tests.scenarios.vk.conftest import SECRET
from tests.servers.stand_in import HTML, Reply
from tests.servers.vk import ANNA, TOKEN, Vk, error
from tests.servers.vk_events import GROUP


async def asked(shop: Office, vk: Vk) -> None:
    vk.write("Есть хлеб?")
    await shop.received(1)


async def test_passing_troubles_delay_and_never_double(shop: Office, vk: Vk) -> None:
    await asked(shop, vk)
    busy = Reply(429, headers={"Retry_After": "1"})
    troubles = [error(6), error(10), error(1), HTML, Reply(500), busy]
    for n, trouble in enumerate(troubles):
        vk.fail_next("messages.send", trouble)
        await shop.becomes(await shop.answer(f"Есть {n}"), "sent")
    assert [one["text"] for one in vk.sent()] == [f"Есть {n}" for n in range(len(troubles))]


async def test_a_lost_answer_is_repeated_under_the_same_number(shop: Office, vk: Vk) -> None:
    """The connection is cut after VK took the message: the repeat is known by its random_id."""
    await asked(shop, vk)
    vk.fail_next("messages.send", after=True)
    vk.fail_next("messages.send", HTML, after=True)
    await shop.becomes(await shop.answer("Есть"), "sent")
    assert [one["text"] for one in vk.sent()] == ["Есть"]
    numbers = [one["random_id"] for one in vk.called("messages.send")]
    assert len(numbers) == 3
    assert len(set(numbers)) == 1


async def test_a_final_refusal_fails_with_its_reason(shop: Office, vk: Vk) -> None:
    await asked(shop, vk)
    for code, reason in (
        (936, "invalid_address"),
        (914, "too_large"),
        (950, "window_closed"),
        (7, "provider_error"),
        (902, "blocked"),
    ):
        vk.fail_next("messages.send", error(code))
        failed = await shop.becomes(await shop.answer("Есть"), "failed")
        assert (failed.reason, f"VK {code}" in failed.reason_text) == (reason, True)
    assert vk.sent() == []


@pytest.mark.parametrize("code", [9, 14, 29], ids=["flood", "captcha", "quota"])
async def test_flood_control_is_waited_for(shop: Office, vk: Vk, code: int) -> None:
    await asked(shop, vk)
    vk.fail_next("messages.send", error(code))
    sent = await shop.answer("Есть")

    async def waits() -> bool:
        return f"VK {code}: " in (await shop.user.message(sent)).reason_text

    await until(waits, SECONDS)
    assert (await shop.user.message(sent)).status == "queued"
    # Not asked again while VK wants patience, though a repeat would not double.
    assert len([one for one in vk.requests if one.path.endswith("messages.send")]) == 1
    # The community works: only this must wait.
    assert (await shop.account()).state != "down"


async def test_a_revoked_token_turns_the_account_red_and_keeps_the_answer(
    shop: Office, vk: Vk
) -> None:
    await asked(shop, vk)
    vk.tokens.clear()
    sent = await shop.answer("Есть")

    async def red() -> Account | None:
        # A slow machine may miss VK's question to our address first, and says that.
        account = await shop.account()
        return account if account.state == "down" and "VK 5" in account.last_error else None

    account = await until(red, SECONDS)
    assert account is not None
    assert (await shop.user.message(sent)).status == "queued"
    fresh = "vk1.a.afreshtokenofthebakery9876543210"
    vk.tokens.add(fresh)
    await shop.user.do(
        UpdateAccount(account_id=shop.account_id, settings={**account.settings, "token": fresh})
    )
    await shop.becomes(sent, "sent")
    assert len(vk.sent()) == 1
    assert TOKEN not in json.dumps(account.settings)


async def test_a_slow_vk_holds_up_nobody_else(shop: Office, vk: Vk) -> None:
    """While VK thinks about one message, events still come in and pages still answer."""
    await asked(shop, vk)
    hold = threading.Event()
    vk.fail_next("messages.send", HTML, after=True, hold=hold)
    sent = await shop.answer("Есть")
    await until(lambda: vk.called("messages.send"), SECONDS)
    vk.write("Алло?")
    await shop.received(2)
    assert (await shop.user.message(sent)).status != "sent"
    hold.set()
    await shop.becomes(sent, "sent")
    assert len(vk.sent()) == 1


# -- the callback ----------------------------------------------------------------------------


async def hook(shop: Office) -> str:
    return shop.runtime.channel_host.hook_url(await shop.account())


async def post(url: str, body: object) -> httpx2.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with httpx2.AsyncClient() as client:
        return await client.post(url, content=content, timeout=60)


async def test_an_event_that_comes_again_and_again_is_one(shop: Office, vk: Vk) -> None:
    await asked(shop, vk)
    vk.order(5)
    await shop.received(2)
    for event in vk.events:
        answers = await asyncio.gather(
            *(asyncio.to_thread(vk.deliver, event, vk.servers[0]) for _ in range(5))
        )
        assert set(answers) == {(200, b"ok")}
    assert len(await shop.messages()) == 2


async def test_a_forged_event_is_refused(shop: Office, vk: Vk) -> None:
    await asked(shop, vk)
    for secret in ("", "wrong", None, 7):
        forged = {**vk.events[-1], "event_id": "forged", "secret": secret}
        forged["object"]["message"]["conversation_message_id"] = 99
        assert (await post(await hook(shop), forged)).status_code == 403
    assert len(await shop.messages()) == 1


async def test_the_confirmation_string_is_given_to_whoever_asks(shop: Office, vk: Vk) -> None:
    code = (await shop.account()).memory["confirmation"]
    answer = await post(await hook(shop), {"type": "confirmation", "group_id": GROUP})
    assert (answer.status_code, answer.text) == (200, code)


async def test_an_unknown_event_is_shown_and_kept(shop: Office, vk: Vk) -> None:
    event = {"type": "message_hologram", "event_id": "h1", "group_id": GROUP, "v": "6.0"}
    known = {**event, "object": {"from_id": ANNA, "beam": "blue"}, "secret": SECRET}
    assert (await post(await hook(shop), known)).text == "ok"
    [shown] = await shop.received(1)
    assert (shown.unsupported, shown.automated) == ("message_hologram", True)
    nobody = {**event, "event_id": "h2", "object": {"beam": "blue"}, "secret": SECRET}
    for body in (nobody, b"[1]", b"\xff", {"type": "message_new", "secret": SECRET, "object": {}}):
        assert (await post(await hook(shop), body)).status_code == 200
    kept = await shop.system.read(_quarantine)
    assert len(kept) == 4
    assert len(await shop.messages()) == 1


def _quarantine(reader: Reader) -> list[QuarantineItem]:
    return list(quarantined(reader))


async def test_vk_that_cannot_reach_the_hub_is_seen(shop: Office, vk: Vk) -> None:
    _, channel = await shop.runtime.channel_host.get(shop.account_id)

    async def inspected() -> bool:
        # The hub's own first look; the next one is minutes away.
        return bool((await shop.account()).webhook_state)

    await until(inspected, SECONDS)
    assert (await channel.inspect()).webhook == "ok"
    vk.servers[0]["status"] = "failed"
    health = await channel.inspect()
    assert (health.ok, health.webhook) == (False, "failed")
    # Asked again, VK confirms the address anew.
    await until(lambda: vk.servers[0]["status"] == "ok", SECONDS)
    assert (await channel.inspect()).ok


# -- long poll -------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["polling"])
async def test_the_line_breaks_in_every_way_and_nothing_is_lost(shop: Office, vk: Vk) -> None:
    vk.write("Один")
    await shop.received(1)
    # An expired key (failed 2): the new key continues where the old one stopped.
    with vk.lock:
        vk.key = "key-2"
        vk.write("Два")
    await shop.received(2)
    # A page of HTML, a cut line: the listener begins again from its mark.
    vk.fail_next("/lp", HTML)
    vk.fail_next("/lp")
    vk.write("Три")
    vk.write("Четыре")
    await shop.received(4)
    assert [one.text for one in await shop.messages()] == ["Один", "Два", "Три", "Четыре"]


@pytest.mark.parametrize("way", ["polling"])
async def test_history_that_vk_forgot_is_a_gap_and_not_a_standstill(shop: Office, vk: Vk) -> None:
    vk.write("Один")
    await shop.received(1)
    with vk.lock:
        # What came while the hub was away is older than VK remembers (failed 1), or its whole
        # numbering is lost (failed 3).
        vk.write("Пропало")
        vk.oldest = len(vk.events)
    vk.lost = True
    await until(lambda: not vk.lost, SECONDS)
    vk.write("Два")
    await shop.received(2)


@pytest.mark.parametrize("way", ["polling"])
async def test_one_odd_event_does_not_hold_up_the_others(shop: Office, vk: Vk) -> None:
    with vk.lock:
        vk.events.append({"type": "message_new", "group_id": GROUP, "event_id": "odd", "object": 7})
        vk.write("После")
    [message] = await shop.received(1)
    assert message.text == "После"
    [kept] = await shop.system.read(_quarantine)
    assert "message_new" in kept.error
    # It is read again by the same channel once that is asked for, and is still odd.
    with pytest.raises(Conflict, match="message_new"):
        await replay(shop.runtime, kept.id)
