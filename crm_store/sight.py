"""Which objects and people a viewer may see, as conditions over their tables."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement, and_, not_, or_, select

from crm_store.nouns import NOUNS, Noun
from crm_store.tables.dialogs import dialogs
from crm_store.tables.interests import interest_helpers, interests
from crm_store.tables.objects import dialog_links
from crm_store.tables.people import clients, contacts
from crm_store.viewer import Reader, Viewer
from hub.roles import Scope


def visible(viewer: Viewer, noun: Noun) -> ColumnElement[bool]:
    """Give the condition that keeps out what this viewer may not see.

    That is what is outside the scope of his role, and what came from channels closed to him.
    """
    if noun.kind.name == "contact":
        return visible_people(viewer)
    scope = viewer.objects_clause(noun.kind, noun.table)
    if sees_all(viewer, noun):
        return scope
    if viewer.hidden_accounts:
        hidden = (
            select(dialog_links.c.object_id)
            .join(dialogs, dialogs.c.id == dialog_links.c.dialog_id)
            .where(
                dialog_links.c.kind == noun.kind.name,
                dialog_links.c.object_id == noun.table.c.id,
                dialogs.c.account_id.in_(sorted(viewer.hidden_accounts)),
            )
        )
        scope = and_(scope, ~hidden.correlate(noun.table).exists())
    return or_(scope, _let_in(viewer)) if noun.kind.name == "interest" else scope


def hidden_among(reader: Reader, named: Iterable[tuple[str, int]]) -> set[tuple[str, int]]:
    """Give those of some objects and persons, by kind and id, that this reader may not see."""
    ids: dict[str, list[int]] = {}
    for kind, number in named:
        ids.setdefault(kind, []).append(number)
    found: set[tuple[str, int]] = set()
    for kind, numbers in ids.items():
        if kind not in reader.nouns:
            continue
        noun = reader.nouns[kind]
        table, seen = noun.table, visible(reader.viewer, noun)
        hidden = select(table.c.id).where(table.c.id.in_(numbers), not_(seen))
        found |= {(kind, number) for number in reader.conn.execute(hidden).scalars()}
    return found


def sees_all(viewer: Viewer, noun: Noun) -> bool:
    """Say whether nothing of a kind (but contact persons) is kept from this viewer."""
    return not viewer.hidden_accounts and viewer.scope(noun.kind.subject) is Scope.ALL


def _let_in(viewer: Viewer) -> ColumnElement[bool]:
    """Give the interests that were opened to a co-executor beyond what his role shows."""
    helps = select(interest_helpers.c.interest_id).where(
        interest_helpers.c.interest_id == interests.c.id,
        interest_helpers.c.user_id == viewer.user_id,
        interest_helpers.c.access,
    )
    return helps.correlate(interests).exists()


def visible_people(viewer: Viewer) -> ColumnElement[bool]:
    """Give the condition over contact persons: who may be seen of them."""
    condition: ColumnElement[bool] = viewer.people_clause(contacts, NOUNS["client"].kind, clients)
    return condition
