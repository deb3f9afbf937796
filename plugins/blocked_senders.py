"""Blocked senders: a message from a blocked address is dropped, on record and with the reason."""

from __future__ import annotations

from hub import Screening, Verdict, VerdictKind, hookimpl


@hookimpl
def screen_inbound(screening: Screening) -> Verdict | None:
    """Drop what comes from somebody an agent has blocked."""
    if not screening.blocked:
        return None
    return Verdict(kind=VerdictKind.DROP, reason=f"the sender is blocked: {screening.blocked}")
