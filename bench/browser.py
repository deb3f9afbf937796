"""T13: a message is pushed and painted; fifty a second on a slowed processor, while one types.

    python -m bench.browser --seconds 10

Real Chromium on the real inbox with one dialog open. *Pushed* is the instant at which the same item
reaches a bare reader of the same stream; *painted* is a task queued after the frame that contains the
bubble. The storm slows the page's processor four times (Chrome DevTools Protocol), sends fifty messages
a second, every tenth into the open dialog, and types meanwhile. The raw limit of the same run: a node
put into an empty page, to painted. Browser, server and this program share the cores.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import time

from playwright.async_api import Page, async_playwright

from bench.figures import against, load, quantile, share
from bench.house import house
from bench.served import Caller, Served, serve, webhook
from hub.web.auth import COOKIE

CHROMIUM = "/usr/bin/chromium"
GATE, GOAL = 50.0, 30.0
FRAMES_GATE, FRAMES_GOAL = 55.0, 60.0
KEY_GATE, KEY_GOAL = 80.0, 50.0
PUSHES, PER_SECOND, SLOWED = 40, 50, 4
MARK = re.compile(r"stamp (\d+)")
WATCH = """() => {
  const painted = (then) => requestAnimationFrame(() => { const c = new MessageChannel(); c.port1.onmessage = then; c.port2.postMessage(0); });
  const now = () => performance.timeOrigin + performance.now();
  window.seen = {}; window.frames = 0; window.keys = []; window.raw = [];
  new MutationObserver((all) => {
    const found = new Set();
    for (const one of all) for (const node of one.addedNodes) for (const [, n] of (node.textContent || '').matchAll(/stamp (\\d+)/g)) found.add(n);
    if (found.size) painted(() => { for (const n of found) window.seen[n] ||= now(); });
  }).observe(document.querySelector('#thread-pane') || document.body, { childList: true, subtree: true });
  addEventListener('keydown', () => { const at = performance.now(); painted(() => window.keys.push(performance.now() - at)); }, true);
  const count = () => { window.frames += 1; requestAnimationFrame(count); };
  requestAnimationFrame(count);
}"""
RAW = """async () => {
  const took = [];
  for (let n = 0; n < 40; n += 1) {
    await new Promise((done) => setTimeout(done, 37));
    const at = performance.now();
    document.body.append(Object.assign(document.createElement('p'), { textContent: 'x' }));
    await new Promise((done) => requestAnimationFrame(() => { const c = new MessageChannel(); c.port1.onmessage = done; c.port2.postMessage(0); }));
    took.push(performance.now() - at);
  }
  return took;
}"""


async def listen(served: Served, session: str, dialog: str, pushed: dict[str, float]) -> None:
    """Read the stream as the browser does; note when each message came."""
    caller = Caller(served, session)
    try:
        stream = await caller.stream(f"/live?dialogs={dialog}")
        while line := (await stream.readuntil(b"\n")).decode():
            now = time.time() * 1000
            for one in MARK.findall(line):
                pushed.setdefault(one, now)
    finally:
        caller.close()


async def pour(served: Served, per_second: float, count: int, first: int) -> None:
    """Send messages by the clock, every tenth of a storm into the open dialog."""
    callers = [Caller(served) for _ in range(4)]
    began = time.monotonic()

    async def send(caller: Caller, numbers: range) -> None:
        for n in numbers:
            await asyncio.sleep(max(0.0, began + (n - first) / per_second - time.monotonic()))
            storm = per_second >= PER_SECOND and n % 10
            person = f"storm{n % 200}" if storm else "opened"
            await webhook(caller, served.hooks[0], f"b{n}-{began}", person, f"stamp {n} hello")

    await asyncio.gather(
        *(send(one, range(first + k, first + count, 4)) for k, one in enumerate(callers))
    )
    for one in callers:
        one.close()


async def delays(page: Page, pushed: dict[str, float]) -> list[float]:
    """Give the milliseconds from pushed to painted of what was seen since the last time."""
    await asyncio.sleep(1)
    seen: dict[str, float] = await page.evaluate(
        "() => { const s = window.seen; window.seen = {}; return s; }"
    )
    return [at - pushed[n] for n, at in seen.items() if n in pushed]


async def measure(served: Served, seconds: float) -> None:
    """Measure and print."""
    session = served.sessions[0]
    starter = Caller(served)
    await webhook(starter, served.hooks[0], "first", "opened", "the dialog that is open")
    starter.close()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        blank = await browser.new_page()
        raw: list[float] = await blank.evaluate(RAW)
        await blank.close()
        context = await browser.new_context(viewport={"width": 1280, "height": 800})
        here = f"http://127.0.0.1:{served.port}"
        await context.add_cookies([{"name": COOKIE, "value": session, "url": here}])
        page = await context.new_page()
        await page.goto(f"{here}/inbox")
        await page.locator("html[data-ready=inbox]").wait_for()
        row = page.locator("#rows .row", has_text="the dialog that is open").first
        await row.click()
        await page.locator("#text").wait_for()
        dialog = page.url.rpartition("/")[2]
        await page.evaluate(WATCH)
        pushed: dict[str, float] = {}
        reader = asyncio.create_task(listen(served, served.sessions[1], dialog, pushed))
        await asyncio.sleep(1)
        await pour(served, 8, PUSHES, 1000)
        calm = await delays(page, pushed)
        devtools = await context.new_cdp_session(page)
        await devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWED})
        await page.locator("#text").click()
        await page.evaluate("() => { window.frames = 0; window.keys = []; }")
        began = time.monotonic()
        words = "Dear customer, this is written in a storm. " * 2
        await asyncio.gather(
            pour(served, PER_SECOND, int(seconds * PER_SECOND), 5000),
            page.keyboard.type(words, delay=1000 * seconds / len(words)),
        )
        lasted = time.monotonic() - began
        frames, keys = await page.evaluate("() => [window.frames, window.keys]")
        storm = await delays(page, pushed)
        kept = await page.locator("#text").input_value() == words
        reader.cancel()
        await browser.close()
    report(calm, storm, frames / lasted, keys, raw, kept)


def report(
    calm: list[float],
    storm: list[float],
    frames: float,
    keys: list[float],
    raw: list[float],
    kept: bool,
) -> None:
    """Print the figures."""
    p95 = quantile(calm, 0.95)
    bare = quantile(raw, 0.95)
    print(
        f"T13: pushed to painted p50 {quantile(calm, 0.5):.0f} ms, p95 {p95:.0f} ms"
        f" {against(p95, GATE, GOAL, ' ms')} of {len(calm)}; a node in an empty page p95 {bare:.0f} ms,"
        f" ratio {p95 / bare:.1f}; storm, processor slowed {SLOWED} times: {frames:.0f} frames/s"
        f" {share(frames, FRAMES_GATE, FRAMES_GOAL)}, painted p95 {quantile(storm, 0.95):.0f} ms of"
        f" {len(storm)}, key p95 {quantile(keys, 0.95):.0f} ms"
        f" {against(quantile(keys, 0.95), KEY_GATE, KEY_GOAL, ' ms')}, text"
        f" {'kept' if kept else 'LOST'}; {load()}"
    )


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--messages", type=int, default=20_000, help="in the store before")
    given = parser.parse_args()
    with (
        house("sqlite", given.messages) as one,
        one.copy() as changed,
        serve(changed, 2) as served,
    ):
        asyncio.run(measure(served, given.seconds))


if __name__ == "__main__":
    main()
