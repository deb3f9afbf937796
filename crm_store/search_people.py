"""Finding people: names with typing mistakes, phones in any spelling, parts of addresses."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Select,
    bindparam,
    case,
    func,
    literal_column,
    select,
    union_all,
)

from crm_store.objects import visible_people
from crm_store.people import contacts_of
from crm_store.rows import among, listed, numbered, numbers
from crm_store.search_index import domain_grams
from crm_store.tables.people import addresses, contacts
from crm_store.tables.search import contact_grams, number_of
from crm_store.viewer import Reader, Viewer
from hub.ids import ContactId
from hub.records.people import Contact
from hub.terms import digits, fold, is_phone, phone_grams, split, trigrams, words

MAX_LIMIT = 100
GRAM_ROWS = 6_000
"""How many entries of the contact index one question may read; of a part that more people
have, those of the newest people."""

CANDIDATES = 150
"""How many people are looked at whole."""

ALIKE = 0.55
"""The share of a word's parts that a name must have: one mistake in a five-letter word."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    contact_id: int
    score: float
    last_at: int


def search_contacts(reader: Reader, asked: str, limit: int = 20) -> tuple[Contact, ...]:
    """Give people by name (typing mistakes forgiven), phone or any part of an address."""
    limit = max(1, min(limit, MAX_LIMIT))
    asked = asked.strip()[:200]
    if not asked:
        return ()
    if is_phone(asked):
        ranked = _by_phone(reader, asked)
    else:
        ranked = _by_words(reader, asked)
    ranked.sort(key=lambda one: (one.score, one.last_at, one.contact_id), reverse=True)
    ids = [ContactId(one.contact_id) for one in ranked[:limit]]
    return tuple(contacts_of(reader, ids)) if ids else ()


def _by_phone(reader: Reader, asked: str) -> list[_Candidate]:
    number = digits(asked)
    # "8 912 34" is the beginning of +7 912 34..., or a part of another number.
    spellings = {number} | ({number[1:]} if number[0] in "78" and len(number) > 4 else set())
    ranked: dict[int, _Candidate] = {}
    for spelling in sorted(spellings):
        grams = sorted({number_of(one) for one in phone_grams(f"{spelling}")})
        for row in _candidates(reader, grams, needed=len(grams)):
            known = [digits(one) for one in row.texts if is_phone(one)]
            if any(spelling in one for one in known):
                score = 2.0 if spelling in known else 1.0
                ranked[row.contact_id] = _Candidate(row.contact_id, score, row.last_at)
    return list(ranked.values())


def _by_words(reader: Reader, asked: str) -> list[_Candidate]:
    local, at, domain = fold(asked).rpartition("@")
    host = domain_grams(domain)[:1] if at and "." in domain else []
    said = words(local) if at else words(asked)
    if at and not host:
        said += words(domain)
    parts = {word: trigrams(word) for word in said}
    grams = sorted(
        {number_of(one) for one in [*host, *(gram for p in parts.values() for gram in p)]}
    )
    if not grams:
        return []
    exact = fold(asked)
    ranked = []
    for row in _candidates(reader, grams, needed=1):
        texts = [fold(one) for one in row.texts]
        theirs = [f"  {word} " for one in texts for word in split(one)]
        # Most are found out by all their words together, of which none can have more of the parts.
        together = "".join(theirs)
        if any(_share(its, together) < ALIKE for its in parts.values()):
            continue
        shares = [max(_share(its, word) for word in theirs) for its in parts.values()]
        at_host = not host or any(one.endswith(("@" + domain, "." + domain)) for one in texts)
        if not at_host or (shares and min(shares) < ALIKE):
            continue
        score = sum(shares) / len(shares) if shares else 1.0
        if exact in texts:
            score += 1.0
        ranked.append(_Candidate(row.contact_id, score, row.last_at))
    return ranked


def _share(parts: Collection[str], text: str) -> float:
    """Give the share of a word's parts that stand in a text of words with their borders."""
    return sum(map(text.__contains__, parts)) / len(parts)


@dataclass(frozen=True, slots=True)
class _Known:
    contact_id: int
    last_at: int
    texts: tuple[str, ...]


def _candidates(reader: Reader, grams: Sequence[int], needed: int) -> Iterator[_Known]:
    """Give contacts that share most with a question, from its rarest parts.

    A part such as "ов " belongs to every third surname; reading it tells little and costs much,
    so parts are taken from the rarest on until GRAM_ROWS entries are read.
    """
    conn, dialect = reader.conn, reader.conn.dialect.name
    if not grams:
        return
    asked = numbered(dialect, ("gram",), [(one,) for one in grams])
    sizes = sorted((size, int(gram)) for gram, size in conn.execute(_sizes(dialect), asked) if size)
    if not sizes or len(sizes) < needed:
        return
    chosen: list[int] = []
    total = 0
    for size, gram in sizes:
        if chosen and total + size > GRAM_ROWS:
            break
        chosen.append(gram)
        total += size
    viewer = reader.viewer.sight
    least = {"least": min(needed, len(chosen))}
    ids = conn.execute(_best(viewer, len(chosen)), _numbered(chosen) | least).scalars().all()
    given = {"people": listed(dialect, ids)}
    texts: dict[int, list[str]] = {}
    for row in conn.execute(_texts(dialect), given).all():
        texts.setdefault(row.contact_id, []).extend((row.name, row.value))
    for row in conn.execute(_names(viewer, dialect), given).all():
        # Most addresses bear the name of their owner.
        known = dict.fromkeys(one for one in (row.name, *texts.get(row.id, ())) if one)
        yield _Known(row.id, row.last_at, tuple(known))


def _numbered(grams: Sequence[int]) -> dict[str, int]:
    return {f"gram_{n}": gram for n, gram in enumerate(grams)}


def _newest(n: int) -> Any:
    """Give the newest people who have one of the parts asked for."""
    return (
        select(contact_grams.c.contact_id)
        .where(contact_grams.c.gram == bindparam(f"gram_{n}"))
        .order_by(contact_grams.c.contact_id.desc())
        .limit(GRAM_ROWS)
        .subquery()
    )


@cache
def _sizes(dialect: str) -> Select[Any]:
    """Ask how many people have each of some parts, GRAM_ROWS where as many have it or more.

    Whether there is an entry at that place is asked first: the index is stepped over in half the
    time that counting takes, and the parts that are counted are short. The parts are rows, so that
    the question is one whatever their number: a planner would look at each part of it.
    """
    asked = numbers(dialect, ("gram",))
    one = contact_grams.c.gram == asked.c.gram
    most = literal_column(str(GRAM_ROWS), BigInteger)
    place = literal_column(str(GRAM_ROWS - 1), BigInteger)
    last = select(contact_grams.c.contact_id).where(one).limit(literal_column("1")).offset(place)
    every = select(func.count()).select_from(contact_grams).where(one)
    size = case(
        (last.correlate(asked).exists(), most), else_=every.correlate(asked).scalar_subquery()
    )
    return select(asked.c.gram, size.label("size")).select_from(asked)


@lru_cache(512)
def _best(viewer: Viewer, many: int) -> Select[Any]:
    """Ask for the people who share most of so many parts, and at least `least`."""
    shared = func.count().label("shared")
    read = union_all(*(select(_newest(n).c.contact_id) for n in range(many))).subquery()
    best = (
        select(read.c.contact_id)
        .group_by(read.c.contact_id)
        .having(shared >= bindparam("least"))
        .order_by(shared.desc(), read.c.contact_id.desc())
        .limit(CANDIDATES)
    )
    if viewer.scopes:
        # Asked for here, or people who may not be seen would take the places of those who may.
        seen = select(contacts.c.id).where(visible_people(viewer))
        best = best.where(read.c.contact_id.in_(seen))
    return best


@cache
def _texts(dialect: str) -> Select[Any]:
    return select(addresses.c.contact_id, addresses.c.name, addresses.c.value).where(
        among(dialect, addresses.c.contact_id, "people")
    )


@lru_cache(512)
def _names(viewer: Viewer, dialect: str) -> Select[Any]:
    theirs = among(dialect, contacts.c.id, "people")
    return select(contacts.c.id, contacts.c.name, contacts.c.last_at).where(
        theirs, visible_people(viewer)
    )
