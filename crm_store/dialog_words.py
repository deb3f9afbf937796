"""What a dialog says of its person and matter, for the objects that are made of it."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select

from crm_store.nouns import Noun
from crm_store.sql import locked
from crm_store.tables.dialogs import dialogs, messages
from crm_store.tables.people import addresses, contacts
from crm_store.unit_of_work import UnitOfWork
from hub.errors import NotFound
from hub.ids import DialogId

FIRST_WORDS = 4000
TITLE = 120


def from_dialog(uow: UnitOfWork, dialog_id: DialogId) -> dict[str, object]:
    """Give what a dialog says, under the names of properties; locks its person's row."""
    dialog = uow.conn.execute(
        select(dialogs).where(dialogs.c.id == dialog_id, uow.viewer.dialogs_clause())
    ).first()
    if dialog is None:
        raise NotFound("there is no such dialog")
    # The person's row is the lock: two leads of one person at once are made one after the other.
    uow.conn.execute(
        locked(uow.dialect, select(contacts.c.id).where(contacts.c.id == dialog.contact_id))
    ).all()
    person = uow.conn.execute(select(contacts).where(contacts.c.id == dialog.contact_id)).first()
    given: dict[str, object] = {"owner_id": dialog.assignee_id, "team_id": dialog.team_id}
    if person is not None:
        given["name"] = person.name
    for row in uow.conn.execute(
        select(addresses.c.kind, addresses.c.value)
        .where(
            addresses.c.contact_id == dialog.contact_id, addresses.c.kind.in_(("email", "phone"))
        )
        .order_by(addresses.c.id.desc())
    ):
        given[row.kind] = row.value
    first = uow.conn.execute(
        select(messages.c.text)
        .where(
            messages.c.dialog_id == dialog_id, messages.c.direction == "in", messages.c.text != ""
        )
        .order_by(messages.c.id)
        .limit(1)
    ).scalar()
    given["message"] = (first or "")[:FIRST_WORDS]
    words = " ".join(str(dialog.subject or first or given.get("name") or "").split())
    given["title"] = words if len(words) <= TITLE else f"{words[: TITLE - 1].rstrip()}…"
    given["channel"] = dialog.channel
    given["contact_id"] = dialog.contact_id
    given["received_at"] = dialog.waiting_since or dialog.last_inbound_at
    if person is not None:
        given["client_id"] = person.client_id
    return given


def split(noun: Noun, taken: Mapping[str, object]) -> tuple[dict[str, object], dict[str, object]]:
    """Part what a dialog gives into what people may override, and what only the hub sets."""
    known = {prop.name: prop for prop in noun.kind.properties}
    given = {name: one for name, one in taken.items() if name in known and known[name].editable}
    own = {name: one for name, one in taken.items() if name in known and name not in given}
    return given, own
