"""`dialoghub export` and `erase`: what a person may ask of whoever keeps their words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.base import (
    DatabaseOption,
    DataOption,
    JsonOption,
    YesOption,
    confirm,
    load_settings,
    opened,
    run_async,
    say,
    say_json,
)
from hub.errors import Invalid

if TYPE_CHECKING:
    from hub.handle import BoundHub
    from hub.ids import ContactId

PersonArgument = Annotated[
    str, typer.Argument(help="Id of the contact, or one of their addresses.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("export")(export)
    app.command("erase")(erase)
    app.command("erasures")(erasures)


def export(
    person: PersonArgument,
    file: Annotated[Path, typer.Argument(help="ZIP file to write.")],
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Write all that is kept of one person into a ZIP: JSON and files."""
    from hub.export import export_person

    settings = load_settings(data, database)
    if file.exists():
        raise Invalid(f"{file} exists already")

    async def work() -> dict[str, int]:
        async with opened(settings) as hub:
            return await export_person(hub, await _find(hub, person), file)

    counts = run_async(work())
    say(f"{file}: " + ", ".join(f"{number} {name}" for name, number in counts.items()))


def erase(
    person: PersonArgument,
    yes: YesOption = False,
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Erase a person with all words and files; cannot be taken back."""
    from hub.commands import EraseContact

    settings = load_settings(data, database)

    async def work() -> dict[str, int]:
        async with opened(settings) as hub:
            contact_id = await _find(hub, person)
            contact = await hub.contact(contact_id)
            addresses = ", ".join(one.value for one in contact.addresses)
            confirm(f"Erase {contact.name or 'the contact'} ({addresses}) for good?", yes=yes)
            report: dict[str, int] = (await hub.do(EraseContact(contact_id=contact_id)))[0]
            return report

    report = run_async(work())
    if as_json:
        say_json(report)
    else:
        said = [f"{number} {name}" for name, number in report.items() if number]
        say("Erased: " + ", ".join(said))


def erasures(data: DataOption = None, database: DatabaseOption = None) -> None:
    """List erasures as JSON lines, for `restore --erasures`; names nobody."""
    from crm_store.erasure import all_erasures

    settings = load_settings(data, database)

    async def work() -> list[dict[str, object]]:
        async with opened(settings) as hub:
            return await hub.read(all_erasures)

    for one in run_async(work()):
        say(json.dumps(one))


async def _find(hub: BoundHub, person: str) -> ContactId:
    from crm_store.addresses import contacts_by_address
    from hub.ids import ContactId

    found = await hub.read(contacts_by_address, person)
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(str(one) for one in found)
        raise Invalid(f"several contacts have the address {person!r}: give an id ({ids})")
    if person.isdigit():
        return (await hub.contact(ContactId(int(person)))).id
    raise Invalid(f"nobody has the address {person!r}")
