"""This plugin's own words, in the reader's language."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files

from babel.messages.pofile import read_po


def _(text: str) -> str:
    return text


SAID = (
    _("give the call list a title"),
    _("there is no such call list"),
    _("this call list was removed: put it back first"),
    _("somebody changed this call list meanwhile"),
    _("a call list in this state cannot do that"),
    _("nobody on this list can be called: choose other people"),
    _("choose whom to call"),
    _("this list is called by other colleagues"),
    _("there is nobody at this place of the list"),
    _("a colleague has this person now: take the next one"),
    _("say when to call back: tomorrow 15:00, in 2 hours"),
    _("this is no answer to the question"),
    _("this list has no such result"),
    _("this result can no longer be taken back"),
    _("there is no call of yours to take back"),
    _("a question has words, and 2 to 20 answers to choose from"),
    _("a script has at most 30 questions"),
    _("a list has at most 4 results of its own, each another"),
    _("a time of day is written 21:00"),
    _("this number is not possible"),
)
"""What commands say, for the catalogue."""
MADE_WORDS = {
    "interest": _("Interest"),
    "lead": _("Lead"),
    "request": _("Request"),
    "task": _("Task"),
}
NUMBER_WORDS = {
    "people": _("People"),
    "called": _("Called"),
    "waiting": _("Still to call"),
}


def translator(language: str) -> Callable[[str], str]:
    """Look texts up in this plugin's catalogue."""
    catalogue = _catalogue("ru" if language.lower().startswith("ru") else "en")
    return lambda text: catalogue.get(text) or text


@lru_cache(maxsize=2)
def _catalogue(language: str) -> dict[str, str]:
    path = files("plugins.telemarketing").joinpath(
        f"locale/{language}/LC_MESSAGES/telemarketing.po"
    )
    if language == "en" or not path.is_file():
        return {}
    with path.open("rb") as file:
        found = read_po(file, locale=language)
    return {
        one.id: one.string
        for one in found
        if isinstance(one.id, str) and one.id and isinstance(one.string, str)
    }
