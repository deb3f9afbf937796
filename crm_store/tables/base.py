"""How every table is written: the stored types that are the same on both databases.

Instants are integer microseconds UTC, 0 is "not set"; ids are 63-bit integers made by us; no
column is nullable, so that no unique key ever meets a NULL ("all" and "nobody" are reserved
values). On SQLite an id column is the rowid itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Text,
    TypeDecorator,
    text,
)

from hub.card_addresses import CardAddress

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ID = BigInteger().with_variant(Integer(), "sqlite")
"""The type of ids: BIGINT, and on SQLite INTEGER, so that a primary key is the rowid."""


def key(name: str = "id") -> Column[int]:
    """A primary key made by us, never by the database."""
    return Column(name, ID, primary_key=True, autoincrement=False)


def ref(name: str) -> Column[int]:
    """The id of another row; 0 is nobody."""
    return Column(name, ID, nullable=False, server_default=text("0"))


def num(name: str, default: int = 0) -> Column[int]:
    """A whole number or an instant."""
    return Column(name, ID, nullable=False, server_default=text(str(default)))


def short(name: str, size: type[Integer] = SmallInteger) -> Column[int]:
    """A small count, where each row of a large table should be narrow: to 32,767, or to 2^31."""
    kind = size().with_variant(Integer(), "sqlite")
    return Column(name, kind, nullable=False, server_default=text("0"))


def word(name: str, default: str = "") -> Column[str]:
    """A short text of a closed or bounded vocabulary."""
    return Column(name, String(400), nullable=False, server_default=default)


def words(name: str) -> Column[str]:
    """A text of any length."""
    return Column(name, Text, nullable=False, server_default="")


def flag(name: str, default: bool = False) -> Column[bool]:
    """A truth."""
    return Column(
        name, Boolean, nullable=False, server_default=text("true") if default else text("false")
    )


def data(name: str, default: str = "{}") -> Column[Any]:
    """A JSON value."""
    return Column(name, JSON, nullable=False, server_default=text(f"'{default}'"))


class CardAddresses(TypeDecorator[tuple[CardAddress, ...]]):
    """The addresses of a card that its own lines do not hold: JSON, "" for none.

    A text is bound as it is: many rows are written without going through here, see `as_text`.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        """Give what the column holds."""
        return value if isinstance(value, str) else self.as_text(value or ())

    def process_result_value(self, value: Any, dialect: Dialect) -> tuple[CardAddress, ...]:
        """Give what a record holds."""
        if not value:
            return ()
        return tuple(
            CardAddress(kind=kind, value=said, label=label)
            for kind, said, label in json.loads(value)
        )

    @staticmethod
    def as_text(addresses: Iterable[CardAddress]) -> str:
        """Give addresses as the column holds them."""
        found = [[one.kind, one.value, one.label] for one in addresses]
        return json.dumps(found, ensure_ascii=False) if found else ""


def addresses(name: str) -> Column[tuple[CardAddress, ...]]:
    """Further addresses of a card."""
    return Column(name, CardAddresses, nullable=False, server_default="")


def raw(name: str) -> Column[bytes]:
    """Bytes."""
    return Column(name, LargeBinary, nullable=False)
