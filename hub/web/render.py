"""Turning records into HTML: one Jinja2 environment per language, formats by CLDR."""

from __future__ import annotations

import contextlib
import json
import re
import time
import zlib
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_time, format_timedelta
from babel.numbers import format_currency, format_decimal
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
from hub.properties import value_of
from hub.records.dialogs import Dialog
from hub.terms import query_terms, term_spans
from hub.web.i18n import texts_address, translations
from hub.web.rail import folded, rail
from hub.web.static_files import hashed, import_map
from hub.web.wording import linked, said

TEMPLATES = Path(__file__).parent / "templates"
_REPLY = re.compile(r"(?i)^\s*(re|aw|sv|antw|отв|ответ)\s*(\[\d+\])?\s*:")
MAX_MARKS = 50
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
        self._environments: dict[str, Environment] = {}
        self._rows: dict[tuple[object, ...], Markup] = {}
        self._drawers: dict[tuple[str, str], Callable[..., Markup]] = {}

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
            "drawn_row": self._drawn_row,
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
            "said": said,
            "is_reply": is_reply,
            "marked": marked,
            "breakable": breakable,
            "size": _size,
            "iso": iso,
            "money": _money,
            "lasting": _lasting,
            "day_only": _day_only,
            "away": _away,
            "month_name": _month_name,
            "weekday_name": _weekday_name,
            "prop": value_of,
        }
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
        today = datetime.now(_zone(zone)).toordinal()
        language = str(context.get("language"))
        due = (context.get("dues") or {}).get(one.id, 0)
        key = (one, open, assignee.name if assignee else "", due, language, zone, today)
        found = self._rows.get(key)
        if found is None:
            if len(self._rows) >= MAX_ROWS:
                self._rows.clear()
            found = self._rows[key] = self._row_of(language, zone)(one, users, open, due)
        return found

    def _row_of(self, language: str, zone: str) -> Callable[..., Markup]:
        """Give what draws rows for people of one language and zone."""
        found = self._drawers.get((language, zone))
        if found is None:
            template = self.environment(language).get_template("inbox/row.html")
            found = template.make_module({"zone": zone}).dialog_row  # type: ignore[attr-defined]
            self._drawers[language, zone] = found
        return found

    def row(self, language: str, one: Dialog, users: Mapping[Any, Any], due: int = 0) -> Markup:
        """Draw a row for the stream, whose page writes the times in its own zone."""
        return self._row_of(language, "UTC")(one, users, False, due)

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
    """Looks up the words of a page: each once, as they hardly ever hold anything to fill in."""

    def __init__(self, catalogue: GNUTranslations | NullTranslations) -> None:
        self._catalogue = catalogue
        self._plain: dict[str, Markup] = {}

    def __call__(self, text: str, /, **values: Any) -> Markup:
        """Give the text in the reader's language, filled in."""
        if values:
            return Markup(self._catalogue.gettext(text)) % values
        found = self._plain.get(text)
        if found is None:
            found = Markup(self._catalogue.gettext(text)) % {}
            if len(self._plain) < MAX_WORDS:
                self._plain[text] = found
        return found


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


# Nothing below is finer than a minute, and a page shows the same instants again and again.
MINUTE_US = 60_000_000


def _at(minute: int, zone: str) -> datetime:
    return datetime.fromtimestamp(minute * 60, UTC).astimezone(_zone(zone))


@lru_cache(4_000)
def _short_form(minute: int, zone: str, language: str, today: date) -> str:
    at = _at(minute, zone)
    if at.date() == today:
        return format_time(at, "short", locale=language)
    return format_date(at, "d MMM" if at.year == today.year else "short", locale=language)


@lru_cache(4_000)
def _full_form(minute: int, zone: str, language: str) -> str:
    return format_datetime(_at(minute, zone), "d MMMM y, HH:mm z", locale=language)


@lru_cache(4_000)
def _time_form(minute: int, zone: str, language: str) -> str:
    return format_time(_at(minute, zone), "short", locale=language)


@pass_context
def _when(context: Context, micros: int) -> str:
    """Give the short form of a list: time today, day this year, else the date."""
    zone = str(context.get("zone") or "UTC")
    today = datetime.now(_zone(zone)).date()
    return _short_form(micros // MINUTE_US, zone, str(context.get("language")), today)


@pass_context
def _moment(context: Context, micros: int) -> str:
    """Give the full form with its zone, for tooltips and readers."""
    zone = str(context.get("zone") or "UTC")
    return _full_form(micros // MINUTE_US, zone, str(context.get("language")))


@pass_context
def _clock(context: Context, micros: int) -> str:
    """Give the time of day."""
    zone = str(context.get("zone") or "UTC")
    return _time_form(micros // MINUTE_US, zone, str(context.get("language")))


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
def _day_only(context: Context, micros: int) -> str:
    """Give a day of the calendar, which no time zone moves."""
    return _date_form(micros // MINUTE_US // 1440, str(context.get("language")))


@lru_cache(4_000)
def _date_form(day: int, language: str) -> str:
    return format_date(datetime.fromtimestamp(day * 86_400, UTC), "medium", locale=language)


@pass_context
def _month_name(context: Context, day: date) -> str:
    """Give a month and its year: November 2026."""
    return format_date(day, "LLLL y", locale=str(context.get("language"))).capitalize()


@pass_context
def _weekday_name(context: Context, day: date) -> str:
    """Give the short name of a day of the week."""
    return format_date(day, "ccc", locale=str(context.get("language")))


@pass_context
def _away(context: Context, one: Any) -> str:
    """Say after a colleague's name until when he is away; nothing of who is here."""
    until = getattr(one, "away_until", 0)
    if not until:
        return ""
    words = translations(str(context.get("language"))).gettext("away until")
    return f" ({words} {_when(context, until - MINUTE_US)})"


@pass_context
def _lasting(context: Context, micros: int) -> str:
    """Give how long something lasted, in one unit."""
    return format_timedelta(
        timedelta(microseconds=micros),
        granularity="minute",
        threshold=1.5,
        locale=str(context.get("language")),
    )


@pass_context
def _money(context: Context, minor: int, currency: str = "") -> str:
    """Give a sum as people read it; whole sums without their kopecks."""
    return _sum_form(minor, currency, str(context.get("language")))


@lru_cache(4_000)
def _sum_form(minor: int, currency: str, locale: str) -> str:
    amount = Decimal(minor) / 100
    if not currency:
        return format_decimal(amount, locale=locale)
    pattern = "#,##0.## ¤"
    whole = minor % 100 == 0
    return format_currency(
        amount,
        currency,
        format=pattern.replace(".##", "" if whole else ".00"),
        currency_digits=False,
        locale=locale,
    )


@pass_context
def _since(context: Context, micros: int) -> str:
    """Give how long ago something was, in one short unit."""
    seconds = int(time.time() - micros / 1_000_000)
    # Of hours and days the seconds do not matter.
    seconds -= seconds % 60 if seconds >= 3_600 else 0
    return _ago_form(seconds, str(context.get("language")))


@lru_cache(8_000)
def _ago_form(seconds: int, language: str) -> str:
    return format_timedelta(
        timedelta(seconds=seconds),
        granularity="minute",
        threshold=1.2,
        format="short",
        locale=language,
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
