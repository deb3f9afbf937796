"""What happens with new messages of an account: a few choices that write an ordinary rule.

The rule stands in the list like every other, can be tried, explained and edited there; a rule that
was edited beyond these choices is shown as it is and left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hub.commands import SaveRule
from hub.errors import Invalid
from hub.ids import AccountId, RuleId
from hub.records.rules import Rule

SLOT = "intake"
MADE = ("", "lead", "request", "interest", "reject")
GIVEN = ("", "route", "team", "user")


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """The choices: what is made of a new dialog, who gets it, what is answered at once."""

    make: str = ""
    give: str = ""
    to: int = 0
    greeting: str = ""
    reason: str = ""

    @property
    def is_nothing(self) -> bool:
        """True where messages only come into the inbox."""
        return not (self.make or self.give or self.greeting)


def definition_of(
    account_id: AccountId, title: str, intake: Intake, language: str
) -> dict[str, object]:
    """Give the rule that these choices write; raises Invalid."""
    if intake.make not in MADE or intake.give not in GIVEN:
        raise Invalid("there is no such choice", field="make")
    if intake.give in ("team", "user") and not intake.to:
        raise Invalid("choose who gets it", field="to")
    steps: list[dict[str, object]] = []
    if intake.make == "reject":
        reason = intake.reason.strip()
        if not reason:
            raise Invalid("say why it is rejected", field="reason")
        steps.append(_step("block_sender", reason=reason))
        steps.append(_step("close"))
    elif intake.make:
        steps.append(_step(f"create_{intake.make}"))
    if intake.make != "reject":
        if intake.give == "route":
            steps.append(_step("route"))
        elif intake.give:
            steps.append(_step("assign", **{intake.give: str(intake.to)}))
        if intake.greeting.strip():
            steps.append(_step("send_message", text=intake.greeting.strip()))
    name = f"{title}: новые обращения" if language == "ru" else f"{title}: new messages"
    rule: dict[str, object] = {
        "name": name[:200],
        "when": [{"event": "message.opening"}],
        "if": {
            "all": [
                {"field": "dialog.account", "operator": "equals", "value": str(account_id)},
                {"field": "message.automated", "operator": "equals", "value": False},
            ]
        },
        "then": steps,
    }
    if intake.greeting.strip() and intake.make != "reject":
        rule["guards"] = {"once_per": "dialog"}
    return rule


def _step(action: str, **params: object) -> dict[str, object]:
    found: dict[str, object] = {"action": f"crm_actions.{action}"}
    return found | {"params": params} if params else found


def choices_of(account_id: AccountId, definition: Mapping[str, object]) -> Intake | None:
    """Read the choices back from a rule; None for one that says more than they can."""
    steps = definition.get("then")
    values: dict[str, object] = {}
    for one in steps if isinstance(steps, list) else ():
        params = one.get("params") or {}
        match str(one.get("action", "")).removeprefix("crm_actions."):
            case "create_lead" | "create_request" | "create_interest" as word:
                values["make"] = word.removeprefix("create_")
            case "block_sender":
                values |= {"make": "reject", "reason": str(params.get("reason", ""))}
            case "route":
                values["give"] = "route"
            case "assign":
                who = "team" if params.get("team") else "user"
                values |= {"give": who, "to": int(params.get(who) or 0)}
            case "send_message":
                values["greeting"] = str(params.get("text", ""))
    intake = Intake(**values)  # type: ignore[arg-type]
    try:
        written = definition_of(account_id, "", intake, "en")
    except Invalid:
        return None
    same = ("when", "if", "then", "guards")
    return intake if all(written.get(one) == definition.get(one) for one in same) else None


def command_of(
    account_id: AccountId, title: str, intake: Intake, language: str, known: Rule | None
) -> SaveRule:
    """Give the command that writes the rule of an account's choices; it is on at once."""
    definition = definition_of(account_id, title, intake, language)
    if known is not None:
        definition["name"] = known.name
    return SaveRule(
        rule_id=known.id if known is not None else RuleId(0),
        definition=definition,
        enabled=True,
        armed="keep",
        account_id=account_id,
        slot=SLOT,
    )
