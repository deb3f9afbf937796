"""What is left of a letter's HTML before it is shown."""

from __future__ import annotations

import pytest

from hub.web.files import clean


@pytest.mark.parametrize(
    "href",
    ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "/settings/users", "x:y"],
)
def test_a_link_leads_to_the_web_a_letter_or_a_phone_and_nowhere_else(href: str) -> None:
    assert "href" not in clean(f'<a href="{href}">x</a>', 1, {}, images=True)[0]


@pytest.mark.parametrize(
    "href", ["https://example.com/a?b=1", "mailto:a@example.com", "tel:+49123", "HTTP://e.com/"]
)
def test_an_ordinary_link_stays_and_tells_nobody_where_it_was(href: str) -> None:
    found, _ = clean(f'<a href="{href}">x</a>', 1, {}, images=False)
    assert f'href="{href}"' in found
    assert 'rel="noopener noreferrer nofollow"' in found


@pytest.mark.parametrize(
    "looks",
    [
        'width="1" height="1"',
        "width=0",
        'style="width:1px;height:1px"',
        'style="height: 0px" alt="a > b"',
        'width="1px" height="1px" style="border:0"',
    ],
)
def test_a_picture_of_one_pixel_stays_off_even_on_request(looks: str) -> None:
    html = f'<p>a</p><img src="https://t.example/p.gif" {looks}><p>b</p>'
    assert clean(html, 1, {}, images=True)[0] == "<p>a</p><p>b</p>"


@pytest.mark.parametrize(
    "looks", ["", 'width="600" height="1"', 'width="100%"', 'style="max-width:1px;width:200px"']
)
def test_a_picture_that_can_be_seen_comes_through_the_hub(looks: str) -> None:
    html = f'<img src="https://t.example/p.gif?a=1&amp;b=2" {looks}>'
    assert clean(html, 7, {}, images=False)[1] == 1
    found, blocked = clean(html, 7, {}, images=True)
    assert blocked == 0
    assert 'src="/mail/7/image?u=https%3A%2F%2Ft.example%2Fp.gif%3Fa%3D1%26b%3D2"' in found


def test_pictures_of_the_letter_itself_are_found_by_their_content_id() -> None:
    html = '<img src="cid:boat@example.org"><img src="cid:unknown">'
    found, blocked = clean(html, 1, {"boat@example.org": 12}, images=False)
    assert 'src="/files/12?inline=1"' in found
    assert "cid:" not in found
    assert blocked == 0
