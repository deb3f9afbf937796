"""An account's page at work: what is needed, health, the catalogue, a test message to oneself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub import CreateAccount, Health, PermanentFailure, Template, TemplateState
from tests.houses import until
from tests.parrots import Perch, plugin_of, says
from tests.scenarios.web.house import House, open_house


@pytest.fixture
def perch() -> Perch:
    """The parrots' provider."""
    return Perch()


@pytest.fixture
async def hub(database_url: str, tmp_path: Path, perch: Perch) -> AsyncIterator[House]:
    """A hub of parrots."""
    async with open_house(tmp_path, database_url, ("parrots", plugin_of(perch))) as house:
        yield house


async def test_an_accounts_page_shows_health_and_catalogue(hub: House, perch: Perch) -> None:
    browser = await hub.logged_in()
    assert "/settings/channels/new/parrot" in (await browser.get("/settings/channels")).text
    assert "A cracker." in (await browser.get("/settings/channels/new/parrot")).text
    perch.health = Health(webhook="registered, nothing waits", quota="12 of 1000 left")
    perch.catalogue = [
        Template(name="sale", body="Buy!", state=TemplateState.REJECTED, reason="too loud")
    ]
    made = (await hub.system.do(CreateAccount(channel="parrot", title="Parrots")))[0]
    path = f"/settings/channels/{made}"

    async def asked() -> bool:
        text = (await browser.get(path)).text
        return all(one in text for one in ("registered, nothing waits", "12 of 1000", "too loud"))

    await until(asked)
    perch.catalogue = []
    assert (await browser.submit(f"{path}/templates", path)).status_code == 303
    assert "too loud" not in (await browser.get(path)).text
    perch.outcomes["templates"] = [PermanentFailure(text="no catalogue for you")]
    answer = await browser.submit(f"{path}/templates", path)
    assert (answer.status_code, "no catalogue for you" in answer.text) == (502, True)
    # A check by hand asks the provider too, and remembers what it said.
    perch.health = Health(ok=False, text="certificate expired")
    await browser.submit(f"{path}/check", path)
    assert (await hub.system.account(made)).state == "down"
    assert "certificate expired" in (await browser.get("/inbox")).text


async def test_a_test_message_goes_the_way_of_every_message(hub: House, perch: Perch) -> None:
    browser = await hub.logged_in()
    made = (await hub.system.do(CreateAccount(channel="parrot", title="Parrots")))[0]
    path = f"/settings/channels/{made}"
    # The window of somebody who never wrote is closed, and that is said.
    answer = await browser.submit(f"{path}/test", path, {"address": "coco"})
    assert answer.status_code == 422
    assert "only a template" in answer.text
    given = (await hub.runtime.receive(await hub.system.account(made), [says("1")]))[0]
    answer = await browser.submit(f"{path}/test", path, {"dialog": str(given.dialog_id)})
    assert answer.headers["location"] == f"/inbox/{given.dialog_id}"
    await until(
        lambda: [one.text for one in perch.sent] == ["This is a test message of your inbox."]
    )
    assert (await browser.submit(f"{path}/test", path, {})).status_code == 422
