"""The handle `hub`: everything a plugin may do and see, always bound to an actor.

It acts through `do`, and reads only what its actor may see. It takes and gives frozen types.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from hub.capabilities import Capabilities
from hub.commands.base import Command
from hub.events.base import Event
from hub.ids import NEVER, AccountId, AttachmentId, ContactId, DialogId, MessageId, Micros, UserId
from hub.messages import Arrival, Attachment
from hub.objects import Actor
from hub.placeholders import Problem, Rendered, Values

if TYPE_CHECKING:
    from logging import Logger

    from hub.channel import Measure, SenderCheck
    from hub.records.dialogs import Dialog, DialogPage, DialogQuery, Message, Thread
    from hub.records.links import LinkCheck
    from hub.records.many import SendingLimits, Way
    from hub.records.many_results import Earned, LinkTally, Tally
    from hub.records.objects import ObjectPage
    from hub.records.people import Contact
    from hub.records.segments import Member, Reach, Reachable, Reaches, Segment
    from hub.records.system import Account, Brand, Team, User
    from hub.records.topics import Topic

_NO_DIALOG, _NO_CONTACT, _NO_ACCOUNT = DialogId(0), ContactId(0), AccountId(0)

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

    def reachable(
        self, preferred: Mapping[int, int], *, kind: str
    ) -> Mapping[ContactId, Reachable]:
        """Where people can be reached on a kind of address now, and who refused advertising.

        `preferred` names by each person the address to take while it takes something, 0 for none.
        Who is not there any more is left out; of whom who acts may not see, only that is said.
        """


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

    async def get(self, kind: str, object_id: int) -> Any:
        """One object of any kind, as its record; raises NotFound."""

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
        """A page of objects of any kind: a filter as JSON, words, an order; continued by key."""

    async def count(self, kind: str, *, filter: Mapping[str, object] | None = None) -> int:
        """How many objects of a kind a filter finds."""

    async def account(self, account_id: AccountId) -> Account:
        """One account; raises NotFound."""

    async def accounts(self, channel: str = "") -> list[Account]:
        """The accounts the actor may see."""

    async def user(self, user_id: UserId) -> User:
        """One colleague; raises NotFound."""

    async def teams(self) -> list[Team]:
        """The teams."""

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

    def capabilities(
        self, channel: str, settings: Mapping[str, object] | None = None
    ) -> Capabilities | None:
        """What a kind of channel can do, or an account with these settings of it.

        None where its plugin is gone.
        """

    async def values(
        self, *, dialog_id: DialogId = _NO_DIALOG, contact_id: ContactId = _NO_CONTACT
    ) -> Values:
        """What placeholders stand for, in a dialog or for a contact; raises NotFound."""

    def fill(self, template: str, values: Mapping[str, str], *, html: bool = False) -> Rendered:
        """Fill a template as a sent one would be; raises Invalid for one that cannot be."""

    def check_template(self, template: str) -> tuple[Problem, ...]:
        """Say what is wrong with a template; nothing means that it can be saved."""

    async def segments(self) -> list[Segment]:
        """Every segment; needs the right to see contacts."""

    async def topics(self) -> list[Topic]:
        """What people may subscribe to, by name; needs the right to see contacts."""

    async def reach(
        self,
        segment: Segment,
        *,
        channel: str,
        topic: str = "",
        advertising: bool = True,
        account_id: AccountId = _NO_ACCOUNT,
        template: bool = False,
    ) -> Reach:
        """How many of a segment can be sent something on a channel, and why the others cannot.

        With an account those are left out too who never wrote to it, where it cannot write first,
        and whose reply window is closed now, unless a `template` of the provider is sent.
        """

    async def reach_in_order(
        self,
        segment: Segment,
        *,
        channels: Sequence[str],
        topic: str = "",
        advertising: bool = True,
        accounts: Sequence[AccountId] = (),
        templated: Collection[AccountId] = (),
    ) -> tuple[int, tuple[int, ...]]:
        """How many are in a segment, and how many go by each channel of an order.

        `accounts` are those of the channels, one each, and `templated` those of them over which a
        template of the provider is sent: they leave out whom `reach` leaves out.
        """

    async def reaches(
        self,
        segment: Segment,
        *,
        channels: Sequence[str],
        topic: str = "",
        advertising: bool = True,
        accounts: Sequence[AccountId] = (),
        templated: Collection[AccountId] = (),
        cap: tuple[int, int] = (0, 0),
        at: Micros = NEVER,
        exact: bool = True,
    ) -> Reaches:
        """What `reach` says of each way and `reach_in_order` of all of them, in one question.

        Who had as many advertising messages as the `cap` (count, days) lets him have when it leaves
        (`at`, else now), or wants less often, is left out too. Not `exact`, it is an estimate in a house of more than 20,000 people, made in a second.
        """

    async def time_zones(self, segment: Segment, *, exact: bool = True) -> Mapping[str, int]:
        """How many people of a segment have which time zone, "" those of whom none is known.

        Not `exact`, it is an estimate in a house of more than 20,000 people.
        """

    async def audience(
        self,
        segment: Segment,
        *,
        channel: str,
        account_id: AccountId = _NO_ACCOUNT,
        after: int = 0,
        limit: int = 500,
    ) -> list[Member]:
        """The people of a segment by id after `after`, each with his address of a channel.

        Of several it is the first that takes something: over this account, where one is named.
        """

    async def send_counts(self, send_ids: Sequence[int]) -> Mapping[tuple[str, str], int]:
        """How many rows of sends stand in each (status, reason); they add up to everybody."""

    async def send_span(self, send_ids: Sequence[int]) -> tuple[Micros, Micros]:
        """When the first and the last of what left of sends did, nothing where nothing has."""

    async def send_contents(self, send_ids: Sequence[int]) -> Mapping[int, tuple[int, int]]:
        """For each version of the words of sends: how many got it, how many followed a link."""

    async def send_touches(self, send_ids: Sequence[int]) -> Mapping[str, int]:
        """How many followed a link or saw it, people and machines apart."""

    async def send_numbers(
        self, send_ids: Sequence[int]
    ) -> Mapping[int, tuple[Mapping[tuple[str, str], int], Mapping[str, int]]]:
        """`send_counts` and `send_touches` of each of these sends apart, for lists of them."""

    async def send_ways(
        self, send_ids: Sequence[int], contact_ids: Sequence[ContactId]
    ) -> list[Way]:
        """Every way of people in sends, those that were passed with the reason, the last one last."""

    async def send_people(
        self,
        send_ids: Sequence[int],
        *,
        status: Sequence[str] = (),
        reason: str = "",
        after: int = 0,
        limit: int = 100,
    ) -> list[Way]:
        """The people of sends with the way that stands, continued by the delivery's id."""

    async def measure(self, account_id: AccountId, text: str) -> Measure | None:
        """In how many parts a text leaves over an account, as its provider counts; None where the
        channel counts none, or cannot be asked now."""

    async def check_sender(self, account_id: AccountId) -> list[SenderCheck]:
        """What recipients' providers ask of who sends to many over an account, looked up now."""

    async def sight(self) -> str:
        """Whose work the actor sees, as a short text: the same while his scopes and teams are.

        "" is everybody's. What works later for somebody asks by it whether he still sees the same.
        """

    async def may(self, permission: str) -> bool:
        """Whether who acts has a permission."""

    async def check_links(self, urls: Sequence[str]) -> list[LinkCheck]:
        """Whether addresses of the open internet answer, looked at now: each once, at most 30."""

    async def sends_of(self, mailing_id: int) -> list[int]:
        """The sends of a mailing, oldest first: its occurrences and the steps of its chain."""

    async def send_tallies(self, send_ids: Sequence[int], *, by: str = "") -> list[Tally]:
        """The numbers of sends in each part of a cut: account, channel, hour, variant, domain."""

    async def send_links(self, send_ids: Sequence[int]) -> list[LinkTally]:
        """The links of sends with how many people and machines followed each."""

    async def send_costs(self, send_ids: Sequence[int]) -> Mapping[int, int]:
        """How many messages of sends left over each account, as its provider counts them."""

    async def send_earned(
        self, send_ids: Sequence[int], *, days: int = 30, touch: str = "any", by: str = ""
    ) -> list[Earned]:
        """What was made within so many days after a click or an answer, in each part of a cut."""

    async def won_after(self, send_ids: Sequence[int], *, days: int = 30) -> Earned:
        """What everybody who got sends won within so many days, whatever they did with them."""

    async def won_since(
        self, moments: Sequence[tuple[ContactId, Micros]], *, days: int = 30
    ) -> Earned:
        """What people won within so many days of moments of their own, each thing once."""

    async def send_behind(
        self,
        send_ids: Sequence[int],
        number: str,
        *,
        by: str = "",
        key: str = "",
        link: str = "",
        days: int = 30,
        touch: str = "any",
        after: int = 0,
        limit: int = 1_000,
    ) -> list[ContactId]:
        """The people behind a number of sends, of a part of a cut or a link, continued by id."""

    async def sending_limits(self) -> list[SendingLimits]:
        """How fast accounts may send to many and what it costs, where somebody said so."""

    async def upload(self, file: Attachment, dialog_id: DialogId, kind: str = "") -> AttachmentId:
        """Keep a file until a message of the actor's takes it, or a card of a kind."""

    async def keep_file(self, content: bytes) -> str:
        """Keep the bytes of a file that goes to many; gives the name for ManyContent.attachments."""

    async def kept_file(self, name: str) -> bytes:
        """The bytes that `keep_file` kept; raises NotFound."""

    def events(self, types: Sequence[str]) -> AsyncIterator[Event]:
        """Facts as they happen, live and in this process only; for streams, never for work."""

    def public_url(self, path: str = "") -> str:
        """The hub's public address with a path."""
