"""Writes the table of channels in README.md, made from what the channels themselves claim.

python tools/channel_matrix.py            write it
python tools/channel_matrix.py --check    say whether it is current
"""

from __future__ import annotations

import sys
import tomllib
from datetime import timedelta
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
START = "<!-- channels: made by tools/channel_matrix.py from the channels' capabilities -->"
END = "<!-- end of channels -->"
# A customer of the demo is no channel to connect.
APART = {"demo_customer"}
HUB_FILE = 60_000_000
"""The largest file that an agent can attach, whatever the channel (docs/api.md)."""


def channels() -> list[type]:
    """Every bundled channel, in the order of pyproject.toml."""
    sys.path.insert(0, str(ROOT))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found = []
    for name, module in project["project"]["entry-points"]["hub"].items():
        if name not in APART:
            found += getattr(import_module(module), "register_channels", list)()
    return found


def table() -> str:
    """The whole table."""
    heads = ("channel", "comes in by", "text", "files", "receipts", "can also", "writes first")
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    lines += [f"| {' | '.join(row(one))} |" for one in channels()]
    return "\n".join(lines)


def row(channel: type) -> list[str]:
    """One channel's line."""
    can = channel.capabilities
    ways = [("webhook", channel.pushes()), ("asking", channel.pulls())]
    if not can.sends:
        return [channel.title, named(ways), "only takes in", "", "", "", ""]
    text = f"{can.max_text:,}".replace(",", " ") if can.max_text else "any length"
    # What the vendor takes, as far as the hub itself does.
    most = min(can.max_attachment_bytes, HUB_FILE)
    files = f"{most / 1_000_000:g} MB" if most else ""
    more = [
        ("HTML", can.html),
        ("formatting", can.formatting),
        ("copies", can.copies),
        ("threads", can.threads),
        ("groups", can.groups),
        ("replies to a message", can.replies),
        ("edits", can.edits),
        ("taking back", can.deletes),
        ("reactions", can.reactions),
        (f"{can.buttons} buttons", can.buttons),
        ("templates", can.templates),
        ("typing", can.typing),
        ("safe repeats", can.idempotent_send),
    ]
    return [channel.title, named(ways), text, files, can.receipts, named(more), first(can)]


def first(can: object) -> str:
    """Whether and for how long we may write."""
    window = can.reply_window  # type: ignore[attr-defined]
    if window is None:
        return "yes" if can.initiates else "no"  # type: ignore[attr-defined]
    words = f"{window // timedelta(hours=1)} h after the client's last word"
    return f"{words}, then by template" if can.templates else words  # type: ignore[attr-defined]


def named(items: list[tuple[str, object]]) -> str:
    """The words of what is there."""
    return ", ".join(word for word, there in items if there)


def page(text: str) -> str:
    """README with the table as it is now."""
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}\n\n{table()}\n\n{END}{after}"


def main() -> int:
    """Write the table, or check it."""
    text = README.read_text(encoding="utf-8")
    if START not in text or END not in text:
        print("README.md has lost the marks of the table of channels")
        return 1
    if "--check" in sys.argv[1:]:
        if page(text) != text:
            print("README.md is not current: run python tools/channel_matrix.py")
            return 1
        return 0
    README.write_text(page(text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
