"""A push channel for tests: its settings have every kind of field, its requests are signed."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum
from types import ModuleType
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, Field, SecretStr, field_validator

from hub import (
    Address,
    Arrival,
    Capabilities,
    Channel,
    Check,
    InboundMessage,
    Micros,
    OutboundMessage,
    PermanentFailure,
    Sent,
    WebhookAnswer,
    WebhookRequest,
    hookimpl,
)

KEY = "the-signing-key"


class Breed(StrEnum):
    """How pigeons differ."""

    HOMING = "homing"
    RACING = "racing"


class PigeonSettings(BaseModel):
    """One field of every kind that a channel may ask for."""

    loft: str = Field(title="Loft", description="Where they live", min_length=2)
    notes: str = Field(default="", title="Notes", json_schema_extra={"multiline": True})
    port: int = Field(default=25, ge=1, le=65535, title="Port")
    speed: float = Field(default=1.5, title="Speed")
    rings: bool = Field(default=True, title="Rings")
    weather: Literal["any", "dry"] = Field(default="any", title="Weather")
    breed: Breed = Field(default=Breed.HOMING, title="Breed")
    cities: list[str] = Field(default_factory=list, title="Cities")
    rest: timedelta = Field(default=timedelta(seconds=60), title="Rest")
    color: str = Field(default="#102030", pattern=r"^#[0-9a-f]{6}$", title="Colour")
    nickname: str | None = Field(default=None, title="Nickname")
    age: int | None = Field(default=None, title="Age")
    signing_key: SecretStr = Field(title="Signing key", min_length=8)
    spare_key: SecretStr = Field(
        default_factory=lambda: SecretStr(secrets.token_hex(16)),
        title="Spare key",
        json_schema_extra={"generated": True},
    )

    @field_validator("loft")
    @classmethod
    def _no_cats(cls, value: str) -> str:
        if "cat" in value:
            raise ValueError("no cats in a loft")
        return value


class PigeonChannel(Channel):
    """Letters by pigeon."""

    name: ClassVar[str] = "pigeon"
    title: ClassVar[str] = "Pigeon post"
    capabilities: ClassVar[Capabilities] = Capabilities(
        address_kind="pigeon", max_text=500, rate_per_second=1000, initiates=True
    )
    Settings: ClassVar[type[BaseModel]] = PigeonSettings

    async def check(self) -> list[Check]:
        """The loft answers unless it is on fire."""
        assert isinstance(self.settings, PigeonSettings)
        burns = "fire" in self.settings.loft
        if self.settings.loft == "nowhere":
            raise PermanentFailure(text="there is no such loft")
        key = self.settings.signing_key.get_secret_value()
        return [
            Check(name="loft", ok=not burns, text="on fire" if burns else ""),
            Check(name="key", ok=bool(key), text=f"{len(key)} letters"),
        ]

    async def send(self, message: OutboundMessage) -> Sent:
        """They always arrive."""
        return Sent(external_ids=(message.idempotency_key,))

    def parse(self, request: WebhookRequest) -> Iterable[Arrival] | WebhookAnswer:
        """Read a signed letter."""
        assert isinstance(self.settings, PigeonSettings)
        if "challenge" in request.query:
            return WebhookAnswer(body=request.query["challenge"].encode())
        request.verify_hmac(
            request.headers.get("x-pigeon", ""), self.settings.signing_key.get_secret_value()
        )
        data: Any = request.json()
        return [
            InboundMessage(
                dedupe_key=data["id"],
                external_id=data["id"],
                sender=Address(kind="pigeon", value=data["from"], name=data["from"]),
                text=data["text"],
                sent_at=request.received_at or Micros(1),
            )
        ]


class StreetPigeonChannel(PigeonChannel):
    """The same, called by browsers of any site, a few times a minute."""

    name: ClassVar[str] = "street_pigeon"
    browsers: ClassVar[bool] = True
    calls_per_minute: ClassVar[int] = 3


class OwlChannel(PigeonChannel):
    """A channel without a webhook."""

    name: ClassVar[str] = "owl"
    parse = Channel.parse


def plugin() -> ModuleType:
    """A plugin that brings the channels."""

    @hookimpl
    def register_channels() -> list[type[Channel]]:
        return [PigeonChannel, StreetPigeonChannel, OwlChannel]

    module = ModuleType("pigeons")
    module.register_channels = register_channels  # type: ignore[attr-defined]
    return module


SETTINGS = {"loft": "Attic", "signing_key": KEY}


def letter(number: str, text: str = "coo", key: str = KEY) -> tuple[bytes, dict[str, str]]:
    """A letter's body, and its headers with the signature."""
    body = json.dumps({"id": number, "from": "bird-1", "text": text}).encode()
    return body, signed(body, key)


def signed(body: bytes, key: str = KEY) -> dict[str, str]:
    """The headers of a body."""
    return {
        "x-pigeon": hmac.new(key.encode(), body, hashlib.sha256).hexdigest(),
        "content-type": "application/json",
    }
