"""One word of "when ...": what it is called, which fact it is, and what a rule may say more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hub.rules import Facts


def _always(_: Any) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One word of "when ...".

    `fact` is the type of the fact, "" for a moment of time. `test` judges the fact alone,
    `holds` the loaded facts, of which it reads `needs`. `options` are what the rule may say
    more: fields of `When`.
    """

    name: str
    label: str
    russian: str
    group: str
    fact: str = ""
    test: Callable[[Any], bool] = _always
    holds: Callable[[Facts], bool] | None = None
    needs: frozenset[str] = frozenset()
    options: frozenset[str] = frozenset({"settle"})

    @property
    def timed(self) -> bool:
        """True for a moment that comes with time."""
        return not self.fact

    def label_in(self, language: str) -> str:
        """Give its words in a language."""
        return self.russian if language == "ru" else self.label


def fact_moment(
    name: str,
    label: str,
    russian: str,
    group: str,
    fact: str,
    test: Callable[[Any], bool] = _always,
    **more: Any,
) -> Moment:
    """Give the word for a fact of the journal."""
    return Moment(
        name=name, label=label, russian=russian, group=group, fact=fact, test=test, **more
    )


def time_moment(name: str, label: str, russian: str, *options: str, group: str = "time") -> Moment:
    """Give the word for a time that comes."""
    return Moment(name=name, label=label, russian=russian, group=group, options=frozenset(options))
