"""A sent form, made into a message. Pure: the same bytes at the same time give the same message.

The sender is the e-mail address that the person gave, else the telephone number, else nobody
but this form. None of it is proven: it says whom the person claims to be, and an answer goes to
the address itself, so a false claim reaches no false ear.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

import phonenumbers

from hub import (
    Address,
    Attachment,
    InboundMessage,
    Invalid,
    MalformedPayload,
    Micros,
    WebhookRequest,
)
from hub.multipart import read_multipart
from plugins.web_form.settings import MAX_FILES, WebFormSettings

KIND = "web_form"
TRAP = "x-form-trap"
"""The header of a message that a machine sent; `screen_inbound` reads it."""
MAX_FIELDS = 100
MAX_VALUE = 20_000
REPEAT_US = 600_000_000
"""The same words sent twice within ten minutes are one submission (a double click)."""

_EMAIL = re.compile(r"[^\s@,;<>()\"]{1,64}@[^\s@,;<>()\"]{1,180}\.[^\s@,;<>()\".]{2,63}")
_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_UTM = re.compile(r"utm_[a-z_]{1,30}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """The fields and files of a post, whatever its encoding. Names that start with `_` are ours."""

    fields: tuple[tuple[str, str], ...]
    files: tuple[Attachment, ...] = field(default=(), repr=False)

    def value(self, name: str) -> str:
        """The last value of a field."""
        return next((value for key, value in reversed(self.fields) if key == name), "")


def read_fields(request: WebhookRequest) -> Posted:
    """Take a post apart; raises MalformedPayload."""
    kind = request.headers.get("content-type", "").lower()
    files: tuple[Attachment, ...] = ()
    pairs: Iterable[tuple[str, object]]
    if kind.startswith("multipart/"):
        fields, found = read_multipart(request.headers.get("content-type", ""), request.body)
        pairs, files = list(fields), tuple(file for _, file in found)
    elif kind.startswith("application/json"):
        pairs = _json(request.body).items()
    else:
        try:
            pairs = parse_qsl(request.body.decode(), keep_blank_values=True, max_num_fields=1_000)
        except ValueError as error:
            raise MalformedPayload("the body is not a form") from error
    clean = [(_clean(name)[:100], _clean(value)) for name, value in pairs]
    return Posted(fields=tuple(clean[:MAX_FIELDS]), files=files)


def read_submission(
    settings: WebFormSettings,
    posted: Posted,
    *,
    at: Micros,
    trap: str = "",
    referrer: str = "",
    browser: str = "",
    language: str = "en",
    client: str = "",
) -> InboundMessage:
    """Make the message; raises Invalid naming the field that the person should mend."""
    parts, others = _sort(settings, posted)
    trap = "trap" if posted.value(settings.trap_field).strip() else trap
    email, phone = parts.get("email", ""), parts.get("phone", "")
    if email and not _EMAIL.fullmatch(email) and not trap:
        raise Invalid("this is not an e-mail address", field="email")
    if not trap:
        _check(settings, posted, parts, others)
    number = _phone(phone, settings.country)
    key = _key(posted, at)
    name = " ".join(parts.get("name", "").split())[:100]
    if email:
        sender = Address(kind="email", value=email.lower(), name=name)
    elif number:
        sender = Address(kind="phone", value=number, name=name or phone)
    else:
        nobody = "Посетитель сайта" if language == "ru" else "Site visitor"
        sender = Address(kind=KIND, value=f"f{_hash(key)[:32]}", name=name or nobody)
    lines = [parts["message"]] if parts.get("message") else []
    lines += [f"{label}: {value}" for label, value in others if value]
    if phone and sender.kind != "phone":
        lines.append(f"{'Телефон' if language == 'ru' else 'Phone'}: {phone}")
    return InboundMessage(
        dedupe_key=key,
        external_id=key,
        sender=sender,
        text="\n".join(lines),
        subject=(parts.get("subject", "") or settings.title)[:200],
        attachments=posted.files,
        sent_at=at,
        language=language,
        profile=_profile(settings, posted, parts, number, referrer, browser, at, client, language),
        headers={TRAP: trap} if trap else {},
        raw=_pack(posted, at, referrer, browser, language) if trap else b"",
    )


def read_again(settings: WebFormSettings, raw: bytes) -> InboundMessage:
    """Read a submission that was put aside as too hasty; somebody has looked at it and lets it in."""
    try:
        kept = json.loads(raw)
        files = tuple(
            Attachment(
                name=name,
                media_type=media_type,
                content=(content := base64.b64decode(coded)),
                size=len(content),
            )
            for name, media_type, coded in kept["files"]
        )
        posted = Posted(fields=tuple((name, value) for name, value in kept["fields"]), files=files)
        at, words = (
            Micros(int(kept["at"])),
            [kept[one] for one in ("referrer", "browser", "language")],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise MalformedPayload("this is no submission of a form") from error
    return read_submission(
        settings, posted, at=at, referrer=words[0], browser=words[1], language=words[2]
    )


def _pack(posted: Posted, at: Micros, referrer: str, browser: str, language: str) -> bytes:
    files = [
        [one.name, one.media_type, base64.b64encode(one.content or b"").decode()]
        for one in posted.files
    ]
    kept = {
        "fields": posted.fields,
        "files": files,
        "at": at,
        "referrer": referrer,
        "browser": browser,
        "language": language,
    }
    return json.dumps(kept, ensure_ascii=False).encode()


def _sort(
    settings: WebFormSettings, posted: Posted
) -> tuple[dict[str, str], list[tuple[str, str]]]:
    parts: dict[str, str] = {}
    others: list[tuple[str, str]] = []
    for name, value in posted.fields:
        if name.startswith("_") or name == settings.trap_field or _UTM.fullmatch(name):
            continue
        part = settings.part_of(name)
        value = value.strip()
        if part and part not in parts:
            parts[part] = value
        elif name not in ("consent", "subscribe"):
            others.append((name, value))
    return parts, others


def _check(
    settings: WebFormSettings,
    posted: Posted,
    parts: dict[str, str],
    others: Sequence[tuple[str, str]],
) -> None:
    if settings.consent_text and not posted.value("consent"):
        raise Invalid("the consent is missing", field="consent")
    if settings.subscribe_topic and posted.value("subscribe") and not parts.get("email"):
        raise Invalid("a subscription needs an e-mail address", field="email")
    given = {name.lower() for name, value in others if value}
    for label, required in settings.extra_fields():
        # A form of the site's own need not have our extra fields; an empty one is a mistake.
        asked = any(name.lower() == label.lower() for name, _ in others)
        if required and asked and label.lower() not in given:
            raise Invalid("this field is required", field=label)
    if not any(parts.values()) and not given and not posted.files:
        raise Invalid("the form is empty", field="message")
    if posted.files and not settings.files:
        raise Invalid("this form takes no files", field="files")
    if len(posted.files) > MAX_FILES:
        raise Invalid("too many files", field="files")
    if any(one.size > settings.max_file_bytes for one in posted.files):
        raise Invalid("a file is too large", field="files")


def _profile(
    settings: WebFormSettings,
    posted: Posted,
    parts: dict[str, str],
    number: str,
    referrer: str,
    browser: str,
    at: Micros,
    client: str,
    language: str,
) -> dict[str, str]:
    page = _link(posted.value("_page")) or _link(referrer)
    profile = {
        "form": settings.title,
        "name": parts.get("name", ""),
        "email": parts.get("email", ""),
        "phone": number or parts.get("phone", ""),
        "page": page,
        "referrer": _link(posted.value("_referrer")),
        "browser": browser[:300],
    }
    # A campaign's marks come as fields of the form, or stand in the address of its page.
    marks = [*parse_qsl(urlsplit(page).query, max_num_fields=None), *posted.fields]
    profile |= {name: value[:200] for name, value in marks if _UTM.fullmatch(name)}
    if settings.subscribe_topic and posted.value("subscribe") and parts.get("email"):
        profile["subscribe"] = settings.subscribe_topic
        profile["subscribe_text"] = settings.subscribe_text or settings.subscribe_topic
    if settings.consent_text and posted.value("consent"):
        profile["consent"] = settings.consent_text
        profile["consent_at"] = str(at)
    if profile.get("subscribe"):
        profile |= {"subscribe_from": client, "subscribe_language": language}
    return {name: value for name, value in profile.items() if value}


def _json(body: bytes) -> dict[str, object]:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedPayload("the body is not JSON") from error
    if not isinstance(data, dict):
        raise MalformedPayload("the body is not a JSON object of fields")
    return data


def _clean(value: object) -> str:
    if isinstance(value, list):
        value = ", ".join(_clean(one) for one in value[:50] if not isinstance(one, list | dict))
    if value is None or isinstance(value, dict):
        return ""
    text = str(value)[:MAX_VALUE].replace("\x00", "").replace("\r\n", "\n")
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")


def _link(value: str) -> str:
    value = value[:2_000].strip()
    try:
        urlsplit(value)
    except ValueError:
        return ""
    return value if re.match(r"https?://[^\s<>\"]+$", value) else ""


def _phone(text: str, country: str) -> str:
    """The number as networks write it (+79161234567), "" where it is none."""
    try:
        number = phonenumbers.parse(text[:50], country)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_valid_number(number):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _key(posted: Posted, at: Micros) -> str:
    given = posted.value("_id")
    if _ID.fullmatch(given):
        return f"form:{given}"
    content = [one for one in posted.fields if not one[0].startswith("_")]
    files = [[one.name, _hash(one.content or b"")] for one in posted.files]
    return f"form:{_hash(json.dumps([at // REPEAT_US, content, files]))[:40]}"


def _hash(content: str | bytes) -> str:
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()
