"""Leads: from a first word to a client, or to a reason why not."""

from __future__ import annotations

from typing import Any

from sqlalchemy import or_, select, update

from crm_store import lead_answers, object_writes, objects, survivors
from crm_store.addresses import own_address
from crm_store.clients import create_client
from crm_store.dialog_words import from_dialog, split
from crm_store.habits import PEOPLE
from crm_store.import_matching import spellings
from crm_store.in_use import in_use
from crm_store.objects import NOUNS
from crm_store.people import create_contact
from crm_store.sameness import normal_form, phone_form
from crm_store.search_index import index_contact
from crm_store.sql import locked
from crm_store.tables.objects import dialog_links, leads, object_tags
from crm_store.tables.people import addresses, contacts
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader
from hub.commands import (
    ChangeLead,
    ConvertLead,
    CreateClient,
    CreateContact,
    CreateLead,
    CreateObject,
    RejectLead,
    RemoveLead,
    ReopenLead,
    TakeLead,
    UndoConversion,
)
from hub.errors import Conflict, Invalid, NotFound
from hub.events import ContactChanged, LeadConverted, LeadCreated, LeadStatusChanged
from hub.ids import ClientId, ContactId, DialogId, InterestId, LeadId, UserId
from hub.messages import Address
from hub.objects import Ref

LEAD = NOUNS["lead"]
CLIENT = NOUNS["client"]
INTEREST = NOUNS["interest"]
OPEN = ("new", "in_work")


def create_lead(uow: UnitOfWork, command: CreateLead) -> LeadId:
    """Make a lead, by hand or of a dialog; gives its id (of the open one with `unless_open`)."""
    given: dict[str, object] = {}
    own: dict[str, object] = {}
    if command.dialog_id:
        given, own = split(LEAD, from_dialog(uow, command.dialog_id))
        own["first_responded_at"] = lead_answers.so_far(uow, command.dialog_id, own)
    given |= {name: value for name, value in command.values.items() if value not in (None, "")}
    if not given.get("title"):
        given["title"] = given.get("name") or given.get("company") or given.get("phone") or ""
    values = object_writes.read_values(LEAD.kind, given, new=True)
    earlier = _earlier(uow, own.get("contact_id", 0), values)
    if command.unless_open:
        for row in earlier:
            if row.status in OPEN and row.visible:
                return LeadId(row.id)
    lead_id = command.lead_id or LeadId(uow.new_id())
    repeat_of = LeadId(earlier[0].id if earlier else 0)
    object_writes.create(
        uow, LEAD, lead_id, {**values, **own, "repeat_of": repeat_of}, command.dialog_id
    )
    uow.record(LeadCreated(lead_id=lead_id, dialog_id=command.dialog_id, repeat_of=repeat_of))
    return lead_id


def _earlier(uow: UnitOfWork, contact_id: object, values: dict[str, object]) -> list[Any]:
    """Give earlier leads of the same person, the newest first; a colleague's hidden ones too."""
    same = []
    if contact_id:
        same.append(leads.c.contact_id == contact_id)
    same += [
        leads.c[f"{name}_folded"].in_(_spelled(name, str(values[name])))
        for name in ("phone", "email")
        if values.get(name)
    ]
    if not same:
        return []
    statement = (
        select(leads.c.id, leads.c.status, objects.visible(uow.viewer, LEAD).label("visible"))
        .where(or_(*same), leads.c.deleted_at == 0)
        .order_by(leads.c.id.desc())
    )
    return list(uow.conn.execute(statement.limit(20)))


def _spelled(name: str, value: str) -> list[str]:
    """Give how a telephone or an e-mail address may stand in other leads."""
    whole = phone_form(value).partition(":")[2] if name == "phone" else ""
    return [*spellings(name, value), *spellings(name, whole)]


def change_lead(uow: UnitOfWork, command: ChangeLead) -> int:
    """Change properties of a lead; gives its new version."""
    values = object_writes.read_values(LEAD.kind, command.values, new=False)
    row = workable(uow, object_writes.lock(uow, LEAD, command.lead_id, command.version))
    return object_writes.change(uow, LEAD, row, values)


def workable(uow: UnitOfWork, row: Any) -> Any:
    """Give a locked lead that takes work; raises Conflict for one merged away or in the bin."""
    survivors.refuse_merged(survivors.merged_into(uow.conn, "lead", row.id))
    if row.deleted_at:
        raise Conflict("the card is in the bin: take it out first", what="removed")
    return row


def _move(uow: UnitOfWork, row: Any, status: str, **values: object) -> None:
    object_writes.change(uow, LEAD, row, {"status": status, **values})
    uow.record(LeadStatusChanged(lead_id=LeadId(row.id), before=row.status, after=status))


def _open(uow: UnitOfWork, lead_id: LeadId) -> Any:
    row = workable(uow, object_writes.lock(uow, LEAD, lead_id))
    if row.status not in OPEN:
        raise Conflict("this lead is closed", what="closed", details={"status": row.status})
    return row


def take_lead(uow: UnitOfWork, command: TakeLead) -> None:
    """Begin to work on a lead."""
    row = _open(uow, command.lead_id)
    if row.status != "in_work":
        _move(uow, row, "in_work", owner_id=row.owner_id or _mine(uow))


def _mine(uow: UnitOfWork) -> UserId:
    """Give whose work it becomes; nobody's where no person acts."""
    return UserId(uow.actor.id if uow.actor.kind in PEOPLE else 0)


def reject_lead(uow: UnitOfWork, command: RejectLead) -> None:
    """Close a lead with a reason."""
    reason = " ".join(command.reason.split())[:400]
    if not reason:
        raise Invalid("say why", field="reason")
    row = _open(uow, command.lead_id)
    _move(uow, row, "rejected", reason=reason, closed_at=uow.now)


def reopen_lead(uow: UnitOfWork, command: ReopenLead) -> None:
    """Take a rejected lead into work again."""
    row = workable(uow, object_writes.lock(uow, LEAD, command.lead_id))
    if row.status != "rejected":
        raise Conflict("only a rejected lead is reopened", what="not_rejected")
    _move(uow, row, "in_work", reason="", closed_at=0)


def convert_lead(uow: UnitOfWork, command: ConvertLead) -> ClientId:
    """Make a client of a lead, remembering what it takes to undo that."""
    row = _open(uow, command.lead_id)
    contact_id = ContactId(row.contact_id)
    made: dict[str, object] = {}
    client_id = ClientId(survivors.survivor_of(uow.conn, CLIENT.table, command.client_id))
    if not (contact_id and client_id):
        uow.viewer.need(CreateClient.permission)
    if not contact_id:
        contact_id = _person_of(uow, row)
        made["contact"] = str(contact_id)
    if client_id:
        if object_writes.lock(uow, CLIENT, client_id).deleted_at:
            raise NotFound("there is no such client")
    else:
        name = command.name.strip() or row.company or row.name or row.title
        client_id = create_client(
            uow,
            CreateClient(
                name=name,
                organisation=command.organisation,
                values={
                    "owner_id": row.owner_id,
                    "team_id": row.team_id,
                    "source": row.source,
                    "phone": row.phone,
                    "email": row.email,
                    "tags": _tags_of(uow, row.id),
                },
            ),
        )
        made["client"] = str(client_id)
    person = uow.conn.execute(
        locked(uow.dialect, select(contacts).where(contacts.c.id == contact_id))
    ).one()
    made["was"] = str(person.client_id)
    _belong(uow, contact_id, client_id)
    interest_id = 0
    if command.interest.strip():
        interest_id = _begin_interest(uow, row, command, client_id, contact_id)
        made["interest"] = str(interest_id)
    uow.conn.execute(update(leads).where(leads.c.id == row.id).values(conversion=made))
    _move(
        uow,
        row,
        "qualified",
        client_id=client_id,
        contact_id=contact_id,
        owner_id=row.owner_id or _mine(uow),
        closed_at=uow.now,
    )
    uow.record(
        LeadConverted(
            lead_id=LeadId(row.id),
            client_id=client_id,
            contact_id=contact_id,
            interest_id=InterestId(interest_id),
        )
    )
    return client_id


def _person_of(uow: UnitOfWork, row: Any) -> ContactId:
    """Make the person of a lead that was written down, with the addresses that are nobody's yet."""
    contact_id = create_contact(uow, CreateContact(name=row.name or row.company or row.title))
    for kind in ("phone", "email"):
        value = getattr(row, kind)
        normal = normal_form(kind, value)
        if not normal:
            continue
        taken = select(addresses.c.id).where(
            addresses.c.normal == normal, addresses.c.contact_id > 0
        )
        if uow.conn.execute(taken.limit(1)).first() is None:
            address = Address(kind=kind, value=normal.partition(":")[2])
            own_address(uow, contact_id, address, verified=False)
    index_contact(uow, contact_id)
    return contact_id


def _tags_of(uow: UnitOfWork, lead_id: int) -> tuple[str, ...]:
    tags = select(object_tags.c.tag).where(
        object_tags.c.kind == "lead", object_tags.c.object_id == lead_id
    )
    return tuple(uow.conn.execute(tags.order_by(object_tags.c.tag)).scalars())


def _begin_interest(
    uow: UnitOfWork, row: Any, command: ConvertLead, client_id: ClientId, contact_id: ContactId
) -> int:
    """Begin the interest of a converted lead; the lead's dialogs are about it too."""
    values: dict[str, object] = {
        "title": command.interest,
        "client_id": client_id,
        "contact_id": contact_id,
        "owner_id": row.owner_id or _mine(uow),
        "team_id": row.team_id,
        "source": row.source,
        "tags": _tags_of(uow, row.id),
        "amount": command.amount,
        "pipeline_id": command.pipeline_id,
        "stage_id": command.stage_id,
        "lead_id": row.id,
    }
    made: int = uow.give(CreateObject(kind="interest", values=values))
    linked = select(dialog_links.c.dialog_id).where(
        dialog_links.c.kind == "lead", dialog_links.c.object_id == row.id
    )
    for dialog_id in uow.conn.execute(linked).scalars().all():
        object_writes.link(uow, DialogId(dialog_id), Ref(kind="interest", id=made))
    return made


def begun_of(reader: Reader, lead_id: int) -> dict[int, str]:
    """Give the interest that a lead's conversion began, with its title, where the reader sees it."""
    kept = reader.conn.execute(select(leads.c.conversion).where(leads.c.id == lead_id)).scalar()
    interest_id = int((kept or {}).get("interest", 0))
    if not interest_id or not reader.viewer.may(INTEREST.kind.read):
        return {}
    return objects.titles(reader, INTEREST, [interest_id])


def _belong(uow: UnitOfWork, contact_id: ContactId, client_id: ClientId) -> None:
    uow.conn.execute(
        update(contacts)
        .where(contacts.c.id == contact_id)
        .values(client_id=client_id, version=contacts.c.version + 1)
    )
    uow.record(ContactChanged(contact_id=contact_id, fields=("client_id",)))


def undo_conversion(uow: UnitOfWork, command: UndoConversion) -> None:
    """Take a conversion back."""
    row = object_writes.lock(uow, LEAD, command.lead_id)
    made = row.conversion
    if row.status != "qualified" or not made:
        raise Conflict("this lead is not converted", what="not_converted")
    client_id, contact_id = ClientId(row.client_id), ContactId(row.contact_id)
    interest_id = InterestId(int(made.get("interest", 0)))
    if interest_id:
        begun = object_writes.lock(uow, INTEREST, interest_id)
        if begun.version != 1:
            raise Conflict("the new interest has been worked on since", what="worked_on")
        object_writes.remove(uow, INTEREST, interest_id, restore=False)
    if made.get("client"):
        card = object_writes.lock(uow, CLIENT, client_id)
        own = {"contact": [contact_id], "lead": [row.id], "interest": [interest_id]}
        if card.version != 1 or in_use(uow, "client", [client_id], own):
            raise Conflict("the new client has been worked on since", what="worked_on")
        object_writes.remove(uow, CLIENT, client_id, restore=False)
    was = ClientId(int(made.get("was", 0)))
    person = select(contacts.c.client_id).where(contacts.c.id == contact_id)
    now = ClientId(uow.conn.execute(person).scalar() or 0)
    if now == client_id:
        _belong(uow, contact_id, was)
    else:
        # Somebody has put the person elsewhere since: that stays.
        was = now
    uow.conn.execute(update(leads).where(leads.c.id == row.id).values(conversion={}))
    # A contact that the conversion made stays: the lead has a person now.
    _move(uow, row, "in_work", client_id=was, closed_at=0)
    uow.record(
        LeadConverted(
            lead_id=LeadId(row.id),
            client_id=client_id,
            contact_id=contact_id,
            undone=True,
            interest_id=interest_id,
        )
    )


def remove_lead(uow: UnitOfWork, command: RemoveLead) -> None:
    """Put a lead into the bin, or take it out; one that was merged is not there for either."""
    survivors.refuse_merged(survivors.merged_into(uow.conn, "lead", command.lead_id))
    object_writes.remove(uow, LEAD, command.lead_id, restore=command.restore)
