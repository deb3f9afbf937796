"""The gallery of recipes: ready rules, with their texts in one language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.rules import Recipe

LANGUAGES = frozenset({"en", "ru"})


def in_language(value: Any, language: str) -> Any:
    """Take one language of every text that is given in several."""
    if isinstance(value, Mapping):
        if value and set(value) <= LANGUAGES:
            return value.get(language, value.get("en", next(iter(value.values()))))
        return {name: in_language(one, language) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [in_language(one, language) for one in value]
    return value


def words_of(recipe: Recipe, language: str) -> tuple[str, str]:
    """Give a recipe's title and what it is for."""
    return recipe.translations.get(language, (recipe.title, recipe.about))


def rule_of(
    recipe: Recipe, language: str, answers: Mapping[str, object] | None = None
) -> dict[str, Any]:
    """Give the rule of a recipe; `answers` fill what it asks for, by path (`then.1.params.team`)."""
    found: dict[str, Any] = in_language(recipe.rule, language)
    for path, value in (answers or {}).items():
        if path in recipe.asks:
            _put(found, path.split("."), value)
    return found


def _put(tree: Any, path: list[str], value: object) -> None:
    for one in path[:-1]:
        tree = tree[int(one)] if isinstance(tree, list) else tree.setdefault(one, {})
    last = path[-1]
    if isinstance(tree, list):
        tree[int(last)] = value
    else:
        tree[last] = value
