"""Records of segments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hub.ids import AddressId, ContactId, Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A named group of people; `size` is what it held when it was last counted.

    It is made of its filter or any of `any_of`, and in all of `all_of`, and in none of `not_in`.
    """

    id: int
    name: str
    static: bool
    filter: Mapping[str, object] = field(default_factory=dict)
    any_of: tuple[int, ...] = ()
    all_of: tuple[int, ...] = ()
    not_in: tuple[int, ...] = ()
    watched: bool = False
    size: int = 0
    counted_at: Micros = Micros(0)
    version: int = 1

    @property
    def made_of(self) -> tuple[int, ...]:
        """The segments that it asks."""
        return (*self.any_of, *self.all_of, *self.not_in)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How many of a segment can be sent something on a channel, and why the others cannot."""

    total: int
    reached: int
    kept_back: tuple[tuple[str, int], ...] = ()
    estimated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaches:
    """How many of a segment each of some ways reaches, and how many go by which in their order.

    What is `estimated` was asked of a small part of all people, and multiplied.
    """

    total: int
    each: tuple[Reach, ...] = ()
    in_order: tuple[int, ...] = ()
    estimated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reachable:
    """Where a person takes something of a kind (0 where nowhere), and why no advertising goes there.

    `refusal` is a reason as in the funnel of a mailing (`no_consent` where he was never asked), ""
    where advertising may go. Not `seen` by who acts, nothing more is said of him.
    """

    address_id: AddressId
    refusal: str = ""
    seen: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A person of an audience, with the address of the asked channel (0 where there is none)."""

    contact_id: ContactId
    address_id: AddressId
    name: str = ""
    address: str = ""
    time_zone: str = ""
