"""Commands about retention: what is removed by its age."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hub.commands.base import Command
from hub.ids import AccountId, RetentionId


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveRetention(Command):
    """Add a rule (id 0) or change one; gives its id. `account_id` 0 is every channel.

    `subject` is one of `SUBJECTS`, or what a plugin keeps (`Ageing`). A rule that is not active
    removes nothing: its preview says what it would.
    """

    permission: ClassVar[str] = "system.manage"

    rule_id: RetentionId = RetentionId(0)
    subject: str = ""
    account_id: AccountId = AccountId(0)
    days: int
    active: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveRetention(Command):
    """Forget a rule; what it removed does not come back."""

    permission: ClassVar[str] = "system.manage"

    rule_id: RetentionId


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRetention(Command):
    """Carry an active rule out now instead of at night."""

    permission: ClassVar[str] = "system.manage"

    rule_id: RetentionId


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRetention(Command):
    """Remove the next batch of what a rule says; gives how much there was."""

    rule_id: RetentionId
    limit: int = 200
