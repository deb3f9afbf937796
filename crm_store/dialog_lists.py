"""The list of dialogs as exports read it: every page by the dialogs' own ids.

In the order of its inbox a dialog moves while the file is written, and would be missed or stand in
it twice; ids stay where they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm_store import dialogs as reads
from crm_store.nouns import Noun
from crm_store.tables.dialogs import dialogs
from crm_store.viewer import Reader
from hub.errors import Invalid
from hub.nouns.dialogs import DIALOGS
from hub.records.dialogs import DialogQuery
from hub.records.objects import ObjectPage

DIALOG_LIST = Noun(kind=DIALOGS, table=dialogs)


def query_of(given: Mapping[str, Any]) -> DialogQuery:
    """Give what an export of dialogs asks; raises Invalid for what only lists of objects know."""
    for name in ("text", "removed", "sort"):
        if given.get(name):
            raise Invalid("a list of dialogs is narrowed by `view` and `filter`", field=name)
    return DialogQuery(
        view=given.get("view") or "everything",
        filter=given.get("filter") or None,
        sort="begun",
        limit=200,
    )


def page(reader: Reader, query: DialogQuery) -> ObjectPage[Any]:
    """Give a page of dialogs as lists of objects are given."""
    reader.viewer.need(DIALOGS.read)
    found = reads.page(reader, query)
    return ObjectPage(items=found.dialogs, next=found.next)


def count(reader: Reader, query: DialogQuery) -> int:
    """Count the dialogs of a list."""
    reader.viewer.need(DIALOGS.read)
    return reads.count(reader, query)
