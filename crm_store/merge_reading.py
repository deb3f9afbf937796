"""Reading about merges: what one would move and ask, which can be undone, and which splits."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, func, select

from crm_store import client_addresses, objects
from crm_store.merge_pair import CONTACT, SPLIT, differences, places_of, points_at
from crm_store.nouns import NOUNS
from crm_store.tables.dialogs import dialogs
from crm_store.tables.objects import dialog_links
from crm_store.tables.people import addresses, merges
from crm_store.viewer import Reader
from hub.ids import ContactId, MergeId, Micros
from hub.records.people import Merge, MergePreview, Split


def merge_preview(reader: Reader, kind: str, survivor_id: int, merged_id: int) -> MergePreview:
    """Say what a merge would move, and in which properties the two cards differ."""
    noun = NOUNS[kind]
    mine, theirs = (objects.one(reader, noun, one) for one in (survivor_id, merged_id))
    counts: dict[str, int] = {}
    if noun is CONTACT:
        talks = reader.conn.execute(
            select(func.count(), func.coalesce(func.sum(dialogs.c.message_count), 0)).where(
                dialogs.c.contact_id == merged_id
            )
        ).one()
        counts |= {"dialogs": int(talks[0]), "messages": int(talks[1])}
        owned = select(func.count()).where(addresses.c.contact_id == merged_id)
        counts["addresses"] = int(reader.conn.execute(owned).scalar_one())
    elif kind == "client":
        counts["addresses"] = len(client_addresses.added(mine, theirs))
    else:
        about = (dialog_links.c.kind == kind) & (dialog_links.c.object_id == merged_id)
        linked = select(func.count()).where(about)
        counts["dialogs"] = int(reader.conn.execute(linked).scalar_one())
    for name, table in places_of(kind, reader.nouns).items():
        found = select(func.count()).where(points_at(table, kind, merged_id))
        counts[name] = int(reader.conn.execute(found).scalar_one())
    return MergePreview(
        survivor=mine,
        merged=theirs,
        moves={name: count for name, count in counts.items() if count},
        fields=tuple(differences(reader, noun, mine, theirs)),
    )


def merges_of(reader: Reader, kind: str, object_id: int) -> list[Merge]:
    """Give the merges into a card that can be undone, the newest first, with the merged names."""
    noun = NOUNS[kind]
    reader.viewer.need(noun.kind.read)
    rows = reader.conn.execute(_into(kind), {"kind": kind, "card": object_id})
    return [
        Merge(
            id=MergeId(row.id),
            kind=row.kind,
            survivor_id=row.survivor_id,
            merged_id=row.merged_id,
            merged_name=row.title,
            at=Micros(row.at),
        )
        for row in rows
    ]


def split_of(reader: Reader, contact_id: int) -> Split | None:
    """Say from which card one was split off, where that can be undone by who reads."""
    row = reader.conn.execute(_split_off(), {"card": contact_id}).first()
    name = objects.titles(reader, CONTACT, [row.survivor_id]) if row else {}
    if row is None or not name:
        return None
    return Split(
        contact_id=ContactId(row.survivor_id), name=name[row.survivor_id], at=Micros(row.at)
    )


@cache
def _split_off() -> Select[Any]:
    made = (merges.c.kind == SPLIT) & (merges.c.merged_id == bindparam("card"))
    return select(merges.c.survivor_id, merges.c.at).where(made, merges.c.undone_at == 0)


@cache
def _into(kind: str) -> Select[Any]:
    noun = NOUNS[kind]
    mine = (merges.c.kind == bindparam("kind")) & (merges.c.survivor_id == bindparam("card"))
    return (
        select(merges, noun.title.label("title"))
        .join(noun.table, noun.table.c.id == merges.c.merged_id)
        .where(mine, merges.c.undone_at == 0)
        .order_by(merges.c.id.desc())
        .limit(100)
    )
