"""The vocabulary of rules: every moment, field and action there is, core and plugins alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from hub.events import Event
from hub.filters import Field
from hub.kinds import Kind
from hub.rules import Action, Recipe
from triggers.fields import all_fields, custom_fields, needs_of
from triggers.moments import Moment, all_moments


@dataclass(slots=True, kw_only=True)
class Vocabulary:
    """What rules may say. Actions and recipes stand under `<plugin>.<name>`.

    `fields` is exchanged as a whole when the organisation changes its own fields.
    """

    moments: Mapping[str, Moment]
    fields: Mapping[str, Field]
    actions: Mapping[str, Action]
    recipes: Mapping[str, Recipe] = field(default_factory=dict)
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    bare: Mapping[str, Field] = field(default_factory=dict)

    def renew(self, kinds: Iterable[Kind]) -> None:
        """Know the custom fields of kinds as this organisation has them now."""
        self.fields = {**self.bare, **custom_fields(kinds)}

    def needs_of(self, name: str) -> frozenset[str]:
        """Say what must be loaded for a field."""
        return needs_of(name, self.kinds)


def make_vocabulary(
    *,
    kinds: Iterable[Kind],
    facts: Iterable[type[Event]],
    fields: Iterable[tuple[str, Field]] = (),
    actions: Iterable[tuple[str, type[Action]]] = (),
    recipes: Iterable[tuple[str, Recipe]] = (),
) -> Vocabulary:
    """Put together what the core knows and what (plugin, object) pairs bring."""
    kinds = tuple(kinds)
    known = all_fields(kinds, (one for _, one in fields))
    return Vocabulary(
        moments=all_moments(kinds, facts),
        fields=known,
        bare=known,
        actions={f"{plugin}.{one.name}": one() for plugin, one in actions},
        recipes={f"{plugin}.{one.key}": one for plugin, one in recipes},
        kinds={one.name: one for one in kinds},
    )
