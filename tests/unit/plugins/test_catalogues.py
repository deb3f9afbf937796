"""The bundled web plugins speak Russian wherever they speak."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from plugins.web_chat.texts import translator as chat_words
from plugins.web_form.texts import translator as form_words

ROOT = Path(__file__).resolve().parents[3] / "plugins"


@pytest.mark.parametrize(
    ("plugin", "translator"), [("web_chat", chat_words), ("web_form", form_words)]
)
def test_every_marked_text_is_in_the_russian_catalogue(plugin: str, translator: object) -> None:
    assert callable(translator)
    translate = translator("ru")
    source = "".join(path.read_text() for path in sorted((ROOT / plugin).glob("*.py")))
    texts = re.findall(r'\b_\(\s*"([^"]+)"', source)
    assert len(texts) > 15
    assert [text for text in texts if translate(text) == text] == []


@pytest.mark.parametrize("plugin", ["web_chat", "web_form"])
def test_no_word_of_the_catalogue_is_left_over(plugin: str) -> None:
    source = "".join(path.read_text() for path in sorted((ROOT / plugin).glob("*.py")))
    catalogue = (ROOT / plugin / f"locale/ru/LC_MESSAGES/{plugin}.po").read_text()
    words = re.findall(r'^msgid "(.+)"$', catalogue, re.MULTILINE)
    assert len(words) == len(set(words))
    assert [word for word in words if f'"{word}"' not in source] == []
