"""A stand-in for Twilio: messages, files, numbers, services, contents, and signed webhooks.

    with TwilioServer() as twilio:
        twilio.bring("+15550001111", "Hello")           # a person texts one of the numbers
        twilio.tell(twilio.messages[-1], "delivered")   # and Twilio tells of a message of ours

It holds what it was given, knows who wrote STOP, fetches the files of a message as Twilio does,
and checks every request and answer against Twilio's published description. Its webhooks are
signed by the validator of Twilio's own library, and tests/wire/phones checks the stand-in with
Twilio's own client.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from twilio.request_validator import RequestValidator

from tests.servers.openapi import complaints
from tests.servers.stand_in import Reply, Request, StandIn, as_json

ACCOUNT = "AC" + "0123456789abcdef" * 2
TOKEN = "the-token-of-the-shop"
NUMBER = "+15557654321"
SERVICE = "MG" + "0123456789abcdef" * 2
DATE = "Mon, 23 Nov 2026 12:00:00 +0000"
API = f"/2010-04-01/Accounts/{ACCOUNT}"
STOP = {"stop", "stopall", "unsubscribe", "cancel", "end", "quit"}
MESSAGES = {
    20003: "Authenticate",
    20429: "Too Many Requests",
    21211: "The 'To' number is not a valid phone number.",
    21606: "The From phone number is not a valid, SMS-capable inbound phone number",
    21610: "Attempt to send to unsubscribed recipient",
    21614: "'To' number is not a valid mobile number",
    21617: "The concatenated message body exceeds the 1600 character limit.",
    21619: "A text message body or media urls must be specified.",
    21656: "The ContentVariables Parameter is invalid.",
}
STATUSES = {20003: 401, 21408: 403, 20429: 429}


def refuse(code: int, **headers: str) -> Reply:
    """An error in Twilio's own form."""
    status = STATUSES.get(code, 400)
    words = MESSAGES.get(code, f"error {code}")
    more = f"https://www.twilio.com/docs/errors/{code}"
    value = {"code": code, "message": words, "more_info": more, "status": status}
    return as_json(value, status, **headers)


@dataclass
class Sent:
    """A message that we sent."""

    sid: str
    fields: dict[str, list[str]]
    files: list[tuple[str, bytes]] = field(default_factory=list)

    def __getitem__(self, name: str) -> str:
        return self.fields.get(name, [""])[-1]


class TwilioServer(StandIn):
    """One account with one number and one messaging service."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[Sent] = []
        self.numbers = {NUMBER: "", "+15557654322": ""}
        self.service_url = ""
        self.contents: list[dict[str, Any]] = []
        self.media: dict[str, tuple[str, bytes]] = {}
        self.stopped: set[str] = set()
        self.status = "active"
        self.token = TOKEN
        self.page_size = 2

    # -- what people and carriers do ---------------------------------------------------------

    def bring(self, sender: str, text: str = "", **more: str) -> tuple[int, str]:
        """Bring a message of a person's to the webhook; gives status and body of the answer."""
        if text.strip().casefold() in STOP:
            self.stopped.add(sender)
        if text.strip().casefold() in ("start", "unstop"):
            self.stopped.discard(sender)
        fields = {
            "AccountSid": ACCOUNT,
            "ApiVersion": "2010-04-01",
            "Body": text,
            "From": sender,
            "FromCountry": "US",
            "MessageSid": self.sid("SM"),
            "NumMedia": "0",
            "NumSegments": "1",
            "SmsStatus": "received",
            "To": NUMBER,
            **more,
        }
        return self.post(self.webhook(), fields)

    def webhook(self) -> str:
        """Where messages go."""
        return self.service_url or self.numbers[NUMBER]

    def file(self, media_type: str, content: bytes) -> dict[str, str]:
        """Keep a person's file; gives the fields that name it."""
        sid = self.sid("ME")
        self.media[sid] = (media_type, content)
        message = self.sid("MM")
        address = f"https://api.twilio.com{API}/Messages/{message}/Media/{sid}"
        return {
            "MessageSid": message,
            "NumMedia": "1",
            "MediaUrl0": address,
            "MediaContentType0": media_type,
        }

    def tell(self, message: Sent, status: str, code: int = 0, **more: str) -> tuple[int, str]:
        """Tell of a message of ours."""
        fields = {
            "AccountSid": ACCOUNT,
            "From": message["From"] or NUMBER,
            "MessageSid": message.sid,
            "MessageStatus": status,
            "SmsSid": message.sid,
            "SmsStatus": status,
            "To": message["To"],
            **({"ErrorCode": str(code)} if code else {}),
            **more,
        }
        return self.post(message["StatusCallback"], fields)

    def post(
        self,
        url: str,
        fields: dict[str, str],
        *,
        token: str = "",
        algorithm: str = "",
        as_json_body: bool = False,
    ) -> tuple[int, str]:
        """Call a webhook, signed as Twilio signs."""
        body, media_type = urlencode(fields), "application/x-www-form-urlencoded"
        signed: Any = fields
        if as_json_body:
            body, media_type, signed = json.dumps(fields), "application/json", {}
            mark = "&" if "?" in url else "?"
            url = f"{url}{mark}bodySHA256={hashlib.sha256(body.encode()).hexdigest()}"
        headers = {"Content-Type": media_type}
        if algorithm:
            headers["X-Twilio-Webhooks-Signature-Settings"] = f"key=wk1,algorithm={algorithm}"
        validator = RequestValidator(token or self.token)
        signature = validator.compute_signature(url, signed, algorithm or None)
        return call(url, body.encode(), {**headers, "X-Twilio-Signature": signature})

    def sid(self, prefix: str) -> str:
        """Make an identifier."""
        return prefix + secrets.token_hex(16)

    # -- what the API answers ----------------------------------------------------------------

    def answer(self, request: Request) -> Reply:
        if request.path.startswith("/store/"):
            return self._store(request)
        if request.headers.get("authorization") != _basic(ACCOUNT, self.token):
            return refuse(20003)
        call_, reply = self._route(request)
        if call_ and reply.status < 300:
            for one in complaints("twilio", f"response {call_}", json.loads(reply.body)):
                self.object_to(one)
        return reply

    def _route(self, request: Request) -> tuple[str, Reply]:
        path = request.path
        if path == f"{API}/Messages.json" and request.method == "POST":
            return "Messages POST", self._create(request)
        if path == f"{API}.json":
            account = {"sid": ACCOUNT, "status": self.status, "type": "Full"}
            return "Account GET", as_json(account)
        if path == f"{API}/Balance.json":
            balance = {"account_sid": ACCOUNT, "balance": "12.34", "currency": "USD"}
            return "Balance GET", as_json(balance)
        if path == f"{API}/IncomingPhoneNumbers.json":
            return "Numbers GET", self._numbers(request)
        found = re.fullmatch(rf"{API}/IncomingPhoneNumbers/(PN\w+)\.json", path)
        if found and request.method == "POST":
            return "Number POST", self._set_number(found[1], request)
        if path == f"/v1/Services/{SERVICE}":
            if request.method == "POST":
                self.service_url = request.form()["InboundRequestUrl"]
            service = {"sid": SERVICE, "friendly_name": "Pool"}
            return "", as_json({**service, "inbound_request_url": self.service_url})
        if path == "/v1/ContentAndApprovals":
            return "Contents GET", self._contents(request)
        if path == "/v1/Content" and request.method == "POST":
            return "Content POST", self._add_content(request)
        found = re.fullmatch(rf"{API}/Messages/\w+/Media/(ME\w+)", path)
        if found:
            place = f"{self.url}/store/{found[1]}"
            return "", Reply(307, headers={"Location": place})
        return "", refuse(20404)

    def _create(self, request: Request) -> Reply:
        fields = parse_qs(request.body.decode(), keep_blank_values=True)
        plain: dict[str, Any] = {name: values[-1] for name, values in fields.items()}
        if "MediaUrl" in fields:
            plain["MediaUrl"] = fields["MediaUrl"]
        for one in complaints("twilio", "request Messages POST", plain):
            self.object_to(one)
        to, sender = plain["To"], plain.get("From", "")
        code = self._wrong(plain, to.removeprefix("whatsapp:"), sender)
        if code:
            return refuse(code)
        sent = Sent(self.sid("SM"), fields)
        for url in fields.get("MediaUrl", ()):
            status, body, media_type = fetch(url)
            if status != 200:
                self.object_to(f"the file of a message cannot be fetched: {status}")
            sent.files.append((media_type, body))
        self.messages.append(sent)
        return as_json(self._message(sent), 201)

    def _wrong(self, plain: dict[str, Any], to: str, sender: str) -> int:
        if not re.fullmatch(r"\+[1-9]\d{6,14}|\d{3,8}|[A-Z]{2}\.\w+", to):
            return 21211
        if to in self.stopped:
            return 21610
        known = {SERVICE, *self.numbers, *(f"whatsapp:{one}" for one in self.numbers)}
        if (sender or plain.get("MessagingServiceSid")) not in known:
            return 21606
        if not any(plain.get(one) for one in ("Body", "MediaUrl", "ContentSid")):
            return 21619
        if len(plain.get("Body", "")) > 1600:
            return 21617
        if "ContentSid" in plain:
            content = next(
                (one for one in self.contents if one["sid"] == plain["ContentSid"]), None
            )
            values = json.loads(plain.get("ContentVariables", "{}"))
            if content is None or set(values) != set(content["variables"]):
                return 21656
        return 0

    def _message(self, sent: Sent) -> dict[str, Any]:
        pooled = bool(sent["MessagingServiceSid"])
        return {
            "account_sid": ACCOUNT,
            "api_version": "2010-04-01",
            "body": sent["Body"],
            "date_created": DATE,
            "date_sent": None,
            "date_updated": DATE,
            "direction": "outbound-api",
            "error_code": None,
            "error_message": None,
            "from": sent["From"] or None,
            "messaging_service_sid": sent["MessagingServiceSid"] or None,
            "num_media": str(len(sent.files)),
            "num_segments": "1",
            "price": None,
            "price_unit": None,
            "sid": sent.sid,
            "status": "accepted" if pooled else "queued",
            "subresource_uris": {"media": f"{API}/Messages/{sent.sid}/Media.json"},
            "to": sent["To"],
            "uri": f"{API}/Messages/{sent.sid}.json",
        }

    def _numbers(self, request: Request) -> Reply:
        wanted = request.query.get("PhoneNumber", "")
        found = [self._number(one) for one in self.numbers if wanted in ("", one)]
        page = {"end": 0, "first_page_uri": "/x", "next_page_uri": None, "page": 0}
        page |= {"page_size": 50, "previous_page_uri": None, "start": 0, "uri": "/x"}
        return as_json({"incoming_phone_numbers": found, **page})

    def _number(self, number: str) -> dict[str, Any]:
        sid = "PN" + hashlib.md5(number.encode()).hexdigest()
        url = self.numbers[number]
        return {"account_sid": ACCOUNT, "phone_number": number, "sid": sid, "sms_url": url}

    def _set_number(self, sid: str, request: Request) -> Reply:
        form = request.form()
        for one in complaints("twilio", "request Number POST", form):
            self.object_to(one)
        number = next(one for one in self.numbers if self._number(one)["sid"] == sid)
        self.numbers[number] = form["SmsUrl"]
        return as_json(self._number(number))

    def _contents(self, request: Request) -> Reply:
        page, base = int(request.query.get("Page", "0")), "https://content.twilio.com"
        first = page * self.page_size
        more = first + self.page_size < len(self.contents)
        url = f"{base}/v1/ContentAndApprovals?PageSize={self.page_size}&Page="
        meta = {
            "key": "contents",
            "page": page,
            "page_size": self.page_size,
            "first_page_url": f"{url}0",
            "previous_page_url": None,
            "next_page_url": f"{url}{page + 1}" if more else None,
            "url": f"{url}{page}",
        }
        return as_json({"contents": self.contents[first : first + self.page_size], "meta": meta})

    def _add_content(self, request: Request) -> Reply:
        """Make a content; what Twilio says of buttons in a session is checked."""
        asked = json.loads(request.body)
        for one in complaints("twilio", "request Content POST", asked):
            self.object_to(one)
        [(kind, shape)] = asked["types"].items()
        buttons = shape.get("actions") or shape.get("items") or []
        quick = kind == "twilio/quick-reply"
        labels = [one["title"] if quick else one["item"] for one in buttons]
        if not 1 <= len(buttons) <= (3 if quick else 10) or max(map(len, labels)) > (
            20 if quick else 24
        ):
            return refuse(60200)
        sid = self.content(
            asked["friendly_name"], "unsubmitted", asked["types"], **asked["variables"]
        )
        made = next(one for one in self.contents if one["sid"] == sid)
        url = f"https://content.twilio.com/v1/Content/{sid}"
        told = {name: one for name, one in made.items() if name != "approval_requests"}
        return as_json({**told, "url": url, "links": {"approval_fetch": f"{url}/x"}}, 201)

    def content(self, name: str, status: str, types: dict[str, Any], **variables: str) -> str:
        """Add a content to the catalogue; gives its SID."""
        sid = self.sid("HX")
        self.contents.append(
            {
                "account_sid": ACCOUNT,
                "approval_requests": {
                    "category": "UTILITY",
                    "content_type": next(iter(types)),
                    "name": name,
                    "rejection_reason": "INVALID_FORMAT" if status == "rejected" else "",
                    "status": status,
                },
                "date_created": "2026-11-01T12:00:00Z",
                "date_updated": "2026-11-01T12:00:00Z",
                "friendly_name": name,
                "language": "en",
                "sid": sid,
                "types": types,
                "variables": {key.removeprefix("v"): value for key, value in variables.items()},
            }
        )
        return sid

    def _store(self, request: Request) -> Reply:
        if "authorization" in request.headers:
            self.object_to("the token was shown to the store of files")
        media_type, content = self.media[request.path.rpartition("/")[2]]
        return Reply(200, content, media_type)


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def call(url: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
    """Make one request; gives status and body whatever the status."""
    request = urllib.request.Request(url, data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def fetch(url: str) -> tuple[int, bytes, str]:
    """Get a file as anybody could; gives status, bytes and media type."""
    assert urlsplit(url).scheme in ("http", "https")
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.status, answer.read(), answer.headers.get_content_type()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, b"", ""
