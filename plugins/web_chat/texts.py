"""The widget's own words, in the visitor's language, from this plugin's catalogue."""

from __future__ import annotations

from hub import translator_of

translator = translator_of(__package__)
"""Looks texts up in this plugin's catalogue: called with a language."""


def _(text: str) -> str:
    """Mark a text for the catalogue; it is looked up when the language is known."""
    return text


WIDGET = {
    "title": _("Chat with us"),
    "open": _("Open the chat"),
    "close": _("Close the chat"),
    "greeting": _("Hello! How can we help you?"),
    "away": _("We are away now. Leave a message: the answer will wait for you here."),
    "away_ask": _("We are away now. Leave your e-mail, so that we do not lose you."),
    "before": _("Before we start"),
    "messages": _("Messages"),
    "write": _("Write a message"),
    "send": _("Send"),
    "cancel": _("Cancel"),
    "attach": _("Attach a file"),
    "remove": _("Remove"),
    "name": _("Your name"),
    "email": _("E-mail"),
    "more": _("Read more"),
    "you": _("You"),
    "agent": _("Answer"),
    "sending": _("Sending…"),
    "waiting": _("Waiting for the network"),
    "sent": _("Sent"),
    "seen": _("Seen"),
    "not_sent": _("Not sent: tap to retry"),
    "refused_large": _("Not sent: the file is too large"),
    "file_lost": _("Not sent: attach the file again"),
    "file_wait": _("The file is on its way"),
    "too_large": _("{name} is larger than {max}"),
    "too_many": _("At most {count} files at once"),
    "typing": _("{name} is typing"),
    "unread": _("{count} unread"),
    "reconnecting": _("Reconnecting…"),
    "older": _("Show earlier messages"),
    "sound_on": _("Turn the sound on"),
    "sound_off": _("Turn the sound off"),
    "bad_email": _("Please check the e-mail address"),
    "slow": _("Too many attempts. Please wait a minute."),
    "try_later": _("That did not work. Please try again."),
}


def language_of(asked: str, fixed: str = "auto") -> str:
    """The language to speak: the account's choice, else the page's, else English."""
    wanted = asked if fixed == "auto" else fixed
    return "ru" if wanted.lower().startswith("ru") else "en"


def widget_texts(language: str) -> dict[str, str]:
    """Every text of the widget in one language."""
    translate = translator(language)
    return {key: translate(text) for key, text in WIDGET.items()}
