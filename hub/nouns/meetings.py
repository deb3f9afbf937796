"""Meetings, and calls noted by hand: entries of a person's timeline, of the same family as messages."""

from __future__ import annotations

from hub.kinds import described
from hub.nouns.parts import CREATED, OWNER, TAGS, choices, client, contact, prop
from hub.properties import PropertyType
from hub.records.people import Meeting

_T = PropertyType
FORMS = choices(("meeting", "meeting", "встреча"), ("call", "call", "звонок"))

MEETINGS = described(
    name="meeting",
    words=("meeting or call", "meetings and calls", "встреча или звонок", "встречи и звонки"),
    record=Meeting,
    read="contacts.view",
    write="contacts.edit",
    path="meetings",
    icon="users",
    sort="-at",
    properties=(
        prop("title", "About", "О чём", required=True, personal=True, listed=True),
        prop("form", "Kind", "Вид", _T.CHOICE, choices=FORMS, listed=True),
        prop("at", "When", "Когда", _T.INSTANT, listed=True, sortable=True),
        prop("minutes", "Minutes", "Минут", _T.NUMBER),
        prop("place", "Place", "Место", personal=True),
        prop("participants", "Participants", "Участники", personal=True),
        contact(listed=True),
        client(listed=True),
        OWNER,
        prop("result", "Result", "Результат", _T.TEXT, personal=True),
        prop("next_step", "Next step", "Следующий шаг", personal=True, listed=True),
        prop("next_step_at", "By when", "К какому сроку", _T.INSTANT),
        TAGS,
        CREATED,
    ),
)
