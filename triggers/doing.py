"""Doing: the commands of one step, with what they made; a failing step is lost alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy.exc import DBAPIError

from crm_store.unit_of_work import UnitOfWork
from hub.commands import Command
from hub.errors import Conflict, HubError
from hub.ids import RunId
from triggers.plans import PlannedStep

HELD = frozenset(
    {
        "automated",
        "too_many_automatic",
        "window_closed",
        "person_blocked",
        "newer_messages",
        "assignee",
        "status",
        "quiet_hours",
        "unsubscribed",
        "no_consent",
        "no_way",
        "asked",
        "group",
        "nothing_missing",
        "over",
    }
)
"""Conflicts that are no failure of the rule: the world does not want it now."""
_FIELDS = ("dialog_id", "lead_id", "client_id", "contact_id", "message_id")


class NeedsCare(HubError):
    """A step failed: the plan must be carried out again with a savepoint for each step."""


class Steps:
    """The steps of one run at work; `effects` are rows of what they made or changed.

    `done` is what commands gave that were carried out already, by their identity.
    """

    def __init__(
        self, uow: UnitOfWork, run_id: RunId, done: Mapping[int, Any], *, careful: bool
    ) -> None:
        self._uow = uow
        self._run_id = run_id
        self._done = done
        self._careful = careful
        self.effects: list[dict[str, Any]] = []

    def do(self, step: PlannedStep) -> dict[str, str]:
        """Carry a step out; gives what became of it, as the run keeps it."""
        if step.state:
            return told(step, step.state, step.reason)
        if not step.commands:
            return told(step, "skipped", "there was nothing to do")
        if self._careful:
            return self._carefully(step)
        try:
            return told(step, "done", result=self._give(step.commands))
        except DBAPIError:
            raise
        except Exception as error:
            raise NeedsCare(str(error)) from error

    def _carefully(self, step: PlannedStep) -> dict[str, str]:
        tx = self._uow.tx
        mark = tx.mark()
        savepoint = self._uow.conn.begin_nested()
        try:
            result = self._give(step.commands)
        except DBAPIError:
            raise
        except Exception as error:  # noqa: BLE001 - the step is lost and said so, the run goes on
            savepoint.rollback()
            tx.go_back(mark)
            held = isinstance(error, Conflict) and error.what in HELD
            text = str(error) if isinstance(error, HubError) else f"{type(error).__name__}: {error}"
            return told(step, "held" if held else "failed", text)
        savepoint.commit()
        return told(step, "done", result=result)

    def _give(self, commands: Iterable[Command]) -> str:
        effects: dict[tuple[str, int], None] = {}
        for one in commands:
            given = self._done[id(one)] if id(one) in self._done else self._uow.give(one)
            effects |= dict.fromkeys(effects_of(one, given))
        self.effects += [
            {"kind": kind, "object_id": number, "run_id": self._run_id} for kind, number in effects
        ]
        return ", ".join(f"{kind} {number}" for kind, number in effects)


def told(step: PlannedStep, state: str, reason: str = "", result: str = "") -> dict[str, str]:
    """Give what became of a step."""
    found = {"action": step.action, "state": state}
    if reason:
        found["reason"] = reason[:400]
    if result:
        found["result"] = result
    return found


def effects_of(command: Command, result: Any) -> list[tuple[str, int]]:
    """Say what a command made or changed, as (kind, id)."""
    name = type(command).__name__
    found: list[tuple[str, int]] = []
    if isinstance(result, int) and not isinstance(result, bool) and result > 0:
        if name in ("SendMessage", "SendElsewhere", "AskDetails", "AddNote"):
            found.append(("message", result))
        elif name.startswith("Create"):
            kind = getattr(command, "kind", "") or name.removeprefix("Create").lower()
            found.append((str(kind), result))
    kind = getattr(command, "kind", "")
    number = getattr(command, "object_id", 0)
    if kind and number:
        found.append((str(kind), int(number)))
    for field in _FIELDS:
        value = getattr(command, field, 0)
        if value and not (field == "dialog_id" and found):
            found.append((field.removesuffix("_id"), int(value)))
    return found
