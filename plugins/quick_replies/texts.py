"""This plugin's own words, in the reader's language."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files

from babel.messages.pofile import read_po


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
    _("Whole name of the person"),
    _("First name"),
    _("Patronymic"),
    _("Last name"),
    _("Name and patronymic"),
    _("Gender, where the name tells it"),
    _("Position of the person"),
    _("E-mail address of the person"),
    _("Telephone of the person"),
    _("Client"),
    _("Your name"),
    _("Your first name"),
    _("Your position"),
    _("Our organisation"),
    _("Title of the interest"),
    _("Sum of the interest"),
    _("Number of the request"),
    _("When the request is due"),
    _("Channel of the dialog"),
    _("Today's date"),
    _("Our working hours"),
)


def translator(language: str) -> Callable[[str], str]:
    """Look texts up in this plugin's catalogue."""
    catalogue = _catalogue("ru" if language.lower().startswith("ru") else "en")
    return lambda text: catalogue.get(text) or text


@lru_cache(maxsize=2)
def _catalogue(language: str) -> dict[str, str]:
    path = files("plugins.quick_replies").joinpath(
        f"locale/{language}/LC_MESSAGES/quick_replies.po"
    )
    if language == "en" or not path.is_file():
        return {}
    with path.open("rb") as file:
        found = read_po(file, locale=language)
    return {
        one.id: one.string
        for one in found
        if isinstance(one.id, str) and isinstance(one.string, str) and one.string
    }
