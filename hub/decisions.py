"""A stranger's decisions run aside: one daemon thread per plugin, given up when it hangs.

A thread of Python cannot be ended from outside. One that does not answer in time is left behind
with what it was asked, and the next question starts another; a daemon does not hold up the exit.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

Question = tuple[Future[Any], Callable[[], Any]]


@dataclass(slots=True)
class Aside:
    """Where one plugin's decision hooks run."""

    plugin: str
    _questions: SimpleQueue[Question | None] | None = field(default=None, init=False)

    async def ask(self, function: Callable[[], Any], seconds: float) -> Any:
        """Call a function in the plugin's thread; raises TimeoutError, and what it raises."""
        if self._questions is None:
            self._questions = SimpleQueue()
            threading.Thread(
                target=_answer,
                args=(self._questions,),
                name=f"decisions of {self.plugin}",
                daemon=True,
            ).start()
        questions = self._questions
        answer: Future[Any] = Future()
        questions.put((answer, function))
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.wrap_future(answer)
        except TimeoutError:
            if self._questions is questions and not answer.done():
                self.close()
            raise

    def close(self) -> None:
        """Let the thread end after what it is at."""
        if self._questions is not None:
            self._questions.put(None)
            self._questions = None


def _answer(questions: SimpleQueue[Question | None]) -> None:
    while (question := questions.get()) is not None:
        answer, function = question
        # Nobody waits any more for what was given up while it stood in the queue.
        if not answer.set_running_or_notify_cancel():
            continue
        try:
            answer.set_result(function())
        except BaseException as error:  # noqa: BLE001 - handed to who asked
            answer.set_exception(error)
