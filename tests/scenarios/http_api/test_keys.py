"""Repeating a POST: one key, one effect, the first answer."""

from __future__ import annotations

import asyncio
from collections import Counter

from sqlalchemy import delete

from crm_store.api_requests import ABANDONED_US, Claim, claim_keys
from crm_store.tables.users import api_requests
from tests.scenarios.http_api.world import World


async def test_a_repeated_post_gives_the_first_answer(world: World) -> None:
    program = await world.program()
    body = {"name": "Anna", "addresses": [{"kind": "pigeon", "value": "anna"}]}
    headers = {"idempotency-key": "k1"}
    first = await program.post("/contacts", json=body, headers=headers)
    assert first.status_code == 201
    again = await program.post("/contacts", json=body, headers=headers)
    assert again.status_code == 201
    assert again.content == first.content
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["etag"] == first.headers["etag"]
    assert "idempotency-replayed" not in first.headers
    assert len((await program.ok("GET", "/contacts"))["items"]) == 1


async def test_a_key_is_of_one_request_and_one_caller(world: World) -> None:
    program = await world.program()
    headers = {"idempotency-key": "k1"}
    await program.ok("POST", "/clients", json={"name": "Acme"}, headers=headers)
    await program.refused(
        422, "key_reused", "POST", "/clients", json={"name": "Other"}, headers=headers
    )
    await program.refused(
        422, "key_reused", "POST", "/contacts", json={"name": "Acme"}, headers=headers
    )
    other = await world.program("agent")
    await other.ok("POST", "/clients", json={"name": "Acme"}, headers=headers)
    # A token of the same person that may less does not hear what the other one was told.
    lesser = await world.program(scopes=["contacts.view"])
    acme = {"json": {"name": "Acme"}, "headers": headers}
    await lesser.refused(422, "key_reused", "POST", "/clients", **acme)
    assert len((await program.ok("GET", "/clients"))["items"]) == 2
    for wrong in (b"x" * 151, "ключ".encode()):
        answer = await program.post(
            "/clients", json={"name": "A"}, headers=[(b"idempotency-key", wrong)]
        )
        assert answer.status_code == 422


async def test_a_refused_request_does_not_use_its_key_up(world: World) -> None:
    account = await world.account()
    first = await world.letter(account, "anna")
    await world.letter(account, "anna")
    program = await world.program()
    path = f"/dialogs/{first.dialog_id}/messages"
    headers = {"idempotency-key": "k1"}
    body = {"text": "hello", "seen_message_id": str(first.message_id)}
    await program.refused(409, "newer_messages", "POST", path, json=body, headers=headers)
    await program.refused(422, "invalid", "POST", path, json={"txt": 1}, headers=headers)
    made = await program.ok("POST", path, json={**body, "send_anyway": True}, headers=headers)
    again = await program.ok("POST", path, json={**body, "send_anyway": True}, headers=headers)
    assert again == made


async def test_fifty_at_once_make_one(world: World) -> None:
    """Whoever comes while the first runs is told so; whoever comes later gets its answer."""
    account = await world.account()
    came = await world.letter(account, "anna")
    program = await world.program()
    path = f"/dialogs/{came.dialog_id}/messages"

    async def once() -> tuple[int, str]:
        answer = await program.post(
            path, json={"text": "hello"}, headers={"idempotency-key": "race"}
        )
        code = answer.json().get("error", {}).get("code", "")
        return answer.status_code, code or answer.json()["id"]

    outcomes = Counter(await asyncio.gather(*(once() for _ in range(50))))
    assert {status for status, _ in outcomes} <= {201, 409}
    assert {code for status, code in outcomes if status == 409} <= {"running"}
    assert len({made for status, made in outcomes if status == 201}) == 1
    thread = await program.ok("GET", f"/dialogs/{came.dialog_id}/thread")
    assert [one["text"] for one in thread["messages"]] == ["coo", "hello"]


async def test_a_key_of_a_request_that_died_is_free_again(world: World) -> None:
    """The process was killed between the effect and the answer: the outbox knows the key too."""
    account = await world.account()
    came = await world.letter(account, "anna")
    program = await world.program()
    path = f"/dialogs/{came.dialog_id}/messages"
    made = await program.ok(
        "POST", path, json={"text": "hello"}, headers={"idempotency-key": "dead"}
    )
    runtime = world.house.runtime
    claim = Claim(user_id=world.users["administrator"], key="died", fingerprint="whatever")
    assert (await runtime.database.write(claim_keys, claim)).claimed
    headers = {"idempotency-key": "died"}
    await program.refused(
        422, "key_reused", "POST", "/clients", json={"name": "A"}, headers=headers
    )
    now = runtime.now
    later = lambda: now() + ABANDONED_US + 1_000_000  # noqa: E731
    runtime.database.set_clock(later)  # type: ignore[arg-type]
    await program.ok("POST", "/clients", json={"name": "A"}, headers=headers)
    # The same of a send: its row of answers is lost, and still it leaves once.
    with runtime.database.administer() as conn:
        conn.execute(delete(api_requests))
    again = await program.ok(
        "POST", path, json={"text": "hello"}, headers={"idempotency-key": "dead"}
    )
    assert again["id"] == made["id"]


async def test_an_upload_is_repeated_with_another_boundary(world: World) -> None:
    program = await world.program()
    headers = {"idempotency-key": "file"}
    files = {"file": ("a.txt", b"hello", "text/plain")}
    first = await program.ok("POST", "/attachments", files=files, headers=headers)
    again = await program.ok("POST", "/attachments", files=files, headers=headers)
    assert again == first
    other = {"file": ("a.txt", b"other", "text/plain")}
    await program.refused(422, "key_reused", "POST", "/attachments", files=other, headers=headers)
