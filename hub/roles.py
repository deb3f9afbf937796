"""Who may do what: five roles from the start; custom roles later are the same rows."""

from __future__ import annotations

from dataclasses import dataclass

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
    "lists.export": "export lists",
    "accounts.view": "see channels",
    "accounts.manage": "connect and change channels",
    "users.view": "see colleagues",
    "users.manage": "manage colleagues and teams",
    "profile.edit": "change the own profile",
    "tokens.manage": "make API tokens",
    "webhooks.manage": "manage outgoing webhooks",
    "plugins.view": "see plugins",
    "events.view": "read the journal",
    "jobs.run": "run background jobs",
    "system.manage": "manage the organisation and the system",
}
"""Every right, with what it allows in words (translated where it is shown)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A named set of rights. `scope` limits which dialogs: own, team, all."""

    name: str
    permissions: frozenset[str]
    scope: str = "all"


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
    "accounts.view",
}

ROLES: dict[str, Role] = {
    "administrator": Role(name="administrator", permissions=frozenset(PERMISSIONS)),
    "supervisor": Role(
        name="supervisor",
        permissions=frozenset(
            _AGENT
            | {"dialogs.delete", "contacts.erase", "lists.export", "events.view", "plugins.view"}
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
                "lists.export",
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
                "accounts.view",
                "events.view",
                "plugins.view",
            }
        ),
    ),
}
"""The five roles. Scope `accounts` means: dialogs of accounts open to the user (HOUSE: an
agent sees what the agent may see); `all` sees every dialog."""
