"""Interests as a board: the stages of a pipeline, its enquiries, and the moves of cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from crm_store import boards
from crm_store import dialogs as dialog_reads
from crm_store import objects as reads
from crm_store import users as user_reads
from crm_store.nouns import NOUNS
from crm_store.objects import ObjectQuery
from crm_store.pipelines import all_pipelines, my_pipelines
from crm_store.viewer import Reader
from hub import commands as c
from hub.commands import Command
from hub.errors import Conflict, HubError, Invalid, NotFound
from hub.ids import DialogId, InterestId, Micros, StageId
from hub.records.interests import Pipeline, Stage
from hub.records.objects import ObjectPage
from hub.web.board import COLUMN, Card, Column, Zone, is_overdue, refused
from hub.web.board_views import Narrowed, narrowed, show_board
from hub.web.bodies import object_in
from hub.web.filter_bar import Tree
from hub.web.i18n import translate
from hub.web.numbers import number
from hub.web.object_lists import Screen
from hub.web.objects import _, page, whole_of
from hub.web.ref_names import Names, names_by_id

INTEREST = NOUNS["interest"]
SCREEN = Screen(noun=INTEREST, section="interests")
SHOWN = (
    "title", "client_id", "contact_id", "owner_id", "amount", "currency", "stage_since", "next_step",
    "next_step_at", "expected_close",
)  # fmt: skip
"""What a card shows of an interest."""


def _is(field: str, value: object) -> Tree:
    return {"field": f"interest.{field}", "operator": "equals", "value": value}


def _chosen(reader: Reader, wanted: str) -> tuple[list[Pipeline], Pipeline | None]:
    known = my_pipelines(reader)
    found = next((one for one in known if str(one.id) == wanted), None)
    return known, found or (known[0] if known else None)


def _query(asked: Narrowed, stage: Stage | None, before: str = "") -> ObjectQuery:
    parts = [_is("status", "in_work")]
    if stage is not None:
        parts.append(_is("stage", str(stage.id)))
    return asked.query(*parts, sort="-stage_since", before=before, limit=COLUMN)


def _card(one: Any, stage: Stage, names: Mapping[str, Any], now: Micros) -> Card:
    return Card(
        id=str(one.id),
        title=one.title,
        href=f"/interests/{one.id}",
        who=names["client"].get(one.client_id) or names["contact"].get(one.contact_id, ""),
        owner=names["user"].get(one.owner_id, ""),
        owner_id=one.owner_id,
        amount=one.amount,
        currency=one.currency,
        since=one.stage_since,
        step=one.next_step,
        step_at=one.next_step_at,
        overdue=is_overdue(one.next_step_at, now) or is_overdue(one.expected_close, now),
        stays_long=bool(stage.norm_us) and now - one.stage_since > stage.norm_us,
        has_no_step=not one.next_step and not one.next_step_at,
    )


def _columns(
    reader: Reader,
    stages: Sequence[Stage],
    heaps: Mapping[int, boards.Heap],
    queries: Sequence[ObjectQuery],
    nouns: Any,
) -> list[Column]:
    found = reads.pages(reader, INTEREST, queries, SHOWN)
    names = _names(reader, nouns, [one for page in found for one in page.items])
    return [
        _column(reader, stage, heaps.get(stage.id, boards.Heap()), page, names)
        for stage, page in zip(stages, found, strict=True)
    ]


def _names(reader: Reader, nouns: Any, shown: Sequence[Any]) -> Names:
    """Give the names on some cards: the person is named where no client is."""
    users = names_by_id(reader, nouns, "user", (one.owner_id for one in shown))
    clients = names_by_id(reader, nouns, "client", (one.client_id for one in shown))
    others = (one.contact_id for one in shown if one.client_id not in clients)
    return {
        "user": users,
        "client": clients,
        "contact": names_by_id(reader, nouns, "contact", others),
    }


def _column(
    reader: Reader,
    stage: Stage,
    heap: boards.Heap,
    found: ObjectPage[Any],
    names: Mapping[str, Any],
) -> Column:
    return Column(
        key=str(stage.id),
        title=stage.name,
        count=heap.count,
        sums=heap.sums,
        colour=stage.colour,
        cards=tuple(_card(one, stage, names, reader.now) for one in found.items),
        next=found.next,
        allowed=tuple(str(one) for one in stage.allowed),
        limit=stage.wip_limit,
    )


def _intake(reader: Reader) -> Column | None:
    """The enquiries without verdict: dialogs about which nothing was decided yet."""
    ids = boards.enquiries(reader)
    if not ids:
        return None
    found = dialog_reads.several(reader, ids[: boards.MOST_ENQUIRIES])
    cards = tuple(
        Card(
            id=f"d{one.id}",
            title=one.subject or one.preview or one.contact_name,
            href=f"/inbox/{one.id}",
            who=one.contact_name,
            since=one.last_at,
        )
        for one in found
    )
    return Column(key="intake", title=_("Enquiries"), count=len(ids), cards=cards, takes=False)


def _zones(line: Pipeline, language: str) -> list[Zone]:
    reasons = tuple(
        (str(one.id), translate(language, one.name), one.needs_comment)
        for one in line.reasons
        if one.active
    )
    return [
        Zone(key="won", title=_("Won"), tone="good", icon="check", combo="W"),
        Zone(
            key="lost",
            title=_("Lost"),
            tone="bad",
            icon="x",
            asks="reasons",
            options=reasons,
            combo="Shift+L",
        ),
    ]


async def board(request: Request) -> Response:
    """Show a pipeline as a board."""
    nouns = request.app.state.runtime.nouns

    def fill(reader: Reader, asked: Narrowed) -> dict[str, Any]:
        known, line = _chosen(reader, request.query_params.get("pipeline", ""))
        columns: list[Column] = []
        if line is not None:
            heaps = boards.stage_heaps(reader, _query(asked, None))
            queries = [_query(asked, one) for one in line.stages]
            columns = _columns(reader, line.stages, heaps, queries, nouns)
            intake = _intake(reader) if asked.is_whole else None
            columns = [intake, *columns] if intake is not None else columns
        return {
            "pipelines": known,
            "line": line,
            "columns": columns,
            "zones": _zones(line, request.state.language) if line is not None else [],
        }

    by = ("interest.status", "interest.stage")
    return await show_board(request, SCREEN, fill, by=by, template="board")


async def column(request: Request) -> Response:
    """Give the following cards of one column."""
    params = request.query_params
    stage_id = number(params.get("stage", "0"))

    def load(reader: Reader) -> dict[str, Any]:
        found = next(
            (each for one in my_pipelines(reader) for each in one.stages if each.id == stage_id),
            None,
        )
        if found is None:
            raise NotFound("there is no such stage")
        query = _query(
            narrowed(reader, INTEREST.kind, params), found, params.get("before", "")[:450]
        )
        nouns = request.app.state.runtime.nouns
        return {"column": _columns(reader, [found], {}, [query], nouns)[0]}

    return page(request, "cards", kind=INTEREST.kind, **await request.state.hub.read(load))


async def move(request: Request) -> Response:
    """Put a card into another column or zone; an enquiry becomes an interest there."""
    body = await object_in(request)
    card, to, seen = (str(body.get(name, "")) for name in ("card", "to", "seen"))
    try:
        made = await request.state.hub.do(_wanted(card, to, seen, body))
    except (Conflict, Invalid) as error:
        more = await told(request, error)
        if isinstance(error, Conflict) and error.what == "missing":
            more["form"] = f"/interests/{number(card)}/lacks?{urlencode({'to': to, 'seen': seen})}"
        return refused(request, error, **more)
    return JSONResponse({"ok": True, "id": str(made[0] or card)})


def _wanted(card: str, to: str, seen: str, body: Mapping[str, Any]) -> Command:
    if card.startswith("d"):
        values = {"stage_id": to}
        return c.CreateObject(kind="interest", dialog_id=DialogId(number(card[1:])), values=values)
    interest_id = InterestId(number(card))
    if seen in ("won", "lost"):
        return c.ReopenInterest(interest_id=interest_id)
    if to == "won":
        return c.WinInterest(interest_id=interest_id)
    if to == "lost":
        return c.LoseInterest(
            interest_id=interest_id,
            reason_id=number(body.get("reason") or "0"),
            comment=str(body.get("comment", "")),
        )
    return c.MoveInterest(
        interest_id=interest_id,
        stage_id=StageId(number(to)),
        seen=StageId(number(seen or "0")),
    )


async def told(request: Request, error: HubError) -> dict[str, object]:
    """Give what a refusal means in names: who moved it where, what is missing."""
    details: Any = error.details if isinstance(error, Conflict) else None
    if not isinstance(details, dict):
        return {}
    language = request.state.language
    kind = (await whole_of(request, INTEREST)).kind
    fields = [kind.property(one) for one in details.get("fields", ())]
    found: dict[str, object] = {
        "missing": [
            *(str(one.translations.get(language, one.label)) for one in fields),
            *details.get("points", ()),
        ]
    }
    if "by" not in details:
        return found

    def load(reader: Reader) -> dict[str, object]:
        stages = {str(each.id): each.name for one in all_pipelines(reader) for each in one.stages}
        users = {str(one.id): one.name for one in user_reads.all_users(reader)}
        where = translate(language, stages.get(details["stage_id"], ""))
        return {"who": users.get(details["by"], ""), "where": where}

    known: dict[str, object] = await request.state.hub.read(load)
    return found | known


def routes() -> list[BaseRoute]:
    """Give the routes of the board."""
    return [
        Route("/interests", board, methods=["GET"]),
        Route("/interests/column", column, methods=["GET"]),
        Route("/interests/move", move, methods=["POST"]),
    ]
