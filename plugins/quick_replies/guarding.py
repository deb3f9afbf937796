"""Nothing leaves while a placeholder still stands in it."""

from __future__ import annotations

from hub import VARIABLES, OutboundFacts, OutboundMessage, Reject, unfilled


def guard(message: OutboundMessage, facts: OutboundFacts) -> OutboundMessage:
    """Refuse a text with one of our placeholders in it; other braces are the author's."""
    standing = {*unfilled(message.text), *unfilled(message.html)}
    if any(name in VARIABLES or ".custom." in name for name in standing):
        raise Reject("a placeholder is not filled in yet: write what belongs there")
    return message
