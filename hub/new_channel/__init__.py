"""Writes the distribution of a new channel: it works, and its contract test passes, as it is."""

from __future__ import annotations

import keyword
import re
from pathlib import Path

from hub.errors import Invalid

_TEMPLATES = Path(__file__).parent / "templates" / "distribution"
_NAME = re.compile(r"[a-z][a-z0-9_]{1,40}")


def write_channel(name: str, folder: Path) -> list[Path]:
    """Write a channel's distribution into a folder that is new or empty; gives its files.

    Raises Invalid for a name that cannot be a channel's, and where the folder holds something.
    """
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise Invalid(
            "a channel's name is lower-case letters, digits and _, like `pigeon`", field="name"
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Invalid(f"{folder} is not empty", field="folder")
    words = name.split("_")
    values = {
        "name": name,
        "package": f"{name}_channel",
        "class": "".join(one.capitalize() for one in words),
        "title": " ".join(words).capitalize(),
    }
    written = []
    for template, path in (
        ("pyproject.toml.txt", "pyproject.toml"),
        ("README.md.txt", "README.md"),
        ("channel.py.txt", f"{values['package']}/__init__.py"),
        ("hub-plugin.toml.txt", f"{values['package']}/hub-plugin.toml"),
        ("test.py.txt", f"tests/test_{name}.py"),
    ):
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_filled(template, values), encoding="utf-8")
        written.append(file)
    return written


def _filled(template: str, values: dict[str, str]) -> str:
    """Put the values in; other braces of the text are its own."""
    text = (_TEMPLATES / template).read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return text
