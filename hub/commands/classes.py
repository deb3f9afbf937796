"""Commands about the classes of clients: how they are counted, and counting them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hub.commands.base import Command
from hub.ids import ClientId, Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveClassRules(Command):
    """Say how clients are put into classes, and count them anew; see `ClassRules`.

    Raises Invalid for shares of more than 100 together, or months outside 1 to 60.
    """

    permission: ClassVar[str] = "pipelines.manage"

    months: int = 12
    a_percent: int = 80
    b_percent: int = 15
    x_percent: int = 10
    y_percent: int = 25
    currency: str = ""
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CountClasses(Command):
    """Count the classes of all clients now and not at night; it is done in the background."""

    permission: ClassVar[str] = "pipelines.manage"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifyClients(Command):
    """The hub's own: give some clients their classes. Gives the last of them, 0 behind the end.

    They are the `limit` clients after `after`. What was won from `since` to before `until` in
    `currency` counts; who brought `a_from` minor units has class A, who brought `b_from` class B.
    """

    after: ClientId
    since: Micros
    until: Micros
    months: int
    currency: str
    a_from: int
    b_from: int
    x_percent: int
    y_percent: int
    limit: int = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleClasses(Command):
    """The hub's own: note that a count has come to its end, and what everybody brought."""

    until: Micros
    months: int
    currency: str
    whole: int
