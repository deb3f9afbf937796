"""What is done with call lists, for pages and programs alike: reading, filling, steering."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import ColumnElement, case, func, select

from hub import (
    Address,
    Conflict,
    ContactId,
    CreateContact,
    FillSegment,
    Hub,
    Invalid,
    NotAllowed,
    NotFound,
    SaveSegment,
    Segment,
)
from plugins.telemarketing.commands import AddToCallList, Listed, SteerCallList
from plugins.telemarketing.filling import BATCH, MANAGE, fill
from plugins.telemarketing.plans import NOT_ASKED, PHONE, TALKED, CallList, read_list
from plugins.telemarketing.tables import calls, lists, people

MOST_LISTS = 200
WORK, SEE = "contacts.edit", "mailings.view"
_NUMBER = re.compile(r"(\+?[0-9][0-9 ()\-.]{5,24}[0-9])(?:[\s;,]+(.*))?")


async def list_of(hub: Hub, number: str) -> CallList:
    """Give a list by its number in a path; raises NotFound."""
    wanted = int(number) if number.isdecimal() and len(number) < 19 else 0
    row = await hub.store.first(select(lists).where(lists.c.id == wanted))
    if row is None:
        raise NotFound("there is no such call list")
    return read_list(row)


async def all_lists(hub: Hub, *, removed: bool = False) -> list[CallList]:
    """Give the lists that who acts may see, the newest first: all, or those he calls from."""
    shown = lists.c.state == "removed" if removed else lists.c.state != "removed"
    rows = await hub.store.all(
        select(lists).where(shown).order_by(lists.c.id.desc()).limit(MOST_LISTS)
    )
    found = [read_list(row) for row in rows]
    if await hub.may(SEE):
        return found
    teams = await _my_teams(hub)
    return [one for one in found if one.state == "running" and _calls(hub, one, teams)]


async def _my_teams(hub: Hub) -> set[int]:
    return {one.id for one in await hub.teams() if hub.actor.id in one.members}


def _calls(hub: Hub, one: CallList, teams: set[int]) -> bool:
    plan = one.plan
    if not plan.callers and not plan.team_id:
        return True
    return hub.actor.id in plan.callers or plan.team_id in teams


async def check_caller(hub: Hub, one: CallList) -> None:
    """Raise NotAllowed where a list is called by others."""
    if not (_calls(hub, one, await _my_teams(hub)) or await hub.may(MANAGE)):
        raise NotAllowed("this list is called by other colleagues")


async def progress(hub: Hub, ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """Count the people of lists: all, done, talked to, called at all, due now."""
    waits = people.c.state == "waiting"

    def many(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.sum(case((condition, 1), else_=0))

    rows = await hub.store.all(
        select(
            people.c.list_id,
            func.count().label("people"),
            many(~waits).label("done"),
            many(people.c.result == TALKED).label("talked"),
            many(people.c.attempts > 0).label("called"),
            many(waits & (people.c.due_at <= hub.now())).label("due"),
        )
        .where(people.c.list_id.in_(list(ids)))
        .group_by(people.c.list_id)
    )
    nothing = dict.fromkeys(("people", "done", "talked", "called", "due"), 0)
    return {
        one: next(
            ({name: int(row[name]) for name in nothing} for row in rows if row["list_id"] == one),
            nothing,
        )
        for one in ids
    }


async def unasked(hub: Hub, one: CallList) -> int:
    """Count who of the segment of advertising has a telephone and never gave his consent to it: an
    estimate in a large house. 0 for a list that has been called to its end."""
    chosen = one.plan.segment_id
    if one.state in ("done", "removed") or not one.plan.advertising or not chosen:
        return 0
    if chosen not in {known.id for known in await hub.segments()}:
        return 0
    segment = Segment(id=0, name="", static=False, any_of=(chosen,))
    found = await hub.reaches(segment, channels=(PHONE,), exact=False)
    return dict(found.each[0].kept_back).get(NOT_ASKED, 0)


async def add_people(hub: Hub, one: CallList, contact_ids: Sequence[int]) -> int:
    """Put people on a list by hand, or from a report; gives how many are new. See `AddToCallList`."""
    wanted, added = sorted(set(contact_ids)), 0
    for start in range(0, len(wanted), BATCH):
        listed = []
        for number in wanted[start : start + BATCH]:
            contact = await hub.contact(ContactId(number))
            phone = next((each.id for each in contact.addresses if each.kind == PHONE), 0)
            listed.append(Listed(contact.id, phone, contact.time_zone))
        (new,) = await hub.do(AddToCallList(list_id=one.id, people=tuple(listed)))
        added += new
    return added


async def add_numbers(hub: Hub, one: CallList, text: str) -> tuple[int, list[str]]:
    """Put on a list whom numbers belong to, one a line with a name after it; who is not known becomes
    a person. Gives how many are new, and the lines that could not be taken: those that hold no
    number, and those of people whom who acts may not see."""
    ids, left = [], []
    for line in [each.strip() for each in text.splitlines() if each.strip()]:
        found = _NUMBER.fullmatch(line)
        whose = await _whose(hub, _international(found[1]), found[2] or "") if found else 0
        if whose:
            ids.append(whose)
        else:
            left.append(line[:100])
    return await add_people(hub, one, ids) if ids else 0, left


def _international(number: str) -> str:
    """Write a number as addresses are kept; 8 and ten digits is how Russians write +7."""
    digits = re.sub(r"[^0-9]", "", number)
    if len(digits) == 11 and number[0] == "8":
        digits = f"7{digits[1:]}"
    return f"+{digits}"


async def _whose(hub: Hub, number: str, name: str) -> int:
    """Give the person of a number, who is made where nobody has it; 0 for one who is not seen."""
    phone = Address(kind=PHONE, value=number)
    try:
        made = await hub.do(CreateContact(name=name.strip()[:200] or number, addresses=(phone,)))
    except Conflict as error:
        if error.what != "address_taken":
            raise
        return int(error.details["contact_id"]) if isinstance(error.details, dict) else 0
    return int(made[0])


async def steer(hub: Hub, one: CallList, state: str) -> None:
    """Change the state; a draft that starts is filled first, starts when it is full, and is frozen then."""
    if state == "running" and one.state == "draft" and one.plan.segment_id:
        filled = await fill(hub, one, starts=True)
        if filled.state == "failed":
            raise Invalid(filled.reason, field="segment_id")
        return
    await hub.do(SteerCallList(list_id=one.id, state=state))


async def people_behind(hub: Hub, one: CallList, what: str, name: str) -> int:
    """Make a segment of the people behind a number; gives its id.

    `what` is people, waiting, called, result:CODE, or answer:N:VALUE.
    """
    ids = await behind(hub, one, what)
    (segment_id,) = await hub.do(SaveSegment(name=f"{one.title}: {name}"[:200], static=True))
    for start in range(0, len(ids), BATCH):
        chunk = tuple(ContactId(each) for each in ids[start : start + BATCH])
        await hub.do(FillSegment(segment_id=segment_id, add=chunk))
    return int(segment_id)


async def behind(hub: Hub, one: CallList, what: str) -> list[int]:
    """Give the people behind a number, by id; raises Invalid for no such number."""
    kind, _colon, value = what.partition(":")
    own = people.c.list_id == one.id
    if kind == "answer":
        number, _colon, given = value.partition(":")
        rows = await hub.store.all(
            select(calls.c.contact_id, calls.c.answers)
            .where(calls.c.list_id == one.id, calls.c.undone_at == 0)
            .order_by(calls.c.id)
        )
        newest = {
            row["contact_id"]: str(row["answers"][number])
            for row in rows
            if number in row["answers"]
        }
        return sorted(who for who, said in newest.items() if said == given)
    conditions = {
        "people": own,
        "waiting": own & (people.c.state == "waiting"),
        "called": own & (people.c.attempts > 0),
        "result": own & (people.c.result == value),
    }
    if kind not in conditions:
        raise Invalid("there is no such number", field="what")
    rows = await hub.store.all(select(people.c.contact_id).where(conditions[kind]))
    return sorted({int(row["contact_id"]) for row in rows})
