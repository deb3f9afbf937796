"""Rules: writing, ordering, switching and trying them; what they did and wait to do."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Header, Path, Query, Request, Response

from hub import commands as c
from hub.errors import Conflict, Invalid
from hub.http_api import rights
from hub.http_api.caller import Caller, runtime_of
from hub.http_api.endpoints.contacts import WithTag, version_of
from hub.http_api.errors import Refused, failures
from hub.http_api.shapes import rules as s
from hub.ids import DialogId, EventId, RuleId, RunId, TimerId
from hub.objects import Ref
from hub.rule_desk import RuleDesk
from hub.shapes import GivenId, Listing, Made
from triggers import rules as reads
from triggers import runs, timer_rows

router = rights.router("Rules")

RuleKey = Annotated[GivenId, Path(alias="rule_id", description="The rule.")]
Language = Annotated[str, Query(pattern="^(en|ru)$", description="Of labels and texts.")]


def _desk(request: Request, caller: Caller) -> RuleDesk:
    return RuleDesk(runtime_of(request), caller.hub)


def _shape(desk: RuleDesk, found: Any) -> s.Rule:
    shape = s.Rule.model_validate(found)
    return shape.model_copy(update={"warnings": desk.warnings(found.definition)})


async def _shown(request: Request, caller: Caller, rule_id: int, response: Response) -> s.Rule:
    found = await caller.hub.read(reads.rule, RuleId(rule_id))
    response.headers["etag"] = f'"{found.version}"'
    desk = _desk(request, caller)
    shape = s.Rule.model_validate(found)
    doubts = await desk.doubts(found.definition, found.id)
    return shape.model_copy(update={"warnings": doubts})


@router.get("/rules", summary="List rules")
async def page(
    request: Request,
    caller: rights.MayViewRules,
    removed: Annotated[bool, Query(description="What was removed.")] = False,
) -> list[s.Rule]:
    """Give every rule in the order in which they are judged."""
    desk = _desk(request, caller)
    found = await caller.hub.read(lambda reader: reads.all_rules(reader, removed=removed))
    return [_shape(desk, one) for one in found]


@router.post("/rules", status_code=201, summary="Add a rule")
async def create(
    request: Request, caller: rights.MayManageRules, body: s.SaveRule, response: Response
) -> s.Rule:
    """Write a rule at the end of the list, switched off unless `enabled`; its examples are run."""
    made = await caller.hub.do(
        c.SaveRule(
            definition=body.definition,
            enabled=bool(body.enabled),
            armed=body.armed,
            draft=body.draft,
        )
    )
    return await _shown(request, caller, made[0], response)


@router.get("/rules/export", summary="Export rules")
async def export(request: Request, caller: rights.MayViewRules) -> s.Exported:
    """Give every rule's JSON."""
    found = await caller.hub.read(reads.all_rules)
    return s.Exported(schema=1, rules=[dict(one.definition) for one in found])


@router.post("/rules/import", status_code=201, summary="Import rules")
async def import_rules(
    request: Request, caller: rights.MayManageRules, body: s.ImportRules
) -> list[s.Rule]:
    """Write rules, all or none; each one's examples are run. They are off unless `enabled`."""
    made = await caller.hub.do(
        *(c.SaveRule(definition=one, enabled=body.enabled) for one in body.rules)
    )
    desk = _desk(request, caller)
    return [_shape(desk, await caller.hub.read(reads.rule, RuleId(one))) for one in made]


@router.post("/rules/check", summary="Check a rule")
async def check(
    request: Request, caller: rights.MayViewRules, body: s.CheckRule, language: Language = "en"
) -> s.Checked:
    """Say everything that is wrong with a rule at once, and what it says in words."""
    desk = _desk(request, caller)
    wrong = desk.objections(body.definition)
    return s.Checked(
        wrong=[s.Objection(path=one.field, message=str(one)) for one in wrong],
        warnings=[]
        if wrong
        else await desk.doubts(body.definition, RuleId(body.rule_id or 0), language),
        sentence=s.Sentence.model_validate(desk.sentence(body.definition, language)),
    )


@router.post("/rules/try", summary="Try a rule")
async def try_rule(request: Request, caller: rights.MayViewRules, body: s.Try) -> s.TriedOn:
    """Say what a rule would have done; nothing is done and nothing leaves the house."""
    given = [body.event_id, body.dialog_id, body.values, body.days]
    if sum(one is not None for one in given) != 1:
        raise Invalid("exactly one of event_id, dialog_id, values, days", field="event_id")
    desk = _desk(request, caller)
    rule, definition = await desk.to_try(RuleId(body.rule_id or 0), body.definition)
    if body.days is not None:
        found = await desk.on_days(rule, definition, body.days)
        return s.TriedOn.model_validate(found)
    if body.values is not None:
        cases = [desk.on_values(definition, body.values)]
    elif body.event_id is not None:
        cases = [await desk.on_event(rule, definition, EventId(body.event_id))]
    else:
        cases = await desk.why_not(rule, definition, DialogId(body.dialog_id or 0))
    return s.TriedOn(
        cases=[s.Tried.model_validate(one) for one in cases],
        fired=sum(one.fires for one in cases),
        judged=len(cases),
    )


@router.get("/rules/why", summary="Why rules did not run")
async def why(
    request: Request,
    caller: rights.MayViewRules,
    dialog_id: Annotated[GivenId, Query(description="The dialog.")],
) -> list[s.WhyNot]:
    """Judge every rule anew on what happened last in a dialog; nothing is done."""
    found = await _desk(request, caller).why_in_dialog(DialogId(dialog_id))
    return [
        s.WhyNot(
            rule_id=rule.id,
            name=rule.name,
            enabled=rule.enabled,
            cases=[s.Tried.model_validate(each) for each in cases],
        )
        for rule, cases in found
    ]


@router.get("/rules/{rule_id}", summary="One rule", responses=WithTag)
async def one(
    request: Request, caller: rights.MayViewRules, rule_id: RuleKey, response: Response
) -> s.Rule:
    """Give a rule with its version as ETag."""
    return await _shown(request, caller, rule_id, response)


@router.put("/rules/{rule_id}", summary="Change a rule", responses=failures(409, 412))
async def change(
    request: Request,
    caller: rights.MayManageRules,
    rule_id: RuleKey,
    body: s.SaveRule,
    response: Response,
    if_match: Annotated[
        str, Header(max_length=100, description="The ETag you saw; another is refused with 412.")
    ] = "",
) -> s.Rule:
    """Write a new version; with `If-Match` nobody's change is overwritten unseen."""
    command = c.SaveRule(
        rule_id=RuleId(rule_id),
        definition=body.definition,
        version=version_of(if_match),
        enabled=body.enabled,
        armed=body.armed,
        draft=body.draft,
    )
    try:
        await caller.hub.do(command)
    except Conflict as error:
        if error.what == "version":
            raise Refused(412, "version", str(error), details=error.details) from error
        raise
    return await _shown(request, caller, rule_id, response)


@router.delete("/rules/{rule_id}", status_code=204, summary="Remove a rule")
async def remove(caller: rights.MayManageRules, rule_id: RuleKey) -> Response:
    """Put a rule away with what it waits to do."""
    await caller.hub.do(c.RemoveRule(rule_id=RuleId(rule_id)))
    return Response(status_code=204)


@router.post("/rules/{rule_id}/restore", summary="Bring a rule back")
async def restore(
    request: Request, caller: rights.MayManageRules, rule_id: RuleKey, response: Response
) -> s.Rule:
    """Bring a removed rule back, switched off."""
    await caller.hub.do(c.RemoveRule(rule_id=RuleId(rule_id), restore=True))
    return await _shown(request, caller, rule_id, response)


@router.post("/rules/{rule_id}/switch", summary="Switch a rule")
async def switch(
    request: Request,
    caller: rights.MayManageRules,
    rule_id: RuleKey,
    body: s.Switch,
    response: Response,
) -> s.Rule:
    """Switch a rule on (which also ends a pause) or off (which holds what it has armed)."""
    await caller.hub.do(c.SwitchRule(rule_id=RuleId(rule_id), enabled=body.enabled))
    return await _shown(request, caller, rule_id, response)


@router.post("/rules/{rule_id}/move", summary="Move a rule")
async def move(
    request: Request,
    caller: rights.MayManageRules,
    rule_id: RuleKey,
    body: s.Move,
    response: Response,
) -> s.Rule:
    """Put a rule before another, or at the end."""
    await caller.hub.do(c.MoveRule(rule_id=RuleId(rule_id), before=RuleId(body.before or 0)))
    return await _shown(request, caller, rule_id, response)


@router.post("/rules/{rule_id}/run", status_code=202, summary="Run a rule by hand")
async def run(caller: rights.MayRunRules, rule_id: RuleKey, body: s.RunOn) -> Made:
    """Ask a rule that begins with `asked` to run; its conditions are judged as always.

    Gives the rule's id: what it did stands in its runs.
    """
    await caller.hub.do(
        c.AskRule(
            rule_id=RuleId(rule_id),
            dialog_id=DialogId(body.dialog_id or 0),
            about=Ref(kind=body.kind, id=body.object_id or 0),
        )
    )
    return Made(id=RuleId(rule_id))


@router.get("/rules/{rule_id}/versions", summary="Versions of a rule")
async def versions(caller: rights.MayViewRules, rule_id: RuleKey) -> list[s.RuleVersion]:
    """Give what the rule said, the newest first."""
    found = await caller.hub.read(reads.versions, RuleId(rule_id))
    return [s.RuleVersion.model_validate(one) for one in found]


@router.post("/rules/{rule_id}/versions/{version}/restore", summary="Restore a version")
async def restore_version(
    request: Request,
    caller: rights.MayManageRules,
    rule_id: RuleKey,
    version: Annotated[int, Path(ge=1, le=1_000_000)],
    response: Response,
    armed: Annotated[
        Literal["ask", "keep", "cancel"], Query(description="As where a rule is changed.")
    ] = "ask",
) -> s.Rule:
    """Make an earlier version the newest one."""
    await caller.hub.do(c.RestoreRule(rule_id=RuleId(rule_id), version=version, armed=armed))
    return await _shown(request, caller, rule_id, response)


@router.get("/rule-runs", summary="What rules did")
async def run_log(
    caller: rights.MayViewRules,
    rule_id: Annotated[GivenId | None, Query(description="Of one rule.")] = None,
    dialog_id: Annotated[GivenId | None, Query(description="In one dialog.")] = None,
    contact_id: Annotated[GivenId | None, Query(description="With one person.")] = None,
    kind: Annotated[str, Query(max_length=60, description="With object_id: what made it.")] = "",
    object_id: Annotated[GivenId | None, Query(description="An object, a message.")] = None,
    state: Annotated[
        str, Query(max_length=20, description="done, partial, held, failed, waiting, cancelled")
    ] = "",
    q: Annotated[str, Query(max_length=200, description="Words of the run.")] = "",
    before: Annotated[GivenId | None, Query(description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Listing[s.RuleRun]:
    """Give runs with their reasons, the newest first."""
    found = await caller.hub.read(
        lambda reader: runs.page(
            reader,
            rule_id=rule_id or 0,
            dialog_id=dialog_id or 0,
            contact_id=contact_id or 0,
            kind=kind,
            object_id=object_id or 0,
            state=state,
            text=q,
            before=before or 0,
            limit=limit,
        )
    )
    following = str(found[-1].id) if len(found) == limit else ""
    return Listing[s.RuleRun](
        items=[s.RuleRun.model_validate(one) for one in found], next=following
    )


@router.get("/rule-runs/{run_id}", summary="One run")
async def one_run(
    caller: rights.MayViewRules,
    run_id: Annotated[GivenId, Path(description="The run.")],
) -> s.RuleRun:
    """Give a run: event, each condition with the value seen, what was done."""
    return s.RuleRun.model_validate(await caller.hub.read(runs.one, RunId(run_id)))


@router.get("/rule-timers", summary="What rules wait to do")
async def waiting(
    caller: rights.MayViewRules,
    rule_id: Annotated[GivenId | None, Query(description="Of one rule.")] = None,
    dialog_id: Annotated[GivenId | None, Query(description="In one dialog.")] = None,
    contact_id: Annotated[GivenId | None, Query(description="With one person.")] = None,
    before: Annotated[str, Query(max_length=60, description="`next` of the page before.")] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Listing[s.RuleTimer]:
    """Give timers, the next one first."""
    found = await caller.hub.read(
        lambda reader: timer_rows.waiting(
            reader,
            rule_id=rule_id or 0,
            dialog_id=dialog_id or 0,
            contact_id=contact_id or 0,
            before=before,
            limit=limit,
        )
    )
    following = f"{found[-1].due_at}-{found[-1].id}" if len(found) == limit else ""
    return Listing[s.RuleTimer](
        items=[s.RuleTimer.model_validate(one) for one in found], next=following
    )


@router.delete("/rule-timers/{timer_id}", status_code=204, summary="Cancel a timer")
async def cancel(
    caller: rights.MayManageRules,
    timer_id: Annotated[GivenId, Path(description="The timer.")],
) -> Response:
    """Take away something that a rule waits to do."""
    await caller.hub.do(c.CancelTimer(timer_id=TimerId(timer_id)))
    return Response(status_code=204)


@router.get("/rule-words", summary="What rules may say")
async def words(
    request: Request, caller: rights.MayViewRules, language: Language = "en"
) -> s.RuleWords:
    """Give every event, field, operator and action, core's and plugins'."""
    desk = _desk(request, caller)
    found = desk.words(language) | {"references": await desk.references(language)}
    return s.RuleWords.model_validate(found)


@router.get("/rule-recipes", summary="Ready rules")
async def recipes(
    request: Request, caller: rights.MayViewRules, language: Language = "en"
) -> list[s.Recipe]:
    """Give the gallery."""
    return [s.Recipe.model_validate(one) for one in _desk(request, caller).recipes(language)]


@router.post("/rule-recipes/{name}", status_code=201, summary="Use a ready rule")
async def use_recipe(
    request: Request,
    caller: rights.MayManageRules,
    name: Annotated[str, Path(max_length=200, description="The recipe's key.")],
    body: s.UseRecipe,
    response: Response,
    language: Language = "en",
) -> s.Rule:
    """Make an ordinary rule of a recipe, switched off unless `enabled`."""
    command = _desk(request, caller).of_recipe(name, language, body.answers, enabled=body.enabled)
    made = await caller.hub.do(command)
    return await _shown(request, caller, made[0], response)
