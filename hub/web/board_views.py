"""What narrows a board: its own views, saved ones and the filter bar; every board alike.

As with a list, the address is the state. The further cards of a column are read by the same words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from crm_store import views as view_reads
from crm_store.custom import whole_of
from crm_store.objects import ObjectQuery
from crm_store.sql import keep_plans
from crm_store.viewer import Reader
from hub.errors import Invalid
from hub.kinds import Kind
from hub.web.filter_bar import Tree, chips, joined, parts_of, written
from hub.web.object_lists import Screen, address, askable, one_more, said_in, view_of
from hub.web.objects import _, colleagues, page

VIEWS = {"": _("All"), "mine": _("Mine")}
"""The views that every board has of itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowed:
    """What a board is narrowed to: the view, the conditions of bar or saved view, the text."""

    view: str = ""
    tree: Tree | None = None
    text: str = ""
    mine: Tree | None = None

    @property
    def is_whole(self) -> bool:
        """True where the board shows everything."""
        return not (self.tree or self.text or self.mine)

    def query(self, *parts: Tree, sort: str, before: str = "", limit: int = 1) -> ObjectQuery:
        """Give the query of what is shown that meets also these conditions."""
        asked = [*parts, *parts_of(self.mine), *parts_of(self.tree)]
        return ObjectQuery(
            filter=joined(asked), text=self.text, sort=sort, before=before, limit=limit
        )


Fill = Callable[[Reader, Narrowed], Mapping[str, Any]]


def narrowed(reader: Reader, kind: Kind, params: Mapping[str, str]) -> Narrowed:
    """Read what an address narrows a board to; raises Invalid where its filter is none."""
    view, tree = view_of(view_reads.saved_views(reader, kind.name), params)
    mine: Tree | None = None
    if not view and params.get("view") == "mine":
        view = "mine"
        mine = {
            "field": f"{kind.name}.{kind.owner.removesuffix('_id')}",
            "operator": "equals",
            "value": "me",
        }
    return Narrowed(view=view, tree=tree, text=params.get("q", "")[:200], mine=mine)


async def show_board(
    request: Request,
    screen: Screen,
    fill: Fill,
    *,
    by: tuple[str, ...],
    template: str,
    **values: Any,
) -> Response:
    """Draw a board: `fill` gives its columns; `by` are fields that the columns themselves ask for.

    An address whose filter is not understood shows the whole board and says what is wrong.
    """
    params = request.query_params

    async def again(same: Request) -> Response:
        return await show_board(same, screen, fill, by=by, template=template, **values)

    if "field" in params:
        return await one_more(request, screen, again)
    nouns = request.app.state.runtime.nouns

    def load(reader: Reader) -> dict[str, Any]:
        kind = whole_of(reader, screen.noun).kind
        reader.viewer.need(kind.read)
        wrong, found = "", Narrowed()
        try:
            found = narrowed(reader, kind, params)
            if found.is_whole:
                # Its columns are written into its questions, whoever asks.
                keep_plans(reader.conn)
            filled = fill(reader, found)
            bar = chips(kind, found.tree, request.state.language, said_in(reader, kind, nouns))
        except Invalid as error:
            wrong, found, bar = str(error), Narrowed(), []
            filled = fill(reader, found)
        return {
            "kind": kind,
            "wrong": wrong,
            "view": found.view,
            "query": ObjectQuery(text=found.text),
            "chips": bar,
            "filter_text": written(found.tree),
            # What is saved is what is shown: "mine" too.
            "shown_filter": written(joined([*parts_of(found.mine), *parts_of(found.tree)])),
            "saved": view_reads.saved_views(reader, kind.name),
            **colleagues(reader),
            **filled,
        }

    loaded = await request.state.hub.read(load)
    return page(
        request,
        template,
        422 if loaded["wrong"] else 200,
        section=screen.section,
        list_path=request.url.path,
        views=VIEWS,
        askable=[one for one in askable(loaded["kind"]) if one.name not in by],
        address=lambda **changes: address(request, **changes),
        **loaded,
        **values,
    )
