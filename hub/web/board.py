"""Boards: columns of cards that are moved by keys, by touch and by mouse; leads and interests alike.

A kind's screen gives columns and zones; drawing, keys and dragging are the same for all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hub.errors import Conflict, HubError
from hub.ids import Micros
from hub.properties import DAY
from hub.records.interests import Money
from hub.web.object_lists import said

COLUMN = 50
"""How many cards a column has at first."""


class Card(NamedTuple):
    """One card: what it is called, whose it is, and how it stands.

    A tuple, because a board makes hundreds of them and looks each up by all that it says.
    """

    id: str
    title: str
    href: str
    who: str = ""
    owner: str = ""
    owner_id: int = 0
    amount: int = 0
    currency: str = ""
    since: Micros = Micros(0)
    step: str = ""
    step_at: Micros = Micros(0)
    overdue: bool = False
    stays_long: bool = False
    has_no_step: bool = False
    label: str = ""
    due: Micros = Micros(0)
    urgent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column; `allowed` are the columns its cards may go to, none named means all."""

    key: str
    title: str
    count: int
    cards: tuple[Card, ...]
    sums: tuple[Money, ...] = ()
    colour: str = ""
    next: str = ""
    allowed: tuple[str, ...] = ()
    takes: bool = True
    empty: str = ""
    limit: int = 0

    @property
    def is_full(self) -> bool:
        """True where it holds as many cards as it may, or more."""
        return bool(self.limit) and self.count >= self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """Where a card is dropped to leave the board; `asks` is what it wants to know.

    `reason` is a line of text; `reasons` a choice of `options` (id, name, needs a comment);
    `open` leads to the card itself. `combo` is the key that puts the card under the cursor there.
    """

    key: str
    title: str
    tone: str
    icon: str
    asks: str = ""
    options: tuple[tuple[str, str, bool], ...] = ()
    combo: str = ""


def is_overdue(day: int, now: int) -> bool:
    """Say whether a planned day is over."""
    return bool(day) and day + DAY <= now


def words(request: Request, texts: Iterable[Any]) -> list[str]:
    """Give several texts in the reader's language."""
    from hub.web.i18n import translate

    return [translate(request.state.language, str(one)) for one in texts]


def refused(request: Request, error: HubError, **more: object) -> Response:
    """Answer a move that was not made, with what the board shows of it."""
    what = error.what if isinstance(error, Conflict) else "invalid"
    body = {"what": what, "message": said(request, error), "details": more}
    return JSONResponse({"error": body}, 409 if isinstance(error, Conflict) else 422)
