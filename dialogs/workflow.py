"""The state of a dialog: who has it, whether it waits, sleeps or is done, how it is labelled."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, delete, insert, select, update

from crm_store.notices import notices_seen, tell
from crm_store.rows import among, insert_missing, insert_returning, listed
from crm_store.search_index import index_dialogs
from crm_store.sql import locked, upsert
from crm_store.tables.dialogs import (
    dialog_tags,
    dialogs,
    drafts,
    mentions,
    messages,
    read_marks,
    tags,
)
from crm_store.tables.users import teams, users
from crm_store.unit_of_work import UnitOfWork
from dialogs.access import change_dialog, hold_dialog, lock_dialog
from dialogs.waiting import ask_for_routing
from hub.commands import (
    AssignDialog,
    MarkRead,
    MuteDialog,
    SaveDraft,
    SetDialogStatus,
    SetPriority,
    SetSubject,
    SnoozeDialog,
    TagDialog,
    WakeDialogs,
)
from hub.errors import Conflict, Invalid
from hub.events import DialogAssigned, DialogChanged, DialogStatusChanged, DialogTagged
from hub.ids import DialogId, Micros, TeamId, UserId
from hub.objects import ActorKind, Ref
from hub.terms import fold

PEOPLE = (ActorKind.USER, ActorKind.TOKEN)
STATUSES = ("open", "waiting", "closed")
ADDED = "ON CONFLICT DO NOTHING RETURNING tag_id"


def assign_dialog(uow: UnitOfWork, command: AssignDialog) -> None:
    """Give a dialog to somebody."""
    dialog = lock_dialog(uow, command.dialog_id)
    if command.expected is not None and dialog.assignee_id != command.expected:
        raise Conflict(
            "somebody else was assigned meanwhile",
            what="assignee",
            details={"assignee_id": str(dialog.assignee_id)},
        )
    set_assignee(uow, dialog, command.user_id, command.team_id)
    if command.user_id != dialog.assignee_id and uow.actor.kind in PEOPLE:
        # What rules and routing give out is seen in the list, where it comes all day long.
        ref = Ref(kind="dialog", id=dialog.id)
        tell(uow, [command.user_id], "dialog.assigned", ref, dialog_id=dialog.id)


def set_assignee(
    uow: UnitOfWork, dialog: Row[Any], user_id: UserId, team_id: TeamId | None
) -> None:
    """Write another assignee and team; None leaves the team alone."""
    team = dialog.team_id if team_id is None else team_id
    if (
        user_id
        and not uow.conn.execute(
            select(users.c.id).where(users.c.id == user_id, users.c.active)
        ).first()
    ):
        raise Invalid("there is no such colleague", field="user_id")
    if team and not uow.conn.execute(select(teams.c.id).where(teams.c.id == team)).first():
        raise Invalid("there is no such team", field="team_id")
    if (dialog.assignee_id, dialog.team_id) == (user_id, team):
        return
    change_dialog(uow, dialog.id, assignee_id=user_id, team_id=team)
    uow.record(
        DialogAssigned(
            dialog_id=DialogId(dialog.id),
            user_id=user_id,
            team_id=TeamId(team),
            before_user_id=UserId(dialog.assignee_id),
            before_team_id=TeamId(dialog.team_id),
        )
    )


def set_dialog_status(uow: UnitOfWork, command: SetDialogStatus) -> None:
    """Open, wait or close."""
    if command.status not in STATUSES:
        raise Invalid(f"a status is one of {', '.join(STATUSES)}", field="status")
    dialog = lock_dialog(uow, command.dialog_id)
    if command.expected and dialog.status != command.expected:
        raise Conflict(
            "the status was changed meanwhile", what="status", details={"status": dialog.status}
        )
    set_status(uow, dialog, command.status)


def set_status(uow: UnitOfWork, dialog: Row[Any], status: str, until: Micros = Micros(0)) -> None:
    """Write another status with everything that hangs on it."""
    if dialog.status == status and dialog.snoozed_until == until:
        return
    values: dict[str, Any] = {
        "status": status,
        "is_open": status != "closed",
        "snoozed_until": until,
        "closed_at": uow.now if status == "closed" else 0,
    }
    if status == "closed":
        values["waiting_since"] = 0
    elif not dialog.is_open and _slot_taken(uow, dialog):
        raise Conflict("a newer dialog with this person is open: answer there", what="newer_dialog")
    change_dialog(uow, dialog.id, **values)
    uow.record(
        DialogStatusChanged(
            dialog_id=DialogId(dialog.id), before=dialog.status, after=status, until=until
        )
    )


def _slot_taken(uow: UnitOfWork, dialog: Row[Any]) -> bool:
    return (
        uow.conn.execute(
            select(dialogs.c.id).where(
                dialogs.c.account_id == dialog.account_id,
                dialogs.c.address_id == dialog.address_id,
                dialogs.c.slot == dialog.slot,
                dialogs.c.is_open,
                dialogs.c.id != dialog.id,
            )
        ).first()
        is not None
    )


def snooze_dialog(uow: UnitOfWork, command: SnoozeDialog) -> None:
    """Put a dialog aside."""
    if command.until <= uow.now:
        raise Invalid("the time to come back must lie ahead", field="until")
    set_status(uow, lock_dialog(uow, command.dialog_id), "snoozed", command.until)


def wake_dialogs(uow: UnitOfWork, command: WakeDialogs) -> int:
    """Wake what has slept long enough; gives how many."""
    statement = (
        select(dialogs)
        .where(dialogs.c.snoozed_until > 0, dialogs.c.snoozed_until <= uow.now)
        .order_by(dialogs.c.id)
        .limit(200)
    )
    rows = uow.conn.execute(locked(uow.dialect, statement, skip=True)).all()
    for row in rows:
        set_status(uow, row, "open")
        # A woken dialog asks for attention again: it goes to the top of the list.
        change_dialog(uow, row.id, last_at=uow.now)
    ask_for_routing(uow, [row.id for row in rows])
    return len(rows)


def tag_dialog(uow: UnitOfWork, command: TagDialog) -> None:
    """Add and remove tags by name."""
    dialog_id = hold_dialog(uow, command.dialog_id)
    wanted = [one.strip()[:60] for one in command.add if one.strip()]
    known = _tags(uow, wanted, command.remove)
    links = [{"dialog_id": dialog_id, "tag_id": known[fold(one)].id} for one in wanted]
    came = insert_returning(uow.conn, dialog_tags, links, ADDED) if links else ()
    gone: Sequence[Any] = ()
    fresh = {row.tag_id for row in came}
    named = [known[fold(one)].id for one in command.remove if fold(one) in known]
    if leaving := [one for one in named if one not in fresh]:
        gone = uow.conn.execute(
            delete(dialog_tags)
            .where(dialog_tags.c.dialog_id == dialog_id, dialog_tags.c.tag_id.in_(leaving))
            .returning(dialog_tags.c.tag_id)
        ).all()
    if came or gone:
        names = {row.id: row.name for row in known.values()}
        change_dialog(uow, dialog_id)
        uow.record(
            DialogTagged(
                dialog_id=dialog_id,
                added=tuple(names[row.tag_id] for row in came),
                removed=tuple(names[row.tag_id] for row in gone),
            )
        )


def _tags(uow: UnitOfWork, wanted: Sequence[str], others: Sequence[str]) -> dict[str, Row[Any]]:
    """Give tags by their folded names; those that are wanted are made where there are none."""
    known: dict[str, Row[Any]] = uow.tx.known.setdefault("tags", {})
    names = {fold(one): one for one in (*others, *wanted)}

    def look() -> list[str]:
        if unknown := [one for one in names if one not in known]:
            given = {"b_names": listed(uow.dialect, sorted(unknown))}
            for row in uow.conn.execute(_tags_of(uow.dialect), given):
                known[row.name_folded] = row
        return [one for one in dict.fromkeys(map(fold, wanted)) if one not in known]

    if missing := look():
        rows = [{"id": uow.new_id(), "name": names[one], "name_folded": one} for one in missing]
        insert_missing(uow.conn, tags, rows)
        look()
    return {one: known[one] for one in names if one in known}


@cache
def _tags_of(dialect: str) -> Select[Any]:
    return select(tags).where(among(dialect, tags.c.name_folded, "b_names"))


def set_subject(uow: UnitOfWork, command: SetSubject) -> None:
    """Rename a dialog."""
    dialog = lock_dialog(uow, command.dialog_id)
    subject = " ".join(command.subject.split())[:400]
    if subject != dialog.subject:
        change_dialog(uow, dialog.id, subject=subject, subject_folded=fold(subject)[:400])
        index_dialogs(uow.conn, [(dialog.id, subject)])
        uow.record(DialogChanged(dialog_id=DialogId(dialog.id), field="subject"))


def set_priority(uow: UnitOfWork, command: SetPriority) -> None:
    """Make a dialog more or less urgent."""
    if command.priority not in (-1, 0, 1, 2):
        raise Invalid("a priority is -1 (low), 0, 1 (high) or 2 (urgent)", field="priority")
    dialog = lock_dialog(uow, command.dialog_id)
    if command.priority != dialog.priority:
        change_dialog(uow, dialog.id, priority=command.priority)
        uow.record(DialogChanged(dialog_id=DialogId(dialog.id), field="priority"))


def mark_read(uow: UnitOfWork, command: MarkRead) -> None:
    """Note how far the actor has read; a row without a fact."""
    dialog = lock_dialog(uow, command.dialog_id)
    unseen = 0
    if command.message_id:
        at = uow.conn.execute(
            select(messages.c.at).where(messages.c.id == command.message_id)
        ).scalar()
        if at is not None:
            unseen = len(
                uow.conn.execute(
                    select(messages.c.id)
                    .where(
                        messages.c.dialog_id == dialog.id,
                        messages.c.direction == "in",
                        messages.c.deleted_at == 0,
                        (messages.c.at > at)
                        | ((messages.c.at == at) & (messages.c.id > command.message_id)),
                    )
                    .limit(1000)
                ).all()
            )
        seen = max(0, dialog.inbound_count - unseen)
    else:
        seen = max(0, dialog.inbound_count - 1)
    _mark(uow, dialog.id, message_id=command.message_id, inbound_seen=seen)
    if command.message_id:
        uow.conn.execute(
            update(mentions)
            .where(mentions.c.user_id == uow.viewer.user_id, mentions.c.dialog_id == dialog.id)
            .values(seen=True)
        )
        notices_seen(uow, Ref(kind="dialog", id=dialog.id))


def _mark(uow: UnitOfWork, dialog_id: int, **values: Any) -> None:
    statement = upsert(uow.dialect, read_marks).values(
        user_id=uow.viewer.user_id, dialog_id=dialog_id, at=uow.now, **values
    )
    uow.conn.execute(
        statement.on_conflict_do_update(
            index_elements=["user_id", "dialog_id"], set_={**values, "at": uow.now}
        )
    )


def mute_dialog(uow: UnitOfWork, command: MuteDialog) -> None:
    """Stop or resume one's notifications of a dialog."""
    dialog = lock_dialog(uow, command.dialog_id)
    _mark(uow, dialog.id, muted=command.muted)


def save_draft(uow: UnitOfWork, command: SaveDraft) -> None:
    """Keep or remove what is not sent yet."""
    dialog = lock_dialog(uow, command.dialog_id)
    where = (drafts.c.user_id == uow.viewer.user_id) & (drafts.c.dialog_id == dialog.id)
    uow.conn.execute(delete(drafts).where(where))
    if command.text.strip() or command.attachments:
        uow.conn.execute(
            insert(drafts).values(
                user_id=uow.viewer.user_id,
                dialog_id=dialog.id,
                mode=command.mode,
                text=command.text[:100_000],
                attachments=[str(one) for one in command.attachments],
                reply_to=command.reply_to,
                updated_at=uow.now,
            )
        )
