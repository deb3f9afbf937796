"""What the handle tells of segments and of sends to many."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

from crm_store import many as many_reads
from crm_store import many_earned, many_results, sending_limits
from crm_store import segments as segment_reads
from crm_store import topics as topic_reads
from crm_store.many_cuts import house_offset
from crm_store.segment_reach import Cap, Route, reaches, time_zones
from hub.capabilities import Capabilities
from hub.ids import NEVER, AccountId, ContactId, Micros
from hub.records.many import SendingLimits, Way
from hub.records.many_results import Earned, LinkTally, Tally
from hub.records.segments import Member, Reach, Reaches, Segment
from hub.records.system import Account
from hub.records.topics import Topic

T = TypeVar("T")
_NO_ACCOUNT = AccountId(0)


class ManyReads(ABC):
    """The part of `hub.api.Hub` that marketing reads with; `BoundHub` is what has it."""

    @abstractmethod
    async def read(self, function: Callable[..., T], *args: Any) -> T:
        """Run a query function of the store with the actor's eyes."""

    @abstractmethod
    def now(self) -> Micros:
        """The hub's clock."""

    @abstractmethod
    async def account(self, account_id: AccountId) -> Account:
        """One account."""

    @abstractmethod
    def capabilities(
        self, channel: str, settings: Mapping[str, object] | None = None
    ) -> Capabilities | None:
        """What a kind of channel can do, or an account with these settings of it."""

    async def segments(self) -> list[Segment]:
        """Every segment."""
        return await self.read(segment_reads.all_segments)

    async def topics(self) -> list[Topic]:
        """What people may subscribe to."""
        return await self.read(topic_reads.all_topics)

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
        """How many of a segment can be sent something on a channel, and why the others cannot."""
        found = await self.reaches(
            segment,
            channels=(channel,),
            topic=topic,
            advertising=advertising,
            accounts=(account_id,),
            templated={account_id} if template else (),
        )
        return found.each[0]

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
        """How many are in a segment, and how many go by each channel of an order."""
        found = await self.reaches(
            segment,
            channels=channels,
            topic=topic,
            advertising=advertising,
            accounts=accounts,
            templated=templated,
        )
        return found.total, found.in_order

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
        """How many of a segment each way reaches, and how many go by which; all at once."""
        own = accounts or [_NO_ACCOUNT] * len(channels)
        routes = [
            await self._route(channel, account_id, template=account_id in templated)
            for channel, account_id in zip(channels, own, strict=True)
        ]
        return await self.read(
            lambda reader: reaches(
                reader,
                segment,
                routes=routes,
                topic=topic,
                advertising=advertising,
                cap=Cap(*cap, at=max(at, self.now())),
                estimated=not exact and segment_reads.is_large(reader),
            )
        )

    async def time_zones(self, segment: Segment, *, exact: bool = True) -> Mapping[str, int]:
        """How many people of a segment have which time zone."""
        return await self.read(
            lambda reader: time_zones(
                reader, segment, estimated=not exact and segment_reads.is_large(reader)
            )
        )

    async def _route(self, channel: str, account_id: AccountId, *, template: bool) -> Route:
        """Give a way with what its account asks of people; a template goes where a window is shut."""
        if not account_id:
            return Route(channel)
        account = await self.account(account_id)
        capabilities = self.capabilities(account.channel, account.settings)
        if capabilities is None:
            return Route(channel, account_id)
        windows = capabilities.reply_window is not None and not template
        return Route(
            channel,
            account_id,
            must_have_written=not capabilities.initiates,
            open_at=self.now() if windows else 0,
        )

    async def audience(
        self,
        segment: Segment,
        *,
        channel: str,
        account_id: AccountId = _NO_ACCOUNT,
        after: int = 0,
        limit: int = 500,
    ) -> list[Member]:
        """The people of a segment by id, each with his address of a channel."""
        return await self.read(
            lambda reader: segment_reads.audience(
                reader, segment, channel=channel, account_id=account_id, after=after, limit=limit
            )
        )

    async def send_counts(self, send_ids: Sequence[int]) -> Mapping[tuple[str, str], int]:
        """How many rows of sends stand in each (status, reason)."""
        return await self.read(many_reads.counts, send_ids)

    async def send_span(self, send_ids: Sequence[int]) -> tuple[Micros, Micros]:
        """When the first and the last of what left of sends did, nothing where nothing has."""
        first, last = await self.read(many_reads.span, send_ids)
        return Micros(first), Micros(last)

    async def send_contents(self, send_ids: Sequence[int]) -> Mapping[int, tuple[int, int]]:
        """For each version of the words of sends: how many got it, how many followed a link."""
        return await self.read(many_results.by_content, send_ids)

    async def send_touches(self, send_ids: Sequence[int]) -> Mapping[str, int]:
        """How many followed a link or saw it, people and machines apart."""
        return await self.read(many_reads.touches, send_ids)

    async def send_numbers(
        self, send_ids: Sequence[int]
    ) -> Mapping[int, tuple[Mapping[tuple[str, str], int], Mapping[str, int]]]:
        """Both for each of these sends apart, however many they are."""
        return await self.read(many_reads.numbers, send_ids)

    async def send_ways(
        self, send_ids: Sequence[int], contact_ids: Sequence[ContactId]
    ) -> list[Way]:
        """Every way of people in sends, those that were passed with the reason, the last one last."""
        return await self.read(many_reads.ways_of, send_ids, contact_ids)

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
        return await self.read(
            lambda reader: many_reads.people_of(
                reader, send_ids, status=status, reason=reason, after=after, limit=limit
            )
        )

    async def sends_of(self, mailing_id: int) -> list[int]:
        """The sends of a mailing, oldest first."""
        return [row.id for row in await self.read(many_reads.sends_of, mailing_id)]

    async def send_tallies(self, send_ids: Sequence[int], *, by: str = "") -> list[Tally]:
        """The numbers of sends in each part of a cut."""
        return await self.read(
            lambda reader: many_results.tallies(
                reader, send_ids, by=by, offset_us=house_offset(reader)
            )
        )

    async def send_links(self, send_ids: Sequence[int]) -> list[LinkTally]:
        """The links of sends with how many people and machines followed each."""
        return await self.read(many_results.links_of, send_ids)

    async def send_costs(self, send_ids: Sequence[int]) -> Mapping[int, int]:
        """How many messages of sends left over each account, as its provider counts them."""
        return await self.read(many_results.costs, send_ids)

    async def send_earned(
        self, send_ids: Sequence[int], *, days: int = 30, touch: str = "any", by: str = ""
    ) -> list[Earned]:
        """What was made within so many days after a click or an answer."""
        return await self.read(
            lambda reader: many_earned.earned(
                reader, send_ids, days=days, touch=touch, by=by, offset_us=house_offset(reader)
            )
        )

    async def won_after(self, send_ids: Sequence[int], *, days: int = 30) -> Earned:
        """What everybody who got sends won within so many days."""
        return await self.read(lambda reader: many_earned.won_after(reader, send_ids, days=days))

    async def won_since(
        self, moments: Sequence[tuple[ContactId, Micros]], *, days: int = 30
    ) -> Earned:
        """What people won within so many days of moments of their own, each thing once."""
        return await self.read(lambda reader: many_earned.won_since(reader, moments, days=days))

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
        """The people behind a number of sends, continued by their id."""
        return await self.read(
            lambda reader: many_results.behind(
                reader,
                send_ids,
                number,
                by=by,
                key=key,
                link=link,
                days=days,
                touch=touch,
                offset_us=house_offset(reader),
                after=after,
                limit=limit,
            )
        )

    async def sending_limits(self) -> list[SendingLimits]:
        """How fast accounts may send to many and what it costs, where somebody said so."""
        return await self.read(sending_limits.all_limits)
