"""What an administrator sets for one Telegram bot."""

from __future__ import annotations

import hashlib
import hmac
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr, field_validator


class TelegramSettings(BaseModel):
    """One bot of Telegram's."""

    token: SecretStr = Field(
        title="Token of the bot",
        description="@BotFather gives it for /newbot: 123456:ABC…",
    )
    receive: Literal["auto", "webhook", "polling"] = Field(
        default="auto",
        title="How messages arrive",
        description="auto: by webhook where the hub has a public https address, else by asking.",
    )
    api_url: str = Field(
        default="https://api.telegram.org",
        title="Bot API server",
        description="Another one for a Bot API server of your own.",
    )
    local_files: bool = Field(
        default=False,
        title="The server runs with --local",
        description="Files above 20 MB come in (read from this machine's disk) and above 50 MB go out.",
    )

    @field_validator("token")
    @classmethod
    def _is_token(cls, value: SecretStr) -> SecretStr:
        given = value.get_secret_value().strip()
        number, _, rest = given.partition(":")
        if not number.isdecimal() or len(rest) < 20 or any(one.isspace() for one in given):
            raise ValueError("this is not a bot's token: it looks like 123456:ABC…")
        return SecretStr(given)

    @field_validator("api_url")
    @classmethod
    def _is_server(cls, value: str) -> str:
        value = value.strip().rstrip("/")
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("this is not a web address")
        return value

    @property
    def bot_id(self) -> int:
        """The bot's own number: the part of the token before the colon."""
        return int(self.token.get_secret_value().partition(":")[0])

    @property
    def webhook_secret(self) -> str:
        """What Telegram repeats in every call of the webhook; made from the token, so that
        nobody has to think of one (setWebhook, `secret_token`: 1-256 of A-Z a-z 0-9 _ -)."""
        key = self.token.get_secret_value().encode()
        return hmac.new(key, b"secret of the webhook", hashlib.sha256).hexdigest()
