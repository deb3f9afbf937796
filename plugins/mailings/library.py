"""The library of letters: one's own, a team's, everybody's; taken into mailings and sent by programs.

A letter is the words of a mailing without its audience. Every save keeps what it was before, and a
mailing that took a letter remembers which version it took.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    and_,
    insert,
    or_,
    select,
    text,
    update,
)

from hub import (
    ActorKind,
    Command,
    Conflict,
    Handler,
    Hub,
    Invalid,
    NotFound,
    UnitOfWork,
    UsedBy,
    User,
    UserId,
)
from plugins.mailings.facts import LetterChanged
from plugins.mailings.versions import LETTER, keep

ID = BigInteger().with_variant(Integer(), "sqlite")
SCOPES = ("mine", "team", "all")
WORDS = ("subject", "text", "short", "plain")
MOST = 500
MOST_FILES = 10
_zero = text("0")

letters = Table(
    "mailings_letters",
    MetaData(),
    Column("id", ID, primary_key=True, autoincrement=False),
    Column("title", String(200), nullable=False),
    Column("folder", String(100), nullable=False),
    Column("scope", String(10), nullable=False),
    Column("owner_id", ID, nullable=False, server_default=_zero),
    Column("team_id", ID, nullable=False, server_default=_zero),
    # Subject, text, short and plain words, and the ids of files.
    Column("body", JSON, nullable=False),
    Column("changed_at", ID, nullable=False),
    Column("changed_by", ID, nullable=False, server_default=_zero),
    Column("version", ID, nullable=False, server_default=text("1")),
    Column("removed", Boolean, nullable=False, server_default=text("false")),
    Index("ix_mailings_letters_scope", "removed", "scope", "owner_id"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptLetter:
    """A letter of the library."""

    id: int
    title: str
    folder: str = ""
    scope: str = "mine"
    owner_id: int = 0
    team_id: int = 0
    subject: str = ""
    text: str = ""
    short: str = ""
    plain: str = ""
    files: tuple[int, ...] = ()
    changed_at: int = 0
    version: int = 1

    @property
    def body(self) -> dict[str, Any]:
        """Its words and files as they are stored."""
        return {
            **{name: getattr(self, name) for name in WORDS},
            "files": [str(one) for one in self.files],
        }

    def as_json(self) -> dict[str, Any]:
        """Give it for programs; ids are strings."""
        found = asdict(self)
        for name in ("id", "owner_id", "team_id"):
            found[name] = str(found[name])
        return {**found, "files": [str(one) for one in self.files]}


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveLetter(Command):
    """Make or change a letter of one's own; `letter_id` 0 makes one, `version` guards a change."""

    permission: ClassVar[str] = "mailings.send"

    title: str
    body: Mapping[str, Any] = field(repr=False)
    letter_id: int = 0
    folder: str = ""
    scope: str = "mine"
    team_id: int = 0
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareLetter(SaveLetter):
    """Make or change a letter of a team's or of everybody's."""

    permission: ClassVar[str] = "templates.edit"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveLetter(Command):
    """Put a letter of one's own away; mailings that took it keep their words."""

    permission: ClassVar[str] = "mailings.send"

    letter_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveSharedLetter(RemoveLetter):
    """Put a shared letter away."""

    permission: ClassVar[str] = "templates.edit"


def declare(metadata: object) -> None:
    """Put the table on the hub's list."""
    assert isinstance(metadata, MetaData)
    letters.to_metadata(metadata)


def handlers() -> list[Handler]:
    """Who carries what out."""
    return [
        Handler(command=SaveLetter, handle=save),
        Handler(command=ShareLetter, handle=save),
        Handler(command=RemoveLetter, handle=remove),
        Handler(command=RemoveSharedLetter, handle=remove),
    ]


def save(uow: UnitOfWork, command: SaveLetter) -> int:
    """Keep the letter, and what it was before."""
    title = " ".join(command.title.split())[:200]
    if not title:
        raise Invalid("give the letter a title", field="title")
    if command.scope not in SCOPES or (command.scope == "team" and not command.team_id):
        raise Invalid("a letter is one's own, a team's or everybody's", field="scope")
    if command.scope != "mine" and type(command) is SaveLetter:
        raise Invalid("this command changes personal letters only", field="scope")
    files = [str(int(one)) for one in command.body.get("files", ())]
    if len(files) > MOST_FILES:
        raise Invalid("a letter has at most 10 files", field="files")
    body = {**{name: str(command.body.get(name, "")) for name in WORDS}, "files": files}
    values: dict[str, Any] = {
        "title": title,
        "folder": " ".join(command.folder.split())[:100],
        "scope": command.scope,
        "team_id": command.team_id if command.scope == "team" else 0,
        "body": body,
        "changed_at": uow.now,
        "changed_by": uow.actor.id,
    }
    if not command.letter_id:
        letter_id = uow.new_id()
        uow.execute(
            insert(letters).values(id=letter_id, owner_id=uow.actor.id, version=1, **values)
        )
        uow.record(LetterChanged(letter_id=letter_id, what="created", version=1))
        return letter_id
    row = _row(uow, command.letter_id, shared=type(command) is not SaveLetter)
    if command.version is not None and row.version != command.version:
        raise Conflict("somebody changed this letter meanwhile", what="version")
    if (row.title, row.body) != (title, body):
        keep(uow, LETTER, row.id, row.version, row.title, row.body)
    uow.execute(
        update(letters).where(letters.c.id == row.id).values(version=row.version + 1, **values)
    )
    uow.record(LetterChanged(letter_id=row.id, what="changed", version=row.version + 1))
    return int(row.id)


def remove(uow: UnitOfWork, command: RemoveLetter) -> None:
    """Put it away."""
    row = _row(uow, command.letter_id, shared=type(command) is not RemoveLetter)
    uow.execute(update(letters).where(letters.c.id == row.id).values(removed=True))
    uow.record(LetterChanged(letter_id=row.id, what="removed", version=row.version))


def _row(uow: UnitOfWork, letter_id: int, *, shared: bool) -> Any:
    row = uow.execute(
        select(letters).where(letters.c.id == letter_id, ~letters.c.removed).with_for_update()
    ).first()
    by_person = uow.actor.kind in (ActorKind.USER, ActorKind.TOKEN)
    foreign = row is not None and row.scope == "mine" and row.owner_id != uow.actor.id
    if row is None or (by_person and foreign):
        raise NotFound("there is no such letter")
    if row.scope != "mine" and not shared:
        raise Invalid("this command changes personal letters only", field="scope")
    return row


# -- reading --------------------------------------------------------------------------------------


async def reader_of(hub: Hub) -> User | None:
    """The colleague whose hands these are."""
    if hub.actor.kind not in (ActorKind.USER, ActorKind.TOKEN):
        return None
    return await hub.user(UserId(hub.actor.id))


def _visible(statement: Select[Any], user: User | None) -> Select[Any]:
    statement = statement.where(~letters.c.removed)
    if user is None:
        return statement
    mine = and_(letters.c.scope == "mine", letters.c.owner_id == user.id)
    team = and_(letters.c.scope == "team", letters.c.team_id.in_(user.teams or (0,)))
    return statement.where(or_(letters.c.scope == "all", mine, team))


def read(row: Mapping[str, Any]) -> KeptLetter:
    """Make a letter of its row."""
    body = row["body"]
    given: dict[str, Any] = {
        name: row[name]
        for name in (
            "id", "title", "folder", "scope", "owner_id", "team_id", "changed_at", "version"
        )
    }  # fmt: skip
    given |= {name: str(body.get(name, "")) for name in WORDS}
    return KeptLetter(**given, files=tuple(int(one) for one in body.get("files", ())))


async def all_letters(hub: Hub, *, words: str = "", folder: str = "") -> list[KeptLetter]:
    """Give the letters that a colleague may use, by folder and title; `words` finds in both texts."""
    rows = await hub.store.all(
        _visible(select(letters), await reader_of(hub))
        .order_by(letters.c.folder, letters.c.title, letters.c.id)
        .limit(MOST)
    )
    wanted = words.casefold().split()
    found = [read(row) for row in rows]
    return [
        one
        for one in found
        if (not folder or one.folder == folder)
        and all(
            word in f"{one.title} {one.subject} {one.text} {one.short}".casefold()
            for word in wanted
        )
    ]


async def letter_of(hub: Hub, given: str) -> KeptLetter:
    """Give a letter by the id in an address; raises NotFound."""
    number = int(given) if given.isdecimal() and len(given) < 19 else 0
    row = await hub.store.first(
        _visible(select(letters), await reader_of(hub)).where(letters.c.id == number)
    )
    if row is None:
        raise NotFound("there is no such letter")
    return read(row)


def problems_of(hub: Hub, body: Mapping[str, Any], own: Sequence[str]) -> list[tuple[str, str]]:
    """Say what is wrong with the placeholders of a letter: the name, and what was meant.

    `given.…` are the values that a program gives with a service message.
    """
    found = []
    for name in WORDS:
        for problem in hub.check_template(str(body.get(name, ""))):
            if problem.name in own or problem.name.startswith("given."):
                continue
            found.append((problem.name or problem.text, problem.suggestion))
    return found


async def letters_of_team(hub: Hub, team_id: int) -> list[UsedBy]:
    """Give the letters that a team has of its own."""
    mine = (letters.c.scope == "team", letters.c.team_id == team_id, ~letters.c.removed)
    rows = await hub.store.all(select(letters.c.id, letters.c.title).where(*mine))
    return [UsedBy(title=row["title"], path=f"/p/mailings/letters/{row['id']}") for row in rows]
