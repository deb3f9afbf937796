"""The rights that endpoints ask for, as the types of their first argument."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from hub.http_api.caller import AnyCaller, Caller, needs
from hub.http_api.keyed import KeyedRoute

__all__ = [
    "AnyCaller",
    "MayAnswer",
    "MayAssign",
    "MayAudit",
    "MayDelete",
    "MayEditContacts",
    "MayEditInterests",
    "MayEditLeads",
    "MayEditProfile",
    "MayEditRequests",
    "MayEditTasks",
    "MayErase",
    "MayExport",
    "MayHandOver",
    "MayImport",
    "MayManageAccounts",
    "MayManageFields",
    "MayManagePipelines",
    "MayManageRules",
    "MayManageSystem",
    "MayManageTokens",
    "MayManageUsers",
    "MayManageWebhooks",
    "MayNote",
    "MayRunRules",
    "MaySendMailings",
    "MayViewAccounts",
    "MayViewContacts",
    "MayViewDialogs",
    "MayViewEvents",
    "MayViewInterests",
    "MayViewLeads",
    "MayViewPlugins",
    "MayViewRequests",
    "MayViewRules",
    "MayViewTasks",
    "MayViewUsers",
    "router",
]

MayViewDialogs = Annotated[Caller, Depends(needs("dialogs.view"))]
MayAnswer = Annotated[Caller, Depends(needs("dialogs.answer"))]
MayAssign = Annotated[Caller, Depends(needs("dialogs.assign"))]
MayNote = Annotated[Caller, Depends(needs("dialogs.note"))]
MayDelete = Annotated[Caller, Depends(needs("dialogs.delete"))]
MayViewContacts = Annotated[Caller, Depends(needs("contacts.view"))]
MayEditContacts = Annotated[Caller, Depends(needs("contacts.edit"))]
MayViewLeads = Annotated[Caller, Depends(needs("leads.view"))]
MayEditLeads = Annotated[Caller, Depends(needs("leads.edit"))]
MayViewRequests = Annotated[Caller, Depends(needs("requests.view"))]
MayEditRequests = Annotated[Caller, Depends(needs("requests.edit"))]
MayViewTasks = Annotated[Caller, Depends(needs("tasks.view"))]
MayEditTasks = Annotated[Caller, Depends(needs("tasks.edit"))]
MayViewInterests = Annotated[Caller, Depends(needs("interests.view"))]
MayEditInterests = Annotated[Caller, Depends(needs("interests.edit"))]
MayManagePipelines = Annotated[Caller, Depends(needs("pipelines.manage"))]
MaySendMailings = Annotated[Caller, Depends(needs("mailings.send"))]
MayHandOver = Annotated[Caller, Depends(needs("work.handover"))]
MayExport = Annotated[Caller, Depends(needs("lists.export"))]
MayAudit = Annotated[Caller, Depends(needs("audit.view"))]
MayManageFields = Annotated[Caller, Depends(needs("fields.manage"))]
MayImport = Annotated[Caller, Depends(needs("lists.import"))]
MayErase = Annotated[Caller, Depends(needs("contacts.erase"))]
MayViewAccounts = Annotated[Caller, Depends(needs("accounts.view"))]
MayManageAccounts = Annotated[Caller, Depends(needs("accounts.manage"))]
MayViewUsers = Annotated[Caller, Depends(needs("users.view"))]
MayManageUsers = Annotated[Caller, Depends(needs("users.manage"))]
MayEditProfile = Annotated[Caller, Depends(needs("profile.edit"))]
MayManageTokens = Annotated[Caller, Depends(needs("tokens.manage"))]
MayManageWebhooks = Annotated[Caller, Depends(needs("webhooks.manage"))]
MayViewPlugins = Annotated[Caller, Depends(needs("plugins.view"))]
MayViewEvents = Annotated[Caller, Depends(needs("events.view"))]
MayViewRules = Annotated[Caller, Depends(needs("rules.view"))]
MayRunRules = Annotated[Caller, Depends(needs("rules.run"))]
MayManageRules = Annotated[Caller, Depends(needs("rules.manage"))]
MayManageSystem = Annotated[Caller, Depends(needs("system.manage"))]


def router(tag: str) -> APIRouter:
    """Give the router of one noun."""
    return APIRouter(route_class=KeyedRoute, tags=[tag])
