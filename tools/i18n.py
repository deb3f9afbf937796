"""The interface's texts: find them, and keep the Russian catalogue complete.

    .venv/bin/python tools/i18n.py            update hub/locale/ru/LC_MESSAGES/hub.po
    .venv/bin/python tools/i18n.py --check    say what is missing; exit 1 if anything is

Texts are found in templates and modules (`_`), in Python (`translate(language, "...")`), in the
titles and descriptions of settings' fields, in panels, and in the words of errors that people
see. The source language is English; nothing has to be compiled.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parent.parent
WORD = re.compile(r"[A-Za-z]{2,} |^[A-Z][a-z]+$|^[a-z]+$|[.…]$|^[A-Z]")
PO = ROOT / "hub/locale/ru/LC_MESSAGES/hub.po"
WEB = ROOT / "hub/web"
ERRORS = {"Conflict", "Invalid", "NotAllowed", "NotFound", "TemporaryFailure",
          "PermanentFailure", "Throttled", "UntrustedRequest", "PermissionError", "HubError", "Check",
          "ValueError", "NotLoggedIn", "Reject", "Problem"}  # fmt: skip
PLACED = {"wrong", "_wrong"}
TITLED = {"Ageing", "Field", "Panel", "PanelLine", "NavEntry", "AccountSection", "Route", "Page",
          "Variable"}  # fmt: skip
TITLES = {"title", "description", "label", "empty", "tab"}
# Plugins bring their own words too; those with a catalogue of their own are left to it.
UNSEEN = {"migrations", "demo", "demo_customer", "http_api", "cli", "backup.py",
          "restore.py", "shapes", "shapes.py", "api.py", "auth.py", "files.py", "page_actions.py", "hookspecs.py", "testing"}  # fmt: skip
LETTERS = 4
"""So many an error's text has beside what is filled in, or it would fit everything."""
SOURCES = ("hub", "channels", "plugins", "dialogs", "crm_store", "triggers")


def found() -> Catalog:
    """Collect every text with the places where it stands."""
    catalogue = Catalog(project="Dialog Hub", version="1", charset="utf-8", locale="ru")
    options = {"extensions": "jinja2.ext.i18n,jinja2.ext.do", "trimmed": "true"}
    for path in sorted((WEB / "templates").rglob("*.html")):
        add(catalogue, path, extract_from_file("jinja2", path, options=options))
    for path in sorted((WEB / "static/js").rglob("*.js")):
        add(catalogue, path, extract_from_file("javascript", path, keywords={"_": None}))
    for folder in SOURCES:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if not UNSEEN & set(path.parts) and path != ROOT / "hub/settings.py":
                for line, text in python_texts(path):
                    catalogue.add(text, locations=[(str(path.relative_to(ROOT)), line)])
    return catalogue


def add(catalogue: Catalog, path: Path, messages: Iterable[tuple]) -> None:  # type: ignore[type-arg]
    """Add what babel found in one file."""
    place = str(path.relative_to(ROOT))
    for line, message, _comments, context in messages:
        catalogue.add(message, locations=[(place, line)], context=context)


def python_texts(path: Path) -> Iterable[tuple[int, str]]:
    """Find the texts of a Python file that people will see."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    in_web = WEB in path.parents
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = (
                node.func.attr
                if isinstance(node.func, ast.Attribute)
                else getattr(node.func, "id", "")
            )
            if name in ("translate", "say") and len(node.args) > 1:
                yield from literal(node.args[1])
            if name == "_" and in_web and len(node.args) == 1:
                yield from literal(node.args[0])
            if name in ERRORS | PLACED:
                # The first of an objection to JSON is the path of its place.
                for one in node.args[name in PLACED :]:
                    yield from worded(one)
                for keyword in node.keywords:
                    if keyword.arg in ("name", "text"):
                        yield from worded(keyword.value)
            if name in TITLED:
                for keyword in node.keywords:
                    if keyword.arg in TITLES:
                        yield from literal(keyword.value)
        if isinstance(node, ast.AnnAssign):
            # The choices of a settings' field: the form shows them.
            yield from choices(node.annotation)
        if isinstance(node, ast.Assign) and "channels" in path.parts:
            yield from choices(node.value)
        if isinstance(node, ast.ClassDef):
            for line in node.body:
                target = (
                    line.targets[0]
                    if isinstance(line, ast.Assign)
                    else line.target
                    if isinstance(line, ast.AnnAssign)
                    else None
                )
                if getattr(target, "id", "") == "title" and line.value is not None:  # type: ignore[attr-defined]
                    yield from literal(line.value)  # type: ignore[attr-defined]
        if isinstance(node, ast.Return) and in_web and node.value is not None:
            for line_number, text in literal(node.value):
                if " " in text and text[0].isupper():
                    yield line_number, text
        if isinstance(node, ast.Dict):
            for value in node.values:
                for line_number, text in literal(value):
                    if (
                        (in_web or "roles" in path.name or "portrait" in path.name)
                        and (" " in text or text[:1].isupper())
                        and "/" not in text
                        and "{" not in text
                        and ";" not in text
                        and not re.match(r"^[A-Z, ]+$|^no-cache", text)
                    ):
                        yield line_number, text
        if isinstance(node, ast.Assign) and in_web:
            for line_number, text in literal(node.value):
                if " " in text and text[0].isupper() and text.endswith("."):
                    yield line_number, text


def choices(node: ast.AST) -> Iterable[tuple[int, str]]:
    """Give the words of a field that is one of some."""
    if isinstance(node, ast.Subscript) and getattr(node.value, "id", "") == "Literal":
        for choice in getattr(node.slice, "elts", [node.slice]):
            # Every one stands in the form, also a vendor's own word such as `account_update`.
            if isinstance(choice, ast.Constant) and isinstance(choice.value, str):
                yield choice.lineno, choice.value


def literal(node: ast.AST) -> Iterable[tuple[int, str]]:
    """Give a plain text, also one of two by a condition."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and WORD.search(node.value):
        yield node.lineno, node.value
    if isinstance(node, ast.IfExp):
        yield from literal(node.body)
        yield from literal(node.orelse)


def worded(node: ast.AST) -> Iterable[tuple[int, str]]:
    """Give an error's text; what is filled in is `{}`, as hub/web/i18n.py looks for it."""
    if isinstance(node, ast.JoinedStr):
        parts = [one.value if isinstance(one, ast.Constant) else "{}" for one in node.values]
        text = "".join(str(one) for one in parts)
        if " " in text and sum(map(str.isalpha, text)) >= LETTERS:
            yield node.lineno, text
    elif isinstance(node, ast.IfExp):
        yield from worded(node.body)
        yield from worded(node.orelse)
    else:
        yield from literal(node)


def in_module(message: Message | None) -> bool:
    """Say whether a text stands in a module of the browser."""
    return message is not None and any(str(one).endswith(".js") for one, _ in message.locations)


def main() -> int:
    """Update or check the catalogue."""
    fresh = found()
    known = Catalog(locale="ru")
    if PO.is_file():
        with PO.open("rb") as file:
            known = read_po(file, locale="ru")
    for message in fresh:
        old = known.get(message.id, message.context) if message.id else None
        if old is not None and old.string:
            message.string = old.string
    missing = [
        m
        for m in fresh
        if m.id and not (all(m.string) if isinstance(m.string, (tuple, list)) else m.string)
    ]
    # What modules say is sent to browsers by where the catalogue says that it stands.
    unsent = [m for m in fresh if m.id and in_module(m) and not in_module(known.get(m.id))]
    if "--check" in sys.argv:
        for one in missing:
            sys.stdout.write(f"missing: {one.id!r} at {one.locations[0]}\n")
        for one in unsent:
            sys.stdout.write(f"its place is not known, run this without --check: {one.id!r}\n")
        return 1 if missing or unsent else 0
    PO.parent.mkdir(parents=True, exist_ok=True)
    fresh.header_comment = "# Russian texts of Dialog Hub."
    with PO.open("wb") as file:
        write_po(file, fresh, sort_output=True, width=100, omit_header=False)
    sys.stdout.write(f"{len(list(fresh)) - 1} texts, {len(missing)} to translate\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
