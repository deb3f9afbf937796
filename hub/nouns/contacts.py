"""Contact persons: the humans we talk with; each may have many addresses, and belong to a client."""

from __future__ import annotations

import re

from hub.kinds import described
from hub.nouns.parts import CREATED, TAGS, choices, client, prop
from hub.properties import PropertyType
from hub.records.people import Contact
from hub.zones import zone_called

_T = PropertyType
_LANGUAGE = re.compile(r"[a-z]{2,3}([-_][a-z0-9]{2,8})*", re.IGNORECASE | re.ASCII)
INFLUENCE = choices(
    ("unknown", "unknown", "неизвестно"),
    ("low", "low", "слабое"),
    ("medium", "medium", "среднее"),
    ("high", "high", "решающее"),
)


def _language(given: str) -> str:
    if not _LANGUAGE.fullmatch(given):
        raise ValueError("a language is written by its letters, as ru, en or pt-BR")
    return given


CONTACTS = described(
    name="contact",
    words=("contact", "contact persons", "контактное лицо", "контактные лица"),
    record=Contact,
    read="contacts.view",
    write="contacts.edit",
    path="contacts",
    title="name",
    owner="",
    icon="users",
    keys=("email", "phone", "name"),
    # A person is merged or erased.
    binned=False,
    sort="-last_at",
    properties=(
        prop("name", "Name", "Имя", required=True, personal=True, listed=True, sortable=True),
        prop("position", "Position", "Должность", personal=True, listed=True),
        client(listed=True),
        prop("is_key", "Key person", "Ключевое лицо", _T.FLAG, listed=True),
        prop("influence", "Influence", "Влияние на решение", _T.CHOICE, choices=INFLUENCE),
        prop("preferred_channel", "Preferred channel", "Предпочитаемый канал"),
        prop("do_not_disturb", "Do not disturb", "Не беспокоить", _T.FLAG),
        prop("language", "Language", "Язык", reads=_language),
        prop("time_zone", "Time zone", "Часовой пояс", reads=zone_called),
        prop("birthday", "Birthday", "День рождения", _T.DATE, personal=True),
        TAGS,
        prop("notes", "About", "Что важно знать", _T.TEXT, personal=True),
        prop(
            "last_at",
            "Last contact",
            "Последний контакт",
            _T.INSTANT,
            editable=False,
            listed=True,
            sortable=True,
        ),
        CREATED,
    ),
)
