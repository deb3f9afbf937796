"""Where a site's form posts to, the form page of our own, and the script that embeds it."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files

import jinja2
from markupsafe import Markup

from hub import (
    Account,
    AccountId,
    Answer,
    File,
    Hub,
    Invalid,
    Json,
    MalformedPayload,
    Micros,
    NotFound,
    PluginRequest,
    RateLimit,
    Redirect,
    Route,
    UntrustedRequest,
)
from plugins.web_form.channel import WebFormChannel
from plugins.web_form.settings import MAX_FILES, WebFormSettings
from plugins.web_form.submission import Posted, read_fields, read_submission
from plugins.web_form.texts import form_texts, language_of

SECOND_US = 1_000_000
_MAX_ID = 2**63 - 1
_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


@dataclass(frozen=True, slots=True)
class _Form:
    """The form a request is for, in the language of its reader."""

    account: Account
    settings: WebFormSettings
    language: str

    @property
    def texts(self) -> dict[str, str]:
        return form_texts(self.language)

    @property
    def title(self) -> str:
        return self.settings.title or self.texts["title"]

    @property
    def thanks(self) -> str:
        return self.settings.thanks or self.texts["thanks"]

    def fields(self) -> list[dict[str, object]]:
        """What our own form asks, in order."""
        texts, asked = self.texts, self.settings

        def one(
            name: str, kind: str, label: str, required: bool, auto: str = ""
        ) -> dict[str, object]:
            return {
                "name": name,
                "type": kind,
                "label": label,
                "required": required,
                "autocomplete": auto,
            }

        found = [
            one("name", "text", texts["name"], False, "name"),
            one("email", "email", texts["email"], True, "email"),
        ]
        if asked.ask_phone:
            found.append(one("phone", "tel", texts["phone"], False, "tel"))
        found += [one(label, "text", label, required) for label, required in asked.extra_fields()]
        found.append(one("message", "textarea", texts["message"], True))
        if asked.files:
            found.append(one("files", "file", texts["files"], False))
        return found


def _monotonic() -> Micros:
    return Micros(time.monotonic_ns() // 1000)


class WebFormPages:
    """The forms of one process; counts senders by network address."""

    def __init__(self, clock: Callable[[], Micros] = _monotonic) -> None:
        self._shown = RateLimit(240, 60, clock)
        self._sent = RateLimit(10, 60, clock)
        self._flood = RateLimit(120, 60, clock)
        here = files("plugins.web_form")
        self._script = here.joinpath("static/form.js").read_bytes()
        self._style = here.joinpath("static/form.css").read_text(encoding="utf-8")
        self._template = jinja2.Environment(autoescape=True).from_string(
            here.joinpath("templates/form.html").read_text(encoding="utf-8")
        )

    def routes(self) -> list[Route]:
        """Where everything is."""
        body = MAX_FILES * 25_000_000 + 1_000_000
        return [
            Route(path="/form.js", endpoint=self.script, public=True, cors=True),
            Route(path="/{form}/config", endpoint=self.config, public=True, cors=True),
            Route(path="/{form}", endpoint=self.page, public=True),
            Route(
                path="/{form}",
                endpoint=self.submit,
                methods=("POST",),
                public=True,
                cors=True,
                max_body=body,
            ),
        ]

    async def script(self, hub: Hub, request: PluginRequest) -> Answer:
        """The script that embeds a form."""
        return File(
            content=self._script,
            media_type="text/javascript; charset=utf-8",
            headers={
                "cache-control": "public, max-age=600",
                "cross-origin-resource-policy": "cross-origin",
                "x-content-type-options": "nosniff",
            },
        )

    async def config(self, hub: Hub, request: PluginRequest) -> Answer:
        """What the script draws."""
        if wait := self._shown.wait(request.client):
            return _slow(wait)
        try:
            form = await self._form(hub, request)
        except NotFound:
            return Json(value={"error": "not_found"}, status=404)
        settings = form.settings
        return Json(
            value={
                "language": form.language,
                "texts": form.texts,
                "fields": form.fields(),
                "intro": settings.intro,
                "consent": settings.consent_text,
                "consent_link": settings.consent_link,
                "subscribe": _subscribe(form),
                "trap_field": settings.trap_field,
                "color": settings.color,
                "ink": _ink(settings.color),
                "style": self._style.partition("@media")[0],
                "start": _start(hub),
            },
            headers=_HEADERS,
        )

    async def page(self, hub: Hub, request: PluginRequest) -> Answer:
        """The form as a page of its own; works without any script."""
        if self._shown.wait(request.client):
            return self._plain(form_texts("en")["slow"], 429)
        try:
            form = await self._form(hub, request)
        except NotFound:
            return self._plain("There is no such form.", 404)
        return self._show(hub, request, form)

    async def submit(self, hub: Hub, request: PluginRequest) -> Answer:
        """Take a sent form; answers in JSON where the sender asked so, else with a page."""
        wants_json = "json" in request.headers.get("accept", "") or request.headers.get(
            "content-type", ""
        ).startswith("application/json")
        try:
            form = await self._form(hub, request)
        except NotFound:
            return Json(value={"error": "not_found"}, status=404)
        wait = self._sent.wait(request.client) or self._flood.wait(str(form.account.id))
        if wait:
            return (
                _slow(wait, form.texts["slow"])
                if wants_json
                else self._plain(form.texts["slow"], 429)
            )
        posted = Posted(fields=())
        try:
            if not form.settings.allows(request.headers.get("origin", "")) and not _is_ours(
                hub, request
            ):
                raise UntrustedRequest("this site may not send the form")
            posted = read_fields(request)
            form = _Form(form.account, form.settings, _language(posted, form))
            message = read_submission(
                form.settings,
                posted,
                at=hub.now(),
                trap="" if _took_time(hub, form.settings, posted) else "too fast",
                referrer=request.headers.get("referer", ""),
                browser=request.headers.get("user-agent", ""),
                language=form.language,
                client=request.client,
            )
        except UntrustedRequest:
            return Json(value={"error": "forbidden"}, status=403)
        except MalformedPayload:
            return Json(value={"error": "malformed"}, status=400)
        except Invalid as error:
            text = _words(form.texts, error.field)
            if wants_json:
                return Json(value={"error": error.field, "text": text}, status=422)
            return self._show(hub, request, form, error=text, posted=posted)
        await hub.receive(form.account.id, [message])
        if wants_json:
            answer = {"ok": True, "thanks": form.thanks, "redirect": form.settings.thanks_link}
            return Json(value=answer, headers=_HEADERS)
        if form.settings.thanks_link:
            return Redirect(to=form.settings.thanks_link)
        return self._show(hub, request, form, done=True)

    async def _form(self, hub: Hub, request: PluginRequest) -> _Form:
        number = request.path.get("form", "")
        if not number.isdecimal() or int(number) > _MAX_ID:
            raise NotFound("there is no such form")
        account = await hub.account(AccountId(int(number)))
        if account.channel != WebFormChannel.name or account.removed or account.paused:
            raise NotFound("there is no such form")
        settings = WebFormSettings.model_validate(dict(await hub.settings(account.id)))
        asked = request.query.get("lang") or request.headers.get("accept-language", "en")
        return _Form(account, settings, language_of(asked, settings.language))

    def _show(
        self,
        hub: Hub,
        request: PluginRequest,
        form: _Form,
        *,
        error: str = "",
        posted: Posted | None = None,
        done: bool = False,
    ) -> File:
        settings = form.settings
        style = f":root{{--color:{settings.color};--ink:{_ink(settings.color)}}}\n{self._style}"
        values: Mapping[str, str] = defaultdict(str, posted.fields if posted else ())
        given = posted.value("_id") if posted else ""
        html = self._template.render(
            language=form.language,
            title=form.title,
            texts=form.texts,
            style=Markup(style),
            intro=settings.intro,
            fields=form.fields(),
            values=values,
            takes_files=settings.files,
            trap_field=settings.trap_field,
            consent=settings.consent_text,
            consent_link=settings.consent_link,
            subscribe=_subscribe(form),
            id=given or secrets.token_hex(16),
            start=_start(hub),
            page=request.headers.get("referer", "") if posted is None else posted.value("_page"),
            error=error,
            thanks=form.thanks,
            done=done,
        )
        return _html(html, 422 if error else 200, style)

    def _plain(self, text: str, status: int) -> File:
        return _html(
            f"<!doctype html><meta charset=utf-8><title>{text}</title><p>{text}", status, ""
        )


def _html(html: str, status: int, style: str) -> File:
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return File(
        content=html.encode(),
        media_type="text/html; charset=utf-8",
        status=status,
        headers={
            **_HEADERS,
            # The form may stand in a frame of the site, and after sending lead to any of its pages.
            "content-security-policy": f"default-src 'none'; style-src 'sha256-{digest}'; "
            "base-uri 'none'; frame-ancestors *",
            "referrer-policy": "strict-origin-when-cross-origin",
        },
    )


def _slow(wait: float, text: str = "") -> Json:
    return Json(
        value={"error": "slow", "text": text},
        status=429,
        headers={"retry-after": str(int(wait) + 1)},
    )


def _subscribe(form: _Form) -> str:
    """The words beside the box of a subscription, "" where none is offered."""
    settings = form.settings
    if not settings.subscribe_topic:
        return ""
    return settings.subscribe_text or f"{form.texts['subscribe']}: {settings.subscribe_topic}"


def _start(hub: Hub) -> str:
    """A signed note of when the form was shown."""
    return hub.sign("web_form.start", str(hub.now()))


def _took_time(hub: Hub, settings: WebFormSettings, posted: Posted) -> bool:
    """Whether filling in took as long as a person needs; a form without our note is not timed."""
    token = posted.value("_start")
    if not token:
        return True
    try:
        shown_at = int(hub.unsign("web_form.start", token, max_age_days=7))
    except (UntrustedRequest, ValueError):
        return False
    return hub.now() - shown_at >= settings.min_seconds * SECOND_US


def _is_ours(hub: Hub, request: PluginRequest) -> bool:
    """Whether the post comes from our own form page."""
    origin = request.headers.get("origin", "")
    return bool(origin) and hub.public_url("/").startswith(f"{origin}/")


def _language(posted: Posted, form: _Form) -> str:
    given = posted.value("_language")
    return given if given in ("en", "ru") and form.settings.language == "auto" else form.language


def _words(texts: Mapping[str, str], field: str) -> str:
    if f"bad_{field}" in texts:
        return texts[f"bad_{field}"]
    return f"{field}: {texts['required']}" if field else texts["error"]


def _ink(color: str) -> str:
    """Black or white, whichever can be read on a colour."""
    red, green, blue = ((int(one, 16) / 255) ** 2.2 for one in re.findall("..", color[1:]))
    return "#10131a" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.4 else "#fff"
