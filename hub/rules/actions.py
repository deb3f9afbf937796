"""Actions: what a rule can do. One class, one method that returns commands."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel

from hub.commands.base import Command
from hub.errors import HubError
from hub.rules.facts import Facts

_HOLE = re.compile(r"\{\{\s*([\w.]+)\s*(?:\|\s*\"([^\"]*)\"\s*)?\}\}")


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
    group: ClassVar[str] = ""
    """The heading under which the builder offers it: work, words, outside."""

    class Params(BaseModel):
        """An action without parameters."""

    @abstractmethod
    def plan(self, facts: Facts, params: Any) -> Sequence[Command]:
        """Give the commands that do it. Pure; may raise Held with a sentence that says why not."""


def ready_text(text: str, facts: Facts) -> str:
    """Fill {{ contact.name | "friend" }} from the facts; what is unknown becomes its fallback.

    Known are the records' own words: contact, dialog, client, lead and other objects, message.
    """

    def fill(found: re.Match[str]) -> str:
        kind, _, name = found[1].partition(".")
        record = _record(facts, kind)
        value = getattr(record, name, "") if record is not None and name else ""
        shown = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
        return shown.strip() or found[2] or ""

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
