"""Whether the links of a letter lead anywhere, looked at when a colleague asks.

The hub calls what somebody typed, so every address is looked up and judged first, redirects too:
only the open internet is called, with a HEAD, for seconds, and nothing of an answer is read. A
server may hide from machines: only who says that a page is gone, or has no address, is called dead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from urllib.parse import urljoin

import httpx2 as httpx

from hub.errors import Invalid
from hub.judged_client import judged_client
from hub.reach import NotCalled, Resolve, Unreachable, check_url, resolved
from hub.records.links import LinkCheck

MOST = 30
AT_ONCE = 5
SECONDS = 5.0
REDIRECTS = 4
GONE = (404, 410)
_AGENT = "Mozilla/5.0 (compatible; DialogHub; link check)"


async def check_links(
    urls: Sequence[str], *, allow_private: bool = False, resolve: Resolve = resolved
) -> list[LinkCheck]:
    """Look at addresses, each once and at most 30; gives what became of each, in order."""
    wanted = list(dict.fromkeys(urls))[:MOST]
    turns = asyncio.Semaphore(AT_ONCE)
    # Redirects are followed by hand: each is counted and looked at like what was typed.
    async with judged_client(
        allow_private=allow_private, seconds=SECONDS, resolve=resolve
    ) as client:

        async def one(url: str) -> LinkCheck:
            async with turns:
                return await _look(client, url)

        return list(await asyncio.gather(*(one(url) for url in wanted)))


async def _look(client: httpx.AsyncClient, url: str) -> LinkCheck:
    try:
        async with asyncio.timeout(SECONDS * 2):
            code = await _code(client, url)
    except NotCalled:
        return LinkCheck(url=url, state="dead", cause="private")
    except Unreachable:
        return LinkCheck(url=url, state="dead", cause="host")
    except Invalid:
        return LinkCheck(url=url, state="dead", cause="address")
    except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, OSError, ValueError):
        return LinkCheck(url=url, state="unsure", cause="silent")
    if code in GONE:
        return LinkCheck(url=url, state="dead", cause="gone", code=code)
    if code >= 300:
        return LinkCheck(url=url, state="unsure", cause="refused", code=code)
    return LinkCheck(url=url, state="alive", code=code)


async def _code(client: httpx.AsyncClient, url: str) -> int:
    """Give the status where the redirects end, or that of one redirect too many."""
    code = 0
    for _ in range(REDIRECTS + 1):
        check_url(url)
        code, place = await _ask(client, "HEAD", url)
        if code >= 400:
            # Not every server knows HEAD; the body is not read.
            code, place = await _ask(client, "GET", url)
        if not 300 <= code < 400 or not place:
            return code
        url = urljoin(url, place)
    return code


async def _ask(client: httpx.AsyncClient, method: str, url: str) -> tuple[int, str]:
    async with client.stream(method, url, headers={"user-agent": _AGENT}) as answer:
        return answer.status_code, answer.headers.get("location", "")
