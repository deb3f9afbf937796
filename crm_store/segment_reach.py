"""How many of a segment can be reached over some ways, and why the others cannot: all in one question.

Each person is looked at once, whatever the number of ways. Of what is known of his addresses only
the smallest number is kept by which it is true of one: it is true of the address that would be
taken, the smallest of its kind, where the two are the same. An address that is shut is taken only
where he has no other, so that the smallest numbers are kept of open addresses, and of all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, case, func, select, union_all

from crm_store.consents import GIVEN, NO_CONSENT, QUIET, UNSUBSCRIBED, WITHDRAWN
from crm_store.refusals import has_blocked, suppression_counts
from crm_store.segments import PART, count, members
from crm_store.sql import unindexed
from crm_store.tables.consents import consents, frequency_limits, suppressions
from crm_store.tables.dialogs import dialogs
from crm_store.tables.many import many_sends
from crm_store.tables.outbox import TO_MANY, deliveries
from crm_store.tables.people import addresses, contacts
from crm_store.viewer import Reader
from hub.records.segments import Reach, Reaches, Segment

DAY_US = 86_400_000_000


class Route(NamedTuple):
    """A way to people, and what its account asks of each before something may be sent to him.

    Without an account nobody is left out for what he did there, or did not.
    """

    channel: str
    account_id: int = 0
    must_have_written: bool = False
    open_at: int = 0
    """The reply window must be open at this instant; 0 asks for none."""


class Cap(NamedTuple):
    """So many advertising messages in so many days are the most a person gets over all channels.

    Counted back from the instant `at`, when it is to leave; 0 is no cap.
    """

    most: int = 0
    days: int = 0
    at: int = 0


def reaches(
    reader: Reader,
    segment: Segment,
    *,
    routes: Sequence[Route],
    topic: str,
    advertising: bool = True,
    cap: Cap = Cap(),
    estimated: bool = False,
) -> Reaches:
    """Say how many each way reaches, why it does not reach the others, and how many go by which
    where each person goes by the first one that he can be reached on.

    What is `estimated` is asked of every sixty-first person (`segments.PART`) and multiplied.
    """
    times = PART if estimated else 1
    known = _known(reader, {one.channel for one in routes})
    asked = [one for one in routes if one.channel in known]
    ways, reasons = Counter[int](), [Counter[str]() for _ in asked]
    if asked:
        judged = _judged(reader, segment, asked, topic, advertising, cap, estimated).subquery()
        question = select(*judged.c, func.count()).group_by(*judged.c)
        for *found, n in reader.conn.execute(question):
            ways[found.index("") if "" in found else -1] += n * times
            for mine, reason in zip(reasons, found, strict=True):
                mine[reason] += n * times
    else:
        ways[-1] = count(reader, segment, part=estimated) * times
    total = ways.total()
    nobody = Counter({"no_address": total} if total else {})
    told = iter(enumerate(reasons))
    each, in_order = [], []
    for one in routes:
        n, mine = next(told) if one.channel in known else (len(asked), nobody)
        each.append(_reach(total, mine, estimated))
        in_order.append(ways[n])
    return Reaches(total=total, each=tuple(each), in_order=tuple(in_order), estimated=estimated)


def time_zones(reader: Reader, segment: Segment, *, estimated: bool = False) -> dict[str, int]:
    """Say how many people of a segment have which time zone; of whom none is known have ""."""
    inner = members(reader, segment, part=estimated).add_columns(contacts.c.time_zone).subquery()
    rows = reader.conn.execute(
        select(inner.c.time_zone, func.count()).group_by(inner.c.time_zone)
    ).all()
    return {zone: n * (PART if estimated else 1) for zone, n in rows}


def _known(reader: Reader, channels: Collection[str]) -> set[str]:
    """Give those of some kinds of which there is an address at all."""
    there = (
        select(addresses.c.kind).where(addresses.c.kind == one).limit(1).subquery()
        for one in sorted(channels)
    )
    asked = [select(one.c.kind) for one in there]
    return set(reader.conn.execute(union_all(*asked)).scalars()) if asked else set()


def _reach(total: int, reasons: Counter[str], estimated: bool) -> Reach:
    back = sorted(
        ((reason, n) for reason, n in reasons.items() if reason),
        key=lambda each: (-each[1], each[0]),
    )
    return Reach(total=total, reached=reasons[""], kept_back=tuple(back), estimated=estimated)


def _judged(
    reader: Reader,
    segment: Segment,
    routes: Sequence[Route],
    topic: str,
    advertising: bool,
    cap: Cap,
    estimated: bool,
) -> Any:
    """Give the question for why each person is not reached on each way, "" where he is."""
    people = (
        members(reader, segment, part=estimated)
        .add_columns(contacts.c.do_not_disturb)
        .subquery("people")
    )
    known: dict[str, ColumnElement[Any]] = {"id": people.c.id}
    source = people.outerjoin(addresses, addresses.c.contact_id == people.c.id).outerjoin(
        suppressions, and_(suppressions.c.address_id == addresses.c.id, suppression_counts())
    )
    if advertising:
        known["quiet"] = func.max(case((people.c.do_not_disturb, 1), else_=0))
        source = source.outerjoin(
            consents,
            and_(consents.c.contact_id == people.c.id, consents.c.topic.in_((topic, ""))),
        )
    asking = [one.account_id for one in routes if one.must_have_written or one.open_at]
    if asking:
        # A person has a few dialogs, an account half of all there are.
        source = source.outerjoin(
            dialogs,
            and_(
                dialogs.c.contact_id == people.c.id,
                unindexed(dialogs.c.address_id) == addresses.c.id,
                unindexed(dialogs.c.account_id).in_(asking),
            ),
        )
    for n, route in enumerate(routes):
        known |= {f"{name}{n}": one for name, one in _facts(route, advertising).items()}
    facts = select(*(one.label(name) for name, one in known.items())).select_from(source)
    told = facts.group_by(people.c.id).subquery("told")
    enough = _enough(reader, told.c, cap) if advertising else []
    return select(
        *(
            _reason(told.c, n, one, advertising, enough).label(f"reason{n}")
            for n, one in enumerate(routes)
        )
    )


def _enough(reader: Reader, told: Any, cap: Cap) -> list[ColumnElement[bool]]:
    """Say how it is known that somebody has had enough: by the cap, or by his own wish for less."""
    mine = (deliveries.c.contact_id == told.id, TO_MANY, many_sends.c.advertising)
    joined = deliveries.join(many_sends, many_sends.c.id == deliveries.c.send_id)
    found: list[ColumnElement[bool]] = []
    if cap.most:
        lately = deliveries.c.sent_at >= cap.at - cap.days * DAY_US
        had = select(func.count()).select_from(joined).where(*mine, lately)
        found.append(had.scalar_subquery() >= cap.most)
    if reader.conn.execute(select(frequency_limits.c.contact_id).limit(1)).first() is not None:
        within = deliveries.c.sent_at >= cap.at - frequency_limits.c.days * DAY_US
        wish = select(frequency_limits.c.contact_id).where(
            frequency_limits.c.contact_id == told.id,
            select(deliveries.c.id).select_from(joined).where(*mine, within).exists(),
        )
        found.append(wish.exists())
    return found


def _facts(route: Route, advertising: bool) -> dict[str, ColumnElement[Any]]:
    """Give what a way asks of a person's addresses, words and dialogs."""

    def first(*true: ColumnElement[bool]) -> ColumnElement[Any]:
        here = and_(addresses.c.kind == route.channel, *true)
        return func.min(case((here, addresses.c.id)))

    is_open = and_(suppressions.c.address_id.is_(None), addresses.c.blocked == "")
    if route.account_id:
        is_open = and_(is_open, ~has_blocked(route.account_id))
    found = {"any": first(), "good": first(is_open)}
    if advertising:
        said = consents.c.channel.in_((route.channel, ""))
        twice = consents.c.at * 2
        found |= {
            # The newest word is odd where it is a refusal, which counts at the same instant too.
            "word": func.max(
                case(
                    (and_(said, consents.c.state == GIVEN), twice),
                    (and_(said, consents.c.state == WITHDRAWN), twice + 1),
                )
            ),
        }
    mine = dialogs.c.account_id == route.account_id
    if route.must_have_written:
        found["wrote"] = first(mine, dialogs.c.inbound_count > 0)
        found["wrote_good"] = first(mine, dialogs.c.inbound_count > 0, is_open)
    if route.open_at:
        found["open"] = first(mine, dialogs.c.window_until > route.open_at)
        found["open_good"] = first(mine, dialogs.c.window_until > route.open_at, is_open)
    return found


def _reason(
    told: Any, n: int, route: Route, advertising: bool, enough: Sequence[ColumnElement[bool]]
) -> ColumnElement[str]:
    """Give why somebody is not reached, in the order in which a claim asks (dialogs/many_claim.py)."""
    good = told[f"good{n}"]
    address = func.coalesce(good, told[f"any{n}"])

    def lacks(name: str) -> ColumnElement[bool]:
        own = case((good.is_(None), told[f"{name}{n}"]), else_=told[f"{name}_good{n}"])
        return func.coalesce(own, 0) != address

    tests: list[tuple[Any, Any]] = [(address.is_(None), "no_address")]
    if advertising:
        # The same order as `refusals.refusals`. Why an address is bad is looked up: few are.
        why = select(func.min(suppressions.c.reason)).where(
            suppressions.c.address_id == address, suppression_counts()
        )
        tests += [
            (told.quiet == 1, QUIET),
            (told[f"word{n}"] % 2 == 1, UNSUBSCRIBED),
            (good.is_(None), func.coalesce(why.scalar_subquery(), "blocked")),
            (told[f"word{n}"].is_(None), NO_CONSENT),
        ]
    if route.must_have_written:
        tests.append((lacks("wrote"), "never_wrote"))
    tests += [(one, "frequency_cap") for one in enough]
    if route.open_at:
        tests.append((lacks("open"), "window_closed"))
    return case(*tests, else_="")
