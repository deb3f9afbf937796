"""Commands about roles: what people may do, and with whose work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from hub.commands.base import Command
from hub.ids import AccountId
from hub.roles import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveRole(Command):
    """Make a role of one's own (as a copy of `based_on`), or change one; None leaves alone.

    `scope` says which channels (`all`, or `accounts` for those open to each user), `scopes` whose
    work by subject (`dialogs`, `leads` ...), `account_scopes` whose dialogs on single channels.
    `version` refuses to write over a change that the writer has not seen. Gives the new version.
    """

    permission: ClassVar[str] = "users.manage"

    name: str
    based_on: str = ""
    permissions: frozenset[str] | None = None
    scope: str | None = None
    scopes: Mapping[str, Scope] | None = None
    account_scopes: Mapping[AccountId, Scope] | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveRole(Command):
    """Delete a role of one's own that nobody has."""

    permission: ClassVar[str] = "users.manage"

    name: str
