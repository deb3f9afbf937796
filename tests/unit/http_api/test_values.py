"""The small values of the API: instants, ids, keys of pages, addresses, signatures, names."""

from __future__ import annotations

import ipaddress
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from crm_store.sql import page_key
from hub import Change, DialogStatusChanged, EventId, Invalid, Micros, NoteAdded, ObjectChanged
from hub.http_api.endpoints.attachments import safe_name
from hub.ids import DialogId, MessageId, UserId
from hub.objects import DIRECT, SYSTEM
from hub.reach import check_url, is_allowed
from hub.shapes import Body, GivenId, GivenInstant, Id, Instant, OptionalId, Shape, check_storable
from hub.signatures import sign_webhook
from hub.webhook_sender import wants
from hub.wire_json import event_json, micros_of, rfc3339


class Asked(Body):
    """A request with the values that are told apart."""

    key: GivenId = 0
    at: GivenInstant = Micros(0)


class Told(Shape):
    """An answer."""

    id: Id
    other: OptionalId
    at: Instant


@given(st.integers(min_value=1, max_value=250_000_000_000_000_000))
def test_an_instant_survives_the_way_out_and_back(at: int) -> None:
    text = rfc3339(at)
    assert text is not None
    assert text.endswith("Z")
    assert micros_of(datetime.fromisoformat(text)) == at


def test_an_instant_that_is_not_set_is_null() -> None:
    assert rfc3339(0) is None
    told = Told.model_validate({"id": 1 << 62, "other": 0, "at": 0})
    assert told.model_dump() == {"id": str(1 << 62), "other": None, "at": None}


def test_an_instant_may_come_in_any_zone_but_not_without_one() -> None:
    asked = Asked.model_validate({"at": "2026-03-01T12:00:00+03:00"})
    assert asked.at == micros_of(datetime(2026, 3, 1, 9, tzinfo=UTC))
    for wrong in ("2026-03-01T12:00:00", "tomorrow", 5, None, "1960-01-01T00:00:00Z"):
        with pytest.raises(ValidationError):
            Asked.model_validate({"at": wrong})


@pytest.mark.parametrize("wrong", [5, "", "-1", "x", "9" * 19, "1" * 20, "١", "1\n", None, True])
def test_an_id_is_a_text_of_digits_that_fits(wrong: object) -> None:
    with pytest.raises(ValidationError):
        Asked.model_validate({"key": wrong})


def test_an_id_in_a_request_becomes_its_number() -> None:
    assert Asked.model_validate({"key": str((1 << 63) - 1)}).key == (1 << 63) - 1


@pytest.mark.parametrize(
    "wrong", ["a\x00", "\ud800", 1 << 63, float("nan"), float("inf"), {"\x00": 1}, [["a\x00"]]]
)
def test_what_no_database_keeps_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"kept|large|finite"):
        check_storable({"deep": [wrong]})


def test_what_is_nested_without_end_is_refused() -> None:
    deep: object = 1
    for _ in range(100):
        deep = [deep]
    with pytest.raises(ValueError, match="deeply"):
        check_storable(deep)


@given(st.text(max_size=60))
def test_a_key_of_a_page_is_two_numbers_or_refused(text: str) -> None:
    with suppress(Invalid):
        value, number = page_key(text)
        assert text.partition("-")[1] == "-"
        assert 0 <= value < 1 << 63
        assert 0 <= number < 1 << 63


@pytest.mark.parametrize(
    ("address", "anywhere", "outside_only"),
    [
        ("93.184.215.14", True, True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True, True),
        ("127.0.0.1", True, False),
        ("10.0.0.5", True, False),
        ("192.168.1.1", True, False),
        ("::1", True, False),
        ("fd12::1", True, False),
        ("::ffff:10.0.0.5", True, False),
        ("169.254.169.254", False, False),
        ("169.254.0.1", False, False),
        ("fe80::1", False, False),
        ("::ffff:169.254.169.254", False, False),
        ("64:ff9b::a9fe:a9fe", False, False),
        ("2002:a9fe:a9fe::", False, False),
        ("fd00:ec2::254", False, False),
        ("100.100.100.200", False, False),
        ("0.0.0.0", False, False),
        ("::", False, False),
        ("224.0.0.1", False, False),
    ],
)
def test_addresses_that_may_be_called(address: str, anywhere: bool, outside_only: bool) -> None:
    parsed = ipaddress.ip_address(address)
    assert is_allowed(parsed, allow_private=True) is anywhere
    assert is_allowed(parsed, allow_private=False) is outside_only


@given(st.text(max_size=80))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    for url in (text, f"http://{text}", f"https://example.org/{text}"):
        with suppress(Invalid):
            check_url(url)


def test_a_signature_is_that_of_the_published_example() -> None:
    """The example of the Standard Webhooks libraries, made by theirs."""
    made = sign_webhook(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1_614_265_330,
        b'{"test": 2432232314}',
    )
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_families_of_facts_are_named_by_their_first_word() -> None:
    assert wants(["*"], "dialog.opened")
    assert wants(["dialog.*"], "dialog.opened")
    assert wants(["dialog.opened"], "dialog.opened")
    assert not wants(["dialog.*"], "dialogue.opened")
    assert not wants(["message.*", "dialog"], "dialog.opened")


def test_a_fact_is_told_with_texts_for_ids_and_instants() -> None:
    at = Micros(1_772_357_400_000_001)
    fact = DialogStatusChanged(
        dialog_id=DialogId(1 << 60), before="open", after="snoozed", until=at
    )
    told = event_json(fact.stamped(id=EventId(7), at=at, actor=SYSTEM, cause=DIRECT), "abc")
    assert told["id"] == "abc-7"
    assert told["at"] == "2026-03-01T09:30:00.000001Z"
    assert told["subject"] == {"kind": "dialog", "id": str(1 << 60)}
    assert told["data"] == {
        "dialog_id": str(1 << 60),
        "before": "open",
        "after": "snoozed",
        "until": "2026-03-01T09:30:00.000001Z",
    }
    note = NoteAdded(message_id=MessageId(1), dialog_id=DialogId(2), mentions=(UserId(3),))
    assert event_json(note, "e")["data"] == {"message_id": "1", "dialog_id": "2", "mentions": ["3"]}
    change = Change(kind="contact", id=1 << 60, field="language", before=None, after="ru")
    changed = ObjectChanged(object_kind="contact", object_id=1 << 60, changes=(change,))
    assert event_json(changed, "e")["data"]["changes"] == [
        {"kind": "contact", "id": str(1 << 60), "field": "language", "before": None, "after": "ru"}
    ]


@given(st.text(max_size=400))
def test_a_file_name_is_never_a_path_nor_a_header(name: str) -> None:
    safe = safe_name(name)
    assert 0 < len(safe) <= 200
    assert not set(safe) & set('/\\"\r\n\0')


def test_every_body_refuses_unknown_fields() -> None:
    from hub.http_api.shapes import dialogs, house, messages, people, system

    found = [
        one
        for module in (dialogs, house, messages, people, system)
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, BaseModel) and issubclass(one, Body)
    ]
    assert len(found) > 20
    assert {one.model_config.get("extra") for one in found} == {"forbid"}
