"""Reading a reply out of a form or of JSON, and saying what is wrong with its words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from hub import SAMPLES, Attachment, Hub, NotFound
from plugins.quick_replies.commands import SaveQuickReply
from plugins.quick_replies.replies import LANGUAGES

_URL = re.compile(r"\s*(https?://\S+)$")
_ENGLISH = {
    "contact.name": "Ann Smith",
    "contact.first_name": "Ann",
    "contact.polite_name": "Ann",
    "contact.last_name": "Smith",
    "contact.patronymic": "",
    "contact.gender": "",
    "contact.position": "director",
    "contact.email": "ann@example.org",
    "client.name": "Sail Ltd",
    "agent.name": "Vera Stone",
    "agent.first_name": "Vera",
    "agent.position": "manager",
    "company": "The Sail Loft",
    "interest.title": "Sail 20 m²",
    "interest.sum": "€480",
    "request.due": "12 March, 15:00",
    "today": "10 March 2027",
    "working_hours": "Mon to Fri, 9 to 18",
}


def samples(language: str) -> dict[str, str]:
    """Give a sample person's values in a language."""
    return dict(SAMPLES) if language == "ru" else {**SAMPLES, **_ENGLISH}


def reply_id_of(text: str) -> int:
    """Read an id out of an address; raises NotFound."""
    if not text.isdecimal() or int(text) >= 2**63:
        raise NotFound("there is no such reply")
    return int(text)


def command_of(
    fields: Mapping[str, str], files: Sequence[Attachment], reply_id: int
) -> SaveQuickReply:
    """Read the form."""
    version = fields.get("version", "")
    return SaveQuickReply(
        reply_id=reply_id,
        title=fields.get("title", ""),
        shortcut=fields.get("shortcut", ""),
        folder=fields.get("folder", ""),
        scope=fields.get("scope", "mine"),
        team_id=_number(fields.get("team_id", "")),
        slot=_number(fields.get("slot", "")),
        texts={
            language: {
                "text": fields.get(f"text_{language}", "").replace("\r\n", "\n"),
                "short": fields.get(f"short_{language}", "").replace("\r\n", "\n"),
                "html": fields.get(f"html_{language}", "").replace("\r\n", "\n"),
            }
            for language in LANGUAGES
        },
        buttons=buttons_of(fields.get("buttons", "")),
        template=fields.get("template", "").strip()[:400],
        template_language=fields.get("template_language", "").strip()[:40],
        channels=tuple(fields.get("channels", "").replace(",", " ").split()),
        version=_number(version) if version else None,
        add_files=tuple(
            (one.name, one.media_type, one.content or b"") for one in files if one.size and one.name
        ),
        drop_files=tuple(
            _number(name.removeprefix("drop_")) for name in fields if name.startswith("drop_")
        ),
    )


def buttons_of(text: str) -> tuple[tuple[str, str], ...]:
    """Read buttons, one a line: a label, and an address after it."""
    found = []
    for line in text.splitlines():
        label = line.strip()
        if not label:
            continue
        url = _URL.search(f" {label}")
        address = url[1] if url else ""
        found.append((label.removesuffix(address).strip(), address))
    return tuple(found)


def problems_of(
    hub: Hub, texts: Mapping[str, Mapping[str, str]], words: Callable[[str], str]
) -> tuple[str, ...]:
    """Say what is wrong with the words, each with its line and what was probably meant."""
    found = []
    for language, one in texts.items():
        for text in one.values():
            for problem in hub.check_template(text):
                line = f"{language.upper()}, {words('line')} {problem.line}: "
                if problem.name:
                    line += words("unknown: {name}").format(name=problem.name)
                    if problem.suggestion:
                        line += ". " + words("Did you mean {name}?").format(name=problem.suggestion)
                else:
                    line += words(problem.text)
                found.append(line)
    return tuple(found[:10])


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and int(text) < 2**63 else 0
