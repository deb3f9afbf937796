"""The box of a client's addresses: added, labelled, made the main one, removed."""

from __future__ import annotations

import re

from hub import CreateClient
from tests.scenarios.web.house import House


async def test_addresses_are_kept_on_the_card_of_a_client(hub: House) -> None:
    browser = await hub.logged_in()
    values = {"phone": "+7 495 000-00-01"}
    client_id = (await hub.system.do(CreateClient(name="Garden", values=values)))[0]
    path = f"/clients/{client_id}"

    async def done(what: str, kind: str, value: str, **more: str) -> str:
        data = {"do": f"{what}-address", "kind": kind, "value": value, **more}
        answer = await browser.submit(f"{path}/act", path, data=data)
        assert answer.status_code == 303, answer.text
        return str((await browser.get(path)).text)

    page = await done("add", "phone", "+7 495 000-00-02", label="accounts")
    assert '<span class="label">accounts</span>' in page
    assert page.count("Make it the main one:") == 1
    page = await done("main", "phone", "+7 495 000-00-02")
    assert re.search(r'id="f-phone"[^>]*value="\+7 495 000-00-02"', page)
    page = await done("label", "phone", "+7 495 000-00-01", label="reception")
    assert '<span class="label">reception</span>' in page
    page = await done("remove", "phone", "+7 495 000-00-02")
    assert "000-00-02" not in page
    # What somebody else has removed meanwhile is no trouble.
    await done("remove", "phone", "+7 495 000-00-02")
    data = {"do": "add-address", "kind": "email", "value": "nobody"}
    refused = await browser.submit(f"{path}/act", path, data=data)
    assert refused.status_code == 422
    assert "this is not an e-mail address" in refused.text
