"""Addresses that somebody gives a person by hand: their kinds, and whose they are already."""

from __future__ import annotations

from markupsafe import Markup
from starlette.requests import Request

from hub.errors import Conflict, HubError, Invalid
from hub.messages import Address
from hub.web.numbers import number
from hub.web.objects import refusal
from hub.web.ref_names import names_by_id
from hub.web.settings.channels import known_kinds


def _by_use(kind: tuple[str, str]) -> tuple[bool, bool, str]:
    """Order kinds of addresses for a choice: what everybody has comes first."""
    name, title = kind
    return name != "phone", name != "email", title


def kinds_offered(request: Request) -> list[tuple[str, str]]:
    """Give the kinds that an address can be added of, with what they are called."""
    return sorted(known_kinds(request).items(), key=_by_use)


def given_address(kind: str, value: str) -> Address:
    """Read an address as somebody typed it."""
    value = value.strip()
    return Address(kind=kind, value=value.lower() if kind == "email" else value)


async def owner_of(request: Request, error: HubError) -> tuple[int, str] | None:
    """Give who has the address that was refused, where the reader may see that person."""
    if not isinstance(error, Conflict) or error.what != "address_taken":
        return None
    details = error.details if isinstance(error.details, dict) else {}
    contact_id = number(details.get("contact_id", "0"))
    nouns = request.app.state.runtime.nouns
    names = await request.state.hub.read(names_by_id, nouns, "contact", [contact_id])
    return (contact_id, names[contact_id]) if names.get(contact_id) else None


async def problem_of(request: Request, error: Invalid | Conflict) -> str:
    """Say why an address was not taken; whose it is, with the way to him."""
    said = refusal(request, error)
    owner = await owner_of(request, error)
    if owner is None:
        return said
    return Markup('{}: <a class="person" href="/contacts/{}">{}</a>').format(said, *owner)
