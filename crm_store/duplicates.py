"""Cards that may be one: found by shared keys, shown with reasons, decided by people.

Every card has a few keys: its phones, its e-mails, beginnings of its names as they sound. Only
cards that share a key are compared, so the cost of one card does not depend on how many there are.
Nothing here merges: an address that nobody vouches for proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    Select,
    Table,
    bindparam,
    delete,
    literal,
    or_,
    select,
    tuple_,
    union_all,
)

from crm_store import object_writes, objects
from crm_store.comparison import Card, comparing
from crm_store.nouns import NOUNS, Noun
from crm_store.rows import among, insert_missing, listed
from crm_store.sameness import likeness, normal_form, phone_form
from crm_store.sight import sees_all
from crm_store.sql import page_key, unindexed, upsert
from crm_store.tables.duplicates import duplicate_keys, duplicates
from crm_store.tables.people import addresses
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader
from hub.commands import RefreshDuplicates, RejectDuplicate
from hub.errors import Invalid, NotFound
from hub.events import DuplicateRejected
from hub.ids import Micros
from hub.objects import ActorKind
from hub.records.people import DuplicatePair, Likeness

PER_KEY = 200
"""How many cards of one key are compared: a key that half the town shares tells nothing."""

MOST_KEYS = 100
"""How many keys one question names."""


def _cards(conn: Connection, noun: Noun, ids: Iterable[int]) -> dict[int, Card]:
    """Read the living ones of some cards."""
    dialect = conn.dialect.name
    given = {"cards": listed(dialect, sorted(set(ids)))}
    found: dict[int, Card] = {}
    for row in conn.execute(_living(dialect, noun.table), given).all():
        # By their places: a row looks for each name anew.
        number, name, *more = row
        card = found[number] = Card(number, name)
        if more:
            card.is_organisation, card.phone, card.email, card.email_folded, inn, others = more
            for one in others:
                if one.kind in ("phone", "email"):
                    card.mark(one.kind, normal_form(one.kind, one.value))
            if inn:
                card.mark("inn", f"i:{inn}")
    if noun.kind.name == "contact":
        for row in conn.execute(_their_addresses(dialect), given).all():
            if row.contact_id in found:
                reason = "phone" if row.normal.startswith("p:") else "email"
                found[row.contact_id].mark(reason, row.normal)
    return found


@cache
def _living(dialect: str, table: Table) -> Select[Any]:
    columns = [table.c.id, table.c.name]
    if "inn_folded" in table.c:
        names = ("organisation", "phone", "email", "email_folded", "inn_folded", "addresses")
        columns += [table.c[one] for one in names]
    return select(*columns).where(
        among(dialect, table.c.id, "cards"), unindexed(table.c.deleted_at) == 0, table.c.name != ""
    )


@cache
def _their_addresses(dialect: str) -> Select[Any]:
    return select(addresses.c.contact_id, addresses.c.normal).where(
        among(dialect, addresses.c.contact_id, "cards"), addresses.c.normal != ""
    )


@lru_cache(MOST_KEYS)
def _sharing(many: int) -> Any:
    """Ask for the newest cards that have one of so many keys, of each at most PER_KEY."""
    return union_all(
        *(
            select(
                select(duplicate_keys.c.object_id)
                .where(
                    duplicate_keys.c.kind == bindparam("kind"),
                    duplicate_keys.c.key == bindparam(f"key_{n}"),
                )
                .order_by(duplicate_keys.c.object_id.desc())
                .limit(PER_KEY)
                .subquery()
            )
            for n in range(many)
        )
    )


class Alike(NamedTuple):
    """A card that is like another; of two, the likest and newest is the greater."""

    score: int
    id: int
    reasons: tuple[str, ...]


def _alike(conn: Connection, noun: Noun, card: Card, known: dict[int, Card]) -> list[Alike]:
    """Give the cards that are like one, the likest first; `known` are cards already read."""
    near: set[int] = set()
    keys = sorted(card.numbers())
    for start in range(0, len(keys), MOST_KEYS):
        some = keys[start : start + MOST_KEYS]
        given = {f"key_{n}": key for n, key in enumerate(some)} | {"kind": noun.kind.name}
        near.update(conn.execute(_sharing(len(some)), given).scalars().all())
    near.discard(card.id)
    if near - known.keys():
        known |= _cards(conn, noun, near - known.keys())
    names: dict[str, int] = {}
    compare = comparing(card)
    found = []
    for number in near & known.keys():
        other = known[number]
        alike = names.get(other.name)
        if alike is None:
            alike = names[other.name] = likeness(card.name, other.name)
        said = compare(other, alike)
        if said is not None:
            found.append(Alike(said[0], number, said[1]))
    return sorted(found, reverse=True)


def alike(reader: Reader, kind: str, values: Mapping[str, str], but: int = 0) -> list[Likeness]:
    """Give the cards that are like one that is being typed: name, phone, email, inn."""
    noun = _noun(reader, kind)
    card = Card(but, values.get("name", ""), is_organisation=bool(values.get("organisation")))
    card.mark("phone", phone_form(values.get("phone", "")))
    card.mark("email", normal_form("email", values.get("email", "")))
    if kind == "client" and values.get("inn"):
        card.mark("inn", f"i:{values['inn'].strip().lower()}")
    known: dict[int, Card] = {}
    found = _alike(reader.conn, noun, card, known)[:10]
    if sees_all(reader.viewer, noun):
        names = {one.id: known[one.id].name for one in found}
    else:
        names = objects.titles(reader, noun, [one.id for one in found])
    return [
        Likeness(id=one.id, name=names[one.id], score=one.score, reasons=one.reasons)
        for one in found
        if one.id in names
    ]


# -- keeping them -----------------------------------------------------------------------------


def refresh_duplicates(uow: UnitOfWork, command: RefreshDuplicates) -> int:
    """Look for the likenesses of some cards again; gives how many pairs are open among them."""
    noun = _compared(command.kind)
    ids = sorted(set(command.ids))
    cards = _cards(uow.conn, noun, ids)
    kind = noun.kind.name
    _forget_keys(uow.conn, kind, ids)
    write_keys(uow.conn, kind, cards.values())
    found: dict[tuple[int, int], Alike] = {}
    # Cards that share a key are compared with the same others, which are read once.
    known = dict(cards)
    for card in cards.values():
        for one in _alike(uow.conn, noun, card, known):
            found[min(card.id, one.id), max(card.id, one.id)] = one
    mine = (duplicates.c.kind == kind) & (duplicates.c.a_id.in_(ids) | duplicates.c.b_id.in_(ids))
    # What nobody decided is only as true as the cards are now; what somebody did stays.
    uow.conn.execute(delete(duplicates).where(mine, duplicates.c.state == "open"))
    if found:
        statement = upsert(uow.dialect, duplicates).on_conflict_do_nothing()
        uow.conn.execute(
            statement,
            [
                {
                    "kind": kind,
                    "a_id": a,
                    "b_id": b,
                    "score": one.score,
                    "reasons": list(one.reasons),
                    "found_at": uow.now,
                }
                for (a, b), one in sorted(found.items())
            ],
        )
    return len(found)


def write_keys(conn: Connection, kind: str, cards: Iterable[Card]) -> None:
    """Write by what some cards are found."""
    rows: list[dict[str, Any]] = [
        {"kind": kind, "key": key, "object_id": card.id} for card in cards for key in card.numbers()
    ]
    if rows:
        # The job that looks for likenesses may write the same ones at this very moment.
        insert_missing(conn, duplicate_keys, sorted(rows, key=lambda one: one["key"]))


def index_anew(conn: Connection, kind: str, ids: Sequence[int]) -> None:
    """Let cards be found by what they say now: imports look for them before the job comes by."""
    _forget_keys(conn, kind, ids)
    index_cards(conn, kind, ids)


def _forget_keys(conn: Connection, kind: str, ids: Sequence[int]) -> None:
    mine = (duplicate_keys.c.kind == kind) & duplicate_keys.c.object_id.in_(ids)
    conn.execute(delete(duplicate_keys).where(mine))


def index_cards(conn: Connection, kind: str, ids: Iterable[int]) -> None:
    """Write by what new cards are found, without comparing them."""
    write_keys(conn, kind, _cards(conn, NOUNS[kind], ids).values())


def reject_duplicate(uow: UnitOfWork, command: RejectDuplicate) -> None:
    """Remember that two cards are not one."""
    noun = _compared(command.kind)
    a, b = sorted((command.a_id, command.b_id))
    for one in (a, b):
        object_writes.lock(uow, noun, one)
    decided = {
        "state": "rejected",
        "decided_at": uow.now,
        "decided_by": uow.actor.id if uow.actor.kind is ActorKind.USER else 0,
    }
    statement = upsert(uow.dialect, duplicates).values(
        kind=command.kind, a_id=a, b_id=b, found_at=uow.now, **decided
    )
    uow.conn.execute(
        statement.on_conflict_do_update(index_elements=["kind", "a_id", "b_id"], set_=decided)
    )
    uow.record(DuplicateRejected(object_kind=command.kind, a_id=a, b_id=b))


def forget_duplicates(uow: UnitOfWork, kind: str, ids: Sequence[int]) -> None:
    """Leave nothing of cards that are erased."""
    mine = duplicates.c.a_id.in_(ids) | duplicates.c.b_id.in_(ids)
    uow.conn.execute(delete(duplicates).where(duplicates.c.kind == kind, mine))
    _forget_keys(uow.conn, kind, ids)


# -- reading ----------------------------------------------------------------------------------


def pairs(
    reader: Reader, kind: str, before: str = "", limit: int = 30
) -> tuple[list[DuplicatePair], str]:
    """Give the open pairs, the likest first, and the key of the next page."""
    noun = _noun(reader, kind)
    order = (duplicates.c.score, duplicates.c.b_id, duplicates.c.a_id)
    statement = select(duplicates).where(duplicates.c.kind == kind, duplicates.c.state == "open")
    if before:
        score, _, further = before.partition("-")
        b_id, a_id = page_key(further)
        if not (score.isascii() and score.isdecimal() and len(score) < 5):
            raise Invalid("this is not the end of a page", field="before")
        statement = statement.where(
            tuple_(*order) < tuple_(literal(int(score)), literal(b_id), literal(a_id))
        )
    rows = reader.conn.execute(
        statement.order_by(*(one.desc() for one in order)).limit(limit + 1)
    ).all()
    more, rows = len(rows) > limit, rows[:limit]
    following = f"{rows[-1].score}-{rows[-1].b_id}-{rows[-1].a_id}" if more else ""
    return _shown(reader, noun, rows), following


_PAIRS_OF = (
    select(duplicates)
    .where(
        duplicates.c.kind == bindparam("kind"),
        duplicates.c.state == "open",
        or_(duplicates.c.a_id == bindparam("card"), duplicates.c.b_id == bindparam("card")),
    )
    .order_by(duplicates.c.score.desc())
    .limit(bindparam("most"))
)


def pairs_of(reader: Reader, kind: str, object_id: int, limit: int = 10) -> list[DuplicatePair]:
    """Give the open pairs of one card."""
    noun = _noun(reader, kind)
    given = {"kind": kind, "card": object_id, "most": limit}
    rows = reader.conn.execute(_PAIRS_OF, given).all()
    return _shown(reader, noun, rows)


def _noun(reader: Reader, kind: str) -> Noun:
    noun = _compared(kind)
    reader.viewer.need(noun.kind.read)
    return noun


def _compared(kind: str) -> Noun:
    """Give the noun of a kind whose cards are compared; raises NotFound for every other one."""
    if kind not in ("contact", "client"):
        raise NotFound(f"there are no duplicates of kind {kind!r}")
    return NOUNS[kind]


def _shown(reader: Reader, noun: Noun, rows: Sequence[Any]) -> list[DuplicatePair]:
    ids = {one for row in rows for one in (row.a_id, row.b_id)}
    names = objects.titles(reader, noun, sorted(ids))
    return [
        DuplicatePair(
            kind=row.kind,
            a_id=row.a_id,
            b_id=row.b_id,
            a_name=names[row.a_id],
            b_name=names[row.b_id],
            score=row.score,
            reasons=tuple(row.reasons),
            found_at=Micros(row.found_at),
        )
        for row in rows
        if row.a_id in names and row.b_id in names
    ]
