"""What a mailing brought: numbers by every cut, links, money, and the same without the mailing."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields

from hub import (
    AccountId,
    Earned,
    FillSegment,
    Hub,
    HubError,
    Invalid,
    LinkTally,
    SaveSegment,
    Tally,
)
from plugins.mailings.holdouts import won_without
from plugins.mailings.plans import Mailing
from plugins.mailings.texts import CUT_WORDS, NUMBER_WORDS


def _(text: str) -> str:
    return text


CUTS = ("channel", "account", "hour", "variant", "domain")
TOUCHES = ("any", "first", "last")
COUNTS = tuple(one.name for one in fields(Tally) if one.name not in ("key", "people"))
WINDOWS = (7, 14, 30, 90)
MOST_DAYS = 365
AT_ONCE = 2_000
MOST_LINES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a cut: its numbers, what it earned, and its name for a reader."""

    key: str
    name: str
    tally: Tally
    earned: Earned


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that is known of what a mailing brought; sums are in minor units by currency."""

    total: Tally = Tally()
    earned: Earned = Earned()
    costs: tuple[tuple[str, int], ...] = ()
    left_over: tuple[tuple[str, int], ...] = ()
    with_it: Earned = Earned()
    without_it: Earned = Earned()
    kept_out: int = 0
    parts: Mapping[str, tuple[Part, ...]] = field(default_factory=dict)
    links: tuple[LinkTally, ...] = ()

    @property
    def share_with(self) -> float:
        """How many per cent of who got it won: of people, whom a chain writes to several times."""
        return self.with_it.people * 100 / self.total.people if self.total.people else 0.0

    @property
    def share_without(self) -> float:
        """How many per cent of who was kept out won."""
        return self.without_it.people * 100 / self.kept_out if self.kept_out else 0.0

    @property
    def more(self) -> float:
        """How many people won because of it: who would have won anyway is taken off."""
        return (self.share_with - self.share_without) * self.total.people / 100


def asked(query: Mapping[str, str]) -> tuple[int, str]:
    """Read the window and the touch of an address; raises Invalid."""
    text = query.get("days", "") or "30"
    days = int(text) if text.isdecimal() and len(text) < 5 else 0
    touch = query.get("touch", "") or "any"
    if not 0 < days <= MOST_DAYS:
        raise Invalid("a window is 1 to 365 days", field="days")
    if touch not in TOUCHES:
        raise Invalid("a touch is any, first or last", field="touch")
    return days, touch


async def report_of(
    hub: Hub,
    mailing: Mailing,
    *,
    days: int = 30,
    touch: str = "any",
    cuts: Sequence[str] = CUTS,
    title: Callable[[str], str] = str,
) -> Report:
    """Count it all; `title` gives what its readers call a channel."""
    sends = await hub.sends_of(mailing.id)
    if not sends:
        return Report()
    (total,) = await hub.send_tallies(sends) or [Tally()]
    (earned,) = await hub.send_earned(sends, days=days, touch=touch)
    costs = await _costs(hub, sends)
    kept_out, without_it = await won_without(hub, mailing, days)
    return Report(
        total=total,
        earned=earned,
        costs=costs,
        left_over=_less(earned.sums, costs),
        with_it=await hub.won_after(sends, days=days),
        without_it=without_it,
        kept_out=kept_out,
        parts={one: await _parts(hub, mailing, sends, one, days, touch, title) for one in cuts},
        links=merged(await hub.send_links(sends)),
    )


async def _costs(hub: Hub, sends: Sequence[int]) -> tuple[tuple[str, int], ...]:
    left = await hub.send_costs(sends)
    found: dict[str, int] = {}
    for one in await hub.sending_limits():
        if one.price and one.account_id in left:
            found[one.currency] = found.get(one.currency, 0) + one.price * left[one.account_id]
    return tuple(sorted(found.items()))


def _less(
    sums: Sequence[tuple[str, int]], costs: Sequence[tuple[str, int]]
) -> tuple[tuple[str, int], ...]:
    found = dict(sums)
    for currency, amount in costs:
        found[currency] = found.get(currency, 0) - amount
    return tuple(sorted(found.items()))


async def _parts(
    hub: Hub,
    mailing: Mailing,
    sends: Sequence[int],
    by: str,
    days: int,
    touch: str,
    title: Callable[[str], str],
) -> tuple[Part, ...]:
    tallies = {one.key: one for one in await hub.send_tallies(sends, by=by)}
    earned = {one.key: one for one in await hub.send_earned(sends, days=days, touch=touch, by=by)}
    found = []
    for key in sorted({*tallies, *earned}, key=lambda one: (not one, one.zfill(20))):
        if by == "hour" and not key:
            # Nothing left at an hour for who never got it.
            continue
        found.append(
            Part(
                key=key,
                name=title(key) if by == "channel" else await _name(hub, mailing, by, key),
                tally=tallies.get(key, Tally(key=key)),
                earned=earned.get(key, Earned(key=key)),
            )
        )
    if by == "domain":
        found.sort(key=lambda one: -one.tally.planned)
    return tuple(found[:MOST_LINES])


async def _name(hub: Hub, mailing: Mailing, by: str, key: str) -> str:
    if by == "account" and key.isdecimal():
        try:
            return (await hub.account(AccountId(int(key)))).title
        except HubError:
            return key
    if by == "hour" and key:
        return f"{int(key):02}:00"
    if by == "variant":
        numbers = {str(one): n for n, one in enumerate(mailing.contents)}
        n = int(key) if key.isdecimal() and len(key) < 3 else numbers.get(key, 0)
        return chr(ord("A") + n) if n < 26 else key
    return key


def merged(links: Sequence[LinkTally]) -> tuple[LinkTally, ...]:
    """Give each address once, whatever wordings it stood in."""
    found: dict[str, LinkTally] = {}
    for one in links:
        before = found.get(one.url)
        found[one.url] = LinkTally(
            content_id=one.content_id,
            n=one.n,
            url=one.url,
            people=one.people + (before.people if before else 0),
            machines=one.machines + (before.machines if before else 0),
            first_at=one.first_at,
        )
    return tuple(sorted(found.values(), key=lambda one: (-one.people, one.url)))


async def people_of(
    hub: Hub,
    mailing: Mailing,
    number: str,
    *,
    name: str = "",
    by: str = "",
    key: str = "",
    link: str = "",
    days: int = 30,
    touch: str = "any",
) -> int:
    """Make a segment of the people behind a number; gives its id."""
    sends = await hub.sends_of(mailing.id)
    title = f"{mailing.title}: {name or number}{f' · {link or key}' if link or key else ''}"
    segment_id = after = 0
    while True:
        people = await hub.send_behind(
            sends,
            number,
            by=by,
            key=key,
            link=link,
            days=days,
            touch=touch,
            after=after,
            limit=AT_ONCE,
        )
        if not segment_id:
            (segment_id,) = await hub.do(SaveSegment(name=title[:200], static=True))
        if people:
            after = people[-1]
            await hub.do(FillSegment(segment_id=segment_id, add=tuple(people)))
        if len(people) < AT_ONCE:
            return segment_id


def as_json(report: Report) -> dict[str, object]:
    """Give it for programs."""
    return {
        "numbers": {name: getattr(report.total, name) for name in COUNTS},
        "earned": _earned(report.earned),
        "cost": _sums(report.costs),
        "left_over": _sums(report.left_over),
        "compared": {
            "got": report.total.people,
            "with_it": _earned(report.with_it),
            "kept_out": report.kept_out,
            "without_it": _earned(report.without_it),
            "won_because_of_it": round(report.more, 2) if report.kept_out else None,
        },
        "by": {
            cut: [
                {
                    "key": one.key,
                    "name": one.name,
                    "numbers": {name: getattr(one.tally, name) for name in COUNTS},
                    "earned": _earned(one.earned),
                }
                for one in parts
            ]
            for cut, parts in report.parts.items()
        },
        "links": [
            {"url": one.url, "people": one.people, "machines": one.machines} for one in report.links
        ],
    }


def _earned(one: Earned) -> dict[str, object]:
    found = asdict(one)
    found.pop("key")
    return {**found, "sums": _sums(one.sums)}


def _sums(sums: Sequence[tuple[str, int]]) -> list[dict[str, object]]:
    return [{"currency": currency, "amount": amount} for currency, amount in sums]


def as_csv(report: Report, words: Callable[[str], str]) -> bytes:
    """Give it as a table for people: one line per part of each cut, the whole first."""
    heads = [words(NUMBER_WORDS[name]) for name in (*COUNTS, "leads", "interests", "won")]
    file = io.StringIO()
    out = csv.writer(file, delimiter=";")
    out.writerow([words(_("Cut")), words(_("Part")), *heads, words(_("Won after it"))])
    lines = [(words(_("Everything")), "", report.total, report.earned)]
    lines += [
        (words(CUT_WORDS[cut]), one.name, one.tally, one.earned)
        for cut, parts in report.parts.items()
        for one in parts
    ]
    for cut, name, tally, earned in lines:
        sums = ", ".join(f"{amount / 100:.2f} {currency}" for currency, amount in earned.sums)
        numbers = [getattr(tally, each) for each in COUNTS]
        out.writerow([cut, _safe(name), *numbers, earned.leads, earned.interests, earned.won, sums])
    for link in report.links:
        out.writerow(
            [words(_("Links")), _safe(link.url), *[""] * (COUNTS.index("clicked")), link.people]
        )
    return b"\xef\xbb\xbf" + file.getvalue().encode()


def _safe(text: str) -> str:
    """A cell that a spreadsheet would take for a formula is shown as text."""
    return f"'{text}" if text and text[0] in "=+-@\t\r" else text
