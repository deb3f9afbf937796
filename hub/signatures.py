"""Signatures of webhooks in both directions, as the Standard Webhooks specification says.

A request carries `webhook-id`, `webhook-timestamp` (seconds) and `webhook-signature`: one or more
`v1,<base64>` separated by spaces, each an HMAC-SHA256 over `<id>.<timestamp>.<body>`. A secret
that starts with `whsec_` is base64 behind that prefix; any other is taken as it is.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable

PREFIX = "whsec_"


def new_webhook_secret() -> str:
    """Make a secret of 256 bits."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def webhook_key(secret: str) -> bytes:
    """Give the bytes of a secret; raises ValueError where it is not what its prefix says."""
    if not secret.startswith(PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError(f"the secret behind {PREFIX} is not base64") from error


def sign_webhook(secret: str, webhook_id: str, timestamp: int, body: bytes) -> str:
    """Give the value of `webhook-signature` for a body."""
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    digest = hmac.new(webhook_key(secret), signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def is_signed(
    signature: str, keys: Iterable[str], webhook_id: str, timestamp: int, body: bytes
) -> bool:
    """Say whether any of the signatures was made with any of the secrets, in constant time."""
    given = [one for one in signature.split() if one.startswith("v1,")]
    wanted = [sign_webhook(key, webhook_id, timestamp, body) for key in keys if key]
    # Every pair is compared, so that the time tells nothing about which one fits.
    fits = [hmac.compare_digest(one.encode(), other.encode()) for one in given for other in wanted]
    return any(fits)
