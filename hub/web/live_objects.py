"""Which browsers hear of an object: of those whose role reaches less, only who may see it.

Whose an object is, is read once for everybody, and only where somebody listens who needs it. Who
could see it before it changed hands hears of it too: his page must let it go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from crm_store.nouns import Noun
from crm_store.tables.interests import interest_helpers
from crm_store.viewer import Viewer
from hub.events import Event, ObjectChanged, ObjectCreated, ObjectLinked, ObjectRemoved
from hub.roles import Scope

About = ObjectChanged | ObjectCreated | ObjectLinked | ObjectRemoved
Key = tuple[str, int]
Owned = Mapping[Key, Any]


def limits(viewer: Viewer, noun: Noun) -> bool:
    """Say whether this person sees some objects of a kind only, by whose they are."""
    return bool(noun.kind.owner) and viewer.scope(noun.kind.subject) is not Scope.ALL


def wanted(
    events: Sequence[Event], nouns: Mapping[str, Noun], viewers: Sequence[Viewer]
) -> dict[str, set[int]]:
    """Give the objects, by kind, of which must be known whose they are."""
    found: dict[str, set[int]] = {}
    for event in events:
        if isinstance(event, About):
            found.setdefault(event.object_kind, set()).add(event.object_id)
    return {
        kind: ids
        for kind, ids in found.items()
        if kind in nouns and any(limits(one, nouns[kind]) for one in viewers)
    }


def owned(conn: Connection, nouns: Mapping[str, Noun], asked: Mapping[str, set[int]]) -> Owned:
    """Give whose objects are: a row with its owner, its team and others it is shared with."""
    found: dict[Key, Any] = {}
    for kind, ids in asked.items():
        noun = nouns[kind]
        names = {"id", noun.kind.owner, noun.kind.team, *noun.kind.shared_with} - {""}
        columns = [noun.table.c[name] for name in sorted(names) if name in noun.table.c]
        rows = conn.execute(select(*columns).where(noun.table.c.id.in_(sorted(ids))))
        found |= {(kind, row.id): row for row in rows}
    if "interest" in asked:
        helpers = select(interest_helpers.c.interest_id, interest_helpers.c.user_id).where(
            interest_helpers.c.interest_id.in_(sorted(asked["interest"])), interest_helpers.c.access
        )
        for row in conn.execute(helpers):
            found[f"helper {row.user_id}", row.interest_id] = row
    return found


def hears(viewer: Viewer, noun: Noun, event: About, known: Owned) -> bool:
    """Say whether somebody is told of an object's fact."""
    if not viewer.may(noun.kind.read):
        return False
    number = event.object_id
    row = known.get((noun.kind.name, number))
    if row is None or not limits(viewer, noun) or viewer.sees_object(noun.kind, row):
        return True
    if (f"helper {viewer.user_id}", number) in known and noun.kind.name == "interest":
        return True
    passed = {noun.kind.owner, noun.kind.team, *noun.kind.shared_with}
    return any(one.field in passed for one in getattr(event, "changes", ()))
