"""For which kinds of advertising this organisation holds an erid to be obligatory.

Advertising of others always was; whether that of one's own is, is disputed (this is no legal
advice), so the organisation says so once, and the list before sending obeys.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import JSON, Column, MetaData, String, Table, delete, insert, select

from hub import Command, Handler, Hub, Invalid, UnitOfWork

KINDS = ("third", "own")
USUAL = ("third",)
_NAME = "erid"

settings = Table(
    "mailings_settings",
    MetaData(),
    Column("name", String(100), primary_key=True),
    Column("value", JSON, nullable=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetObligatory(Command):
    """Say which kinds of advertising (`third`, `own`) do not leave without an erid."""

    permission: ClassVar[str] = "system.manage"

    kinds: tuple[str, ...] = ()


def declare(metadata: object) -> None:
    """Put the table on the hub's list."""
    assert isinstance(metadata, MetaData)
    settings.to_metadata(metadata)


def handler() -> Handler:
    """Who carries it out."""
    return Handler(command=SetObligatory, handle=_set)


def _set(uow: UnitOfWork, command: SetObligatory) -> None:
    if set(command.kinds) - set(KINDS):
        raise Invalid("there is no such kind of advertising", field="kinds")
    uow.execute(delete(settings).where(settings.c.name == _NAME))
    uow.execute(insert(settings).values(name=_NAME, value=sorted(set(command.kinds))))


async def obligatory(hub: Hub) -> tuple[str, ...]:
    """Give the kinds of advertising that need an erid here."""
    row = await hub.store.first(select(settings.c.value).where(settings.c.name == _NAME))
    return tuple(str(one) for one in row["value"]) if row is not None else USUAL
