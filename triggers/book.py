"""The book: every active rule, ready to judge."""

from __future__ import annotations

from collections.abc import Sequence

from hub.events import Event
from hub.records.rules import Rule
from triggers.compiled import Compiler, Values
from triggers.definition import Definition
from triggers.index import Compiled, Entry, MomentIndex
from triggers.moments import Moment as Word
from triggers.vocabulary import Vocabulary

__all__ = ["Book", "Compiled", "Entry", "MomentIndex", "Values"]


class Book:
    """Every active rule, ready to judge."""

    def __init__(self, words: Vocabulary, rules: Sequence[tuple[Rule, Definition]]) -> None:
        self.words = words
        self.compiler = Compiler(words.fields)
        self.rules: dict[int, Compiled] = {}
        self.by_fact: dict[str, dict[str, MomentIndex]] = {}
        self.timed: dict[str, list[Entry]] = {}
        self.asked: dict[int, Entry] = {}
        self.settling: dict[str, list[tuple[Word, Entry]]] = {}
        self.cancels: set[str] = set()
        for rule, definition in rules:
            self._add(rule, definition)
        self.needs = {
            fact: frozenset().union(
                *(
                    one.compiled.definition.needs | index.word.needs
                    for index in indexes.values()
                    for one in index.entries
                )
            )
            for fact, indexes in self.by_fact.items()
        }
        for fact, waiting in self.settling.items():
            more = frozenset({"dialog", "contact"}).union(*(word.needs for word, _ in waiting))
            self.needs[fact] = self.needs.get(fact, frozenset()) | more

    def _add(self, rule: Rule, definition: Definition) -> None:
        judge = self.compiler.function(definition.condition)
        compiled = Compiled(
            rule=rule,
            definition=definition,
            judge=judge,
            step_judges=tuple(
                self.compiler.function(one.only_if) if one.only_if is not None else None
                for one in definition.steps
            ),
            book_fields=self.words.fields,
            actions=self.words.actions,
        )
        self.rules[rule.id] = compiled
        for one in definition.steps:
            self.cancels |= set(one.cancel_on)
        for number, when in enumerate(definition.when):
            word = self.words.moments[when.moment]
            entry = Entry(compiled, number, when, judge, (rule.position, rule.id, number))
            if word.timed:
                self.timed.setdefault(word.name, []).append(entry)
            elif when.settle:
                # Conditions are judged when the burst is over.
                self.settling.setdefault(word.fact, []).append((word, entry))
            elif word.name == "asked":
                self.asked[rule.id] = entry
                self._index(word, entry)
            else:
                self._index(word, entry)

    def _index(self, word: Word, entry: Entry) -> None:
        here = self.by_fact.setdefault(word.fact, {})
        if word.name not in here:
            here[word.name] = MomentIndex(word, self.compiler)
        here[word.name].add(entry)

    def hears(self, event: Event) -> bool:
        """Say whether any rule may begin with a fact."""
        return event.type in self.by_fact or event.type in self.settling

    def misses(self) -> dict[int, int]:
        """Give how often each rule was judged in vain since the last time this was asked."""
        found: dict[int, int] = {}
        for indexes in self.by_fact.values():
            for index in indexes.values():
                if index.judged:
                    for one in index.entries:
                        rule_id = one.compiled.rule.id
                        found[rule_id] = found.get(rule_id, 0) + index.judged
                    index.judged = 0
        for number, count in list(found.items()):
            compiled = self.rules[number]
            found[number] = max(0, count - compiled.hits)
            compiled.hits = 0
        return found
