"""Failures that pass, and those that come again with the same rows."""

from __future__ import annotations

import errno

from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from crm_store.room import lacks_room

_OF_THE_CONTENT = (errno.EINVAL, errno.EILSEQ, errno.ENAMETOOLONG)
"""What a system answers because of what it was given: it answers so again."""


def is_passing(error: BaseException) -> bool:
    """Say whether nothing could be done at that moment: the server is gone, the disk is full,
    somebody held a lock too long, every connection was in use, no more files could be opened, the
    data folder cannot be read. The same may succeed later, untouched.

    An OSError that no system call gave (it has no number) is a program's own word, and stays.
    """
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    if isinstance(error, OSError):
        return error.errno is not None and error.errno not in _OF_THE_CONTENT
    return isinstance(error, OperationalError | InterfaceError | PoolTimeout) or lacks_room(error)


_TAKEN = ("23505", "SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_UNIQUE")


def is_taken(error: IntegrityError) -> bool:
    """Say whether what was to be written has the key of something that is there already."""
    names = (getattr(error.orig, name, None) for name in ("sqlstate", "sqlite_errorname"))
    return any(one in _TAKEN for one in names)


def is_too_large(error: BaseException) -> bool:
    """Say whether a number is beyond what the database can keep."""
    return isinstance(error, OverflowError) or (
        isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", "") == "22003"
    )
