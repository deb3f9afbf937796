"""`dialoghub run`: migrations, then everything in one process (or only the web or worker half)."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.base import DatabaseOption, DataOption, load_settings, say

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from hub.runtime import Runtime
    from hub.settings import HubSettings

EVERYWHERE = ("0.0.0.0", "::", "")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("run")(run)


def run(
    host: Annotated[
        str | None, typer.Option(help="Address to listen on (HUB_HOST; default 127.0.0.1).")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on (HUB_PORT; default 8000).")
    ] = None,
    data: DataOption = None,
    database: DatabaseOption = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="A demo company with customers who answer.")
    ] = False,
    only: Annotated[
        str | None,
        typer.Option(help="web or worker: half of the work, to be split over machines."),
    ] = None,
) -> None:
    """Start the hub; stops on Ctrl+C."""
    from hub.errors import Invalid
    from hub.lock import DataLock
    from hub.scratch import Scratch
    from hub.server import listen, serve

    if only not in (None, "web", "worker", "all"):
        raise Invalid("--only is web or worker", field="only")
    # The demo lives apart, so that trying the product out never mixes with real dialogs.
    settings = load_settings(data, database, host=host, port=port, role=only)
    if demo:
        settings = _demo_settings(settings)
    lock = DataLock(settings.data)
    if not settings.database_url:
        lock.take()
    sock = listen(settings)
    scratch = Scratch(settings.data)
    scratch.take()
    try:
        app, lines = _prepare(settings, demo=demo)
        serve(app, settings, sock, on_ready=lambda: _greet(lines))
    finally:
        scratch.drop()
        sock.close()
        lock.drop()


def _demo_settings(settings: HubSettings) -> HubSettings:
    if settings.database_url or "data" in settings.model_fields_set:
        return settings
    return settings.model_copy(update={"data": settings.data.with_name("demo-data")})


def _prepare(settings: HubSettings, *, demo: bool) -> tuple[Starlette, list[str]]:
    """Migrate, seed where asked, wire; give what to tell the one who starts the hub."""
    import logging

    from hub.app import build
    from hub.cli.base import run_async
    from hub.runtime import Runtime
    from hub.web.first_run import new_setup_link

    runtime = Runtime(settings)
    steps = runtime.migrate()
    if steps:
        logging.getLogger("hub.run").info("migrated steps=%d last=%s", len(steps), steps[-1])
    if not settings.database_url:
        runtime.outlive()
    if settings.host in EVERYWHERE and not settings.public_url:
        # Nobody can open 0.0.0.0; this machine's name is the best guess until somebody says more.
        runtime.public_url = f"http://{socket.gethostname()}:{settings.port}"
    lines = [f"Dialog Hub is ready at {_known_address(runtime)}"]
    if demo:
        from hub.demo import seed

        # On a loop and with a runtime of its own: the server's begin when it serves.
        lines += run_async(seed(settings))
    link = new_setup_link(runtime) if settings.role != "worker" else ""
    if link:
        lines += ["", "Nobody can log in yet. Open this link to set the hub up:", f"  {link}"]
    return build(settings, runtime), [*lines, "", "Stop it with Ctrl+C."]


def _known_address(runtime: Runtime) -> str:
    """Give the address that the installation knows itself under."""
    from sqlalchemy import select

    from crm_store.tables.users import brands

    if runtime.settings.public_url:
        return runtime.public_url
    stored = runtime.database.read_now(
        lambda conn: conn.execute(select(brands.c.public_url)).scalar()
    )
    return stored or runtime.public_url


def _greet(lines: list[str]) -> None:
    for line in lines:
        say(line)
