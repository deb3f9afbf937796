"""Variables of templates, as vendors write them: `{{1}}` or `{{name}}`."""

from __future__ import annotations

import re

PLACE = re.compile(r"\{\{\s*([^{}\s]{1,100})\s*\}\}")


def names(*texts: str) -> tuple[str, ...]:
    """Give the variables of texts in their order, each once."""
    return tuple(dict.fromkeys(one[1] for text in texts for one in PLACE.finditer(text)))
