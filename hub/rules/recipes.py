"""Recipes: ready rules that are shipped switched off; one click makes an ordinary rule of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A ready rule.

    `rule` is its JSON as `dialoghub rules export` writes it; texts that people read may be a
    mapping of languages ({"en": ..., "ru": ...}), of which the user's own is taken. `asks` names
    what must be chosen before it can be switched on (a team, an account), by path. `was` are names
    (`<plugin>.<key>`) of recipes that it took the place of: whoever asks for those gets this one.
    """

    key: str
    title: str
    about: str
    rule: Mapping[str, object]
    group: str = ""
    translations: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    asks: Mapping[str, str] = field(default_factory=dict)
    was: tuple[str, ...] = ()
