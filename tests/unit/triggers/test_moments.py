"""What a rule may begin with is said in words of both languages, but for technical facts."""

from __future__ import annotations

import re

import hub.events
from hub.events import Event
from hub.nouns import CORE_KINDS
from triggers.moments import all_moments

FACTS = [
    one
    for one in vars(hub.events).values()
    if isinstance(one, type) and issubclass(one, Event) and getattr(one, "type", "")
]


def test_what_people_do_begins_rules_in_words_of_both_languages() -> None:
    moments = all_moments(CORE_KINDS.values(), FACTS)
    for one in moments.values():
        assert one.label
        if one.group != "facts":
            assert re.search("[а-я]", one.russian), one.name
            assert one.label != one.name
    for name in ("task.overdue", "task.done", "interest.won", "consent.given", "form.submitted"):
        assert moments[name].group != "facts"
