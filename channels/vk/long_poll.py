"""Bots Long Poll: asking VK for events where it cannot call the hub.

vk_api's own loop has no end and parses each event into classes, where one odd event would cost
the whole answer; so only its single step is used, in a thread that may be left behind while it
waits for VK.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

from channels.vk.arrivals import read_event
from channels.vk.callback import DIALOG_EVENTS, switches
from channels.vk.client import VkClient
from hub import Arrival, Batch, ChannelContext, HubError, PermanentFailure, TemporaryFailure

T = TypeVar("T")
WAIT_SECONDS = 25
IDLE_SECONDS = 1.0


async def batches(
    client: VkClient, context: ChannelContext, mark: str, wait: int = WAIT_SECONDS
) -> AsyncIterator[Batch]:
    """Yield events from `mark` on, for ever; the mark is VK's number of the last event."""
    group_id, _ = await client.community()
    poll = await _in_background(lambda: _open(client, group_id, wait))
    try:
        if mark:
            poll.ts = mark
        else:
            yield Batch(mark=str(poll.ts))
        while True:
            before = (poll.ts, poll.key, poll.server)
            events = await _in_background(lambda: _check(poll))
            if events:
                yield _batch(events, context, str(poll.ts))
            elif before == (poll.ts, poll.key, poll.server):
                # VK held the line until its time was up, or answered nonsense at once.
                await asyncio.sleep(IDLE_SECONDS if poll.hurried else 0)
            else:
                _note(context, before[0], str(poll.ts))
                yield Batch(mark=str(poll.ts))
    finally:
        poll.session.close()


async def switch_on(client: VkClient, context: ChannelContext, group_id: int) -> None:
    """Have VK keep the community's events for us."""
    try:
        await client.call(
            "groups.setLongPollSettings",
            group_id=group_id,
            enabled=True,
            api_version="5.199",
            **switches(*DIALOG_EVENTS),
        )
    except PermanentFailure as error:
        # A token that may not manage the community: somebody has to switch it on at VK.
        context.log.info("long_poll_not_set account=%d error=%s", context.account_id, error)


def _open(client: VkClient, group_id: int, wait: int) -> Any:
    from vk_api.bot_longpoll import VkBotLongPoll

    class LongPoll(VkBotLongPoll):  # type: ignore[misc]
        """One community's line; events come out as VK wrote them."""

        hurried = False

        def _parse_event(self, raw_event: Any) -> Any:
            return raw_event

    return LongPoll(client, group_id, wait)


def _check(poll: Any) -> list[Any]:
    """Ask once; gives what came, and notes whether the answer was too quick to be a wait."""
    import time

    import requests

    started = time.monotonic()
    try:
        found: list[Any] = poll.check()
    except requests.exceptions.JSONDecodeError as error:
        raise TemporaryFailure("VK's long poll answered something that is not JSON") from error
    except requests.exceptions.RequestException as error:
        raise TemporaryFailure(f"VK's long poll is away: {type(error).__name__}") from error
    except HubError:
        raise
    except Exception as error:
        raise TemporaryFailure("VK's long poll answered something unexpected") from error
    poll.hurried = time.monotonic() - started < 1
    return found


def _note(context: ChannelContext, before: object, after: str) -> None:
    """VK numbered anew or lost the line (`failed` 1, 2, 3); what lay between may be missing."""
    if str(before) != after:
        context.log.warning("long_poll_gap account=%d", context.account_id)


def _batch(events: list[Any], context: ChannelContext, mark: str) -> Batch:
    arrivals: list[Arrival] = []
    poison: list[tuple[bytes, str]] = []
    for event in events:
        try:
            arrivals += read_event(event, context.now())
        except Exception as error:  # noqa: BLE001 - one odd event never blocks the rest
            raw = json.dumps(event, ensure_ascii=False).encode(errors="replace")
            poison.append((raw, f"{type(error).__name__}: {error}"))
    return Batch(arrivals=tuple(arrivals), mark=mark, poison=tuple(poison))


async def _in_background(function: Callable[[], T]) -> T:
    """Run a blocking wait in a thread that nobody has to wait for: it ends with the process."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, failure = None, None
        try:
            result = function()
        except BaseException as error:  # noqa: BLE001 - handed over to whoever waits
            failure = error
        try:
            loop.call_soon_threadsafe(settle, result, failure)
        except RuntimeError:
            return  # the loop is gone, and with it everybody who waited

    threading.Thread(target=run, name="vk-long-poll", daemon=True).start()
    return await future
