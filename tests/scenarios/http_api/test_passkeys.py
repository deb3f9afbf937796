"""One's own passkeys over the API."""

from __future__ import annotations

from hub import AddPasskey, SetPassword
from tests.scenarios.http_api.world import World


async def test_ones_own_passkeys_are_listed_and_removed(world: World) -> None:
    agent, admin = await world.program("agent"), await world.program()
    user_id = await world.user("agent")
    own = world.house.system.as_user(user_id)
    for name in ("Phone", "Desk"):
        await own.do(
            AddPasskey(name=name, domain="desk.example", credential=name, public_key="key")
        )
    found = await agent.ok("GET", "/me/passkeys")
    assert [one["name"] for one in found] == ["Phone", "Desk"]
    assert "key" not in str(found).replace("passkey", "")
    assert await admin.ok("GET", "/me/passkeys") == []
    # A colleague's are no part of one's own, whoever one is.
    await admin.refused(404, "not_found", "DELETE", f"/me/passkeys/{found[0]['id']}")
    await agent.ok("DELETE", f"/me/passkeys/{found[0]['id']}")
    await world.house.system.do(SetPassword(user_id=user_id, password_hash=""))
    await agent.refused(409, "last_way_in", "DELETE", f"/me/passkeys/{found[1]['id']}")
    assert [one["name"] for one in await agent.ok("GET", "/me/passkeys")] == ["Desk"]
