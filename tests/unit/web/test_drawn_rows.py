"""Rows are drawn once for all to whom they look the same, and for nobody else."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from hub import (
    AccountId,
    AddressId,
    ContactId,
    DialogId,
    DialogStatus,
    MessageId,
    Micros,
    TeamId,
    UserId,
)
from hub.records.dialogs import Dialog, DialogPage
from hub.web.board import Card, Column
from hub.web.render import Renderer

AT = Micros(1_700_000_000_000_000)
ONE = Dialog(
    id=DialogId(1), account_id=AccountId(2), channel="email", contact_id=ContactId(3),
    address_id=AddressId(4), contact_name="Анна <b>", address="anna@example.com",
    address_kind="email", subject="", status=DialogStatus.OPEN, assignee_id=UserId(9),
    team_id=TeamId(0), priority=0, snoozed_until=Micros(0), created_at=AT, closed_at=Micros(0),
    last_at=AT, last_message_id=MessageId(5), last_direction="in", preview="Здравствуйте",
    waiting_since=AT, last_inbound_at=AT, inbound_count=3, message_count=3, failed=False,
    group=False, thread_key="", merged_into=DialogId(0), version=1,
)  # fmt: skip


def drawn(renderer: Renderer, one: Dialog, language: str = "en", **values: Any) -> str:
    values = {"users": {UserId(9): SimpleNamespace(name="Vera Lind")}, "dialog": None, **values}
    rows = DialogPage(dialogs=(one,), next="")
    return renderer.text("inbox/rows.html", language, list=rows, **values)


def test_a_row_is_drawn_once_and_comes_back_the_same() -> None:
    renderer = Renderer()
    first = drawn(renderer, ONE)
    assert drawn(renderer, replace(ONE)) == first
    assert len(renderer._rows) == 1
    assert "Анна &lt;b&gt;" in first
    assert first == drawn(Renderer(), ONE)


def test_whatever_looks_different_is_drawn_anew() -> None:
    renderer = Renderer()
    seen = {
        drawn(renderer, ONE),
        drawn(renderer, replace(ONE, unread=2)),
        drawn(renderer, replace(ONE, draft="a thought")),
        drawn(renderer, replace(ONE, preview="Другое")),
        drawn(renderer, ONE, "ru"),
        drawn(renderer, ONE, zone="Asia/Tokyo"),
        drawn(renderer, ONE, dialog=ONE),
        drawn(renderer, ONE, users={UserId(9): SimpleNamespace(name="Oleg Orlov")}),
        drawn(renderer, ONE, users={}),
        drawn(renderer, ONE, dues={ONE.id: AT}),
    }
    assert len(seen) == 10
    assert renderer.row("en", ONE, {}) in {drawn(renderer, ONE, users={}).strip(), *seen}


def test_words_are_filled_in_and_escaped() -> None:
    words = Renderer().environment("en").globals["_"]
    assert words("%(name)s asks", name="<b>") == "&lt;b&gt; asks"
    assert words("100%") == "100%"


CARD = Card(id="7", title="Desks <b>", href="/interests/7", owner="Vera", owner_id=9, since=AT)


def board_of(renderer: Renderer, *cards: Card, language: str = "en", **values: Any) -> str:
    values = {"may": ("interests.edit",), "takes": True, **values}
    column = Column(key="1", title="New", count=1, cards=cards, takes=values.pop("takes"))
    kind = SimpleNamespace(write="interests.edit")
    return renderer.text("objects/cards.html", language, column=column, kind=kind, **values)


def test_a_card_of_a_board_is_drawn_once_for_all_to_whom_it_looks_the_same() -> None:
    renderer = Renderer()
    first = board_of(renderer, CARD, CARD._replace(id="8"))
    assert "Desks &lt;b&gt;" in first
    assert board_of(renderer, CARD._replace(), CARD._replace(id="8")) == first
    assert len(renderer._rows) == 2
    unlike = [
        board_of(renderer, CARD),
        board_of(renderer, CARD._replace(title="Chairs")),
        board_of(renderer, CARD._replace(has_no_step=True)),
        board_of(renderer, CARD._replace(due=AT)),
        board_of(renderer, CARD._replace(due=Micros(AT + 3_600_000_000)), zone="Asia/Tokyo"),
        board_of(renderer, CARD._replace(since=Micros(AT - 40 * 86_400_000_000))),
        board_of(renderer, CARD, language="ru"),
        board_of(renderer, CARD, may=()),
    ]
    assert len({*unlike, first}) == 9
    # A column that takes no cards asks nobody for a next step.
    bare = board_of(renderer, CARD._replace(has_no_step=True), takes=False)
    assert bare == unlike[0]
