"""A hub killed in the middle of a send over SMS or WhatsApp says that it does not know."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hub import Address
from tests.servers import graph, twilio
from tests.servers.graph import GraphServer
from tests.servers.stand_in import Reply, Request, StandIn
from tests.servers.twilio import TwilioServer
from tests.wire.killed import killed_in_send

PERSON = "+15550001111"


def keep_silent(server: StandIn, path: str) -> asyncio.Event:
    """Let a server take what is posted to a path, set the event, and never answer."""
    reached, loop, handle = asyncio.Event(), asyncio.get_running_loop(), server.handle

    def silent(request: Request) -> Reply | None:
        found = handle(request)
        if request.method != "POST" or not request.path.endswith(path):
            return found
        loop.call_soon_threadsafe(reached.set)
        server.stopping.wait()
        return None

    server.handle = silent  # type: ignore[method-assign]
    return reached


@pytest.mark.parametrize(
    ("module", "channel", "kind"),
    [("sms", "sms", "phone"), ("whatsapp", "whatsapp_twilio", "whatsapp")],
)
async def test_a_kill_at_twilio_s_wire_is_unknown_and_not_repeated(
    tmp_path: Path, database_url: str, module: str, channel: str, kind: str
) -> None:
    with TwilioServer() as server:
        status = await killed_in_send(
            tmp_path,
            database_url,
            module=f"channels.{module}",
            channel=channel,
            settings={
                "account_sid": twilio.ACCOUNT,
                "auth_token": twilio.TOKEN,
                "sender": twilio.NUMBER,
                "api_url": server.url,
            },
            person=Address(kind=kind, value=PERSON, name="Vera"),
            reached=keep_silent(server, "/Messages.json"),
        )
        assert status == "unknown"
        assert [one["Body"] for one in server.messages] == ["We are"]


async def test_a_kill_at_meta_s_wire_is_unknown_and_not_repeated(
    tmp_path: Path, database_url: str
) -> None:
    with GraphServer() as server:
        status = await killed_in_send(
            tmp_path,
            database_url,
            module="channels.whatsapp",
            channel="whatsapp",
            settings={
                "phone_number_id": graph.PHONE_ID,
                "business_account_id": graph.ACCOUNT_ID,
                "access_token": graph.TOKEN,
                "app_secret": graph.SECRET,
                # Nobody could answer Meta's challenge there.
                "set_webhook": False,
                "api_url": server.url,
            },
            person=Address(kind="whatsapp", value=PERSON, name="Vera"),
            reached=keep_silent(server, "/messages"),
        )
        assert status == "unknown"
        assert [one["text"]["body"] for one in server.messages] == ["We are"]
