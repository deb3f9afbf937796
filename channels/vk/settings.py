"""What an administrator sets for one VK community."""

from __future__ import annotations

import re
import secrets
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

API_URL = "https://api.vk.ru"

Intent = Literal[
    "default",
    "promo_newsletter",
    "non_promo_newsletter",
    "moderated_newsletter",
    "confirmed_notification",
    "account_update",
    "purchase_update",
    "finance_notification",
]
"""What a message to many may be declared as (`intent` of messages.send, VK's schema 5.199)."""


def _new_secret() -> SecretStr:
    # VK takes letters and digits, fifty at most.
    return SecretStr(secrets.token_hex(20))


class VkSettings(BaseModel):
    """The form of an account."""

    model_config = ConfigDict(extra="ignore")

    token: SecretStr = Field(
        title="Community token",
        description="Community: Management, API usage, Access tokens. Allow messages, photos, "
        "files and management of the community.",
    )
    receive: Literal["auto", "callback", "polling"] = Field(
        default="auto",
        title="How messages come in",
        description="auto: VK calls this hub where it has a public https address (callback), "
        "else the hub asks VK (polling).",
    )
    callback_secret: SecretStr = Field(
        default_factory=_new_secret,
        title="Secret of the callback",
        description="Made by the hub. VK sends it with every event.",
        json_schema_extra={"generated": True},
    )
    confirmation_code: str = Field(
        default="",
        max_length=64,
        title="Confirmation code",
        description="Only where the token may not manage the community: the string that VK "
        "shows beside the address of the callback server.",
        json_schema_extra={"advanced": True},
    )
    advertising_intent: Intent = Field(
        default="default",
        title="What mailings are declared as",
        description="Which kind of message VK is told that advertising is; some kinds need VK's "
        "leave for the community, or the person's. default: nothing is declared.",
        json_schema_extra={"advanced": True},
    )
    service_intent: Intent = Field(
        default="default",
        title="What service mailings are declared as",
        description="The same for mailings that carry no advertising.",
        json_schema_extra={"advanced": True},
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
        if len(token) < 20 or any(one.isspace() for one in token):
            raise ValueError("this is not a token of a community")
        return SecretStr(token)

    @field_validator("confirmation_code")
    @classmethod
    def _plain_code(cls, value: str) -> str:
        return value.strip()

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
