"""Senders: how fast each account may send to many, its warm-up, its price, and its sender's records."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hub import (
    AccountId,
    Answer,
    Hub,
    Invalid,
    Json,
    Micros,
    Page,
    PluginRequest,
    Redirect,
    Route,
    SendingLimits,
    SetSendingLimits,
)
from plugins.mailings.endpoints import read, write
from plugins.mailings.obligations import KINDS, SetObligatory, obligatory
from plugins.mailings.shapes import senders as shapes
from plugins.mailings.texts import translator

US = 1_000_000
OWN = "system.manage"
NUMBERS = ("per_minute", "minutes", "per_day", "warm_first", "warm_percent")


def _(text: str) -> str:
    return text


def routes() -> list[Route]:
    """Its page, and the same for programs."""
    see, do = "mailings.view", "mailings.send"
    return [
        Route(path="/senders", endpoint=page, permission=see),
        Route(path="/senders/erid", endpoint=save_obligatory, methods=("POST",), permission=OWN),
        read("/obligatory", told, shapes.Kinds),
        write("PUT", "/obligatory", put_obligatory, shapes.Kinds, shapes.Kinds, OWN),
        Route(path="/senders/{account}", endpoint=save, methods=("POST",), permission=do),
        read("/senders", listed, shapes.Senders),
        write("PUT", "/senders/{account}", put, shapes.Limits, shapes.AccountLimits),
    ]


async def page(hub: Hub, request: PluginRequest) -> Answer:
    """One box per account that sends."""
    return await _page(hub, request)


async def _page(hub: Hub, request: PluginRequest, refused: int = 0, problem: str = "") -> Page:
    """Draw it; what was `refused` stays in the form of that account, under the reason."""
    words = translator(request.language)
    limits = {one.account_id: one for one in await hub.sending_limits()}
    rows = []
    for account in await hub.accounts():
        capabilities = hub.capabilities(account.channel)
        if capabilities is None or not capabilities.sends or account.removed:
            continue
        own = limits.get(account.id, SendingLimits(account_id=account.id))
        rows.append((account, own, day_of(own), await hub.check_sender(account.id)))
    return Page(
        template="senders.html",
        title=words(_("Senders")),
        status=422 if problem else 200,
        values={
            "refused": refused,
            "problem": problem,
            "typed": request.fields,
            "section": "marketing",
            "tab": "Mailings",
            "edits": "mailings.send" in request.may,
            "rows": rows,
            "decides": OWN in request.may,
            "obligatory": await obligatory(hub),
        },
    )


async def save_obligatory(hub: Hub, request: PluginRequest) -> Answer:
    """Take the form that says which advertising needs an erid here."""
    kinds = tuple(one for one in KINDS if request.fields.get(one) == "yes")
    await hub.do(SetObligatory(kinds=kinds))
    return Redirect(to="/p/mailings/senders")


async def told(hub: Hub, request: PluginRequest) -> Answer:
    """Which kinds of advertising need an erid here."""
    return Json(value={"kinds": list(await obligatory(hub))})


async def put_obligatory(hub: Hub, request: PluginRequest) -> Answer:
    """Say which kinds of advertising need an erid here."""
    await hub.do(SetObligatory(kinds=tuple(request.given.kinds)))
    return await told(hub, request)


async def save(hub: Hub, request: PluginRequest) -> Answer:
    """Take the form of one account."""
    fields = {name: request.fields.get(name, "").strip() for name in (*NUMBERS, "price")}
    given: dict[str, Any] = {
        name: int(fields[name]) if fields[name].isdecimal() else 0 for name in NUMBERS
    }
    given["minutes"] = given["minutes"] or 1
    given["currency"] = request.fields.get("currency", "")
    given["warm_from"] = request.fields.get("warm_from", "")
    try:
        given["price"] = minor_of(fields["price"])
        await hub.do(_command(_number(request), given))
    except Invalid as error:
        return await _page(hub, request, _number(request), str(error))
    return Redirect(to="/p/mailings/senders")


async def listed(hub: Hub, request: PluginRequest) -> Answer:
    """The limits and the sender's checks of every account."""
    found = []
    limits = {one.account_id: one for one in await hub.sending_limits()}
    for account in await hub.accounts():
        capabilities = hub.capabilities(account.channel)
        if capabilities is not None and capabilities.sends and not account.removed:
            own = limits.get(account.id, SendingLimits(account_id=account.id))
            found.append(
                {
                    **_as_json(own),
                    "title": account.title,
                    "checks": [
                        {"name": one.name, "ok": one.ok, "text": one.text, "add": one.add}
                        for one in await hub.check_sender(account.id)
                    ],
                }
            )
    return Json(value={"items": found})


async def put(hub: Hub, request: PluginRequest) -> Answer:
    """Set the limits of one account, all of them."""
    number = _number(request)
    await hub.do(_command(number, request.given.model_dump()))
    limits = {one.account_id: one for one in await hub.sending_limits()}
    return Json(value=_as_json(limits[AccountId(number)]))


def _number(request: PluginRequest) -> int:
    text = request.path.get("account", "")
    return int(text) if text.isdecimal() and len(text) < 19 else 0


def _command(account_id: int, given: dict[str, Any]) -> SetSendingLimits:
    try:
        numbers: dict[str, Any] = {name: int(given.get(name) or 0) for name in (*NUMBERS, "price")}
    except (TypeError, ValueError) as error:
        raise Invalid("this number is not possible", field="per_minute") from error
    return SetSendingLimits(
        account_id=AccountId(account_id),
        warm_from=Micros(instant_of(str(given.get("warm_from") or ""))),
        currency=str(given.get("currency") or ""),
        **numbers,
    )


def _as_json(one: SendingLimits) -> dict[str, Any]:
    return {
        "account_id": str(one.account_id),
        **{name: getattr(one, name) for name in (*NUMBERS, "price", "currency")},
        "warm_from": day_of(one),
    }


def day_of(limits: SendingLimits) -> str:
    """Write the first day of a warm-up."""
    if not limits.warm_from:
        return ""
    return datetime.fromtimestamp(limits.warm_from / US, UTC).date().isoformat()


def instant_of(day: str) -> int:
    """Read the first day of a warm-up."""
    if not day:
        return 0
    try:
        return int(datetime.fromisoformat(day[:10]).replace(tzinfo=UTC).timestamp()) * US
    except ValueError as error:
        raise Invalid("a day is written 2027-03-10", field="warm_from") from error


def minor_of(text: str) -> int:
    """Read a price with a point or a comma."""
    if not text:
        return 0
    try:
        return round(float(text.replace(",", ".")) * 100)
    except (ValueError, OverflowError) as error:
        raise Invalid("this number is not possible", field="price") from error
