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
    "MayDelete",
    "MayEditContacts",
    "MayEditLeads",
    "MayEditProfile",
    "MayErase",
    "MayExport",
    "MayManageAccounts",
    "MayManageSystem",
    "MayManageTokens",
    "MayManageUsers",
    "MayManageWebhooks",
    "MayNote",
    "MayViewAccounts",
    "MayViewContacts",
    "MayViewDialogs",
    "MayViewEvents",
    "MayViewLeads",
    "MayViewPlugins",
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
MayExport = Annotated[Caller, Depends(needs("lists.export"))]
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
MayManageSystem = Annotated[Caller, Depends(needs("system.manage"))]


def router(tag: str) -> APIRouter:
    """Give the router of one noun."""
    return APIRouter(route_class=KeyedRoute, tags=[tag])
