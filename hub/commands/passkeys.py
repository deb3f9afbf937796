"""Commands about passkeys: the keys on devices of colleagues by which they sign in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from hub.commands.base import Command
from hub.ids import PasskeyId


@dataclass(frozen=True, slots=True, kw_only=True)
class AddPasskey(Command):
    """Keep a passkey of one's own, whose making was verified before. Gives the id.

    Raises Conflict `known` where the key is kept already, `too_many` beyond twenty.
    """

    permission: ClassVar[str] = "profile.edit"

    name: str
    domain: str
    credential: str = field(repr=False)
    public_key: str = field(repr=False)
    sign_count: int = 0
    transports: tuple[str, ...] = ()
    synced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RenamePasskey(Command):
    """Give a passkey of one's own another name."""

    permission: ClassVar[str] = "profile.edit"

    passkey_id: PasskeyId
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovePasskey(Command):
    """Forget a passkey: one's own, or a colleague's by whoever manages colleagues.

    Raises Conflict `last_way_in` where its owner has no password and no other passkey.
    """

    permission: ClassVar[str] = "profile.edit"

    passkey_id: PasskeyId


@dataclass(frozen=True, slots=True, kw_only=True)
class UsePasskey(Command):
    """The hub's own: somebody signs in with a passkey, whose signature was verified before.

    `sign_count` is what the device has counted. Raises Conflict `copied` where the count did not
    grow: then there are two of that key (WebAuthn Level 3, 6.1.1).
    """

    passkey_id: PasskeyId
    sign_count: int
