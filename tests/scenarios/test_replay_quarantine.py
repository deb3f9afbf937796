"""What nobody could read is taken in once the channel can, and only once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

from hub import (
    SYSTEM,
    Address,
    Arrival,
    Capabilities,
    Channel,
    Conflict,
    CreateAccount,
    DialogQuery,
    InboundMessage,
    Quarantine,
    QuarantineId,
    WebhookRequest,
    hookimpl,
)
from hub.plugin_host import PluginHost
from hub.replay import replay, waiting
from hub.runtime import Runtime
from hub.settings import HubSettings


class NoSettings(BaseModel):
    """None are needed."""


def owls(mended: list[bool]) -> ModuleType:
    """A channel that cannot read until it is mended."""

    class Owl(Channel):
        name: ClassVar[str] = "owl"
        capabilities: ClassVar[Capabilities] = Capabilities(address_kind="owl")
        Settings: ClassVar[type[BaseModel]] = NoSettings

        def parse(self, request: WebhookRequest) -> Iterable[Arrival]:
            return self.replay(request.body)

        def replay(self, raw: bytes) -> Iterable[Arrival]:
            if not mended:
                raise ValueError("strange feathers")
            text = raw.decode()
            sender = Address(kind="owl", value="vera")
            return [InboundMessage(dedupe_key=text, external_id=text, sender=sender, text=text)]

    @hookimpl
    def register_channels() -> list[type[Channel]]:
        return [Owl]

    module = ModuleType("owl")
    vars(module).update(register_channels=register_channels)
    return module


@pytest.mark.parametrize("source", ["webhook", "pull"])
async def test_a_quarantined_input_is_taken_in_after_the_fix(
    tmp_path: Path, database_url: str, source: str
) -> None:
    mended: list[bool] = []
    plugins = PluginHost()
    plugins.add("owl", owls(mended))
    runtime = Runtime(HubSettings(data=tmp_path, database_url=database_url), plugins=plugins)
    runtime.migrate()
    await runtime.start()
    hub = runtime.handle(SYSTEM)
    account_id = (await hub.do(CreateAccount(channel="owl", title="Owls")))[0]
    first: QuarantineId = (
        await hub.do(Quarantine(account_id=account_id, raw=b"hoo", error="x", source=source))
    )[0]

    with pytest.raises(Conflict, match="strange feathers"):
        await replay(runtime, first)
    assert await waiting(runtime) == [first]

    mended.append(True)
    assert await replay(runtime, first) == 1
    assert await waiting(runtime) == []
    with pytest.raises(Conflict, match="replayed already"):
        await replay(runtime, first)
    found: Any = (await hub.dialogs(DialogQuery())).dialogs
    assert [one.preview for one in found] == ["hoo"]
    await runtime.stop()
