"""The funnel: how far the interests of a period came, how long it took, and what it was worth.

One funnel with cuts. An interest has reached a stage when it stood there, or jumped over it; the
list behind a bar asks for the same by the field `interest.reached`. Who sees all interests takes
what is kept by day (`funnel_sums`); of whom some are hidden, the interests themselves are counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from crm_store.funnel_counts import Counts, Which, counted, times
from crm_store.funnel_sums import (
    EVERYBODY,
    MOST_MEASURED,
    Cut,
    Parts,
    add_kept,
    kept_times,
    parts,
)
from crm_store.nouns import NOUNS
from crm_store.pipelines import pipeline
from crm_store.sight import sees_all
from crm_store.viewer import Reader
from hub.ids import Micros, PipelineId, UserId
from hub.properties import DAY
from hub.records.interests import Funnel, FunnelStep, Money
from hub.terms import fold

INTEREST = NOUNS["interest"]
FOREVER = (1 << 62) // DAY * DAY
"""The end of a period without one: a whole day, so that no part of a day is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelQuery:
    """Which interests: of a pipeline, begun in a period, of a person, from a source."""

    pipeline_id: PipelineId
    since: Micros = Micros(0)
    until: Micros = Micros(0)
    owner_id: UserId = UserId(0)
    source: str = ""


def funnel(reader: Reader, query: FunnelQuery) -> Funnel:
    """Give the funnel of a pipeline."""
    reader.viewer.need(INTEREST.kind.read)
    line = pipeline(reader, query.pipeline_id)
    asked = _Asked(reader, query)
    found = asked.counts(tuple(one.id for one in line.stages))
    medians = asked.medians()
    counts: dict[int, int] = {}
    sums: dict[int, list[Money]] = {}
    for (stage_id, currency), (count, amount) in sorted(found.reached.items()):
        counts[stage_id] = counts.get(stage_id, 0) + count
        if amount:
            sums.setdefault(stage_id, []).append(Money(currency=currency, amount=amount))
    steps = []
    before = 0
    for n, stage in enumerate(line.stages):
        count = counts.get(stage.id, 0)
        steps.append(
            FunnelStep(
                stage=stage,
                count=count,
                conversion=_percent(count, before if n else count),
                share=_percent(count, found.began),
                median_us=medians.get(stage.id, 0),
                sums=tuple(sums.get(stage.id, ())),
            )
        )
        before = count
    ends = _Ends(found)
    return Funnel(
        pipeline=line,
        steps=tuple(steps),
        began=found.began,
        won=ends.won,
        lost=ends.lost,
        won_sums=tuple(
            Money(currency=one, amount=amount) for one, amount in sorted(ends.sums.items())
        ),
        reasons=tuple(sorted(ends.reasons.items(), key=lambda one: (-one[1], one[0]))),
    )


def _percent(part: int, whole: int) -> int:
    return (200 * part + whole) // (2 * whole) if whole else 0


class _Ends:
    """How many of what was counted were won and lost, for how much and why."""

    def __init__(self, found: Counts) -> None:
        self.won = self.lost = 0
        self.sums: dict[str, int] = {}
        self.reasons: dict[int, int] = {}
        for (status, currency, reason), (count, amount) in found.ends.items():
            if status == "won":
                self.won += count
                if amount:
                    self.sums[currency] = self.sums.get(currency, 0) + amount
            elif status == "lost":
                self.lost += count
                self.reasons[reason] = self.reasons.get(reason, 0) + count


class _Asked:
    """A query in parts: what is kept of it, and what is to be asked of the interests."""

    def __init__(self, reader: Reader, query: FunnelQuery) -> None:
        self._conn, self._pipeline_id = reader.conn, query.pipeline_id
        source = fold(query.source)[:400] if query.source else ""
        self._which = Which(reader.viewer.sight, bool(query.owner_id), bool(query.source))
        self._values = {
            "pipeline": query.pipeline_id,
            **({"owner": query.owner_id} if query.owner_id else {}),
            **({"source": source} if query.source else {}),
        }
        self._cut: Cut = EVERYBODY
        if query.owner_id:
            self._cut = ("owner", str(query.owner_id))
        elif query.source:
            self._cut = ("source", source)
        span = (int(query.since), int(query.until) or FOREVER)
        if (query.owner_id and query.source) or not sees_all(reader.viewer, INTEREST):
            self._parts = Parts([span], [], 0, 0, frozenset())
        else:
            self._parts = parts(reader.conn, query.pipeline_id, span)

    def counts(self, stages: tuple[int, ...]) -> Counts:
        """Count what was asked for."""
        found = counted(self._conn, self._which, self._values, self._parts.live, stages)
        add_kept(self._conn, self._pipeline_id, self._cut, self._parts, found)
        return found

    def medians(self) -> Mapping[int, int]:
        """Give how long those who left a stage had stayed, the middle one of them, by stage.

        Of the newest MOST_MEASURED interests: how long things take is a question about lately. Of
        days that are kept, the whole of the last one is taken too, at most its own newest ones.
        """
        spent: dict[str, list[int]] = {}
        measured = 0
        for count, some in self._newest_first():
            for stage_id, more in some.items():
                spent.setdefault(stage_id, []).extend(more)
            measured += count
            if measured >= MOST_MEASURED:
                break
        return {int(stage_id): _middle(sorted(some)) for stage_id, some in spent.items()}

    def _newest_first(self) -> Iterator[tuple[int, Mapping[str, list[int]]]]:
        live = list(self._parts.live)

        def asked() -> tuple[int, Mapping[str, list[int]]]:
            return times(self._conn, self._which, self._values, live.pop(), MOST_MEASURED)

        for day, began, some in kept_times(self._conn, self._pipeline_id, self._cut, self._parts):
            while live and live[-1][0] >= day * DAY:
                yield asked()
            yield min(began, MOST_MEASURED), some
        while live:
            yield asked()


def _middle(ordered: list[int]) -> int:
    """Give the middle one, or what lies between both where there are two."""
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) // 2
