"""Habits: what making, changing and removing an object of one kind means beyond its row.

A kind without habits of its own has these. Habits run inside the transaction of the command,
under the lock of the object's row; what they refuse, nobody has done.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm_store import object_writes
from crm_store.dialog_words import from_dialog, split
from crm_store.nouns import Noun
from crm_store.unit_of_work import UnitOfWork
from hub.commands import CreateObject
from hub.objects import ActorKind

PEOPLE = (ActorKind.USER, ActorKind.TOKEN)
"""Who can be responsible for what he makes: a colleague, by himself or by his token."""


class Habits:
    """You may override every method; left alone, an object is only its row.

    `fresh` gives what only the hub sets on a new object (a number, a first stage) and may refuse
    it; `before_change` checks a change and gives what is written; the others hear what was done.
    """

    def create(self, uow: UnitOfWork, noun: Noun, command: CreateObject) -> int:
        """Make an object; gives its id."""
        given, own = split(noun, from_dialog(uow, command.dialog_id) if command.dialog_id else {})
        given |= {name: one for name, one in command.values.items() if one not in (None, "")}
        values = object_writes.read_values(noun.kind, given, new=True)
        object_id = command.object_id or uow.new_id()
        whole = {**values, **own}
        whole |= self.fresh(uow, object_id, whole)
        object_writes.create(uow, noun, object_id, whole, command.dialog_id)
        self.created(uow, object_id, whole)
        return object_id

    def fresh(
        self, uow: UnitOfWork, object_id: int, values: Mapping[str, object]
    ) -> Mapping[str, object]:
        """Give what the hub sets on a new object, over the values that were given."""
        return {}

    def created(self, uow: UnitOfWork, object_id: int, values: Mapping[str, object]) -> None:
        """Hear that an object was made."""

    def before_change(
        self, uow: UnitOfWork, row: Any, values: Mapping[str, object]
    ) -> Mapping[str, object]:
        """Give what is to be written on a locked object; raises what speaks against it."""
        return values

    def changed(self, uow: UnitOfWork, row: Any, values: Mapping[str, object]) -> None:
        """Hear that an object was changed; `row` is as it was before."""

    def removed(self, uow: UnitOfWork, row: Any, *, restore: bool) -> None:
        """Hear that an object went into the bin, or came out of it."""

    def linked(self, uow: UnitOfWork, row: Any, dialog_id: int, *, unlink: bool) -> None:
        """Hear that a dialog is about a locked object, or is not any more."""
