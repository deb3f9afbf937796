"""Files that pass: what is made to be sent or kept, and lies on the disk only meanwhile.

They hold people's data, so they lie in the data directory and not in the machine's temporary
folder; what a killed process left behind is removed by the next start.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.responses import FileResponse
from starlette.types import Receive, Scope, Send

log = logging.getLogger("hub.scratch")
NAME = "tmp"


class Scratch:
    """A process's own folder for temporary files, for as long as the process lives.

    Libraries write there too (a workbook's sheets, parts of an upload): it becomes the
    process's temporary folder. Processes that share a data directory know by the kernel's lock
    which folders are in use.
    """

    def __init__(self, data: Path) -> None:
        self._room = data / NAME
        self._own: Path | None = None
        self._lock = -1

    def take(self) -> None:
        """Remove what dead processes left, and make a folder; the machine's serves where none can.

        A disk without room must not keep the hub from starting.
        """
        try:
            self._room.mkdir(parents=True, exist_ok=True)
            room = _locked(self._room, wait=True)
            try:
                self._sweep()
                self._own = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=self._room))
                self._lock = _locked(self._own)
            finally:
                os.close(room)
        except OSError as error:
            log.warning("scratch_not_made error=%s", error.strerror)
            return
        tempfile.tempdir = str(self._own)

    def _sweep(self) -> None:
        for folder in self._room.iterdir():
            try:
                lock = _locked(folder)
            except OSError:
                continue
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)

    def drop(self) -> None:
        """Remove the folder with all that is left in it."""
        if self._own is None:
            return
        tempfile.tempdir = None
        shutil.rmtree(self._own, ignore_errors=True)
        if self._lock >= 0:
            os.close(self._lock)
        self._own, self._lock = None, -1


def _locked(folder: Path, *, wait: bool = False) -> int:
    """Lock a folder; raises OSError where another process has it."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        os.close(opened)
        raise
    return opened


class PassingFile(FileResponse):
    """A file that is removed once it was sent, or whoever asked has gone."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            shutil.rmtree(Path(self.path).parent, ignore_errors=True)


async def passing_file(
    write: Callable[[Path], Awaitable[object]], *, name: str, media_type: str
) -> PassingFile:
    """Have a file written and give it as the answer; nothing of it is left if writing fails."""
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp))
    path = folder / "file"
    try:
        await write(path)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return PassingFile(path, media_type=media_type, filename=name)
