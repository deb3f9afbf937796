"""The rail: what is shown to whom, and never more than seven places."""

from __future__ import annotations

from hub.extensions import NavEntry
from hub.web.rail import MOST, OWN_PLACES, folded, places, rail

EVERYTHING = {
    "tasks.view",
    "leads.view",
    "interests.view",
    "requests.view",
    "contacts.view",
}


def test_everybody_sees_the_places_of_his_rights() -> None:
    assert [one.key for one in rail(set(), places(OWN_PLACES))] == ["inbox"]
    keys = [one.key for one in rail(EVERYTHING, places(OWN_PLACES))]
    assert keys == ["inbox", "day", "leads", "interests", "requests", "contacts", "marketing"]
    assert len(keys) == MOST


def test_what_is_too_much_stands_behind_more() -> None:
    extra = [NavEntry(key=f"x{n}", title=f"X{n}", path=f"/p/x{n}", order=60 + n) for n in range(3)]
    shown, rest = folded(rail(EVERYTHING, places([*OWN_PLACES, *extra])))
    # The button that opens the rest is a place too.
    assert len(shown) + 1 == MOST
    assert [one.key for one in rest] == ["marketing", "x0", "x1", "x2"]
