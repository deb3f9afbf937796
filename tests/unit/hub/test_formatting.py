"""Signs of formatting: what counts, what stays a text, how it is written for others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.telegram.sending import entities, pieces
from channels.whatsapp.cloud_outgoing import said
from hub import formatted
from hub.web.wording import said as drawn


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("*Today* only", "<b>Today</b> only"),
        ("**Today** __only__ ~~yes~~", "<b>Today</b> <i>only</i> <s>yes</s>"),
        ("(*ok*), «_да_»!", "(<b>ok</b>), «<i>да</i>»!"),
        ("_a *b c* d_", "<i>a <b>b c</b> d</i>"),
        ("`a*b*c`", "<code>a*b*c</code>"),
        (
            "[Prices](https://a.example/x_(1)?q=1)",
            '<a href="https://a.example/x_(1)?q=1">Prices</a>',
        ),
        ("2*3*4, snake_case_name, ~5", "2*3*4, snake_case_name, ~5"),
        ("Name: ____ and _____", "Name: ____ and _____"),
        ("* one\n* two", "* one<br>\n* two"),
        ("*two\nlines*", "*two<br>\nlines*"),
        ("Price* and *terms apply", "Price* and *terms apply"),
        ("https://a.example/_x_/b", "https://a.example/_x_/b"),
        ("[x](javascript:alert(1)) <b>", "[x](javascript:alert(1)) &lt;b&gt;"),
    ],
)
def test_signs_count_around_whole_words_only(text: str, html: str) -> None:
    assert formatted(text).html() == html


def test_whatsapp_has_signs_of_its_own_and_none_for_a_link() -> None:
    text = "**Now** _or_ never: [our shop](https://a.example), *__both__*"
    assert said(text) == "*Now* _or_ never: our shop (https://a.example), *_both_*"


def test_telegram_counts_in_utf_16_and_a_cut_keeps_what_stands_out() -> None:
    found = entities(formatted("🥖🥖 *hot* [now](https://a.example)"))
    assert found is not None
    assert [(one.type, one.offset, one.length, one.url) for one in found] == [
        ("bold", 5, 3, None),
        ("text_link", 9, 3, "https://a.example"),
    ]
    parts = pieces(formatted("one *two three* four"), 9)
    assert [one.text for one in parts] == ["one two", "three", "four"]
    assert [one.html() for one in parts] == ["one <b>two</b>", "<b>three</b>", "four"]


@given(st.text(st.sampled_from("*_~`[]() a1\n")), st.integers(2, 9))
def test_whatever_is_written_no_word_is_lost_and_spans_nest(text: str, most: int) -> None:
    words = formatted(text)
    assert [one for one in words.text if one.isalnum()] == [one for one in text if one.isalnum()]
    for one in words.spans:
        assert 0 <= one.start < one.end <= len(words.text)
        assert not [each for each in words.spans if one.start < each.start < one.end < each.end]
    cut = pieces(words, most)
    assert "".join(one.text for one in cut).split() == words.text.split() or len(cut) > 1
    assert "".join("".join(one.text for one in cut).split()) == "".join(words.text.split())
    assert all(0 < len(one.text) <= most for one in cut)


def test_a_bubble_shows_what_the_client_sees_and_keeps_what_was_typed() -> None:
    assert drawn('*"a"* <i>', is_formatted=True) == (
        '<div class="text" data-said="*&#34;a&#34;* &lt;i&gt;"><b>&#34;a&#34;</b> &lt;i&gt;</div>'
    )
    assert drawn("*a*", is_formatted=False) == '<div class="text">*a*</div>'
    assert drawn("a", is_formatted=True) == '<div class="text">a</div>'
