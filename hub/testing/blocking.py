"""Finds what blocks the event loop: waits on the loop's own thread, and long computations.

Waiting is found by name, not by the clock, so a busy machine makes no false alarm: sleeping, and
every socket call that may wait, are charged when the thread of a running loop makes them.
Computation is measured in the thread's processor time, which does not grow while others run.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

LIMIT_SECONDS = 0.05
"""One step of the loop may compute so long."""

_SOCKET_CALLS = ("connect", "accept", "recv", "recv_into", "recvfrom", "send", "sendall", "sendto")


@contextmanager
def watch_loop(limit: float = LIMIT_SECONDS) -> Iterator[list[str]]:
    """Collect, in words, every blocking call and every step longer than the limit."""
    found: list[str] = []
    undo: list[Callable[[], None]] = []

    def put(owner: Any, name: str, value: Any) -> None:
        had, old = name in vars(owner), getattr(owner, name)
        setattr(owner, name, value)
        undo.append(lambda: setattr(owner, name, old) if had else delattr(owner, name))

    def charged(name: str, original: Callable[..., Any], waits: Callable[..., bool]) -> Any:
        def call(*arguments: Any, **more: Any) -> Any:
            if _on_loop() and waits(*arguments):
                found.append(f"{name} on the event loop, {_caller()}")
            return original(*arguments, **more)

        return call

    put(time, "sleep", charged("time.sleep", time.sleep, lambda *_: True))
    put(subprocess.Popen, "wait", charged("a process", subprocess.Popen.wait, lambda *_: True))
    for name in _SOCKET_CALLS:
        original = getattr(socket.socket, name)
        put(socket.socket, name, charged(f"socket.{name}", original, _may_wait))
    put(socket, "getaddrinfo", charged("a name look-up", socket.getaddrinfo, _is_name))
    put(asyncio.Handle, "_run", _measured(asyncio.Handle._run, limit, found))
    try:
        yield found
    finally:
        for one in reversed(undo):
            one()


def _measured(run: Callable[[Any], Any], limit: float, found: list[str]) -> Callable[[Any], Any]:
    def measured(handle: Any) -> Any:
        started = time.thread_time()
        try:
            return run(handle)
        finally:
            took = time.thread_time() - started
            if took > limit:
                found.append(f"{took * 1000:.0f} ms of computing in one step of {handle!r:.200}")

    return measured


def _on_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _may_wait(one: socket.socket, *_: object) -> bool:
    return one.gettimeout() != 0.0


def _is_name(host: object, *_: object) -> bool:
    """Numbers are not looked up."""
    text = host.decode() if isinstance(host, bytes) else str(host or "")
    return bool(text) and not text.replace(".", "").isdigit() and ":" not in text


def _caller() -> str:
    """The nearest caller outside the standard library, as `file:line`."""
    for frame in reversed(traceback.extract_stack()[:-3]):
        if "/asyncio/" not in frame.filename and "hub/testing/blocking" not in frame.filename:
            return f"called at {frame.filename}:{frame.lineno} in {frame.name}"
    return ""
