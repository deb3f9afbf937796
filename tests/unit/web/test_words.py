"""What pages look up is often somebody's own word: none is markup, none is a pattern."""

from __future__ import annotations

from gettext import NullTranslations

import pytest

from hub.web.render import Words

WORDS = Words(NullTranslations())


@pytest.mark.parametrize("text", ["50% off", "100 %", "%s", "%(name)s", "100%%"])
def test_a_word_with_a_percent_sign_stays_as_it_is(text: str) -> None:
    assert str(WORDS(text)) == text


def test_no_word_is_markup() -> None:
    assert str(WORDS("<img src=x>")) == "&lt;img src=x&gt;"
    assert str(WORDS('" autofocus onfocus="')) == "&#34; autofocus onfocus=&#34;"
    assert str(WORDS("<b>%(name)s", name="<i>")) == "&lt;b&gt;&lt;i&gt;"
