"""A table of broken set-ups: each has one expected finding, and the sound one has none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from channels.email.senders import Sending, check_sender, organisation

RECORD = "v=DKIM1; k=rsa; p=AAAA"
SOUND: Mapping[str, Mapping[str, Sequence[str]]] = {
    "txt": {
        "shop.example": ["v=spf1 ip4:8.8.4.0/24 ~all", "some-token=1"],
        "hub._domainkey.shop.example": [RECORD],
        "_dmarc.shop.example": ["v=DMARC1; p=none; rua=mailto:d@shop.example"],
    },
    "mx": {"shop.example": ["mx.shop.example"]},
    "addresses": {"mail.shop.example": ["8.8.4.4"], "mx.shop.example": ["8.8.4.4"]},
    "pointer": {"8.8.4.4": ["mail.shop.example"]},
}
SENDING = {
    "address": "news@shop.example", "relays": ("mail.shop.example",), "selector": "hub",
    "signing_domain": "shop.example", "record": RECORD,
}  # fmt: skip


class Names:
    """Answers out of a table."""

    def __init__(self, table: Mapping[str, Mapping[str, Sequence[str]]], silent: str = "") -> None:
        self._table, self._silent = table, silent

    def _find(self, kind: str, name: str) -> Sequence[str]:
        if self._silent == kind:
            raise OSError("timeout")
        return self._table[kind].get(name, [])

    def txt(self, name: str) -> Sequence[str]:
        return self._find("txt", name)

    def addresses(self, name: str) -> Sequence[str]:
        return self._find("addresses", name)

    def mx(self, name: str) -> Sequence[str]:
        return self._find("mx", name)

    def pointer(self, address: str) -> Sequence[str]:
        return self._find("pointer", address)


def found(changes: Mapping[str, Any], own: Mapping[str, Any]) -> list[tuple[str, str, bool, str]]:
    table = {kind: {**SOUND[kind], **changes.get(kind, {})} for kind in SOUND}
    sending = Sending(**{**SENDING, **own})
    checks = check_sender(sending, Names(table, changes.get("silent", "")))
    return [(one.name, one.text, one.blocks, one.add) for one in checks if not one.ok]


def txt(name: str, *values: str) -> dict[str, Any]:
    return {"txt": {name: list(values)}}


HOST, KEY, POLICY = "shop.example", "hub._domainkey.shop.example", "_dmarc.shop.example"
DEEP = {f"s{n}.example": [f"v=spf1 include:s{n + 1}.example -all"] for n in range(12)}
BROKEN = {
    "no SPF": (txt(HOST), {}, "SPF", "no SPF record", True),
    "two SPF": (txt(HOST, "v=spf1 ip4:8.8.4.4 ~all", "v=spf1 mx ~all"), {}, "SPF", "two SPF", True),
    "everybody": (txt(HOST, "v=spf1 ip4:8.8.4.4 +all"), {}, "SPF", "whole world", True),
    "another server": (txt(HOST, "v=spf1 ip4:9.9.9.9 -all"), {}, "SPF", "does not name", True),
    "open end": (txt(HOST, "v=spf1 mx ?all"), {}, "SPF", "does not end", False),
    "too deep": ({"txt": {**DEEP, HOST: ["v=spf1 include:s0.example ip4:8.8.4.4 -all"]}}, {},
                 "SPF", "more than ten", True),
    "no key": (txt(KEY), {}, "DKIM", "not published", True),
    "two keys": (txt(KEY, RECORD, "v=DKIM1; p=BBBB"), {}, "DKIM", "two keys", True),
    "other key": (txt(KEY, "v=DKIM1; k=rsa; p=BBBB"), {}, "DKIM", "another key", True),
    "revoked": (txt(KEY, "v=DKIM1; p="), {}, "DKIM", "revoked", True),
    "test key": (txt(KEY, "v=DKIM1; t=y; p=AAAA"), {}, "DKIM", "only a test", False),
    "unsigned": ({}, {"selector": ""}, "DKIM", "unsigned", False),
    "no DMARC": (txt(POLICY), {}, "DMARC", "no DMARC record", True),
    "two DMARC": (txt(POLICY, "v=DMARC1; p=none; rua=mailto:a@b.c", "v=DMARC1; p=reject"), {},
                  "DMARC", "two DMARC", True),
    "no policy": (txt(POLICY, "v=DMARC1; rua=mailto:a@b.c"), {}, "DMARC", "no policy", True),
    "a share": (txt(POLICY, "v=DMARC1; p=reject; pct=50; rua=mailto:a@b.c"), {}, "DMARC", "pct=",
                False),
    "no reports": (txt(POLICY, "v=DMARC1; p=none"), {}, "DMARC", "rua=", False),
    "no answers": ({"mx": {HOST: []}}, {}, "MX", "answers and bounces are lost", True),
    "nameless": ({"pointer": {"8.8.4.4": []}}, {}, "PTR", "no name", True),
    "wrong name": ({"pointer": {"8.8.4.4": ["x.example"]}}, {}, "PTR", "leads elsewhere", True),
    "open wire": ({}, {"encrypted": False}, "TLS", "unencrypted", False),
    "silence": ({"silent": "pointer"}, {}, "PTR", "did not answer", False),
    "free mailbox": ({}, {"address": "shop@mail.ru"}, "From", "free mailbox", True),
}  # fmt: skip


@pytest.mark.parametrize("case", sorted(BROKEN))
def test_each_broken_set_up_has_its_one_finding(case: str) -> None:
    changes, own, name, words, blocks = BROKEN[case]
    [(said, text, stops, _)] = found(changes, own)
    assert (said, words in text, stops) == (name, True, blocks)


def test_a_sound_sender_has_none_and_the_text_to_add_is_exact() -> None:
    assert found({}, {}) == []
    [spf] = found(txt(HOST, "v=spf1 ip4:9.9.9.9 -all"), {})
    assert spf[3] == 'shop.example. TXT "v=spf1 ip4:9.9.9.9 a:mail.shop.example -all"'
    [key] = found(txt(KEY), {})
    assert key[3] == f'hub._domainkey.shop.example. TXT "{RECORD}"'
    [policy] = found(txt(POLICY, "v=DMARC1; p=reject; pct=50; rua=mailto:a@b.c"), {})
    assert policy[3] == '_dmarc.shop.example. TXT "v=DMARC1; p=reject; rua=mailto:a@b.c"'
    # The mechanism of another domain covers it too.
    spread = {
        "txt": {
            HOST: ["v=spf1 include:out.example -all"],
            "out.example": ["v=spf1 mx:shop.example -all"],
        }
    }
    assert found(spread, {}) == []


def test_a_strange_signature_is_not_aligned() -> None:
    other = {"signing_domain": "relay.example"}
    [one] = found(txt("hub._domainkey.relay.example", RECORD), other)
    assert one[:2] == ("DMARC", "the signature names another domain than the sender's address")
    assert organisation("a.b.shop.co.uk") == "shop.co.uk"
