"""What the columns of an imported file fill, and by what its rows are recognised."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, select

from crm_store import custom
from crm_store.import_consents import COLUMNS as CONSENTS
from crm_store.objects import Noun
from crm_store.sql import upsert
from crm_store.tables.imports import import_mappings
from crm_store.unit_of_work import UnitOfWork
from crm_store.viewer import Reader
from hub.card_addresses import SEVERAL
from hub.errors import Invalid
from hub.kinds import Kind
from hub.properties import PropertyType
from hub.records.imports import POLICIES, ImportFields
from hub.terms import fold

OWN_KEYS = ("id", "external_id")


def importable(nouns: Mapping[str, Noun], kind_name: str) -> Noun:
    """Give the noun of a kind that can be imported; raises Invalid."""
    noun = nouns.get(kind_name)
    if noun is None or not noun.kind.keys:
        known = ", ".join(name for name, one in nouns.items() if one.kind.keys)
        raise Invalid(f"what can be imported is: {known}", field="kind")
    return noun


def whole_noun(at: UnitOfWork | Reader, kind_name: str) -> Noun:
    """Give the noun of a kind that can be imported, with this organisation's own fields."""
    nouns = at.nouns if isinstance(at, Reader) else at.tx.nouns
    return custom.whole(at.conn, importable(nouns, kind_name))


def targets(kind: Kind) -> list[str]:
    """Give everything that a column may fill."""
    own = [one.name for one in kind.properties if one.editable]
    person = {
        "client": ["contact_name", "contact_position"],
        "contact": ["phone", "email", *CONSENTS],
    }
    return [*OWN_KEYS, *own, *person.get(kind.name, [])]


def key_names(kind: Kind) -> tuple[str, ...]:
    """Give everything that a row can be recognised by."""
    return (*OWN_KEYS, *kind.keys)


def _joined(kind: Kind, target: str) -> bool:
    """Say whether several columns may fill this together: texts that no single address is read from."""
    if target in ("consent_source", "consent_text"):
        return True
    held = {one.type for one in kind.properties}
    if target in SEVERAL and PropertyType.ADDRESSES in held:
        # Each column has another one.
        return True
    texts = (PropertyType.ADDRESSES, PropertyType.LINE, PropertyType.TEXT, PropertyType.TAGS)
    found = next((one for one in kind.properties if one.name == target), None)
    if found is None or found.type not in texts:
        return False
    return target == kind.title or target not in kind.keys


def stored(fields: ImportFields) -> dict[str, object]:
    """Give what a row keeps of it, see `fields_of`."""
    return {
        "columns": list(fields.columns),
        "options": {
            "keys": list(fields.keys),
            "policy": fields.policy,
            "defaults": dict(fields.defaults),
        },
    }


def checked(kind: Kind, fields: ImportFields, columns: int) -> ImportFields:
    """Refuse what cannot be filled so; columns that nothing was said of fill nothing."""
    known = targets(kind)
    given = [one for one in fields.columns if one]
    for one in (*given, *fields.defaults):
        if one not in known:
            raise Invalid(f"a {kind.label} has no property {one!r} to fill", field="columns")
    for one in given:
        if given.count(one) > 1 and not _joined(kind, one):
            raise Invalid(f"two columns fill {one!r}", field="columns")
    if len(fields.columns) > columns:
        raise Invalid("there are not so many columns", field="columns")
    for one in fields.keys:
        if one not in key_names(kind):
            keys = ", ".join(key_names(kind))
            raise Invalid(f"rows are recognised by: {keys}", field="keys")
    if fields.policy not in POLICIES:
        raise Invalid(f"the policy is one of: {', '.join(POLICIES)}", field="policy")
    return ImportFields(
        columns=(*fields.columns, *[""] * (columns - len(fields.columns))),
        keys=fields.keys,
        policy=fields.policy,
        defaults=fields.defaults,
    )


def fields_of(row: Row[Any]) -> ImportFields:
    """Read what the columns of a file fill off its row, or off what was remembered."""
    options = row.options
    return ImportFields(
        columns=tuple(row.columns),
        keys=tuple(options.get("keys", ())),
        policy=options.get("policy", "skip"),
        defaults=dict(options.get("defaults", {})),
    )


def remembered(reader: Reader, kind: str, heads: Sequence[str]) -> ImportFields | None:
    """Give what the columns of such a file filled last time."""
    row = reader.conn.execute(
        select(import_mappings).where(
            import_mappings.c.kind == kind, import_mappings.c.heads_hash == _heads_hash(heads)
        )
    ).first()
    return None if row is None else fields_of(row)


def remember(uow: UnitOfWork, kind: str, heads: Sequence[str], fields: ImportFields) -> None:
    """Keep what the columns of such a file fill, for the next one."""
    values = {"used_at": uow.now, **stored(fields)}
    statement = upsert(uow.dialect, import_mappings).values(
        kind=kind, heads_hash=_heads_hash(heads), **values
    )
    uow.conn.execute(
        statement.on_conflict_do_update(index_elements=["kind", "heads_hash"], set_=values)
    )


def _heads_hash(heads: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps([fold(one) for one in heads]).encode()).hexdigest()
