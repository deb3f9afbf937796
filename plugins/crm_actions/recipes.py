"""Ready rules: what most teams want first; one click makes an ordinary rule of one.

Texts stand in both languages; a rule is named like its recipe.
"""

from __future__ import annotations

from plugins.crm_actions.ready.clients import CLIENTS
from plugins.crm_actions.ready.intake import INTAKE
from plugins.crm_actions.ready.routing import ROUTING
from plugins.crm_actions.ready.sales import SALES
from plugins.crm_actions.ready.service import SERVICE

RECIPES = [*INTAKE, *ROUTING, *SERVICE, *SALES, *CLIENTS]
