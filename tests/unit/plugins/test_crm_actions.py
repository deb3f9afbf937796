"""What the bundled actions and ready rules are called, each once."""

from __future__ import annotations

from plugins import crm_actions


def test_every_recipe_is_registered_once() -> None:
    """`register_recipes` and `register_actions` give what rules and the gallery show."""
    keys = [one.key for one in crm_actions.register_recipes()]
    assert len(set(keys)) == len(keys)
    names = {one.name for one in crm_actions.register_actions()}
    assert "send_message" in names
