"""Shapes of Web Push: one's own devices, never with what would let one call them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from hub.shapes import Body, Id, Instant, Shape, Word

Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_\-]{1,200}={0,2}$")]


class PushDevice(Shape):
    """A browser or a program that is called when there is a notice to you."""

    id: Id
    name: str = Field(examples=["Chrome, Android"])
    active: bool = Field(description="False: it is left in peace.")
    is_this: bool = Field(description="It came with the login or token of this very request.")
    created_at: Instant
    pushed_at: Instant = Field(description="When its push service last took a notice.")
    last_error: str


class PushState(Shape):
    """What a browser needs in order to subscribe, and your devices."""

    public_key: str = Field(description="`applicationServerKey` of a subscription, base64url.")
    devices: list[PushDevice]


class PushKeys(Body):
    """A subscription's keys, base64url."""

    p256dh: Key
    auth: Key


class AddPushDevice(Body):
    """A subscription, as `PushSubscription.toJSON()` gives it."""

    endpoint: str = Field(min_length=1, max_length=2000, examples=["https://push.example/send/x"])
    keys: PushKeys
    name: Word = Field(default="", description="Empty: that of the browser.")


class SwitchPushDevice(Body):
    """Whether it is called."""

    active: bool


class PushTest(Shape):
    """What the push service answered."""

    ok: bool
    code: int = Field(description="Its HTTP status; 0: no answer.")
    error: str
