"""What an open dialog shows: messages, the person, what hangs on it, the plugins' sections."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from starlette.requests import Request

from crm_store import accounts as account_reads
from crm_store import attachments as attachment_reads
from crm_store import dialogs as dialog_reads
from crm_store import duplicates as duplicate_reads
from crm_store import messages as message_reads
from crm_store import objects as object_reads
from crm_store import people as people_reads
from crm_store import unlinked as unlinked_reads
from crm_store.consents import standing
from crm_store.dialog_merges import merges_of
from crm_store.objects import NOUNS
from crm_store.segment_memberships import segments_of
from crm_store.sql import keep_plans
from crm_store.viewer import Reader
from hub.errors import NotFound
from hub.extensions import Panel
from hub.ids import ContactId, DialogId, MessageId, Micros
from hub.objects import Actor, ActorKind
from hub.records.consents import Standing
from hub.records.dialogs import Dialog, Thread
from hub.records.people import Contact
from hub.records.segments import Segment
from hub.web.addresses import kinds_offered
from hub.web.live_connection import live_position
from hub.web.numbers import number
from hub.web.plugin_answers import PluginRenderer
from hub.web.timeline import timeline

PANEL_SECONDS = 3.0
# A plugin that needs longer for its section is waited for afterwards, by the section alone.
PANEL_PATIENCE = 0.15
AROUND = 25


@dataclass(frozen=True, slots=True)
class Section:
    """A plugin's part of the client card: its panel, or None where it failed or is `late`."""

    plugin: str
    panel: Panel | None = None
    late: bool = False
    words: Callable[[str], str] = str

    def say(self, text: str) -> str:
        """Give a text of the plugin in the reader's language."""
        return self.words(text) if text else ""


@cache
def _words(renderer: PluginRenderer, language: str) -> Callable[[str], str]:
    return renderer.catalogue(language).gettext


async def colleagues(request: Request) -> dict[str, Any]:
    """Give who works here: colleagues and teams, as the inbox's templates name them."""
    staff = await request.app.state.runtime.staff()
    return {"users": staff.users, "teams": staff.teams}


async def thread_values(request: Request, dialog_id: DialogId) -> dict[str, Any]:
    """Read everything that one open dialog shows; all of it carries the same dialog id.

    `?message=` in the address shows the window around that message instead of the newest.
    """
    hub = request.state.hub
    around = MessageId(number(request.query_params.get("message", "0") or "0"))
    position = live_position(request)

    def load(reader: Reader) -> dict[str, Any]:
        keep_plans(reader.conn)
        dialog = dialog_reads.one(reader, dialog_id)
        while dialog.merged_into:
            dialog = dialog_reads.one(reader, dialog.merged_into)
        try:
            contact = people_reads.contact(reader, dialog.contact_id)
        except NotFound:
            contact = None
        draft = message_reads.draft(reader, dialog.id)
        files = attachment_reads.attachments_of(reader, draft.attachments) if draft else []
        return {
            "dialog": dialog,
            "thread": _window(reader, dialog, around),
            "contact": contact,
            "account": account_reads.account(reader, dialog.account_id),
            "draft": draft,
            "draft_files": files,
            "leads": leads_of(reader, dialog.id),
            **acquaintance_of(reader, dialog),
            "interests": interests_of(reader, dialog.id),
            "standing": _standing(reader, dialog.contact_id),
            "segments": _segments(reader, contact),
            "requests": requests_of(reader, dialog.id),
            "apart": _apart(reader, dialog.id),
        }

    values: dict[str, Any] = await hub.read(load) | await colleagues(request)
    dialog: Dialog = values["dialog"]
    runtime = request.app.state.runtime
    values["capabilities"] = runtime.database.channels.of(
        dialog.channel, values["account"].settings
    )
    values["max_file"] = runtime.settings.max_file
    kind = runtime.channels.get(dialog.channel)
    values["measures"] = kind is not None and kind.overrides("measure")
    values["entries"] = timeline(values["thread"], zone=request.state.zone)
    values["panels"] = await panels(request, dialog)
    if "contacts.edit" in request.state.may:
        values["kinds"] = kinds_offered(request)
    values["recipients"] = _recipients(values)
    values["found"] = around
    values["position"] = position
    return values


def _apart(reader: Reader, dialog_id: DialogId) -> int:
    """Give the merge into a dialog that the reader can undo: the newest, 0 where there is none."""
    if not reader.viewer.may("dialogs.answer"):
        return 0
    return next((int(one.id) for one in merges_of(reader, dialog_id)), 0)


def _standing(reader: Reader, contact_id: ContactId) -> Standing | None:
    """Give where the person stands, where the reader may see contacts."""
    return standing(reader, contact_id, 10) if reader.viewer.may("contacts.view") else None


def _segments(reader: Reader, contact: Contact | None) -> list[Segment]:
    """Give the segments of the person, where the reader may see people."""
    if contact is None or not reader.viewer.may("contacts.view"):
        return []
    return segments_of(reader, [contact.id])


def acquaintance_of(reader: Reader, dialog: Dialog) -> dict[str, Any]:
    """Give who a dialog's person may be, and what he told, where the reader may see people."""
    if not reader.viewer.may("contacts.view"):
        return {"pairs": [], "said": []}
    return {
        "pairs": duplicate_reads.pairs_of(reader, "contact", dialog.contact_id, 3),
        "said": unlinked_reads.said_in(reader, dialog.id),
    }


def leads_of(reader: Reader, dialog_id: DialogId) -> list[Any]:
    """Give the leads of a dialog, where the reader may see leads."""
    if not reader.viewer.may(NOUNS["lead"].kind.read):
        return []
    return object_reads.of_dialog(reader, NOUNS["lead"], dialog_id)


def requests_of(reader: Reader, dialog_id: DialogId) -> list[Any]:
    """Give the requests of a dialog, where the reader may see requests; the open ones first."""
    if not reader.viewer.may(NOUNS["request"].kind.read):
        return []
    found = object_reads.of_dialog(reader, NOUNS["request"], dialog_id)
    return sorted(found, key=lambda one: (one.status in ("solved", "closed"), -one.number))


def interests_of(reader: Reader, dialog_id: DialogId) -> list[Any]:
    """Give the interests of a dialog, where the reader may see interests."""
    if not reader.viewer.may(NOUNS["interest"].kind.read):
        return []
    return object_reads.of_dialog(reader, NOUNS["interest"], dialog_id)


def _window(reader: Reader, dialog: Dialog, around: MessageId) -> Thread:
    if not around:
        return message_reads.window(reader, dialog)
    found = message_reads.several(reader, [around])
    if not found or found[0].dialog_id != dialog.id:
        return message_reads.window(reader, dialog)
    older = message_reads.window(reader, dialog, before=around, limit=AROUND)
    newer = message_reads.window(reader, dialog, after=around, limit=AROUND)
    messages = (*older.messages, *found, *newer.messages)
    end = Micros(messages[-1].at if newer.has_newer else 0)
    return replace(
        newer,
        messages=messages,
        history=message_reads.history(reader, dialog.id, Micros(messages[0].at), end),
        has_older=older.has_older,
        has_newer=newer.has_newer,
    )


def _recipients(values: dict[str, Any]) -> dict[str, Any]:
    """Derive To and Cc from the newest message of the person (R16)."""
    capabilities = values["capabilities"]
    if capabilities is None or not capabilities.copies:
        return {}
    thread = values["thread"]
    own = str(values["account"].settings.get("address", "")).lower()
    for one in reversed(thread.messages):
        if one.direction == "in":
            sender = one.extra.get("profile", {}).get("reply_to") or values["dialog"].address
            copies = [
                each
                for each in (*one.to, *one.cc)
                if each.address.lower() not in (own, str(sender).lower())
            ]
            return {"to": sender, "cc": copies, "subject": one.subject, "reply_to": one.id}
        if one.direction == "out":
            return {
                "to": one.to[0].address if one.to else values["dialog"].address,
                "cc": list(one.cc),
                "subject": one.subject,
                "reply_to": one.id,
            }
    return {"to": values["dialog"].address, "cc": [], "subject": "", "reply_to": 0}


async def panels(
    request: Request, dialog: Dialog, patience: float = PANEL_PATIENCE
) -> list[Section]:
    """Ask the plugins for their sections; one that fails draws a small notice in its place.

    Each sees what the colleague sees, and its own tables.
    """
    runtime = request.app.state.runtime
    eyes = getattr(request.state, "eyes", None)
    language: str = request.state.language

    async def ask(plugin: Any) -> list[Section]:
        own = runtime.handle(Actor(kind=ActorKind.PLUGIN, name=plugin.name))
        hub = own.as_user(request.state.user.id)
        hub = hub if eyes is None else hub.looking(eyes.viewer)
        try:
            async with asyncio.timeout(patience):
                found = await runtime.plugins.call(plugin, "dialog_panels", hub=hub, dialog=dialog)
        except TimeoutError:
            return [Section(plugin.name, late=patience < PANEL_SECONDS)]
        except Exception:  # noqa: BLE001 - charged to the plugin by the host
            return [Section(plugin.name)]
        words = _words(request.app.state.plugin_pages.renderer(plugin.name), language)
        return [Section(plugin.name, one, words=words) for one in found or ()]

    answers = await asyncio.gather(
        *(ask(one) for one in runtime.plugins.with_hook("dialog_panels"))
    )
    found = [one for answer in answers for one in answer]
    return sorted(found, key=lambda one: one.panel.order if one.panel is not None else 999)
