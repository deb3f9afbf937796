"""Who calls, from where, and whether one of our own pages sent it."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.datastructures import Headers

from hub.web.auth import csrf_for, forged, new_token, token_hash
from hub.web.login import safe_next, weak
from hub.web.proxies import client_address, trusted_networks

PROXIES = trusted_networks("10.0.0.0/8, 2001:db8::1")


def scope(peer: str | None, *forwarded: str) -> dict[str, Any]:
    return {
        "client": (peer, 1) if peer else None,
        "headers": [(b"x-forwarded-for", one.encode()) for one in forwarded],
    }


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.1", [], "203.0.113.1"),
        ("203.0.113.1", ["198.51.100.9"], "203.0.113.1"),
        ("10.0.0.1", ["198.51.100.9"], "198.51.100.9"),
        # What the caller himself put in front of what our proxy wrote does not count.
        ("10.0.0.1", ["127.0.0.1, 198.51.100.9"], "198.51.100.9"),
        ("10.0.0.1", ["198.51.100.9, 10.0.0.2"], "198.51.100.9"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["nonsense"], "nonsense"),
        ("2001:db8::1", ["2001:db8::7"], "2001:db8::7"),
        (None, ["198.51.100.9"], ""),
    ],
)
def test_the_callers_address_is_the_last_one_we_can_believe(
    peer: str | None, forwarded: list[str], expected: str
) -> None:
    assert client_address(scope(peer, *forwarded), PROXIES) == expected


def test_without_trusted_proxies_nobody_is_believed() -> None:
    assert client_address(scope("127.0.0.1", "198.51.100.9"), trusted_networks("")) == "127.0.0.1"


FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({"host": "hub.example", "origin": "https://hub.example"}, False),
        ({"host": "inner:8000", "origin": "https://public.example"}, False),
        ({"host": "hub.example", "sec-fetch-site": "same-origin"}, False),
        ({"host": "hub.example", "x-csrf-token": "t"}, False),
        ({"host": "hub.example", **FORM}, False),
        ({"host": "hub.example"}, True),
        ({"host": "hub.example", "content-type": "text/plain"}, True),
        ({"host": "hub.example", "origin": "null"}, True),
        ({"host": "hub.example", "origin": "null", **FORM}, True),
        ({"host": "hub.example", "origin": "https://evil.example", **FORM}, True),
        ({"host": "hub.example", "origin": "https://hub.example.evil.example"}, True),
        (
            {
                "host": "hub.example",
                "origin": "https://hub.example",
                "sec-fetch-site": "cross-site",
            },
            True,
        ),
        ({"host": "hub.example", "sec-fetch-site": "same-site", **FORM}, True),
        ({"host": "hub.example", "origin": "https://", **FORM}, True),
        ({"origin": "", "host": "", **FORM}, False),
    ],
)
def test_what_another_site_sends_is_told_from_what_our_pages_send(
    headers: dict[str, str], refused: bool
) -> None:
    assert bool(forged(Headers(headers), "https://public.example/hub")) is refused


def test_a_form_token_belongs_to_one_session() -> None:
    one, other = new_token(), new_token()
    assert csrf_for(one) == csrf_for(one)
    assert csrf_for(one) != csrf_for(other)
    assert token_hash(one) not in (csrf_for(one), one)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/settings/users?x=1", "/settings/users?x=1"),
        ("https://evil.example", "/inbox"),
        ("//evil.example", "/inbox"),
        ("/\\evil.example", "/inbox"),
        ("\\/evil.example", "/inbox"),
        ("javascript:alert(1)", "/inbox"),
        ("/login", "/inbox"),
        ("", "/inbox"),
        ("/\n/evil.example", "/inbox"),
        ("/\t/evil.example", "/inbox"),
    ],
)
def test_a_target_after_the_login_is_inside_the_hub(target: str, expected: str) -> None:
    assert safe_next(target) == expected


@pytest.mark.parametrize(
    ("password", "good"),
    [
        ("short", False),
        ("aaaaaaaaaaaa", False),
        ("ada-lovelace-1", False),
        ("Ada Lovelace 1815", False),
        ("correct horse battery", True),
        ("пароль из слов", True),
    ],
)
def test_a_weak_password_is_told_why(password: str, good: bool) -> None:
    assert (weak(password, "Lovelace", "ada-lovelace") == "") is good
