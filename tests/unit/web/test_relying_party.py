"""For which public addresses browsers allow passkeys, and under which name."""

from __future__ import annotations

import pytest

from hub.web.relying_party import relying_party


@pytest.mark.parametrize(
    ("address", "domain", "origin"),
    [
        ("https://desk.example", "desk.example", "https://desk.example"),
        ("https://Desk.Example:443/", "desk.example", "https://desk.example"),
        ("https://desk.example:8443/hub", "desk.example", "https://desk.example:8443"),
        ("https://пример.рф", "xn--e1afmkfd.xn--p1ai", "https://xn--e1afmkfd.xn--p1ai"),
        ("http://localhost:8000", "localhost", "http://localhost:8000"),
        ("http://hub.localhost", "hub.localhost", "http://hub.localhost"),
    ],
)
def test_a_name_behind_https_is_good(address: str, domain: str, origin: str) -> None:
    party = relying_party(address)
    assert party is not None
    assert (party.id, party.origin) == (domain, origin)


@pytest.mark.parametrize(
    "address",
    [
        "http://desk.example",
        "http://127.0.0.1:8000",
        "https://192.0.2.7",
        "https://[2001:db8::1]",
        "https://",
        "ftp://localhost",
        "https://desk.example:99999",
        "",
    ],
)
def test_all_else_is_not(address: str) -> None:
    assert relying_party(address) is None
