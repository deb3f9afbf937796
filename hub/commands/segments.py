"""Commands about segments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from hub.commands.base import Command
from hub.ids import ContactId


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveSegment(Command):
    """Make or change a segment; gives its id.

    A dynamic one holds whoever its `filter` (of the one filter language, over contact persons)
    finds, or who is in any of `any_of`, and of these only who is in all of `all_of` and in none of
    `not_in` (other segments; a circle is refused). A static one holds whom `FillSegment` put in.
    """

    permission: ClassVar[str] = "mailings.send"

    name: str
    segment_id: int = 0
    static: bool = False
    filter: Mapping[str, object] = field(default_factory=dict)
    any_of: tuple[int, ...] = ()
    all_of: tuple[int, ...] = ()
    not_in: tuple[int, ...] = ()
    watched: bool = False
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FillSegment(Command):
    """Put people into a static segment and take others out; gives how many changed."""

    permission: ClassVar[str] = "mailings.send"

    segment_id: int
    add: tuple[ContactId, ...] = ()
    remove: tuple[ContactId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveSegment(Command):
    """Put a segment away; refused while another one is made of it.

    `restore` brings it back with its people, within thirty days.
    """

    permission: ClassVar[str] = "mailings.send"

    segment_id: int
    restore: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshSegment(Command):
    """Look who entered and who left a watched segment since the last time, some thousands a turn.

    Gives both numbers, and the person behind whom the next turn goes on (`after`; 0 when it is over).
    """

    segment_id: int
    after: int = 0
