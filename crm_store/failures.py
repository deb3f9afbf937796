"""Failures of the database: those that pass, and those that come again with the same rows."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from crm_store.room import lacks_room


def is_passing(error: BaseException) -> bool:
    """Say whether nothing could be written at that moment: the server is gone, the disk is full,
    somebody held a lock too long. The same write may succeed later."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return isinstance(error, OperationalError | InterfaceError) or lacks_room(error)
