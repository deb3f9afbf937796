"""One tree of errors; the name of each says what happens next.

Channels translate their vendor's errors into this tree once, at their own border. The core
never guesses: whatever else escapes `Channel.send` is treated as *unknown*.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum


class RejectReason(StrEnum):
    """Why a message was finally refused; a closed list, so that reports can count it.

    Two of them refuse nothing: who complained has got the message, and what is delayed is still
    being tried by the servers behind ours.
    """

    INVALID_ADDRESS = "invalid_address"
    BLOCKED = "blocked"
    UNSUBSCRIBED = "unsubscribed"
    COMPLAINED = "complained"
    OPERATOR_REFUSED = "operator_refused"
    SPAM = "spam"
    TOO_LARGE = "too_large"
    WINDOW_CLOSED = "window_closed"
    EXPIRED = "expired"
    DELAYED = "delayed"
    PROVIDER_ERROR = "provider_error"
    OTHER = "other"


class HubError(Exception):
    """Base of every error that Dialog Hub raises on purpose."""


class TemporaryFailure(HubError):
    """The provider cannot take it now: the delivery is tried again.

    `retry_after` is the provider's own word on when; without it the backoff decides.
    """

    def __init__(self, text: str = "", *, retry_after: timedelta | None = None) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class AccountRefused(TemporaryFailure):
    """The provider refuses the account itself (token revoked, unpaid): the account turns red.

    Deliveries wait, so that they leave once somebody has mended the account.
    """


class TooFast(TemporaryFailure):
    """Less is taken from us for now: what many get at the recipient's mail domain slows down."""


class Throttled(TemporaryFailure):
    """Our own limits do not let it go yet: nobody was called, so it is no try of the delivery."""


class PermanentFailure(HubError):
    """The provider will never take this message: the delivery fails with a reason."""

    def __init__(self, reason: RejectReason = RejectReason.OTHER, text: str = "") -> None:
        super().__init__(text or reason.value)
        self.reason = reason
        self.text = text


class OutcomeUnknown(HubError):
    """The provider was called and its answer never learned: it may have taken the message.

    The delivery becomes *unknown*, or is tried again where the channel's capabilities promise
    that a repeat reaches the person once.
    """


class Unsupported(HubError):
    """The channel cannot express this feature; nothing was sent."""

    def __init__(self, feature: str, text: str = "") -> None:
        super().__init__(text or f"this channel does not support {feature}")
        self.feature = feature


class UntrustedRequest(HubError):
    """A webhook that is not signed, or not by the sender it names: answered 403."""


class MalformedPayload(HubError):
    """Bytes that cannot be understood: kept in quarantine so that they can be replayed."""


class Invalid(HubError):
    """The caller's input is wrong; `field` names the part to mend, answered 422."""

    def __init__(self, text: str, *, field: str = "") -> None:
        super().__init__(text)
        self.field = field


class Conflict(HubError):
    """The world moved on since the caller looked (409); `what` tells in which way."""

    def __init__(self, text: str, *, what: str = "changed", details: object = None) -> None:
        super().__init__(text)
        self.what = what
        self.details = details


class NotAllowed(HubError):
    """The actor may not do this (403)."""


class NotFound(HubError):
    """There is no such object, or the actor may not see it: the two are not told apart (404)."""


class PluginError(HubError):
    """A plugin could not be loaded or has a hook of the wrong shape; names the plugin."""

    def __init__(self, plugin: str, text: str) -> None:
        super().__init__(f"plugin {plugin}: {text}")
        self.plugin = plugin
