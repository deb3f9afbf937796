"""What became of a link that was looked at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCheck:
    """One address: `alive`, `dead`, or `unsure` where a server said nothing or hides from machines.

    `cause` says why it is not alive: gone (404, 410), host (no such host), private (not on the open
    internet), address (not a web address), refused (another status), silent (no answer in time).
    `code` is the HTTP status, 0 where there was none.
    """

    url: str
    state: str
    cause: str = ""
    code: int = 0
