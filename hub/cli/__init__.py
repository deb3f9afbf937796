"""The command line: one file per noun. `dialoghub --help`, also `python -m hub --help`.

Expected failures end with one line of plain words on standard error and exit code 1, wrong
usage with 2. Nothing heavy is imported before a command needs it.
"""

from __future__ import annotations

import os
import sys

import typer

from hub.cli import (
    accounts,
    backups,
    call_lists,
    check,
    database,
    imports,
    keys,
    mailings,
    networks,
    new_channel,
    people,
    plugins,
    quarantine,
    roles,
    rules,
    run,
    teams,
    tokens,
    users,
)
from hub.errors import HubError

app = typer.Typer(
    name="dialoghub",
    help="Dialog Hub: every customer channel as dialogs in one inbox.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
run.register(app)
check.register(app)
app.add_typer(users.app, name="user")
app.add_typer(roles.app, name="role")
app.add_typer(teams.app, name="team")
app.add_typer(tokens.app, name="token")
app.add_typer(networks.app, name="networks")
app.add_typer(accounts.app, name="account")
app.add_typer(rules.app, name="rules")
app.add_typer(mailings.app, name="mailing")
app.add_typer(call_lists.app, name="calls")
database.register(app)
backups.register(app)
quarantine.register(app)
people.register(app)
imports.register(app)
plugins.register(app)
new_channel.register(app)
app.add_typer(keys.app, name="keys")


def main() -> None:
    """Run the command line."""
    try:
        app()
    except HubError as error:
        _give_up(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read our output has gone; the interpreter must not complain about it too.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        words = _plain_words(error)
        if words is None:
            raise
        _give_up(words)


def _plain_words(error: Exception) -> str | None:
    from sqlalchemy.exc import ArgumentError, DatabaseError

    from crm_store.room import lacks_room

    if lacks_room(error):
        return "the disk is full: make room, then try again"
    if isinstance(error, ArgumentError):
        return "the database's address cannot be read (--database or HUB_DATABASE_URL)"
    if isinstance(error, DatabaseError):
        # The driver's first line; SQLAlchemy would add the statement, which holds values.
        first = str(error.orig).strip().splitlines()[:1]
        return f"the database refused: {first[0] if first else type(error).__name__}"
    return None


def _give_up(words: str) -> None:
    typer.echo(f"dialoghub: {words}", err=True)
    sys.exit(1)


__all__ = ["main"]
