"""This plugin's own words, in the reader's language."""

from __future__ import annotations

from hub import translator_of

translator = translator_of(__package__)
"""Looks texts up in this plugin's catalogue: called with a language."""


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
