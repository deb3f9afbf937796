"""Room on the disk: how its lack differs from other failures, and what people are told."""

from __future__ import annotations

import errno
import shutil
import sqlite3
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from hub.errors import HubError

NO_ROOM = HubError("the server's disk is full: ask an administrator to make room, then try again")
LEAST_ROOM = 8_000_000
"""Bytes of the data folder's disk below which a larger file or letter finds no room any more."""
_NUMBERS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SQLITE = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE)
"""The second where a database is opened on a full disk (sqlite.org/rescode.html)."""
_DISK_FULL = "53100"
"""PostgreSQL's `disk_full` (its manual, appendix A)."""


def lacks_room(error: BaseException) -> bool:
    """Say whether something could not be written for want of room alone."""
    if isinstance(error, DBAPIError):
        cause = error.orig
        code = getattr(cause, "sqlite_errorcode", None)
        return code in _SQLITE or getattr(cause, "sqlstate", "") == _DISK_FULL
    return isinstance(error, OSError) and error.errno in _NUMBERS


def free_room(folder: Path) -> int:
    """Give how many bytes the disk of a folder still takes."""
    return shutil.disk_usage(folder).free


def has_room(folder: Path) -> bool:
    """Say whether the disk of a folder takes more."""
    return free_room(folder) >= LEAST_ROOM
