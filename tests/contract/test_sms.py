"""SMS keeps the contract of a channel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from channels.sms.channel import SmsChannel
from hub import DeliveryStatus
from tests.contract.twilio_side import TwilioSide


class TestSms(TwilioSide):
    """One number."""

    channel = SmsChannel
    longest_text = 1_600
    exempt: ClassVar[dict[str, str]] = {}

    def samples(self) -> Mapping[str, bytes]:
        return {
            "a word of stop": self.fields(20, Body="STOP", OptOutType="STOP"),
            "a word of start": self.fields(21, Body="старт"),
            "two pictures": self.fields(
                22,
                Body="See",
                NumMedia="2",
                MediaUrl0="https://api.twilio.com/2010-04-01/x",
                MediaContentType0="image/png",
                MediaUrl1="https://api.twilio.com/2010-04-01/y",
                MediaContentType1="image/jpeg",
            ),
            "a short code's": self.fields(23, Body="Your code", From="72975"),
        }

    def receipt(self, status: DeliveryStatus, external_id: str) -> bytes | None:
        # Nobody tells that an SMS was read.
        return None if status is DeliveryStatus.READ else super().receipt(status, external_id)
