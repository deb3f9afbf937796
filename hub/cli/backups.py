"""`dialoghub backup` and `restore`."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.base import (
    DatabaseOption,
    DataOption,
    Progress,
    load_settings,
    opened,
    run_async,
    say,
    warn,
    when,
)

if TYPE_CHECKING:
    from crm_store.migrate import PluginSchema
    from hub.restore import Erasure, Restored
    from hub.settings import HubSettings

FileArgument = Annotated[Path, typer.Argument(help="The archive (.tar.gz); - is the stream.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("backup")(backup)
    app.command("restore")(restore)


def backup(
    file: FileArgument,
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="Put the key ring into the archive too.")
    ] = False,
    portable: Annotated[
        bool,
        typer.Option("--portable", help="As rows that PostgreSQL takes in too; slower."),
    ] = False,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Write the whole hub into one archive while it runs."""
    from crm_store.blobs import BlobStore
    from hub.backup import make_backup
    from hub.runtime import system_now

    settings = load_settings(data, database)
    shown = Progress("files")
    manifest = make_backup(
        settings,
        BlobStore(settings.data / "blobs"),
        file,
        now=system_now(),
        with_keys=with_keys,
        portable=portable,
        tell=shown,
    )
    shown.done()
    words = ", ".join(f"{number} {name}" for name, number in manifest.counts.items())
    warn(f"{file}: {words}")
    if manifest.missing:
        warn(f"{len(manifest.missing)} file(s) were gone already and are not in the backup.")
    if with_keys:
        warn(
            "WARNING: the archive holds the key ring: whoever has it reads every account's "
            "secrets. Keep it like a password."
        )
    else:
        warn(f"The key ring ({settings.keys}) is not in it; keep a copy of it apart.")


def restore(
    file: FileArgument,
    force: Annotated[bool, typer.Option("--force", help="Replace the hub that is here.")] = False,
    erasures: Annotated[
        Path | None,
        typer.Option(help="List from `dialoghub erasures`: who was erased after the backup."),
    ] = None,
    data: DataOption = None,
    database: DatabaseOption = None,
) -> None:
    """Make a hub of an archive; nothing that waits in it leaves before you say so."""
    from hub.errors import Invalid
    from hub.lock import DataLock
    from hub.restore import look_at_target, put_in_place, read_erasures, unpack
    from hub.runtime import system_now

    settings = load_settings(data, database, log_level="error")
    if str(file) != "-" and not file.is_file():
        raise Invalid(f"there is no file {file}")
    lock = DataLock(settings.data)
    lock.take()
    room = Path(tempfile.mkdtemp(prefix=".restore-", dir=settings.data))
    try:
        now = system_now()
        # A refusal comes before the long part.
        look_at_target(settings, now, force=force, since=0)
        unpacked = unpack(file, room)
        since = int(unpacked.about["made_at"])
        erased = look_at_target(settings, now, force=force, since=since)
        if erasures is not None:
            erased += read_erasures(erasures, since)
        result = put_in_place(settings, unpacked, now, _plugin_schemas(settings))
        result.erasures = run_async(_finish(settings, result, list(dict.fromkeys(erased))))
    finally:
        shutil.rmtree(room, ignore_errors=True)
        lock.drop()
    _report(result)


def _plugin_schemas(settings: HubSettings) -> list[PluginSchema]:
    """The plugins' tables must be known before their rows come."""
    from hub.events import EventRegistry
    from hub.plugin_host import PluginHost
    from hub.registration import register as registered

    host = PluginHost()
    host.load(settings.plugins_dir)
    return registered(host, EventRegistry(), ()).schemas


async def _finish(settings: HubSettings, result: Restored, erased: list[Erasure]) -> list[int]:
    """What needs the hub itself: erase again, index again, say which accounts lost secrets."""
    from crm_store import search_index
    from hub.commands import EraseContact
    from hub.errors import HubError, NotFound
    from hub.ids import ContactId, Micros

    done = []
    async with opened(settings) as hub:
        for one in erased:
            command = EraseContact(
                contact_id=ContactId(one.contact_id),
                erased_at=Micros(one.at),
                address_hashes=one.address_hashes,
            )
            try:
                report = (await hub.do(command))[0]
            except NotFound:
                continue
            if report:
                # Otherwise the person came after the backup, and only the hashes are taken over.
                done.append(one.contact_id)
        for account in await hub.accounts():
            if not account.secrets_set:
                continue
            try:
                await hub.runtime.channel_host.get(account.id)
            except HubError:
                result.locked.append(account.title)
        if result.needs_reindex:
            shown = Progress("reindexing")
            finished = False
            while not finished:
                with hub.runtime.database.administer() as conn:
                    step = search_index.reindex(conn)
                shown(step.done, step.total)
                finished = step.finished
            shown.done()
    return done


def _report(result: Restored) -> None:
    words = ", ".join(f"{number} {name}" for name, number in result.counts.items())
    say(f"Restored the state of {when(result.made_at)}: {words}.")
    held = result.held
    if held.deliveries or held.jobs or held.webhooks or held.timers:
        say(
            f"Held, until an administrator lets them go or drops them: {held.deliveries} "
            f"message(s), {held.jobs} job(s), {held.webhooks} webhook call(s), "
            f"{held.timers} timer(s) of rules."
        )
    if result.erasures:
        say(f"{len(result.erasures)} person(s) erased since the backup were erased again.")
    if result.missing_files:
        say(f"{result.missing_files} file(s) were missing in the backup already.")
    if result.replaced is not None:
        say(f"What was here before lies in {result.replaced}; delete it when all is well.")
    if result.locked:
        say(
            "Enter the secrets of these accounts again (their key is not here): "
            + ", ".join(result.locked)
        )
    if result.keys:
        say(f"Key ring: {result.keys}.")
    say("Everybody logs in again. Tokens that were revoked after the backup live again: look")
    say("at `dialoghub token list`.")
