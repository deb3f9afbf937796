"""Two dialogs that become one, by hand.

The merged one stays as it was, closed and out of every list, with its people, tags, links and drafts;
its messages, and what leads to them, go over. The merge is written down where those of cards are:
which messages went, what the survivor was before, and what it got; from there it is undone
(`unmerging.py`).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, delete, insert, literal, select

from crm_store import object_writes
from crm_store.erasure import address_hash
from crm_store.held import let_go
from crm_store.sql import upsert
from crm_store.tables.dialogs import dialog_tags, messages, participants, thread_references
from crm_store.tables.objects import dialog_links
from crm_store.tables.people import merge_moves, merges
from crm_store.unit_of_work import UnitOfWork
from dialogs.access import change_dialog, lock_dialog
from dialogs.marks import join_marks
from dialogs.moving import copy_people, move_messages
from dialogs.recount import recount
from hub.commands import MergeDialogs
from hub.errors import Conflict, Invalid
from hub.events import DialogsMerged
from hub.ids import DialogId, MergeId
from hub.objects import Ref

DIALOG = "dialog"
"""The kind under which merges of dialogs stand among merges."""
TIMES = ("last_at", "waiting_since", "last_inbound_at", "window_until")
"""What the survivor has of both."""
STATE = ("status", "is_open", "closed_at", "waiting_since", "snoozed_until")
"""What a merged dialog loses."""


def merge_dialogs(uow: UnitOfWork, command: MergeDialogs) -> MergeId:
    """Append one dialog to another; its later answers land in the survivor. Gives the number by
    which that is undone."""
    ids = sorted((command.survivor_id, command.merged_id))
    if ids[0] == ids[1]:
        raise Invalid("a dialog cannot be merged with itself", field="merged_id")
    rows = {one: lock_dialog(uow, one) for one in ids}
    survivor, merged = rows[command.survivor_id], rows[command.merged_id]
    if survivor.id == merged.id:
        raise Conflict("these dialogs are one already", what="merged")
    if survivor.account_id != merged.account_id:
        raise Invalid("dialogs of two channels cannot be merged: link the contact instead")
    merge_id = MergeId(uow.new_id())
    kept = _kept(uow, survivor, merged)
    _write_down(uow, merge_id, survivor, merged, kept)
    moved = select(messages.c.id).where(messages.c.dialog_id == merged.id)
    move_messages(uow, list(uow.conn.execute(moved).scalars()), DialogId(survivor.id))
    _take_over(uow, survivor, merged, kept)
    change_dialog(
        uow,
        merged.id,
        status="closed",
        is_open=False,
        closed_at=uow.now,
        waiting_since=0,
        snoozed_until=0,
        merged_into=survivor.id,
    )
    let_go(uow, merged.id)
    join_marks(uow, survivor, merged)
    change_dialog(uow, survivor.id, **kept["set"])
    recount(uow, merged.id)
    recount(uow, survivor.id)
    uow.record(
        DialogsMerged(
            dialog_id=DialogId(survivor.id), merged_id=DialogId(merged.id), merge_id=merge_id
        )
    )
    return merge_id


def _kept(uow: UnitOfWork, survivor: Row[Any], merged: Row[Any]) -> dict[str, Any]:
    """Give what both were and what the survivor gets. People stand here as hashes only."""
    waiting = [one for one in (survivor.waiting_since, merged.waiting_since) if one]
    both = {name: max(getattr(survivor, name), getattr(merged, name)) for name in TIMES}
    both["waiting_since"] = min(waiting, default=0)
    links, own_links = (_links(uow, one.id) for one in (merged, survivor))
    tags, own_tags = (_tags(uow, one.id) for one in (merged, survivor))
    people, own_people = (_people(uow, one.id) for one in (merged, survivor))
    references, own = (_references(uow, one.id) for one in (merged, survivor))
    return {
        "survivor": {name: getattr(survivor, name) for name in TIMES},
        "set": both,
        "merged": {name: getattr(merged, name) for name in STATE},
        "inbound": merged.inbound_count,
        "links": sorted(links - own_links),
        "tags": sorted(tags - own_tags),
        "people": sorted(people - own_people),
        "references": sorted(references),
        "shared": sorted(references & own),
    }


def _write_down(
    uow: UnitOfWork, merge_id: MergeId, survivor: Row[Any], merged: Row[Any], kept: dict[str, Any]
) -> None:
    uow.conn.execute(
        insert(merges).values(
            id=merge_id,
            kind=DIALOG,
            survivor_id=survivor.id,
            merged_id=merged.id,
            at=uow.now,
            actor=str(uow.actor),
            kept=kept,
        )
    )
    uow.conn.execute(
        insert(merge_moves).from_select(
            ["merge_id", "place", "row_id"],
            select(literal(int(merge_id)), literal("messages"), messages.c.id).where(
                messages.c.dialog_id == merged.id
            ),
        )
    )


def _take_over(uow: UnitOfWork, survivor: Row[Any], merged: Row[Any], kept: dict[str, Any]) -> None:
    """Give the survivor what the merged dialog is about, who takes part, and what leads there."""
    for kind, object_id in kept["links"]:
        # Requests, leads and tasks of the merged dialog hear what is said in the survivor.
        object_writes.link(uow, DialogId(survivor.id), Ref(kind=kind, id=object_id))
    if kept["tags"]:
        uow.conn.execute(
            insert(dialog_tags),
            [{"dialog_id": survivor.id, "tag_id": one} for one in kept["tags"]],
        )
    lead_here(uow, merged.id, survivor.id, kept["references"])
    uow.conn.execute(delete(thread_references).where(thread_references.c.dialog_id == merged.id))
    copy_people(uow, merged.id, survivor.id)


def lead_here(uow: UnitOfWork, source: int, target: int, references: list[str]) -> list[str]:
    """Let references of one dialog lead to another too; gives those that did lead to the first."""
    found: list[str] = []
    for start in range(0, len(references), 500):
        rows = uow.conn.execute(
            select(thread_references).where(
                thread_references.c.dialog_id == source,
                thread_references.c.reference.in_(references[start : start + 500]),
            )
        ).all()
        if rows:
            uow.conn.execute(
                upsert(uow.dialect, thread_references).on_conflict_do_nothing(),
                [{**one._mapping, "dialog_id": target} for one in rows],
            )
            found += [one.reference for one in rows]
    return found


def _links(uow: UnitOfWork, dialog_id: int) -> set[tuple[str, int]]:
    statement = select(dialog_links.c.kind, dialog_links.c.object_id)
    rows = uow.conn.execute(statement.where(dialog_links.c.dialog_id == dialog_id))
    return {(one.kind, one.object_id) for one in rows}


def _tags(uow: UnitOfWork, dialog_id: int) -> set[int]:
    mine = dialog_tags.c.dialog_id == dialog_id
    return set(uow.conn.execute(select(dialog_tags.c.tag_id).where(mine)).scalars())


def _people(uow: UnitOfWork, dialog_id: int) -> set[str]:
    mine = participants.c.dialog_id == dialog_id
    rows = uow.conn.execute(select(participants).where(mine))
    return {address_hash(one.kind, one.value) for one in rows}


def _references(uow: UnitOfWork, dialog_id: int) -> set[str]:
    mine = thread_references.c.dialog_id == dialog_id
    return set(uow.conn.execute(select(thread_references.c.reference).where(mine)).scalars())
