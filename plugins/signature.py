"""Signatures: what stands under an answer on channels that write letters.

The agent's own signature comes first, then the account's. An automatic message carries only
the account's, since no person wrote it.
"""

from __future__ import annotations

from dataclasses import replace

from hub import OutboundFacts, OutboundMessage, OutboundTransform, hookimpl

MARK = "-- "
"""The line before a signature (RFC 3676 section 4.3): readers fold what follows."""


def sign(message: OutboundMessage, facts: OutboundFacts) -> OutboundMessage:
    """Put the signatures under the text and the HTML."""
    if not facts.letters:
        return message
    own = "" if message.automated or facts.author is None else facts.author.signature
    lines = [one.strip() for one in (own, facts.account.signature) if one.strip()]
    if not lines:
        return message
    signature = "\n".join(lines)
    text = f"{message.text.rstrip()}\n\n{MARK}\n{signature}" if message.text else signature
    html = message.html
    if html:
        html = f'{html}<div class="signature">-- <br>{_as_html(signature)}</div>'
    return replace(message, text=text, html=html)


def _as_html(text: str) -> str:
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return safe.replace("\n", "<br>")


@hookimpl
def register_transforms() -> list[OutboundTransform]:
    """One step, after whatever fills in variables."""
    return [OutboundTransform(name="signature", order=800, apply=sign)]
