"""What a message to many is declared to VK as: what the account's settings say of its kind."""

from __future__ import annotations

from dataclasses import replace

from pydantic import SecretStr

from channels.vk.channel import VkChannel
from channels.vk.settings import VkSettings
from hub import Address, Lane
from hub.testing import outbound


def test_only_what_goes_to_many_is_declared() -> None:
    channel = object.__new__(VkChannel)
    channel._own = VkSettings(token=SecretStr("x" * 20), advertising_intent="promo_newsletter")
    answer = outbound(Address(kind="vk", value="1"), "Yes")
    assert channel._intent(answer) is None
    service = replace(answer, lane=Lane.MAILING)
    assert channel._intent(service) is None, "the default is no declaration"
    advertising = replace(service, unsubscribe_url="https://hub.example/u/1")
    assert channel._intent(advertising) == "promo_newsletter"
