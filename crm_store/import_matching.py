"""Which object a row of an import is: by its keys, in their order, the first that finds any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from phonenumbers import NumberParseException, PhoneNumberFormat, format_number, parse
from sqlalchemy import ColumnElement, Table, false, select, text, true

from crm_store import objects
from crm_store.bulk import chunks
from crm_store.objects import FOLDED, Noun
from crm_store.tables.imports import external_ids
from crm_store.tables.people import addresses, contacts
from crm_store.viewer import Reader
from hub.records.imports import ImportRow
from hub.terms import fold

Found = dict[int, tuple[int, ...]]
"""Rows by number, with the objects that they are."""


def matches(reader: Reader, noun: Noun, keys: Sequence[str], rows: Sequence[ImportRow]) -> Found:
    """Give which objects the rows are; rows that are nobody's are left out."""
    found: Found = {}
    if keys and reader.conn.dialect.name == "postgresql":
        # An import fills tables that may have been empty when the writer's plans were made: such a
        # plan reads the whole table for each batch, the slower the more has come.
        reader.conn.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))
    for key in keys:
        wanted: dict[str, list[int]] = {}
        for row in rows:
            if row.number not in found and not row.error:
                for spelling in spellings(key, row.values.get(key)):
                    wanted.setdefault(spelling, []).append(row.number)
        if wanted:
            hits: dict[int, set[int]] = {}
            for spelling, object_id in _objects(reader, noun, key, sorted(wanted)):
                for number in wanted[spelling]:
                    hits.setdefault(number, set()).add(object_id)
            found |= {number: tuple(sorted(ids)) for number, ids in hits.items()}
    return found


def key_of(keys: Sequence[str], values: Mapping[str, object]) -> list[tuple[str, str]]:
    """Give what two rows of one file share when they are the same object."""
    return [(key, spelling) for key in keys for spelling in spellings(key, values.get(key))[:1]]


def spellings(key: str, value: object) -> list[str]:
    """Give how a value may stand in the database."""
    text = str(value or "").strip()
    if not text or text == "0":
        return []
    if key in ("id", "external_id"):
        return [text]
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
    seen = (table.c.deleted_at == 0) & objects.visible(reader.viewer, noun)
    found: list[tuple[str, int]] = []
    for chunk in chunks(wanted):
        if key == "id":
            ids = [int(one) for one in chunk if one.isascii() and one.isdecimal()]
            statement = select(table.c.id, table.c.id).where(table.c.id.in_(ids), seen)
        elif key == "external_id":
            statement = (
                select(external_ids.c.external_id, table.c.id)
                .join(table, table.c.id == external_ids.c.object_id)
                .where(external_ids.c.kind == kind, external_ids.c.external_id.in_(chunk), seen)
            )
        elif f"{key}_folded" in table.c:
            column = table.c[f"{key}_folded"]
            statement = select(column, table.c.id).where(column.in_(chunk), seen)
        else:
            # Contacts have no column for it: their addresses are asked below.
            statement = select(table.c.title if "title" in table.c else table.c.name, table.c.id)
            statement = statement.where(false())
        found += [(str(row[0]), int(row[1])) for row in reader.conn.execute(statement)]
        if key in ("phone", "email"):
            owner = table.c.id == contacts.c.client_id if kind == "client" else _of_contact(table)
            people = contacts.alias() if kind == "contact" else contacts
            if kind == "contact":
                owner = people.c.id == table.c.id
            statement = (
                select(addresses.c.value, table.c.id)
                .join(people, people.c.id == addresses.c.contact_id)
                .join(table, owner)
                .where(addresses.c.kind == key, addresses.c.value.in_(chunk), seen)
            )
            found += [(fold(str(row[0])), int(row[1])) for row in reader.conn.execute(statement)]
    return [one for one in dict.fromkeys(found) if one[0] in set(wanted)]


def _of_contact(table: Table) -> ColumnElement[bool]:
    """Give how an object names its contact person."""
    return table.c.contact_id == contacts.c.id if "contact_id" in table.c else true()
