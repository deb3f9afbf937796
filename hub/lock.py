"""One hub per data directory: an embedded database has one writer, and one only."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from hub.errors import Conflict

NAME = "hub.lock"


class DataLock:
    """Holds a data directory for as long as the process lives; the kernel gives it back."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._file: IO[str] | None = None

    def take(self) -> None:
        """Take the directory; raises Conflict, naming the process that has it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            owner = file.read().strip()
            file.close()
            who = f"process {owner}" if owner else "another process"
            raise Conflict(
                f"a hub already runs on {self._path.parent} ({who}): "
                "stop it first, or give this one another --data",
                what="running",
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def drop(self) -> None:
        """Give the directory back."""
        if self._file is not None:
            self._file.truncate(0)
            self._file.close()
            self._file = None

    def is_taken(self) -> bool:
        """Say whether a hub runs on the directory."""
        try:
            self.take()
        except Conflict:
            return True
        self.drop()
        return False
