"""Texts of rules: filled in by the hub's one renderer, and checked when a rule is saved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from crm_store.completeness import LACKS
from crm_store.rendering import check, render
from hub.placeholders import VARIABLES, Problem
from hub.records.dialogs import Dialog, Message
from hub.records.people import Client, Contact

_RECORDS = {"contact": Contact, "client": Client, "dialog": Dialog, "message": Message}
KNOWN = frozenset(
    {
        *(name for name in VARIABLES if name.partition(".")[0] == "contact"),
        *(
            f"{kind}.{name}"
            for kind, record in _RECORDS.items()
            for name in dir(record)
            if not name.startswith("_")
        ),
        LACKS,
    }
)
"""What texts of rules may name of the records that every rule knows."""


def filled(text: str, values: Mapping[str, str]) -> str:
    """Fill a text; nobody reads it before it leaves, so what is not known leaves no trace."""
    return render(text, values, soft=True).text


def slips(params: object, path: str) -> Iterator[tuple[str, Problem]]:
    """Give what is wrong with the texts of an action, each with its place."""
    if isinstance(params, str):
        if "{{" in params or "{%" in params:
            for one in check(params, dict.fromkeys(KNOWN)):
                # Of other kinds of objects only their plugins know what they hold.
                about = one.name.partition(".")[0]
                if not one.name or "." not in one.name or about in _RECORDS:
                    yield path, one
    elif isinstance(params, Mapping):
        for name, value in params.items():
            yield from slips(value, f"{path}.{name}")
    elif isinstance(params, Sequence):
        for n, value in enumerate(params):
            yield from slips(value, f"{path}.{n}")
