"""Taking a merge of dialogs back: one is two again, as they were.

What came after the merge stays with the survivor; the fact says how much that is.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, delete, func, select, update

from crm_store import object_writes
from crm_store.erasure import address_hash
from crm_store.sql import locked
from crm_store.tables.dialogs import (
    dialog_tags,
    dialogs,
    messages,
    participants,
    thread_references,
)
from crm_store.tables.people import merge_moves, merges
from crm_store.tables.users import users
from crm_store.unit_of_work import UnitOfWork
from dialogs.access import change_dialog
from dialogs.marks import marks_of, part_marks
from dialogs.merging import DIALOG, TIMES, lead_here
from dialogs.moving import move_messages
from dialogs.recount import recount
from hub.commands import UndoMergeDialogs
from hub.errors import Conflict, NotFound
from hub.events import DialogsUnmerged
from hub.ids import DialogId, MergeId
from hub.objects import Ref

ERASED = "erased"
"""The slot of a dialog whose person was erased."""


def undo_merge(uow: UnitOfWork, command: UndoMergeDialogs) -> DialogId:
    """Make one dialog two again; gives the one that comes back."""
    written, survivor, merged = _locked(uow, command.merge_id)
    _refuse(uow, written, survivor, merged)
    moved = _messages_of(uow, written, survivor.id)
    kept = written.kept
    marks = marks_of(uow, survivor.id)
    move_messages(uow, moved, DialogId(merged.id))
    _say_whose(uow, survivor, merged)
    stayed = _stayed(uow, written, survivor.id)
    _part(uow, survivor.id, merged.id, kept, stayed)
    change_dialog(uow, survivor.id, **_times(uow, written, survivor))
    state = _state(uow, survivor, merged, kept["merged"])
    change_dialog(uow, merged.id, merged_into=0, assignee_id=_assignee(uow, merged), **state)
    recount(uow, survivor.id)
    recount(uow, merged.id)
    ids = (int(survivor.id), int(merged.id))
    counted = select(dialogs.c.id, dialogs.c.inbound_count).where(dialogs.c.id.in_(ids))
    counts: dict[int, int] = {one.id: one.inbound_count for one in uow.conn.execute(counted)}
    part_marks(uow, marks, ids, (counts[ids[0]], counts[ids[1]]), written.at, kept["inbound"])
    uow.conn.execute(delete(merge_moves).where(merge_moves.c.merge_id == written.id))
    uow.conn.execute(
        update(merges).where(merges.c.id == written.id).values(undone_at=uow.now, kept={})
    )
    uow.record(
        DialogsUnmerged(
            dialog_id=DialogId(survivor.id),
            restored_id=DialogId(merged.id),
            merge_id=MergeId(written.id),
            stayed=stayed,
            closed=bool(kept["merged"]["is_open"] and not state["is_open"]),
        )
    )
    return DialogId(merged.id)


def _locked(uow: UnitOfWork, merge_id: MergeId) -> tuple[Any, Row[Any], Row[Any]]:
    """Lock both dialogs in the order of their ids, and read what the merge wrote down."""
    mine = select(merges).where(merges.c.id == merge_id, merges.c.kind == DIALOG)
    written = uow.conn.execute(mine).first()
    if written is None:
        raise NotFound("there is no such merge")
    both = select(dialogs).where(
        dialogs.c.id.in_((written.survivor_id, written.merged_id)), uow.viewer.dialogs_clause()
    )
    found = uow.conn.execute(locked(uow.dialect, both.order_by(dialogs.c.id))).all()
    rows = {one.id: one for one in found}
    if len(rows) < 2:
        raise NotFound("there is no such merge")
    # Read again: the dialogs are locked now.
    written = uow.conn.execute(mine).one()
    return written, rows[written.survivor_id], rows[written.merged_id]


def _refuse(uow: UnitOfWork, written: Any, survivor: Row[Any], merged: Row[Any]) -> None:
    """Refuse where the dialogs cannot be told apart any more."""
    if written.undone_at:
        raise Conflict("this merge was undone already", what="undone")
    if ERASED in (survivor.slot, merged.slot) or not written.kept:
        raise Conflict("this person was erased since", what="erased")
    if survivor.merged_into:
        raise Conflict(
            "the dialog was merged into another one since: undo that first",
            what="merged_again",
            details={"into": str(survivor.merged_into)},
        )
    later = select(merges.c.id).where(
        merges.c.kind == DIALOG,
        merges.c.survivor_id == survivor.id,
        merges.c.undone_at == 0,
        merges.c.id > written.id,
    )
    newest = uow.conn.execute(later.order_by(merges.c.id.desc()).limit(1)).scalar()
    if newest is not None:
        raise Conflict(
            "another dialog was merged into this one since: undo that first",
            what="merged_since",
            details={"merge": str(newest)},
        )


def _messages_of(uow: UnitOfWork, written: Any, survivor_id: int) -> list[int]:
    """Give the messages that go back; what a colleague has split off since stays where he put it."""
    went = select(merge_moves.c.row_id).where(
        merge_moves.c.merge_id == written.id, merge_moves.c.place == "messages"
    )
    found = uow.conn.execute(
        select(messages.c.id, messages.c.dialog_id, messages.c.deleted_at)
        .where(messages.c.id.in_(went))
        .order_by(messages.c.id)
    ).all()
    back = [one for one in found if one.dialog_id == survivor_id]
    if found and not back:
        raise Conflict(
            "its messages were split off since, and are a dialog of their own already",
            what="split",
        )
    if back and all(one.deleted_at for one in back):
        raise Conflict("its messages were removed since: nothing would come back", what="removed")
    return [int(one.id) for one in back]


def _say_whose(uow: UnitOfWork, survivor: Row[Any], merged: Row[Any]) -> None:
    """Say whose the messages are, where the survivor went to another person meanwhile."""
    if survivor.contact_id != merged.contact_id:
        uow.conn.execute(
            update(messages)
            .where(messages.c.dialog_id == merged.id, messages.c.contact_id == survivor.contact_id)
            .values(contact_id=merged.contact_id)
        )


def _stayed(uow: UnitOfWork, written: Any, survivor_id: int) -> int:
    """Count what was said after the merge."""
    since = select(func.count()).where(
        messages.c.dialog_id == survivor_id,
        messages.c.deleted_at == 0,
        messages.c.id > written.id,
    )
    return int(uow.conn.execute(since).scalar_one())


def _part(
    uow: UnitOfWork, survivor_id: int, merged_id: int, kept: dict[str, Any], stayed: int
) -> None:
    """Take from the survivor what the merge gave it."""
    for kind, object_id in kept["links"]:
        object_writes.unlink(uow, DialogId(survivor_id), Ref(kind=kind, id=object_id))
    uow.conn.execute(
        delete(dialog_tags).where(
            dialog_tags.c.dialog_id == survivor_id, dialog_tags.c.tag_id.in_(kept["tags"])
        )
    )
    back = lead_here(uow, survivor_id, merged_id, kept["references"])
    gone = sorted(set(back) - set(kept["shared"]))
    for start in range(0, len(gone), 500):
        uow.conn.execute(
            delete(thread_references).where(
                thread_references.c.dialog_id == survivor_id,
                thread_references.c.reference.in_(gone[start : start + 500]),
            )
        )
    if stayed:
        # They may have written since: an answer to that is for the survivor.
        return
    added = set(kept["people"])
    for one in uow.conn.execute(
        select(participants).where(participants.c.dialog_id == survivor_id)
    ).all():
        if address_hash(one.kind, one.value) in added:
            uow.conn.execute(
                delete(participants).where(
                    participants.c.dialog_id == survivor_id,
                    participants.c.kind == one.kind,
                    participants.c.value == one.value,
                )
            )


def _times(uow: UnitOfWork, written: Any, survivor: Row[Any]) -> dict[str, int]:
    """Give back the survivor's own instants, where nothing moved them since the merge."""
    before, given = written.kept["survivor"], written.kept["set"]
    values = {name: before[name] for name in TIMES if getattr(survivor, name) == given[name]}
    if "waiting_since" in values and not values["waiting_since"]:
        # Who waited was the other; whoever has written since waits himself.
        asked = select(func.min(messages.c.at)).where(
            messages.c.dialog_id == survivor.id,
            messages.c.direction == "in",
            ~messages.c.automated,
            messages.c.deleted_at == 0,
            messages.c.id > written.id,
        )
        if given["waiting_since"]:
            values["waiting_since"] = uow.conn.execute(asked).scalar() or 0
    return values


def _state(
    uow: UnitOfWork, survivor: Row[Any], merged: Row[Any], before: dict[str, Any]
) -> dict[str, Any]:
    """Give the state of the dialog that comes back: closed where its chat goes on in another."""
    if not before["is_open"]:
        return before
    taken = select(dialogs.c.id).where(
        dialogs.c.account_id == merged.account_id,
        dialogs.c.address_id == merged.address_id,
        dialogs.c.slot == merged.slot,
        dialogs.c.is_open,
    )
    if uow.conn.execute(taken.limit(1)).first() is None:
        return before
    return {
        "status": "closed",
        "is_open": False,
        "closed_at": uow.now,
        "waiting_since": 0,
        "snoozed_until": 0,
    }


def _assignee(uow: UnitOfWork, merged: Row[Any]) -> int:
    """Give who has the dialog again: nobody, where he has left since."""
    here = select(users.c.id).where(users.c.id == merged.assignee_id, users.c.active)
    return int(uow.conn.execute(here).scalar() or 0)
