"""Finding a reply: by a few letters of its shortcut, title or text, or by what the client wrote.

Slips are forgiven, also the commonest of all: typing with the other keyboard layout on.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from rapidfuzz import fuzz

from hub.terms import fold, terms
from plugins.quick_replies.replies import QuickReply

LEAST = 55.0
_LATIN = "qwertyuiop[]asdfghjkl;'zxcvbnm,.`"
_RUSSIAN = "йцукенгшщзхъфывапролджэячсмитьбюё"
_OTHER = str.maketrans(_LATIN + _RUSSIAN, _RUSSIAN + _LATIN)


def score(reply: QuickReply, text: str) -> float:
    """How well a reply fits what was typed after the `/`; 0 where it does not."""
    asked = fold(text)
    if not asked:
        return LEAST
    other = fold(text.lower().translate(_OTHER))
    return max(_score(reply, asked), _score(reply, other) - 2 if other != asked else 0.0)


def _score(reply: QuickReply, asked: str) -> float:
    shortcut, title = fold(reply.shortcut), fold(reply.title)
    if shortcut and shortcut == asked:
        return 130.0
    if shortcut.startswith(asked):
        return 120.0
    if title.startswith(asked):
        return 110.0
    if any(word.startswith(asked) for word in title.split()):
        return 100.0
    words = " ".join(fold(one.text) for one in reply.texts.values())
    if asked in words:
        return 80.0
    if len(asked) < 3:
        return 0.0
    near = max(fuzz.partial_ratio(asked, title), fuzz.ratio(asked, shortcut))
    if near >= 75:
        return float(near) * 0.9
    loose = fuzz.partial_ratio(asked, words[:2000])
    return float(loose) * 0.7 if loose >= 85 else 0.0


def fitting(replies: Sequence[QuickReply], words: str) -> dict[int, float]:
    """How well each reply fits the client's last words: rare words in common count most."""
    asked = set(terms(words[:2000]))
    if not asked or not replies:
        return {}
    have = {
        one.id: set(
            terms(" ".join([one.title, one.shortcut, *(each.text for each in one.texts.values())]))
        )
        for one in replies
    }
    spread = Counter(term for each in have.values() for term in each & asked)
    weight = {term: math.log(1 + len(replies) / n) for term, n in spread.items()}
    found = {}
    for reply_id, known in have.items():
        shared = known & asked
        if shared:
            found[reply_id] = sum(weight[term] for term in shared) / math.sqrt(len(known) + 8)
    return found
