"""Commands over quick replies, and who carries them out.

A personal reply is its owner's affair; what a team or everybody uses needs the right
`templates.edit`, so it has commands of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sqlalchemy import Table, delete, func, insert, select, update

from hub import ActorKind, Command, Conflict, Handler, Invalid, NotFound, UnitOfWork
from plugins.quick_replies.facts import QuickReplyChanged
from plugins.quick_replies.replies import LANGUAGES, WORDINGS
from plugins.quick_replies.tables import files, old_files, replies, uses, versions

MAX_TEXT = 20_000
MAX_HTML = 100_000
MAX_FILES = 10
MAX_FILE = 10_000_000
_RUNS = re.compile(
    r"<\s*(script|iframe|object|embed|form|meta|base|link)\b|<[^>]*\son[a-z]+\s*=|javascript:",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveQuickReply(Command):
    """Make or change a reply of one's own; `reply_id` 0 makes one, `version` guards a change.

    `bring_files` are files that an earlier version had; those that are dropped can come back.
    """

    permission: ClassVar[str] = "dialogs.answer"

    title: str
    texts: dict[str, dict[str, str]]
    reply_id: int = 0
    shortcut: str = ""
    folder: str = ""
    scope: str = "mine"
    team_id: int = 0
    slot: int = 0
    buttons: tuple[tuple[str, str], ...] = ()
    template: str = ""
    template_language: str = ""
    channels: tuple[str, ...] = ()
    version: int | None = None
    add_files: tuple[tuple[str, str, bytes], ...] = field(default=(), repr=False)
    drop_files: tuple[int, ...] = ()
    bring_files: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareQuickReply(SaveQuickReply):
    """Make or change a reply of a team's or of everybody's."""

    permission: ClassVar[str] = "templates.edit"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveQuickReply(Command):
    """Put a reply of one's own away; what was counted stays."""

    permission: ClassVar[str] = "dialogs.answer"

    reply_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveSharedReply(RemoveQuickReply):
    """Put a shared reply away."""

    permission: ClassVar[str] = "templates.edit"


@dataclass(frozen=True, slots=True, kw_only=True)
class CountUse(Command):
    """Note that a message began as a reply; a repeat of it changes nothing."""

    reply_id: int
    message_id: int
    dialog_id: int
    user_id: int
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CountSolved(Command):
    """Note that a dialog was closed after its replies."""

    dialog_id: int


def handlers() -> list[Handler]:
    """Who carries what out."""
    return [
        Handler(command=SaveQuickReply, handle=save),
        Handler(command=ShareQuickReply, handle=save),
        Handler(command=RemoveQuickReply, handle=remove),
        Handler(command=RemoveSharedReply, handle=remove),
        Handler(command=CountUse, handle=count_use),
        Handler(command=CountSolved, handle=count_solved),
    ]


def save(uow: UnitOfWork, command: SaveQuickReply) -> int:
    """Write a reply and keep what it said before; gives its id."""
    values = _checked(uow, command)
    before = _row(uow, command) if command.reply_id else None
    if before is None:
        reply_id = uow.new_id()
        uow.execute(
            insert(replies).values(
                id=reply_id, owner_id=uow.actor.id, created_at=uow.now, version=1, **values
            )
        )
        version = 1
    else:
        reply_id, version = command.reply_id, before.version + 1
        uow.execute(
            insert(versions).values(
                reply_id=reply_id,
                version=before.version,
                at=before.changed_at,
                by=before.changed_by,
                body=_body(uow, before),
            )
        )
        uow.execute(
            update(replies).where(replies.c.id == reply_id).values(version=version, **values)
        )
    _keep_files(uow, command, reply_id)
    uow.record(
        QuickReplyChanged(
            reply_id=reply_id, what="changed" if before is not None else "created", version=version
        )
    )
    return reply_id


def _body(uow: UnitOfWork, row: Any) -> dict[str, Any]:
    """What a version keeps: the words and all that goes with them; its place and key are no part."""
    there = uow.execute(
        select(files.c.id, files.c.name).where(files.c.reply_id == row.id).order_by(files.c.id)
    )
    return {
        "title": row.title,
        "texts": row.texts,
        "buttons": row.buttons,
        "template": row.template,
        "channels": row.channels,
        "files": [[str(one.id), one.name] for one in there],
    }


def _checked(uow: UnitOfWork, command: SaveQuickReply) -> dict[str, Any]:
    title = command.title.strip()[:200]
    if not title:
        raise Invalid("give the reply a title", field="title")
    texts = {
        language: {name: text.strip() for name, text in one.items() if name in WORDINGS}
        for language, one in command.texts.items()
        if language in LANGUAGES and any(text.strip() for text in one.values())
    }
    if not texts and not command.template:
        raise Invalid("write what the reply says, in one language at least", field="text")
    for one in texts.values():
        _check_wording(one)
    if command.scope not in ("mine", "team", "all"):
        raise Invalid("a reply is one's own, a team's or everybody's", field="scope")
    if command.scope != "mine" and type(command) is SaveQuickReply:
        raise Invalid("this command saves personal replies only", field="scope")
    if command.scope == "team" and not command.team_id:
        raise Invalid("choose the team", field="team_id")
    if not 0 <= command.slot <= 9:
        raise Invalid("a key is Alt+1 to Alt+9", field="slot")
    shortcut = command.shortcut.strip().lstrip("/").lower()[:60]
    if any(one.isspace() for one in shortcut):
        raise Invalid("a shortcut is one word", field="shortcut")
    if shortcut:
        _need_free(uow, command, shortcut)
    if any(not label.strip() for label, _ in command.buttons):
        raise Invalid("a button needs a label", field="buttons")
    return {
        "title": title,
        "shortcut": shortcut,
        "folder": command.folder.strip()[:100],
        "scope": command.scope,
        "team_id": command.team_id if command.scope == "team" else 0,
        "slot": command.slot,
        "texts": texts,
        "buttons": [list(one) for one in command.buttons],
        "template": {"name": command.template, "language": command.template_language},
        "channels": list(command.channels),
        "changed_at": uow.now,
        "changed_by": uow.actor.id,
    }


def _check_wording(one: dict[str, str]) -> None:
    html = one.get("html", "")
    if len(html) > MAX_HTML or any(len(one.get(name, "")) > MAX_TEXT for name in ("text", "short")):
        raise Invalid("this text is too long", field="text")
    if html and not one.get("text"):
        raise Invalid("write the plain text too: other channels get it", field="text")
    if _RUNS.search(html):
        raise Invalid("HTML of a reply cannot run scripts or take in other pages", field="text")


def _need_free(uow: UnitOfWork, command: SaveQuickReply, shortcut: str) -> None:
    """One shortcut is one reply for everybody who sees both."""
    clash = [
        replies.c.shortcut == shortcut,
        ~replies.c.removed,
        replies.c.id != command.reply_id,
        replies.c.scope == command.scope,
    ]
    if command.scope == "mine":
        clash.append(replies.c.owner_id == uow.actor.id)
    if command.scope == "team":
        clash.append(replies.c.team_id == command.team_id)
    if uow.execute(select(replies.c.id).where(*clash)).first() is not None:
        raise Invalid("another reply has this shortcut already", field="shortcut")


def _row(uow: UnitOfWork, command: SaveQuickReply | RemoveQuickReply) -> Any:
    row = uow.execute(
        select(replies).where(replies.c.id == command.reply_id, ~replies.c.removed)
    ).first()
    personal = type(command) in (SaveQuickReply, RemoveQuickReply)
    by_person = uow.actor.kind in (ActorKind.USER, ActorKind.TOKEN)
    foreign = row is not None and row.scope == "mine" and row.owner_id != uow.actor.id
    if row is None or (by_person and foreign):
        raise NotFound("there is no such reply")
    if personal and row.scope != "mine":
        raise Invalid("this command changes personal replies only", field="scope")
    version = getattr(command, "version", None)
    if version is not None and row.version != version:
        raise Conflict("somebody changed this reply meanwhile", what="version")
    return row


def _move(uow: UnitOfWork, reply_id: int, ids: tuple[int, ...], of: Table, to: Table) -> None:
    """Take files of a reply from one table to the other."""
    if not ids:
        return
    mine = of.c.reply_id == reply_id, of.c.id.in_(ids)
    uow.execute(insert(to).from_select([one.name for one in of.c], select(of).where(*mine)))
    uow.execute(delete(of).where(*mine))


def _keep_files(uow: UnitOfWork, command: SaveQuickReply, reply_id: int) -> None:
    _move(uow, reply_id, command.drop_files, files, old_files)
    _move(uow, reply_id, command.bring_files, old_files, files)
    if not command.add_files:
        return
    there = uow.execute(
        select(func.count()).select_from(files).where(files.c.reply_id == reply_id)
    ).scalar_one()
    if there + len(command.add_files) > MAX_FILES:
        raise Invalid("a reply has at most 10 files", field="files")
    for name, media_type, content in command.add_files:
        if len(content) > MAX_FILE:
            raise Invalid("a file of a reply has at most 10 MB", field="files")
        uow.execute(
            insert(files).values(
                id=uow.new_id(),
                reply_id=reply_id,
                name=name[:200],
                media_type=media_type[:200],
                size=len(content),
                content=content,
            )
        )


def remove(uow: UnitOfWork, command: RemoveQuickReply) -> None:
    """Put a reply away."""
    row = _row(uow, command)
    uow.execute(
        update(replies)
        .where(replies.c.id == row.id)
        .values(removed=True, changed_at=uow.now, changed_by=uow.actor.id)
    )
    uow.record(QuickReplyChanged(reply_id=row.id, what="removed", version=row.version))


def count_use(uow: UnitOfWork, command: CountUse) -> None:
    """Write a use down once."""
    there = uow.execute(
        select(uses.c.at).where(
            uses.c.reply_id == command.reply_id, uses.c.message_id == command.message_id
        )
    ).first()
    known = uow.execute(select(replies.c.id).where(replies.c.id == command.reply_id)).first()
    if there is not None or known is None:
        return
    uow.execute(
        insert(uses).values(
            reply_id=command.reply_id,
            message_id=command.message_id,
            dialog_id=command.dialog_id,
            user_id=command.user_id,
            at=command.at,
        )
    )
    uow.execute(
        update(replies)
        .where(replies.c.id == command.reply_id)
        .values(uses=replies.c.uses + 1, last_used_at=command.at)
    )


def count_solved(uow: UnitOfWork, command: CountSolved) -> None:
    """Mark the uses of a dialog that was closed."""
    uow.execute(update(uses).where(uses.c.dialog_id == command.dialog_id).values(solved=True))
