"""The part of an account's form that every channel over Twilio has."""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

SERVICE = re.compile(r"MG[0-9a-f]{32}")
ACCOUNT = re.compile(r"AC[0-9a-f]{32}")


class TwilioSettings(BaseModel):
    """Account, token, and what signs the webhooks."""

    model_config = ConfigDict(extra="ignore")

    account_sid: str = Field(
        title="Account SID",
        description="In the Twilio console, on the first page: begins with AC.",
    )
    auth_token: SecretStr = Field(
        title="Auth token",
        description="Beside it. Twilio signs with it what it sends to the hub.",
    )
    sender: str = Field(
        default="",
        title="Sender",
        description="Your number, as +15551234567. Empty with a messaging service.",
    )
    messaging_service: str = Field(
        default="",
        title="Messaging service",
        description="SID of a pool of senders: begins with MG. Empty: the sender above.",
    )
    previous_token: SecretStr = Field(
        default=SecretStr(""),
        title="Previous auth token",
        description="While the token is being changed: webhooks signed with the old one count too.",
        json_schema_extra={"advanced": True},
    )
    webhook_key: SecretStr = Field(
        default=SecretStr(""),
        title="Shared key of webhooks",
        description="Only where your webhooks are signed with HMAC-SHA256 and a key of their own.",
        json_schema_extra={"advanced": True},
    )
    api_url: str = Field(
        default="",
        title="Address of the API",
        description="Another host in the place of Twilio's, a relay of yours. Empty: Twilio.",
        json_schema_extra={"advanced": True},
    )

    @field_validator("account_sid")
    @classmethod
    def _is_account(cls, value: str) -> str:
        value = value.strip()
        if not ACCOUNT.fullmatch(value):
            raise ValueError("an account SID is AC and 32 hexadecimal digits")
        return value

    @field_validator("auth_token", "previous_token", "webhook_key")
    @classmethod
    def _is_trimmed(cls, value: SecretStr) -> SecretStr:
        return SecretStr(value.get_secret_value().strip())

    @field_validator("messaging_service")
    @classmethod
    def _is_service(cls, value: str) -> str:
        value = value.strip()
        if value and not SERVICE.fullmatch(value):
            raise ValueError("a messaging service SID is MG and 32 hexadecimal digits")
        return value

    @field_validator("api_url")
    @classmethod
    def _is_url(cls, value: str) -> str:
        value = value.strip().rstrip("/")
        if value and not re.fullmatch(r"https?://[^\s/]+(/[^\s]*)?", value):
            raise ValueError("an address starts with https://")
        return value

    @model_validator(mode="after")
    def _can_send(self) -> TwilioSettings:
        if not self.auth_token.get_secret_value():
            raise ValueError("the auth token is missing")
        if not self.sender and not self.messaging_service:
            raise ValueError("give a sender or a messaging service")
        return self
