"""Regular expressions of conditions, by RE2: what one costs grows with the text and with nothing else.

Whoever may write rules may write any pattern, and messages come from strangers; an engine that
tries again and again could be halted by both. Syntax: RE2's own (github.com/google/re2/wiki/Syntax),
without look-around and back references. Capitals do not matter.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

MEMORY = 1 << 20
"""So many bytes a pattern may take, compiled."""


def searcher(pattern: str) -> Callable[[str], bool]:
    """Make what says whether a text has a part that fits; raises ValueError in words."""
    search = _compiled(pattern).search
    return lambda text: search(_sound(text)) is not None


@lru_cache(500)
def _compiled(pattern: str) -> Any:
    import re2

    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = MEMORY
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        said = error.args[0] if error.args else ""
        words = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        raise ValueError(words) from error


def _sound(text: str) -> str:
    """Give a text without halves of signs, which have no bytes."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
