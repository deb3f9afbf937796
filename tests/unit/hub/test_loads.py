"""What a channel makes of a message beside the loop, before it is sent."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from hub import Address, Capabilities, Channel, OutboundMessage, PermanentFailure, RejectReason
from hub.ids import DeliveryId
from hub.loads import Load, Loads
from hub.testing.samples import outbound


class Maker(Channel):
    """Writes a text as bytes."""

    name = "maker"
    capabilities = Capabilities(address_kind="maker")

    def __init__(self) -> None:
        """It has neither settings nor a hub."""

    def make(self, message: OutboundMessage) -> bytes:
        if not message.text:
            raise PermanentFailure(RejectReason.OTHER, "there is nothing to say")
        return message.text.encode()


class Plain(Maker):
    """Makes nothing ahead."""

    make = Channel.make


def load(*texts: str) -> Load:
    parts = [outbound(Address(kind="maker", value="anna"), one) for one in texts]
    return Load(DeliveryId(1), 1, parts[0], parts, 0, 0, 0)


async def test_each_part_is_made_and_a_fault_is_kept_for_its_own_message() -> None:
    loads = [load("one", "two"), load("three", ""), load("four")]
    maker = Loads(cast(Any, None), Maker(), cast(Any, None), cast(Any, None))
    maker.make(loads[:1])
    maker.make(loads)
    assert loads[0].making is not loads[1].making
    await asyncio.gather(*(cast(Any, one.making) for one in loads))
    assert [[part.made for part in one.parts] for one in loads] == [
        [b"one", b"two"],
        [b"", b""],
        [b"four"],
    ]
    assert [type(one.fault) for one in loads] == [type(None), PermanentFailure, type(None)]


async def test_a_channel_that_makes_nothing_is_not_asked() -> None:
    one = load("one")
    parts = one.parts
    Loads(cast(Any, None), Plain(), cast(Any, None), cast(Any, None)).make([one])
    assert one.parts is parts
    assert one.making is None
