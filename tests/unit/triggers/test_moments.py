"""What a rule may begin with is said in words of both languages, but for technical facts."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import hub.events
from hub.events import Event
from hub.nouns import CORE_KINDS
from triggers.moments import all_moments

FACTS = [
    one
    for one in vars(hub.events).values()
    if isinstance(one, type) and issubclass(one, Event) and getattr(one, "type", "")
]

ROOT = Path(hub.events.__file__).parents[2]
WORK = ("hub", "crm_store", "dialogs", "triggers", "plugins")


@cache
def made() -> frozenset[str]:
    """The names of everything that the hub's own code makes somewhere."""
    found = set()
    for folder in WORK:
        for path in (ROOT / folder).rglob("*.py"):
            if path.parent.name == "demo":
                continue
            for one in ast.walk(ast.parse(path.read_text())):
                named: list[ast.expr] = []
                if isinstance(one, ast.Call):
                    named = [one.func]
                elif isinstance(one, ast.IfExp):
                    named = [one.body, one.orelse]
                for each in named:
                    found.add(getattr(each, "attr", "") or getattr(each, "id", ""))
    return frozenset(found)


def test_every_event_that_is_offered_can_happen() -> None:
    """Some code puts its fact on record (test_every_event brings those with a word about)."""
    moments = all_moments(CORE_KINDS.values(), FACTS)
    names = {one.type: one.__name__ for one in FACTS}
    never = {
        name
        for name, one in moments.items()
        if not one.timed and names.get(one.fact, "?") not in made()
    }
    assert never == set()
    assert {"contact.removed", "dialog.idle"}.isdisjoint(moments)


def test_what_people_do_begins_rules_in_words_of_both_languages() -> None:
    moments = all_moments(CORE_KINDS.values(), FACTS)
    for one in moments.values():
        assert one.label
        if one.group != "facts":
            assert re.search("[а-я]", one.russian), one.name
            assert one.label != one.name
    for name in ("task.overdue", "task.done", "interest.won", "consent.given", "form.submitted"):
        assert moments[name].group != "facts"
