"""One community's calls to VK: one session in one thread of its own.

vk_api holds a lock over each call and sleeps between calls to stay under VK's twenty a second,
so more threads would only wait for one another; one keeps the order and the loop free.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from hub import OutcomeUnknown


class VkClient:
    """Calls methods of VK's API with a community's token."""

    def __init__(self, token: str, base: str) -> None:
        self._token = token
        self._base = base
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="vk")
        self._session: Any = None

    async def call(self, method: str, **values: object) -> Any:
        """Call a method; None leaves a parameter out, lists are joined, booleans are 1 and 0.

        Raises TemporaryFailure, PermanentFailure or OutcomeUnknown.
        """
        given = plain(values)
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, self._call, method, given
        )

    def method(self, method: str, values: Mapping[str, object]) -> Any:
        """Call a method from another thread and wait; the name that VkBotLongPoll expects."""
        return self._thread.submit(self._call, method, plain(values)).result()

    def _call(self, method: str, values: dict[str, str]) -> Any:
        from channels.vk import wire

        if self._session is None:
            self._session = wire.open_session(self._token, self._base)
        try:
            return self._session.method(method, values)
        except Exception as error:
            raise wire.meaning(error) from error

    async def community(self) -> tuple[int, str]:
        """Give the community that the token belongs to: its id and its name."""
        found = await self.call("groups.getById")
        try:
            first = found["groups"][0]
            return int(first["id"]), str(first.get("name", ""))
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise OutcomeUnknown("VK names no community for this token") from error

    def close(self) -> None:
        """Let the thread go once its call has ended; harmless when repeated."""
        with contextlib.suppress(RuntimeError):
            self._thread.submit(self._close)
        self._thread.shutdown(wait=False)

    def _close(self) -> None:
        if self._session is not None:
            self._session.http.close()


def plain(values: Mapping[str, object]) -> dict[str, str]:
    """Put parameters in the form in which VK takes them."""
    found = {}
    for name, value in values.items():
        if value is None:
            continue
        if isinstance(value, bool):
            found[name] = "1" if value else "0"
        elif isinstance(value, list | tuple):
            found[name] = ",".join(str(one) for one in value)
        else:
            found[name] = str(value)
    return found
