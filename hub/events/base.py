"""What every fact is, and how facts are stored and read again years later.

Facts are past tense and carry ids, never names, addresses or text, so that erasing a person
is possible. Each class has a `schema` number; `upcast` turns older stored forms into the
newest, and one golden file per (type, schema) under tests is never edited.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

from hub.ids import DialogId, EventId, Micros
from hub.objects import DIRECT, SYSTEM, Actor, Cause, Change, Ref

_ENVELOPE = frozenset({"id", "at", "actor", "cause"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base of every fact. The journal fills `id`, `at`, `actor` and `cause`.

    You declare `type` (dotted; a plugin's starts with the plugin's name), `schema`, `subject_kind`
    with the field that holds the subject's id, and `shown` where the fact is a line of the
    dialog's history that people read. Rules call a plugin's fact by the first line of its docstring;
    `translations` says that line in other languages.
    """

    type: ClassVar[str] = ""
    schema: ClassVar[int] = 1
    subject_kind: ClassVar[str] = ""
    subject_field: ClassVar[str] = ""
    shown: ClassVar[bool] = False
    translations: ClassVar[Mapping[str, str]] = {}
    upcasters: ClassVar[Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]]] = {}

    id: EventId = EventId(0)
    at: Micros = Micros(0)
    actor: Actor = SYSTEM
    cause: Cause = DIRECT

    @property
    def subject(self) -> Ref:
        """The object this fact is about."""
        return Ref(kind=self.subject_kind, id=getattr(self, self.subject_field, 0))

    @property
    def dialog(self) -> DialogId:
        """The dialog this fact belongs to, 0 where it belongs to none."""
        return DialogId(getattr(self, "dialog_id", 0))

    def to_data(self) -> dict[str, Any]:
        """Give the fact's own fields as JSON-ready values."""
        return {name: _plain(getattr(self, name)) for name in _own_fields(type(self))}

    @classmethod
    def from_data(cls, data: dict[str, Any], schema: int) -> Self:
        """Read a stored form of any schema; unknown fields of a newer writer are dropped."""
        while schema < cls.schema:
            data = cls.upcasters[schema](dict(data))
            schema += 1
        values: dict[str, Any] = {
            name: _typed(data[name]) for name in _own_fields(cls) if name in data
        }
        if "changes" in values:
            values["changes"] = tuple(Change(**one) for one in data["changes"])
        return cls(**values)

    def stamped(self, *, id: EventId, at: Micros, actor: Actor, cause: Cause) -> Self:
        """Give a copy with the journal's envelope."""
        # What `dataclasses.replace` does, without asking for the fields each time: every fact
        # passes here when it is recorded and when it is read.
        kind = type(self)
        copy = object.__new__(kind)
        put = object.__setattr__
        for name in _own_fields(kind):
            put(copy, name, getattr(self, name))
        put(copy, "id", id)
        put(copy, "at", at)
        put(copy, "actor", actor)
        put(copy, "cause", cause)
        return copy


_OWN_FIELDS: dict[type, tuple[str, ...]] = {}


def _own_fields(kind: type) -> tuple[str, ...]:
    """Give the names of a fact's own fields; found once per type."""
    found = _OWN_FIELDS.get(kind)
    if found is None:
        found = tuple(f.name for f in fields(kind) if f.name not in _ENVELOPE)
        _OWN_FIELDS[kind] = found
    return found


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Change):
        return {f.name: getattr(value, f.name) for f in fields(value)}
    return value


def _typed(value: object) -> object:
    return tuple(_typed(one) for one in value) if isinstance(value, list) else value


class EventRegistry:
    """Every fact type by its name; plugins add theirs at start."""

    def __init__(self) -> None:
        self._types: dict[str, type[Event]] = {}

    def add(self, *types: type[Event]) -> None:
        """Register fact classes; a second class of one name is refused."""
        for one in types:
            if not one.type or self._types.get(one.type, one) is not one:
                raise ValueError(f"fact {one.__name__}: type {one.type!r} is empty or taken")
            self._types[one.type] = one

    def get(self, name: str) -> type[Event] | None:
        """Give the class of a stored type, None where its plugin is gone."""
        return self._types.get(name)

    def all_types(self) -> list[type[Event]]:
        """Give every known class."""
        return list(self._types.values())

    def names(self) -> list[str]:
        """Give every known type name, sorted."""
        return sorted(self._types)
