"""What a site's form may send, and what becomes of it."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hub import (
    AccountId,
    ChannelContext,
    HubError,
    InboundMessage,
    Invalid,
    MalformedPayload,
    Micros,
    OutboundMessage,
    Screening,
    Unsupported,
    UntrustedRequest,
    VerdictKind,
    WebhookAnswer,
    WebhookRequest,
)
from plugins.web_form import screen_inbound
from plugins.web_form.channel import WebFormChannel
from plugins.web_form.settings import WebFormSettings
from plugins.web_form.submission import read_fields, read_submission

NOW = Micros(1_790_000_000_000_000)


def channel(**settings: object) -> WebFormChannel:
    context = ChannelContext(
        account_id=AccountId(7),
        title="Shop",
        http=None,  # type: ignore[arg-type]
        log=logging.getLogger("test"),
        now=lambda: NOW,
    )
    return WebFormChannel(WebFormSettings.model_validate(settings), context)


def urlencoded(fields: dict[str, str], **headers: str) -> WebhookRequest:
    return WebhookRequest(
        method="POST",
        url="https://hub.example/hooks/7",
        headers={"content-type": "application/x-www-form-urlencoded", **headers},
        body=urlencode(fields).encode(),
        received_at=NOW,
    )


def taken(request: WebhookRequest, **settings: object) -> InboundMessage:
    (message,) = channel(**settings).parse(request)
    assert isinstance(message, InboundMessage)
    return message


FIELDS = {
    "name": "Вера  Петрова",
    "email": "Vera@Example.org",
    "phone": "8 916 123-45-67",
    "message": "Сколько стоит?",
    "Размер": "XL",
    "utm_source": "mail",
}


def test_a_form_becomes_a_message_of_the_person_s_own_address() -> None:
    message = taken(urlencoded(FIELDS, referer="https://shop.example/price?utm_campaign=may"))
    assert (message.sender.kind, message.sender.value) == ("email", "vera@example.org")
    assert message.sender.name == "Вера Петрова"
    assert message.text == "Сколько стоит?\nРазмер: XL\nPhone: 8 916 123-45-67"
    assert message.profile["phone"] == "+79161234567"
    assert message.profile["utm_source"] == "mail"
    assert message.profile["utm_campaign"] == "may"
    assert message.profile["page"] == "https://shop.example/price?utm_campaign=may"


@pytest.mark.parametrize("encoding", ["urlencoded", "multipart", "json"])
def test_every_encoding_of_a_form_is_read_alike(encoding: str) -> None:
    request = urlencoded(FIELDS)
    if encoding == "json":
        request = replace(
            request,
            headers={"content-type": "application/json; charset=utf-8"},
            body=json.dumps(FIELDS).encode(),
        )
    elif encoding == "multipart":
        parts = {name: (None, value.encode()) for name, value in FIELDS.items()}
        sent = httpx.Request("POST", "http://hub", files=parts)
        request = replace(request, headers=dict(sent.headers), body=sent.read())
    assert taken(request) == taken(urlencoded(FIELDS))


def test_without_an_address_the_telephone_counts_and_without_both_the_form_alone() -> None:
    by_phone = taken(urlencoded({"phone": "+1 (650) 253-0000", "text": "call me"}))
    assert (by_phone.sender.kind, by_phone.sender.value) == ("phone", "+16502530000")
    nobody = taken(urlencoded({"comment": "hi", "phone": "none"}))
    assert nobody.sender.kind == "web_form"
    other = taken(urlencoded({"comment": "hi again"}))
    assert nobody.sender.value != other.sender.value


def test_a_double_click_is_one_submission_and_a_new_text_another() -> None:
    first, again = taken(urlencoded(FIELDS)), taken(urlencoded(FIELDS))
    assert first.dedupe_key == again.dedupe_key
    assert taken(urlencoded(FIELDS | {"message": "other"})).dedupe_key != first.dedupe_key
    marked = taken(urlencoded(FIELDS | {"_id": "abcdef0123456789"}))
    late = taken(replace(urlencoded(FIELDS | {"_id": "abcdef0123456789"}), received_at=Micros(1)))
    assert marked.dedupe_key == late.dedupe_key


def test_fields_that_a_site_calls_otherwise_are_mapped() -> None:
    message = taken(
        urlencoded({"user_mail": "a@b.de", "frage": "Wann?", "Тема": "Заказ"}),
        field_names="email = user_mail\nmessage = frage",
    )
    assert (message.sender.value, message.text, message.subject) == ("a@b.de", "Wann?", "Заказ")
    with pytest.raises(ValidationError):
        WebFormSettings(field_names="mail is user_mail")


@pytest.mark.parametrize(
    ("fields", "settings"),
    [
        ({"email": "nobody", "message": "x"}, {}),
        ({"email": "a@b.de\r\nBcc: c@d.ef", "message": "x"}, {}),
        ({"name": " ", "message": ""}, {}),
        ({}, {}),
        ({"message": "x"}, {"consent_text": "I agree"}),
        ({"message": "x", "Size": ""}, {"more_fields": "Size *"}),
    ],
)
def test_a_wrong_form_is_told_so_and_never_fills_the_quarantine(
    fields: dict[str, str], settings: dict[str, object]
) -> None:
    answer = channel(**settings).parse(urlencoded(fields))
    assert isinstance(answer, WebhookAnswer)
    assert answer.status == 422


def test_consent_is_kept_with_the_message() -> None:
    message = taken(urlencoded({"message": "x", "consent": "on"}), consent_text="I agree")
    assert message.profile["consent"] == "I agree"
    assert "consent" not in message.text


def test_files_are_taken_only_where_the_form_takes_them() -> None:
    parts = [("message", (None, b"see")), ("scan", ("../a.pdf", b"%PDF", "application/pdf"))]
    sent = httpx.Request("POST", "http://hub", files=parts)  # type: ignore[arg-type]
    request = replace(urlencoded({}), headers=dict(sent.headers), body=sent.read())
    assert isinstance(channel().parse(request), WebhookAnswer)
    assert [one.name for one in taken(request, files=True).attachments] == ["a.pdf"]


def test_only_allowed_sites_may_send() -> None:
    assert taken(urlencoded(FIELDS, origin="https://shop.example"), allowed_sites="shop.example")
    with pytest.raises(UntrustedRequest):
        channel(allowed_sites="shop.example").parse(
            urlencoded(FIELDS, origin="https://evil.example")
        )


def test_a_machine_that_fills_the_trap_is_dropped_and_haste_is_kept_aside() -> None:
    trapped = taken(urlencoded({"website": "http://spam.example", "email": "broken"}))
    posted = read_fields(urlencoded(FIELDS))
    hasty = read_submission(WebFormSettings(), posted, at=NOW, trap="too fast")

    def verdict(message: InboundMessage, name: str = "web_form") -> VerdictKind | None:
        found = screen_inbound(Screening(message=message, account_id=7, channel=name))
        return found.kind if found else None

    assert verdict(trapped) is VerdictKind.DROP
    assert verdict(hasty) is VerdictKind.QUARANTINE
    assert verdict(taken(urlencoded(FIELDS))) is None
    assert verdict(trapped, "email") is None


async def test_a_form_says_that_it_cannot_answer() -> None:
    assert not WebFormChannel.capabilities.sends
    with pytest.raises(Unsupported, match="start an e-mail dialog"):
        await channel().send(OutboundMessage.__new__(OutboundMessage))


@given(
    st.binary(max_size=300),
    st.sampled_from(
        [
            "",
            "application/json",
            "multipart/form-data; boundary=x",
            "application/x-www-form-urlencoded",
        ]
    ),
)
def test_noise_never_escapes_as_a_bare_error(body: bytes, kind: str) -> None:
    request = replace(urlencoded({}), headers={"content-type": kind}, body=body)
    try:
        found = channel().parse(request)
    except HubError:
        return
    assert isinstance(found, list | WebhookAnswer)


@given(
    st.dictionaries(
        st.sampled_from(["email", "phone", "message", "_page", "_id", "имя", "x", "utm_source"]),
        st.recursive(
            st.none() | st.floats() | st.integers() | st.text(max_size=30), st.lists, max_leaves=5
        ),
    )
)
def test_noise_in_fields_never_escapes_as_a_bare_error(fields: dict[str, object]) -> None:
    body = json.dumps(fields).encode()
    request = replace(urlencoded({}), headers={"content-type": "application/json"}, body=body)
    found = channel().parse(request)
    assert isinstance(found, list | WebhookAnswer)


def test_invalid_names_the_field() -> None:
    with pytest.raises(Invalid) as caught:
        read_submission(WebFormSettings(), read_fields(urlencoded({"email": "x"})), at=NOW)
    assert caught.value.field == "email"


def test_a_submission_put_aside_can_be_read_again_with_its_files() -> None:
    parts = [("message", (None, b"see")), ("scan", ("a.pdf", b"%PDF\x00", "application/pdf"))]
    request = httpx.Request("POST", "http://hub", files=parts)  # type: ignore[arg-type]
    post = replace(urlencoded({}), headers=dict(request.headers), body=request.read())
    takes = WebFormSettings(files=True)
    hasty = read_submission(takes, read_fields(post), at=NOW, trap="too fast")
    (again,) = channel(files=True).replay(hasty.raw)
    assert isinstance(again, InboundMessage)
    assert (again.dedupe_key, again.headers, again.raw) == (hasty.dedupe_key, {}, b"")
    assert again.attachments == hasty.attachments
    for noise in (b"", b"{}", b"[1]", b'{"fields": 1, "files": [], "at": 1}'):
        with pytest.raises(MalformedPayload):
            channel().replay(noise)
