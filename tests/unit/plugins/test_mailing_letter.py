"""Links of letters and messages: what is an address, and where the campaign's marks go."""

from __future__ import annotations

import re
from json import dumps, loads
from typing import Any

import pytest

from hub import addresses_in
from plugins.mailings.addresses import with_marks
from plugins.mailings.letter import letter
from plugins.mailings.plans import read_plan
from plugins.mailings.versions import difference, lines_of

NAME = "{{ contact.first_name }}"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see https://x.example.", ["https://x.example"]),
        ("HTTP://X.example/1,2,3! b", ["HTTP://X.example/1,2,3"]),
        ("https://x.example/A_(b), (https://x.example/z)", ["https://x.example/A_(b)", "https://x.example/z"]),
        ("«https://x.example», **https://x.example**…", ["https://x.example"] * 2),
        ("{% if a %}https://x.example/m{% else %}https://x.example/f{% endif %}", ["https://x.example/m", "https://x.example/f"]),
        ("https://x.example/{% if a %}b{% endif %}", []),
        (f"to https://x.example/?n={NAME}.", [f"https://x.example/?n={NAME}"]),
        (f"https://x.example/a.{NAME}, b", [f"https://x.example/a.{NAME}"]),
    ],
)  # fmt: skip
def test_an_address_ends_where_the_words_go_on(text: str, found: list[str]) -> None:
    assert addresses_in(text) == found


def test_marks_are_put_beside_what_is_filled_in_for_each_person() -> None:
    twice = "https://x.example/?color=red&color=blue"
    assert with_marks(twice, "utm_source=sms") == f"{twice}&utm_source=sms"
    assert with_marks(f"Go https://x.example/o?n={NAME}.", "utm_source=sms") == (
        f"Go https://x.example/o?n={NAME}&utm_source=sms."
    )
    words = f"[Mine](https://x.example/{NAME}#top)\n\n[[Order|https://x.example/o?n={NAME}]]"
    made = letter(words, language="en", utm="utm_source=mail", advertising=True)
    assert f'href="https://x.example/{NAME}?utm_source=mail#top"' in made.html
    assert f'href="https://x.example/o?n={NAME}&amp;utm_source=mail"' in made.html
    said = letter(
        '[Mine](https://x.example/?n={{ contact.first_name | "friend" }})', advertising=False
    )
    assert "{{ contact.first_name | 'friend' }}" in said.html
    code = "<html><body><a href=\"https://x.example/{{ a | 'b' }}?q=1\">x</a></body></html>"
    assert "/{{ a | 'b' }}?q=1&amp;utm_source=mail" in letter(code, utm="utm_source=mail").html
    assert f"Mine (https://x.example/{NAME}?utm_source=mail#top)" in made.text


def test_a_plan_is_compared_with_an_earlier_version_line_by_line() -> None:
    given: dict[str, Any] = {
        "variants": [{"subject": "A", "text": "T", "buttons": [{"label": "Yes"}]}]
    }
    before = loads(dumps(read_plan(given).as_json()))
    given["variants"][0]["buttons"] = [{"label": "No"}]
    after = read_plan(given).as_json()
    changed = difference(lines_of("M", before), lines_of("M", after))
    assert [one.text for one in changed if one.sign in "+-"] == ["label: Yes", "label: No"]


@pytest.mark.parametrize(
    "markup",
    [
        "<mjml><mj-body><mj-section><mj-column><mj-text>Hi</mj-text></mj-column></mj-section></mj-body></mjml>",
        (
            "<mjml><mj-head><mj-font name='Own' href='https://fonts.example/own.css' /><mj-style>"
            "@import 'https://fonts.example/a.css'; @font-face { font-family: A; src: url(https://fonts.example/a.woff) }"
            " .warm { color: red }</mj-style></mj-head><mj-body><mj-section><mj-column>"
            "<mj-text font-family='Roboto, Own, Arial' css-class='warm'>Hi</mj-text>"
            "<mj-button>Go</mj-button></mj-column></mj-section></mj-body></mjml>"
        ),
        (
            '<!doctype html><html><head><link rel="preconnect" href="https://fonts.example">'
            "<LINK href='https://fonts.example/b.css' rel=stylesheet><style>@import url(\"https://fonts.example/c.css\") screen;"
            " .warm { color: red }</style></head><body><p class='warm'>Hi</p></body></html>"
        ),
        "Hello, **Anna**",
    ],
)
def test_no_letter_loads_fonts_from_elsewhere(markup: str) -> None:
    made = letter(markup)
    assert not re.search(r"fonts\.|@import|@font-face|<link", made.html, re.IGNORECASE)
    assert "Hi" in made.html or "Anna" in made.html
    # Its own styles are its own.
    assert ("color: red" in made.html) == ("color: red" in markup)
