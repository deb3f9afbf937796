"""A file on a card: chosen, shown, downloaded, replaced and taken away on its form."""

from __future__ import annotations

import re

from hub import (
    AccountId,
    AddNote,
    Attachment,
    CreateAccount,
    CreateClient,
    DialogId,
    SaveField,
    SaveRole,
)
from tests.scenarios.web.house import House, csrf_of
from tests.scenarios.web.pigeons import SETTINGS
from tests.scenarios.web.test_live import write


async def test_a_file_is_put_on_a_card_replaced_and_taken_away(hub: House) -> None:
    browser = await hub.logged_in()
    await hub.system.do(SaveField(kind="client", label="Contract", type="file", listed=True))
    client_id = (await hub.system.do(CreateClient(name="Anna", values={})))[0]
    path = f"/clients/{client_id}"

    async def saved(chosen: str = "", **more: str) -> int:
        page = (await browser.get(path)).text
        form = page[page.index('enctype="multipart/form-data"') :]
        version = re.search(r'name="version" value="(\d+)"', form)
        was = re.search(r'name="custom.contract" value="(\d*)"', form)
        assert version is not None
        assert was is not None
        data = {"version": version[1], "custom.contract": was[1], "_csrf": csrf_of(page), **more}
        files = {"custom.contract-new": (chosen, b"<script>" if chosen else b"", "text/html")}
        return (await browser.post(path, data=data, files=files)).status_code

    assert await saved("offer & terms.html", name="Anna") == 303
    page = (await browser.get(path)).text
    assert "offer &amp; terms.html" in page
    link = re.search(r'href="(/files/\d+)"', page)
    assert link is not None
    assert link[1] in (await browser.get("/clients")).text
    given = await browser.get(f"{link[1]}?inline=1")
    assert (given.content, given.headers["content-type"]) == (
        b"<script>",
        "application/octet-stream",
    )
    assert given.headers["content-disposition"].startswith("attachment")
    # A refused form keeps what was chosen, and saving again keeps what is there.
    assert await saved("second.html", name="") == 422
    assert await saved(name="Anna") == 303
    assert link[1] in (await browser.get(path)).text
    assert await saved("third.html", name="Anna") == 303
    assert (await browser.get(link[1])).status_code == 404
    assert await saved(name="Anna", **{"custom.contract-gone": "yes"}) == 303
    assert "third.html" not in (await browser.get(path)).text.split("What changed")[0]
    blobs = hub.runtime.settings.data / "blobs"
    # What was chosen in the refused form is nobody's yet.
    assert len([one for one in blobs.rglob("*") if one.is_file()]) == 1


async def test_a_file_is_given_and_read_over_the_api(hub: House) -> None:
    browser = await hub.logged_in()
    await hub.system.do(SaveField(kind="client", label="Contract", type="file"))
    client_id = (await hub.system.do(CreateClient(name="Anna", values={})))[0]
    head = {"x-csrf-token": await browser.csrf(), "accept": "application/json"}
    sent = await browser.post(
        "/api/v1/attachments", files={"file": ("a.pdf", b"pdf", "application/pdf")}, headers=head
    )
    assert sent.status_code == 201, sent.text
    body = {"custom": {"contract": sent.json()["id"]}}
    changed = await browser.patch(f"/api/v1/clients/{client_id}", json=body, headers=head)
    told = {"id": sent.json()["id"], "name": "a.pdf", "size": 3, "media_type": "application/pdf"}
    assert changed.json()["custom"]["contract"] == told
    content = await browser.get(f"/api/v1/attachments/{told['id']}/content", headers=head)
    assert content.content == b"pdf"
    again = await browser.post("/api/v1/clients", json={"name": "B", **body}, headers=head)
    assert again.status_code == 422


async def test_a_file_is_given_with_a_new_card_by_who_writes_no_notes(hub: House) -> None:
    rights = frozenset(
        {"requests.view", "requests.edit", "tasks.view", "tasks.edit", "dialogs.view"}
    )
    await hub.system.do(SaveRole(name="keeper", based_on="agent", permissions=rights))
    browser = await hub.logged_in("keeper")
    for kind, path in (("request", "/requests"), ("task", "/tasks")):
        await hub.system.do(SaveField(kind=kind, label="Scan", type="file", listed=True))
        page = (await browser.get(path)).text
        form = page[page.index("add-box") :]
        assert f'action="{path}" enctype="multipart/form-data"' in form
        assert 'name="custom.scan-new"' in form
        data = {"title": "Boat", "custom.scan": "", "_csrf": csrf_of(page)}
        files = {"custom.scan-new": ("scan.pdf", b"pdf", "application/pdf")}
        made = await browser.post(path, data=data, files=files)
        assert made.status_code == 303, made.text
        assert "scan.pdf" in (await browser.get(made.headers["location"])).text
    head = {"x-csrf-token": await browser.csrf("/tasks"), "accept": "application/json"}
    files = {"file": ("a.pdf", b"pdf", "application/pdf")}
    for kind, status in (("", 403), ("client", 403), ("boat", 404), ("task", 201)):
        sent = await browser.post(
            "/api/v1/attachments", files=files, data={"kind": kind} if kind else {}, headers=head
        )
        assert sent.status_code == status, sent.text


async def test_a_short_form_asks_for_files_and_what_an_object_cannot_be_without(hub: House) -> None:
    browser = await hub.logged_in()
    for kind in ("client", "contact", "lead", "interest"):
        await hub.system.do(
            SaveField(kind=kind, label="Scan", type="file", required=True),
            SaveField(kind=kind, label="Plan", type="file"),
        )
    for path, kind, title in (
        ("/clients", "clients", "name"),
        ("/contacts", "contacts", "name"),
        ("/leads", "leads", "title"),
        ("/interests/list", "interests", "title"),
    ):
        page = (await browser.get(path)).text
        form = page[page.index("add-box") :]
        assert f'action="/{kind}"' in form
        assert 'enctype="multipart/form-data"' in form[: form.index(">", form.index("<form"))]
        assert re.search(r'type="file" name="custom.scan-new" required', form)
        assert 'name="custom.plan-new"' in form
        data = {title: "Boat", "custom.scan": "", "custom.plan": "", "_csrf": csrf_of(page)}
        plan = {"custom.plan-new": ("plan.pdf", b"pdf", "application/pdf")}
        scan = {"custom.scan-new": ("scan.pdf", b"pdf", "application/pdf")}
        refused = await browser.post(f"/{kind}", data=data, files=plan)
        assert refused.status_code == 422, path
        assert "this is needed" in refused.text
        # What was chosen is kept.
        kept = re.search(r'name="custom.plan" value="(\d+)"', refused.text)
        assert kept is not None
        assert "plan.pdf" in refused.text
        made = await browser.post(f"/{kind}", data={**data, "custom.plan": kept[1]}, files=scan)
        assert made.status_code == 303, made.text
        card = (await browser.get(made.headers["location"])).text
        assert "plan.pdf" in card
        assert "scan.pdf" in card


async def test_one_press_beside_a_dialog_leads_to_what_is_needed(hub: House) -> None:
    browser = await hub.logged_in()
    account = CreateAccount(channel="pigeon", title="Loft", settings=SETTINGS)
    dialog_id = await write(hub, AccountId((await hub.system.do(account))[0]), 1)
    page = (await browser.get(f"/inbox/{dialog_id}")).text
    press = {"dialog": str(dialog_id), "_csrf": csrf_of(page)}
    for kind, place in (("lead", "/leads"), ("interest", "/interests/list")):
        await hub.system.do(SaveField(kind=kind, label="Scan", type="file", required=True))
        sent = await browser.post(f"/{kind}s", data=press)
        assert sent.headers["location"] == f"{place}?new=yes&dialog={dialog_id}"
        form = (await browser.get(sent.headers["location"])).text
        assert f'name="dialog" value="{dialog_id}"' in form
        files = {"custom.scan-new": ("scan.pdf", b"pdf", "application/pdf")}
        data = {**press, "title": "", "custom.scan": ""}
        made = await browser.post(f"/{kind}s", data=data, files=files)
        assert made.status_code == 303, made.text
        assert re.fullmatch(rf"/{kind}s/\d+", made.headers["location"])
        assert "scan.pdf" in (await browser.get(made.headers["location"])).text
        assert made.headers["location"] in (await browser.get(f"/inbox/{dialog_id}")).text


async def test_what_a_file_hangs_on_decides_who_gets_it(hub: House) -> None:
    rights = frozenset({"contacts.view", "contacts.edit"})
    await hub.system.do(SaveRole(name="keeper", based_on="agent", permissions=rights))
    await hub.system.do(SaveField(kind="client", label="Contract", type="file"))
    made = CreateAccount(channel="pigeon", title="Loft", settings=SETTINGS)
    dialog_id = await write(hub, AccountId((await hub.system.do(made))[0]), 1)
    file = Attachment(name="a.pdf", media_type="application/pdf", content=b"pdf", size=3)
    on_card, on_note = [await hub.system.upload(file, DialogId(0)) for _ in range(2)]
    await hub.system.do(
        CreateClient(name="Anna", values={"custom": {"contract": str(on_card)}}),
        AddNote(dialog_id=dialog_id, text="Look", attachments=(on_note,)),
    )
    keeper, agent = await hub.logged_in("keeper"), await hub.logged_in("agent")
    for browser, of_dialogs in ((keeper, 404), (agent, 200)):
        for file_id, status in ((on_card, 200), (on_note, of_dialogs)):
            for path in ("/files/{}", "/api/v1/attachments/{}", "/api/v1/attachments/{}/content"):
                given = await browser.get(path.format(file_id))
                assert given.status_code == status, (path, file_id)
        # A role that sees no dialogs finds none, by no way.
        assert (await browser.get(f"/inbox/{dialog_id}")).status_code == of_dialogs
        for path in ("/inbox", "/search?q=coo"):
            text = (await browser.get(path)).text
            assert (f"/inbox/{dialog_id}" in text) is (of_dialogs == 200), path
