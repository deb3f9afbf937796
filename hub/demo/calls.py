"""A call list of the demo company: four people, a script, and one of them called already."""

from __future__ import annotations

from collections.abc import Mapping

from hub.commands import Command, CreateContact, CreateObject, SaveSegment
from hub.handle import BoundHub
from hub.ids import ContactId
from hub.messages import Address
from plugins.telemarketing.commands import AddToCallList, Listed, SaveCallList, SteerCallList
from plugins.telemarketing.plans import TALKED, script_of
from plugins.telemarketing.taking import KeepResult, TakeNext

NAME = "telemarketing"
TITLE = "Обзвон перед весенней распродажей"
PEOPLE = (
    ("Мария Белова", "+79000000101"),
    ("Олег Тимофеев", "+79000000102"),
    ("Ирина Кузьмина", "+79000000103"),
    ("Daniel Novak", "+79000000104"),
)
PLAN: Mapping[str, object] = {
    "words": "{{ contact.first_name }}, здравствуйте! Это магазин «Тёплый дом».",
    "questions": script_of(
        "Удобно говорить? | да/нет\nЧто присматриваете? | свет / текстиль / посуда\nЧего не хватает?"
    ),
    "results": [{"label": "Подумает", "again": True}],
    "call_from": "00:00",
    "call_until": "00:00",
}


async def make_calls(hub: BoundHub) -> None:
    """Make it, unless the plugin is not there or people of it are."""
    if NAME not in hub.runtime.plugins.plugins or await hub.count("contact", filter=_known()):
        return
    ids = [ContactId(hub.new_id()) for _ in PEOPLE]
    steps: list[Command] = [
        CreateContact(contact_id=number, name=name, addresses=(Address(kind="phone", value=phone),))
        for number, (name, phone) in zip(ids, PEOPLE, strict=True)
    ]
    *_people, segment = await hub.do(*steps, SaveSegment(name=TITLE, filter=_known()))
    (list_id,) = await hub.do(
        SaveCallList(title=TITLE, plan={**PLAN, "segment_id": str(segment)}),
    )
    listed = []
    for number in ids:
        (address,) = (await hub.contact(number)).addresses
        listed.append(Listed(number, address.id))
    added = AddToCallList(list_id=list_id, people=tuple(listed))
    *_done, person = await hub.do(
        added, SteerCallList(list_id=list_id, state="running"), TakeNext(list_id=list_id)
    )
    noted = {
        "title": TITLE,
        "form": "call",
        "at": hub.now(),
        "contact_id": ids[0],
        "owner_id": hub.actor.id,
        "result": "Поговорили\nЧто присматриваете? — свет\nПросит каталог",
    }
    meeting = hub.new_id()
    kept = KeepResult(
        person_id=person,
        result=TALKED,
        answers={"0": "yes", "1": "свет", "2": "каталога"},
        meeting_id=meeting,
    )
    await hub.do(CreateObject(kind="meeting", object_id=meeting, values=noted), kept)


def _known() -> dict[str, object]:
    names = [name for name, _phone in PEOPLE]
    return {"any": [{"field": "contact.name", "operator": "equals", "value": one} for one in names]}
