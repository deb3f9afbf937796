"""The places of the rail: the hub's own and those of plugins, at most seven at once.

Entries of one key are one place with tabs. What is beyond seven stands behind "More".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from hub.extensions import NavEntry


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the rail and, where there are several pages behind it, its tabs."""

    key: str
    title: str
    icon: str
    keys: str
    entries: tuple[NavEntry, ...]

    def seen_by(self, may: Collection[str]) -> list[NavEntry]:
        """Give the pages that somebody with these rights may open."""
        return [one for one in self.entries if not one.permission or one.permission in may]


def places(entries: Iterable[NavEntry]) -> list[Place]:
    """Put entries together, smallest order first."""
    found: dict[str, list[NavEntry]] = {}
    for one in sorted(entries, key=lambda each: each.order):
        found.setdefault(one.key, []).append(one)
    return [
        Place(
            key,
            each[0].title,
            each[0].icon,
            next((one.keys for one in each if one.keys), ""),
            tuple(each),
        )
        for key, each in found.items()
    ]


def _(text: str) -> str:
    return text


MOST = 7
"""More than that and nobody finds anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One line of the rail; `bind` where its key is bound by the line itself."""

    key: str
    title: str
    path: str
    icon: str
    hint: str = ""
    permission: str = ""
    bind: bool = False
    on_phone: bool = False


CORE = (
    Shown(key="inbox", title=_("Inbox"), path="/inbox", icon="inbox", hint="G I", on_phone=True),
    Shown(
        key="day",
        title=_("My day"),
        path="/day",
        icon="sun",
        hint="G Y",
        permission="tasks.view",
        on_phone=True,
    ),
    Shown(
        key="leads",
        title=_("Leads"),
        path="/leads",
        icon="sparkles",
        hint="G L",
        permission="leads.view",
    ),
    Shown(
        key="interests",
        title=_("Interests"),
        path="/interests",
        icon="kanban",
        hint="G D",
        permission="interests.view",
    ),
    Shown(
        key="requests",
        title=_("Requests"),
        path="/requests",
        icon="alarm-clock",
        hint="G Q",
        permission="requests.view",
        on_phone=True,
    ),
    Shown(
        key="contacts",
        title=_("People"),
        path="/contacts",
        icon="users",
        hint="G C",
        permission="contacts.view",
        on_phone=True,
    ),
)


def rail(may: Collection[str], more: Iterable[Place]) -> list[Shown]:
    """Give every place that somebody with these rights may go to, in its order."""
    found = [one for one in CORE if not one.permission or one.permission in may]
    for place in more:
        entries = place.seen_by(may)
        if entries:
            found.append(
                Shown(
                    key=place.key,
                    title=place.title,
                    path=entries[0].path,
                    icon=place.icon,
                    hint=place.keys,
                    bind=bool(place.keys),
                )
            )
    return found


def folded(shown: list[Shown]) -> tuple[list[Shown], list[Shown]]:
    """Give what stands in the rail, and what stands behind "More" where there is too much."""
    if len(shown) <= MOST:
        return shown, []
    return shown[: MOST - 1], shown[MOST - 1 :]


OWN_PLACES = (
    NavEntry(
        key="marketing",
        title="Marketing",
        path="/segments",
        icon="rocket",
        permission="contacts.view",
        order=45,
        tab="Segments",
        keys="G M",
    ),
)
"""Pages of the hub's own that stand beside those of plugins."""
