"""An account's "what happens with new messages here": choices that write an ordinary rule."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from hub.account_intake import SLOT, Intake, choices_of, command_of
from hub.commands import RemoveRule
from hub.ids import AccountId
from hub.records.rules import Rule
from hub.records.system import Account
from hub.rule_desk import RuleDesk
from hub.web.settings.common import _, form_of, go, hub_of, needs, number, runtime_of
from triggers import rules as reads

MAKES = (
    ("", _("Nothing: a colleague says what it is")),
    ("lead", _("A lead, unless the person has an open one")),
    ("request", _("A request, unless the person has an open one")),
    ("interest", _("An interest, unless the person has an open one")),
    ("reject", _("It is rejected, and its sender remembered")),
)
GIVES = (
    ("", _("Nobody: as the account is set")),
    ("route", _("To whoever is at work")),
    ("team", _("To a team")),
    ("user", _("To a colleague")),
)


async def _known(request: Request, account_id: AccountId) -> tuple[Rule | None, list[Rule]]:
    """Give the rule that this form wrote, and every other that names the account."""
    if "rules.view" not in request.state.may:
        return None, []
    rules = await hub_of(request).read(reads.all_rules)
    own = next((one for one in rules if one.account_id == account_id and one.slot == SLOT), None)
    mine = [one for one in rules if one is not own and f"'{account_id}'" in str(one.definition)]
    return own, mine


async def values_of(request: Request, account: Account) -> dict[str, Any]:
    """Give what the section of the account's page shows."""
    own, others = await _known(request, account.id)
    desk = RuleDesk(runtime_of(request), hub_of(request))
    chosen = choices_of(account.id, own.definition) if own is not None else Intake()
    return {
        "intake": chosen,
        "intake_rule": own,
        "intake_said": desk.sentence(own.definition, request.state.language) if own else None,
        "intake_others": others,
        "makes": MAKES,
        "gives": GIVES,
    }


@needs("rules.manage")
async def save(request: Request) -> Response:
    """Write the rule, or put it away where nothing is chosen."""
    account_id = AccountId(number(request.path_params["account"]))
    hub = hub_of(request)
    account = await hub.account(account_id)
    form = await form_of(request)
    give = str(form.get("give", ""))
    to = str(form.get(give, "")) if give in ("team", "user") else ""
    intake = Intake(
        make=str(form.get("make", "")),
        give=give,
        to=number(to) if to else 0,
        greeting=str(form.get("greeting", ""))[:4000],
        reason=str(form.get("reason", ""))[:200],
    )
    own, _others = await _known(request, account_id)
    if not intake.is_nothing:
        await hub.do(command_of(account_id, account.title, intake, request.state.language, own))
    elif own is not None:
        await hub.do(RemoveRule(rule_id=own.id))
    return go(f"/settings/channels/{account_id}", "saved")


def routes() -> list[BaseRoute]:
    """Give the form's route."""
    return [Route("/settings/channels/{account}/intake", save, methods=["POST"])]
