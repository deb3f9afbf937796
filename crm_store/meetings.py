"""Meetings, and calls noted by hand: whose they are, when, where nobody said, and what they answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm_store import lead_answers
from crm_store.habits import PEOPLE, Habits
from crm_store.unit_of_work import UnitOfWork
from hub.ids import UserId


class MeetingHabits(Habits):
    """A meeting without another word is of whoever notes it, and is just over.

    What a person notes is an answer to the leads of whom it was with.
    """

    def fresh(
        self, uow: UnitOfWork, object_id: int, values: Mapping[str, object]
    ) -> Mapping[str, object]:
        """Set the responsible colleague and the moment."""
        mine = uow.actor.id if uow.actor.kind in PEOPLE else 0
        return {
            "owner_id": values.get("owner_id") or UserId(mine),
            "at": values.get("at") or uow.now,
        }

    def created(self, uow: UnitOfWork, object_id: int, values: Mapping[str, object]) -> None:
        """Answer the leads of a person."""
        if uow.actor.kind in PEOPLE:
            _answer(uow, {"created_at": uow.now, **values})

    def changed(self, uow: UnitOfWork, row: Any, values: Mapping[str, object]) -> None:
        """It was with somebody else, or at another time."""
        if {"at", "contact_id"} & set(values):
            _take_back(uow, row)
            _answer(uow, {**row._mapping, **values})

    def removed(self, uow: UnitOfWork, row: Any, *, restore: bool) -> None:
        """What lies in the bin was not held."""
        if restore:
            _answer(uow, row._mapping)
        else:
            _take_back(uow, row)


def _answer(uow: UnitOfWork, values: Mapping[str, Any]) -> None:
    if values.get("contact_id"):
        # Whoever agrees on a meeting to come has answered by that.
        noted = values["created_at"]
        lead_answers.met(uow, values["contact_id"], min(values.get("at") or noted, noted))


def _take_back(uow: UnitOfWork, row: Any) -> None:
    lead_answers.taken_back(uow, row.contact_id, {row.at, row.created_at} - {0})
