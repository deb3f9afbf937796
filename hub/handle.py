"""The handle that plugins and the roof hold: the runtime, bound to an actor."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from crm_store import accounts as account_reads
from crm_store import attachments as attachment_reads
from crm_store import dialogs as dialog_reads
from crm_store import messages as message_reads
from crm_store import objects as object_reads
from crm_store import people as people_reads
from crm_store import users as user_reads
from crm_store import wording
from crm_store.nouns import Noun
from crm_store.objects import ObjectQuery
from crm_store.rendering import check, render
from crm_store.viewer import Viewer
from hub.account_settings import unseal
from hub.api import PluginStore
from hub.capabilities import Capabilities
from hub.channel import Measure, SenderCheck
from hub.commands import Command, KeepFile, UploadAttachment
from hub.errors import HubError, NotAllowed, NotFound
from hub.events import Event
from hub.feed import Signal
from hub.ids import AccountId, AttachmentId, ContactId, DialogId, MessageId, Micros, UserId
from hub.kept_bytes import naming
from hub.links import check_links
from hub.many_reads import ManyReads
from hub.messages import Arrival, Attachment
from hub.objects import Actor, ActorKind
from hub.placeholders import Problem, Rendered, Values
from hub.plugin_store import GuardedStore
from hub.records.dialogs import Dialog, DialogPage, DialogQuery, Message, Thread
from hub.records.links import LinkCheck
from hub.records.objects import ObjectPage
from hub.records.people import Contact
from hub.records.system import Account, Brand, Team, User

if TYPE_CHECKING:
    from hub.runtime import Runtime

T = TypeVar("T")
CHECK_SECONDS = 15
_NO_MESSAGE = MessageId(0)
_NO_DIALOG, _NO_CONTACT = DialogId(0), ContactId(0)


class BoundHub(ManyReads):
    """See hub.api.Hub; roof code also has `read`, for any query function of the store."""

    def __init__(
        self,
        runtime: Runtime,
        actor: Actor,
        scopes: frozenset[str] | None = None,
        plugin: str = "",
        eyes: Viewer | None = None,
    ) -> None:
        self._runtime = runtime
        self._eyes = eyes
        self._scopes = scopes
        self.actor = actor
        self._plugin = plugin or actor.name
        name = f"hub.plugin.{self._plugin}" if self._plugin else "hub.handle"
        self.log = logging.getLogger(name)
        self.store: PluginStore = GuardedStore(runtime, self._plugin)

    @property
    def runtime(self) -> Runtime:
        """The hub behind the handle: for the roof only, plugins see `hub.api.Hub`."""
        return self._runtime

    def now(self) -> Micros:
        """The clock."""
        return self._runtime.now()

    def new_id(self) -> int:
        """Make an id before the row exists."""
        maker = self._runtime.database.new_id
        if maker is None:
            raise RuntimeError("the hub is not running")
        return maker()

    async def do(self, *commands: Command) -> list[Any]:
        """Carry commands out in one transaction."""
        if self._eyes is not None:
            raise NotAllowed("you only look, with the eyes of others: end that first")
        return await self._runtime.do(self.actor, self._scopes, commands)

    async def read(self, function: Callable[..., T], *args: Any) -> T:
        """Run a query function of the store with this actor's eyes."""
        eyes = self._eyes
        if eyes is not None:
            return await self._runtime.database.read(
                lambda conn: function(self._runtime.reader(conn, eyes), *args)
            )
        return await self._runtime.read(self.actor, self._scopes, function, *args)

    def for_plugin(self, plugin: str) -> BoundHub:
        """Give the same person's handle for a plugin's code, which reads its own tables."""
        return BoundHub(self._runtime, self.actor, self._scopes, plugin, self._eyes)

    async def sight(self) -> str:
        """Whose work the actor sees, as a short text: the same while his scopes and teams are."""
        return await self.read(lambda reader: reader.viewer.limits)

    async def may(self, permission: str) -> bool:
        """Say whether the actor has a right."""
        return await self.read(lambda reader: reader.viewer.may(permission))

    async def receive(self, account_id: AccountId, arrivals: Sequence[Arrival]) -> list[Any]:
        """Take arrivals in; only plugins and the hub itself may."""
        if self.actor.kind in (ActorKind.USER, ActorKind.TOKEN):
            raise NotAllowed("messages are taken in by channels only")
        return await self._runtime.receive(await self.account(account_id), arrivals)

    def looking(self, eyes: Viewer) -> BoundHub:
        """The same handle with other eyes, and without hands."""
        return BoundHub(self._runtime, self.actor, self._scopes, self._plugin, eyes)

    def as_user(self, user_id: UserId) -> BoundHub:
        """The same handle with the eyes and hands of a user; a plugin keeps its own tables."""
        actor = Actor(kind=ActorKind.USER, id=user_id)
        return BoundHub(self._runtime, actor, plugin=self._plugin, eyes=self._eyes)

    async def dialog(self, dialog_id: DialogId) -> Dialog:
        """One dialog."""
        return await self.read(dialog_reads.one, dialog_id)

    async def dialogs(self, query: DialogQuery) -> DialogPage:
        """A page of dialogs."""
        return await self.read(dialog_reads.page, query)

    async def thread(
        self,
        dialog_id: DialogId,
        *,
        before: MessageId = _NO_MESSAGE,
        after: MessageId = _NO_MESSAGE,
        limit: int = 50,
    ) -> Thread:
        """A window of a dialog."""
        return await self.read(message_reads.thread, dialog_id, before, after, limit)

    async def message(self, message_id: MessageId) -> Message:
        """One message, whole."""
        return await self.read(message_reads.one, message_id)

    async def contact(self, contact_id: ContactId) -> Contact:
        """One contact."""
        return await self.read(people_reads.contact, contact_id)

    async def get(self, kind: str, object_id: int) -> Any:
        """One object of any kind."""
        return await self.read(object_reads.one, self._noun(kind), object_id)

    async def find(
        self,
        kind: str,
        *,
        filter: Mapping[str, object] | None = None,
        text: str = "",
        sort: str = "",
        before: str = "",
        limit: int = 50,
    ) -> ObjectPage[Any]:
        """A page of objects of any kind."""
        query = ObjectQuery(filter=filter, text=text, sort=sort, before=before, limit=limit)
        return await self.read(object_reads.page, self._noun(kind), query)

    async def count(self, kind: str, *, filter: Mapping[str, object] | None = None) -> int:
        """How many objects of a kind a filter finds."""
        return await self.read(object_reads.count, self._noun(kind), ObjectQuery(filter=filter))

    def _noun(self, kind: str) -> Noun:
        found = self._runtime.nouns.get(kind)
        if found is None:
            raise NotFound(f"there is no kind {kind!r}")
        return found

    async def account(self, account_id: AccountId) -> Account:
        """One account."""
        return await self.read(account_reads.account, account_id)

    async def accounts(self, channel: str = "") -> list[Account]:
        """The accounts that can be seen."""
        return await self.read(account_reads.all_accounts, channel)

    async def user(self, user_id: UserId) -> User:
        """One colleague."""
        return await self.read(user_reads.user, user_id)

    async def teams(self) -> list[Team]:
        """The teams."""
        return await self.read(user_reads.all_teams)

    async def brand(self) -> Brand:
        """The organisation."""
        return await self.read(user_reads.brand)

    async def file(self, attachment_id: AttachmentId) -> Attachment:
        """A file with its bytes."""
        record, blob_id = await self.read(attachment_reads.attachment, attachment_id)
        if not blob_id:
            raise NotFound("the file has not arrived yet")
        content = await asyncio.to_thread(self._runtime.blobs.get, blob_id)
        return Attachment(
            name=record.name,
            media_type=record.media_type,
            size=record.size,
            content=content,
            content_id=record.content_id,
        )

    async def upload(self, file: Attachment, dialog_id: DialogId, kind: str = "") -> AttachmentId:
        """Keep an uploaded file until a message takes it, or a card of a kind."""
        blob = await asyncio.to_thread(self._runtime.blobs.put, file.content or b"")
        command = UploadAttachment(
            file=replace(file, content=None), blob=blob, dialog_id=dialog_id, kind=kind
        )
        async with naming(self._runtime.blobs, blob[0]):
            return AttachmentId((await self.do(command))[0])

    async def keep_file(self, content: bytes) -> str:
        """Keep the bytes of a file that goes to many."""
        blob = await asyncio.to_thread(self._runtime.blobs.put, content)
        async with naming(self._runtime.blobs, blob[0]):
            return str((await self.do(KeepFile(blob=blob)))[0])

    async def kept_file(self, name: str) -> bytes:
        """The bytes that `keep_file` kept."""
        return await asyncio.to_thread(self._runtime.blobs.get, name)

    async def settings(self, account_id: AccountId) -> Mapping[str, Any]:
        """The whole settings of an account of the plugin's own channel."""
        account = await self.account(account_id)
        owner = self._runtime.channel_plugin.get(account.channel)
        if self.actor.kind is not ActorKind.PLUGIN or owner != self.actor.name:
            raise NotAllowed("only the plugin of the channel may read its secrets")
        sealed = await self.read(account_reads.sealed_secrets, account_id)
        channel = self._runtime.channels[account.channel]
        model = unseal(channel, account.settings, sealed, self._runtime.keys)
        return model.model_dump()

    def sign(self, purpose: str, value: str) -> str:
        """Make an unguessable token."""
        return self._runtime.keys.sign(purpose, value)

    def unsign(self, purpose: str, token: str, max_age_days: int = 0) -> str:
        """Give the value of a token of ours."""
        return self._runtime.keys.unsign(purpose, token, max_age_days)

    async def signal(self, dialog_id: DialogId, kind: str, value: str = "") -> None:
        """Show a short-lived signal to the agents who look at the dialog."""
        user_id = UserId(self.actor.id) if self.actor.kind is ActorKind.USER else UserId(0)
        self._runtime.feed.signal(
            Signal(kind=kind, dialog_id=dialog_id, user_id=user_id, value=value)
        )

    def capabilities(
        self, channel: str, settings: Mapping[str, object] | None = None
    ) -> Capabilities | None:
        """What a kind of channel can do, or an account with these settings of it."""
        known = self._runtime.database.channels
        return known.get(channel) if settings is None else known.of(channel, settings)

    async def values(
        self, *, dialog_id: DialogId = _NO_DIALOG, contact_id: ContactId = _NO_CONTACT
    ) -> Values:
        """What placeholders stand for."""
        user_id = UserId(self.actor.id)
        if self.actor.kind not in (ActorKind.USER, ActorKind.TOKEN):
            user_id = UserId(0)
        if dialog_id:
            return await self.read(wording.of_dialog, dialog_id, user_id)
        return await self.read(wording.of_contact, contact_id, user_id)

    def fill(self, template: str, values: Mapping[str, str], *, html: bool = False) -> Rendered:
        """Fill a template."""
        return render(template, values, html=html)

    def check_template(self, template: str) -> tuple[Problem, ...]:
        """Say what is wrong with a template."""
        return check(template)

    async def measure(self, account_id: AccountId, text: str) -> Measure | None:
        """Count the parts of a text."""
        try:
            _, channel = await self._runtime.channel_host.get(account_id)
            return channel.measure(text)
        except HubError:
            return None

    async def check_sender(self, account_id: AccountId) -> list[SenderCheck]:
        """What recipients' providers ask of who sends to many over an account."""
        await self.account(account_id)
        try:
            _, channel = await self._runtime.channel_host.get(account_id)
            async with asyncio.timeout(CHECK_SECONDS):
                return await channel.check_sender()
        except (HubError, TimeoutError):
            # An account that does not work says so elsewhere; a name server may be away.
            return []

    async def check_links(self, urls: Sequence[str]) -> list[LinkCheck]:
        """Whether addresses of the open internet answer, looked at now."""
        return await check_links(urls)

    async def events(self, types: Sequence[str]) -> AsyncIterator[Event]:
        """Facts as they happen in this process."""
        wanted = frozenset(types)
        async with self._runtime.feed.subscribe() as subscription:
            while True:
                for item in await subscription.get():
                    if isinstance(item, Event) and (not wanted or item.type in wanted):
                        yield item

    def public_url(self, path: str = "") -> str:
        """The hub's public address with a path."""
        base = self._runtime.public_url.rstrip("/")
        return f"{base}/{path.lstrip('/')}" if path else base
