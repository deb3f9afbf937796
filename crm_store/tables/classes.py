"""The table of how clients are put into classes, and of the last count."""

from __future__ import annotations

from sqlalchemy import Table

from crm_store.tables.base import key, metadata, num, word

ONE = 1
"""There is one row; until somebody saves it or a count ends, there is none and its defaults hold."""

class_rules = Table(
    "class_rules",
    metadata,
    key(),
    # "" is the currency in which most was bought.
    word("currency"),
    word("counted_currency"),
    num("months", 12),
    num("a_percent", 80),
    num("b_percent", 15),
    num("x_percent", 10),
    num("y_percent", 25),
    num("version", 1),
    num("counted_at"),
    num("counted_months"),
    # What everybody together brought, in minor units of `counted_currency`.
    num("whole"),
)
