"""How much of a client's card is filled in, by its status: a prospect needs less than a partner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Wanted = tuple[str, ...]
"""Properties of which one is enough."""

_ALWAYS: tuple[Wanted, ...] = (("name",), ("phone", "email"))
_PROSPECT: tuple[Wanted, ...] = (*_ALWAYS, ("source",), ("owner_id",))
_ACTIVE: tuple[Wanted, ...] = (*_PROSPECT, ("region",))
_ORGANISATION: tuple[Wanted, ...] = (("inn",), ("industry",))
_PERSON: tuple[Wanted, ...] = (("birthday",),)
WANTED: Mapping[str, tuple[Wanted, ...]] = {
    "prospect": _PROSPECT,
    "active": _ACTIVE,
    "partner": (*_ACTIVE, ("site",)),
    "lost": _ALWAYS,
}
POOR = 60
"""Below this share a card is poor."""
LACKS = "client.lacks"
"""What texts of rules call that which a card lacks."""
COUNTED = tuple(
    dict.fromkeys(
        (
            "status",
            "organisation",
            *(
                name
                for wanted in (*WANTED.values(), _ORGANISATION, _PERSON)
                for one in wanted
                for name in one
            ),
        )
    )
)
"""The properties that say how much of a card is filled in."""


def wanted_of(values: Mapping[str, Any]) -> tuple[Wanted, ...]:
    """Give what a card of this status and sort should have."""
    status = str(values.get("status") or "prospect")
    wanted = WANTED.get(status, _ALWAYS)
    if status in ("active", "partner"):
        wanted = (*wanted, *(_ORGANISATION if values.get("organisation") else _PERSON))
    return wanted


def missing_in(values: Mapping[str, Any]) -> list[Wanted]:
    """Give what a card lacks; of each entry one property is enough."""
    return [one for one in wanted_of(values) if not any(values.get(name) for name in one)]


def completeness_of(values: Mapping[str, Any]) -> int:
    """Give the share of what is filled in, in percent."""
    wanted = wanted_of(values)
    return 100 * (len(wanted) - len(missing_in(values))) // len(wanted)
