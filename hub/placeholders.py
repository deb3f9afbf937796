"""Placeholders of quick replies, templates and mailings: which there are, and what became of them.

`{{ contact.first_name }}` stands for what the hub knows of the person, of the colleague who
writes, of the organisation and of the work in hand, `{{ contact.custom.boat }}` for
a field that the organisation added to persons, clients, interests or requests.
A *soft* one may stay empty: a greeting is
then put right ("Hello!" and never "Hello, !"). Every other one must be filled, have a default
(`{{ interest.title | "your order" }}`), or the message does not leave.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

OPEN = re.compile(
    r"\{\{\s*([a-z_][a-z0-9_]*(?:\.[a-z0-9_]+)+|today|company|working_hours)[^{}]*\}\}"
)
"""A placeholder that still stands in a text, with its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One placeholder: its name, what it stands for (translated where shown), an example."""

    name: str
    label: str
    sample: str
    soft: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong with a template: where, in words, and what was probably meant."""

    line: int
    text: str
    name: str = ""
    suggestion: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A text with its placeholders filled; those in `missing` still stand in it."""

    text: str
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """A person's name taken apart, as far as it can be told."""

    first: str = ""
    patronymic: str = ""
    last: str = ""
    gender: str = ""

    @property
    def polite(self) -> str:
        """The Russian form of address: name and patronymic; without one, the first name."""
        return " ".join(one for one in (self.first, self.patronymic) if one)


VARIABLES: Mapping[str, Variable] = {
    one.name: one
    for one in (
        Variable(
            name="contact.name",
            label="Whole name of the person",
            sample="Петров Иван Сергеевич",
            soft=True,
        ),
        Variable(name="contact.first_name", label="First name", sample="Иван", soft=True),
        Variable(name="contact.patronymic", label="Patronymic", sample="Сергеевич", soft=True),
        Variable(name="contact.last_name", label="Last name", sample="Петров", soft=True),
        Variable(
            name="contact.polite_name",
            label="Name and patronymic",
            sample="Иван Сергеевич",
            soft=True,
        ),
        Variable(
            name="contact.gender", label="Gender, where the name tells it", sample="m", soft=True
        ),
        Variable(name="contact.position", label="Position of the person", sample="директор"),
        Variable(
            name="contact.email", label="E-mail address of the person", sample="ivan@example.org"
        ),
        Variable(name="contact.phone", label="Telephone of the person", sample="+7 921 555-01-42"),
        Variable(name="client.name", label="Client", sample="ООО «Парус»", soft=True),
        Variable(name="agent.name", label="Your name", sample="Вера Орлова"),
        Variable(name="agent.first_name", label="Your first name", sample="Вера"),
        Variable(name="agent.position", label="Your position", sample="менеджер"),
        Variable(name="company", label="Our organisation", sample="Парусная мастерская"),
        Variable(name="interest.title", label="Title of the interest", sample="Парус 20 м²"),
        Variable(name="interest.sum", label="Sum of the interest", sample="48 000 ₽"),
        Variable(name="request.number", label="Number of the request", sample="1042"),
        Variable(name="request.due", label="When the request is due", sample="12.03.2027 15:00"),
        Variable(name="dialog.channel", label="Channel of the dialog", sample="telegram"),
        Variable(name="today", label="Today's date", sample="10.03.2027"),
        Variable(name="working_hours", label="Our working hours", sample="Пн–Пт 9:00–18:00"),
    )
}
"""Every placeholder there is, by name."""

SAMPLES: Mapping[str, str] = {name: one.sample for name, one in VARIABLES.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """What the placeholders stand for, for one person at one moment."""

    texts: Mapping[str, str] = field(default_factory=dict)
    language: str = "en"


def unfilled(text: str) -> tuple[str, ...]:
    """Give the names of the placeholders that still stand in a text."""
    return tuple(dict.fromkeys(OPEN.findall(text)))


_PATRONYMIC = re.compile(r"(ович|евич|ьич|ич|оглы|кызы|овна|евна|ична|инична)$", re.IGNORECASE)
_FEMALE = re.compile(r"(овна|евна|ична|инична|кызы)$", re.IGNORECASE)
_SURNAME = re.compile(
    r"(ов|ев|ёв|ин|ын|ова|ева|ёва|ина|ына|ский|ская|цкий|цкая|ых|их|енко|чук|дзе|швили|ян)$",
    re.IGNORECASE,
)
_CYRILLIC = re.compile(r"^[А-Яа-яЁё-]+$")


def names_of(whole: str) -> Names:
    """Take a name apart: "Петров Иван Сергеевич", "Иван Сергеевич", "Vera Smith"; "" tells nothing."""
    words = whole.split()
    if not words or any(mark in whole for mark in "@+/0123456789"):
        return Names()
    for n, word in enumerate(words):
        if n and len(word) > 4 and _CYRILLIC.match(word) and _PATRONYMIC.search(word):
            last = " ".join(words[: n - 1] + words[n + 1 :])
            gender = "f" if _FEMALE.search(word) else "m"
            return Names(first=words[n - 1], patronymic=word, last=last, gender=gender)
    if len(words) == 1:
        return Names(first=words[0])
    turned = (
        len(words) == 2
        and all(_CYRILLIC.match(one) for one in words)
        and _SURNAME.search(words[0]) is not None
        and _SURNAME.search(words[1]) is None
    )
    if turned:
        return Names(first=words[1], last=words[0])
    return Names(first=words[0], last=" ".join(words[1:]))
