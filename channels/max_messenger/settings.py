"""What an administrator sets for one MAX bot."""

from __future__ import annotations

import re
import secrets
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

API_URL = "https://platform-api2.max.ru"


def _new_secret() -> SecretStr:
    return SecretStr(secrets.token_hex(24))


class MaxSettings(BaseModel):
    """The form of an account."""

    model_config = ConfigDict(extra="ignore")

    token: SecretStr = Field(
        title="Bot token", description="MAX for partners: Chat bots, Integration, Token."
    )
    receive: Literal["auto", "webhook", "polling"] = Field(
        default="auto",
        title="How messages come in",
        description="auto: MAX calls this hub where it has a public https address (webhook), "
        "else the hub asks MAX (polling, for trials only).",
    )
    webhook_secret: SecretStr = Field(
        default_factory=_new_secret,
        title="Secret of the webhook",
        description="Made by the hub. MAX sends it with every event.",
        json_schema_extra={"generated": True},
    )
    api_url: str = Field(
        default=API_URL,
        title="Address of the API",
        description="Another one only behind a relay of your own.",
        json_schema_extra={"advanced": True},
    )

    @field_validator("token")
    @classmethod
    def _has_token(cls, value: SecretStr) -> SecretStr:
        token = value.get_secret_value().strip()
        if len(token) < 16 or any(one.isspace() for one in token):
            raise ValueError("this is not a token of a bot")
        return SecretStr(token)

    @field_validator("api_url")
    @classmethod
    def _is_address(cls, value: str) -> str:
        value = value.strip().rstrip("/")
        if not re.fullmatch(r"https?://[^\s/]+(/[^\s]*)?", value):
            raise ValueError("an address starts with https://")
        return value

    def has_own_host(self) -> bool:
        """Say whether the account is set to a relay or a test server."""
        return self.api_url != API_URL
