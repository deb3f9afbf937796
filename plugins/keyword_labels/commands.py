"""Writing the words, and the fact that they were written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import delete, insert

from hub import Command, Event, Handler, UnitOfWork
from plugins.keyword_labels.tables import meanings


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveMeanings(Command):
    """Write every meaning with its words, in their order; none brings back those of the start."""

    permission: ClassVar[str] = "rules.manage"

    words: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeaningsChanged(Event):
    """Somebody wrote by which words messages are sorted."""

    type: ClassVar[str] = "keyword_labels.changed"

    count: int


def handlers() -> list[Handler]:
    """Who carries it out."""
    return [Handler(command=SaveMeanings, handle=save)]


def save(uow: UnitOfWork, command: SaveMeanings) -> None:
    """Write them anew."""
    uow.execute(delete(meanings))
    rows = [
        {"name": name, "words": list(words), "position": n}
        for n, (name, words) in enumerate(command.words.items())
    ]
    if rows:
        uow.execute(insert(meanings), rows)
    uow.record(MeaningsChanged(count=len(rows)))
