"""The ticked box of a form: a subscription, which the person confirms by the button of a letter."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence

from hub import Address, Event, Hub, Invalid, MessageReceived, Micros, NotFound, Subscribe


async def hear(hub: Hub, events: Sequence[Event]) -> None:
    """Hand the subscriptions of new messages on; each fact may come twice."""
    received = [one for one in events if isinstance(one, MessageReceived)]
    forms = {one.id for one in await hub.accounts("web_form")} if received else set()
    for event in received:
        if event.account_id not in forms:
            continue
        with contextlib.suppress(NotFound):
            message = await hub.message(event.message_id)
            profile = message.extra.get("profile")
            if isinstance(profile, Mapping) and profile.get("subscribe"):
                await _subscribe(hub, profile, message.received_at)


async def _subscribe(hub: Hub, profile: Mapping[str, object], at: Micros) -> None:
    email, page = str(profile.get("email", "")), str(profile.get("page", ""))
    evidence = str(profile.get("subscribe_text", ""))
    # A topic that was renamed or removed meanwhile is nothing that a visitor could mend.
    with contextlib.suppress(Invalid, NotFound):
        await hub.do(
            Subscribe(
                address=Address(kind="email", value=email, name=str(profile.get("name", ""))),
                topic=str(profile["subscribe"]),
                how="form",
                evidence=f"{evidence}\n{page}".strip(),
                ip=str(profile.get("subscribe_from", "")),
                language=str(profile.get("subscribe_language", "")),
                at=at,
            )
        )
