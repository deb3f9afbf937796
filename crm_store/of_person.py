"""What is of a person where he is erased, or handed what is kept of him: his cards with all that
were merged into them, client cards about nobody else, and the objects that hang on any of these."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from sqlalchemy import ColumnElement, Connection, Table, select, tuple_

from crm_store.nouns import Noun
from crm_store.sameness import normal_form
from crm_store.survivors import survivor_of
from crm_store.tables.dialogs import messages, participants
from crm_store.tables.objects import dialog_links
from crm_store.tables.people import addresses, clients, contacts, merge_moves, merges
from hub.card_addresses import every

CHUNK = 400
CARDS = ("contact", "client")


def cards_of(conn: Connection, contact_id: int) -> list[int]:
    """Give a contact with all that were merged into it."""
    return _with_merged(conn, contacts, contact_id)


def own_clients(conn: Connection, cards: Sequence[int]) -> list[int]:
    """Give the client cards that are about nobody but this person, and all that were merged into
    them; an organisation's stay."""
    named = select(contacts.c.client_id).where(contacts.c.id.in_(cards), contacts.c.client_id > 0)
    found: list[int] = []
    roots = {survivor_of(conn, clients, one) for one in conn.execute(named).scalars()}
    for root in sorted(roots):
        whole = _with_merged(conn, clients, root)
        person = select(clients.c.id).where(clients.c.id == root, ~clients.c.organisation)
        others = select(contacts.c.id).where(
            contacts.c.client_id.in_(whole),
            contacts.c.id.not_in(cards),
            contacts.c.deleted_at == 0,
        )
        if conn.execute(person.where(~others.exists())).first() is not None:
            found += whole
        else:
            found += [one for one in whole[1:] if _was_own(conn, one, cards)]
    return found


def _was_own(conn: Connection, client_id: int, cards: Sequence[int]) -> bool:
    """Say of a merged client card whether it was about nobody but this person before."""
    person = select(clients.c.id).where(clients.c.id == client_id, ~clients.c.organisation)
    moved = (
        select(merge_moves.c.row_id)
        .join(merges, merges.c.id == merge_moves.c.merge_id)
        .where(
            merges.c.kind == "client",
            merges.c.merged_id == client_id,
            merges.c.undone_at == 0,
            merge_moves.c.place == "contacts",
        )
    )
    people = set(conn.execute(moved).scalars())
    return bool(people) and people <= set(cards) and conn.execute(person).first() is not None


def words_of(conn: Connection, contact_id: int, own: Sequence[int]) -> list[str]:
    """Give the addresses by which files and raw input name a person: those of the card that lives
    on, those taken from it that are nobody's now, and those of his own client cards."""
    given_up = (addresses.c.contact_id == 0) & (addresses.c.origin_id == contact_id)
    mine = select(addresses.c.value).where((addresses.c.contact_id == contact_id) | given_up)
    found = dict.fromkeys(conn.execute(mine).scalars())
    for card in conn.execute(select(clients).where(clients.c.id.in_(own))):
        for one in every(card):
            # A site is named in files of everybody who works there.
            if one.kind != "site":
                found |= dict.fromkeys(
                    (one.value, normal_form(one.kind, one.value)[len(one.kind) + 1 :])
                )
    return [one for one in found if one]


def _with_merged(conn: Connection, table: Table, root: int) -> list[int]:
    found, newest = [root], [root]
    while newest:
        merged = select(table.c.id).where(table.c.merged_into.in_(newest))
        newest = list(conn.execute(merged).scalars())
        found += newest
    return found


def messages_of(
    conn: Connection,
    cards: Sequence[int],
    dialog_ids: Sequence[int],
    named: Sequence[tuple[str, str]],
) -> list[int]:
    """Give the messages that hold words of a person: those of his dialogs, those that went from
    them to others' when they were merged, and what he wrote in others' dialogs.

    `named` are his addresses: by them he takes part in others' dialogs.
    """
    found = set(
        conn.execute(select(messages.c.id).where(messages.c.dialog_id.in_(dialog_ids))).scalars()
    )
    went = (
        select(merge_moves.c.row_id)
        .join(merges, merges.c.id == merge_moves.c.merge_id)
        .where(
            merges.c.kind == "dialog",
            merges.c.merged_id.in_(dialog_ids),
            merges.c.undone_at == 0,
            merge_moves.c.place == "messages",
        )
    )
    found |= set(conn.execute(went).scalars())
    elsewhere = dialogs_with(conn, named)
    for start in range(0, len(elsewhere), CHUNK):
        written = select(messages.c.id).where(
            messages.c.dialog_id.in_(elsewhere[start : start + CHUNK]),
            messages.c.author_kind == "contact",
            messages.c.author_id.in_(cards),
        )
        found |= set(conn.execute(written).scalars())
    return sorted(found)


def dialogs_with(conn: Connection, named: Sequence[tuple[str, str]]) -> list[int]:
    """Give the dialogs, others' too, in which one of these addresses takes part."""
    takes_part = tuple_(participants.c.kind, participants.c.value).in_(list(named))
    found = select(participants.c.dialog_id).where(takes_part).distinct()
    return sorted(conn.execute(found).scalars())


def objects_of(
    conn: Connection,
    nouns: Mapping[str, Noun],
    cards: Sequence[int],
    own: Sequence[int],
    dialog_ids: Sequence[int],
) -> dict[str, list[int]]:
    """Give the objects of every kind that may hold words of a person, in the bin too, by kind.

    Those that name one of his cards, that are linked to one of his dialogs or were noted from its
    messages; what is about one of those (a task about his lead); and what was merged into them.
    """
    kinds = {name: noun.table for name, noun in nouns.items() if name not in CARDS}
    found: dict[str, set[int]] = {name: set() for name in kinds}
    newest: dict[str, set[int]] = {
        "contact": set(cards),
        "client": set(own),
        "dialog": set(dialog_ids),
    }
    while any(newest.values()):
        further: dict[str, set[int]] = {}
        for name, table in kinds.items():
            ids = _hanging(conn, name, table, newest, cards) - found[name]
            found[name] |= ids
            further[name] = ids
        newest = further
    return {name: sorted(ids) for name, ids in found.items()}


def _hanging(
    conn: Connection,
    name: str,
    table: Table,
    on: Mapping[str, Collection[int]],
    cards: Sequence[int],
) -> set[int]:
    """Give the ids of a kind's objects that hang on others, of which the ids are given by kind."""
    found: set[int] = set()

    def take(*which: ColumnElement[bool]) -> None:
        found.update(conn.execute(select(table.c.id).where(*which)).scalars())

    for kind, wanted in on.items():
        for chunk in _chunks(sorted(wanted)):
            if kind in CARDS and f"{kind}_id" in table.c:
                take(table.c[f"{kind}_id"].in_(chunk))
            if "object_kind" in table.c:
                take(table.c.object_kind == kind, table.c.object_id.in_(chunk))
    for chunk in _chunks(sorted(on.get("dialog", ()))):
        take(
            table.c.id.in_(
                select(dialog_links.c.object_id).where(
                    dialog_links.c.kind == name, dialog_links.c.dialog_id.in_(chunk)
                )
            )
        )
        said = select(messages.c.id).where(messages.c.dialog_id.in_(chunk))
        if "message_id" in table.c:
            take(table.c.message_id.in_(said))
        if "object_kind" in table.c:
            take(table.c.object_kind == "message", table.c.object_id.in_(said))
    for chunk in _chunks(sorted(on.get(name, ()))):
        merged = (merges.c.kind == name) & merges.c.survivor_id.in_(chunk)
        take(table.c.id.in_(select(merges.c.merged_id).where(merged, merges.c.undone_at == 0)))
        if "merged_into" in table.c and "contact_id" in table.c:
            # One of somebody else's that was put into his stays that one's.
            take(table.c.merged_into.in_(chunk), table.c.contact_id.in_((0, *cards)))
    return found


def _chunks(ids: Sequence[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), CHUNK):
        yield list(ids[start : start + CHUNK])
