"""`dialoghub token ...`: bearer tokens of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.base import (
    DatabaseOption,
    DataOption,
    JsonOption,
    find_user,
    load_settings,
    opened,
    run_async,
    say,
    say_json,
    table,
    warn,
    when,
)

if TYPE_CHECKING:
    from hub.records.system import Token
    from hub.settings import HubSettings

app = typer.Typer(help="Tokens for programs that use the API.", no_args_is_help=True)
DAY_US = 86_400_000_000


@app.command("create")
def create(
    who: Annotated[str, typer.Argument(help="Colleague whose rights the token has.")],
    name: Annotated[str, typer.Option(help="What the token is for.")] = "token",
    scope: Annotated[
        list[str] | None,
        typer.Option(help="Limit to a right (repeat for more); without it all of the user's."),
    ] = None,
    days: Annotated[int, typer.Option(help="Days until it ends; 0 is never.")] = 0,
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a token; it is shown once."""
    from hub.commands import CreateToken
    from hub.errors import Invalid
    from hub.ids import Micros
    from hub.roles import PERMISSIONS
    from hub.web.auth import new_api_token, token_hash

    wrong = [one for one in scope or () if one not in PERMISSIONS]
    if wrong:
        raise Invalid(f"there is no right {wrong[0]!r}; there are: {', '.join(PERMISSIONS)}")
    settings = load_settings(data, database)
    secret = new_api_token()

    async def work() -> int:
        async with opened(settings) as hub:
            user = await find_user(hub, who)
            command = CreateToken(
                user_id=user.id,
                name=name,
                token_hash=token_hash(secret),
                scopes=tuple(scope or ()),
                expires_at=Micros(hub.now() + days * DAY_US if days else 0),
            )
            return int((await hub.do(command))[0])

    token_id = run_async(work())
    if as_json:
        say_json({"id": str(token_id), "token": secret})
        return
    warn("Keep this token; it is not shown again:")
    say(secret)


@app.command("list")
def list_tokens(
    data: DataOption = None, database: DatabaseOption = None, as_json: JsonOption = False
) -> None:
    """Show every token, without its secret."""
    found = run_async(_all(load_settings(data, database)))
    if as_json:
        say_json(
            [
                {
                    "id": str(token.id),
                    "user": email,
                    "name": token.name,
                    "scopes": token.scopes,
                    "expires_at": token.expires_at,
                    "last_used_at": token.last_used_at,
                    "revoked": token.revoked,
                }
                for email, token in found
            ]
        )
        return
    table(
        ("id", "user", "name", "scopes", "ends", "last used", "state"),
        [
            (
                token.id,
                email,
                token.name,
                ", ".join(token.scopes) or "all",
                when(token.expires_at),
                when(token.last_used_at),
                "revoked" if token.revoked else "valid",
            )
            for email, token in found
        ],
        empty="no tokens",
    )


async def _all(settings: HubSettings) -> list[tuple[str, Token]]:
    from crm_store.sessions import tokens_of
    from crm_store.users import all_users

    async with opened(settings) as hub:
        return [
            (user.email, token)
            for user in await hub.read(all_users)
            for token in await hub.read(tokens_of, user.id)
        ]


@app.command("revoke")
def revoke(
    token_id: Annotated[int, typer.Argument(help="Id of the token, from `token list`.")],
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """End a token at once."""
    from hub.commands import RevokeToken

    settings = load_settings(data, database)

    async def work() -> None:
        async with opened(settings) as hub:
            await hub.do(RevokeToken(token_id=token_id))

    run_async(work())
    say("The token opens nothing any more.")
