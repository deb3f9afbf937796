"""The core's own kinds. A plugin's kinds stand beside them as equals."""

from __future__ import annotations

from hub.kinds import Kinds
from hub.nouns.clients import CLIENTS
from hub.nouns.contacts import CONTACTS
from hub.nouns.interests import INTERESTS
from hub.nouns.leads import LEADS
from hub.nouns.meetings import MEETINGS
from hub.nouns.requests import REQUESTS
from hub.nouns.tasks import TASKS

CORE_KINDS = Kinds([CLIENTS, CONTACTS, INTERESTS, LEADS, MEETINGS, REQUESTS, TASKS])

__all__ = [
    "CLIENTS",
    "CONTACTS",
    "CORE_KINDS",
    "INTERESTS",
    "LEADS",
    "MEETINGS",
    "REQUESTS",
    "TASKS",
]
