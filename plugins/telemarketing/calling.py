"""The workplace: who is next, what a caller needs to know of him, and what came of the call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from hub import (
    NEVER,
    AddressId,
    Command,
    Contact,
    ContactId,
    CreateLead,
    CreateObject,
    DialogQuery,
    Hub,
    HubError,
    Invalid,
    LeadId,
    NotFound,
    ReleaseAddress,
    RemoveObject,
    SuppressAddress,
    TakeBackWithdrawal,
    UserId,
    WithdrawConsent,
    read_quick,
)
from plugins.telemarketing.doing import check_caller
from plugins.telemarketing.plans import LATER, REFUSED, WRONG, CallList, Question, as_number
from plugins.telemarketing.tables import calls, people
from plugins.telemarketing.taking import UNDO_US, KeepResult, TakeNext, UndoResult

US = 1_000_000
SHOWN = 5
MADE = {
    "interest": "interests.edit",
    "lead": "leads.edit",
    "request": "requests.edit",
    "task": "tasks.edit",
}
"""What can be made in a call, and the right it needs."""
MOST_ANSWER = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A person who was taken, as the workplace shows him."""

    person_id: int
    contact: Contact
    number: str
    address_id: AddressId
    attempts: int
    due_at: int
    promised: bool
    local_time: str
    words: str
    questions: tuple[Question, ...]


async def next_seat(hub: Hub, one: CallList) -> Seat | None:
    """Take the next person, None where nobody is to be called now."""
    await check_caller(hub, one)
    house = (await hub.brand()).time_zone or "UTC"
    (person_id,) = await hub.do(TakeNext(list_id=one.id, zone=house))
    return await seat_of(hub, one, person_id, house) if person_id else None


async def held_seat(hub: Hub, one: CallList, person_id: int = 0) -> Seat | None:
    """Give the person whom who acts has taken on a list, None where there is none.

    One who is named is still his after half an hour, unless somebody else took him meanwhile: a
    call may be long.
    """
    held = (people.c.list_id == one.id) & (people.c.state == "waiting")
    held &= people.c.user_id == hub.actor.id
    if person_id:
        held &= (people.c.id == person_id) & (people.c.lease_until > 0)
    else:
        held &= people.c.lease_until > hub.now()
    row = await hub.store.first(select(people.c.id).where(held))
    if row is None:
        return None
    return await seat_of(hub, one, row["id"], (await hub.brand()).time_zone or "UTC")


async def seat_of(hub: Hub, one: CallList, person_id: int, house: str = "UTC") -> Seat | None:
    """Give a place of a list as it is shown, None where who acts does not see its person."""
    row = await hub.store.first(select(people).where(people.c.id == person_id))
    if row is None:
        return None
    try:
        contact = await hub.contact(ContactId(row["contact_id"]))
    except NotFound:
        return None
    chosen = next((each for each in contact.addresses if each.id == row["address_id"]), None)
    if chosen is None or contact.deleted_at:
        return None
    values = (await hub.values(contact_id=contact.id)).texts
    asked = [replace(each, text=_filled(hub, each.text, values)) for each in one.plan.questions]
    return Seat(
        person_id=person_id,
        contact=contact,
        number=chosen.value,
        address_id=chosen.id,
        attempts=row["attempts"],
        due_at=row["due_at"],
        promised=bool(row["promised"]),
        local_time=_local(hub.now(), contact.time_zone or house),
        words=_filled(hub, one.plan.words, values),
        questions=tuple(asked),
    )


def _filled(hub: Hub, text: str, values: Mapping[str, str]) -> str:
    return hub.fill(text, values).text if text else ""


def _local(now: int, zone: str) -> str:
    try:
        return f"{datetime.fromtimestamp(now / US, ZoneInfo(zone)):%H:%M}"
    except (KeyError, ValueError, OSError):
        return ""


async def history(hub: Hub, seat: Seat) -> dict[str, Any]:
    """Give what a caller looks at first: the last calls, dialogs, interests and tasks."""
    mine = str(seat.contact.id)
    found: dict[str, Any] = {}
    for kind, right in (("meeting", "contacts.view"), ("interest", "interests.view")):
        if await hub.may(right):
            own = {"field": f"{kind}.contact", "operator": "equals", "value": mine}
            found[kind] = (await hub.find(kind, filter=own, limit=SHOWN)).items
    if await hub.may("dialogs.view"):
        query = DialogQuery(contact_id=seat.contact.id, limit=3)
        found["dialog"] = (await hub.dialogs(query)).dialogs
    return found


async def when(hub: Hub, text: str) -> int:
    """Read words that say when, as the line of tasks does, by the caller's own clock."""
    zone = (await hub.user(UserId(hub.actor.id))).time_zone or (await hub.brand()).time_zone
    now = datetime.fromtimestamp(hub.now() / US, UTC).astimezone(ZoneInfo(zone or "UTC"))
    found = read_quick(text, now)
    if found.due is None or found.title:
        raise Invalid("say when to call back: tomorrow 15:00, in 2 hours", field="again")
    return int(found.due.timestamp()) * US


def answers_of(questions: tuple[Question, ...], given: Mapping[str, Any]) -> dict[str, str]:
    """Check the answers by the number of their question; what is empty is left out."""
    found = {}
    for question in questions:
        number = question.number
        said = str(given.get(str(number)) or "").strip()[:MOST_ANSWER]
        if not said:
            continue
        wrong = (
            (question.kind == "choice" and said not in question.choices)
            or (question.kind == "yesno" and said not in ("yes", "no"))
            or (question.kind == "number" and as_number(said) is None)
        )
        if wrong:
            raise Invalid("this is no answer to the question", field=f"answer_{number}")
        found[str(number)] = said.replace(",", ".") if question.kind == "number" else said
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a caller says of a call; `again` is in words or an instant."""

    result: str
    answers: Mapping[str, Any]
    note: str = ""
    again: str | int = ""
    made_kind: str = ""
    made_title: str = ""


async def record(hub: Hub, one: CallList, seat: Seat, said: Outcome, label: str) -> int:
    """Keep a call: its note in the history, its result here, what was made, and what it means for
    the telephone, all in one transaction. Gives the call's id."""
    await check_caller(hub, one)
    result = one.plan.result(said.result)
    answers = answers_of(one.plan.questions, said.answers)
    again_at = 0
    if result.code == LATER:
        again_at = said.again if isinstance(said.again, int) else await when(hub, said.again)
    meeting_id = hub.new_id()
    lines = [
        label,
        *(
            f"{each.text} — {answers[str(each.number)]}"
            for each in seat.questions
            if str(each.number) in answers
        ),
    ]
    note = said.note.strip()[:4_000]
    values: dict[str, object] = {
        "title": one.title,
        "form": "call",
        "at": hub.now(),
        "contact_id": seat.contact.id,
        "client_id": seat.contact.client_id or None,
        "owner_id": hub.actor.id,
        "result": "\n".join([*lines, *([note] if note else [])]),
        "next_step_at": again_at or None,
    }
    steps: list[Command] = [CreateObject(kind="meeting", object_id=meeting_id, values=values)]
    made_id = 0
    if said.made_kind:
        made_id = hub.new_id()
        steps.append(_making(one, seat, said, note, made_id, hub.actor.id))
    if result.code == REFUSED:
        proof = f"{_proof(meeting_id)}: {one.title}: {label}"
        steps.append(WithdrawConsent(contact_id=seat.contact.id, channel="phone", evidence=proof))
    if result.code == WRONG:
        steps.append(SuppressAddress(address_id=seat.address_id, text=f"{one.title}: {label}"))
    kept = KeepResult(
        person_id=seat.person_id,
        result=result.code,
        answers=answers,
        again_at=again_at,
        meeting_id=meeting_id,
        made_kind=said.made_kind,
        made_id=made_id,
    )
    return int((await hub.do(*steps, kept))[-1])


def _making(
    one: CallList, seat: Seat, said: Outcome, note: str, made_id: int, owner: int
) -> Command:
    if said.made_kind not in MADE:
        raise Invalid("this cannot be made in a call", field="made_kind")
    title = " ".join(said.made_title.split())[:200] or f"{one.title}: {seat.contact.name}"[:200]
    contact = seat.contact
    values: dict[str, object] = {"title": title, "owner_id": owner}
    if said.made_kind == "lead":
        values |= {"name": contact.name, "phone": seat.number, "source": one.title}
        return CreateLead(values=values, lead_id=LeadId(made_id))
    if said.made_kind == "task":
        values |= {"object_kind": "contact", "object_id": contact.id, "description": note}
    else:
        values |= {"contact_id": contact.id, "client_id": contact.client_id or None}
        values |= {"source": one.title} if said.made_kind == "interest" else {"description": note}
    return CreateObject(kind=said.made_kind, object_id=made_id, values=values)


async def last_call(hub: Hub, one: CallList) -> Mapping[str, Any] | None:
    """Give one's own last call of a list that can still be taken back."""
    row = await hub.store.first(
        select(calls)
        .where(calls.c.list_id == one.id, calls.c.user_id == hub.actor.id, calls.c.undone_at == 0)
        .order_by(calls.c.id.desc())
    )
    return row if row is not None and row["at"] > hub.now() - UNDO_US and row["before"] else None


async def undo(hub: Hub, one: CallList) -> None:
    """Take the last result back: its note and what was made go into the bin, a number that was wrong
    is right again, and a refusal that it noted counts no more. What the person refused otherwise,
    before or since, stands."""
    await check_caller(hub, one)
    call = await last_call(hub, one)
    if call is None:
        raise NotFound("there is no call of yours to take back")
    steps: list[Command] = [UndoResult(call_id=call["id"])]
    for kind, number in (("meeting", call["meeting_id"]), (call["made_kind"], call["made_id"])):
        if number and await _is_there(hub, kind, number):
            steps.append(RemoveObject(kind=kind, object_id=number))
    if call["result"] == WRONG:
        called = call["before"].get("address_id")
        if called:
            steps.append(ReleaseAddress(address_id=AddressId(called), reason="by_hand"))
    if call["result"] == REFUSED:
        noted = ContactId(call["contact_id"]), _proof(call["meeting_id"])
        try:
            await hub.do(*steps, TakeBackWithdrawal(contact_id=noted[0], evidence=noted[1]))
        except NotFound:
            # Noted before calls were named there, or erased: only the call is taken back.
            await hub.do(*steps)
        return
    await hub.do(*steps)


def _proof(meeting_id: int) -> str:
    """Name a call in the evidence of a refusal, by its note."""
    return f"call {meeting_id}"


async def _is_there(hub: Hub, kind: str, number: int) -> bool:
    try:
        return not getattr(await hub.get(kind, number), "deleted_at", NEVER)
    except HubError:
        return False
