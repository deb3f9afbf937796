"""Counting a text before it is sent: in how many messages it leaves, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dialogs.splitting import split_text
from hub.ids import AccountId

if TYPE_CHECKING:
    from hub.runtime import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a text comes to; `parts` is what the provider counts, over all `messages`."""

    messages: int
    parts: int
    units: int = 0
    unit_limit: int = 0
    encoding: str = ""
    cost: str = ""


async def measure(runtime: Runtime, account_id: AccountId, text: str) -> Measured:
    """Ask the account's channel; raises NotFound or Invalid where the account is unusable."""
    _, channel = await runtime.channel_host.get(account_id)
    messages = len(split_text(text, channel.capabilities.max_text))
    found = channel.measure(text)
    if found is None:
        return Measured(messages=messages, parts=messages)
    return Measured(
        messages=messages,
        parts=found.parts,
        units=found.units,
        unit_limit=found.unit_limit,
        encoding=found.encoding,
        cost=found.cost,
    )
