"""What Meta's error numbers mean for a message: try again, mend the account, or give up.

The numbers are those of the Cloud API's error codes page. One that is not listed is final: the
agent sees Meta's own words. The same numbers come with a refused request and with a status.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from hub import (
    AccountRefused,
    HubError,
    OutcomeUnknown,
    PermanentFailure,
    RejectReason,
    TemporaryFailure,
)

WAIT = {
    1: timedelta(seconds=10),  # unknown on Meta's side
    2: timedelta(seconds=30),  # service down
    4: timedelta(minutes=1),  # the app's rate limit
    80007: timedelta(minutes=1),  # the business account's rate limit
    130429: timedelta(seconds=5),  # throughput of the number
    131000: timedelta(seconds=10),  # something went wrong
    131016: timedelta(seconds=30),  # service overloaded
    131048: timedelta(hours=1),  # too many were blocked or reported: the number is held back
    131056: timedelta(seconds=10),  # too many to this one person
    131057: timedelta(minutes=5),  # the account is in maintenance
    133004: timedelta(seconds=30),  # server not available
}
"""Nothing was sent; later it can be."""

ACCOUNT = frozenset(
    {
        *(0, 3, 10, 190),  # the token is wrong, revoked, or may not do this
        368,  # blocked for a policy violation
        130497,  # may not write to this country
        131005,  # access denied
        131031,  # locked
        131042,  # payment
        131045,  # the number is not registered
        133010,  # the number is not registered
    }
)
"""The account is broken, not the message: it waits until somebody has mended the account."""

FINAL = {
    470: RejectReason.WINDOW_CLOSED,  # the older number of 131047
    130472: RejectReason.OTHER,  # the person is part of an experiment of Meta's
    131021: RejectReason.INVALID_ADDRESS,  # to ourselves
    131026: RejectReason.INVALID_ADDRESS,  # cannot be delivered: no WhatsApp, or terms not accepted
    131030: RejectReason.INVALID_ADDRESS,  # not on the list of a test number
    131047: RejectReason.WINDOW_CLOSED,  # more than 24 hours since the person wrote
    131049: RejectReason.SPAM,  # Meta holds advertising back
    131050: RejectReason.UNSUBSCRIBED,  # the person wants no advertising
    131052: RejectReason.PROVIDER_ERROR,  # a file could not be fetched
    131053: RejectReason.PROVIDER_ERROR,  # a file of a wrong kind
    131062: RejectReason.INVALID_ADDRESS,  # this template needs a number, not an id
    132000: RejectReason.PROVIDER_ERROR,  # wrong number of variables
    132001: RejectReason.PROVIDER_ERROR,  # no such template in this language
    132005: RejectReason.TOO_LARGE,  # the filled template is too long
    132007: RejectReason.SPAM,  # the template is against the policy
    132012: RejectReason.PROVIDER_ERROR,  # a variable of a wrong form
    132015: RejectReason.PROVIDER_ERROR,  # the template is paused
    132016: RejectReason.PROVIDER_ERROR,  # the template is disabled
}


def reason_of(code: int) -> RejectReason:
    """Say why a message was refused, in the hub's closed list."""
    return FINAL.get(code, RejectReason.PROVIDER_ERROR)


def words_of(error: Mapping[str, Any]) -> str:
    """Give an error's number and Meta's words for it."""
    data = error.get("error_data")
    details = data.get("details") if isinstance(data, dict) else ""
    words = details or error.get("message") or error.get("title") or "no reason given"
    return f"WhatsApp {number_of(error)}: {words}"[:400]


def number_of(error: Mapping[str, Any]) -> int:
    """Give an error's number, 0 where it has none."""
    code = error.get("code")
    return int(str(code)) if str(code).isdecimal() else 0


def refusal(status: int, body: str, headers: Mapping[str, str], *, asked: bool) -> HubError:
    """Give the error of an answer of 400 and above; `asked` where nothing was to be sent.

    A gateway's page is no word of Meta's: whether the message was taken is then not known.
    """
    error = _told(body)
    wait = headers.get("retry-after", "").strip()
    retry_after = timedelta(seconds=min(int(wait), 86_400)) if wait.isdecimal() else None
    if error is None:
        text = f"Meta answered {status} without a reason"
        if status == 429 or (status == 503 and retry_after is not None):
            return TemporaryFailure(text, retry_after=retry_after or WAIT[130429])
        if status >= 500:
            return TemporaryFailure(text) if asked else OutcomeUnknown(text)
        return AccountRefused(text) if status in (401, 403) else PermanentFailure(text=text)
    code, text = number_of(error), words_of(error)
    if status == 429 or code in WAIT or error.get("is_transient") is True:
        return TemporaryFailure(text, retry_after=retry_after or WAIT.get(code))
    if code in ACCOUNT or 200 <= code < 300 or status == 401:
        return AccountRefused(text)
    return PermanentFailure(reason_of(code), text)


def _told(body: str) -> Mapping[str, Any] | None:
    try:
        found = json.loads(body)
    except ValueError:
        return None
    error = found.get("error") if isinstance(found, dict) else None
    return error if isinstance(error, dict) else None
