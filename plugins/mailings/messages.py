"""How a message of a mailing looks at a person's end, over each channel that takes no letters."""

from __future__ import annotations

from dataclasses import dataclass

from hub import AccountId, Hub, HubError
from plugins.mailings.contents import contents_of
from plugins.mailings.plans import Plan
from plugins.mailings.trying import samples


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One wording over one account, filled in for a sample person; buttons as (label, address)."""

    title: str
    name: str
    text: str
    buttons: tuple[tuple[str, str], ...] = ()


async def looks_of(hub: Hub, plan: Plan, language: str) -> list[Look]:
    """Give the messages of a plan; nothing for letters, which are drawn whole."""
    if not plan.accounts or not plan.variants[0].text.strip():
        return []
    values = {**samples(language), "unsubscribe_url": "#", "view_url": "#"}
    found = []
    try:
        for one in await contents_of(hub, plan):
            if one.html:
                continue
            account = await hub.account(AccountId(one.account_id or plan.accounts[0]))
            buttons = tuple(
                (hub.fill(each.label, values).text, hub.fill(each.url, values).text)
                for each in one.buttons
            )
            found.append(
                Look(
                    title=account.title,
                    name=chr(ord("A") + int(one.variant)),
                    text=hub.fill(one.text, values).text,
                    buttons=buttons,
                )
            )
    except HubError:
        # Words that cannot be filled in are named by the list before sending.
        return []
    return found
