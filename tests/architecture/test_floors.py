"""Imports point downward: who may know whom in this house.

The floors stand in the README. Each rule below names a room, says what of ours and which vendors
it may know, and the sentence that a violation is answered with. A failing line names the file, what
it imports and why not, so that the answer is to move the code and not to silence the test.
"""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("hub", "channels", "dialogs", "triggers", "crm_store", "plugins")
# Whatever else stands in hub/ is ground floor, so that a new module there is held to the strict rule.
GROUND = frozenset(
    {
        "api",
        "calendars",
        "capabilities",
        "card_addresses",
        "catalogues",
        "channel",
        "commands",
        "deadlines",
        "errors",
        "events",
        "extensions",
        "figures",
        "filters",
        "formatting",
        "hookspecs",
        "ical",
        "ids",
        "kinds",
        "nouns",
        "properties",
        "limits",
        "messages",
        "multipart",
        "natural_dates",
        "objects",
        "pages",
        "placeholders",
        "records",
        "repeats",
        "roles",
        "rules",
        "segment_fields",
        "settings",
        "shapes",
        "signatures",
        "special_days",
        "storable",
        "templates",
        "terms",
        "web_addresses",
        "webhook_request",
        "wire_json",
        "zones",
    }
)
GROUND_VENDORS = frozenset({"pluggy", "pydantic", "pydantic_core", "pydantic_settings"})
ON_FIRST_USE = {
    "hub.terms": "Stemmer",
    "hub.filters.patterns": "re2",
    "hub.catalogues": "babel",
}
"""What text is judged or said with: loaded by whoever does it, and by nobody who only describes it."""
WEB = frozenset({"starlette", "fastapi", "sse_starlette", "uvicorn"})
SQL = frozenset({"sqlalchemy", "alembic", "psycopg", "psycopg_pool", "sqlite3"})


@dataclass(frozen=True)
class Import:
    module: str
    inside_function: bool


def check_floors(root: Path) -> list[str]:
    """Every import in the tree that points upward or sideways, in words."""
    violations = []
    for path in sorted(path for room in ROOMS for path in (root / room).rglob("*.py")):
        # Migrations are run by Alembic, and templates of a new channel are text to us.
        if "templates" in path.parts:
            continue
        importer = module_name(path.relative_to(root))
        for found in imports_of(path, importer, root):
            objection = object_to(importer, found)
            if objection:
                where = path.relative_to(root).as_posix()
                line = f"{where} imports {found.module}: {objection} (see README, Floors)"
                violations.append(line)
    return list(dict.fromkeys(violations))


def module_name(relative: Path) -> str:
    parts = relative.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path, importer: str, root: Path) -> Iterator[Import]:
    def walk(node: ast.AST, inside_function: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                for alias in child.names:
                    yield Import(alias.name, inside_function)
            elif isinstance(child, ast.ImportFrom):
                base = absolute_base(child, importer, is_package=path.name == "__init__.py")
                for alias in child.names:
                    yield Import(named_module(base, alias.name, root), inside_function)
            else:
                is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
                yield from walk(child, inside_function or is_function)

    yield from walk(ast.parse(path.read_text(encoding="utf-8"), str(path)), inside_function=False)


def absolute_base(node: ast.ImportFrom, importer: str, is_package: bool) -> str:
    if not node.level:
        return node.module or ""
    steps_up = node.level - 1 if is_package else node.level
    parts = importer.split(".")
    above = parts[: len(parts) - steps_up]
    return ".".join([*above, node.module] if node.module else above)


def named_module(base: str, name: str, root: Path) -> str:
    """`from hub import runtime` names a module, `from hub import Hub` a thing inside one."""
    folder = root.joinpath(*base.split("."))
    is_module = (folder / f"{name}.py").exists() or (folder / name).is_dir()
    return f"{base}.{name}" if base.split(".")[0] in ROOMS and is_module else base


def object_to(importer: str, found: Import) -> str:
    """Why `importer` may not have this import; empty where it may."""
    room = importer.split(".")[0]
    vendor = found.module.split(".")[0]
    if vendor == "aioimaplib" and not importer.startswith("channels.email"):
        return "only channels.email may import it, because of its licence"
    if is_within(found.module, "hub.testing") and not is_within(importer, "hub.testing"):
        return "hub.testing is for tests"
    if importer == "hub":
        is_fine = is_ground(found.module) or vendor in sys.stdlib_module_names
        return "" if is_fine else "the front door shows the ground floor only"
    if is_ground(importer):
        return object_to_ground(importer, found, vendor)
    if room == "hub":
        return ""
    if room in ("dialogs", "triggers"):
        allowed = is_front_door(found.module) or vendor in (room, "crm_store")
        if vendor in ROOMS and not allowed:
            return f"{room} may import only crm_store and the front door"
        # Handlers live with their noun and speak SQL through the unit of work's connection.
        return f"{room} leave the web to hub" if vendor in WEB else ""
    if room == "crm_store":
        if vendor in ROOMS and vendor != room and not is_front_door(found.module):
            return "crm_store may import only the front door"
        return "crm_store does not know the web" if vendor in WEB else ""
    if vendor in ROOMS and not is_front_door(found.module) and not is_own(importer, found.module):
        return f"{room} may import only the front door"
    return f"{room} never see the web framework" if vendor in WEB else ""


def object_to_ground(importer: str, found: Import, vendor: str) -> str:
    if is_ground(found.module) or vendor in sys.stdlib_module_names | GROUND_VENDORS:
        return "" if vendor != "sqlite3" else "the ground floor knows no database"
    if ON_FIRST_USE.get(importer) == vendor and found.inside_function:
        return ""
    return "the ground floor may import only the standard library, pluggy and pydantic"


def is_within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def is_ground(module: str) -> bool:
    room, *rest = module.split(".")
    return room == "hub" and bool(rest) and rest[0] in GROUND


def is_front_door(module: str) -> bool:
    return module == "hub" or is_ground(module)


def is_own(importer: str, module: str) -> bool:
    """A leaf's own package, and what its folder shares under a leading underscore."""
    room, *rest = module.split(".")
    mine = importer.split(".")
    if room != mine[0] or not rest:
        return False
    return rest[0] == mine[1] or rest[0].startswith("_") if len(mine) > 1 else True


def test_imports_point_downward() -> None:
    assert "\n".join(check_floors(ROOT)) == ""


@pytest.mark.skipif(not (ROOT / "hub/__init__.py").exists(), reason="no front door yet")
def test_the_front_door_is_light() -> None:
    heavy = "sqlalchemy", "starlette", "fastapi", "aiogram", "twilio", "vk_api", "Stemmer"
    script = f"import sys, hub; print([name for name in {heavy!r} if name in sys.modules])"
    answer = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() == "[]"


ONLY_DOOR = "plugins may import only the front door (see README, Floors)"


@pytest.mark.parametrize(
    ("file", "source", "complaint"),
    [
        ("plugins/mailings/batcher.py", "import crm_store", f"imports crm_store: {ONLY_DOOR}"),
        ("plugins/a.py", "from hub import runtime", f"imports hub.runtime: {ONLY_DOOR}"),
        ("plugins/a.py", "import plugins.b", f"imports plugins.b: {ONLY_DOOR}"),
        ("plugins/a.py", "from . import b", f"imports plugins.b: {ONLY_DOOR}"),
        ("plugins/a.py", "def f():\n    import dialogs.x", "imports dialogs.x: plugins may"),
        ("plugins/a.py", "from starlette.routing import Route", "never see the web framework"),
        ("plugins/a.py", "from hub.testing import samples", "hub.testing is for tests"),
        ("channels/sms.py", "from channels.vk import x", "channels may import only the front door"),
        ("channels/sms.py", "import aioimaplib", "because of its licence"),
        ("dialogs/intake.py", "import triggers.rules", "dialogs may import only crm_store"),
        ("triggers/engine.py", "from dialogs import intake", "triggers may import only crm_store"),
        ("dialogs/intake.py", "import hub.app", "dialogs may import only crm_store"),
        ("dialogs/intake.py", "import starlette", "dialogs leave the web to hub"),
        ("crm_store/leads.py", "from dialogs import intake", "crm_store may import only"),
        ("crm_store/leads.py", "import hub.workers", "crm_store may import only the front door"),
        ("crm_store/leads.py", "import fastapi", "crm_store does not know the web"),
        ("hub/messages.py", "import sqlalchemy", "the ground floor may import only"),
        ("hub/commands/send.py", "from hub.runtime import do", "the ground floor may import only"),
        ("hub/terms.py", "import Stemmer", "the ground floor may import only"),
        ("hub/__init__.py", "from hub.runtime import Runtime", "shows the ground floor only"),
    ],
)
def test_a_planted_violation_is_found(
    tmp_path: Path, file: str, source: str, complaint: str
) -> None:
    plant(tmp_path, {"hub/runtime.py": "", "plugins/b.py": "", "dialogs/intake.py": ""})
    plant(tmp_path, {file: source})
    [violation] = check_floors(tmp_path)
    assert violation.startswith(f"{file} imports ")
    assert complaint in violation


def test_what_the_floors_allow_is_left_alone(tmp_path: Path) -> None:
    plant(
        tmp_path,
        {
            "hub/__init__.py": "from hub.messages import Address\n__all__ = ['Address']",
            "hub/messages.py": "import dataclasses\nfrom hub.ids import Id\nimport pydantic",
            "hub/terms.py": "def stem():\n    import Stemmer",
            "hub/app.py": "import starlette, dialogs.intake, plugins.csat, sqlalchemy",
            "hub/testing/fake_hub.py": "from hub.runtime import Runtime",
            "crm_store/leads.py": "import sqlalchemy\nfrom hub import commands",
            "dialogs/intake.py": "from crm_store.dialogs import x\nfrom hub.events import Event",
            "channels/_twilio.py": "import twilio",
            "channels/sms.py": "from hub import Channel\nfrom channels._twilio import client",
            "channels/email/imap.py": "import aioimaplib\nfrom channels.email.mime import read",
            "plugins/csat.py": "import hub, sqlalchemy, httpx2",
            "plugins/mailings/__init__.py": "from plugins.mailings import batcher",
            "plugins/mailings/batcher.py": "from . import tables\nfrom hub import SendMany",
        },
    )
    assert check_floors(tmp_path) == []


def plant(root: Path, files: dict[str, str]) -> None:
    for name, source in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
