"""Commands about objects of any kind, and the table of what single kinds add to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from crm_store import (
    clients,
    lead_answers,
    leads,
    meetings,
    object_writes,
    people,
    requests,
    survivors,
    tasks,
)
from crm_store.habits import Habits
from crm_store.interests import InterestHabits
from crm_store.nouns import Noun
from crm_store.tables.dialogs import dialogs
from crm_store.unit_of_work import UnitOfWork
from hub.commands import (
    ChangeObject,
    CreateClient,
    CreateContact,
    CreateLead,
    CreateObject,
    LinkDialog,
    RemoveObject,
    TagObject,
)
from hub.errors import Conflict, NotFound
from hub.ids import ClientId, ContactId, LeadId
from hub.objects import Ref
from hub.terms import fold


class LeadHabits(Habits):
    """Leads notice who asked before."""

    def create(self, uow: UnitOfWork, noun: Noun, command: CreateObject) -> int:
        """Make a lead."""
        lead_id = LeadId(command.object_id)
        return leads.create_lead(
            uow, CreateLead(values=command.values, dialog_id=command.dialog_id, lead_id=lead_id)
        )

    def before_change(
        self, uow: UnitOfWork, row: Any, values: Mapping[str, object]
    ) -> Mapping[str, object]:
        """A merged lead takes no work, nor does one in the bin."""
        leads.workable(uow, row)
        return values

    def removed(self, uow: UnitOfWork, row: Any, *, restore: bool) -> None:
        """A merged lead is no longer there to be removed."""
        survivors.refuse_merged(survivors.merged_into(uow.conn, "lead", row.id))

    def linked(self, uow: UnitOfWork, row: Any, dialog_id: int, *, unlink: bool) -> None:
        """It may have been answered in that dialog."""
        was = row.first_responded_at
        if unlink and was and was == lead_answers.said_in(uow, row, dialog_id):
            was = 0
        lead_answers.anew(uow, row.id, was)


class ClientHabits(Habits):
    """Clients have a fact of their own."""

    def create(self, uow: UnitOfWork, noun: Noun, command: CreateObject) -> int:
        """Make a client card."""
        values = dict(command.values)
        made = clients.create_client(
            uow,
            CreateClient(
                name=str(values.pop("name", "") or ""),
                organisation=values.pop("organisation", False) in (True, "yes", "true"),
                client_id=ClientId(command.object_id),
                values=values,
            ),
        )
        if command.dialog_id:
            link_dialog(
                uow,
                LinkDialog(kind="client", object_id=made, dialog_id=command.dialog_id),
            )
        return made

    def before_change(
        self, uow: UnitOfWork, row: Any, values: Mapping[str, object]
    ) -> Mapping[str, object]:
        """A support level is one that there is, and a line is one of the addresses."""
        return clients.before_change(uow, row, values)

    def changed(self, uow: UnitOfWork, row: Any, values: Mapping[str, object]) -> None:
        """Keep the addresses found."""
        clients.changed(uow, row, values)

    def removed(self, uow: UnitOfWork, row: Any, *, restore: bool) -> None:
        """A merged card is no longer there to be removed."""
        survivors.refuse_merged(row.merged_into)


class ContactHabits(Habits):
    """People are found by their names, and facts tell of them."""

    def create(self, uow: UnitOfWork, noun: Noun, command: CreateObject) -> int:
        """Add a human."""
        values = dict(command.values)
        return people.add_contact(
            uow,
            CreateContact(
                name=str(values.pop("name", "") or ""),
                contact_id=ContactId(command.object_id),
                values=values,
            ),
        )

    def before_change(
        self, uow: UnitOfWork, row: Any, values: Mapping[str, object]
    ) -> Mapping[str, object]:
        """What is written on a merged card would be lost."""
        survivors.refuse_merged(row.merged_into)
        return values

    def changed(self, uow: UnitOfWork, row: Any, values: Mapping[str, object]) -> None:
        """Keep the search in step."""
        people.contact_changed(uow, ContactId(row.id), tuple(values))

    def removed(self, uow: UnitOfWork, row: Any, *, restore: bool) -> None:
        """Nobody goes into the bin: a person is merged, split or erased."""
        raise Conflict("a person does not go into the bin: erase or merge the card", what="person")


HABITS: Mapping[str, Habits] = {
    "client": ClientHabits(),
    "contact": ContactHabits(),
    "interest": InterestHabits(),
    "lead": LeadHabits(),
    "meeting": meetings.MeetingHabits(),
    "request": requests.RequestHabits(),
    "task": tasks.TaskHabits(),
}
_PLAIN = Habits()


def _noun(uow: UnitOfWork, kind: str) -> tuple[Noun, Habits]:
    found = uow.tx.nouns.get(kind)
    if found is None:
        raise NotFound(f"there is no kind {kind!r}")
    return found, HABITS.get(kind, _PLAIN)


def create_object(uow: UnitOfWork, command: CreateObject) -> int:
    """Make an object of a kind; gives its id."""
    noun, habits = _noun(uow, command.kind)
    return habits.create(uow, noun, command)


def change_object(uow: UnitOfWork, command: ChangeObject) -> int:
    """Change properties of an object; gives its new version."""
    noun, habits = _noun(uow, command.kind)
    values = object_writes.read_values(noun.kind, command.values, new=False)
    row = object_writes.lock(uow, noun, command.object_id, command.version)
    version = object_writes.change(uow, noun, row, habits.before_change(uow, row, values))
    if version != row.version:
        habits.changed(uow, row, values)
    return version


def tag_object(uow: UnitOfWork, command: TagObject) -> int:
    """Add and remove tags of an object under its lock, so that two who tag it lose neither's."""
    noun, habits = _noun(uow, command.kind)
    row = object_writes.lock(uow, noun, command.object_id)
    gone = {fold(one) for one in command.remove}
    known = {fold(one): one for one in object_writes.tags_of(uow, noun, row.id)}
    known |= {fold(one): one for one in command.add if fold(one) not in known}
    tags = [one for folded, one in known.items() if folded not in gone]
    values = object_writes.read_values(noun.kind, {"tags": tags}, new=False)
    version = object_writes.change(uow, noun, row, habits.before_change(uow, row, values))
    if version != row.version:
        habits.changed(uow, row, values)
    return version


def remove_object(uow: UnitOfWork, command: RemoveObject) -> None:
    """Put an object into the bin, or take it out."""
    noun, habits = _noun(uow, command.kind)
    row = object_writes.lock(uow, noun, command.object_id, command.version)
    object_writes.remove(uow, noun, command.object_id, restore=command.restore)
    if bool(row.deleted_at) is command.restore:
        habits.removed(uow, row, restore=command.restore)


def link_dialog(uow: UnitOfWork, command: LinkDialog) -> None:
    """Say that a dialog is about an object, or that it is not."""
    noun, habits = _noun(uow, command.kind)
    living = survivors.living_card(uow.conn, noun, command.object_id)
    row = object_writes.lock(uow, noun, living)
    seen = uow.conn.execute(
        select(dialogs.c.id).where(dialogs.c.id == command.dialog_id, uow.viewer.dialogs_clause())
    ).first()
    if seen is None:
        raise NotFound("there is no such dialog")
    ref = Ref(kind=command.kind, id=living)
    if command.unlink:
        object_writes.unlink(uow, command.dialog_id, ref)
    else:
        object_writes.link(uow, command.dialog_id, ref)
    habits.linked(uow, row, command.dialog_id, unlink=command.unlink)
