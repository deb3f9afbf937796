"""A form cannot answer: from its dialog, one click starts an e-mail dialog with the same person."""

from __future__ import annotations

from collections.abc import Mapping

from hub import (
    Account,
    AccountId,
    AccountSection,
    ActorKind,
    Address,
    Answer,
    Dialog,
    DialogId,
    Direction,
    Fragment,
    Hub,
    Invalid,
    NotFound,
    Page,
    Panel,
    PanelLine,
    PluginRequest,
    Redirect,
    Route,
    StartDialog,
    UiPart,
    UserId,
)
from plugins.web_form.texts import language_of, translator


def _(text: str) -> str:
    return text


LINES = (
    ("form", _("Form")),
    ("page", _("Page")),
    ("referrer", _("Came from")),
    ("utm_source", _("Source")),
    ("utm_campaign", _("Campaign")),
    ("email", _("E-mail")),
    ("phone", _("Phone")),
    ("consent", _("Consent")),
    ("subscribe", _("Subscription")),
)
TITLE = _("Sent by a form")
ANSWER = _("Answer by e-mail")
CANNOT = _("A form cannot answer, and no e-mail address was given")
SECTION = _("Put the form on your site")
PAGE = {
    "title": ANSWER,
    "to": _("To"),
    "from": _("From which mailbox"),
    "start": _("Start the dialog"),
    "none": _("There is no mailbox yet. Connect one in the settings first."),
    "back": _("Back to the dialog"),
}
EMBED = {
    "how": _("Paste this line where the form shall stand:"),
    "own": _("Or let it help a form of your own; name it as in CSS:"),
    "page": _("Or link to the form as a page of its own:"),
    "plain": _("A form without any script may post to the same address."),
}


async def form_panel(hub: Hub, dialog: Dialog) -> list[Panel]:
    """What came with the form, and the way to answer."""
    if dialog.channel != "web_form":
        return []
    profile = await _profile(hub, dialog)
    language = await _language_of_reader(hub)
    translate = translator(language)
    lines = []
    for key, label in LINES:
        value = str(profile.get(key, ""))
        if value:
            href = value if value.startswith(("https://", "http://")) else ""
            lines.append(PanelLine(label=translate(label), value=value, href=href))
    if _email(dialog, profile):
        lines.append(PanelLine(label=translate(ANSWER), href=f"/p/web_form/answer/{dialog.id}"))
    else:
        lines.append(PanelLine(label=translate(CANNOT), tone="warn"))
    return [Panel(key="web_form", title=translate(TITLE), lines=tuple(lines), order=30)]


def parts() -> list[UiPart]:
    """Where it stands in the inbox."""
    return [AccountSection(channel="web_form", title=SECTION, path="section", order=10)]


def routes() -> list[Route]:
    """Its endpoints; a colleague must be logged in."""
    return [
        Route(path="/section", endpoint=section, permission="accounts.view"),
        Route(path="/answer/{dialog}", endpoint=choose, permission="dialogs.answer"),
        Route(
            path="/answer/{dialog}", endpoint=start, methods=("POST",), permission="dialogs.answer"
        ),
    ]


async def section(hub: Hub, request: PluginRequest) -> Answer:
    """How to embed a form, for an account given as `?account=`."""
    number = request.query.get("account", "")
    account = await hub.account(AccountId(_number(number)))
    if account.channel != "web_form":
        raise NotFound("there is no such form")
    script = hub.public_url(f"/p/web_form/form.js?form={account.id}")
    translate = translator(language_of(request.language))
    return Fragment(
        template="web_form/section.html",
        values={
            "texts": {key: translate(text) for key, text in EMBED.items()},
            "snippet": f'<script async src="{script}"></script>',
            "own": f'<script async src="{script}" data-form="#contact"></script>',
            "page": hub.public_url(f"/p/web_form/{account.id}"),
        },
    )


async def choose(hub: Hub, request: PluginRequest) -> Answer:
    """From which mailbox; opening the page changes nothing."""
    dialog, email = await _addressee(hub, request)
    translate = translator(language_of(request.language))
    return Page(
        template="web_form/answer.html",
        title=translate(ANSWER),
        values={
            "texts": {key: translate(text) for key, text in PAGE.items()},
            "mailboxes": await _mailboxes(hub),
            "email": email,
            "dialog": dialog,
        },
    )


async def start(hub: Hub, request: PluginRequest) -> Answer:
    """Open the e-mail dialog and go there."""
    dialog, email = await _addressee(hub, request)
    chosen = _number(request.fields.get("mailbox", ""))
    if chosen not in [one.id for one in await _mailboxes(hub)]:
        raise Invalid("choose a mailbox", field="mailbox")
    (dialog_id,) = await hub.do(
        StartDialog(
            account_id=AccountId(chosen),
            to=Address(kind="email", value=email, name=dialog.contact_name),
            subject=dialog.subject,
            contact_id=dialog.contact_id,
        )
    )
    return Redirect(to=f"/inbox/{dialog_id}")


async def _addressee(hub: Hub, request: PluginRequest) -> tuple[Dialog, str]:
    dialog = await hub.dialog(DialogId(_number(request.path.get("dialog", ""))))
    email = _email(dialog, await _profile(hub, dialog)) if dialog.channel == "web_form" else ""
    if not email:
        raise NotFound("nobody to answer by e-mail")
    return dialog, email


async def _mailboxes(hub: Hub) -> list[Account]:
    return [one for one in await hub.accounts("email") if not one.removed and not one.paused]


async def _profile(hub: Hub, dialog: Dialog) -> Mapping[str, object]:
    thread = await hub.thread(dialog.id)
    for message in reversed(thread.messages):
        found = message.extra.get("profile")
        if message.direction is Direction.IN and isinstance(found, Mapping):
            return found
    return {}


def _email(dialog: Dialog, profile: Mapping[str, object]) -> str:
    return dialog.address if dialog.address_kind == "email" else str(profile.get("email", ""))


async def _language_of_reader(hub: Hub) -> str:
    if hub.actor.kind is ActorKind.USER:
        return language_of((await hub.user(UserId(hub.actor.id))).language)
    return language_of((await hub.brand()).language)


def _number(text: str) -> int:
    if not text.isdecimal() or int(text) >= 2**63:
        raise NotFound("there is no such object")
    return int(text)
