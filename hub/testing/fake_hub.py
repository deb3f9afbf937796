"""An in-memory hub for a plugin's tests: it keeps what it is told and what it is given.

    hub = FakeHub()
    hub.put(dialog)
    await event_occurred(hub, (MessageReceived(...),))
    assert hub.commands == [AddNote(dialog_id=dialog.id, text="a price was asked for")]

It decides nothing: no rights, no transaction, no rules. What a command does is the real hub's
matter, see `running_hub`.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from crm_store.rendering import check, render
from hub.capabilities import Capabilities
from hub.channel import Measure
from hub.commands.base import Command
from hub.errors import NotFound, UntrustedRequest
from hub.events.base import Event
from hub.ids import AccountId, Micros
from hub.messages import Arrival, Attachment
from hub.objects import SYSTEM, Actor
from hub.placeholders import Problem, Rendered, Values
from hub.records.links import LinkCheck
from hub.records.segments import Member, Reach, Segment
from hub.records.topics import Topic
from hub.testing.samples import NOW

_NO_ACCOUNT = AccountId(0)


class FakeStore:
    """The plugin's own tables: the rows that the test puts here, whatever is asked."""

    def __init__(self) -> None:
        self.rows: list[Mapping[str, Any]] = []

    async def all(self, statement: object) -> Sequence[Mapping[str, Any]]:
        """Every row."""
        return self.rows

    async def first(self, statement: object) -> Mapping[str, Any] | None:
        """The first row."""
        return self.rows[0] if self.rows else None


class FakeHub:
    """See the module; has every member of `hub.Hub`."""

    def __init__(self, now: Micros = NOW) -> None:
        self.actor: Actor = SYSTEM
        self.log = logging.getLogger("hub.plugin.test")
        self.store = FakeStore()
        self.commands: list[Command] = []
        """What was asked for, in order."""
        self.arrivals: list[tuple[int, Arrival]] = []
        """What was taken in, with its account."""
        self.signals: list[tuple[int, str, str]] = []
        self.channel_capabilities: dict[str, Capabilities] = {}
        self.members: list[Member] = []
        """What `audience` gives."""
        self.uploads: list[tuple[int, Attachment]] = []
        self.kept_files: dict[str, bytes] = {}
        self.placeholder_values = Values()
        """What `values` gives."""
        self.facts: list[Event] = []
        """What `events` gives."""
        self.results: Callable[[Command], Any] = lambda _: self.new_id()
        """What `do` gives for a command; a new id unless the test says otherwise."""
        self.account_settings: dict[int, Mapping[str, Any]] = {}
        self._now = now
        self._last_id = 1000
        self._kept: dict[tuple[str, int], Any] = {}
        self._threads: dict[int, Any] = {}

    def put(self, record: Any) -> None:
        """Let the hub know a record: a Dialog, Message, Contact, Account, User or Attachment."""
        self._kept[type(record).__name__, record.id] = record

    def put_thread(self, dialog_id: int, thread: Any) -> None:
        """Let `thread` find a dialog's messages."""
        self._threads[dialog_id] = thread

    def turn_clock(self, microseconds: int) -> None:
        """Let time pass."""
        self._now = Micros(self._now + microseconds)

    def now(self) -> Micros:
        """The clock of the test."""
        return self._now

    def new_id(self) -> int:
        """Make an id."""
        self._last_id += 1
        return self._last_id

    async def do(self, *commands: Command) -> list[Any]:
        """Keep the commands."""
        self.commands += commands
        return [self.results(one) for one in commands]

    async def receive(self, account_id: int, arrivals: Sequence[Arrival]) -> list[Any]:
        """Keep the arrivals."""
        self.arrivals += [(account_id, one) for one in arrivals]
        return []

    def as_user(self, user_id: int) -> FakeHub:
        """The same hub: it knows no rights."""
        return self

    def _get(self, kind: str, number: int) -> Any:
        try:
            return self._kept[kind, number]
        except KeyError:
            raise NotFound(f"there is no {kind} {number}: put it into the FakeHub") from None

    async def dialog(self, dialog_id: int) -> Any:
        """One dialog that was put here."""
        return self._get("Dialog", dialog_id)

    async def dialogs(self, query: object) -> Any:
        """Every dialog that was put here, as one page."""
        from hub.records.dialogs import DialogPage

        found = [one for (kind, _), one in self._kept.items() if kind == "Dialog"]
        return DialogPage(dialogs=tuple(found), next="")

    async def thread(self, dialog_id: int, **window: object) -> Any:
        """A thread that was put here."""
        if dialog_id not in self._threads:
            raise NotFound(f"there is no thread {dialog_id}: put_thread it into the FakeHub")
        return self._threads[dialog_id]

    async def message(self, message_id: int) -> Any:
        """One message that was put here."""
        return self._get("Message", message_id)

    async def contact(self, contact_id: int) -> Any:
        """One contact that was put here."""
        return self._get("Contact", contact_id)

    async def account(self, account_id: int) -> Any:
        """One account that was put here."""
        return self._get("Account", account_id)

    async def accounts(self, channel: str = "") -> list[Any]:
        """The accounts that were put here."""
        found = [one for (kind, _), one in self._kept.items() if kind == "Account"]
        return [one for one in found if channel in ("", one.channel)]

    async def user(self, user_id: int) -> Any:
        """One colleague who was put here."""
        return self._get("User", user_id)

    async def teams(self) -> list[Any]:
        """The teams that were put here."""
        return [one for (kind, _), one in self._kept.items() if kind == "Team"]

    async def brand(self) -> Any:
        """The organisation that was put here."""
        return next(one for (kind, _), one in self._kept.items() if kind == "Brand")

    async def file(self, attachment_id: int) -> Any:
        """A file that was put here."""
        return self._get("Attachment", attachment_id)

    async def settings(self, account_id: int) -> Mapping[str, Any]:
        """What `account_settings` holds."""
        return self.account_settings.get(account_id, {})

    def sign(self, purpose: str, value: str) -> str:
        """A token that anybody can read; only `unsign` of the same purpose takes it."""
        return f"{purpose}:{value}"

    def unsign(self, purpose: str, token: str, max_age_days: int = 0) -> str:
        """The value of a token of `sign`; raises UntrustedRequest."""
        found, _, value = token.partition(":")
        if found != purpose:
            raise UntrustedRequest("this token was made for something else")
        return value

    async def signal(self, dialog_id: int, kind: str, value: str = "") -> None:
        """Keep the signal."""
        self.signals.append((dialog_id, kind, value))

    def capabilities(
        self, channel: str, settings: Mapping[str, object] | None = None
    ) -> Capabilities | None:
        """What the test put into `channel_capabilities`."""
        return self.channel_capabilities.get(channel)

    async def measure(self, account_id: int, text: str) -> Measure | None:
        """Nothing is counted here."""
        return None

    async def values(self, *, dialog_id: int = 0, contact_id: int = 0) -> Values:
        """What `placeholder_values` holds."""
        return self.placeholder_values

    def fill(self, template: str, values: Mapping[str, str], *, html: bool = False) -> Rendered:
        """Fill a template, as the real hub does."""
        return render(template, values, html=html)

    def check_template(self, template: str) -> tuple[Problem, ...]:
        """Say what is wrong with a template, as the real hub does."""
        return check(template)

    async def upload(self, file: Attachment, dialog_id: int, kind: str = "") -> int:
        """Keep the file; gives a new id."""
        self.uploads.append((dialog_id, file))
        return self.new_id()

    async def keep_file(self, content: bytes) -> str:
        """Keep the bytes; gives a new name."""
        name = f"{self.new_id():032x}"[-32:]
        self.kept_files[name] = content
        return name

    async def kept_file(self, name: str) -> bytes:
        """The bytes that were kept."""
        if name not in self.kept_files:
            raise NotFound("the file's bytes are gone")
        return self.kept_files[name]

    async def segments(self) -> list[Segment]:
        """The segments that were put here."""
        return [one for (kind, _), one in self._kept.items() if kind == "Segment"]

    async def topics(self) -> list[Topic]:
        """The topics that were put here."""
        return [one for (kind, _), one in self._kept.items() if kind == "Topic"]

    async def reach(
        self, segment: Segment, *, channel: str, topic: str = "", advertising: bool = True
    ) -> Reach:
        """Everybody of `members`."""
        return Reach(total=len(self.members), reached=len(self.members))

    async def audience(
        self,
        segment: Segment,
        *,
        channel: str,
        account_id: AccountId = _NO_ACCOUNT,
        after: int = 0,
        limit: int = 500,
    ) -> list[Member]:
        """What `members` holds, by id after `after`."""
        return [one for one in self.members if one.contact_id > after][:limit]

    async def send_counts(self, send_ids: Sequence[int]) -> Mapping[tuple[str, str], int]:
        """Nothing was sent."""
        return {}

    async def send_contents(self, send_ids: Sequence[int]) -> Mapping[int, tuple[int, int]]:
        """Nothing was sent."""
        return {}

    async def sight(self) -> str:
        """Everybody sees the work of all here."""
        return ""

    async def may(self, permission: str) -> bool:
        """Everything."""
        return True

    async def check_links(self, urls: Sequence[str]) -> list[LinkCheck]:
        """Every link is alive."""
        return [LinkCheck(url=one, state="alive", code=200) for one in urls]

    async def send_span(self, send_ids: Sequence[int]) -> tuple[Micros, Micros]:
        """Nothing was sent."""
        return Micros(0), Micros(0)

    async def send_touches(self, send_ids: Sequence[int]) -> Mapping[str, int]:
        """Nobody touched anything."""
        return {}

    async def send_numbers(
        self, send_ids: Sequence[int]
    ) -> Mapping[int, tuple[Mapping[tuple[str, str], int], Mapping[str, int]]]:
        """Nothing was sent."""
        return {}

    async def events(self, types: Sequence[str]) -> AsyncIterator[Event]:
        """The facts that the test put into `facts`, of these types."""
        for event in self.facts:
            if event.type in types:
                yield event

    def public_url(self, path: str = "") -> str:
        """An address under hub.example."""
        return f"https://hub.example/{path.lstrip('/')}"
