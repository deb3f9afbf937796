"""Records of the classes of clients: how they are counted, and why one client has his."""

from __future__ import annotations

from dataclasses import dataclass

from hub.ids import NEVER, Micros


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassRules:
    """How clients are put into classes, and what the last count found.

    Whoever brought the first `a_percent` of what was won in the last `months` months has class A, the
    next `b_percent` class B, the rest of those who bought class C. X are those whose sums differ from
    month to month by `x_percent` at most (the standard deviation in percent of the mean), Y by
    `y_percent` at most, Z the others. Only sums in `currency` count ("": the one in which most
    interests were won). `whole` is what everybody together brought in `counted_currency`, in minor
    units, in the `counted_months` months before `counted_at`.
    """

    months: int = 12
    a_percent: int = 80
    b_percent: int = 15
    x_percent: int = 10
    y_percent: int = 25
    currency: str = ""
    version: int = 1
    counted_at: Micros = NEVER
    counted_months: int = 0
    counted_currency: str = ""
    whole: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassReason:
    """Why a client has its classes: what it brought, in minor units, its share of all in tenths of
    a percent, and by how many percent its months differ."""

    abc: str
    xyz: str
    amount: int
    currency: str
    per_mille: int
    variation: int
    months: int
    counted_at: Micros
