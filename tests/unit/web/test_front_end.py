"""The front end's own rules: small, ours, complete, nothing from outside."""

from __future__ import annotations

import importlib.util
import re
import struct
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest

from hub.web.pages import ICONS
from hub.web.static_files import STATIC, hashed, import_map, lean, packed

ROOT = Path(__file__).parents[3]
TEMPLATES = ROOT / "hub/web/templates"
SCRIPTS = sorted((STATIC / "js").rglob("*.js"))
INBOX = ("app", "inbox")
# Loaded when somebody opens a sheet, a notice comes, a dialog grows long, a page has forms or this
# browser may be called, not with the page.
ON_DEMAND = ("device", "forms", "noticed", "palette", "sheet", "inbox/trim")
LICENCES = {"MIT", "BSD-3-Clause", "ISC", "0BSD", "Apache-2.0", "MPL-2.0"}
OUTSIDE = re.compile(r"https?://[^\s'\"`)]+")
NAMESPACES = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def vendor() -> object:
    spec = importlib.util.spec_from_file_location("vendor_tool", ROOT / "tools/vendor.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["vendor_tool"] = module
    spec.loader.exec_module(module)
    return module


def test_every_vendored_file_is_as_locked() -> None:
    tool = vendor()
    assert tool.differences() == []  # type: ignore[attr-defined]
    lock = tomllib.loads(tool.LOCK.read_text())  # type: ignore[attr-defined]
    for package in lock["package"]:
        assert package["licence"] in LICENCES
        assert package["integrity"].startswith("sha512-")
        assert package["why"]
        assert "LICENSE" in package["files"]


def test_what_is_vendored_for_tests_is_not_in_the_product() -> None:
    vendored = STATIC / "vendor"
    size = sum(one.stat().st_size for one in vendored.rglob("*") if one.is_file())
    assert size <= 250_000
    assert not list(vendored.rglob("axe*"))


def modules_of(*names: str) -> set[Path]:
    """Every module that a page loads, its imports followed."""
    found: set[Path] = set()
    waiting = [STATIC / "js" / f"{name}.js" for name in names]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        imported = re.findall(r"(?:from|await import\()\s*'hub/([\w/]+)'", path.read_text())
        waiting += [STATIC / "js" / f"{one}.js" for one in imported if one not in ON_DEMAND]
    return found


def weight(paths: Iterable[Path]) -> int:
    """How many bytes leave for these files."""
    return sum(len(packed(one, one.stat().st_mtime)) for one in paths)


def test_the_inbox_needs_less_than_forty_kilobytes_of_script() -> None:
    assert weight(modules_of(*INBOX)) <= 40_000


def test_the_first_load_of_the_inbox_is_light() -> None:
    linked = re.search(r"for sheet in \(([^)]*)\)", (TEMPLATES / "hub/base.html").read_text())
    assert linked
    names = [*re.findall(r"'([\w/-]+)'", linked.group(1)), "screens/small"]
    sheets = [STATIC / "css" / f"{one}.css" for one in names]
    assert "{% block sheets %}{% endblock %}" in (TEMPLATES / "inbox/inbox.html").read_text()
    assert weight([*modules_of(*INBOX), *sheets, STATIC / "icons.svg"]) <= 54_000


def test_every_variable_of_the_sheets_is_said_somewhere() -> None:
    # One that is not makes a background transparent, and nobody hears of it.
    sheets = [*(STATIC / "css").rglob("*.css"), *ROOT.glob("plugins/mailings/static/*.css")]
    css = "".join(one.read_text() for one in sheets)
    elsewhere = [*TEMPLATES.rglob("*.html"), *(STATIC / "js").rglob("*.js")]
    said = set(
        re.findall(r"(--[\w-]+)['\"]?\s*[:,]", css + "".join(map(Path.read_text, elsewhere)))
    )
    assert set(re.findall(r"var\((--[\w-]+)\)", css)) - said == set()


def test_the_box_of_a_checklist_is_drawn_in_a_point_only() -> None:
    # The column of a list's boxes has the same class: a box would stand around each box.
    css = (STATIC / "css/screens/objects.css").read_text()
    places = re.findall(r"^\s*(\S[^{\n]*?)\.tick\b", css, re.M)
    assert places
    assert [one for one in places if not re.search(r"\.point|table\.", one)] == []


def test_what_went_wrong_with_a_channel_is_told_in_the_language_of_the_reader() -> None:
    bare = [
        path.name
        for path in TEMPLATES.rglob("*.html")
        if re.search(r"\.last_error(?: or [^}]*)? \}\}", path.read_text())
    ]
    assert bare == []


def test_only_what_people_read_is_left_out_and_lines_keep_their_numbers() -> None:
    text = (
        "// A\n/** B\n * C */\nfoo('http://x'); // D\n  if (1) {\n    /* E */ g();\n  }\n/* F */\n"
    )
    assert lean(text) == "\n\n\nfoo('http://x'); // D\nif (1) {\n/* E */ g();\n}\n\n"


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda one: one.name)
def test_no_text_goes_over_several_lines(path: Path) -> None:
    """What leaves is without its indents and remarks, which inside of a text would be a loss."""
    assert not [one for one in re.findall(r"`[^`]*`", path.read_text()) if "\n" in one]


def test_every_module_can_be_found_by_its_short_name() -> None:
    known = import_map()
    for path in SCRIPTS:
        for name in re.findall(r"(?:from|import\()\s*'(hub/[\w/]+)'", path.read_text()):
            assert name in known, f"{path.name} imports {name}"


def test_modules_are_not_long() -> None:
    lengths = {one.name: len(one.read_text().splitlines()) for one in SCRIPTS}
    assert {name: count for name, count in lengths.items() if count > 400} == {}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda one: one.name)
def test_no_text_hides_in_a_template_literal(path: Path) -> None:
    """The collector of texts does not see calls inside of them."""
    for literal in re.findall(r"`[^`]*`", path.read_text()):
        assert not re.search(r"\$\{[^}]*\b_\(", literal), literal


def test_nothing_is_fetched_from_outside() -> None:
    for path in [*SCRIPTS, *(STATIC / "css").rglob("*.css"), *TEMPLATES.rglob("*.html")]:
        found = set(OUTSIDE.findall(path.read_text())) - NAMESPACES
        assert not {one for one in found if not re.search(r"example\.(com|org)", one)}, path


def test_no_handler_stands_in_the_markup() -> None:
    for path in TEMPLATES.rglob("*.html"):
        assert not re.search(r"\son[a-z]+\s*=\s*[\"']", path.read_text()), path
        assert "javascript:" not in path.read_text(), path
    for path in SCRIPTS:
        assert not re.search(r"\beval\(|new Function\(", path.read_text()), path


def test_a_phone_gets_pictures_it_knows() -> None:
    named = set(re.findall(r"/static/([\w-]+\.png)", (STATIC / "worker.js").read_text()))
    assert named == {"icon-192.png", "badge.png"}
    sizes = {name: size for name, size, _ in ICONS if name.endswith(".png")}
    assert {"192x192", "512x512"} <= set(sizes.values())
    for name in named | set(sizes):
        content = (STATIC / name).read_bytes()
        assert content[:8] == b"\x89PNG\r\n\x1a\n"
        width, height = struct.unpack(">II", content[16:24])
        assert sizes.get(name, f"{width}x{height}") == f"{width}x{height}"


def test_every_icon_that_is_asked_for_is_in_the_sprite() -> None:
    sprite = set(re.findall(r'<symbol id="([a-z0-9-]+)"', (STATIC / "icons.svg").read_text()))
    asked: set[str] = set()
    for path in [*TEMPLATES.rglob("*.html"), *(ROOT / "plugins").rglob("*.html")]:
        text = path.read_text()
        for call in re.findall(r"icon\(([^)]*)\)", text):
            # What is compared with, or looked up by, is no icon.
            names = re.sub(r"==\s*'[^']*'|'[^']*'\s*:|get\('[^']*'", "", call)
            names = names if "{" in call else names.split(",")[0]
            asked |= set(re.findall(r"'([a-z0-9-]+)'", names))
        asked |= set(re.findall(r"ui\.(?:empty)\('([a-z0-9-]+)'", text))
    for path in SCRIPTS:
        asked |= set(re.findall(r"\bicon\('([a-z0-9-]+)'\)", path.read_text()))
    assert asked - sprite == set()


def test_the_name_of_a_file_changes_with_its_content() -> None:
    assert re.fullmatch(r"/static/js/live\.[0-9a-f]{8}\.js", hashed("js/live.js"))
