"""The core's own kinds: clients and leads. A plugin's kinds stand beside them as equals."""

from __future__ import annotations

from hub.kinds import Kinds
from hub.nouns.clients import CLIENTS
from hub.nouns.leads import LEADS

CORE_KINDS = Kinds([CLIENTS, LEADS])

__all__ = ["CLIENTS", "CORE_KINDS", "LEADS"]
