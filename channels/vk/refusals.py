"""What VK's error numbers mean for a message: try again, wait, mend the account, or give up.

The numbers and their words are those of VK's published schema (errors.json, version 5.199).
A number that is not listed is final: the agent sees VK's own words and may send again.
"""

from __future__ import annotations

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
    6: timedelta(seconds=1),  # too many requests per second
    9: timedelta(minutes=1),  # flood control: too many similar actions
    14: timedelta(minutes=10),  # captcha: nobody can type it here, it goes away by itself
    29: timedelta(minutes=30),  # rate limit reached: the day's quota of a method
    32: timedelta(seconds=10),  # need wait
    43: timedelta(minutes=5),  # section temporarily unavailable
    601: timedelta(hours=1),  # too many actions this day
    944: timedelta(hours=1),  # enough of this kind of message (`intent`) for now
    1105: timedelta(minutes=5),  # too many authorisation attempts
    3300: timedelta(minutes=10),  # recaptcha
}
"""The provider asks for patience; nothing was done."""

UNCLEAR = frozenset(
    {
        1,  # unknown error
        10,  # internal server error
        13,  # runtime error
        36,  # interrupted by a time limit
    }
)
"""VK failed on its own side; whether it did what was asked is not known."""

ACCOUNT = frozenset(
    {
        2,  # application disabled
        5,  # authorisation failed: the token was revoked
        16,  # HTTPS needed
        17,  # validation required
        23,  # method disabled
        24,  # confirmation required
        25,  # token confirmation required
        27,  # community authorisation failed
        28,  # application authorisation failed
        34,  # version deprecated
        42,  # this network address is not allowed
        1117,  # token expired
        3609,  # token has to be extended
    }
)
"""The account is broken, not the message: it waits until somebody has mended the account."""

FINAL = {
    18: RejectReason.INVALID_ADDRESS,  # user deleted or banned
    30: RejectReason.BLOCKED,  # private profile
    37: RejectReason.BLOCKED,  # user banned
    39: RejectReason.INVALID_ADDRESS,  # unknown user
    113: RejectReason.INVALID_ADDRESS,  # invalid user id
    900: RejectReason.BLOCKED,  # the community's black list
    901: RejectReason.BLOCKED,  # the person has not allowed messages
    902: RejectReason.BLOCKED,  # the person's privacy settings
    909: RejectReason.WINDOW_CLOSED,  # too old to be edited
    910: RejectReason.TOO_LARGE,  # message too big
    913: RejectReason.TOO_LARGE,  # too many forwarded messages
    914: RejectReason.TOO_LARGE,  # message too long
    917: RejectReason.BLOCKED,  # no access to this chat
    922: RejectReason.BLOCKED,  # we left this chat
    925: RejectReason.BLOCKED,  # not an administrator of this chat
    927: RejectReason.INVALID_ADDRESS,  # chat does not exist
    932: RejectReason.BLOCKED,  # the community cannot interact with this peer
    935: RejectReason.INVALID_ADDRESS,  # user not found in chat
    936: RejectReason.INVALID_ADDRESS,  # contact not found
    943: RejectReason.BLOCKED,  # this kind of message (`intent`) may not be sent to the person
    945: RejectReason.BLOCKED,  # chat disabled
    946: RejectReason.INVALID_ADDRESS,  # chat not supported
    950: RejectReason.WINDOW_CLOSED,  # reply timed out
    962: RejectReason.BLOCKED,  # needs a subscription of the donut chat
    985: RejectReason.BLOCKED,  # notifications-only community
    987: RejectReason.BLOCKED,  # a message request is needed
    988: RejectReason.BLOCKED,  # a message request is pending
    1012: RejectReason.BLOCKED,  # writing is disabled for this chat
    3610: RejectReason.INVALID_ADDRESS,  # user deactivated
}


def refusal(code: int, words: str) -> HubError:
    """Give what to raise for an error of VK; `words` are VK's own."""
    text = f"VK {code}: {words}"[:400]
    if code in WAIT:
        return TemporaryFailure(text, retry_after=WAIT[code])
    if code in UNCLEAR:
        return OutcomeUnknown(text)
    if code in ACCOUNT:
        return AccountRefused(text)
    return PermanentFailure(FINAL.get(code, RejectReason.PROVIDER_ERROR), text)
