"""The words of each meaning: those of the start, those that this organisation wrote, the search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from hub import Hub, Invalid, Label, find_words
from plugins.keyword_labels.tables import meanings

Words = Mapping[str, tuple[str, ...]]
STARTING: Words = {
    "complaint": (
        *("complaint", "terrible", "unacceptable", "refund", "broken", "disappointed"),
        *("жалоба", "претензия", "ужасно", "безобразие", "верните", "возврат", "недоволен"),
    ),
    "sales": (
        *("price", "cost", "buy", "order", "quote", "invoice", "discount"),
        *("цена", "стоимость", "купить", "заказать", "прайс", "счёт", "скидка", "КП"),
    ),
    "consultation": (
        *("how", "help", "setup", "configure", "question", "explain", "error"),
        *("как", "помогите", "настроить", "подскажите", "вопрос", "объясните", "ошибка"),
    ),
}
SURE, LIKELY = 90, 60
MOST_MEANINGS, MOST_WORDS, LONGEST = 30, 200, 60


class Known:
    """The words as this process knows them: a classifier has no time to read."""

    def __init__(self) -> None:
        self.words: Words = STARTING

    async def renew(self, hub: Hub) -> None:
        """Read what the organisation wrote; where it wrote nothing, the words of the start hold."""
        self.words = await written(hub) or STARTING


KNOWN = Known()


async def written(hub: Hub) -> dict[str, tuple[str, ...]]:
    """Give what is written, in its order."""
    rows = await hub.store.all(select(meanings).order_by(meanings.c.position))
    return {row["name"]: tuple(row["words"]) for row in rows}


def label_of(text: str, words: Words) -> Label | None:
    """Give the first meaning whose words stand in a text, with those that were seen."""
    for name, asked in words.items():
        found = find_words(text, asked)
        if found:
            return Label(
                name=name,
                reason=", ".join(found[:5]),
                confidence=SURE if len(found) > 1 else LIKELY,
            )
    return None


def read_words(given: Sequence[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Read (meaning, words with commas or lines between) pairs; raises Invalid."""
    found: dict[str, tuple[str, ...]] = {}
    for name, text in given:
        name = " ".join(name.split())
        parts = [" ".join(one.split()) for one in text.replace("\n", ",").split(",")]
        words = tuple(dict.fromkeys(one for one in parts if one))
        if not name and not words:
            continue
        if not name or len(name) > LONGEST or not words:
            raise Invalid("a meaning needs a short name and words", field="name")
        if name in found:
            raise Invalid("two meanings have one name", field="name")
        if len(words) > MOST_WORDS or any(len(one) > LONGEST for one in words):
            raise Invalid("a meaning has at most 200 short words", field="words")
        found[name] = words
    if len(found) > MOST_MEANINGS:
        raise Invalid("there are at most 30 meanings", field="name")
    return found
