"""Records of retention."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hub.ids import AccountId, Micros, RetentionId

SUBJECTS = (
    "messages",
    "files",
    "dialogs",
    "leads",
    "journal",
    "rule_runs",
    "rule_marks",
    "rule_hours",
    "notices",
)
"""What can be removed by its age: words of messages, their files, words of closed dialogs,
rejected leads, facts of the journal that nobody is shown, runs of rules, their marks of what is
done once, their counts by the hour, and notices."""
OF_ACCOUNTS = ("messages", "files", "dialogs")
"""What a rule may remove of one channel only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionRule:
    """What is removed once it is `days` old; `account_id` 0 is every channel."""

    id: RetentionId
    subject: str
    account_id: AccountId
    days: int
    active: bool
    running_since: Micros
    last_run_at: Micros
    last_counts: Mapping[str, int]
    version: int
