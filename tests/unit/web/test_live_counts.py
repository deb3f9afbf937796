"""Whose numbers are counted anew after a fact: of those who see a dialog that changed its view."""

from __future__ import annotations

from dataclasses import replace

from hub import (
    AccountId,
    AddressId,
    ContactId,
    Dialog,
    DialogId,
    DialogStatus,
    MessageId,
    Micros,
    TeamId,
    UserId,
)
from hub.web.live_connection import Place
from hub.web.live_counts import Standings, counts_anew

NOBODY: frozenset[tuple[int, DialogId]] = frozenset()


def waiting(assignee: int = 0) -> Dialog:
    return Dialog(
        id=DialogId(1), account_id=AccountId(1), channel="loop", contact_id=ContactId(1),
        address_id=AddressId(1), contact_name="Anna", address="anna", address_kind="loop",
        subject="", status=DialogStatus.OPEN, assignee_id=UserId(assignee), team_id=TeamId(0),
        priority=0, snoozed_until=Micros(0), created_at=Micros(1), closed_at=Micros(0),
        last_at=Micros(5), last_message_id=MessageId(1), last_direction="in", preview="hello",
        waiting_since=Micros(5), last_inbound_at=Micros(5), inbound_count=1, message_count=1,
        failed=False, group=False, thread_key="", merged_into=DialogId(0), version=1,
    )  # fmt: skip


def told(standings: Standings, one: Dialog) -> frozenset[DialogId]:
    place = Place(account_id=AccountId(1), assignee_id=one.assignee_id, team_id=TeamId(0))
    return standings.changed([one], {one.id: place})


def test_a_further_message_of_a_dialog_that_waits_already_changes_no_number() -> None:
    standings, one = Standings(), waiting()
    assert told(standings, one) == {one.id}
    assert told(standings, replace(one, waiting_since=Micros(9), inbound_count=2)) == frozenset()


def test_whatever_moves_a_dialog_between_views_changes_numbers() -> None:
    one = waiting()
    for changed in (
        replace(one, status=DialogStatus.CLOSED),
        replace(one, snoozed_until=Micros(9)),
        replace(one, waiting_since=Micros(0)),
        replace(one, failed=True),
        replace(one, merged_into=DialogId(2)),
        replace(one, assignee_id=UserId(3)),
    ):
        standings = Standings()
        told(standings, one)
        assert told(standings, changed) == {one.id}


def test_after_facts_that_nobody_heard_everything_counts_as_changed() -> None:
    standings, one = Standings(), waiting()
    told(standings, one)
    standings.forget()
    assert told(standings, one) == {one.id}


def test_who_is_counted_for_anew() -> None:
    one = waiting(assignee=7)
    assert counts_anew(UserId(1), [one], frozenset({one.id}), NOBODY)
    # What is unread is counted in one's own dialogs, and one's own acts change one's own marks.
    assert counts_anew(UserId(7), [one], frozenset(), NOBODY)
    assert counts_anew(UserId(1), [one], frozenset(), frozenset({(UserId(1), one.id)}))
    assert not counts_anew(UserId(1), [one], frozenset(), frozenset({(UserId(2), one.id)}))
    assert not counts_anew(UserId(1), [], frozenset({one.id}), NOBODY)
