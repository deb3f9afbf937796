"""The form's own words, in the reader's language, from this plugin's catalogue."""

from __future__ import annotations

from hub import translator_of

translator = translator_of(__package__)
"""Looks texts up in this plugin's catalogue: called with a language."""


def _(text: str) -> str:
    """Mark a text for the catalogue; it is looked up when the language is known."""
    return text


FORM = {
    "title": _("Write to us"),
    "name": _("Your name"),
    "email": _("E-mail"),
    "phone": _("Phone"),
    "message": _("Message"),
    "files": _("Files"),
    "send": _("Send"),
    "required": _("Required"),
    "more": _("Read more"),
    "thanks": _("Thank you! We have your message and will answer soon."),
    "subscribe": _("Write to me about"),
    "trap": _("Leave this empty"),
    "error": _("Please check the form"),
    "bad_email": _("Please check the e-mail address"),
    "bad_consent": _("Please agree first"),
    "bad_files": _("These files cannot be taken"),
    "bad_message": _("Please write something"),
    "slow": _("Too many attempts. Please wait a minute."),
    "try_later": _("That did not work. Please try again."),
    "back": _("Back to the form"),
}


def language_of(asked: str, fixed: str = "auto") -> str:
    """The language to speak: the account's choice, else the page's, else English."""
    wanted = asked if fixed == "auto" else fixed
    return "ru" if wanted.lower().startswith("ru") else "en"


def form_texts(language: str) -> dict[str, str]:
    """Every text of the form in one language."""
    translate = translator(language)
    return {key: translate(text) for key, text in FORM.items()}
