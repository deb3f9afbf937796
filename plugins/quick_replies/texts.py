"""This plugin's own words, in the reader's language."""

from __future__ import annotations

from hub import translator_of

translator = translator_of(__package__)
"""Looks texts up in this plugin's catalogue: called with a language."""


def _(text: str) -> str:
    return text


SAID = (
    _("line"),
    _("unknown: {name}"),
    _("Did you mean {name}?"),
    _("give the reply a title"),
    _("write what the reply says, in one language at least"),
    _("this text is too long"),
    _("write the plain text too: other channels get it"),
    _("HTML of a reply cannot run scripts or take in other pages"),
    _("choose the team"),
    _("a shortcut is one word"),
    _("another reply has this shortcut already"),
    _("a button needs a label"),
    _("a reply has at most 10 files"),
    _("a file of a reply has at most 10 MB"),
    _("the template is too long"),
    _("nested too deeply"),
)
