"""Which object a row of an import is: by its keys, in their order, the first that finds any."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain, islice
from typing import Any

from phonenumbers import NumberParseException, PhoneNumberFormat, format_number, parse
from sqlalchemy import ColumnElement, Connection, select

from crm_store import objects
from crm_store.comparison import key_number
from crm_store.objects import FOLDED, Noun
from crm_store.rows import among, listed
from crm_store.sql import LARGEST, plan_anew, unindexed
from crm_store.tables.duplicates import duplicate_keys
from crm_store.tables.imports import external_ids
from crm_store.tables.people import addresses, contacts
from crm_store.viewer import Reader
from hub.card_addresses import SEVERAL
from hub.ids import bounded_key
from hub.records.imports import MORE, ImportRow
from hub.terms import fold

MOST_MERGES = 20
"""Over how many merges a card is followed."""
Found = dict[int, tuple[int, ...]]
"""Rows by number, with the objects that they are."""


def matches(reader: Reader, noun: Noun, keys: Sequence[str], rows: Sequence[ImportRow]) -> Found:
    """Give which objects the rows are; rows that are nobody's are left out."""
    found: Found = {}
    if keys:
        plan_anew(reader.conn)
    for key in keys:
        wanted: dict[str, list[int]] = {}
        for row in rows:
            if row.number not in found and not row.error:
                spelled = (spellings(key, one) for one in said_in(row.values, key))
                for spelling in chain.from_iterable(spelled):
                    wanted.setdefault(spelling, []).append(row.number)
        if wanted:
            hits: dict[int, set[int]] = {}
            for spelling, object_id in _objects(reader, noun, key, sorted(wanted)):
                for number in wanted[spelling]:
                    hits.setdefault(number, set()).add(object_id)
            found |= {number: tuple(sorted(ids)) for number, ids in hits.items()}
    return found


def called(reader: Reader, noun: Noun, names: Iterable[str]) -> dict[str, int]:
    """Give objects by their folded names; a name that several bear says nothing."""
    key = noun.kind.title
    wanted = iter(sorted({spelling for one in names for spelling in spellings(key, one)}))
    hits: dict[str, set[int]] = {}
    while some := list(islice(wanted, 500)):
        for spelling, object_id in _objects(reader, noun, key, some):
            hits.setdefault(spelling, set()).add(object_id)
    return {name: next(iter(ids)) for name, ids in hits.items() if len(ids) == 1}


def key_of(keys: Sequence[str], values: Mapping[str, object]) -> list[tuple[str, str]]:
    """Give what two rows of one file share when they are the same object."""
    return [
        (key, spelling)
        for key in keys
        for one in said_in(values, key)
        for spelling in spellings(key, one)[:1]
    ]


def said_in(values: Mapping[str, object], key: str) -> list[str]:
    """Give what a row says of a key: a person's addresses may be several."""
    more: Any = values.get(MORE, ())
    return [str(values.get(key) or ""), *(said for kind, said in more if kind == key)]


def spellings(key: str, value: object) -> list[str]:
    """Give how a value may stand in the database."""
    text = str(value or "").strip()
    if not text or text == "0":
        return []
    if key in ("id", "external_id"):
        return [bounded_key(text)]
    return [fold(text)[:FOLDED]] if key != "phone" else list(_phone_spellings(text))


@lru_cache(maxsize=20_000)
def _phone_spellings(text: str) -> tuple[str, ...]:
    """Give how a phone may be written; reading one is slow, and each is asked for twice."""
    found = [fold(text)]
    try:
        number = parse(text, None)
    except NumberParseException:
        return tuple(found)
    forms = (PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.NATIONAL)
    written = [format_number(number, one) for one in forms]
    plain = format_number(number, PhoneNumberFormat.E164)
    national = str(number.national_number)
    more = [plain, plain.removeprefix("+"), national, *written]
    if number.country_code == 7:
        more += [f"8{national}", written[0].replace("+7", "8", 1)]
        grouped = f"({national[:3]}) {national[3:6]}-{national[6:8]}-{national[8:]}"
        more += [f"+7 {grouped}", f"8 {grouped}"]
    return tuple(dict.fromkeys([fold(plain), *found, *(fold(one) for one in more)]))


def _objects(reader: Reader, noun: Noun, key: str, wanted: Sequence[str]) -> list[tuple[str, int]]:
    """Give pairs of a spelling and an object that this reader may see."""
    table, kind = noun.table, noun.kind.name
    seen = (unindexed(table.c.deleted_at) == 0) & objects.visible(reader.viewer, noun)
    found: list[tuple[str, int]] = []
    if key == "id":
        ids = [int(one) for one in wanted if one.isascii() and one.isdecimal()]
        ids = [one for one in ids if one <= LARGEST]
        now = living(reader.conn, noun, ids)
        mine = _pairs(reader.conn, (table.c.id, table.c.id), table.c.id, list(now), seen)
        found += [(str(name), int(number)) for number, _ in mine for name in now[int(number)]]
    elif key == "external_id":
        named, of_kind = external_ids.c.external_id, external_ids.c.kind == kind
        numbers = _pairs(reader.conn, (external_ids.c.object_id, named), named, wanted, of_kind)
        given: dict[int, list[str]] = {}
        for number, name in numbers:
            given.setdefault(int(number), []).append(str(name))
        names = {
            number: [name for one in those for name in given[one]]
            for number, those in living(reader.conn, noun, list(given)).items()
        }
        alive = _pairs(reader.conn, (table.c.id, table.c.id), table.c.id, list(names), seen)
        found += [(name, number) for number, _ in alive for name in names[number]]
    elif f"{key}_folded" in table.c:
        column = table.c[f"{key}_folded"]
        found += _pairs(reader.conn, (column, table.c.id), column, wanted, seen)
    if key in ("phone", "email") and (kind in ("client", "contact") or "contact_id" in table.c):
        found += _by_address(reader, noun, key, wanted, seen)
    if key in SEVERAL and "addresses" in table.c:
        found += _by_further(reader, noun, key, wanted, seen)
    known = set(wanted)
    return [(name, number) for name, number in dict.fromkeys(found) if name in known]


def living(conn: Connection, noun: Noun, ids: Sequence[int]) -> dict[int, list[int]]:
    """Give what lives on of cards, over however many merges, and which of them each stands for."""
    found = {one: [one] for one in ids}
    if "merged_into" not in noun.table.c:
        return found
    table = noun.table
    for _ in range(MOST_MERGES):
        gone = _pairs(
            conn,
            (table.c.id, table.c.merged_into),
            table.c.id,
            list(found),
            table.c.merged_into > 0,
        )
        if not gone:
            break
        for before, after in gone:
            found[int(after)] = found.get(int(after), []) + found.pop(int(before), [])
    return found


def _by_further(
    reader: Reader, noun: Noun, key: str, wanted: Sequence[str], seen: ColumnElement[bool]
) -> list[tuple[str, int]]:
    """Give pairs of a spelling and a card that has it as one of its further addresses."""
    table, keys = noun.table, duplicate_keys.c
    numbers = {key_number(f"{key[0]}:{one}") for one in wanted if key == "email" or one[0] == "+"}
    of_kind = keys.kind == noun.kind.name
    cards = _pairs(reader.conn, (keys.object_id, keys.key), keys.key, sorted(numbers), of_kind)
    ids = sorted({number for number, _ in cards})
    own, has_more = (table.c.id, table.c.addresses), table.c.addresses_folded != ""
    return [
        (spelling, int(number))
        for number, addresses in _pairs(reader.conn, own, table.c.id, ids, seen & has_more)
        for one in addresses
        if one.kind == key
        for spelling in spellings(key, one.value)
    ]


def _by_address(
    reader: Reader, noun: Noun, key: str, wanted: Sequence[str], seen: ColumnElement[bool]
) -> list[tuple[str, int]]:
    """Give pairs of a spelling and an object whose contact person has this address.

    Asked in steps: the database may know nothing of tables that are just being filled, and one
    question with both tables joined made it read them whole for each batch.
    """
    table, kind = noun.table, noun.kind.name
    columns = (addresses.c.contact_id, addresses.c.value)
    values: dict[int, list[str]] = {}
    for contact_id, value in _pairs(
        reader.conn, columns, addresses.c.value, wanted, addresses.c.kind == key
    ):
        if contact_id:
            values.setdefault(int(contact_id), []).append(fold(str(value)))
    if kind == "client":
        own = (contacts.c.id, contacts.c.client_id)
        rows = _pairs(reader.conn, own, contacts.c.id, list(values), contacts.c.client_id != 0)
        people: dict[int, list[int]] = {}
        for contact_id, client_id in rows:
            people.setdefault(int(client_id), []).append(int(contact_id))
        alive = _pairs(reader.conn, (table.c.id, table.c.id), table.c.id, list(people), seen)
        owners = [(one, int(number)) for number, _ in alive for one in people[number]]
    else:
        # Contacts have their addresses themselves; others name a person.
        person = table.c["id" if kind == "contact" else "contact_id"]
        found = _pairs(reader.conn, (person, table.c.id), person, list(values), seen)
        owners = [(int(one), int(number)) for one, number in found]
    return [(value, number) for one, number in owners for value in values[one]]


def _pairs(
    conn: Connection,
    columns: tuple[ColumnElement[Any], ColumnElement[Any]],
    column: ColumnElement[Any],
    values: Sequence[Any],
    where: ColumnElement[bool],
) -> list[tuple[Any, Any]]:
    """Give two columns of the rows whose column is one of many values."""
    if not values:
        return []
    dialect = conn.dialect.name
    statement = select(*columns).where(among(dialect, column, "wanted"), where)
    rows = conn.execute(statement, {"wanted": listed(dialect, values)})
    return [(row[0], row[1]) for row in rows]
