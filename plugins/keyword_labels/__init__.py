"""The first classifier: sorts what clients write by words, and always says which one it saw.

Word forms in Russian and English count, case does not. The first meaning whose words stand in the
text wins; a complaint goes before a question about a price. A better classifier is another plugin:
third parties are asked first, and a colleague's word goes before all of them.
"""

from __future__ import annotations

from collections.abc import Mapping

from hub import Classifying, Label, find_words, hookimpl

MEANINGS: Mapping[str, tuple[str, ...]] = {
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


@hookimpl
def classify(classifying: Classifying) -> Label | None:
    """Give the first meaning whose words stand in the message."""
    message = classifying.message
    if message.automated:
        return None
    text = f"{message.subject}\n{message.text}"
    for name, words in MEANINGS.items():
        found = find_words(text, words)
        if found:
            several = len(found) > 1
            return Label(
                name=name,
                reason=", ".join(found[:5]),
                confidence=SURE if several else LIKELY,
            )
    return None
