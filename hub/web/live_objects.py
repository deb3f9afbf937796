"""Which browsers hear of objects and people: of those whose role reaches less, only who may see them.

Whose an object is, and where a person writes, is read once for everybody, and only where somebody
listens who needs it. Who could see it before it changed hands hears of it too: his page must let
it go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from crm_store.nouns import NOUNS, Noun
from crm_store.tables.dialogs import dialogs, mentions
from crm_store.tables.interests import interest_helpers
from crm_store.tables.objects import dialog_links
from crm_store.tables.people import contacts
from crm_store.viewer import Place, Viewer
from hub.events import (
    AddressChanged,
    ContactChanged,
    ContactErased,
    Event,
    ObjectChanged,
    ObjectCreated,
    ObjectLinked,
    ObjectRemoved,
)
from hub.ids import AccountId, TeamId, UserId
from hub.roles import Scope

About = ObjectChanged | ObjectCreated | ObjectLinked | ObjectRemoved
AboutPerson = ContactChanged | AddressChanged | ContactErased
Key = tuple[str, int]
PERSON = "contact"
CLIENT = NOUNS["client"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """Whose something is: its row (a person's: the client's) and the places of its dialogs."""

    row: Any = None
    places: tuple[Place, ...] = ()
    helpers: frozenset[int] = frozenset()


Owned = Mapping[Key, Whose]


def limits(viewer: Viewer, noun: Noun) -> bool:
    """Say whether this person sees some things of a kind only."""
    if noun.kind.name == PERSON:
        # Persons are seen as their clients are.
        return viewer.scope(CLIENT.kind.subject) is not Scope.ALL
    return bool(viewer.hidden_accounts) or (
        bool(noun.kind.owner) and viewer.scope(noun.kind.subject) is not Scope.ALL
    )


def wanted(
    events: Sequence[Event], nouns: Mapping[str, Noun], viewers: Sequence[Viewer]
) -> dict[str, set[int]]:
    """Give the things, by kind, of which must be known whose they are."""
    found: dict[str, set[int]] = {}
    for event in events:
        if isinstance(event, About):
            found.setdefault(event.object_kind, set()).add(event.object_id)
        elif isinstance(event, AboutPerson):
            found.setdefault(PERSON, set()).add(event.contact_id)
    return {
        kind: ids
        for kind, ids in found.items()
        if kind in nouns and any(limits(one, nouns[kind]) for one in viewers)
    }


def owned(conn: Connection, nouns: Mapping[str, Noun], asked: Mapping[str, set[int]]) -> Owned:
    """Give whose things are; what is not there any more is left out."""
    found: dict[Key, Whose] = {}
    for kind, ids in asked.items():
        if kind == PERSON:
            found |= _people(conn, ids)
        else:
            found |= _objects(conn, nouns[kind], ids)
    return found


def _objects(conn: Connection, noun: Noun, ids: set[int]) -> dict[Key, Whose]:
    kind, some = noun.kind.name, sorted(ids)
    linked = select(
        dialog_links.c.object_id, dialogs.c.id, dialogs.c.account_id, dialogs.c.assignee_id,
        dialogs.c.team_id,
    ).join(dialogs, dialogs.c.id == dialog_links.c.dialog_id)  # fmt: skip
    places = _places(
        conn, linked.where(dialog_links.c.kind == kind, dialog_links.c.object_id.in_(some))
    )
    helpers: dict[int, set[int]] = {}
    if kind == "interest":
        asked = select(interest_helpers.c.interest_id, interest_helpers.c.user_id).where(
            interest_helpers.c.interest_id.in_(some), interest_helpers.c.access
        )
        for row in conn.execute(asked):
            helpers.setdefault(row.interest_id, set()).add(row.user_id)
    rows = conn.execute(select(*_owners(noun)).where(noun.table.c.id.in_(some)))
    return {
        (kind, row.id): Whose(
            row=row,
            places=tuple(places.get(row.id, ())),
            helpers=frozenset(helpers.get(row.id, ())),
        )
        for row in rows
    }


def _people(conn: Connection, ids: set[int]) -> dict[Key, Whose]:
    some = sorted(ids)
    theirs = select(
        dialogs.c.contact_id, dialogs.c.id, dialogs.c.account_id, dialogs.c.assignee_id,
        dialogs.c.team_id,
    ).where(dialogs.c.contact_id.in_(some))  # fmt: skip
    places = _places(conn, theirs)
    asked = select(contacts.c.id, contacts.c.client_id).where(contacts.c.id.in_(some))
    client_of = {row.id: row.client_id for row in conn.execute(asked)}
    clients = {
        row.id: row
        for row in conn.execute(
            select(*_owners(CLIENT)).where(CLIENT.table.c.id.in_(sorted({*client_of.values()})))
        )
    }
    return {
        (PERSON, one): Whose(row=clients.get(client_id), places=tuple(places.get(one, ())))
        for one, client_id in client_of.items()
    }


def _owners(noun: Noun) -> list[Any]:
    names = {"id", noun.kind.owner, noun.kind.team, *noun.kind.shared_with} - {""}
    return [noun.table.c[name] for name in sorted(names) if name in noun.table.c]


def _places(conn: Connection, question: Any) -> dict[int, list[Place]]:
    """Give where dialogs stand, by what they belong to: the first column of the question."""
    rows = conn.execute(question).all()
    called: dict[int, set[int]] = {}
    named = select(mentions.c.dialog_id, mentions.c.user_id)
    for row in conn.execute(
        named.where(mentions.c.dialog_id.in_(sorted({one[1] for one in rows})))
    ):
        called.setdefault(row.dialog_id, set()).add(row.user_id)
    found: dict[int, list[Place]] = {}
    for owner, dialog_id, account_id, assignee_id, team_id in rows:
        place = Place(
            account_id=AccountId(account_id),
            assignee_id=UserId(assignee_id),
            team_id=TeamId(team_id),
            called=frozenset(called.get(dialog_id, ())),
        )
        found.setdefault(owner, []).append(place)
    return found


def hears(viewer: Viewer, noun: Noun, event: About | AboutPerson, known: Owned) -> bool:
    """Say whether somebody is told of a fact about an object or a person."""
    if not viewer.may(noun.kind.read):
        return False
    number = event.contact_id if isinstance(event, AboutPerson) else event.object_id
    whose = known.get((noun.kind.name, number))
    if whose is None or not limits(viewer, noun) or _passed(noun, event):
        return True
    if noun.kind.name == PERSON:
        return viewer.sees_person(CLIENT.kind, whose.row, whose.places)
    if viewer.user_id in whose.helpers:
        return True
    return viewer.sees_object(noun.kind, whose.row) and all(
        viewer.sees_account(one.account_id) for one in whose.places
    )


def _passed(noun: Noun, event: About | AboutPerson) -> bool:
    """Say whether something went into other hands by this fact, or is nobody's any more."""
    if isinstance(event, ContactErased):
        return True
    if isinstance(event, ContactChanged):
        return "client_id" in event.fields
    hands = {noun.kind.owner, noun.kind.team, *noun.kind.shared_with} - {""}
    return any(one.field in hands for one in getattr(event, "changes", ()))
