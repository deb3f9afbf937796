"""When leads were first answered: a person of ours wrote, talked or met. What machines send is none.

The moment stands on the lead's row, so that lists read nothing else. It is written where an answer
is, and looked for anew where the answer that it stands for is taken back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from functools import cache
from typing import Any

from sqlalchemy import Select, case, false, func, literal_column, select, union_all

from crm_store import object_writes
from crm_store.nouns import NOUNS
from crm_store.rows import among, listed
from crm_store.sql import locked, unindexed
from crm_store.tables.dialogs import dialogs, messages
from crm_store.tables.meetings import meetings
from crm_store.tables.objects import dialog_links, leads
from crm_store.unit_of_work import UnitOfWork
from hub.figures import MINUTE
from hub.ids import Micros

LEAD = NOUNS["lead"]
LATE_US = 86_400_000_000
"""How long after it a call or a message may be told of: they stand by the clock of their channel."""
MOST = 200


def was_talked(extra: Mapping[str, Any]) -> bool:
    """Say of a call's entry whether somebody talked in it."""
    state = extra.get("call")
    return state == "answered" or (state == "ended" and int(extra.get("seconds", 0)) > 0)


def answered(uow: UnitOfWork, talked: Sequence[tuple[int, int]]) -> None:
    """A person of ours has answered in dialogs, pairs of their ids and those of their contacts."""
    for row in _waiting(uow, [one for one, _ in talked], [one for _, one in talked]):
        _write(uow, row, uow.now)


def met(uow: UnitOfWork, contact_id: int, at: int) -> None:
    """A person of ours has met somebody or called him; what was before the lead is no answer.

    People write the minute of it, and not the second.
    """
    for row in _waiting(uow, [], [contact_id]):
        if at > row.received_at - MINUTE:
            _write(uow, row, at)


def taken_back(uow: UnitOfWork, contact_id: int, moments: Set[int], dialog_id: int = 0) -> None:
    """What was done at one of these moments is no answer any more; another may be the first now."""
    answered_then = leads.c.first_responded_at.in_(sorted(moments))
    asked = _leads_of(uow.dialect).where(answered_then)
    for row in _leads(uow, asked, [dialog_id] if dialog_id else [], [contact_id]):
        own = _dialogs_of(uow, row)
        found = [_said(uow, own, row.received_at), _met(uow, row)]
        _write(uow, row, min(filter(None, found), default=0))


def anew(uow: UnitOfWork, lead_id: int, *known: int) -> None:
    """Other dialogs are about a lead than before: the first of its answers may be another one.

    `known` are moments of answers whose words may be gone since.
    """
    row = uow.conn.execute(locked(uow.dialect, select(leads).where(leads.c.id == lead_id))).one()
    since = [one for one in known if one >= row.received_at]
    found = [_said(uow, _dialogs_of(uow, row), row.received_at), _met(uow, row), *since]
    if row.status == "rejected":
        # What is said to who was refused answers nothing.
        found = [one for one in found if one <= row.closed_at]
    _write(uow, row, min(filter(None, found), default=0))


def said_in(uow: UnitOfWork, row: Any, dialog_id: int) -> int:
    """Give when a lead was first answered in a dialog, 0 for never."""
    return _said(uow, [dialog_id], row.received_at)


def so_far(uow: UnitOfWork, dialog_id: int, values: Mapping[str, Any]) -> Micros:
    """Give when a person of ours answered what a new lead is made of, 0 for not yet."""
    return Micros(_said(uow, [dialog_id], values.get("received_at") or uow.now))


def _write(uow: UnitOfWork, row: Any, at: int) -> None:
    object_writes.change(uow, LEAD, row, {"first_responded_at": at})


@cache
def _leads_of(dialect: str) -> Select[Any]:
    own = union_all(
        select(leads.c.id).where(among(dialect, leads.c.contact_id, "b_people")),
        select(dialog_links.c.object_id).where(
            among(dialect, dialog_links.c.dialog_id, "b_dialogs"),
            dialog_links.c.kind == literal_column("'lead'"),
        ),
    )
    return select(leads).where(leads.c.id.in_(own)).order_by(leads.c.id)


@cache
def _waiting_of(dialect: str) -> Select[Any]:
    return _leads_of(dialect).where(
        unindexed(leads.c.first_responded_at) == literal_column("0"),
        unindexed(leads.c.deleted_at) == literal_column("0"),
        unindexed(leads.c.status) != literal_column("'rejected'"),
    )


def _leads(
    uow: UnitOfWork, asked: Select[Any], dialog_ids: Sequence[int], people: Sequence[int]
) -> list[Any]:
    """Lock those leads of dialogs or people that are asked for."""
    given = {
        "b_dialogs": listed(uow.dialect, sorted(set(dialog_ids))),
        "b_people": listed(uow.dialect, sorted(set(people) - {0})),
    }
    return list(uow.conn.execute(locked(uow.dialect, asked), given))


def _waiting(uow: UnitOfWork, dialog_ids: Sequence[int], people: Sequence[int]) -> list[Any]:
    return _leads(uow, _waiting_of(uow.dialect), dialog_ids, people)


def _dialogs_of(uow: UnitOfWork, row: Any) -> list[int]:
    linked = select(dialog_links.c.dialog_id).where(
        dialog_links.c.kind == "lead", dialog_links.c.object_id == row.id
    )
    own = select(dialogs.c.id).where(dialogs.c.contact_id == row.contact_id)
    asked = union_all(linked, own) if row.contact_id else linked
    return list(uow.conn.execute(asked).scalars())


def _said(uow: UnitOfWork, dialog_ids: Sequence[int], since: int) -> int:
    """Give when a person of ours first wrote or talked in dialogs since a moment, 0 for never."""
    rows = uow.conn.execute(
        select(messages.c.direction, messages.c.received_at, messages.c.extra)
        .where(
            messages.c.dialog_id.in_(dialog_ids),
            messages.c.at >= since - LATE_US,
            messages.c.received_at >= since,
            messages.c.direction.in_(("out", "call")),
            messages.c.automated == false(),
            messages.c.deleted_at == 0,
        )
        .order_by(messages.c.received_at, messages.c.id)
        .limit(MOST)
    )
    found = (one.received_at for one in rows if one.direction == "out" or was_talked(one.extra))
    return int(next(found, 0))


def _met(uow: UnitOfWork, row: Any) -> int:
    """Give when somebody was first met or called by hand since a lead came in, 0 for never."""
    noted = meetings.c.created_at
    at = case(((meetings.c.at > 0) & (meetings.c.at < noted), meetings.c.at), else_=noted)
    first = select(func.min(at)).where(
        meetings.c.contact_id == row.contact_id,
        meetings.c.deleted_at == 0,
        at > row.received_at - MINUTE,
    )
    return int(uow.conn.execute(first).scalar() or 0) if row.contact_id else 0
