"""`dialoghub user ...`: colleagues, from the machine itself (also the way back in)."""

from __future__ import annotations

import sys
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
    when,
)

if TYPE_CHECKING:
    from hub.records.system import User
    from hub.settings import HubSettings

app = typer.Typer(help="Colleagues who log in.", no_args_is_help=True)

WhoArgument = Annotated[str, typer.Argument(help="E-mail address or id of the colleague.")]


@app.command("create")
def create(
    email: Annotated[str, typer.Argument(help="E-mail address, the name to log in with.")],
    name: Annotated[str, typer.Option(help="Name as customers see it.")] = "",
    role: Annotated[
        str, typer.Option(help="administrator, supervisor, agent, marketer or auditor.")
    ] = "agent",
    language: Annotated[str, typer.Option(help="en or ru.")] = "en",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a colleague; the password is asked for."""
    from hub.commands import CreateUser
    from hub.web.login import hash_password

    settings = load_settings(data, database)
    password = _ask_password(from_stdin=password_stdin)
    _check(password, name, email)

    async def work() -> int:
        async with opened(settings) as hub:
            command = CreateUser(
                email=email,
                name=name or email.partition("@")[0],
                role=role,
                language=language,
                password_hash=await hash_password(password),
            )
            return int((await hub.do(command))[0])

    user_id = run_async(work())
    if as_json:
        say_json({"id": str(user_id), "email": email, "role": role})
    else:
        say(f"{email} can log in now ({role}).")


@app.command("list")
def list_users(
    data: DataOption = None, database: DatabaseOption = None, as_json: JsonOption = False
) -> None:
    """Show every colleague."""
    settings = load_settings(data, database)
    users = run_async(_all(settings))
    if as_json:
        say_json(
            [
                {
                    "id": str(one.id),
                    "email": one.email,
                    "name": one.name,
                    "role": one.role,
                    "active": one.active,
                    "last_seen_at": one.last_seen_at,
                }
                for one in users
            ]
        )
        return
    table(
        ("e-mail", "name", "role", "active", "last seen", "id"),
        [
            (
                one.email,
                one.name,
                one.role,
                "yes" if one.active else "no",
                when(one.last_seen_at),
                one.id,
            )
            for one in users
        ],
        empty="Nobody yet: `dialoghub user create you@example.org --role administrator`",
    )


async def _all(settings: HubSettings) -> list[User]:
    from crm_store.users import all_users

    async with opened(settings) as hub:
        return await hub.read(all_users)


@app.command("password")
def password(
    who: WhoArgument,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Give a colleague another password; every browser of theirs is logged out."""
    from hub.commands import RevokeSessions, SetPassword
    from hub.web.login import hash_password

    settings = load_settings(data, database)

    async def work() -> str:
        async with opened(settings) as hub:
            user = await find_user(hub, who)
            given = _ask_password(from_stdin=password_stdin)
            _check(given, user.name, user.email)
            await hub.do(
                SetPassword(user_id=user.id, password_hash=await hash_password(given)),
                RevokeSessions(user_id=user.id),
            )
            return user.email

    say(f"{run_async(work())} has a new password; every browser was logged out.")


@app.command("deactivate")
def deactivate(
    who: WhoArgument,
    again: Annotated[bool, typer.Option("--undo", help="Let the colleague in again.")] = False,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Keep a colleague out at once; what was written stays."""
    from hub.commands import UpdateUser

    settings = load_settings(data, database)

    async def work() -> str:
        async with opened(settings) as hub:
            user = await find_user(hub, who)
            await hub.do(UpdateUser(user_id=user.id, active=again))
            return user.email

    say(f"{run_async(work())} {'can log in again' if again else 'cannot log in any more'}.")


def _ask_password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    answer: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return answer


def _check(password: str, name: str, email: str) -> None:
    from hub.errors import Invalid
    from hub.web.login import weak

    reason = weak(password, name, email.split("@")[0])
    if reason:
        raise Invalid(reason, field="password")
