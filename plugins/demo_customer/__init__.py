"""Demo customers: channels without any provider, behind which simulated people answer.

Whoever tries the hub out needs no account anywhere. An answer sent here is delivered, read, and
after some seconds the customer types and writes back; now and then somebody new comes.
"""

from __future__ import annotations

from datetime import timedelta

from hub import Channel, DeliveryChanged, Event, Hub, Job, RunJob, hookimpl
from plugins.demo_customer.channel import CHANNELS, DemoMail, DemoMessenger
from plugins.demo_customer.people import ANSWER, NEWCOMER, answer, newcomer

event_types = (DeliveryChanged.type,)
NEWCOMER_EVERY = timedelta(minutes=2)


@hookimpl
def register_channels() -> list[type[Channel]]:
    """A messenger and a mailbox."""
    return [DemoMessenger, DemoMail]


@hookimpl
def register_jobs() -> list[Job]:
    """What the simulated people do."""
    return [
        Job(name=ANSWER, run=answer, timeout=timedelta(minutes=1)),
        Job(name=NEWCOMER, run=newcomer, every=NEWCOMER_EVERY),
    ]


@hookimpl
async def event_occurred(hub: Hub, events: tuple[Event, ...]) -> None:
    """Something of ours reached a simulated person: he will read it and answer."""
    ours = {one.id for name in CHANNELS for one in await hub.accounts(name)}
    for event in events:
        if (
            isinstance(event, DeliveryChanged)
            and event.after == "sent"
            and event.account_id in ours
        ):
            await hub.do(
                RunJob(
                    name=ANSWER,
                    key=f"message-{event.message_id}",
                    payload={"message_id": str(event.message_id)},
                )
            )
