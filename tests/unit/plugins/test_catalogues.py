"""The bundled web plugins speak Russian wherever they speak."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from hub import VARIABLES
from plugins.mailings.texts import translator as mailing_words
from plugins.quick_replies.texts import translator as reply_words
from plugins.telemarketing.texts import translator as call_words
from plugins.web_chat.texts import translator as chat_words
from plugins.web_form.texts import translator as form_words

ROOT = Path(__file__).resolve().parents[3] / "plugins"


def _source(plugin: str) -> str:
    folder = ROOT / plugin
    files = [*sorted(folder.glob("*.py")), *sorted(folder.glob("templates/*.html"))]
    return "".join(path.read_text() for path in files)


@pytest.mark.parametrize(
    ("plugin", "translator"),
    [
        ("mailings", mailing_words),
        ("quick_replies", reply_words),
        ("telemarketing", call_words),
        ("web_chat", chat_words),
        ("web_form", form_words),
    ],
)
def test_every_marked_text_is_in_the_russian_catalogue(plugin: str, translator: object) -> None:
    assert callable(translator)
    translate = translator("ru")
    source = _source(plugin)
    texts = re.findall(r'\b_\(\s*"([^"]+)"', source) + re.findall(r"\b_\('([^']+)'\)", source)
    assert len(texts) > 15
    assert [text for text in texts if translate(text) == text] == []


@pytest.mark.parametrize(
    "plugin", ["mailings", "quick_replies", "telemarketing", "web_chat", "web_form"]
)
def test_no_word_of_the_catalogue_is_left_over(plugin: str) -> None:
    source = _source(plugin)
    if plugin == "mailings":
        # What a sender's check found is said by the channel, and shown by the mailings.
        email = ROOT.parent / "channels" / "email"
        source += "".join(one.read_text() for one in sorted(email.glob("*.py")))
    catalogue = (ROOT / plugin / f"locale/ru/LC_MESSAGES/{plugin}.po").read_text()
    words = re.findall(r'^msgid "(.+)"$', catalogue, re.MULTILINE)
    assert len(words) == len(set(words))
    assert [one for one in words if f'"{one}"' not in source and f"'{one}'" not in source] == []


def test_no_per_cent_sign_breaks_a_page() -> None:
    """Pages fill their texts in, and a sign that begins nothing ends the page with an error."""
    found = []
    for file in sorted(ROOT.rglob("*.po")):
        with file.open("rb") as opened:
            texts = [one for one in read_po(opened, locale="ru") if one.id]
        assert texts
        for one in texts:
            words = one.string if isinstance(one.string, tuple) else (one.string,)
            stray = [each for each in words if "%" in re.sub(r"%%|%\(\w+\)[sd]", "", each)]
            found += [f"{file.name}: {each}" for each in stray]
    assert found == []


def test_what_a_plugin_does_not_say_itself_the_hub_says() -> None:
    """The names of placeholders stand once, and every plugin that lists them has them."""
    words = reply_words("ru-RU")
    assert {words(one.label) for one in VARIABLES.values()}.isdisjoint(
        one.label for one in VARIABLES.values()
    )
    assert words("choose the team") == "Выберите команду"
    assert words("") == ""
    assert words("Nobody knows this sentence") == "Nobody knows this sentence"
    assert reply_words("de")("choose the team") == "choose the team"
