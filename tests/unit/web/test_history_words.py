"""What happened in a dialog is said in words: no reader meets the name of a fact."""

from __future__ import annotations

from pathlib import Path

import pytest

import hub
from hub import Event

TEMPLATES = Path(hub.__file__).parent / "web" / "templates"
SHOWN = sorted(
    one.type
    for one in vars(hub).values()
    if isinstance(one, type) and issubclass(one, Event) and one is not Event and one.shown
)


def test_there_is_what_to_say() -> None:
    assert "dialog.opened" in SHOWN
    assert len(SHOWN) > 8


@pytest.mark.parametrize("name", SHOWN)
@pytest.mark.parametrize("where", ["inbox/bubble.html", "objects/people_parts.html"])
def test_a_shown_fact_has_words(name: str, where: str) -> None:
    assert f"'{name}'" in (TEMPLATES / where).read_text()
