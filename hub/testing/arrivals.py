"""What every arrival must be, whatever channel brought it: typed, storable, dated."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from hub.ids import KEY_LENGTH
from hub.messages import (
    Address,
    Arrival,
    Attachment,
    DeliveryReceipt,
    DeliveryStatus,
    InboundMessage,
    Presence,
)
from hub.testing.checks import expect

YEAR_2000 = 946_684_800_000_000
YEAR_2100 = 4_102_444_800_000_000
_RECEIPT_STATUSES = {
    DeliveryStatus.SENT,
    DeliveryStatus.DELIVERED,
    DeliveryStatus.READ,
    DeliveryStatus.FAILED,
}


def check_arrival(
    arrival: object, kinds: Collection[str], where: str, *, meant: bool = True
) -> None:
    """Raise Broken unless this is an arrival that the core can take as it is.

    `meant` is False for what was read out of garbage: it may say nothing.
    """
    expect(
        isinstance(arrival, Arrival), f"{where}: {type(arrival).__name__} is none of hub.Arrival"
    )
    for name, text in _texts(arrival):
        expect("\x00" not in text, f"{where}: {name} holds a nul byte, which no database takes")
        try:
            text.encode()
        except UnicodeEncodeError:
            expect(False, f"{where}: {name} holds half a surrogate pair, which is no text")
    _check_types(arrival, where)
    sender = getattr(arrival, "sender", None) or getattr(arrival, "caller", None)
    if isinstance(sender, Address):
        expect(
            sender.kind in kinds,
            f"{where}: the sender's kind is {sender.kind!r}, not {' or '.join(sorted(kinds))}",
        )
        expect(sender.value.strip(), f"{where}: the sender has no address")
        expect(
            sender.value == sender.value.strip(), f"{where}: the sender's address has blanks around"
        )
    if not isinstance(arrival, Presence):
        key = arrival.dedupe_key  # type: ignore[attr-defined]
        expect(key, f"{where}: dedupe_key is empty")
        expect(len(key) <= KEY_LENGTH, f"{where}: dedupe_key is longer than {KEY_LENGTH}")
    if isinstance(arrival, InboundMessage):
        _check_message(arrival, where, meant)
    if isinstance(arrival, DeliveryReceipt):
        expect(arrival.external_id, f"{where}: the receipt names no message")
        expect(
            arrival.status in _RECEIPT_STATUSES,
            f"{where}: a receipt cannot say {arrival.status!r}: sent, delivered, read or failed",
        )
        if arrival.status is DeliveryStatus.FAILED:
            expect(arrival.reason is not None, f"{where}: a failed receipt gives no reason")


def _check_message(message: InboundMessage, where: str, meant: bool) -> None:
    expect(message.external_id, f"{where}: external_id is empty")
    expect(
        not meant
        or message.text
        or message.html
        or message.subject
        or message.attachments
        or message.unsupported,
        f"{where}: the message is empty: set `unsupported`, so that the agent sees something",
    )
    for one in message.attachments:
        expect(
            (one.content is None) == bool(one.reference),
            f"{where}: a file has either its bytes or a reference: {one.name!r}",
        )


def _check_types(thing: Any, where: str) -> None:
    """Values are what the annotations say, as far as it matters to the store."""
    for one in fields(thing):
        value = getattr(thing, one.name)
        declared = str(one.type)
        name = f"{type(thing).__name__}.{one.name}"
        if declared == "str":
            expect(type(value) is str, f"{where}: {name} is {value!r:.40}, not a str")
        elif declared == "Micros":
            expect(
                type(value) is int, f"{where}: {name} is {value!r:.40}, not microseconds UTC (int)"
            )
            expect(
                value == 0 or YEAR_2000 < value < YEAR_2100,
                f"{where}: {name} = {value} is no instant in microseconds since 1970 UTC",
            )
        elif declared == "bool":
            expect(type(value) is bool, f"{where}: {name} is {value!r:.40}, not a bool")
        elif declared.startswith("tuple["):
            expect(type(value) is tuple, f"{where}: {name} is {value!r:.40}, not a tuple")
        elif declared == "DeliveryStatus":
            expect(isinstance(value, DeliveryStatus), f"{where}: {name} is no DeliveryStatus")
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, Address | Attachment):
                _check_types(part, where)


def _texts(thing: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(thing, str):
        yield prefix, thing
    elif is_dataclass(thing) and not isinstance(thing, type):
        for one in fields(thing):
            yield from _texts(getattr(thing, one.name), f"{prefix}.{one.name}".lstrip("."))
    elif isinstance(thing, tuple | list):
        for one in thing:
            yield from _texts(one, prefix)
    elif isinstance(thing, dict):
        for key, value in thing.items():
            yield from _texts(str(key), f"{prefix} key")
            yield from _texts(value, f"{prefix}[{key!r}]")
