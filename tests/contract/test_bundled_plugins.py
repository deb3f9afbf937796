"""Every bundled plugin keeps the contract of a plugin."""

from __future__ import annotations

from importlib.metadata import entry_points

import pytest

from hub.testing import PluginContract, outcomes

BUNDLED = {
    one.name: one.value
    for one in entry_points(group="hub")
    if one.dist is not None and one.dist.name == "dialoghub"
}


@pytest.mark.parametrize("name", sorted(BUNDLED))
def test_a_bundled_plugin_keeps_the_contract(name: str) -> None:
    contract = type(
        f"{name}Contract", (PluginContract,), {"module": BUNDLED[name], "plugin_name": name}
    )
    found = outcomes(contract)
    assert {check: said for check, said in found.items() if said != "passed"} == {}
    assert {"import", "shapes", "door"} <= set(found)
