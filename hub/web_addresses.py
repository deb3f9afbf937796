"""Web addresses in plain words: where each ends, and which lead to one host whoever reads them.

An address may have placeholders in it, which are filled in for each person. What stands behind it
in a sentence (a stop, a bracket, a closing quote) is not its; neither is a condition of the
template, unless it begins inside of the address: then nobody can tell where that ends, and the
address is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

PLACEHOLDER = r"\{\{[^{}]*\}\}"
_NEVER = r"\s<>\"{}«»“”„’"
_STOPS = r".,;:!?'…*`\]"
_ADDRESS = re.compile(
    rf"https?://(?:{PLACEHOLDER}|\([^{_NEVER}()]*\)|[^{_NEVER}(){_STOPS}]"
    rf"|[{_STOPS}]+(?=[^{_NEVER}(){_STOPS}]|\{{\{{|\())+",
    re.IGNORECASE,
)
_GOES_ON = re.compile(r"\{%-?\s*(?:if|for)\b")
_ONE_HOST = re.compile(r"https?://[^/?#{\s]+(?:[/?#]|$)", re.IGNORECASE)


def addresses_in(text: str) -> list[str]:
    """Give the addresses of a text in their order."""
    return [found[0] for found in _found(text)]


def with_addresses(text: str, make: Callable[[str], str]) -> str:
    """Put something else in the place of each address of a text."""
    made, at = [], 0
    for found in _found(text):
        made += [text[at : found.start()], make(found[0])]
        at = found.end()
    return "".join([*made, text[at:]])


def _found(text: str) -> Iterator[re.Match[str]]:
    return (one for one in _ADDRESS.finditer(text) if not _GOES_ON.match(text, one.end()))


def is_countable(address: str) -> bool:
    """Say whether an address leads to one host, whatever of a person stands in the rest of it."""
    return _ONE_HOST.match(address) is not None
