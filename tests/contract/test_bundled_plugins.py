"""No private door: every bundled plugin works from outside the tree, as a stranger's would."""

from __future__ import annotations

import json
import shutil
import subprocess
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from tests.contract.outside import ROOT, outside

BUNDLED = {
    one.name: one.value
    for one in entry_points(group="hub")
    if one.dist is not None and one.dist.name == "dialoghub"
}
LOOK = """
import json, sys
from importlib.metadata import entry_points
from hub import CreateObject, EraseContact, plugin_host
from hub.testing import PluginContract, outcomes

class Contract(PluginContract):
    async def happen(self, house):
        await super().happen(house)
        [received] = await house.arrive("It is broken", sender="boris")
        request = CreateObject(kind="request", dialog_id=received.dialog_id, values={"title": "It"})
        await house.hub.do(request)
        [other] = await house.arrive("Forget me", sender="clara")
        await house.hub.do(EraseContact(contact_id=other.contact_id))

strangers = [one for one in entry_points(group="hub") if one.dist.name == "strangers"]
plugin_host.entry_points = lambda group: strangers
host = plugin_host.PluginHost()
host.load()
host.collect("register_channels")
found = {}
for one in strangers:
    plugin = host.plugins[one.name]
    case = {"module": one.value, "plugin_name": one.name}
    contract = type(f"{one.name}Contract", (Contract,), case)
    found[one.name] = {
        "state": plugin.state,
        "error": plugin.error,
        "file": plugin.module.__file__,
        "bundled": plugin.bundled,
        "outcomes": outcomes(contract) if one.name in sys.argv[1:] else {},
    }
print("\\n" + json.dumps(found))
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled plugins as a distribution of somebody else's, in a folder of their own."""
    folder = tmp_path_factory.mktemp("outside")
    for name in ("channels", "plugins"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    about = folder / "strangers-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: strangers\nVersion: 1.0\n")
    lines = [f"{name} = {module}" for name, module in BUNDLED.items()]
    (about / "entry_points.txt").write_text("\n".join(["[hub]", *lines]) + "\n")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("quarter", range(4))
def test_a_bundled_plugin_works_from_outside_the_tree(
    site: Path, tmp_path: Path, quarter: int
) -> None:
    asked = sorted(BUNDLED)[quarter::4]
    (tmp_path / "look.py").write_text(LOOK)
    ended = outside(site, str(tmp_path / "look.py"), *asked, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr[-3000:]
    found = json.loads(ended.stdout.splitlines()[-1])
    assert set(found) == set(BUNDLED)
    for name, one in found.items():
        assert (one["state"], one["error"], one["bundled"]) == ("loaded", "", False), name
        assert one["file"].startswith(str(site)), name
    for name in asked:
        said = found[name]["outcomes"]
        assert {check: told for check, told in said.items() if told != "passed"} == {}, name
        assert {"import", "shapes", "door"} <= set(said), name


@pytest.mark.soak
def test_every_channel_keeps_its_contract_from_outside_the_tree(site: Path, tmp_path: Path) -> None:
    (site / "from_outside.py").write_text(
        "import channels, plugins\n"
        "def pytest_collection_finish(session):\n"
        f"    assert channels.__file__.startswith({str(site)!r}), channels.__file__\n"
        f"    assert plugins.__file__.startswith({str(site)!r}), plugins.__file__\n"
    )
    files = sorted(str(one) for one in (ROOT / "tests" / "contract").glob("test_*.py"))
    wanted = [one for one in files if not one.endswith(("test_bundled_plugins.py", "test_kit.py"))]
    options = ["-p", "from_outside", "-p", "no:cacheprovider", "-n0", "-o", "pythonpath="]
    ended: subprocess.CompletedProcess[str] = outside(
        site, "-m", "pytest", "-q", *options, *wanted, cwd=tmp_path, timeout=1200
    )
    assert ended.returncode == 0, ended.stdout[-4000:]
