"""Demo customers: channels without any provider, behind which simulated people answer.

Whoever tries the hub out needs no account anywhere. An answer sent here is delivered, read, and
after some seconds the customer types and writes back; now and then somebody new comes.
"""

from __future__ import annotations

from hub import Channel, Hub, hookimpl
from plugins.demo_customer.channel import DemoMail, DemoMessenger
from plugins.demo_customer.stage import STAGE


@hookimpl
def register_channels() -> list[type[Channel]]:
    """A messenger and a mailbox."""
    return [DemoMessenger, DemoMail]


@hookimpl
async def startup(hub: Hub) -> None:
    """Let the people in."""
    STAGE.open(hub)


@hookimpl
async def shutdown(hub: Hub) -> None:
    """Send the people home."""
    await STAGE.close()
