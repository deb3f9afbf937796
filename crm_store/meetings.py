"""Meetings, and calls noted by hand: whose they are, and when, where nobody said."""

from __future__ import annotations

from collections.abc import Mapping

from crm_store.habits import PEOPLE, Habits
from crm_store.unit_of_work import UnitOfWork
from hub.ids import UserId


class MeetingHabits(Habits):
    """A meeting without another word is of whoever notes it, and is just over."""

    def fresh(
        self, uow: UnitOfWork, object_id: int, values: Mapping[str, object]
    ) -> Mapping[str, object]:
        """Set the responsible colleague and the moment."""
        mine = uow.actor.id if uow.actor.kind in PEOPLE else 0
        return {
            "owner_id": values.get("owner_id") or UserId(mine),
            "at": values.get("at") or uow.now,
        }
