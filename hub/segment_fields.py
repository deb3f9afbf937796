"""What plugins let segments ask of a person: fields over a plugin's own tables.

A field says what it is called, what it holds, and how the database is asked. The editor of segments,
the API, estimates, mailings and the facts of who entered and left a segment take it as one of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hub.filters import Choice, Field, FieldType, Where
from hub.ids import Micros

ASKABLE = frozenset(
    {
        FieldType.CHOICE,
        FieldType.NUMBER,
        FieldType.FLAG,
        FieldType.INSTANT,
        FieldType.SET,
    }
)
"""What a segment can ask of a plugin's tables: nothing that only an index or another kind answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What a question about people may use: who is asked about, when, and what the reader sees.

    `person` is the SQL column with the id of the person. `now` is the moment of the question in
    microseconds UTC. `sees_dialog` gives, for a column of yours with a dialog's id, the condition
    that the reader may see that dialog: put it into your question, or people learn of what they
    may not see. For whoever sees everything it is true and costs nothing.
    """

    person: Any
    now: Micros
    sees_dialog: Callable[[Any], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentField:
    """One thing that segments can ask of a person in a plugin's tables.

    `name` is `<plugin>.<word>`; `label` is English, `translations` has the other languages. `sql` gives
    a SQLAlchemy expression, the same on both databases: a scalar subquery or an EXISTS over your
    tables for `asking.person`, and of a set a SELECT of its members, in small letters. NULL means
    that there is nothing; 0 is no instant and "" no choice. Have an index that begins with the
    person: it is asked of every person of the house. `permission` is the right without which a
    reader finds nobody by it.
    """

    name: str
    label: str
    type: FieldType
    sql: Callable[[Asking], Any]
    translations: Mapping[str, str] = field(default_factory=dict)
    choices: tuple[Choice, ...] = ()
    permission: str = ""

    @property
    def field(self) -> Field:
        """The field of the filter language; no fact has it, so no rule can judge it."""
        return Field(
            name=self.name,
            label=self.label,
            translations=self.translations,
            type=self.type,
            choices=self.choices,
            value=lambda _: None,
            where=Where.QUERY,
        )
