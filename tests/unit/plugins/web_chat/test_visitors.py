"""Who a visitor is, and whose word counts."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from pydantic import SecretStr

from hub import Invalid, Micros, UntrustedRequest
from plugins.web_chat.settings import WebChatSettings
from plugins.web_chat.visitors import (
    Claim,
    introduce,
    make_token,
    new_visitor,
    read_token,
    verify,
)

NOW = Micros(1_790_000_000_000_000)
SETTINGS = WebChatSettings(visitor_key=SecretStr("key"), identity_secret=SecretStr("secret"))


def claim(signature: str = "", **fields: str) -> Claim:
    values = {"user_id": "42", "name": "Vera", "email": "vera@example.org"} | fields
    return Claim(signature=signature, **values)


SIGNATURE = hmac.new(b"secret", b"42\nvera@example.org\nVera", hashlib.sha256).hexdigest()


def test_a_visitor_survives_the_way_to_the_browser_and_back() -> None:
    visitor = introduce(new_visitor(), name=" Вера  Петрова ", email="vera@example.org")
    assert visitor.name == "Вера Петрова"
    assert read_token(SETTINGS, make_token(SETTINGS, visitor), NOW) == visitor


def test_visitors_cannot_be_guessed() -> None:
    ids = {new_visitor().id for _ in range(100)}
    assert len(ids) == 100
    assert all(len(one) == 33 for one in ids)


def test_the_site_s_user_is_the_same_visitor_in_every_browser() -> None:
    one = verify(SETTINGS, claim(SIGNATURE), None, NOW)
    two = verify(SETTINGS, claim(SIGNATURE), new_visitor(), Micros(NOW + 5))
    assert one.id == two.id
    assert (one.email, one.user_id, one.verified_at) == ("vera@example.org", "42", NOW)


@pytest.mark.parametrize(
    "forged",
    [
        claim(""),
        claim("0" * 64),
        claim(SIGNATURE, email="boss@example.org"),
        claim(SIGNATURE, user_id="43"),
        claim(SIGNATURE, user_id=""),
        claim(SIGNATURE, user_id="42\nvera@example.org", email="Vera", name=""),
        claim("ü", name="Vera"),
    ],
)
def test_a_user_whom_the_site_did_not_sign_is_refused(forged: Claim) -> None:
    with pytest.raises(UntrustedRequest):
        verify(SETTINGS, forged, None, NOW)


def test_what_the_site_vouched_for_cannot_be_talked_over() -> None:
    visitor = verify(SETTINGS, claim(SIGNATURE), None, NOW)
    assert introduce(visitor, name="Boss", email="boss@example.org") == visitor


@pytest.mark.parametrize("email", ["x", "a@b", "a b@c.de", "a@b.de,c@d.ef", "<a@b.de>"])
def test_a_wrong_address_is_said_so(email: str) -> None:
    with pytest.raises(Invalid) as caught:
        introduce(new_visitor(), name="", email=email)
    assert caught.value.field == "email"


def test_a_nameless_visitor_has_a_name_people_can_say() -> None:
    visitor = new_visitor()
    assert visitor.address("en").name == f"Visitor {visitor.id[1:5].upper()}"
    assert visitor.address("ru").name == f"Посетитель {visitor.id[1:5].upper()}"
