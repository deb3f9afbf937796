"""What people call themselves: VK's events name a person only by number, so VK is asked once.

A fact about a message of somebody without a name queues a job; the job asks VK and introduces
the person. So a crash or a silent VK costs time, never the name.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from channels.vk.arrivals import KIND
from channels.vk.client import VkClient
from channels.vk.settings import VkSettings
from hub import (
    AccountId,
    Address,
    Dialog,
    DialogId,
    Direction,
    Event,
    Hub,
    IntroducePerson,
    Job,
    MessageReceived,
    NotFound,
    Panel,
    PanelLine,
    RunJob,
)

JOB = "vk.names"
FIELDS = "screen_name,city,bdate,sex,domain,photo_200"
SEXES = {1: "female", 2: "male"}


async def notice(hub: Hub, events: tuple[Event, ...]) -> None:
    """Queue a question for each message that is signed with a bare number."""
    received = [one for one in events if isinstance(one, MessageReceived)]
    if not received:
        return
    ours = {one.id for one in await hub.accounts(KIND)}
    for event in received:
        if event.account_id not in ours:
            continue
        try:
            message = await hub.message(event.message_id)
        except NotFound:
            continue
        number = message.author_name
        if message.direction is not Direction.OUT and number.lstrip("-").isdecimal():
            payload = {
                "account_id": str(event.account_id),
                "dialog_id": str(event.dialog_id),
                "number": number,
            }
            key = f"{event.account_id}:{event.dialog_id}:{number}"
            await hub.do(RunJob(name=JOB, key=key, payload=payload))


async def introduce(hub: Hub, payload: Mapping[str, Any]) -> None:
    """Ask VK who somebody is and say so to the hub."""
    account_id = AccountId(int(payload["account_id"]))
    number = int(payload["number"])
    settings = VkSettings.model_validate(await hub.settings(account_id))
    client = VkClient(settings.token.get_secret_value(), settings.api_url)
    try:
        if number > 0:
            found = await client.call("users.get", user_ids=number, fields=FIELDS)
        else:
            found = (await client.call("groups.getById", group_id=-number)).get("groups")
    finally:
        client.close()
    person = found[0] if isinstance(found, list) and found else {}
    name = name_of(person)
    if not name:
        return
    await hub.do(
        IntroducePerson(
            address=Address(kind=KIND, value=str(number), name=name),
            dialog_id=DialogId(int(payload["dialog_id"])),
            profile=profile_of(person, number),
        )
    )


def name_of(person: Mapping[str, Any]) -> str:
    """Give a person's name, or a community's."""
    own = " ".join(str(person.get(one) or "") for one in ("first_name", "last_name")).strip()
    return own or str(person.get("name") or "").strip()


def profile_of(person: Mapping[str, Any], number: int) -> dict[str, str]:
    """Give what VK shows of a person beside the name."""
    city = person.get("city")
    page = str(person.get("screen_name") or person.get("domain") or "")
    found = {
        "vk_page": f"https://vk.com/{page or (f'id{number}' if number > 0 else f'club{-number}')}",
        "city": str(city.get("title") or "") if isinstance(city, Mapping) else "",
        "birthday": str(person.get("bdate") or ""),
        "sex": SEXES.get(person.get("sex", 0), ""),
        "picture": str(person.get("photo_200") or ""),
    }
    return {name: value for name, value in found.items() if value}


async def panels(hub: Hub, dialog: Dialog) -> list[Panel]:
    """Show beside a dialog what VK shows of the person."""
    if dialog.channel != KIND:
        return []
    contact = await hub.contact(dialog.contact_id)
    profile = next((one.profile for one in contact.addresses if one.value == dialog.address), {})
    known = (("Page", "vk_page"), ("City", "city"), ("Birthday", "birthday"))
    lines = tuple(
        PanelLine(
            label=label,
            value=profile[key],
            href=profile[key] if profile[key].startswith("https://") else "",
        )
        for label, key in known
        if profile.get(key)
    )
    return [Panel(key="vk_profile", title="VK profile", lines=lines, order=55)] if lines else []


def jobs() -> list[Job]:
    """Give the job that asks."""
    return [Job(name=JOB, run=introduce, timeout=timedelta(minutes=1), max_attempts=12)]
