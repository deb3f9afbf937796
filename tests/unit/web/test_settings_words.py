"""Every field that a bundled channel asks for is asked in Russian, its choices included."""

from __future__ import annotations

import pytest

from hub.channel import Channel
from hub.plugin_host import PluginHost
from hub.web.forms import fields_of
from hub.web.i18n import translate

# Names that are written alike in both languages.
BRANDS = {"SMS", "Telegram", "WhatsApp", "WhatsApp (Twilio)", "MAX"}


def bundled() -> list[type[Channel]]:
    host = PluginHost()
    host.load()
    found = [one for _, one in host.collect("register_channels") if one.offered]
    assert len(found) >= 3
    return found


@pytest.mark.parametrize("channel", bundled(), ids=lambda one: one.name)
def test_a_channels_form_speaks_russian(channel: type[Channel]) -> None:
    def russian(text: str) -> str:
        return translate("ru", text)

    english = fields_of(channel.Settings, {})
    untold = []
    for plain, told in zip(
        english, fields_of(channel.Settings, {}, translate=russian), strict=True
    ):
        words = [(plain.label, told.label), (plain.help, told.help)]
        words += [
            (one[1], other[1]) for one, other in zip(plain.options, told.options, strict=True)
        ]
        untold += [one for one, other in words if one and one == other]
    assert untold == []
    assert channel.title in BRANDS or russian(channel.title) != channel.title
