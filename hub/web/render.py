"""Turning records into HTML: one Jinja2 environment per language, formats by CLDR."""

from __future__ import annotations

import contextlib
import json
import re
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_time, format_timedelta
from babel.units import format_unit
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

from hub.channel import Channel
from hub.terms import query_terms, term_spans
from hub.web.i18n import texts_address, translations
from hub.web.static_files import hashed, import_map

TEMPLATES = Path(__file__).parent / "templates"
_REPLY = re.compile(r"(?i)^\s*(re|aw|sv|antw|отв|ответ)\s*(\[\d+\])?\s*:")
MAX_MARKS = 50
_LINK = re.compile(r"(?<![\w@])(https?://[^\s<>\"']{3,2000}[^\s<>\"'.,;:!?)\]])")


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
        self._environments: dict[str, Environment] = {}

    def environment(self, language: str) -> Environment:
        """Give the environment of a language."""
        found = self._environments.get(language)
        if found is None:
            found = self._environments[language] = self._make(language)
        return found

    def _make(self, language: str) -> Environment:
        loaders = {name: FileSystemLoader(folder) for name, folder in self._folders.items()}
        own = FileSystemLoader(TEMPLATES)
        environment = Environment(
            # The files of an installed hub do not change while it runs; looking costs every page.
            auto_reload=False,
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
            "static": hashed,
            "import_map": Markup(json.dumps({"imports": import_map()})),
            "icon": icon,
            "channel_icon": self._channel_icon,
            "language": language,
            "texts_address": texts_address(language),
            "initials": initials,
            "hue": hue,
        }
        environment.filters |= {
            "when": _when,
            "moment": _moment,
            "day": _day,
            "daykey": _daykey,
            "clock": _clock,
            "since": _since,
            "linked": linked,
            "is_reply": is_reply,
            "marked": marked,
            "breakable": breakable,
            "size": _size,
            "iso": iso,
        }
        return environment

    def _channel_icon(self, name: str) -> Markup:
        """Draw the mark of a channel; of one whose plugin is gone, that of any."""
        return icon(self._channels.get(name, Channel).icon)

    def text(self, template: str, language: str, **values: Any) -> str:
        """Render a template to text."""
        values.setdefault("zone", "UTC")
        return self.environment(language).get_template(template).render(**values)

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
            "plain_http": getattr(state, "plain_http", False),
            "nav": getattr(request.app.state, "nav", ()),
            **values,
        }
        return HTMLResponse(self.text(template, language, **values), status)


class _Compiled(FileSystemBytecodeCache):
    """Compiled templates of one release of Jinja2; a full or read-only disk costs only time."""

    def __init__(self, cache: Path) -> None:
        folder = cache / f"templates-{jinja_version}"
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


def initials(name: str) -> str:
    """Give one or two letters for a name without a picture."""
    words = [one for one in re.split(r"[\s._@-]+", name) if one and one[0].isalnum()]
    return "".join(one[0] for one in words[:2]).upper() or "?"


def hue(value: object) -> int:
    """Give a stable colour for an id, in degrees."""
    # Twelve hues that can be told apart; an id's own digits are mostly a clock.
    return zlib.crc32(str(value).encode()) % 12 * 30


@cache
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError):
        return ZoneInfo("UTC")


def is_reply(subject: str) -> bool:
    """Say whether a subject only repeats that of the dialog."""
    return _REPLY.match(subject) is not None


def _local(context: Context, micros: int) -> datetime:
    zone = _zone(str(context.get("zone") or "UTC"))
    return datetime.fromtimestamp(micros / 1_000_000, UTC).astimezone(zone)


def iso(micros: int) -> str:
    """Give an instant as RFC 3339."""
    return datetime.fromtimestamp(micros / 1_000_000, UTC).isoformat(timespec="seconds")


@pass_context
def _when(context: Context, micros: int) -> str:
    """Give the short form of a list: time today, day this year, else the date."""
    at, now = _local(context, micros), datetime.now(UTC)
    language = str(context.get("language"))
    now = now.astimezone(at.tzinfo)
    if at.date() == now.date():
        return format_time(at, "short", locale=language)
    if at.year == now.year:
        return format_date(at, "d MMM", locale=language)
    return format_date(at, "short", locale=language)


@pass_context
def _moment(context: Context, micros: int) -> str:
    """Give the full form with its zone, for tooltips and readers."""
    language = str(context.get("language"))
    return format_datetime(_local(context, micros), "d MMMM y, HH:mm z", locale=language)


@pass_context
def _clock(context: Context, micros: int) -> str:
    """Give the time of day."""
    return format_time(_local(context, micros), "short", locale=str(context.get("language")))


@pass_context
def _daykey(context: Context, micros: int) -> str:
    """Give the reader's day as a key."""
    return _local(context, micros).date().isoformat()


@pass_context
def _day(context: Context, micros: int) -> str:
    """Give the day, for separators."""
    at = _local(context, micros)
    language = str(context.get("language"))
    now = datetime.now(UTC).astimezone(at.tzinfo)
    if at.date() == now.date():
        return translations(language).gettext("Today")
    if (now.date() - at.date()).days == 1:
        return translations(language).gettext("Yesterday")
    style = "EEEE, d MMMM" if at.year == now.year else "d MMMM y"
    return format_date(at, style, locale=language)


@pass_context
def _since(context: Context, micros: int) -> str:
    """Give how long ago something was, in one short unit."""
    ago = datetime.now(UTC) - datetime.fromtimestamp(micros / 1_000_000, UTC)
    return format_timedelta(
        ago,
        granularity="minute",
        threshold=1.2,
        format="short",
        locale=str(context.get("language")),
    )


def breakable(address: str) -> Markup:
    """Let a long address break before its @ and after its dots, not inside a word."""
    return escape(address).replace("@", Markup("<wbr>@")).replace(".", Markup(".<wbr>"))


def marked(text: str, asked: str) -> Markup:
    """Escape a text and mark the words of a search in it, whatever their form."""
    parts = []
    last = 0
    for start, end in term_spans(text, query_terms(asked), MAX_MARKS):
        parts += [escape(text[last:start]), Markup("<mark>{}</mark>").format(text[start:end])]
        last = end
    return Markup("").join([*parts, escape(text[last:])])


def linked(text: str) -> Markup:
    """Escape a text and make its web addresses links that tell the target nothing."""
    parts = []
    last = 0
    for match in _LINK.finditer(text):
        parts.append(escape(text[last : match.start()]))
        url = match.group(1)
        parts.append(
            Markup('<a href="{}" target="_blank" rel="noopener noreferrer nofollow">{}</a>').format(
                url, url
            )
        )
        last = match.end()
    parts.append(escape(text[last:]))
    return Markup("").join(parts)


@pass_context
def _size(context: Context, count: int) -> str:
    """Give a file's size as people read it."""
    language = str(context.get("language"))
    unit, value = "byte", float(count)
    for bigger in ("kilobyte", "megabyte", "gigabyte"):
        if value < 1000:
            break
        unit, value = bigger, value / 1000
    pattern = "0" if unit == "byte" or value >= 10 else "0.#"
    return format_unit(value, unit, "short", format=pattern, locale=language)
