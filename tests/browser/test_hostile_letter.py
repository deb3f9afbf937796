"""Letters built to hurt, in a real browser: nothing runs, nothing is told to anybody."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from playwright.async_api import Page, expect

from hub import Attachment
from tests.browser.conftest import Enter
from tests.browser.loop import in_session
from tests.browser.office import Complaints, Office

pytestmark = [pytest.mark.browser]
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@dataclass
class Tracker:
    """A server outside the hub that counts who comes."""

    url: str = ""
    visits: list[str] = field(default_factory=list)


@in_session
async def tracker() -> AsyncIterator[Tracker]:
    found = Tracker()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A connection alone is telling, even if nothing is asked over it.
        line = await reader.readline()
        found.visits.append(line.decode("latin-1").strip() or "a connection")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    found.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield found


def tricks(tracker: str) -> str:
    """Every way we know to make a reader's browser ask for something or run something."""
    host = tracker.removeprefix("http:")
    return f"""<html><head>
      <meta http-equiv="refresh" content="0;url={tracker}/refresh">
      <base href="{tracker}/base/"><link rel="stylesheet" href="{tracker}/style.css">
      <link rel="prefetch" href="{tracker}/prefetch"><link rel="dns-prefetch" href="{host}">
      <style>@import '{tracker}/import.css'; body {{ background: url({tracker}/body.png) }}
        @font-face {{ font-family: f; src: url({tracker}/font.woff) }} p {{ font-family: f }}</style>
      <script>fetch('{tracker}/head'); parent.hacked = 1; top.hacked = 1</script></head>
    <body background="{tracker}/background.png" onload="fetch('{tracker}/onload')">
      <p>Dear customer, look at this.</p>
      <img src="{tracker}/pixel.gif" width="1" height="1" alt="">
      <img src="{host}/relative.gif"><img srcset="{tracker}/srcset.png 2x" src="x.png">
      <img src=x onerror="fetch('{tracker}/onerror'); top.hacked = 1">
      <picture><source srcset="{tracker}/source.png"><img src="{tracker}/picture.png"></picture>
      <div style="background-image:url('{tracker}/div.png')">A box</div>
      <div style="background:\\75rl({tracker}/escaped.png)">A second box</div>
      <ul style="list-style-image:url({tracker}/list.png)"><li>One</li></ul>
      <table background="{tracker}/table.png"><tr><td background="{tracker}/cell.png">Cell</td></tr>
      </table>
      <svg onload="fetch('{tracker}/svg')"><image href="{tracker}/svg.png"/>
        <use href="{tracker}/use.svg#a"/><script>top.hacked = 1</script></svg>
      <math><mtext><img src="{tracker}/math.png"></mtext></math>
      <video src="{tracker}/video.mp4" poster="{tracker}/poster.png" autoplay></video>
      <audio src="{tracker}/audio.mp3" autoplay></audio>
      <iframe src="{tracker}/iframe"></iframe><iframe srcdoc="<script>top.hacked=1</script>"></iframe>
      <object data="{tracker}/object"></object><embed src="{tracker}/embed">
      <form action="{tracker}/form" method="post"><input type="image" src="{tracker}/input.png">
        <input autofocus onfocus="top.hacked = 1"><button formaction="{tracker}/button">Go</button>
      </form>
      <a href="javascript:top.hacked=1" id="js">A script link</a>
      <a href="data:text/html,<script>top.hacked=1</script>" ping="{tracker}/ping">A data link</a>
      <a href="{tracker}/clicked" ping="{tracker}/ping">A link</a>
      <details open ontoggle="top.hacked = 1">Details</details>
      <noscript><p title="</noscript><img src={tracker}/mutation onerror=top.hacked=1>"></noscript>
      <template><img src="{tracker}/template.png"></template>
      <p>Goodbye.</p></body></html>"""


async def hurt(page: Page) -> object:
    """Whether anything of a letter ran in our page."""
    return await page.evaluate("window.hacked || 0")


async def test_a_letter_of_tricks_runs_nothing_and_asks_nobody(
    office: Office, enter: Enter, complaints: Complaints, tracker: Tracker
) -> None:
    page = await enter("Vera")
    asked: list[str] = []
    page.context.on("request", lambda request: asked.append(request.url))
    dialog = await office.writes(
        "Eve Hacker",
        f"Look <script>top.hacked=1</script> <img src={tracker.url}/text onerror=top.hacked=1>",
        account=office.letters,
        subject=f"<img src={tracker.url}/subject onerror=top.hacked=1>",
        html=tricks(tracker.url),
        attachments=(
            Attachment(
                name='../../<b onmouseover="top.hacked=1">.html',
                media_type="text/html",
                content=b"<script>top.hacked=1</script>",
            ),
        ),
    )
    await page.locator(f"#row-{dialog}").click()
    await expect(page.locator(".msg.in .text")).to_contain_text("<script>top.hacked=1</script>")
    await page.get_by_text("Show the original letter").click()
    letter = page.frame_locator(".msg iframe")
    await expect(letter.get_by_text("Dear customer")).to_be_visible()
    await expect(letter.get_by_text("Goodbye.")).to_be_visible()
    await expect(letter.get_by_text("Remote images are not loaded")).to_be_visible()
    assert await letter.locator("script, form, svg, object, embed, iframe, video").count() == 0
    assert await letter.locator("[onload], [onerror], [ontoggle], [ping]").count() == 0
    # A script link is no link any more.
    assert await letter.locator("a[href^='javascript'], a[href^='data:text']").count() == 0
    await page.wait_for_load_state("networkidle")
    assert await hurt(page) == 0
    assert [one for one in asked if not one.startswith(office.url)] == []
    assert tracker.visits == []
    # Even on request images come through the hub, which goes to no private address.
    complaints.forgive("status of 404")
    async with page.expect_response(lambda answer: "/image?u=" in answer.url) as answer:
        await letter.get_by_text("Show them once").click()
    assert (await answer.value).status == 404
    await expect(letter.get_by_text("Goodbye.")).to_be_visible()
    await page.wait_for_load_state("networkidle")
    assert [one for one in asked if not one.startswith(office.url)] == []
    assert tracker.visits == []
    assert await hurt(page) == 0
    # A picture of one pixel is there to tell that the letter was read: it stays off even then.
    assert await letter.locator("img[src*='pixel.gif']").count() == 0


async def test_a_picture_inside_a_letter_is_shown(
    office: Office, enter: Enter, complaints: Complaints
) -> None:
    # Chromium may say so of the test's own question to a frame in which no script may run.
    complaints.forgive("Blocked script execution")
    dialog = await office.writes(
        "Ivan Petrov",
        "See the picture",
        account=office.letters,
        html="<p>See:</p><img src='cid:boat@example.org' alt='A boat'>",
        attachments=(
            Attachment(
                name="boat.png", media_type="image/png", content=PNG, content_id="boat@example.org"
            ),
        ),
    )
    page = await enter("Vera", f"/inbox/{dialog}")
    await page.get_by_text("Show the original letter").click()
    picture = page.frame_locator(".msg iframe").get_by_alt_text("A boat")
    await expect(picture).to_have_js_property("naturalWidth", 1)
    # A short letter needs no long frame.
    box = await page.locator(".msg iframe").bounding_box()
    assert box is not None
    assert box["height"] < 300


async def test_an_attached_page_is_handed_over_and_never_opened(
    office: Office, enter: Enter
) -> None:
    await office.writes(
        "Eve Hacker",
        "Open me",
        attachments=(
            Attachment(name="page.html", media_type="text/html", content=b"<script>1</script>"),
            Attachment(name="drawing.svg", media_type="image/svg+xml", content=b"<svg/>"),
        ),
    )
    page = await enter("Vera")
    await page.locator("#rows .row").first.click()
    links = page.locator(".msg .file")
    await expect(links).to_have_count(2)
    for number in range(2):
        address = await links.nth(number).get_attribute("href")
        answer = await page.request.get(office.url + str(address) + "?inline=1")
        assert answer.status == 200
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_five_thousand_links_do_not_stop_the_page(office: Office, enter: Enter) -> None:
    many = "\n".join(f"https://example.com/{number}" for number in range(5000))
    html = "".join(f"<p><a href='https://example.com/{n}'>{n}</a></p>" for n in range(5000))
    dialog = await office.writes(
        "Eve Hacker", many, account=office.letters, subject="Links", html=html
    )
    page = await enter("Vera")
    began = time.monotonic()
    await page.locator(f"#row-{dialog}").click()
    await expect(page.locator(".msg.in a").last).to_have_attribute(
        "href", "https://example.com/4999"
    )
    await page.locator("#text").fill("I can still write")
    await expect(page.locator("#text")).to_have_value("I can still write")
    assert time.monotonic() - began < 20
    await page.locator("[data-html] summary").click()
    letter = page.frame_locator(".msg iframe")
    await expect(letter.locator("a")).to_have_count(5000)
    rel = await letter.locator("a").first.get_attribute("rel")
    assert rel is not None
    assert {"noopener", "noreferrer", "nofollow"} <= set(rel.split())
