"""What an administrator sets for one number of the WhatsApp Cloud API."""

from __future__ import annotations

import re
import secrets

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator


def _new_token() -> SecretStr:
    return SecretStr(secrets.token_urlsafe(24))


class CloudSettings(BaseModel):
    """The form of an account."""

    model_config = ConfigDict(extra="ignore")

    phone_number_id: str = Field(
        title="Phone number ID",
        description="In the app's WhatsApp settings at Meta, under API setup.",
    )
    business_account_id: str = Field(
        title="WhatsApp business account ID",
        description="Beside it. Templates belong to it.",
    )
    access_token: SecretStr = Field(
        title="Access token",
        description="A permanent one of a system user, who may manage WhatsApp and its messages.",
    )
    app_secret: SecretStr = Field(
        title="App secret",
        description="In the app's basic settings. Meta signs with it what it sends to the hub.",
    )
    previous_app_secret: SecretStr = Field(
        default=SecretStr(""),
        title="Previous app secret",
        description="While the secret is being changed: what is signed with the old one counts too.",
        json_schema_extra={"advanced": True},
    )
    verify_token: SecretStr = Field(
        default_factory=_new_token,
        title="Verify token",
        description="Made by the hub. Only where you enter the webhook at Meta by hand.",
        json_schema_extra={"generated": True, "advanced": True},
    )
    set_webhook: bool = Field(
        default=True,
        title="Set the webhook at Meta",
        description="The hub enters its own address for this number and subscribes to its events.",
        json_schema_extra={"advanced": True},
    )
    api_url: str = Field(
        default="https://graph.facebook.com",
        title="Address of the API",
        description="Another host in the place of Meta's, a relay of yours.",
        json_schema_extra={"advanced": True},
    )
    api_version: str = Field(
        default="v23.0",
        pattern=r"^v[0-9]+\.[0-9]+$",
        title="Version of the API",
        json_schema_extra={"advanced": True},
    )

    @field_validator("phone_number_id", "business_account_id")
    @classmethod
    def _is_id(cls, value: str) -> str:
        value = value.strip()
        if not re.fullmatch(r"\d{5,25}", value):
            raise ValueError("an ID of Meta's is a number of digits, not a telephone number")
        return value

    @field_validator("access_token", "app_secret")
    @classmethod
    def _is_given(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value().strip()
        if not text or any(one.isspace() for one in text):
            raise ValueError("this is missing, or holds a space")
        return SecretStr(text)

    @field_validator("api_url")
    @classmethod
    def _is_url(cls, value: str) -> str:
        value = value.strip().rstrip("/")
        if not re.fullmatch(r"https?://[^\s/]+(/[^\s]*)?", value):
            raise ValueError("an address starts with https://")
        return value
