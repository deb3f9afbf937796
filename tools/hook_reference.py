"""Writes docs/hooks.md: every hook with its signature, made from hub/hookspecs.py.

    python tools/hook_reference.py            write it
    python tools/hook_reference.py --check    say whether it is current

The bundled users stand in it too, so that an author finds an example of each hook.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "hooks.md"
ROOMS = ("channels", "plugins", "examples")
INTRODUCTION = """# Hooks

Made by `tools/hook_reference.py` from `hub/hookspecs.py`; do not edit. How to use them:
[plugin-author.md](plugin-author.md). Mark an implementation with `@hub.hookimpl` and take only the
arguments you need.

| shape | how it is called | if it raises |
|---|---|---|
| `register_*`, a plain function | once at start; returns objects, does no I/O | the plugin is left out and named |
| a decision, a plain function | before the transaction, in a worker thread, under a deadline; the first answer wins | no opinion; the plugin is charged |
| `async def` | after the commit, isolated | the plugin is charged; after five in a row it rests a minute |
"""


def hooks() -> list[tuple[str, str, str, str]]:
    """Every hook: name, shape, signature, what it says of itself."""
    tree = ast.parse((ROOT / "hub" / "hookspecs.py").read_text(encoding="utf-8"))
    found = []
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if not any(
            isinstance(one, ast.Name) and one.id == "hookspec" for one in node.decorator_list
        ):
            continue
        is_async = isinstance(node, ast.AsyncFunctionDef)
        shape = (
            "async" if is_async else "register" if node.name.startswith("register_") else "decision"
        )
        returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
        signature = f"{node.name}({ast.unparse(node.args)}){returns}"
        found.append((node.name, shape, signature, ast.get_docstring(node) or ""))
    return found


def users() -> dict[str, list[str]]:
    """Who of the bundled plugins and the examples implements each hook."""
    found: dict[str, list[str]] = {}
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            if "tests" in path.parts or "build" in path.parts:
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and any(
                    ast.unparse(one).rpartition(".")[2] == "hookimpl" for one in node.decorator_list
                ):
                    found.setdefault(node.name, []).append(_name(path))
    return found


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return "/".join(parts[:-1] if parts[-1] == "__init__" else parts)


def page() -> str:
    """The whole document."""
    lines = [INTRODUCTION]
    known = users()
    for name, shape, signature, says in hooks():
        word = "async def" if shape == "async" else "def"
        lines += [f"## {name}", "", "```python", f"{word} {signature}", "```", "", says, ""]
        who = ", ".join(f"`{one}`" for one in known.get(name, []))
        if name == "register_channels":
            # Every new channel would make this page old.
            who = "every channel"
        lines += [f"Used by {who}." if who else "Used by nobody bundled yet.", ""]
    return "\n".join(lines).rstrip() + "\n"


def main() -> int:
    """Write the page, or check it."""
    if "--check" in sys.argv[1:]:
        current = PAGE.exists() and PAGE.read_text(encoding="utf-8") == page()
        if not current:
            print("docs/hooks.md is not current: run python tools/hook_reference.py")
        return 0 if current else 1
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
