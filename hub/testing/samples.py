"""Texts, messages and garbage that every channel must stand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode

from hub.ids import AccountId, DeliveryId, DialogId, MessageId, Micros
from hub.messages import Address, OutboundMessage

NOW = Micros(1_790_000_000_000_000)
"""The contract's clock: 21 September 2026, microseconds UTC."""

HOOK_URL = "https://hub.example/hooks/contract"
"""The public address of the account's webhook."""

TEXTS = {
    "plain": "Where is my order 1042?",
    "lines": "one\ntwo\n\nthree",
    "emoji": "done 👍🏽 family 👨‍👩‍👧‍👦 flag 🏴󠁧󠁢󠁳󠁣󠁴󠁿 new 🫠",
    "right to left": "שלום עולם, مرحبا بالعالم (42) ok",
    "combining": "e\u0301a\u0308 नमस्ते ก็",
    "markup": "<b>5 < 6 & 7 > 2</b> *no* _markup_ [x](y) `z` \\ \"quoted\" 'so' %25 +7",
}
"""Texts that must arrive as they are."""

FORMATTED = "*bold* and _italic words_, `code`, [shop](https://shop.example/7)"
"""What stands out: the words arrive, in the vendor's own formatting, where a channel has one."""

FILE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 12 + b"\r\n--a boundary--\r\n"
"""A file's bytes: every byte there is, and what could end a part of a multipart body too early."""

CONTROLS = "before\x00between\x00after"
"""Nul bytes: no database takes them and no person typed them, so they vanish."""


def outbound(
    to: Address, text: str = "Good day", *, number: int = 1, **more: Any
) -> OutboundMessage:
    """Make the `number`-th message of ours; its idempotency key is stable, as the core's is."""
    return OutboundMessage(
        id=DeliveryId(7_000_000_000_000_000 + number),
        message_id=MessageId(7_100_000_000_000_000 + number),
        dialog_id=DialogId(7_200_000_000_000_000),
        account_id=AccountId(7),
        to=to,
        text=text,
        idempotency_key=more.pop("idempotency_key", str(7_000_000_000_000_000 + number)),
        **more,
    )


def garbage(good: bytes) -> Iterator[tuple[str, bytes]]:
    """Bytes nobody meant: noise, `good` cut short, `good` with each of its values spoilt."""
    yield "nothing", b""
    yield "a nul byte", b"\x00"
    yield "no UTF-8", b"\xff\xfe\xc3\x28"
    for text in ("{", "[]", "{}", "null", "1", '"x"', "true", "[[]]", "a=b", "NaN", '{"a": 1e999}'):
        yield f"only {text}", text.encode()
    yield "100 000 brackets", b"[" * 100_000
    yield "nested 20 000 deep", b'{"a":' * 20_000 + b"1" + b"}" * 20_000
    yield "a megabyte of one letter", b"x" * 1_000_000
    yield "a megabyte of JSON", json.dumps({"a": ["x" * 1000] * 1000}).encode()
    for part in range(1, 8):
        yield f"the first {part}/8", good[: len(good) * part // 8]
    yield "twice", good + good
    yield from _spoilt(good)


def _spoilt(good: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        data = json.loads(good)
    except ValueError:
        data = None
    if isinstance(data, dict | list):
        for where, changed in _variants(data):
            yield f"JSON with {where}", json.dumps(changed).encode()
        return
    try:
        fields = parse_qsl(good.decode(), keep_blank_values=True, strict_parsing=True)
    except ValueError:
        return
    for n, (name, _) in enumerate(fields):
        for value in (None, "", "\x00", "-1", "9" * 400, "{", "й" * 5000):
            changed_fields = [
                *fields[:n],
                *([] if value is None else [(name, value)]),
                *fields[n + 1 :],
            ]
            words = "missing" if value is None else f"= {value[:6]!r}"
            yield f"form with {name} {words}", urlencode(changed_fields).encode()


_ODD: tuple[object, ...] = (
    None,
    True,
    -1,
    10**30,
    0.5,
    "",
    "\x00",
    "\ud800",
    "x" * 5000,
    [],
    [None],
    {},
)


def _variants(data: Any, limit: int = 800) -> Iterator[tuple[str, Any]]:
    """Every value of a JSON tree in turn missing, or another kind of thing."""
    text = json.dumps(data)
    for count, path in enumerate(list(_paths(data))):
        if count * (len(_ODD) + 1) > limit:
            return
        where = ".".join(str(one) for one in path)
        for odd in _ODD:
            changed = json.loads(text)
            _parent(changed, path)[path[-1]] = odd
            yield f"{where} = {str(odd)[:6]!r}", changed
        changed = json.loads(text)
        del _parent(changed, path)[path[-1]]
        yield f"{where} missing", changed


def _paths(data: Any) -> Iterator[tuple[Any, ...]]:
    items = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in items:
        yield (key,)
        if isinstance(value, dict | list):
            yield from ((key, *rest) for rest in _paths(value))


def _parent(data: Any, path: tuple[Any, ...]) -> Any:
    for key in path[:-1]:
        data = data[key]
    return data
