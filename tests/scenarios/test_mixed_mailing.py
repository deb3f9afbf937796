"""One mailing over mail, Telegram, VK, WhatsApp and SMS at the vendors' stand-ins: whoever it is,
the person ends in exactly one explained state, and is reached once more only where the first
message was not proved to have arrived in time."""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

import channels.email
import channels.sms
import channels.telegram
import channels.vk
import channels.whatsapp
from crm_store import many
from crm_store.tables.people import addresses
from hub import (
    AccountId,
    Address,
    ContactId,
    CreateAccount,
    CreateContact,
    ExpireLeases,
    GiveConsent,
    ManyContent,
    ManyRecipient,
    PlanMany,
    SendMany,
    SuppressAddress,
    WithdrawConsent,
)
from tests.houses import US, World, until
from tests.scenarios.office import Office, office
from tests.scenarios.twilio.conftest import values as twilio_values
from tests.scenarios.whatsapp.conftest import values as graph_values
from tests.servers.graph import GraphServer
from tests.servers.process import free_ports
from tests.servers.smtp_sink import SmtpSink
from tests.servers.telegram import StandInBot, TelegramServer
from tests.servers.twilio import TwilioServer
from tests.servers.vk import TOKEN as VK_TOKEN
from tests.servers.vk import Vk

BOT = "123456:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
ORDER = ("email", "telegram", "vk", "whatsapp", "phone")
TEXT = "News {{ unsubscribe_url }}"
LATE, MINUTES, MINUTE = "not_delivered_in_time", 60, 60 * US
GONE = ("sent", "delivered", "read")


@dataclass
class Far:
    """The far sides."""

    shop: Office
    sink: SmtpSink
    telegram: TelegramServer
    bot: StandInBot
    vk: Vk
    graph: GraphServer
    twilio: TwilioServer
    world: World
    accounts: dict[str, AccountId] = field(default_factory=dict)

    def reached(self) -> Counter[str]:
        """Everybody whom a message reached, by address, as often as it did."""
        found: Counter[str] = Counter()
        for raw in self.sink.messages():
            letter = email.message_from_bytes(raw, policy=email.policy.default)
            found[f"email {letter['To'].addresses[0].addr_spec}"] += 1
        for (chat, _), message in self.telegram.messages.items():
            found[f"telegram {chat}"] += message.get("text", "").startswith("News")
        for peer, talk in self.vk.talks.items():
            found[f"vk {peer}"] += sum(one["text"].startswith("News") for one in talk)
        for sent in self.graph.messages:
            found[f"whatsapp +{sent['to']}"] += 1
        for one in self.twilio.messages:
            found[f"phone {one['To']}"] += 1
        return +found


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.outcomes.BACKOFF_FIRST", timedelta(milliseconds=100))


@pytest.fixture
async def far(tmp_path: Path, database_url: str) -> AsyncIterator[Far]:
    async with AsyncExitStack() as stack:
        sink = stack.enter_context(SmtpSink(keep=True))
        vk, graph = stack.enter_context(Vk()), stack.enter_context(GraphServer())
        twilio = stack.enter_context(TwilioServer())
        telegram = await stack.enter_async_context(TelegramServer())
        plugins = {
            "email": channels.email,
            "telegram": channels.telegram,
            "vk": channels.vk,
            "whatsapp": channels.whatsapp,
            "sms": channels.sms,
        }
        [nobody] = free_ports(1)
        settings = {
            "address": "shop@hub.example",
            "imap_host": "127.0.0.1",
            "imap_port": nobody,
            "imap_password": "x",
            "smtp_host": "127.0.0.1",
            "smtp_port": sink.port,
            "smtp_security": "none",
            "smtp_login": False,
        }
        world = World()
        shop = await stack.enter_async_context(
            office(tmp_path, database_url, plugins, "email", settings, world.now)
        )
        bot = telegram.new_bot(BOT)
        found = Far(shop, sink, telegram, bot, vk, graph, twilio, world)
        found.accounts["email"] = shop.account_id
        for kind, channel, given in (
            ("telegram", "telegram", {"token": BOT, "api_url": telegram.url, "receive": "polling"}),
            ("vk", "vk", {"token": VK_TOKEN, "receive": "polling", "api_url": vk.url}),
            ("whatsapp", "whatsapp", graph_values(graph)),
            ("phone", "sms", twilio_values(twilio)),
        ):
            command = CreateAccount(channel=channel, title=kind, settings=given)
            found.accounts[kind] = AccountId((await shop.user.do(command))[0])
        await until(lambda: graph.webhook, 60)
        yield found


@dataclass(frozen=True)
class Sort:
    """A sort of people: the addresses they have, what is so about them, how each of them ends.

    Over `late` a message leaves and is never told as arrived; over WhatsApp it is of who is `told`.
    Whoever wrote from there has that number for an SMS as well.
    """

    has: str
    ends: tuple[str, str, str]
    begin: Callable[[Far, int, ContactId, dict[str, int]], Any] | None = None
    consent: bool = True
    late: str = ""
    told: bool = False


def _number(n: int) -> str:
    return f"+1555{2_000_000 + n}"


def _value(kind: str, n: int) -> str:
    if kind == "email":
        return f"p{n}@example.org"
    return str(700_000 + n) if kind in ("telegram", "vk") else _number(n)


async def _bounced(far: Far, n: int, contact: ContactId, ids: dict[str, int]) -> None:
    await far.shop.user.do(
        SuppressAddress(address_id=ids["email"], reason="bounced_hard")  # type: ignore[arg-type]
    )


async def _blocked_bot(far: Far, n: int, contact: ContactId, ids: dict[str, int]) -> None:
    far.telegram.blocked.add(700_000 + n)


async def _denied(far: Far, n: int, contact: ContactId, ids: dict[str, int]) -> None:
    far.vk.denied.add(700_000 + n)


async def _window_closed(far: Far, n: int, contact: ContactId, ids: dict[str, int]) -> None:
    far.graph.closed.add(_number(n).lstrip("+"))


async def _operator(far: Far, n: int, contact: ContactId, ids: dict[str, int]) -> None:
    far.twilio.stopped.add(_number(n))


async def _refused(far: Far, n: int, contact: ContactId, ids: dict[str, int]) -> None:
    await far.shop.user.do(WithdrawConsent(contact_id=contact, how="link"))


async def _no_mail(far: Far, n: int, contact: ContactId, ids: dict[str, int]) -> None:
    await far.shop.user.do(WithdrawConsent(contact_id=contact, channel="email", how="link"))


SORTS = (
    Sort("email telegram", ("email", "sent", "")),
    Sort("email telegram", ("telegram", "sent", ""), _bounced),
    Sort("telegram vk", ("vk", "sent", ""), _blocked_bot),
    Sort("vk whatsapp", ("whatsapp", "delivered", ""), _denied, told=True),
    Sort("whatsapp phone", ("phone", "sent", ""), _window_closed),
    Sort("phone", ("phone", "failed", "*"), _operator),
    Sort("email phone", ("*", "suppressed", "no_consent"), consent=False),
    Sort("email telegram phone", ("*", "suppressed", "unsubscribed"), _refused),
    Sort("", ("email", "suppressed", "no_address")),
    Sort("email vk", ("vk", "sent", ""), _no_mail),
    Sort("vk whatsapp", ("whatsapp", "sent", ""), late="vk"),
    Sort("whatsapp phone", ("phone", "sent", ""), late="whatsapp"),
    Sort("whatsapp phone", ("whatsapp", "delivered", ""), told=True),
)


async def _make(far: Far, n: int) -> ContactId:
    """Make a person of the n-th sort, who wrote first where that is needed."""
    sort = SORTS[n % len(SORTS)]
    kinds = sort.has.split()
    made = tuple(Address(kind=kind, value=_value(kind, n), name=f"P{n}") for kind in kinds)
    contact = ContactId((await far.shop.user.do(CreateContact(name=f"P{n}", addresses=made)))[0])
    ids = {one.kind: int(one.id) for one in (await far.shop.user.contact(contact)).addresses}
    if sort.consent:
        await far.shop.user.do(GiveConsent(contact_id=contact, how="form"))
    if "telegram" in kinds:
        await far.bot.hears(far.telegram.private(700_000 + n, f"P{n}"), text="hello")
    if "vk" in kinds:
        far.vk.users[700_000 + n] = {"first_name": f"P{n}", "last_name": "K"}
        far.vk.write("hello", sender=700_000 + n)
    if "whatsapp" in kinds:
        number = _number(n).lstrip("+")
        words = far.graph.text("hello", **{"from": number})
        assert await asyncio.to_thread(far.graph.bring, words, number=number) == 200
    if sort.begin is not None:
        await sort.begin(far, n, contact, ids)
    return contact


def _flood(server: TelegramServer) -> None:
    """Too many at once, twice: it says when to come again."""

    async def later(_: web.Request) -> web.StreamResponse:
        body = {
            "ok": False,
            "error_code": 429,
            "description": "Too Many Requests: retry after 1",
            "parameters": {"retry_after": 1},
        }
        return web.json_response(body, status=429)

    server.fails("sendMessage", later, later)


async def _tell(far: Far, count: int) -> int:
    """Meta tells whose messages arrived; gives how many they are."""
    numbers = {_number(n).lstrip("+") for n in range(count) if SORTS[n % len(SORTS)].told}
    arrived = [one for one in far.graph.messages if one["to"] in numbers]
    for one in arrived:
        assert await asyncio.to_thread(far.graph.tell, one, "delivered") == 200
    assert len(arrived) == len(numbers)
    return len(arrived)


@pytest.mark.parametrize(
    "count", [30, pytest.param(300, marks=[pytest.mark.soak, pytest.mark.timeout(900)])]
)
async def test_everybody_ends_in_one_explained_state(far: Far, count: int) -> None:
    hub = far.shop.user
    people = [await _make(far, n) for n in range(count)]
    talks = sum(
        kind in SORTS[n % len(SORTS)].has.split()
        for n in range(count)
        for kind in ("telegram", "vk", "whatsapp")
    )

    async def all_wrote() -> bool:
        found = await hub.read(
            lambda reader: reader.conn.exec_driver_sql(
                "SELECT COUNT(*) FROM dialogs WHERE inbound_count > 0"
            ).scalar()
        )
        return int(found or 0) == talks

    await until(all_wrote, 120)
    _flood(far.telegram)
    order = tuple(far.accounts[kind] for kind in ORDER)
    words = ManyContent(subject="News", text=TEXT)
    plan = PlanMany(
        mailing_id=9, topic="news", contents=(words,), routes=order, fall_back_after=MINUTES
    )
    ((send, ids),) = await hub.do(plan)
    known = await hub.read(
        lambda reader: reader.conn.execute(
            addresses.select().where(addresses.c.kind == "email")
        ).all()
    )
    mail = {row.contact_id: row.id for row in known}
    recipients = tuple(
        ManyRecipient(
            contact_id=one,
            address_id=mail.get(one, 0),
            account_id=order[0],
            content_id=ids[0],
        )
        for one in people
    )
    await hub.do(SendMany(send_id=send, recipients=recipients))

    async def over() -> bool:
        return many.is_finished(await hub.read(many.counts, [send]))

    patience = 60 if count < 100 else 600
    await until(over, patience)
    arrived = await _tell(far, count)

    async def told_of() -> bool:
        return (await hub.read(many.counts, [send])).get(("delivered", ""), 0) == arrived

    await until(told_of, patience)
    once = far.reached()
    assert max(once.values()) == 1

    late = sum(bool(SORTS[n % len(SORTS)].late) for n in range(count))

    async def gone_on() -> bool:
        ways = await hub.read(many.ways_of, [send], people)
        return sum(one.reason == LATE for one in ways) >= late

    # Whoever's message was not told as delivered goes the next way when the time that was set is over.
    far.world.offset_us += MINUTES // 2 * MINUTE
    await far.shop.system.do(ExpireLeases())
    assert far.reached() == once
    far.world.offset_us += MINUTES // 2 * MINUTE + MINUTE
    await until(gone_on, patience)
    await until(over, patience)
    counts = await hub.read(many.counts, [send])
    assert sum(counts.values()) == count, counts
    kinds = {account: kind for kind, account in far.accounts.items()}
    reached = far.reached()
    assert max(reached.values()) == 1
    told: Counter[str] = Counter()
    for n, contact in enumerate(people):
        sort = SORTS[n % len(SORTS)]
        *passed, last = await hub.read(many.ways_of, [send], [contact])
        channel, state, reason = sort.ends
        silent = [kinds[one.account_id] for one in passed if one.reason == LATE]
        assert silent == sort.late.split(), (n, sort, passed)
        told.update(f"{kind} {_value(kind, n)}" for kind in silent)
        if last.state in GONE:
            told[f"{channel} {_value(channel, n)}"] += 1
        if state == "sent":
            assert last.state in GONE, (n, sort, last, counts)
        else:
            assert last.state == state, (n, sort, last)
        assert channel in ("*", kinds[last.account_id]), (n, sort, last)
        assert reason in ("*", last.reason), (n, sort, last)
        # Whatever did not go has its reason, each way once.
        assert all(one.state == "passed" and one.reason for one in passed), (n, passed)
        assert bool(last.reason) == (last.state not in GONE)
    assert told == reached
    assert not far.vk.objections
    assert not far.graph.objections
    assert not far.twilio.objections
