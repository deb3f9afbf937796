"""Who may do what, and with whose work: five roles from the start, custom roles beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

PERMISSIONS: dict[str, str] = {
    "dialogs.view": "see dialogs",
    "dialogs.answer": "answer dialogs and change their state",
    "dialogs.assign": "assign dialogs",
    "dialogs.note": "write notes",
    "dialogs.delete": "delete messages",
    "contacts.view": "see contacts",
    "contacts.edit": "change contacts",
    "contacts.erase": "erase a person",
    "leads.view": "see leads",
    "leads.edit": "work on leads",
    "requests.view": "see requests",
    "requests.edit": "work on requests",
    "tasks.view": "see tasks",
    "tasks.edit": "make and do tasks",
    "interests.view": "see interests",
    "interests.edit": "work on interests",
    "pipelines.manage": "set up pipelines and stages",
    "lists.export": "export lists",
    "lists.import": "import lists",
    "audit.view": "see who changed what",
    "mailings.send": "plan and send mailings",
    "mailings.view": "see mailings and their results",
    "fields.manage": "add fields to cards",
    "templates.edit": "write quick replies and templates for everybody",
    "rules.view": "see rules and what they did",
    "rules.run": "run rules by hand",
    "rules.manage": "write rules",
    "accounts.view": "see channels",
    "accounts.manage": "connect and change channels",
    "users.view": "see colleagues",
    "users.manage": "manage colleagues, teams and roles",
    "absences.manage": "register absences of colleagues",
    "work.handover": "hand over the work of colleagues",
    "profile.edit": "change the own profile",
    "tokens.manage": "make API tokens",
    "webhooks.manage": "manage outgoing webhooks",
    "plugins.view": "see plugins",
    "events.view": "read the journal",
    "jobs.run": "run background jobs",
    "system.manage": "manage the organisation and the system",
}
"""Every right, with what it allows in words (translated where it is shown)."""


class Scope(StrEnum):
    """Whose work a role reaches: one's own, that of one's teams, or everybody's.

    Own is what one is responsible for, has written or was called into; to the scope of a team
    belongs what one of my teams or of those below has, and what their people have. What nobody
    has is added by the two `..._and_unassigned`.
    """

    OWN = "own"
    OWN_AND_UNASSIGNED = "own_and_unassigned"
    TEAM = "team"
    TEAM_AND_UNASSIGNED = "team_and_unassigned"
    ALL = "all"

    @property
    def with_team(self) -> bool:
        """Say whether it reaches the work of my teams, and of those below."""
        return self in (Scope.TEAM, Scope.TEAM_AND_UNASSIGNED)

    @property
    def with_unassigned(self) -> bool:
        """Say whether it reaches what nobody has."""
        return self in (Scope.OWN_AND_UNASSIGNED, Scope.TEAM_AND_UNASSIGNED)


SCOPES: dict[Scope, str] = {
    Scope.OWN: "one's own",
    Scope.OWN_AND_UNASSIGNED: "one's own and nobody's",
    Scope.TEAM: "the team's",
    Scope.TEAM_AND_UNASSIGNED: "the team's and nobody's",
    Scope.ALL: "of all",
}
"""The scopes in words."""

DIALOGS = "dialogs"
"""The subject of scopes beside those of kinds (see `Kind.subject`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A named set of rights, and whose work they reach.

    `scope` says which channels: `all`, or `accounts` for those open to the user. `scopes` say
    whose dialogs, leads and other work, by subject; what is not named is everybody's.
    """

    name: str
    permissions: frozenset[str]
    scope: str = "all"
    scopes: Mapping[str, Scope] = field(default_factory=dict)


_SELF = {"profile.edit", "users.view"}
_AGENT = _SELF | {
    "dialogs.view",
    "dialogs.answer",
    "dialogs.assign",
    "dialogs.note",
    "contacts.view",
    "contacts.edit",
    "leads.view",
    "leads.edit",
    "requests.view",
    "requests.edit",
    "tasks.view",
    "tasks.edit",
    "interests.view",
    "interests.edit",
    "accounts.view",
    "rules.view",
    "rules.run",
}

ROLES: dict[str, Role] = {
    "administrator": Role(name="administrator", permissions=frozenset(PERMISSIONS)),
    "supervisor": Role(
        name="supervisor",
        permissions=frozenset(
            _AGENT
            | {
                "dialogs.delete",
                "contacts.erase",
                "lists.export",
                "audit.view",
                "events.view",
                "plugins.view",
                "absences.manage",
                "work.handover",
                "pipelines.manage",
                "lists.import",
                "templates.edit",
                "rules.manage",
                "mailings.view",
                "mailings.send",
            }
        ),
    ),
    "agent": Role(name="agent", permissions=frozenset(_AGENT), scope="accounts"),
    "marketer": Role(
        name="marketer",
        permissions=frozenset(
            _SELF
            | {
                "dialogs.view",
                "contacts.view",
                "contacts.edit",
                "leads.view",
                "leads.edit",
                "requests.view",
                "tasks.view",
                "tasks.edit",
                "interests.view",
                "interests.edit",
                "lists.export",
                "lists.import",
                "templates.edit",
                "mailings.view",
                "mailings.send",
                "accounts.view",
            }
        ),
        scope="accounts",
    ),
    "auditor": Role(
        name="auditor",
        permissions=frozenset(
            _SELF
            | {
                "dialogs.view",
                "contacts.view",
                "leads.view",
                "requests.view",
                "tasks.view",
                "interests.view",
                "accounts.view",
                "audit.view",
                "events.view",
                "plugins.view",
                "rules.view",
            }
        ),
    ),
}
"""The five roles. Scope `accounts` means: dialogs of accounts open to the user (HOUSE: an
agent sees what the agent may see); `all` sees every dialog. A custom role is a copy of one of
them, changed."""
