"""Retention: what is removed by its age, after a look at what that would be."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Response

from crm_store import retention as store
from hub import commands as c
from hub.http_api import rights
from hub.http_api.caller import Caller
from hub.http_api.errors import failures
from hub.http_api.shapes import retention as s
from hub.ids import AccountId, RetentionId
from hub.shapes import GivenId

router = rights.router("Retention")

RuleKey = Annotated[GivenId, Path(alias="rule_id", description="The rule.")]


async def _shown(caller: Caller, rule_id: int) -> s.RetentionRule:
    found = await caller.hub.read(store.one_rule, RetentionId(rule_id))
    return s.RetentionRule.model_validate(found)


@router.get("/retention", summary="List rules of retention")
async def page(caller: rights.MayManageSystem) -> list[s.RetentionRule]:
    """Give the rules; there are none at first, and nothing is removed."""
    found = await caller.hub.read(store.all_rules)
    return [s.RetentionRule.model_validate(one) for one in found]


@router.post("/retention", status_code=201, summary="Add a rule of retention")
async def create(caller: rights.MayManageSystem, body: s.CreateRetention) -> s.RetentionRule:
    """Add a rule for what and where it says; there is one for each."""
    made = await caller.hub.do(
        c.SaveRetention(
            subject=body.subject,
            account_id=AccountId(body.account_id or 0),
            days=body.days,
            active=body.active,
        )
    )
    return await _shown(caller, made[0])


@router.put("/retention/{rule_id}", summary="Change a rule of retention")
async def change(
    caller: rights.MayManageSystem, rule_id: RuleKey, body: s.ChangeRetention
) -> s.RetentionRule:
    """Say how long things are kept, and switch the rule on or off."""
    await caller.hub.do(
        c.SaveRetention(rule_id=RetentionId(rule_id), days=body.days, active=body.active)
    )
    return await _shown(caller, rule_id)


@router.delete("/retention/{rule_id}", status_code=204, summary="Remove a rule of retention")
async def remove(caller: rights.MayManageSystem, rule_id: RuleKey) -> Response:
    """Forget a rule; what it removed does not come back."""
    await caller.hub.do(c.RemoveRetention(rule_id=RetentionId(rule_id)))
    return Response(status_code=204)


@router.get("/retention/{rule_id}/preview", summary="What a rule would remove")
async def preview(caller: rights.MayManageSystem, rule_id: RuleKey) -> s.RetentionPreview:
    """Count what the rule would remove now; nothing is removed."""
    rule = await caller.hub.read(store.one_rule, RetentionId(rule_id))
    count = await caller.hub.read(store.preview, rule.subject, rule.account_id, rule.days)
    return s.RetentionPreview(count=count)


@router.post(
    "/retention/{rule_id}/run", status_code=202, summary="Run a rule", responses=failures(409)
)
async def run(caller: rights.MayManageSystem, rule_id: RuleKey) -> s.RetentionRule:
    """Carry an active rule out now instead of at night."""
    await caller.hub.do(c.RunRetention(rule_id=RetentionId(rule_id)))
    return await _shown(caller, rule_id)
