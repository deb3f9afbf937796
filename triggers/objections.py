"""Everything that is wrong with a rule at once: an editor shows each objection beside its chip.

`triggers/reading.py` stops at the first; here each part is read for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from hub.errors import Invalid
from hub.filters.reading import MAX_DEPTH
from triggers.examples import checked
from triggers.reading import RuleReader, read
from triggers.vocabulary import Vocabulary

MOST = 50


def objections(data: Mapping[str, object], words: Vocabulary) -> list[Invalid]:
    """Give what is wrong with a rule, place by place; nothing where it can be kept."""
    try:
        checked(data, words)
    except Invalid as first:
        found = {one.field: one for one in _parts(data, words)}
        found.setdefault(first.field, first)
        return list(found.values())[:MOST]
    return []


def _parts(data: Mapping[str, object], words: Vocabulary) -> Iterator[Invalid]:
    reader = RuleReader(words, lenient=False)
    name = data.get("name")
    if not isinstance(name, str) or not name.strip():
        yield from _of(lambda: read({"name": name}, words))
    for word, part in (("when", reader.when), ("then", reader.step)):
        given = data.get(word)
        if isinstance(given, list):
            for n, one in enumerate(given):
                problems = list(_of(part, _without_filter(one), f"{word}[{n}]"))
                yield from problems
                if word == "then" and isinstance(one, Mapping):
                    yield from _conditions(one.get("if"), f"then[{n}].if", reader)
    yield from _conditions(data.get("if"), "if", reader)
    yield from _of(reader.guards, data.get("guards") or {})
    for n, one in enumerate(_list(data.get("examples"))):
        yield from _of(reader.example, one, f"examples[{n}]", "")


def _of(part: Callable[..., object], *given: object) -> Iterator[Invalid]:
    try:
        part(*given)
    except Invalid as error:
        yield error


def _without_filter(one: object) -> object:
    """Give a step without its own conditions, which are read for themselves."""
    if isinstance(one, Mapping) and "action" in one:
        return {key: value for key, value in one.items() if key != "if"}
    return one


def _list(given: object) -> list[object]:
    return given if isinstance(given, list) else []


def _conditions(tree: object, path: str, reader: RuleReader, depth: int = 0) -> Iterator[Invalid]:
    """Read each condition for itself; what is wrong with a group is said of the group."""
    if not tree:
        return
    word, parts = "", None
    if isinstance(tree, Mapping) and "field" not in tree and len(tree) == 1:
        [(word, parts)] = tree.items()
    within = parts if isinstance(parts, list) and word in ("all", "any", "none") else []
    if within and depth < MAX_DEPTH:
        for n, one in enumerate(within):
            # An empty group inside of another is as much as nothing.
            if one != {"all": []}:
                yield from _conditions(one, f"{path}.{word}[{n}]", reader, depth + 1)
        return
    yield from _of(reader.filter, tree, path)
