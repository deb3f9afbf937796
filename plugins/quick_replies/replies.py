"""A quick reply as it is read, shown and written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, and_, false, or_, select, true

from hub import ActorKind, Hub, UsedBy, User, UserId
from plugins.quick_replies.favourites import favourites_of
from plugins.quick_replies.tables import files, replies

LANGUAGES = ("ru", "en")
SCOPES = ("mine", "team", "all")
MOST = 2000
WORDINGS = ("text", "short", "html")
"""What a reply says in one language, by where it goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """A reply in one language: the whole text, a short one for short channels, HTML for letters."""

    text: str = ""
    short: str = ""
    html: str = ""

    def as_json(self) -> dict[str, str]:
        """Give it as it is stored and told to programs."""
        return {name: getattr(self, name) for name in WORDINGS}


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickReply:
    """One ready text; `favourite` is said of the one who reads."""

    id: int
    title: str
    shortcut: str = ""
    folder: str = ""
    scope: str = "mine"
    owner_id: int = 0
    team_id: int = 0
    slot: int = 0
    texts: Mapping[str, Wording] = field(default_factory=dict)
    buttons: tuple[tuple[str, str], ...] = ()
    template: str = ""
    template_language: str = ""
    channels: tuple[str, ...] = ()
    uses: int = 0
    last_used_at: int = 0
    changed_at: int = 0
    version: int = 1
    files: tuple[tuple[int, str, int], ...] = ()
    favourite: bool = False

    def wording(self, language: str) -> Wording:
        """The words in a language, else in the other one."""
        wanted = language[:2]
        for one in (wanted, *LANGUAGES):
            found = self.texts.get(one)
            if found is not None and found.text:
                return found
        return Wording()

    @property
    def languages(self) -> tuple[str, ...]:
        """In which languages it has words."""
        return tuple(one for one in LANGUAGES if one in self.texts and self.texts[one].text)


def read(
    row: Mapping[str, Any], attached: Sequence[Mapping[str, Any]] = (), favourite: bool = False
) -> QuickReply:
    """Make a reply of its row."""
    template = row["template"] or {}
    return QuickReply(
        id=row["id"],
        title=row["title"],
        shortcut=row["shortcut"],
        folder=row["folder"],
        scope=row["scope"],
        owner_id=row["owner_id"],
        team_id=row["team_id"],
        slot=row["slot"],
        texts={
            language: Wording(**{name: str(one.get(name, "")) for name in WORDINGS})
            for language, one in (row["texts"] or {}).items()
        },
        buttons=tuple((str(one[0]), str(one[1])) for one in row["buttons"] or ()),
        template=str(template.get("name", "")),
        template_language=str(template.get("language", "")),
        channels=tuple(row["channels"] or ()),
        uses=row["uses"],
        last_used_at=row["last_used_at"],
        changed_at=row["changed_at"],
        version=row["version"],
        files=tuple((one["id"], one["name"], one["size"]) for one in attached),
        favourite=favourite,
    )


async def reader_of(hub: Hub) -> User | None:
    """The colleague whose hands these are."""
    if hub.actor.kind not in (ActorKind.USER, ActorKind.TOKEN):
        return None
    return await hub.user(UserId(hub.actor.id))


def visible(statement: Select[Any], user: User | None) -> Select[Any]:
    """Everybody's replies, those of one's teams, and one's own."""
    statement = statement.where(~replies.c.removed)
    if user is None:
        return statement
    mine = and_(replies.c.scope == "mine", replies.c.owner_id == user.id)
    team = and_(replies.c.scope == "team", replies.c.team_id.in_(user.teams or (0,)))
    # Who may see colleagues' teams edits them too; a team's replies are no secret.
    return statement.where(or_(replies.c.scope == "all", mine, team, _shared_teams(user)))


def _shared_teams(user: User) -> Any:
    may = user.role in ("administrator", "supervisor", "marketer")
    return and_(replies.c.scope == "team", true() if may else false())


async def all_replies(hub: Hub, user: User | None) -> list[QuickReply]:
    """Every reply that somebody may use, by folder and title."""
    rows = await hub.store.all(
        visible(select(replies), user)
        .order_by(replies.c.folder, replies.c.title, replies.c.id)
        .limit(MOST)
    )
    attached: dict[int, list[Mapping[str, Any]]] = {}
    for one in await hub.store.all(
        select(files.c.id, files.c.reply_id, files.c.name, files.c.size).order_by(files.c.id)
    ):
        attached.setdefault(one["reply_id"], []).append(one)
    mine = await favourites_of(hub, user)
    return [read(row, attached.get(row["id"], ()), row["id"] in mine) for row in rows]


async def one_reply(hub: Hub, reply_id: int, user: User | None) -> QuickReply | None:
    """One reply that somebody may see."""
    row = await hub.store.first(visible(select(replies), user).where(replies.c.id == reply_id))
    if row is None:
        return None
    attached = await hub.store.all(
        select(files.c.id, files.c.name, files.c.size)
        .where(files.c.reply_id == reply_id)
        .order_by(files.c.id)
    )
    return read(row, attached, reply_id in await favourites_of(hub, user))


async def of_team(hub: Hub, team_id: int) -> list[UsedBy]:
    """Give the replies that a team has of its own."""
    mine = (replies.c.scope == "team", replies.c.team_id == team_id, ~replies.c.removed)
    rows = await hub.store.all(select(replies.c.id, replies.c.title).where(*mine))
    return [UsedBy(title=row["title"], path=f"/p/quick_replies/{row['id']}") for row in rows]
