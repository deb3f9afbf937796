"""Passkeys of colleagues."""

from __future__ import annotations

from dataclasses import dataclass, field

from hub.ids import Micros, PasskeyId, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class Passkey:
    """A passkey (WebAuthn) by which a colleague signs in.

    `domain` is the RP id it was made for; `credential` and `public_key` (COSE) are base64url.
    `synced` says that it is on several devices of its owner.
    """

    id: PasskeyId
    user_id: UserId
    name: str
    domain: str
    credential: str = field(repr=False)
    public_key: str = field(repr=False)
    sign_count: int
    transports: tuple[str, ...]
    synced: bool
    created_at: Micros
    last_used_at: Micros
