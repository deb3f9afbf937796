"""Pipelines on screen: their stages in order, what a stage asks for, and why interests are lost."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from crm_store import custom
from crm_store import pipelines as reads
from crm_store import roles as role_reads
from crm_store.nouns import NOUNS
from crm_store.pipelines import COLOURS, REQUIRABLE
from crm_store.viewer import Reader
from hub.commands import (
    Command,
    RemovePipeline,
    RemoveStage,
    SaveLossReason,
    SavePipeline,
    SaveStage,
)
from hub.errors import Conflict, Invalid, NotFound
from hub.ids import PipelineId, StageId
from hub.nouns import INTERESTS
from hub.properties import DAY
from hub.records.interests import Pipeline, Point
from hub.web.auth import checked_form
from hub.web.i18n import translate
from hub.web.numbers import number
from hub.web.objects import whole_of
from hub.web.settings.common import go, hub_of, needs, say, show

PATH = "/settings/pipelines"


def _load(reader: Reader) -> dict[str, Any]:
    return {
        "pipelines": reads.all_pipelines(reader),
        "roles": [one.name for one in role_reads.all_roles(reader)],
    }


async def _shown(request: Request, status: int = 200, problem: str = "") -> Response:
    language = request.state.language
    own = custom.customs(await whole_of(request, NOUNS["interest"]))
    asked = [
        (prop.name, str(prop.translations.get(language, prop.label)))
        for prop in (*(INTERESTS.property(one) for one in REQUIRABLE), *own)
    ]
    values = await hub_of(request).read(_load)
    wanted = request.query_params.get("pipeline", "")
    lines: list[Pipeline] = values["pipelines"]
    line = next((one for one in lines if str(one.id) == wanted), lines[0])
    return show(
        request,
        "pipelines",
        "pipelines",
        status,
        problem=problem,
        line=line,
        asked=asked,
        colours=COLOURS,
        days=lambda one: one.norm_us // DAY,
        **values,
    )


@needs("pipelines.manage")
async def screen(request: Request) -> Response:
    """Show a pipeline with everything that can be set up in it."""
    return await _shown(request)


def _named(form: Any, language: str, had: str = "") -> str:
    """Give the name of a form; one that is shown translated stays as it is kept."""
    given = str(form.get("name", ""))
    return had if had and " ".join(given.split()) == translate(language, had) else given


def _whole(form: Any, name: str, default: int = 0) -> int:
    given = str(form.get(name, "")).strip()
    try:
        return int(given) if given else default
    except ValueError:
        raise Invalid("a whole number is needed", field=name) from None


def _points(form: Any, known: tuple[Point, ...]) -> tuple[Point, ...]:
    """Read the checklist, a point in each line, required ones with a ! before them."""
    ids = {one.text: one.id for one in known}
    taken = {one.id for one in known}
    found: list[Point] = []
    for text in str(form.get("checklist", "")).splitlines():
        words = text.strip().removeprefix("!").strip()
        if not words or words in {one.text for one in found}:
            continue
        mark = ids.get(words) or next(f"p{n}" for n in range(1, 1000) if f"p{n}" not in taken)
        taken.add(mark)
        found.append(Point(id=mark, text=words, required=text.strip().startswith("!")))
    return tuple(found)


def _stage(form: Any, line: Pipeline, language: str) -> SaveStage:
    stage_id = number(form.get("stage", "0") or "0")
    had = line.stage(stage_id)
    return SaveStage(
        pipeline_id=line.id,
        stage_id=StageId(stage_id),
        name=_named(form, language, had.name if had is not None else ""),
        position=_whole(form, "position", -1) - (1 if form.get("position") else 0),
        colour=str(form.get("colour", "")),
        probability=_whole(form, "probability"),
        norm_us=_whole(form, "days") * DAY,
        wip_limit=_whole(form, "wip_limit"),
        required=tuple(str(one) for one in form.getlist("required")),
        checklist=_points(form, had.checklist if had is not None else ()),
        allowed=tuple(StageId(number(one)) for one in form.getlist("allowed")),
    )


def _wish(form: Any, line: Pipeline, language: str) -> Command:
    match str(form.get("do", "")):
        case "pipeline" | "new":
            is_new = form.get("do") == "new"
            return SavePipeline(
                pipeline_id=PipelineId(0) if is_new else line.id,
                name=_named(form, language, "" if is_new else line.name),
                position=_whole(form, "position", line.position),
                active=is_new or form.get("active") == "yes",
                roles=tuple(str(one) for one in form.getlist("roles")),
            )
        case "stage":
            return _stage(form, line, language)
        case "remove-stage":
            return RemoveStage(
                stage_id=StageId(number(form.get("stage", "0"))),
                move_to=StageId(number(form.get("move_to", "0") or "0")),
            )
        case "reason":
            reason_id = number(form.get("reason", "0") or "0")
            had = next((one.name for one in line.reasons if one.id == reason_id), "")
            return SaveLossReason(
                pipeline_id=line.id,
                reason_id=reason_id,
                name=_named(form, language, had),
                position=_whole(form, "position", len(line.reasons)),
                needs_comment=form.get("needs_comment") == "yes",
                active=form.get("active") == "yes" or not form.get("reason"),
            )
        case "remove":
            return RemovePipeline(pipeline_id=line.id)
    raise NotFound("there is no such action")


@needs("pipelines.manage")
async def act(request: Request) -> Response:
    """Set something up."""
    form = await checked_form(request)
    hub = hub_of(request)
    line: Pipeline = await hub.read(reads.pipeline, number(form.get("pipeline", "0")))
    try:
        made = (await hub.do(_wish(form, line, request.state.language)))[0]
    except (Invalid, Conflict) as error:
        return await _shown(request, 422, say(request, str(error)))
    if form.get("do") == "remove":
        return go(PATH, "removed")
    return go(PATH, "saved", pipeline=str(made if form.get("do") == "new" else line.id))


def routes() -> list[BaseRoute]:
    """Give the routes of this screen."""
    return [Route(PATH, screen, methods=["GET"]), Route(PATH, act, methods=["POST"])]
