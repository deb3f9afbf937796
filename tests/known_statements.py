"""Statements compiled once in a process: every test's hub has engines of its own, and each would
put the same statements into the same words again, which costs more than carrying them out.

Imported by the tests. What is compiled depends on the kind of a database and on how JSON is
written, not on the engine; tables that a hub makes for itself are told apart by themselves.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.engine import Engine
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache

_known: LRUCache[Any, Any] = LRUCache(2_000)


def _traits(dialect: Any) -> tuple[object, ...]:
    return (
        type(dialect),
        dialect.paramstyle,
        getattr(dialect, "_json_serializer", None),
        getattr(dialect, "_json_deserializer", None),
    )


def _hash(self: DefaultDialect) -> int:
    return hash(type(self))


def _equal(self: DefaultDialect, other: object) -> bool:
    return self is other or (isinstance(other, DefaultDialect) and _traits(self) == _traits(other))


# Whatever an engine wants to keep its own in.
Engine._compiled_cache = property(lambda _: _known, lambda *_: None)  # type: ignore[assignment]
DefaultDialect.__hash__ = _hash  # type: ignore[method-assign]
DefaultDialect.__eq__ = _equal  # type: ignore[method-assign]
