"""Facts about the networks from which people may come in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hub.events.base import Event
from hub.ids import BrandId, UserId
from hub.objects import Change


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworksChanged(Event):
    """People may come in from other networks than before; every process obeys at once."""

    type: ClassVar[str] = "brand.networks_changed"
    subject_kind: ClassVar[str] = "brand"
    subject_field: ClassVar[str] = "brand_id"

    brand_id: BrandId
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnedAway(Event):
    """Somebody came from a network that is not let in: a colleague, or (0) nobody known.

    It is told once in a quarter of an hour for each address. `seen_from` is that address: it is of
    no customer, since customers' pages are open to every network.
    """

    type: ClassVar[str] = "user.turned_away"
    subject_kind: ClassVar[str] = "user"
    subject_field: ClassVar[str] = "user_id"

    user_id: UserId
    seen_from: str
