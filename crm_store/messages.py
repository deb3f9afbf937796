"""Reading what was said: a window of a dialog, and one message whole."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, and_, bindparam, select, tuple_

from crm_store import dialogs as dialog_reads
from crm_store.attachments import attachment_record
from crm_store.rows import among, listed
from crm_store.tables.dialogs import (
    attachments,
    bodies,
    message_versions,
    messages,
    reactions,
    read_marks,
)
from crm_store.tables.dialogs import drafts as drafts_table
from crm_store.tables.journal import journal
from crm_store.tables.users import users
from crm_store.unit_of_work import cause_from
from crm_store.viewer import Reader
from hub.errors import NotFound
from hub.ids import AccountId, AttachmentId, DialogId, MessageId, Micros, UserId
from hub.objects import Actor, ActorKind
from hub.records.dialogs import (
    AttachmentRecord,
    Dialog,
    Direction,
    Draft,
    HistoryLine,
    Message,
    Person,
    Quoted,
    Thread,
)

WINDOW = 50
QUOTED = 200


def thread(
    reader: Reader,
    dialog_id: DialogId,
    before: MessageId = MessageId(0),
    after: MessageId = MessageId(0),
    limit: int = WINDOW,
) -> Thread:
    """Give a window of a dialog: the newest, or the entries before or after one of its messages."""
    return window(reader, dialog_reads.one(reader, dialog_id), before, after, limit)


def window(
    reader: Reader,
    dialog: Dialog,
    before: MessageId = MessageId(0),
    after: MessageId = MessageId(0),
    limit: int = WINDOW,
) -> Thread:
    """Give a window of a dialog that this reader was given in the same read."""
    dialog_id = dialog.id
    limit = max(1, min(limit, 200))
    pivot = before or after
    at: int | None = 0
    if pivot:
        at = reader.conn.execute(
            select(messages.c.at).where(messages.c.id == pivot, messages.c.dialog_id == dialog_id)
        ).scalar()
        if at is None:
            raise NotFound("there is no such message")
    rows = reader.conn.execute(
        _window(bool(before), bool(after and not before)),
        {"dialog": dialog_id, "at": at, "pivot": pivot, "most": limit + 1},
    ).all()
    more = len(rows) > limit
    rows = rows[:limit]
    if not after:
        rows = rows[::-1]
    found = _records(reader, rows)
    start = found[0].at if found and (more or pivot) else 0
    end = found[-1].at if found and before else 0
    mark = reader.conn.execute(_MARK, {"me": reader.viewer.user_id, "dialog": dialog_id}).scalar()
    return Thread(
        dialog=dialog,
        messages=found,
        history=history(reader, dialog_id, Micros(start), Micros(end)),
        has_older=more if not after else True,
        has_newer=bool(before) or (bool(after) and more),
        read_up_to=MessageId(mark or 0),
    )


# Every page of a dialog asks these; made anew, a question costs more than its answer.


@cache
def _window(before: bool, after: bool) -> Select[Any]:
    place = tuple_(messages.c.at, messages.c.id)
    pivot = tuple_(bindparam("at"), bindparam("pivot"))
    statement = select(messages).where(
        messages.c.dialog_id == bindparam("dialog"), messages.c.deleted_at == 0
    )
    if before:
        statement = statement.where(place < pivot)
    if after:
        order = [messages.c.at.asc(), messages.c.id.asc()]
        statement = statement.where(place > pivot)
    else:
        order = [messages.c.at.desc(), messages.c.id.desc()]
    return statement.order_by(*order).limit(bindparam("most"))


_MARK = select(read_marks.c.message_id).where(
    read_marks.c.user_id == bindparam("me"), read_marks.c.dialog_id == bindparam("dialog")
)
_DRAFT = select(drafts_table).where(
    drafts_table.c.user_id == bindparam("me"), drafts_table.c.dialog_id == bindparam("dialog")
)


@cache
def _history(start: bool, end: bool) -> Select[Any]:
    by = and_(users.c.id == journal.c.actor_id, journal.c.actor_kind.in_(("user", "token")))
    statement = (
        select(journal, users.c.name.label("user_name"))
        .outerjoin(users, by)
        .where(journal.c.dialog_id == bindparam("dialog"), journal.c.shown)
    )
    if start:
        statement = statement.where(journal.c.at >= bindparam("start"))
    if end:
        statement = statement.where(journal.c.at <= bindparam("end"))
    return statement.order_by(journal.c.id.desc()).limit(200)


@cache
def _files(dialect: str) -> Select[Any]:
    which = among(dialect, attachments.c.message_id, "messages")
    return select(attachments).where(which).order_by(attachments.c.id)


@cache
def _reactions(dialect: str) -> Select[Any]:
    which = among(dialect, reactions.c.message_id, "messages")
    return select(reactions).where(which).order_by(reactions.c.at)


def history(
    reader: Reader, dialog_id: DialogId, start: Micros = Micros(0), end: Micros = Micros(0)
) -> tuple[HistoryLine, ...]:
    """Give the shown facts of a dialog between two instants, oldest first."""
    given = {"dialog": dialog_id, "start": start, "end": end}
    rows = reader.conn.execute(_history(bool(start), bool(end)), given).all()
    return tuple(
        HistoryLine(
            event_id=row.id,
            at=Micros(row.at),
            type=row.type,
            actor=Actor(kind=ActorKind(row.actor_kind), id=row.actor_id, name=row.actor_name),
            actor_name=row.user_name or row.actor_name,
            cause=cause_from(row.cause),
            data=row.data,
        )
        for row in reversed(rows)
    )


def one(reader: Reader, message_id: MessageId, whole: bool = True) -> Message:
    """Give one message, with its full text and HTML when `whole`."""
    row = reader.conn.execute(
        select(messages).where(
            messages.c.id == message_id,
            messages.c.deleted_at == 0,
            reader.viewer.messages_clause(),
        )
    ).first()
    if row is None:
        raise NotFound("there is no such message")
    body = None
    if whole:
        body = reader.conn.execute(
            select(bodies.c.full_text, bodies.c.html).where(bodies.c.message_id == message_id)
        ).first()
    return _records(reader, [row], body)[0]


def several(reader: Reader, ids: Sequence[MessageId]) -> tuple[Message, ...]:
    """Give messages by id, those that can be seen, oldest first."""
    rows = reader.conn.execute(
        select(messages)
        .where(
            messages.c.id.in_(ids),
            messages.c.deleted_at == 0,
            reader.viewer.messages_clause(),
        )
        .order_by(messages.c.at, messages.c.id)
    ).all()
    return _records(reader, rows)


def raw(reader: Reader, message_id: MessageId) -> tuple[bytes, str, dict[str, str]]:
    """Give a message as it came: its raw bytes, or the blob that holds them, and its headers."""
    one(reader, message_id, whole=False)
    row = reader.conn.execute(
        select(bodies.c.raw, bodies.c.raw_blob, bodies.c.headers).where(
            bodies.c.message_id == message_id
        )
    ).first()
    if row is None:
        return b"", "", {}
    return row.raw, row.raw_blob, row.headers


def versions(reader: Reader, message_id: MessageId) -> list[tuple[Micros, str]]:
    """Give the earlier texts of an edited message, oldest first."""
    one(reader, message_id, whole=False)
    rows = reader.conn.execute(
        select(message_versions.c.at, message_versions.c.text)
        .where(message_versions.c.message_id == message_id)
        .order_by(message_versions.c.id)
    )
    return [(Micros(row.at), row.text) for row in rows]


def _records(reader: Reader, rows: Sequence[Row[Any]], body: Any = None) -> tuple[Message, ...]:
    if not rows:
        return ()
    dialect = reader.conn.dialect.name
    given = {"messages": listed(dialect, [row.id for row in rows])}
    files: dict[int, list[AttachmentRecord]] = {}
    for file in reader.conn.execute(_files(dialect), given):
        files.setdefault(file.message_id, []).append(attachment_record(file))
    emoji: dict[int, list[tuple[str, str]]] = {}
    for one_reaction in reader.conn.execute(_reactions(dialect), given):
        emoji.setdefault(one_reaction.message_id, []).append((one_reaction.emoji, one_reaction.who))
    quoted = _quoted(reader, rows)
    return tuple(
        _record(
            row,
            tuple(files.get(row.id, ())),
            tuple(emoji.get(row.id, ())),
            body,
            quoted.get(row.reply_to) if _shows_quote(row) else None,
        )
        for row in rows
    )


def _shows_quote(row: Row[Any]) -> bool:
    """A letter answers the one before it nearly always: only messengers show what is answered."""
    return bool(row.reply_to) and (row.direction == "in" or bool(row.extra.get("replies")))


def _quoted(reader: Reader, rows: Sequence[Row[Any]]) -> dict[int, Quoted]:
    wanted = {row.reply_to for row in rows if _shows_quote(row)}
    if not wanted:
        return {}
    found = reader.conn.execute(select(messages).where(messages.c.id.in_(wanted)))
    return {
        one.id: Quoted(
            id=MessageId(one.id),
            author_name=one.author_name,
            text="" if one.extra.get("taken_back") else _line(one),
        )
        for one in found
    }


def _line(row: Row[Any]) -> str:
    return " ".join(row.text.split())[:QUOTED] or (
        f"⚠ {row.unsupported}" if row.unsupported else "📎"
    )


def _record(
    row: Row[Any],
    files: tuple[AttachmentRecord, ...],
    emoji: tuple[tuple[str, str], ...],
    body: Any,
    quoted: Quoted | None,
) -> Message:
    def persons(field: str) -> tuple[Person, ...]:
        return tuple(Person(address=one[0], name=one[1]) for one in row.people.get(field, ()))

    return Message(
        id=MessageId(row.id),
        dialog_id=DialogId(row.dialog_id),
        account_id=AccountId(row.account_id),
        direction=Direction(row.direction),
        author=Actor(kind=ActorKind(row.author_kind), id=row.author_id, name=row.author_name),
        author_name=row.author_name,
        text=row.text,
        subject=row.subject,
        at=Micros(row.at),
        received_at=Micros(row.received_at),
        status=row.status,
        reason=row.reason,
        reason_text=row.reason_text,
        automated=row.automated,
        cause=cause_from(row.cause),
        external_id=row.external_id,
        reply_to=MessageId(row.reply_to),
        has_html=row.has_html,
        has_quote=row.has_quote,
        late=row.late,
        unsupported=row.unsupported,
        due_at=Micros(row.due_at),
        edited_at=Micros(row.edited_at),
        deleted_at=Micros(row.deleted_at),
        to=persons("to"),
        cc=persons("cc"),
        bcc=persons("bcc"),
        attachments=files,
        reactions=emoji,
        mentions=tuple(UserId(int(one)) for one in row.extra.get("mentions", ())),
        extra=row.extra,
        full_text=body.full_text if body is not None else "",
        html=body.html if body is not None else "",
        quoted=quoted,
    )


def draft(reader: Reader, dialog_id: DialogId) -> Draft | None:
    """Give the viewer's own draft of a dialog."""
    row = reader.conn.execute(_DRAFT, {"me": reader.viewer.private_id, "dialog": dialog_id}).first()
    if row is None:
        return None
    return Draft(
        dialog_id=dialog_id,
        mode=row.mode,
        text=row.text,
        attachments=tuple(AttachmentId(int(one_id)) for one_id in row.attachments),
        reply_to=MessageId(row.reply_to),
        updated_at=Micros(row.updated_at),
    )
