"""What rules are made of, as plugin authors see it: facts to judge, actions to plan, recipes.

A rule says when (a fact happened, a time came), if (conditions of the filter language) and then
(actions). An action returns commands and does nothing itself: so a rule can be tried on a past
dialog, tested with one equality, and carried out in one transaction with its run.
"""

from __future__ import annotations

from hub.rules.actions import Action, Held, ready_text
from hub.rules.facts import Facts
from hub.rules.recipes import Recipe

__all__ = ["Action", "Facts", "Held", "Recipe", "ready_text"]
