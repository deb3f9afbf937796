"""Turning records into HTML: one Jinja2 environment per language, formats by CLDR."""

from __future__ import annotations

import contextlib
import json
import re
import zlib
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache, partial
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import (
    Environment,
    FileSystemBytecodeCache,
    FileSystemLoader,
    PrefixLoader,
    StrictUndefined,
    pass_context,
)
from jinja2 import __version__ as jinja_version
from jinja2.bccache import Bucket
from jinja2.runtime import Context
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from hub.catalogues import translations
from hub.channel import Channel
from hub.properties import value_of
from hub.records.dialogs import Dialog
from hub.web.cells import cell, cells
from hub.web.compiled import VERSION, CompiledEnvironment
from hub.web.filters import FILTERS
from hub.web.i18n import texts_address, translate
from hub.web.instants import zone_of
from hub.web.plugin_words import plugin_word
from hub.web.rail import folded, rail
from hub.web.static_files import hashed, import_map
from hub.web.wording import linked, said

if TYPE_CHECKING:
    from hub.web.board import Column

TEMPLATES = Path(__file__).parent / "templates"
MAX_ROWS = 4_000
MAX_WORDS = 5_000


class Renderer:
    """Renders templates in the asking user's language.

    Templates compiled once are kept in `cache`, so that a start costs no second compilation.
    """

    def __init__(
        self,
        cache: Path | None = None,
        plugin_templates: Mapping[str, Path] | None = None,
        channels: Mapping[str, type[Channel]] | None = None,
    ) -> None:
        self._channels = channels or {}
        self._folders = dict(plugin_templates or {})
        self._compiled = _Compiled(cache) if cache is not None else None
        self._environments: dict[str, CompiledEnvironment] = {}
        self._rows: dict[tuple[object, ...], Markup] = {}
        self._drawers: dict[tuple[str, str, str], Callable[..., Markup]] = {}

    def environment(self, language: str) -> CompiledEnvironment:
        """Give the environment of a language."""
        found = self._environments.get(language)
        if found is None:
            found = self._environments[language] = self._make(language)
        return found

    def _make(self, language: str) -> CompiledEnvironment:
        loaders = {name: FileSystemLoader(folder) for name, folder in self._folders.items()}
        own = FileSystemLoader(TEMPLATES)
        environment = CompiledEnvironment(
            # The files of an installed hub do not change while it runs; looking costs every page.
            auto_reload=False,
            # All templates there are: which was used last is of no interest.
            cache_size=-1,
            loader=_Loaders(own, loaders),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
            bytecode_cache=self._compiled,
        )
        catalogue = translations(language)
        environment.install_gettext_callables(  # type: ignore[attr-defined]
            catalogue.gettext, catalogue.ngettext, newstyle=True
        )
        environment.globals |= {
            "_": Words(catalogue),
            "cell": cell,
            "cells": cells,
            "drawn_row": self._drawn_row,
            "drawn_cards": self._drawn_cards,
            "static": hashed,
            "import_map": Markup(json.dumps({"imports": import_map()})),
            "icon": icon,
            "channel_icon": self._channel_icon,
            "language": language,
            "texts_address": texts_address(language),
            "initials": initials,
            "hue": hue,
        }
        environment.filters |= FILTERS
        environment.filters |= {"linked": linked, "said": said, "prop": value_of}
        environment.filters["plugin_word"] = partial(plugin_word, language)
        # What went wrong, as it was kept: an error's text with something filled in.
        environment.filters["told"] = partial(translate, language)
        return environment

    def _channel_icon(self, name: str) -> Markup:
        """Draw the mark of a channel; of one whose plugin is gone, that of any."""
        return icon(self._channels.get(name, Channel).icon)

    @pass_context
    def _drawn_row(
        self, context: Context, one: Dialog, users: Mapping[Any, Any], open: bool = False
    ) -> Markup:
        """Draw a row of the list, once for everybody to whom it looks the same.

        The hub's own list is asked for by every colleague again and again, and hardly changes.
        """
        zone = str(context.get("zone") or "UTC")
        assignee = users.get(one.assignee_id)
        today = datetime.now(zone_of(zone)).toordinal()
        language = str(context.get("language"))
        due = (context.get("dues") or {}).get(one.id, 0)
        key = (one, open, assignee.name if assignee else "", due, language, zone, today)
        found = self._rows.get(key)
        if found is None:
            found = self._keep(key, self._row_of(language, zone)(one, users, open, due))
        return found

    @pass_context
    def _drawn_cards(self, context: Context, column: Column, edit: bool) -> Markup:
        """Draw the cards of a column, each once for everybody to whom it looks the same."""
        zone = str(context.get("zone") or "UTC")
        today = datetime.now(zone_of(zone)).toordinal()
        language = str(context.get("language"))
        draw = self._drawer("objects/boardcard.html", "board_card", language, zone)
        since = FILTERS["since"]
        where = (column.key, column.takes, edit, language, zone, today)
        drawn = []
        for one in column.cards:
            key = (one, since(context, one.since) if one.since else "", where)
            found = self._rows.get(key)
            if found is None:
                found = self._keep(key, draw(one, column.key, column.takes, edit))
            drawn.append(found)
        return Markup("\n".join(drawn))

    def _keep(self, key: tuple[object, ...], drawn: Markup) -> Markup:
        if len(self._rows) >= MAX_ROWS:
            self._rows.clear()
        self._rows[key] = drawn
        return drawn

    def _row_of(self, language: str, zone: str) -> Callable[..., Markup]:
        """Give what draws rows for people of one language and zone."""
        return self._drawer("inbox/row.html", "dialog_row", language, zone)

    def _drawer(self, name: str, macro: str, language: str, zone: str) -> Callable[..., Markup]:
        found = self._drawers.get((macro, language, zone))
        if found is None:
            template = self.environment(language).get_template(name)
            found = getattr(template.make_module({"zone": zone}), macro)
            self._drawers[macro, language, zone] = found
        return found

    def row(self, language: str, one: Dialog, users: Mapping[Any, Any], due: int = 0) -> Markup:
        """Draw a row for the stream, whose page writes the times in its own zone."""
        return self._row_of(language, "UTC")(one, users, False, due)

    def text(self, template: str, language: str, **values: Any) -> str:
        """Render a template to text."""
        values.setdefault("zone", "UTC")
        return self.environment(language).draw(template, values)

    def page(
        self, request: Request, template: str, status: int = 200, **values: Any
    ) -> HTMLResponse:
        """Render a page or a fragment for a request."""
        state = request.state
        language = getattr(state, "language", "en")
        user = getattr(state, "user", None)
        values = {
            "request": request,
            "user": user,
            "nonce": getattr(state, "nonce", ""),
            "csrf": getattr(state, "csrf", ""),
            "zone": getattr(state, "zone", "") or "UTC",
            "path": request.url.path,
            "may": getattr(state, "may", frozenset()),
            "eyes": getattr(state, "eyes", None),
            "desk": getattr(state, "desk", None),
            "plain_http": getattr(state, "plain_http", False),
            "no_room": getattr(state, "framed", False) and request.app.state.runtime.lacks_room(),
            "nav": getattr(request.app.state, "nav", ()),
            **values,
        }
        places = rail(values["may"], values["nav"])
        values["places"], values["more_places"] = folded(places)
        return HTMLResponse(self.text(template, language, **values), status)


class Words:
    """Looks up the words of a page: each once, as they hardly ever hold anything to fill in.

    What is looked up is often somebody's own word (a stage, a reason), and no word is markup.
    """

    def __init__(self, catalogue: GNUTranslations | NullTranslations) -> None:
        self._catalogue = catalogue
        self._plain: dict[str, Markup] = {}

    def __call__(self, text: str, /, **values: Any) -> Markup:
        """Give the text in the reader's language, filled in where there are values."""
        if values:
            return escape(self._catalogue.gettext(text)) % values
        found = self._plain.get(text)
        if found is None:
            found = escape(self._catalogue.gettext(text))
            if len(self._plain) < MAX_WORDS:
                self._plain[text] = found
        return found


class _Compiled(FileSystemBytecodeCache):
    """Compiled templates of one release of Jinja2; a full or read-only disk costs only time."""

    def __init__(self, cache: Path) -> None:
        folder = cache / f"templates-{jinja_version}-{VERSION}"
        with contextlib.suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        super().__init__(str(folder))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep one compiled template."""
        with contextlib.suppress(OSError):
            super().dump_bytecode(bucket)


class _Loaders(PrefixLoader):
    """Own templates by their name, a plugin's under `<plugin>/...`."""

    def __init__(self, own: FileSystemLoader, plugins: Mapping[str, FileSystemLoader]) -> None:
        super().__init__(plugins)
        self._own = own

    def get_source(self, environment: Environment, template: str) -> Any:
        """Find a template."""
        if template.split("/", 1)[0] in self.mapping:
            return super().get_source(environment, template)
        return self._own.get_source(environment, template)

    def load(self, environment: Environment, name: str, globals: Any = None) -> Any:
        """Load a template."""
        if name.split("/", 1)[0] in self.mapping:
            return super().load(environment, name, globals)
        return self._own.load(environment, name, globals)


@lru_cache(1_000)
def icon(name: str, label: str = "") -> Markup:
    """Draw an icon of the sprite; without a label it is decoration."""
    hidden = (
        Markup('aria-hidden="true"')
        if not label
        else Markup('role="img" aria-label="{}"').format(label)
    )
    return Markup('<svg class="icon" {}><use href="{}#{}"></use></svg>').format(
        hidden, hashed("icons.svg"), name
    )


@lru_cache(4_000)
def initials(name: str) -> str:
    """Give one or two letters for a name without a picture."""
    words = [one for one in re.split(r"[\s._@-]+", name) if one and one[0].isalnum()]
    return "".join(one[0] for one in words[:2]).upper() or "?"


def hue(value: object) -> int:
    """Give a stable colour for an id, in degrees."""
    # Twelve hues that can be told apart; an id's own digits are mostly a clock.
    return zlib.crc32(str(value).encode()) % 12 * 30
