"""Log lines: one event each, `event key=value ...`, as text or as JSON.

What is written here may be read by many: never the words of a message, never a secret.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime

_PAIR = re.compile(r'([A-Za-z_][A-Za-z0-9_.]*)=("(?:[^"\\]|\\.)*"|.*?)(?=\s+[A-Za-z_][\w.]*=|$)')
_SECRET = re.compile(r"(?i)\b([a-z_]*(?:password|secret|token|authorization|api_key)[a-z_]*)=(\S+)")

QUIET = (
    *("alembic", "httpx2", "httpx", "httpcore", "aioimaplib", "multipart", "asyncio"),
    *("aiogram", "aiohttp", "requests", "twilio", "urllib3", "vk_api"),
)
"""Libraries that log addresses, plans and bodies: below a warning they say nothing here."""


class TextLines(logging.Formatter):
    """`2026-01-31T12:00:00Z INFO hub.runtime event key=value`."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record as a line; a traceback follows on lines of its own."""
        line = f"{_instant(record)} {record.levelname} {record.name} {_safe(record.getMessage())}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


class JsonLines(logging.Formatter):
    """One JSON object a line, with the pairs of the event as its fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record as JSON."""
        text = _safe(record.getMessage())
        event, _, rest = text.partition(" ")
        fields: dict[str, str] = {
            "at": _instant(record),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        pairs = {name: value.strip('"') for name, value in _PAIR.findall(rest)}
        if pairs or not rest:
            fields |= {"event": event} | {n: v for n, v in pairs.items() if n not in fields}
        else:
            fields["event"] = text
        if record.exc_info:
            fields["trace"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False)


def set_up_logs(level: str = "info", style: str = "text") -> None:
    """Send every logger's lines to standard error in one style."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if style == "json" else TextLines())
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    # Libraries tell of every request and of every query plan: only their warnings count here.
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    # A request's address may hold a token, so nobody logs addresses but we.
    logging.getLogger("uvicorn.access").disabled = True
    for name in ("uvicorn", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.WARNING)


def _instant(record: logging.LogRecord) -> str:
    at = datetime.fromtimestamp(record.created, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _safe(text: str) -> str:
    """Keep a line a line, and a secret that slipped in unreadable."""
    return _SECRET.sub(r"\1=***", text.replace("\r", "\\r").replace("\n", "\\n"))
