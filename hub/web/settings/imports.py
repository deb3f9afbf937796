"""Imports: a file, what its columns fill, a dry run, the import with its progress, and undoing it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from crm_store import imports as store
from crm_store import topics as topic_reads
from crm_store import users as user_reads
from crm_store.import_consents import COLUMNS as CONSENTS
from crm_store.import_fields import key_names, targets, whole_noun
from crm_store.viewer import Reader
from hub import commands as c
from hub import import_files
from hub.errors import Conflict, Invalid
from hub.ids import ImportId
from hub.importing import said, sample, upload
from hub.kinds import Kind
from hub.multipart import plain_name
from hub.properties import Property
from hub.records.imports import POLICIES, Import, ImportFields
from hub.web.settings.common import (
    _,
    form_of,
    go,
    hub_of,
    many,
    needs,
    number,
    runtime_of,
    say,
    show,
)

PATH = "/settings/imports"
RIGHT = "lists.import"
WORDS = {
    "id": _("Number of the card"),
    "external_id": _("Code in another system"),
    "phone": _("Phone"),
    "email": _("E-mail"),
    "contact_name": _("Contact person"),
    "contact_position": _("Position of the contact person"),
    "consent": _("Consent: yes, no or ask"),
    "consent_channel": _("Consent: on which channel"),
    "consent_topic": _("Consent: about what"),
    "consent_at": _("Consent: since when"),
    "consent_source": _("Consent: where from"),
    "consent_text": _("Consent: the words agreed to"),
}
CONSENT_WORDS = (("given", _("yes")), ("ask", _("ask by a letter")), ("withdrawn", _("no")))
STATES = {
    "uploaded": _("waits for its columns"),
    "checking": _("is being checked"),
    "checked": _("checked"),
    "running": _("is being imported"),
    "finished": _("imported"),
    "cancelled": _("stopped"),
    "failed": _("failed"),
    "undoing": _("is being taken back"),
    "undone": _("taken back"),
}
STARTS = ("check", "run", "undo")


def _names(kind: Kind, language: str) -> dict[str, str]:
    """Give what each target is called."""
    labels = {one.name: str(one.translations.get(language, one.label)) for one in kind.properties}
    return {name: labels.get(name, "") for name in targets(kind)}


@needs(RIGHT)
async def listing(request: Request) -> Response:
    """List imports, or take a file."""
    problem = ""
    may = request.state.may
    nouns = request.app.state.runtime.nouns
    kinds = [one.kind for one in nouns.values() if one.kind.keys and one.kind.write in may]
    chosen = request.query_params.get("kind", "")
    if request.method == "POST":
        form = await form_of(request)
        chosen = str(form.get("kind", ""))
        try:
            return go(f"{PATH}/{await _taken(request, form, chosen)}")
        except Invalid as error:
            problem = say(request, str(error))
        finally:
            await request.close()
    found = await hub_of(request).read(store.imports_page, 0, 50)
    return show(
        request,
        "imports",
        "imports",
        422 if problem else 200,
        imports=found,
        kinds=kinds,
        chosen=chosen,
        states=STATES,
        plurals=_plurals(request),
        problem=problem,
    )


def _plurals(request: Request) -> dict[str, str]:
    language = request.state.language
    return {
        name: str(one.kind.plurals.get(language, one.kind.plural))
        for name, one in request.app.state.runtime.nouns.items()
    }


async def _taken(request: Request, form: Mapping[str, Any], kind: str) -> ImportId:
    file = form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        raise Invalid(_("choose a file first"), field="file")
    size = 0
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        with path.open("wb") as out:
            while part := await file.read(1 << 20):
                size += len(part)
                if size > import_files.MAX_FILE:
                    raise Invalid(_("the file is larger than 60 MB: cut it in two"), field="file")
                await asyncio.to_thread(out.write, part)
        return await upload(hub_of(request), kind, plain_name(file.filename), path)


def _fields(form: Any, one: Import, kind: Kind) -> ImportFields:
    columns = tuple(str(form.get(f"column-{n}", "")) for n in range(len(one.heads)))
    wanted = many(form, "keys")
    keys = tuple(name for name in key_names(kind) if name in wanted)
    policy = str(form.get("policy", "skip"))
    given = {name.removeprefix("default-"): str(text).strip() for name, text in form.items()
             if str(name).startswith("default-")}  # fmt: skip
    return ImportFields(
        columns=columns,
        keys=keys,
        policy=policy,
        defaults={name: text for name, text in given.items() if text},
    )


async def _kind(request: Request, name: str) -> Kind:
    noun = await hub_of(request).read(lambda reader: whole_noun(reader, name))
    return noun.kind


@needs(RIGHT)
async def one(request: Request) -> Response:
    """Show an import at the step where it is, or take its next step."""
    import_id = ImportId(number(request.path_params["import_id"]))
    hub = hub_of(request)
    problem, status = "", 200
    if request.method == "POST":
        form = await form_of(request)
        do = str(form.get("do", ""))
        found = await hub.read(store.one_import, import_id)
        kind = await _kind(request, found.kind)
        try:
            if do == "remove":
                await hub.do(c.RemoveImport(import_id=import_id))
                return go(PATH, "removed")
            if do == "cancel":
                await hub.do(c.CancelImport(import_id=import_id))
            elif do in STARTS:
                commands: list[c.Command] = []
                if do == "check":
                    commands.append(
                        c.SetUpImport(import_id=import_id, fields=_fields(form, found, kind))
                    )
                await hub.do(*commands, c.StartImport(import_id=import_id, what=do))
            return go(f"{PATH}/{import_id}")
        except (Invalid, Conflict) as error:
            problem, status = say(request, str(error)), 422
    found = await hub.read(store.one_import, import_id)
    language = request.state.language
    kind = await _kind(request, found.kind)

    def load(reader: Reader) -> dict[str, Any]:
        bad = store.bad_rows(reader, import_id, limit=20)
        return {
            "bad": [(row, *_reason(request, kind, text)) for row, text in bad.items()],
            "users": [user for user in user_reads.all_users(reader) if user.active],
            "teams": user_reads.all_teams(reader),
            "topics": [each.name for each in topic_reads.listed(reader.conn)],
        }

    first = await sample(hub, found)
    names = _names(kind, language)
    return show(
        request,
        "import",
        "imports",
        status,
        one=found,
        kind=kind,
        plural=_plurals(request)[found.kind],
        sample=first,
        names={name: text or say(request, WORDS[name]) for name, text in names.items()},
        keys=key_names(kind),
        policies=POLICIES,
        defaults=_defaults(kind),
        consents=[name for name in CONSENTS if name in names],
        consent_words=CONSENT_WORDS,
        kinds=_kinds(request),
        states=STATES,
        problem=problem,
        word=lambda one: str(one.translations.get(language, one.label)),
        **await hub.read(load),
    )


def _kinds(request: Request) -> list[str]:
    """Give the kinds of addresses that the connected channels know."""
    return sorted({one.capabilities.address_kind for one in runtime_of(request).channels.values()})


def _defaults(kind: Kind) -> list[Property]:
    """Give the properties that one value for all rows makes sense of."""
    wanted = ("source", "owner_id", "team_id", "status", "tags")
    return [one for one in kind.properties if one.editable and one.name in wanted]


def _reason(request: Request, kind: Kind, text: str) -> tuple[str, str]:
    name, words = said(text)
    label = _names(kind, request.state.language).get(name) or (
        say(request, WORDS[name]) if name in WORDS else name
    )
    return label, say(request, words)


@needs(RIGHT)
async def bad(request: Request) -> Response:
    """Give the rows that were left out, with one more column that says why."""
    hub = hub_of(request)
    found = await hub.read(store.one_import, ImportId(number(request.path_params["import_id"])))
    rows = await hub.read(store.bad_rows, found.id)
    path = runtime_of(request).blobs.path(await hub.read(store.blob_of, found.id))
    kind = await _kind(request, found.kind)
    reasons = {
        row: ": ".join(filter(None, _reason(request, kind, text))) for row, text in rows.items()
    }
    return StreamingResponse(
        import_files.bad_file(path, found.form, found.heads, reasons, say(request, _("error"))),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="bad-rows.csv"'},
    )


def routes() -> list[BaseRoute]:
    """Give the routes of imports."""
    return [
        Route(PATH, listing, methods=["GET", "POST"]),
        Route(PATH + "/{import_id:int}", one, methods=["GET", "POST"]),
        Route(PATH + "/{import_id:int}/bad", bad),
    ]
