"""What people call a plugin where it stands as the author of what it did."""

from __future__ import annotations

import re

from hub.web.i18n import translate


def _(text: str) -> str:
    return text


KNOWN = {
    "request_numbers": _("Number of the request"),
    "csat": _("Question for a mark"),
    "mailings": _("Mailings"),
    "web_form": _("Answer to a form"),
    "keyword_labels": _("Labels by words"),
    "crm_actions": _("Rules"),
    "quick_replies": _("Quick replies"),
    "demo_customer": _("Simulated customers"),
}
_NAME = re.compile(r"[a-z]+(_[a-z]+)+")


def plugin_word(language: str, name: str) -> str:
    """Give a plugin's name in words; a name that no plugin has, a person's for one, stays."""
    known = KNOWN.get(name)
    if known is None:
        return name.replace("_", " ").capitalize() if _NAME.fullmatch(name) else name
    return translate(language, known)
