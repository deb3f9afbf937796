"""Who used which reply, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, func, select

from hub import ActorKind, Command, DialogStatusChanged, Event, Hub, MessageQueued
from plugins.quick_replies.commands import CountSolved, CountUse
from plugins.quick_replies.tables import uses

NAME = "quick_replies:"
STALE_DAYS = 90
DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """How often a reply was used, by how many colleagues, and how many dialogs it solved."""

    uses: int = 0
    people: int = 0
    dialogs: int = 0
    solved: int = 0

    @property
    def share(self) -> int:
        """Dialogs closed after it, in per cent."""
        return round(100 * self.solved / self.dialogs) if self.dialogs else 0


async def count(hub: Hub, events: Sequence[Event]) -> None:
    """Take the facts in; each may come twice."""
    commands: list[Command] = []
    for event in events:
        match event:
            case MessageQueued(suggested=suggested) if suggested.startswith(NAME):
                key = suggested.removeprefix(NAME)
                if key.isdecimal() and int(key) < 2**63:
                    by_person = event.actor.kind in (ActorKind.USER, ActorKind.TOKEN)
                    commands.append(
                        CountUse(
                            reply_id=int(key),
                            message_id=event.message_id,
                            dialog_id=event.dialog_id,
                            user_id=event.actor.id if by_person else 0,
                            at=event.at,
                        )
                    )
            case DialogStatusChanged(after="closed"):
                commands.append(CountSolved(dialog_id=event.dialog_id))
            case _:
                pass
    if commands:
        await hub.do(*commands)


async def numbers(hub: Hub) -> Mapping[int, Numbers]:
    """Give the numbers of every reply."""
    rows = await hub.store.all(
        select(
            uses.c.reply_id,
            func.count().label("uses"),
            func.count(uses.c.user_id.distinct()).label("people"),
            func.count(uses.c.dialog_id.distinct()).label("dialogs"),
            func.count(case((uses.c.solved, uses.c.dialog_id)).distinct()).label("solved"),
        ).group_by(uses.c.reply_id)
    )
    return {
        row["reply_id"]: Numbers(
            uses=row["uses"], people=row["people"], dialogs=row["dialogs"], solved=row["solved"]
        )
        for row in rows
    }


async def by_whom(hub: Hub, reply_id: int) -> list[tuple[int, int]]:
    """Give who used a reply how often, most first."""
    rows: Sequence[Mapping[str, Any]] = await hub.store.all(
        select(uses.c.user_id, func.count().label("n"))
        .where(uses.c.reply_id == reply_id)
        .group_by(uses.c.user_id)
        .order_by(func.count().desc())
        .limit(10)
    )
    return [(row["user_id"], row["n"]) for row in rows]
