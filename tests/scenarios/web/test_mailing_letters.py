"""Letters: code beside blocks, a plain twin of one's own, and pictures that we show ourselves."""

from __future__ import annotations

import pytest

from hub import Invalid
from plugins.mailings.complaints import complaints
from plugins.mailings.letter import letter
from tests.scenarios.http_api.world import World as Programs
from tests.scenarios.web.house import House
from tests.scenarios.web.test_mailing_results import house, world
from tests.scenarios.web.test_mailings import _ready

__all__ = ["house", "world"]
PIXEL = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
MJML = (
    "<mjml><mj-body><mj-section><mj-column><mj-text>Hello {{ contact.first_name }}</mj-text>"
    "<mj-button href='https://shop.example/?a=1'>Order</mj-button></mj-column></mj-section></mj-body></mjml>"
)


def test_code_is_laid_out_with_a_way_to_leave_and_a_twin() -> None:
    made = letter(MJML, language="en", utm="utm_source=mail")
    assert "utm_source=mail" in made.html
    assert made.html.count("{{ unsubscribe_url }}") == 1
    assert "Hello {{ contact.first_name }}" in made.text
    assert "Order (https://shop.example/?a=1&utm_source=mail)" in made.text
    page = letter("<html><body><p>Hi</p><img src='x'></body></html>", language="en")
    assert page.html.index("unsubscribe_url") < page.html.index("</body>")
    assert complaints("<html><img src='x'></html>", page)[0][0] == "bad"
    inside = "Look:\n[[Order|https://shop.example]]"
    assert "empty line" in complaints(inside, letter(inside))[0][1]
    apart = "Look:\n\n[[Order|https://shop.example]]\n\n![A boat](https://shop.example/a.png)"
    assert complaints(apart, letter(apart)) == []
    own = letter("Hello", language="en", plain_twin="Only words")
    assert own.text == "Only words\n\nUnsubscribe: {{ unsubscribe_url }}"
    broken = "<mjml><mj-body>\n<mj-section>\n<mj-column><mj-text>x & y<br>\n</mj-body></mjml>"
    with pytest.raises(Invalid, match="look at line 4"):
        letter(broken, advertising=False)
    for bad in ("<mj-include path='/etc/passwd' />", "<script>x</script>", "<p onclick='x'>"):
        with pytest.raises(Invalid, match="cannot run"):
            letter(f"<mjml><mj-body>{bad}</mj-body></mjml>")


async def test_a_picture_is_kept_and_shown_to_who_has_the_letter(house: House) -> None:
    browser = await house.logged_in("marketer")
    programs = Programs(house)
    program = await programs.program("administrator")
    made = await program.ok("POST", "/mailings/pictures", content=PIXEL)
    path = "/p/mailings/picture/" + made["url"].rpartition("/")[2]
    stranger = house.browser()
    shown = await stranger.get(path)
    assert (shown.status_code, shown.content, shown.headers["content-type"]) == (
        200,
        PIXEL,
        "image/gif",
    )
    assert (await stranger.get(path + "x")).status_code == 404
    await program.refused(422, "invalid", "POST", "/mailings/pictures", content=b"<svg/>")
    segment, account = await _ready(house, 1)
    form = {
        "do": "save", "title": "Spring", "segment_id": str(segment), f"account_{account}": "1",
        "advertising": "yes", "subject_0": "News", "text_0": MJML, "plain_0": "My own words",
    }  # fmt: skip
    saved = await browser.submit("/p/mailings/new", data=form)
    page = (await browser.get(saved.headers["location"].partition("#")[0])).text
    assert "My own words" in page
    assert "data-blocks" in page
    closed = await browser.submit("/p/mailings/new", data={**form, "do": "close"})
    assert closed.headers["location"] == "/p/mailings/"
    # What is written and not kept yet is shown, and so is why it cannot be.
    for text, view, seen in (
        ("# Hello, {{ contact.first_name }}", "dark", "color-scheme:dark"),
        ("# Hello, {{ contact.first_name }}", "plain", "Hello, Ann"),
        ("::: carousel", "desk", "there is no block of this name: carousel"),
    ):
        asked = {"text": text, "plain": "", "view": view, "_csrf": await browser.csrf()}
        assert seen in (await browser.post("/p/mailings/preview", data=asked)).text
    where = saved.headers["location"].partition("#")[0]
    day, dark = [(await browser.get(f"{where}/letter{ask}")).text for ask in ("", "?dark=1")]
    assert ("color-scheme:light" in day, "color-scheme:dark" in day) == (True, False)
    assert ("color-scheme:light" in dark, "color-scheme:dark" in dark) == (False, True)
    for each in programs.programs:
        await each.aclose()
