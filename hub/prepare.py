"""What must be done to a command before its transaction opens: checks by models, sealing, transforms.

Nothing here writes a row; the handler rechecks what may have changed meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from crm_store import accounts as account_reads
from crm_store import of_person
from crm_store.survivors import living
from crm_store.traces import kept_files
from crm_store.viewer import Reader, Viewer
from hub.account_settings import seal
from hub.commands import (
    Command,
    CreateAccount,
    EraseContact,
    RemoveAccount,
    SaveRule,
    SaveWebhook,
    SendMessage,
    SwitchRule,
    UpdateAccount,
)
from hub.errors import Invalid
from hub.import_files import names_somebody
from hub.outbound import prepare as prepare_outbound
from hub.reach import check_url
from triggers import rules as rule_reads
from triggers.examples import checked, sketched
from triggers.reading import read

if TYPE_CHECKING:
    from hub.runtime import Runtime


async def prepare(runtime: Runtime, viewer: Viewer, command: Command) -> Command:
    """Give the command as its handler wants it."""
    step = _STEPS.get(type(command))
    return command if step is None else await step(runtime, viewer, command)


async def _send(runtime: Runtime, viewer: Viewer, command: SendMessage) -> Command:
    transforms = runtime.transforms
    if not transforms:
        return command

    def run(conn: Any) -> SendMessage:
        reader = Reader(conn=conn, viewer=viewer, now=runtime.now())
        return prepare_outbound(reader, command, transforms, runtime.database.channels)

    return await runtime.database.read(run)


async def _create_account(runtime: Runtime, viewer: Viewer, command: CreateAccount) -> Command:
    viewer.need("accounts.manage")
    channel = runtime.channels.get(command.channel)
    if channel is None:
        raise Invalid(f"there is no channel {command.channel!r}", field="channel")
    return replace(command, settings=seal(channel, command.settings, "", runtime.keys))


async def _update_account(runtime: Runtime, viewer: Viewer, command: UpdateAccount) -> Command:
    viewer.need("accounts.manage")
    if command.settings is None:
        return command

    def stored(conn: Any) -> tuple[str, str]:
        reader = Reader(conn=conn, viewer=viewer, now=runtime.now())
        account = account_reads.account(reader, command.account_id)
        return account.channel, account_reads.sealed_secrets(reader, command.account_id)

    name, sealed = await runtime.database.read(stored)
    channel = runtime.channels.get(name)
    if channel is None:
        raise Invalid(f"the plugin of channel {name!r} is not loaded", field="channel")
    return replace(command, settings=seal(channel, command.settings, sealed, runtime.keys))


async def _remove_account(runtime: Runtime, viewer: Viewer, command: RemoveAccount) -> Command:
    """The secrets are forgotten with the account: its provider is told while they are known."""
    viewer.need("accounts.manage")
    if viewer.sees_account(command.account_id):
        await runtime.channel_host.disconnect(command.account_id)
    return command


async def _save_webhook(runtime: Runtime, viewer: Viewer, command: SaveWebhook) -> Command:
    check_url(command.url)
    if not command.secret:
        return command
    return replace(command, secret=runtime.keys.encrypt(command.secret))


async def _save_rule(runtime: Runtime, viewer: Viewer, command: SaveRule) -> Command:
    """A rule that is kept can be read, and does on its own examples what it says.

    A draft that cannot be read, or does not, is kept switched off.
    """
    viewer.need("rules.manage")
    try:
        return replace(command, definition=checked(command.definition, runtime.rule_words))
    except Invalid:
        if not command.draft:
            raise
        return replace(command, definition=sketched(command.definition), enabled=False)


async def _switch_rule(runtime: Runtime, viewer: Viewer, command: SwitchRule) -> Command:
    """A draft is not switched on; a rule whose plugin is gone pauses by itself."""
    viewer.need("rules.manage")
    if command.enabled:

        def definition(conn: Any) -> Mapping[str, object]:
            reader = Reader(conn=conn, viewer=viewer, now=runtime.now())
            return rule_reads.rule(reader, command.rule_id).definition

        found = await runtime.database.read(definition)
        if not read(found, runtime.rule_words, lenient=True).missing:
            checked(found, runtime.rule_words)
    return command


async def _erase(runtime: Runtime, viewer: Viewer, command: EraseContact) -> Command:
    """Files of imports are read before the transaction opens: they are large."""
    viewer.need("contacts.erase")

    def stored(conn: Any) -> tuple[list[str], list[Any]]:
        reader = Reader(conn=conn, viewer=Viewer.system(), now=runtime.now())
        contact_id = living(conn, command.contact_id)
        own = of_person.own_clients(conn, of_person.cards_of(conn, contact_id))
        return of_person.words_of(conn, contact_id, own), kept_files(reader)

    words, files = await runtime.database.read(stored)
    found = [
        import_id
        for import_id, blob_id, form in files
        if await asyncio.to_thread(names_somebody, runtime.blobs, blob_id, form, words)
    ]
    return replace(command, import_ids=tuple(found))


_STEPS: dict[type[Command], Callable[[Any, Viewer, Any], Awaitable[Command]]] = {
    SendMessage: _send,
    CreateAccount: _create_account,
    UpdateAccount: _update_account,
    EraseContact: _erase,
    RemoveAccount: _remove_account,
    SaveWebhook: _save_webhook,
    SaveRule: _save_rule,
    SwitchRule: _switch_rule,
}
