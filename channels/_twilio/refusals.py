"""What Twilio's answers mean for a message: try again, mend the account, or give up.

The numbers are those of Twilio's error dictionary. A number that is not listed is final: the
agent sees Twilio's own words.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta

from hub import (
    AccountRefused,
    HubError,
    OutcomeUnknown,
    PermanentFailure,
    RejectReason,
    TemporaryFailure,
)

WAIT = {
    14107: timedelta(seconds=5),  # rate limit of sends exceeded
    20429: timedelta(seconds=1),  # too many requests
    20503: timedelta(seconds=30),  # service unavailable
    21611: timedelta(minutes=1),  # the sender's queue is full
    30001: timedelta(minutes=1),  # queue overflow
    30022: timedelta(minutes=1),  # the carrier's rate limit of the sender
    63018: timedelta(seconds=10),  # rate limit of the channel
    63038: timedelta(hours=1),  # daily number of messages reached
}
"""Nothing was sent; later it can be."""

ACCOUNT = frozenset(
    {
        20003,  # authentication failed
        20005,  # account not active
        20006,  # access denied
        20007,  # account suspended
        20008,  # test credentials
        21212,  # invalid sender
        21603,  # a sender is needed
        21606,  # the sender is not ours or sends no messages
        21659,  # the sender is not a number of ours
        21660,  # the sender belongs to another account
        21701,  # the messaging service is gone
        21703,  # the messaging service has no senders
        21704,  # the messaging service holds no number that fits
        30002,  # account suspended
        63007,  # no such sender of the channel
    }
)
"""The account is broken, not the message: it waits until somebody has mended the account."""

FINAL = {
    21211: RejectReason.INVALID_ADDRESS,  # not a number
    21214: RejectReason.INVALID_ADDRESS,  # cannot be reached
    21217: RejectReason.INVALID_ADDRESS,  # not a number
    21265: RejectReason.INVALID_ADDRESS,  # a short code
    21266: RejectReason.INVALID_ADDRESS,  # the sender himself
    21408: RejectReason.OTHER,  # messages to this country are not switched on
    21610: RejectReason.UNSUBSCRIBED,  # the person wrote STOP
    21612: RejectReason.INVALID_ADDRESS,  # no way from this sender to this number
    21614: RejectReason.INVALID_ADDRESS,  # not a mobile number
    21617: RejectReason.TOO_LARGE,  # the body is too long
    21623: RejectReason.TOO_LARGE,  # too many files
    30003: RejectReason.OTHER,  # the handset is off or away
    30004: RejectReason.BLOCKED,  # the person or the carrier blocks it
    30005: RejectReason.INVALID_ADDRESS,  # unknown number
    30006: RejectReason.INVALID_ADDRESS,  # landline, or a carrier that cannot be reached
    30007: RejectReason.SPAM,  # filtered by the carrier
    30008: RejectReason.PROVIDER_ERROR,  # unknown
    30011: RejectReason.PROVIDER_ERROR,  # the carrier takes no files
    30019: RejectReason.TOO_LARGE,  # a file is too large for the carrier
    30036: RejectReason.EXPIRED,  # its validity ended in the queue
    30410: RejectReason.PROVIDER_ERROR,  # the carrier did not answer
    63003: RejectReason.INVALID_ADDRESS,  # nobody by this address
    63005: RejectReason.PROVIDER_ERROR,  # the channel refused the content
    63013: RejectReason.SPAM,  # against the channel's policy
    63015: RejectReason.INVALID_ADDRESS,  # has not joined the sandbox
    63016: RejectReason.WINDOW_CLOSED,  # outside the window: only a template
    63019: RejectReason.PROVIDER_ERROR,  # a file could not be fetched
    63024: RejectReason.INVALID_ADDRESS,  # invalid recipient
    63032: RejectReason.BLOCKED,  # limited by the vendor's experiment
    63049: RejectReason.SPAM,  # the vendor held the advertising back
}


def reason_of(code: int) -> RejectReason:
    """Say why a message was refused, in the hub's closed list."""
    return FINAL.get(code, RejectReason.PROVIDER_ERROR)


def refusal(status: int, body: str, headers: Mapping[str, str], *, asked: bool) -> HubError:
    """Give the error of an answer of 400 and above; `asked` where nothing was to be changed.

    A gateway's page is no word of Twilio's: whether the message was taken is then not known.
    """
    code, words = _told(body)
    text = f"Twilio {code or status}: {words or 'no reason given'}"[:400]
    retry_after = _seconds(headers)
    if status == 429 or code in WAIT:
        return TemporaryFailure(text, retry_after=retry_after or WAIT.get(code, WAIT[20429]))
    if status == 503 and retry_after is not None:
        return TemporaryFailure(text, retry_after=retry_after)
    if status >= 500:
        return TemporaryFailure(text) if asked else OutcomeUnknown(text)
    # A refusal of this one message is not the account's, whatever status it comes with.
    if code in ACCOUNT or (status in (401, 403) and code not in FINAL):
        return AccountRefused(text)
    if status == 404 and not asked and code in (0, 20404):
        # The address we post to holds nothing but the account.
        return AccountRefused(text)
    return PermanentFailure(reason_of(code), text)


def _told(body: str) -> tuple[int, str]:
    """Give code and words, whether told in Twilio's old form or that of RFC 9457."""
    try:
        found = json.loads(body)
    except ValueError:
        return 0, ""
    if not isinstance(found, dict):
        return 0, ""
    code = found.get("code")
    words = found.get("message") or found.get("detail") or found.get("title") or ""
    return int(str(code)) if str(code).isdecimal() else 0, str(words)


def _seconds(headers: Mapping[str, str]) -> timedelta | None:
    """Read Retry-After in its seconds form (RFC 9110 10.2.3)."""
    value = headers.get("retry-after", "").strip()
    return timedelta(seconds=min(int(value), 86_400)) if value.isdecimal() else None
