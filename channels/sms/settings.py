"""What an administrator sets for one number, or one pool of numbers."""

from __future__ import annotations

import re

from pydantic import Field, field_validator

from channels._twilio.settings import TwilioSettings

SENDER = re.compile(r"\+[1-9]\d{6,14}|\d{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 &+_-]{1,11}")


class SmsSettings(TwilioSettings):
    """The form of an account."""

    segment_price: str = Field(
        default="",
        pattern=r"^(\d{1,6}(\.\d{1,6})?)?$",
        title="Price of a segment",
        description="What Twilio charges you for one, as 0.0079; shown while one writes.",
        json_schema_extra={"advanced": True},
    )
    currency: str = Field(
        default="USD",
        max_length=3,
        title="Currency of the price",
        json_schema_extra={"advanced": True},
    )
    set_webhook: bool = Field(
        default=True,
        title="Set the webhook at Twilio",
        description="The hub enters its own address at the number or the messaging service.",
        json_schema_extra={"advanced": True},
    )

    @field_validator("sender")
    @classmethod
    def _is_sender(cls, value: str) -> str:
        value = value.strip()
        plain = re.sub(r"[ ()-]", "", value) if value.startswith("+") else value
        if plain and not SENDER.fullmatch(plain):
            raise ValueError("a sender is a number as +15551234567, a short code, or a name")
        return plain
