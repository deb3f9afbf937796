"""A refusal between the claim and the wire stops a letter, on each kind of channel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import channels.email
import channels.max_messenger
import channels.sms
import channels.telegram
import channels.vk
import channels.whatsapp
from crm_store import many
from hub import (
    Channel,
    ClaimDeliveries,
    Conflict,
    CreateAccount,
    GiveConsent,
    ManyContent,
    ManyRecipient,
    OutboundMessage,
    PlanMany,
    ReleaseAddress,
    SendMany,
    Sent,
    StartSending,
    SuppressAddress,
    WithdrawConsent,
    hookimpl,
)
from tests.houses import US, House, NoSettings, house, message

BUNDLED = (
    channels.email,
    channels.telegram,
    channels.vk,
    channels.whatsapp,
    channels.sms,
    channels.max_messenger,
)


def scripted() -> Iterator[type[Channel]]:
    """Give the bundled channels with what they can, and nothing behind them."""

    async def send(self: Channel, sent: OutboundMessage) -> Sent:
        raise AssertionError("a refused letter reached the wire")

    for module in BUNDLED:
        for one in module.register_channels():
            values = {"name": one.name, "capabilities": one.capabilities}
            yield type(one.__name__, (Channel,), {**values, "Settings": NoSettings, "send": send})


def bringing(kinds: list[type[Channel]]) -> ModuleType:
    module = ModuleType("scripted")

    @hookimpl
    def register_channels() -> list[type[Channel]]:
        return kinds

    module.register_channels = register_channels  # type: ignore[attr-defined]
    return module


async def claim(home: House, account: Any) -> list[tuple[Any, int]]:
    found: list[tuple[Any, int]] = (
        await home.system.do(
            ClaimDeliveries(account_id=account, worker="test", limit=5, lease_us=60 * US)
        )
    )[0]
    return found


async def test_a_refusal_after_the_claim_stops_it_on_every_channel(
    tmp_path: Path, database_url: str
) -> None:
    kinds = list(scripted())
    assert len({one.capabilities.address_kind for one in kinds}) >= 6
    async with house(tmp_path, database_url, plugins=[("scripted", bringing(kinds))]) as home:
        for n, kind in enumerate(kinds):
            await _refused(home, kind, n)


async def _refused(home: House, kind: type[Channel], n: int) -> None:
    what = kind.capabilities.address_kind
    (account_id,) = await home.user.do(CreateAccount(channel=kind.name, title=kind.name))
    account = await home.system.account(account_id)
    value = f"p{n}@example.org" if what == "email" else f"+1555000{n:04d}"
    # Whoever wrote first may be written to on each of them.
    (got,) = await home.runtime.receive(account, [message(f"k{n}", value, kind=what)])
    contact_id = got.contact_id
    address = (await home.user.contact(contact_id)).addresses[0]
    await home.user.do(GiveConsent(contact_id=contact_id, how="form"))
    words = ManyContent(text="News {{ unsubscribe_url }}")
    for step in (1, 2):
        ((send_id, ids),) = await home.user.do(
            PlanMany(mailing_id=100 * n + step, topic="news", contents=(words,))
        )
        one = ManyRecipient(
            contact_id=contact_id, address_id=address.id, account_id=account_id, content_id=ids[0]
        )
        await home.user.do(SendMany(send_id=send_id, recipients=(one,)))
        [(delivery, fence)] = await claim(home, account_id)
        start = StartSending(delivery_id=delivery, fence=fence, lease_us=60 * US)
        if step == 1:
            # The address itself: what was claimed is asked about once more.
            await home.user.do(SuppressAddress(address_id=address.id, reason="complained"))
            reason = "complained"
        elif n % 2:
            await home.runtime.receive(account, [message(f"s{n}", value, "Стоп", kind=what)])
            reason = "unsubscribed"
        else:
            await home.user.do(WithdrawConsent(contact_id=contact_id, channel=what, how="link"))
            reason = "unsubscribed"
        with pytest.raises(Conflict):
            await home.system.do(start)
        assert await claim(home, account_id) == []
        counts = await home.user.read(many.counts, [send_id])
        assert dict(counts) == {("suppressed", reason): 1}, kind.name
        if step == 1:
            await home.user.do(ReleaseAddress(address_id=address.id, reason=reason))
