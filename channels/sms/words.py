"""The words by which a person stops and starts messages to his number.

Twilio's own list (it acts on them by itself), and what people write in Russian. A word counts
only when it is the whole message.
"""

from __future__ import annotations

from hub import PeerChange

STOP = frozenset(
    [
        "stop",
        "stopall",
        "unsubscribe",
        "cancel",
        "end",
        "quit",
        "revoke",
        "optout",
        "стоп",
        "отписка",
        "отписаться",
        "отпишите",
    ]
)
START = frozenset(["start", "unstop", "yes", "старт", "подписка", "подписаться"])
_AROUND = " \t\r\n.,!?;:\"'«»()"


def change_of(text: str, opt_out_type: str = "") -> PeerChange | None:
    """Say what a message changes; `opt_out_type` is what Twilio itself understood.

    HELP is answered by Twilio and changes nothing.
    """
    word = opt_out_type.strip().casefold() or text.strip(_AROUND).casefold()
    if word in STOP:
        return PeerChange.BLOCKED
    return PeerChange.ALLOWED if word in START else None
