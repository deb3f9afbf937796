"""Commands about accounts: the configured channels and their health."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from hub.commands.base import Command
from hub.ids import AccountId, Micros, TeamId, UserId
from hub.templates import Template


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateAccount(Command):
    """Connect a channel; settings are checked by the channel's own model. Gives the id."""

    permission: ClassVar[str] = "accounts.manage"

    channel: str
    title: str
    settings: Mapping[str, object] = field(default_factory=dict, repr=False)
    account_id: AccountId = AccountId(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateAccount(Command):
    """Change an account; None leaves a field alone.

    In `settings` a secret that is absent or empty keeps its stored value. `thread_rule` is
    `always_one`, `reopen` (within `reopen_days`) or `always_new`: what a message after a
    closed dialog does (R12). `members` limits who sees the account; empty means everybody.
    """

    permission: ClassVar[str] = "accounts.manage"

    account_id: AccountId
    title: str | None = None
    settings: Mapping[str, object] | None = field(default=None, repr=False)
    paused: bool | None = None
    signature: str | None = None
    thread_rule: str | None = None
    reopen_days: int | None = None
    team_id: TeamId | None = None
    members: tuple[UserId, ...] | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveAccount(Command):
    """Disconnect a channel; its dialogs stay and can be read, nothing comes or leaves."""

    permission: ClassVar[str] = "accounts.manage"

    account_id: AccountId


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordHealth(Command):
    """Note an account's state: `ok`, `down` or `needs_secret`, with the reason in words."""

    account_id: AccountId
    state: str
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordConnection(Command):
    """Note what a channel remembers, and to which webhook the provider was pointed.

    `connected_to` None and `memory` None leave what is there.
    """

    account_id: AccountId
    connected_to: str | None = None
    memory: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordInspection(Command):
    """Note what the provider says of an account: its webhook, and what is left of a quota."""

    account_id: AccountId
    webhook: str = ""
    quota: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveTemplates(Command):
    """Put the provider's catalogue in the place of the stored one; gives how many changed.

    With `error` the catalogue stays and the failure is shown beside it. `asked_at` is when the
    provider was asked: what was asked for before the stored catalogue is dropped (0: just now).
    """

    account_id: AccountId
    templates: tuple[Template, ...] = ()
    error: str = ""
    asked_at: Micros = Micros(0)
