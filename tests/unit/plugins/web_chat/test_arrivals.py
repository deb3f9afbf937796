"""What a browser may post to the web chat, and what becomes of lies and noise."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from hub import (
    AccountId,
    ChannelContext,
    DeliveryId,
    DeliveryReceipt,
    DeliveryStatus,
    DialogId,
    HubError,
    InboundMessage,
    MessageId,
    Micros,
    OutboundMessage,
    PermanentFailure,
    Presence,
    PresenceKind,
    UntrustedRequest,
    WebhookAnswer,
    WebhookRequest,
)
from plugins.web_chat.channel import WebChatChannel
from plugins.web_chat.settings import MAX_TEXT, WebChatSettings
from plugins.web_chat.visitors import Visitor, make_token

NOW = Micros(1_790_000_000_000_000)
SETTINGS = WebChatSettings(visitor_key=SecretStr("key"), identity_secret=SecretStr("secret"))
VERA = Visitor(id="v" + "a1" * 16, name="Vera", email="vera@example.org")


def channel(settings: WebChatSettings = SETTINGS) -> WebChatChannel:
    context = ChannelContext(
        account_id=AccountId(7),
        title="Shop",
        http=None,  # type: ignore[arg-type]
        log=logging.getLogger("test"),
        now=lambda: NOW,
    )
    return WebChatChannel(settings, context)


def post(
    data: object = None,
    *,
    settings: WebChatSettings = SETTINGS,
    visitor: Visitor = VERA,
    files: list[tuple[str, bytes]] | None = None,
    headers: dict[str, str] | None = None,
    **fields: Any,
) -> WebhookRequest:
    if data is None:
        data = {"token": make_token(settings, visitor), "kind": "message", "id": "client-1"}
        data |= fields
    body, kind = json.dumps(data).encode(), "text/plain;charset=UTF-8"
    if files is not None:
        parts = [("files", (name, content, "image/png")) for name, content in files]
        sent = httpx.Request("POST", "http://hub", data={"data": body.decode()}, files=parts)
        body, kind = sent.read(), sent.headers["content-type"]
    return WebhookRequest(
        method="POST",
        url="https://hub.example/hooks/7",
        headers={"content-type": kind, **(headers or {})},
        body=body,
        received_at=NOW,
    )


def error_of(answer: object) -> tuple[int, str]:
    assert isinstance(answer, WebhookAnswer)
    return answer.status, json.loads(answer.body)["error"]


def test_a_message_becomes_an_arrival_that_is_the_same_on_every_retry() -> None:
    request = post(
        text=" Где мой заказ? ",
        language="ru",
        page={
            "url": "https://shop.example/cart",
            "title": "Cart",
            "referrer": "https://search.example/?q=1",
            "utm": {"utm_source": "mail", "evil": "x"},
        },
    )
    (message,) = channel().parse(request)
    assert isinstance(message, InboundMessage)
    assert message.dedupe_key == message.external_id == f"{VERA.id}:client-1"
    assert (message.sender.kind, message.sender.value) == ("web_chat", VERA.id)
    assert (message.sender.name, message.text, message.language) == (
        "Vera",
        "Где мой заказ?",
        "ru",
    )
    assert message.profile["page"] == "https://shop.example/cart"
    assert message.profile["utm_source"] == "mail"
    assert message.profile["email"] == "vera@example.org"
    assert "evil" not in message.profile
    assert [message] == list(channel().parse(request))
    (again,) = channel().parse(post(text="Где мой заказ?", at=NOW // 1000 - 5_000))
    assert again.dedupe_key == message.dedupe_key


def test_a_message_written_offline_keeps_the_time_it_was_written() -> None:
    (message,) = channel().parse(post(text="hi", at=NOW // 1000 - 90_000))
    assert message.sent_at == NOW - 90_000_000
    (from_the_future,) = channel().parse(post(text="hi", at=NOW))
    assert from_the_future.sent_at == NOW


def test_files_come_with_their_message() -> None:
    (message,) = channel().parse(post(text="see", files=[("a.png", b"\x89PNG"), ("../b", b"2")]))
    assert [one.name for one in message.attachments] == ["a.png", "b"]
    assert message.attachments[0].content == b"\x89PNG"


@pytest.mark.parametrize(
    "token",
    [
        None,
        "",
        7,
        "abc",
        ".",
        "eyJpZCI6InYxIn0.AAAA",
        make_token(SETTINGS, VERA)[:-2] + "AA",
        make_token(SETTINGS.model_copy(update={"visitor_key": SecretStr("other")}), VERA),
        "ü.ü",
        "x" * 5_000 + ".y",
    ],
)
def test_a_forged_or_foreign_token_is_untrusted_and_learns_nothing(token: object) -> None:
    with pytest.raises(UntrustedRequest) as caught:
        channel().parse(post({"token": token, "kind": "message", "id": "client-1", "text": "x"}))
    assert str(caught.value) == "the request carries no visitor of ours"


def test_a_token_cannot_be_changed_to_name_another_visitor() -> None:
    import base64

    payload, mac = make_token(SETTINGS, VERA).split(".")
    other = base64.urlsafe_b64encode(
        base64.urlsafe_b64decode(payload + "==").replace(b"a1a1", b"b2b2")
    )
    forged = f"{other.decode().rstrip('=')}.{mac}"
    with pytest.raises(UntrustedRequest):
        channel().parse(post({"token": forged, "kind": "typing"}))


def test_an_account_without_a_key_trusts_nobody() -> None:
    keyless = WebChatSettings(visitor_key=SecretStr(""))
    with pytest.raises(UntrustedRequest):
        channel(keyless).parse(post(text="x"))


def test_the_site_s_word_about_a_user_grows_old() -> None:
    old = Visitor(id="u1", user_id="42", verified_at=Micros(NOW - 31 * 86_400_000_000))
    with pytest.raises(UntrustedRequest):
        channel().parse(post(visitor=old, text="x"))
    fresh = replace(old, verified_at=Micros(NOW - 86_400_000_000))
    (message,) = channel().parse(post(visitor=fresh, text="x"))
    assert (message.profile["user_id"], message.profile["verified"]) == ("42", "yes")


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({"text": ""}, (422, "empty")),
        ({"text": " \n\x00 "}, (422, "empty")),
        ({"text": ["x"]}, (422, "empty")),
        ({"text": "x" * (MAX_TEXT + 1)}, (422, "too_long")),
        ({"text": "x", "id": ""}, (422, "bad_id")),
        ({"text": "x", "id": "a:b" * 5}, (422, "bad_id")),
        ({"kind": "teleport"}, (422, "unknown_kind")),
        ({"kind": None}, (422, "unknown_kind")),
        ({"kind": "ack", "read": "all"}, (422, "bad_ack")),
        ({"kind": "ack", "read": ["1"] * 101}, (422, "bad_ack")),
        ({"kind": "ack", "read": ["v9:1"]}, (422, "bad_ack")),
    ],
)
def test_a_wrong_post_is_told_what_was_wrong(
    fields: dict[str, object], answer: tuple[int, str]
) -> None:
    assert error_of(channel().parse(post(**fields))) == answer


def test_text_at_the_limit_and_odd_characters_pass() -> None:
    (full,) = channel().parse(post(text="я" * MAX_TEXT))
    assert len(full.text) == MAX_TEXT
    (odd,) = channel().parse(post(text="a\x00b \ud800 👩‍👩‍👧 \u202eabc שלום"))
    assert odd.text == "ab  👩‍👩‍👧 \u202eabc שלום"
    odd.text.encode()


def test_files_beyond_the_limits_are_refused() -> None:
    big = b"x" * 1_000_001
    small = SETTINGS.model_copy(update={"max_file_mb": 1})
    assert error_of(channel(small).parse(post(files=[("a", big)]))) == (413, "too_large")
    none = SETTINGS.model_copy(update={"files": False})
    assert error_of(channel(none).parse(post(files=[("a", b"1")]))) == (422, "no_files")
    many = [(str(n), b"1") for n in range(6)]
    assert error_of(channel().parse(post(files=many))) == (422, "too_many_files")


def test_without_consent_nothing_is_taken_and_with_it_the_consent_is_kept() -> None:
    asks = SETTINGS.model_copy(update={"consent_text": "I agree", "consent_link": "https://p.ex"})
    assert error_of(channel(asks).parse(post(text="x"))) == (422, "consent")
    agreed = replace(VERA, consent_at=NOW)
    (message,) = channel(asks).parse(post(visitor=agreed, text="x"))
    assert message.profile["consent"].endswith("Z I agree")
    assert message.profile["consent_link"] == "https://p.ex"


def test_only_allowed_sites_may_post() -> None:
    bound = WebChatSettings(
        visitor_key=SecretStr("key"), allowed_sites="Shop.example, http://b.ex:80/x"
    )
    fine = post(settings=bound, text="x", headers={"origin": "https://shop.example"})
    assert channel(bound).parse(fine)
    assert channel(bound).parse(post(settings=bound, text="x", headers={"origin": "http://b.ex"}))
    for origin in ("https://evil.example", "null", ""):
        with pytest.raises(UntrustedRequest):
            channel(bound).parse(post(settings=bound, text="x", headers={"origin": origin}))


def test_addresses_of_pages_are_web_addresses_only() -> None:
    (message,) = channel().parse(post(text="x", page={"url": "javascript:alert(1)", "title": 5}))
    assert "page" not in message.profile
    assert "page_title" not in message.profile


def test_typing_is_a_signal() -> None:
    (signal,) = channel().parse(post(kind="typing"))
    assert isinstance(signal, Presence)
    assert signal.kind is PresenceKind.TYPING


def test_read_marks_are_receipts_of_the_visitor_s_own_messages_only() -> None:
    delivered, read = channel().parse(post(kind="ack", delivered=["12"], read=["11"]))
    assert isinstance(delivered, DeliveryReceipt)
    assert (delivered.external_id, delivered.status) == (f"{VERA.id}:12", DeliveryStatus.DELIVERED)
    assert (read.external_id, read.status) == (f"{VERA.id}:11", DeliveryStatus.READ)


async def test_a_receipt_names_what_send_gave() -> None:
    message = OutboundMessage(
        id=DeliveryId(1),
        message_id=MessageId(12),
        dialog_id=DialogId(3),
        account_id=AccountId(7),
        to=VERA.address(),
        text="hello",
    )
    sent = await channel().send(message)
    assert sent == await channel().send(message)
    (receipt,) = channel().parse(post(kind="ack", read=["12"]))
    assert sent.external_ids == (receipt.external_id,)
    with pytest.raises(PermanentFailure):
        await channel().send(replace(message, to=replace(message.to, kind="email")))


def test_the_caller_is_the_proven_visitor() -> None:
    assert channel().caller(post(kind="typing")) == VERA.id
    assert channel().caller(post({"token": "forged"})) == ""


@given(
    st.binary(max_size=300), st.sampled_from(["", "text/plain", "multipart/form-data; boundary=x"])
)
def test_noise_never_escapes_as_a_bare_error(body: bytes, kind: str) -> None:
    request = replace(post({}), body=body, headers={"content-type": kind})
    with pytest.raises(UntrustedRequest):
        channel().parse(request)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.sampled_from(["message", "typing", "ack"]),
    st.dictionaries(
        st.sampled_from(["id", "text", "at", "page", "language", "delivered", "read"]), JSON
    ),
)
def test_a_signed_visitor_s_noise_never_escapes_as_a_bare_error(
    kind: str, fields: dict[str, object]
) -> None:
    data = {"token": make_token(SETTINGS, VERA), "id": "client-1", "text": "x", **fields}
    try:
        list_or_answer = channel().parse(post(data | {"kind": kind}))
    except HubError:
        return
    assert isinstance(list_or_answer, list | WebhookAnswer)


def test_a_deeply_nested_bomb_is_refused() -> None:
    request = replace(post({}), body=b"[" * 60_000)
    with pytest.raises(UntrustedRequest):
        channel().parse(request)
