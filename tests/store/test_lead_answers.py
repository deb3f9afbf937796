"""When a lead was first answered: by whom, by what, and what does not count."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from crm_store import objects
from crm_store.objects import NOUNS, ObjectQuery
from hub import (
    Address,
    CallEvent,
    CancelSend,
    ChangeObject,
    CreateContact,
    CreateLead,
    CreateObject,
    Lead,
    MessageId,
    RejectLead,
    RemoveObject,
    SendMessage,
)
from hub.ids import DialogId, LeadId
from hub.web.leads import SCREEN
from tests.houses import House, house, message

LEAD = NOUNS["lead"]
HOUR = 3_600_000_000


@pytest.fixture
async def home(tmp_path: Path, database_url: str) -> AsyncIterator[House]:
    async with house(tmp_path, database_url) as one:
        yield one


async def lead_of(home: House, lead_id: int) -> Lead:
    found: Lead = await home.user.read(objects.one, LEAD, lead_id)
    return found


async def unanswered(home: House) -> list[int]:
    query = ObjectQuery(filter=SCREEN.filters("unanswered"))
    page = await home.user.read(objects.page, LEAD, query)
    return [one.id for one in page.items]


async def of_dialog(home: House, dialog_id: DialogId) -> int:
    return int((await home.user.do(CreateLead(dialog_id=dialog_id)))[0])


async def noted(home: House, contact_id: int, **values: object) -> int:
    values = {"title": "About boats", "form": "call", "contact_id": str(contact_id), **values}
    return int((await home.user.do(CreateObject(kind="meeting", values=values)))[0])


async def test_a_person_answers_a_lead_and_a_machine_does_not(home: House) -> None:
    sent = (await home.receive(message("1", text="boats?")))[0]
    asked_at = (await home.user.dialog(sent.dialog_id)).waiting_since
    lead_id = await of_dialog(home, sent.dialog_id)
    lead = await lead_of(home, lead_id)
    assert (lead.received_at, lead.first_responded_at, lead.first_response_us) == (asked_at, 0, 0)
    assert lead.created_at > asked_at
    await home.user.do(SendMessage(dialog_id=sent.dialog_id, text="We have it", automated=True))
    assert await unanswered(home) == [lead_id]

    first, second = await home.user.do(
        SendMessage(dialog_id=sent.dialog_id, text="Red or blue?"),
        SendMessage(dialog_id=sent.dialog_id, text="Or green?"),
    )
    lead = await lead_of(home, lead_id)
    answered_at = (await home.user.message(MessageId(int(first)))).received_at
    assert lead.first_responded_at == answered_at
    assert lead.first_response_us == answered_at - asked_at
    assert await unanswered(home) == []
    # An answer that is taken back was none; of two the other one counts.
    await home.user.do(CancelSend(message_id=MessageId(int(first))))
    lead = await lead_of(home, lead_id)
    assert lead.first_responded_at == (await home.user.message(MessageId(int(second)))).received_at
    await home.user.do(CancelSend(message_id=MessageId(int(second))))
    assert await unanswered(home) == [lead_id]


async def test_a_lead_of_a_dialog_that_was_answered_does_not_wait(home: House) -> None:
    sent = (await home.receive(message("1", text="boats?")))[0]
    asked_at = (await home.user.dialog(sent.dialog_id)).waiting_since
    made = await home.user.do(SendMessage(dialog_id=sent.dialog_id, text="Red or blue?"))
    answered_at = (await home.user.message(MessageId(int(made[0])))).received_at
    lead = await lead_of(home, await of_dialog(home, sent.dialog_id))
    assert (lead.received_at, lead.first_responded_at) == (asked_at, answered_at)
    assert lead.first_response_us == answered_at - asked_at
    assert await unanswered(home) == []


async def test_any_dialog_of_the_person_answers_but_not_a_rejected_lead(home: House) -> None:
    first, second = await home.receive(message("1"), message("2", "boris"))
    lead_id = await of_dialog(home, first.dialog_id)
    rejected = await of_dialog(home, second.dialog_id)
    await home.user.do(RejectLead(lead_id=LeadId(rejected), reason="dear"))
    for one in (first, second):
        await home.user.do(SendMessage(dialog_id=one.dialog_id, text="Hello"))
    assert (await lead_of(home, lead_id)).first_responded_at
    assert (await lead_of(home, rejected)).first_responded_at == 0


async def test_a_call_that_is_noted_answers_and_one_before_the_lead_does_not(home: House) -> None:
    sent = (await home.receive(message("1")))[0]
    contact_id = (await home.user.dialog(sent.dialog_id)).contact_id
    lead_id = await of_dialog(home, sent.dialog_id)
    lead = await lead_of(home, lead_id)
    await noted(home, contact_id, at=lead.received_at - HOUR)
    await noted(home, (await home.user.do(CreateContact(name="Other")))[0])
    assert await unanswered(home) == [lead_id]
    at = lead.received_at + 1
    meeting = await noted(home, contact_id, at=at)
    lead = await lead_of(home, lead_id)
    assert (lead.first_responded_at, lead.first_response_us) == (at, 1)
    changed = ChangeObject(kind="meeting", object_id=meeting, values={"at": at - HOUR})
    await home.user.do(changed)
    assert await unanswered(home) == [lead_id]
    await home.user.do(ChangeObject(kind="meeting", object_id=meeting, values={"at": at + HOUR}))
    # Who agrees on a meeting to come has answered by that.
    assert at < (await lead_of(home, lead_id)).first_responded_at < at + HOUR
    await home.user.do(RemoveObject(kind="meeting", object_id=meeting))
    assert await unanswered(home) == [lead_id]
    await home.user.do(RemoveObject(kind="meeting", object_id=meeting, restore=True))
    assert await unanswered(home) == []


@pytest.mark.parametrize(("state", "waits"), [("missed", True), ("answered", False)])
async def test_a_call_answers_when_somebody_talked(home: House, state: str, waits: bool) -> None:
    sent = (await home.receive(message("1")))[0]
    lead_id = await of_dialog(home, sent.dialog_id)
    who = Address(kind="pigeon", value="anna", name="Anna")
    event = CallEvent(dedupe_key=state, external_id="c1", caller=who, state=state)
    await home.receive(event)  # type: ignore[arg-type]
    assert (await unanswered(home) == [lead_id]) is waits
    again = await lead_of(home, await of_dialog(home, sent.dialog_id))
    assert bool(again.first_responded_at) is not waits
