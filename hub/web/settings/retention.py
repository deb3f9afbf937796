"""Retention: how long what is kept, what a rule would remove, and what it removed."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from crm_store import accounts as account_reads
from crm_store import retention as store
from crm_store.viewer import Reader
from hub import commands as c
from hub.errors import Conflict, Invalid
from hub.ids import AccountId, RetentionId
from hub.records.retention import SUBJECTS
from hub.web.settings.common import _, form_of, go, hub_of, needs, number, say, show

PATH = "/settings/retention"
WORDS = {
    "messages": _("Words of messages"),
    "files": _("Files of messages"),
    "dialogs": _("Words of closed dialogs"),
    "leads": _("Rejected leads"),
    "journal": _("Facts of the journal that no history shows"),
    "rule_runs": _("Runs of rules"),
    "rule_marks": _("Marks of rules: what was done once may be done again"),
    "rule_hours": _("Counts of rules by the hour"),
    "notices": _("Notices to colleagues"),
}


def _days(text: object) -> int:
    word = str(text).strip()
    return int(word) if word.isascii() and word.isdecimal() and len(word) < 6 else 0


@needs("system.manage")
async def retention(request: Request) -> Response:
    """Show the rules with what they would remove; add, change, run or remove one."""
    hub = hub_of(request)
    ageing = request.app.state.runtime.ageing
    problem = ""
    if request.method == "POST":
        form = await form_of(request)
        rule_id = RetentionId(number(form.get("rule", "0") or "0"))
        days, active = _days(form.get("days", "")), form.get("active") == "yes"
        command: c.Command
        match str(form.get("do", "add")):
            case "remove":
                command = c.RemoveRetention(rule_id=rule_id)
            case "run":
                command = c.RunRetention(rule_id=rule_id)
            case "save":
                command = c.SaveRetention(rule_id=rule_id, days=days, active=active)
            case _:
                command = c.SaveRetention(
                    subject=str(form.get("subject", "")),
                    account_id=AccountId(number(form.get("account", "0") or "0")),
                    days=days,
                )
        try:
            await hub.do(command)
            return go(PATH, "saved")
        except (Invalid, Conflict) as error:
            problem = say(request, str(error))

    def load(reader: Reader) -> dict[str, Any]:
        rules = store.all_rules(reader)
        return {
            "rules": rules,
            "due": {
                one.id: store.preview(reader, one.subject, one.account_id, one.days)
                for one in rules
            },
            "accounts": {one.id: one.title for one in account_reads.all_accounts(reader)},
        }

    return show(
        request,
        "retention",
        "retention",
        422 if problem else 200,
        subjects=(*SUBJECTS, *ageing),
        words={**WORDS, **{one.name: one.label for one in ageing.values()}},
        problem=problem,
        **await hub.read(load),
    )


def routes() -> list[BaseRoute]:
    """Give the route of retention."""
    return [Route(PATH, retention, methods=["GET", "POST"])]
