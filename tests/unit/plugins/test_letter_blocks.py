"""The blocks of a letter: what each becomes in HTML and in plain words, and what is said against it."""

from __future__ import annotations

import pytest

from hub import Invalid
from plugins.mailings.blocks import read
from plugins.mailings.colours import ratio
from plugins.mailings.complaints import MAX_HTML, complaints
from plugins.mailings.letter import letter, said
from plugins.mailings.looks import darkened
from plugins.mailings.raw import clean

COLUMNS = """::: columns background=#f0f4ff
Left

::: social
VK https://vk.com/shop
:::
+++
# Right

[[Order|https://shop.example/o]]
:::"""
PRODUCT = """::: product
![A sail](https://shop.example/gull.png)
The Gull
$ 123
For **your** mast
[[Order|https://shop.example/gull]]
:::"""


def test_columns_stand_side_by_side_and_are_read_one_after_another() -> None:
    (block,) = read(COLUMNS)
    assert [[one.kind for one in column] for column in block.columns] == [
        ["text", "social"],
        ["heading", "button"],
    ]
    made = letter(f"Above\n\n{COLUMNS}\n\nBelow", language="en", utm="utm_source=mail")
    assert made.html.count("mj-column-per-50") >= 4
    assert "#f0f4ff" in made.html
    assert made.text == (
        "Above\n\nLeft\n\nVK: https://vk.com/shop?utm_source=mail\n\nRight\n\n"
        "Order: https://shop.example/o?utm_source=mail\n\nBelow\n\nUnsubscribe: {{ unsubscribe_url }}"
    )


def test_a_product_has_its_picture_price_and_button() -> None:
    made = letter(PRODUCT, language="en", utm="utm_source=mail")
    link = 'href="https://shop.example/gull?utm_source=mail"'
    assert made.html.count(link) == 2, "its picture leads where its button does"
    assert 'alt="A sail"' in made.html
    assert "<strong>your</strong>" in made.html
    assert made.text.startswith(
        "The Gull\n$ 123\nFor your mast\nOrder: https://shop.example/gull?utm_source=mail"
    )
    only = letter("::: product\nThe Gull\n:::", advertising=False)
    assert only.text == "The Gull"


def test_room_social_links_and_colours() -> None:
    made = letter(
        "::: space 48\n\n{color=#FFF background=#246}\n# Sale\n\n{background=#111111}\n"
        "[[Go|https://x.example]]\n\n::: social\nVK https://vk.com/x\nMail mailto:a@x.example\n:::",
        advertising=False,
    )
    assert "height:48px" in made.html
    assert "color:#fff" in made.html
    assert "background:#111111" in made.html
    assert (
        made.text
        == "Sale\n\nGo: https://x.example\n\nVK: https://vk.com/x\nMail: mailto:a@x.example"
    )
    assert "fonts.googleapis" not in made.html, "nothing is loaded from elsewhere"


@pytest.mark.parametrize(
    ("markup", "words"),
    [
        ("::: columns\nA\n:::", "two to four"),
        ("::: columns\nA\n+++\nB", "not closed"),
        ("::: columns\n::: columns\nA\n+++\nB\n:::\n+++\nC\n:::", "no other columns"),
        ("::: social\nVK\n:::", "a name and an address"),
        ("::: social\nVK javascript:x\n:::", "begins with https"),
        ("::: product\n[[Order|https://x.example]]\n:::", "needs a name"),
        ("::: carousel 3", "no block of this name"),
        ("{color=red}\nWords", "a colour is written"),
    ],
)
def test_a_block_that_is_not_whole_is_refused(markup: str, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        letter(markup)


def test_raw_code_is_cleaned_and_keeps_what_letters_need() -> None:
    code = (
        '<table><tr><td style="color:#123456;position:fixed;background:url(x)" onclick="x()">1</td>'
        '<td><a href="https://x.example/?n={{ contact.first_name }}">two</a></td></tr></table>'
        '<script>steal()</script><iframe src="x"></iframe><a href="javascript:x">bad</a>'
        '<form action="x"><input name="a"></form><style>p{}</style><!-- c -->'
    )
    made = letter(f"::: raw\n{code}\n:::", language="en", utm="utm_source=mail")
    for gone in (
        "script",
        "iframe",
        "javascript",
        "onclick",
        "position",
        "<form",
        "<input",
        "steal",
    ):
        assert gone not in clean(code), gone
    assert "?n={{ contact.first_name }}&amp;utm_source=mail" in made.html
    assert made.text.startswith(
        "1 two (https://x.example/?n={{ contact.first_name }}&utm_source=mail)"
    )
    mjml = (
        "<mj-image src='https://x.example/a.png' alt='A boat'/><mj-text>Words</mj-text>"
        "<mj-include path='/etc/passwd' /><mj-button href='https://x.example/b'>Go</mj-button>"
    )
    laid = letter(f"::: raw\n{mjml}\n:::", language="en")
    assert "passwd" not in laid.html
    assert 'alt="A boat"' in laid.html
    assert laid.html.index("Words") < laid.html.index("Go"), "a closed tag holds nothing"
    assert laid.text.startswith("[A boat]\nWords\nGo (https://x.example/b)")


def test_channels_without_letters_get_the_words() -> None:
    assert said("# Hello\n\n[x](https://x.example)") == "# Hello\n\n[x](https://x.example)"
    assert said(PRODUCT).startswith("The Gull\n$ 123")


def test_contrast_is_that_of_wcag() -> None:
    assert ratio("#000", "#ffffff") == pytest.approx(21)
    assert ratio("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert ratio("#abcdef", "#abcdef") == 1


@pytest.mark.parametrize(
    ("markup", "found"),
    [
        ("{color=#bbbbbb}\nPale", [("words are hard to read", "«Pale» 1.9 : 1")]),
        ("{color=#b00020}\nRed", [("words are hard to read in the dark", "«Red» 2.4 : 1")]),
        ("{color=#767676}\n# Large", []),
        ("{background=#111111}\nLight by itself", []),
        (
            "{color=#ffffff background=#ffcc00}\n[[Order|https://x.example]]",
            [("words are hard to read", "«Order» 1.5 : 1")],
        ),
        (
            "::: columns background=#222222\n{color=#333333}\nDark\n+++\nFine\n:::",
            [("words are hard to read", "«Dark» 1.3 : 1")],
        ),
    ],
)
def test_words_that_are_hard_to_read_are_said(markup: str, found: list[tuple[str, str]]) -> None:
    assert complaints(markup, letter(markup)) == [("warn", *one) for one in found]


def test_size_spam_and_leaving_are_checked() -> None:
    def told(markup: str) -> list[tuple[str, str, str]]:
        return complaints(markup, letter(markup, language="en"))

    assert told("Words") == []
    ((level, words, size),) = told("Long words. " * (MAX_HTML // 12 + 1))
    assert (level, words.startswith("the letter is larger"), size[-3:]) == ("bad", True, " KB")
    assert told("Play in our КАЗИНО, act now") == [
        ("warn", "words that look like spam", "казино, act now")
    ]
    made = complaints("Words", letter("Words", language="en"), subject="A casino? Казино!")
    assert made == [("warn", "words that look like spam", "казино")], "its subject is read too"
    assert told('::: raw\n<img src="https://x.example/a.png">\n:::')[0][:2] == (
        "bad",
        "a picture has no words for who does not see it",
    )
    hidden = "<html><body>Hi <!-- {{ unsubscribe_url }} --></body></html>"
    assert told(hidden)[0][1] == "nothing in the letter leads to unsubscribing"


def test_the_dark_is_that_of_the_letter_or_turns_its_colours() -> None:
    made = darkened(letter("Hello").html)
    assert "prefers-color-scheme" not in made
    assert "color-scheme:dark" in made
    assert "body *" not in made, "it has rules of its own"
    plain = darkened("<html><head></head><body>Hi</body></html>")
    assert "body *{background-color:#1b1b1b!important" in plain
