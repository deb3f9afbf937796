"""Commands about rules: writing them, ordering them, switching them, running them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from hub.commands.base import Command
from hub.ids import AccountId, ContactId, DialogId, EventId, RuleId, TimerId
from hub.objects import Ref

NOTHING = Ref(kind="", id=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveRule(Command):
    """Write a rule (id 0 makes a new one, at the end of the list); gives its id.

    `definition` is its JSON; it is checked before the transaction, its examples are run.
    `version`, where given, must be the rule's newest, else Conflict. `armed` says what becomes of
    what earlier versions wait to do: `keep` it (each timer then does what the rule says now),
    `cancel` it, or `ask`: Conflict `armed` with their number where there is any. Schedules and
    dates of cards are worked out anew in any case. `account_id` marks a rule that an account's
    page writes. A `draft` may have what cannot be judged yet: then it is kept switched off.
    """

    permission: ClassVar[str] = "rules.manage"

    definition: Mapping[str, object]
    rule_id: RuleId = RuleId(0)
    version: int | None = None
    enabled: bool | None = None
    armed: str = "keep"
    account_id: AccountId = AccountId(0)
    recipe: str = ""
    slot: str = ""
    draft: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveRule(Command):
    """Put a rule before another one; `before` 0 puts it at the end."""

    permission: ClassVar[str] = "rules.manage"

    rule_id: RuleId
    before: RuleId = RuleId(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchRule(Command):
    """Switch a rule on or off; on also ends a pause. Off holds what it has armed."""

    permission: ClassVar[str] = "rules.manage"

    rule_id: RuleId
    enabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveRule(Command):
    """Put a rule away with its timers; its versions and runs stay. `restore` brings it back."""

    permission: ClassVar[str] = "rules.manage"

    rule_id: RuleId
    restore: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreRule(Command):
    """Make an earlier version of a rule its newest one; gives the new version's number."""

    permission: ClassVar[str] = "rules.manage"

    rule_id: RuleId
    version: int
    armed: str = "keep"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskRule(Command):
    """Run a rule by hand on a dialog or an object; its conditions are judged as always."""

    permission: ClassVar[str] = "rules.run"

    rule_id: RuleId
    dialog_id: DialogId = DialogId(0)
    about: Ref = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishEvent(Command):
    """Put an event of the house's own on record: webhooks, plugins and other rules hear of it.

    `name` is a word of yours (`order.ready`), `text` what is to be told with it; it is about a
    dialog, a person, an object, or none of them.
    """

    permission: ClassVar[str] = "rules.manage"

    name: str
    text: str = ""
    dialog_id: DialogId = DialogId(0)
    contact_id: ContactId = ContactId(0)
    about: Ref = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelTimer(Command):
    """Take away something that a rule waits to do."""

    permission: ClassVar[str] = "rules.manage"

    timer_id: TimerId


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseRule(Command):
    """Pause a rule that cannot work; the reason is one of plugin, errors, fuse."""

    rule_id: RuleId
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CarryOut(Command):
    """Carry out decided runs with their commands, and move the engine's place: one transaction.

    `plan` is the engine's own (triggers/plans.py). `seen` is the place in the journal from which
    it was decided: another place raises Conflict, so that nothing is decided twice. `careful`
    gives every step a savepoint of its own, so that only the failing one is lost.
    """

    plan: tuple[object, ...] = field(repr=False)
    seen: EventId
    read_to: EventId
    careful: bool = False
