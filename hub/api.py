"""The handle `hub`: everything a plugin may do and see, always bound to an actor.

It acts through `do`, and reads only what its actor may see. It takes and gives frozen types.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from hub.commands.base import Command
from hub.events.base import Event
from hub.ids import AccountId, AttachmentId, ContactId, DialogId, MessageId, Micros, UserId
from hub.messages import Arrival, Attachment
from hub.objects import Actor

if TYPE_CHECKING:
    from logging import Logger

    from hub.records.dialogs import Dialog, DialogPage, DialogQuery, Message, Thread
    from hub.records.people import Contact
    from hub.records.system import Account, Brand, User

API = 1
"""The version of this interface; within it we only add."""


class UnitOfWork(Protocol):
    """One transaction, as a plugin's handler sees it."""

    @property
    def now(self) -> Micros:
        """The transaction's instant."""

    @property
    def actor(self) -> Actor:
        """Who acts."""

    def new_id(self) -> int:
        """Make an id."""

    def record(self, event: Event) -> None:
        """Put a fact in the journal of this transaction."""

    def execute(self, statement: object, parameters: object = None) -> Any:
        """Run a SQLAlchemy statement over the plugin's own tables."""

    def give(self, command: Command) -> object:
        """Carry out another command in this same transaction."""


class PluginStore(Protocol):
    """Read-only access to the plugin's own tables."""

    async def all(self, statement: object) -> Sequence[Mapping[str, Any]]:
        """Run a SELECT and give all rows as mappings."""

    async def first(self, statement: object) -> Mapping[str, Any] | None:
        """Run a SELECT and give its first row."""


class Hub(Protocol):
    """What a plugin holds in its hands."""

    actor: Actor
    log: Logger
    store: PluginStore

    def now(self) -> Micros:
        """The clock; tests turn it."""

    def new_id(self) -> int:
        """Make an id before the row exists."""

    async def do(self, *commands: Command) -> list[Any]:
        """Carry commands out in one transaction; gives one result per command.

        Raises NotAllowed, NotFound, Conflict, Invalid; then nothing was changed.
        """

    async def receive(self, account_id: AccountId, arrivals: Sequence[Arrival]) -> list[Any]:
        """Take arrivals in on the one inbound path, as if the account's webhook had brought them."""

    def as_user(self, user_id: UserId) -> Hub:
        """The same handle with the eyes and hands of a user."""

    async def dialog(self, dialog_id: DialogId) -> Dialog:
        """One dialog; raises NotFound."""

    async def dialogs(self, query: DialogQuery) -> DialogPage:
        """A page of dialogs."""

    async def thread(
        self,
        dialog_id: DialogId,
        *,
        before: MessageId = MessageId(0),
        after: MessageId = MessageId(0),
        limit: int = 50,
    ) -> Thread:
        """A window of a dialog, the newest one unless `before` or `after` says otherwise."""

    async def message(self, message_id: MessageId) -> Message:
        """One message with its whole text; raises NotFound."""

    async def contact(self, contact_id: ContactId) -> Contact:
        """One contact with addresses; raises NotFound."""

    async def account(self, account_id: AccountId) -> Account:
        """One account; raises NotFound."""

    async def accounts(self, channel: str = "") -> list[Account]:
        """The accounts the actor may see."""

    async def user(self, user_id: UserId) -> User:
        """One colleague; raises NotFound."""

    async def brand(self) -> Brand:
        """The organisation."""

    async def file(self, attachment_id: AttachmentId) -> Attachment:
        """A file with its bytes; raises NotFound."""

    async def settings(self, account_id: AccountId) -> Mapping[str, Any]:
        """The whole settings of one of the plugin's own channel's accounts, secrets included."""

    def sign(self, purpose: str, value: str) -> str:
        """Make an unguessable token over `value` for links that open without a session."""

    def unsign(self, purpose: str, token: str, max_age_days: int = 0) -> str:
        """Give the value of a token of ours; raises UntrustedRequest."""

    async def signal(self, dialog_id: DialogId, kind: str, value: str = "") -> None:
        """Show a short-lived signal (typing, seen) to the agents who look at the dialog."""

    def events(self, types: Sequence[str]) -> AsyncIterator[Event]:
        """Facts as they happen, live and in this process only; for streams, never for work."""

    def public_url(self, path: str = "") -> str:
        """The hub's public address with a path."""
