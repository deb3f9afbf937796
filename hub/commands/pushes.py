"""Commands about Web Push: the hub's own key pair, and the browsers that may be called."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from hub.commands.base import Command
from hub.ids import PushDeviceId


@dataclass(frozen=True, slots=True, kw_only=True)
class SavePushKey(Command):
    """The hub's own: keep the key pair that push services know it by. Gives the public key that counts.

    It is made once: where there is one already, that one stays, unless it is the one named in
    `instead_of`, which cannot be read any more; the browsers that trusted it are forgotten.
    """

    public: str
    secret: str = field(repr=False)
    instead_of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddPushDevice(Command):
    """Let a browser of one's own be called; it ends with the login it was added by. Gives the id.

    `login` is the hash of the session or token, `endpoint_hash` that of the browser's address at
    its push service; address and keys are in `sealed`, encrypted.
    """

    permission: ClassVar[str] = "profile.edit"

    login: str = field(repr=False)
    endpoint_hash: str
    sealed: str = field(repr=False)
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchPushDevice(Command):
    """Call one of one's own browsers, or leave it in peace for a while."""

    permission: ClassVar[str] = "profile.edit"

    device_id: PushDeviceId
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovePushDevice(Command):
    """Forget one of one's own browsers."""

    permission: ClassVar[str] = "profile.edit"

    device_id: PushDeviceId
