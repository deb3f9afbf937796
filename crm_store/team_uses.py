"""What hangs on a team: what another team can take over, and what names it and is changed by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Table, func, select

from crm_store.nouns import Noun
from crm_store.tables.dialogs import dialogs
from crm_store.tables.requests import sla_policies
from crm_store.tables.rules import rules
from crm_store.tables.segments import segments
from crm_store.tables.users import accounts, team_members, teams, views
from hub.extensions import UsedBy
from hub.ids import TeamId
from hub.properties import PropertyType


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamUse:
    """How much hangs on a team, by what it is, and what names it."""

    counts: Mapping[str, int]
    named: tuple[UsedBy, ...] = ()

    @property
    def is_free(self) -> bool:
        """True where nothing is to be taken over, and nobody names it."""
        return not self.named and not any(self.counts.values())


def team_columns(nouns: Mapping[str, Noun]) -> Iterator[tuple[Noun, str]]:
    """Give which properties of which kinds hold a team."""
    for noun in nouns.values():
        for prop in noun.kind.properties:
            is_team = prop.type is PropertyType.REF and prop.ref == "team"
            if is_team and noun.kind.name != "dialog" and prop.name in noun.table.c:
                yield noun, prop.name


def team_use(conn: Connection, nouns: Mapping[str, Noun], team_id: TeamId) -> TeamUse:
    """Give what hangs on a team; plugins know of theirs themselves (`uses_of`)."""

    def count(table: Table, where: ColumnElement[bool]) -> int:
        statement = select(func.count()).select_from(table).where(where)
        return int(conn.execute(statement).scalar_one())

    counts = {
        "member": count(team_members, team_members.c.team_id == team_id),
        "team": count(teams, teams.c.parent_id == team_id),
        "account": count(accounts, accounts.c.team_id == team_id),
        "view": count(views, views.c.team_id == team_id),
        "dialog": count(dialogs, dialogs.c.team_id == team_id),
    }
    for noun, name in team_columns(nouns):
        found = count(noun.table, noun.table.c[name] == team_id)
        counts[noun.kind.name] = counts.get(noun.kind.name, 0) + found
    return TeamUse(counts=counts, named=tuple(_named(conn, team_id)))


def _named(conn: Connection, team_id: TeamId) -> Iterator[UsedBy]:
    # No two things share a number, so its digits in a definition are the team.
    mark = f'"{team_id}"'
    asked = (
        (rules, rules.c.definition, rules.c.removed_at == 0, "/settings/rules/{}"),
        (segments, segments.c.definition, segments.c.removed_at == 0, "/segments/{}"),
        (sla_policies, sla_policies.c.filter, sla_policies.c.active, "/settings/deadlines"),
    )
    for table, definition, counts, path in asked:
        rows = conn.execute(
            select(table.c.id, table.c.name, definition.label("said"))
            .where(counts)
            .order_by(table.c.id)
        )
        for row in rows:
            if mark in json.dumps(row.said):
                yield UsedBy(title=row.name, path=path.format(row.id))
