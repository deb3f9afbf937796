"""Actions: what a rule can do. One class, one method that returns commands."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel

from hub.commands.base import Command
from hub.errors import HubError
from hub.placeholders import names_of
from hub.rules.facts import Facts

if TYPE_CHECKING:
    from hub.api import Hub

_HOLE = re.compile(r"\{\{\s*([\w.]+)\s*(?:\|\s*\"([^\"]*)\"\s*)?\}\}")
_NAMED = re.compile(r"\b([a-z_]\w*)\.(custom\.\w+|\w+)")


class Held(HubError):
    """Raised by an action that will not act now: the run says why and goes on with the next."""


class Action(ABC):
    """Something that rules can do. You implement `plan`.

    `name` is a word; rules call it `<plugin>.<name>`. `label` is a verb phrase that completes
    "then ...". `Params` is a pydantic model: the form, the check and the API's schema come from
    it. `needs` says which parts of the facts `plan` reads: dialog, message, contact, client, or
    another kind of object.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    translations: ClassVar[Mapping[str, str]] = {}
    needs: ClassVar[frozenset[str]] = frozenset({"dialog"})
    speaks: ClassVar[bool] = False
    """True for an action that speaks to the person: a rule's quiet hours put it off."""
    writes: ClassVar[Mapping[str, str] | None] = None
    """The fields it changes, as conditions name them, each with the parameter that says what is
    written there ("" where no single one says it): the editor warns of rules that fight. {} is
    none, None is not known."""
    brings: ClassVar[Collection[str] | None] = None
    """The events that it brings about (`dialog.closed`, a fact of the plugin's own): the editor
    warns of rules that go round. () is none, None is not known."""
    group: ClassVar[str] = ""
    """The heading under which the builder offers it: work, words, outside."""

    class Params(BaseModel):
        """An action without parameters."""

    @classmethod
    async def references(cls, hub: Hub) -> Mapping[str, Sequence[tuple[str, str]]]:
        """You may override: what parameters of yours with a `ref` of your own
        (`json_schema_extra={"ref": "mailing"}`) are chosen from: pairs of value and words."""
        return {}

    @abstractmethod
    def plan(self, facts: Facts, params: Any) -> Sequence[Command]:
        """Give the commands that do it. Pure; may raise Held with a sentence that says why not."""


def ready_text(text: str, facts: Facts) -> str:
    """Fill {{ contact.name | "friend" }} from the facts; what is unknown becomes its fallback.

    Known are the records' own words: contact, dialog, client, lead and other objects, message,
    their own fields (`contact.custom.boat`), and the parts of a person's name. It is the renderer of
    quick replies and mailings that fills them in, with its filters and conditions; raises Invalid
    for a template that cannot be read.
    """
    if facts.fill is not None:
        return facts.fill(text, _words(text, facts)) if "{" in text else text
    return _plainly(text, facts)


def _words(text: str, facts: Facts) -> dict[str, str]:
    """Give the value of every name that stands in a text."""
    found = {
        f"{kind}.{name}": _value(facts, kind, name)
        for kind, name in _NAMED.findall(text)
        if _record(facts, kind) is not None
    }
    if facts.contact is not None:
        names = names_of(facts.contact.name)
        found |= {
            "contact.first_name": names.first,
            "contact.patronymic": names.patronymic,
            "contact.last_name": names.last,
            "contact.polite_name": names.polite,
            "contact.gender": names.gender,
        }
    return found


def _value(facts: Facts, kind: str, name: str) -> str:
    record = _record(facts, kind)
    if record is None or name.startswith("_"):
        return ""
    if f"{kind}.{name}" in facts.more and not hasattr(record, name):
        # What is counted for a card, as what it lacks, is named like its properties.
        return str(facts.more[f"{kind}.{name}"] or "")
    if name.startswith("custom."):
        own = getattr(record, "custom", None)
        value = own.get(name.removeprefix("custom."), "") if isinstance(own, Mapping) else ""
    else:
        value = getattr(record, name, "")
    shown = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return shown.strip()


def _plainly(text: str, facts: Facts) -> str:
    """Fill names and their fallbacks only: for facts that somebody made by hand."""

    def fill(found: re.Match[str]) -> str:
        kind, _, name = found[1].partition(".")
        return (_value(facts, kind, name) if name else "") or found[2] or ""

    # An empty hole takes the space before it along: "Hello, !" is nobody's name.
    filled = _HOLE.sub(fill, text)
    return re.sub(r",?[ \t]+([!?.,])", r"\1", filled) if filled != text else text


def _record(facts: Facts, kind: str) -> object:
    match kind:
        case "contact":
            return facts.contact
        case "dialog":
            return facts.dialog
        case "message":
            return facts.message
    return facts.objects.get(kind)
