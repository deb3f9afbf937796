"""Two leads that become one, and two again.

A merged lead stays in the bin as it was: that it was merged is written in `merges` alone.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update

from crm_store import lead_answers, object_writes
from crm_store.merge_pair import Pair, ids_of
from crm_store.merging import begin, move_rows, note, pair_of
from crm_store.nouns import NOUNS
from crm_store.tables.objects import dialog_links, leads
from crm_store.tables.people import merge_moves, merges
from crm_store.unit_of_work import UnitOfWork
from crm_store.unmerging import pair_of as merged_pair
from crm_store.unmerging import take_apart
from hub.commands import MergeLeads, UndoMergeLeads
from hub.errors import Conflict
from hub.events import LeadsMerged, ObjectRemoved
from hub.ids import DialogId, LeadId, MergeId
from hub.objects import Ref

LEAD = NOUNS["lead"]
LENT = ("contact_id", "client_id", "channel")
"""What nobody types into a lead, and a survivor without it gets of the other."""


def merge(uow: UnitOfWork, command: MergeLeads) -> MergeId:
    """Make two leads one; gives the number by which that is undone."""
    pair = pair_of(uow, LEAD, command)
    if pair.merged.status == "qualified":
        raise Conflict(
            "a converted lead lives on: merge the other one into it",
            what="converted",
            details={"id": str(pair.merged.id)},
        )
    merge_id = begin(uow, pair, command.take)
    move_rows(uow, merge_id, pair)
    _dialogs_over(uow, merge_id, pair)
    repeats = ids_of(
        uow,
        select(leads.c.id).where(
            leads.c.repeat_of == pair.merged.id, leads.c.id != pair.survivor.id
        ),
    )
    note(uow, merge_id, "repeats", repeats)
    uow.conn.execute(
        update(leads).where(leads.c.id.in_(repeats)).values(repeat_of=pair.survivor.id)
    )
    _lend(uow, merge_id, pair)
    first = [one.first_responded_at for one in (pair.survivor, pair.merged)]
    _keep(uow, merge_id, first=first[0])
    lead_answers.anew(uow, pair.survivor.id, *first)
    # Lists hear of the bin, which is where it is.
    uow.record(ObjectRemoved(object_kind="lead", object_id=pair.merged.id))
    uow.record(
        LeadsMerged(
            lead_id=LeadId(pair.survivor.id), merged_id=LeadId(pair.merged.id), merge_id=merge_id
        )
    )
    return merge_id


def undo_merge(uow: UnitOfWork, command: UndoMergeLeads) -> int:
    """Make one lead two again; gives the id of the one that comes back."""
    pair, written = merged_pair(uow, command.merge_id, (LEAD.kind.name,))
    kept = written.kept
    survivor, merged = LeadId(pair.survivor.id), LeadId(pair.merged.id)
    for dialog_id in _moved(uow, written, "dialogs_added"):
        object_writes.unlink(uow, DialogId(dialog_id), Ref(kind="lead", id=survivor))
    for dialog_id in _moved(uow, written, "dialogs_linked"):
        object_writes.link(uow, DialogId(dialog_id), Ref(kind="lead", id=merged))
    uow.conn.execute(
        update(leads)
        .where(leads.c.id.in_(_moved(uow, written, "repeats")), leads.c.repeat_of == survivor)
        .values(repeat_of=merged)
    )
    # A conversion was made of what the survivor had then: that stays, and can be taken back.
    converted = pair.survivor.status == "qualified"
    lent = {
        name: type(value)()
        for name, value in kept.get("lent", {}).items()
        if getattr(pair.survivor, name) == value and not converted
    }
    if kept.get("repeat"):
        lent["repeat_of"] = merged
    if lent:
        uow.conn.execute(update(leads).where(leads.c.id == survivor).values(lent))
    take_apart(uow, pair, written)
    lead_answers.anew(uow, survivor, kept.get("first", pair.survivor.first_responded_at))
    lead_answers.anew(uow, merged, pair.merged.first_responded_at)
    uow.record(ObjectRemoved(object_kind="lead", object_id=merged, restored=True))
    uow.record(
        LeadsMerged(lead_id=survivor, merged_id=merged, merge_id=MergeId(written.id), undone=True)
    )
    return int(merged)


def _dialogs_over(uow: UnitOfWork, merge_id: MergeId, pair: Pair) -> None:
    """Let the dialogs of the merged lead be about the survivor."""
    here, there = (_dialogs_of(uow, one.id) for one in (pair.merged, pair.survivor))
    added = [one for one in here if one not in there]
    note(uow, merge_id, "dialogs_linked", here)
    note(uow, merge_id, "dialogs_added", added)
    for dialog_id in added:
        object_writes.link(uow, DialogId(dialog_id), Ref(kind="lead", id=pair.survivor.id))
    for dialog_id in here:
        object_writes.unlink(uow, DialogId(dialog_id), Ref(kind="lead", id=pair.merged.id))


def _lend(uow: UnitOfWork, merge_id: MergeId, pair: Pair) -> None:
    """Give the survivor whose it is and where it came from, if it had none of that."""
    lent = {
        name: getattr(pair.merged, name)
        for name in LENT
        if not getattr(pair.survivor, name) and getattr(pair.merged, name)
    }
    values: dict[str, Any] = dict(lent)
    was_repeat = pair.survivor.repeat_of == pair.merged.id
    if was_repeat:
        # Nothing repeats itself.
        values["repeat_of"] = (
            0 if pair.merged.repeat_of == pair.survivor.id else pair.merged.repeat_of
        )
    if not values:
        return
    uow.conn.execute(update(leads).where(leads.c.id == pair.survivor.id).values(values))
    _keep(uow, merge_id, lent=lent, repeat=was_repeat)


def _keep(uow: UnitOfWork, merge_id: MergeId, **more: object) -> None:
    """Write down what else it takes to undo a merge."""
    mine = merges.c.id == merge_id
    kept = uow.conn.execute(select(merges.c.kept).where(mine)).scalar_one()
    uow.conn.execute(update(merges).where(mine).values(kept={**kept, **more}))


def _moved(uow: UnitOfWork, written: Any, place: str) -> list[int]:
    return ids_of(
        uow,
        select(merge_moves.c.row_id).where(
            merge_moves.c.merge_id == written.id, merge_moves.c.place == place
        ),
    )


def _dialogs_of(uow: UnitOfWork, lead_id: int) -> list[int]:
    return ids_of(
        uow,
        select(dialog_links.c.dialog_id).where(
            dialog_links.c.kind == "lead", dialog_links.c.object_id == lead_id
        ),
    )
