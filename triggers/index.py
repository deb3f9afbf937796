"""The index of rules: by moment, channel and needed word; what is left is judged at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from hub.filters import Condition, Field, Filter, Match, Moment, Operator
from hub.records.rules import Rule
from hub.rules import Action
from hub.terms import query_terms
from triggers.compiled import CHANNEL, TEXT, Compiler, Judge, JudgeAll, Values
from triggers.definition import Definition, When
from triggers.moments import Moment as Word

_O = Operator
FEW = 4
"""So few rules are judged one by one."""


@dataclass(slots=True, eq=False)
class Compiled:
    """A rule that judges: what it says, and its functions."""

    rule: Rule
    definition: Definition
    judge: Judge
    step_judges: tuple[Judge | None, ...]
    book_fields: Mapping[str, Field]
    actions: Mapping[str, Action]
    hits: int = 0

    @property
    def order(self) -> tuple[int, int]:
        """Its place in the list."""
        return self.rule.position, self.rule.id


@dataclass(slots=True, eq=False)
class Entry:
    """One "when" of a rule."""

    compiled: Compiled
    number: int
    when: When
    judge: Judge
    order: tuple[int, int, int]


@dataclass(slots=True)
class _Bucket:
    """The entries of one channel (or of every channel): without a needed word, and by one."""

    compiler: Compiler
    channel: str = ""
    always: list[Entry] = field(default_factory=list)
    by_word: dict[str, list[Entry]] = field(default_factory=dict)
    judge: JudgeAll | None = None

    def add(self, entry: Entry, words: frozenset[str]) -> None:
        """Put an entry where it is found."""
        if not words:
            self.always.append(entry)
            self.judge = None
        for word in words:
            self.by_word.setdefault(word, []).append(entry)

    def matching(self, values: Values, moment: Moment) -> list[Entry]:
        """Give the entries whose conditions hold; raises what a condition raises."""
        found = self._always(values, moment)
        if self.by_word:
            known = self.by_word
            seen: set[int] = set()
            for word in values[f"{TEXT}#"]:
                for one in known.get(word, ()):
                    if id(one) not in seen and one.judge(values, moment):
                        seen.add(id(one))
                        found.append(one)
        return found

    def _always(self, values: Values, moment: Moment) -> list[Entry]:
        if len(self.always) < FEW:
            return [one for one in self.always if one.judge(values, moment)]
        if self.judge is None:
            trees = [one.compiled.definition.condition for one in self.always]
            self.judge = self.compiler.all_of(trees, self.channel)
        return [self.always[n] for n in self.judge(values, moment)]

    def candidates(self, values: Values) -> list[Entry]:
        """Give the entries that must be judged one by one, because one of them raised."""
        found = {id(one): one for one in self.always}
        for word in values[f"{TEXT}#"] if self.by_word else ():
            found |= {id(one): one for one in self.by_word.get(word, ())}
        return list(found.values())


@dataclass(slots=True)
class MomentIndex:
    """The entries of one moment."""

    word: Word
    compiler: Compiler
    everywhere: _Bucket = field(init=False)
    by_channel: dict[str, _Bucket] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    judged: int = 0

    def __post_init__(self) -> None:
        self.everywhere = _Bucket(self.compiler)

    def add(self, entry: Entry) -> None:
        """Index an entry by what its conditions need."""
        channels, words = required(entry.compiled.definition.condition)
        self.entries.append(entry)
        if channels is None:
            self.everywhere.add(entry, words)
        for channel in channels or ():
            if channel not in self.by_channel:
                self.by_channel[channel] = _Bucket(self.compiler, channel)
            self.by_channel[channel].add(entry, words)

    def buckets(self, values: Values) -> list[_Bucket]:
        """Give the buckets of an event."""
        found = [self.everywhere]
        if self.by_channel:
            here = self.by_channel.get(values[CHANNEL])
            if here is not None:
                found.append(here)
        return found


def required(tree: Filter) -> tuple[frozenset[str] | None, frozenset[str]]:
    """Say on which channels a filter can hold (None: on all), and words of which it needs one."""
    channels: frozenset[str] | None = None
    words: frozenset[str] = frozenset()
    for one in _needed(tree):
        values = one.value if isinstance(one.value, tuple) else (one.value,)
        if one.field == CHANNEL and one.operator in (_O.EQUALS, _O.IN):
            here = frozenset(str(each) for each in values)
            channels = here if channels is None else channels & here
        elif one.field == TEXT and one.operator is _O.WORDS:
            # Of several words that must all be there, the longest is the rarest.
            found = frozenset(max(query_terms(str(each)), key=len) for each in values)
            if not words or len(found) < len(words):
                words = found
    return channels, words


def _needed(tree: Filter) -> Iterable[Condition]:
    """Give the conditions without which a filter cannot hold."""
    if isinstance(tree, Condition):
        yield tree
    elif tree.match is Match.ALL or (tree.match is Match.ANY and len(tree.parts) == 1):
        for one in tree.parts:
            yield from _needed(one)
