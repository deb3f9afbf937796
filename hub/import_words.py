"""The words of subscribers in a file: who agreed to what, on which channel, since when, by what proof."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from hub.errors import Invalid
from hub.terms import fold

GIVEN, WITHDRAWN, ASK = "given", "withdrawn", "ask"
MEANINGS: Mapping[str, str] = {
    GIVEN: "yes, y, 1, true, +, given, agreed, subscribed, да, согласен, согласна, есть, подписан",
    WITHDRAWN: "no, n, 0, false, -, withdrawn, refused, unsubscribed, нет, отказ, отписан",
    ASK: "ask, confirm, спросить, подтвердить",
}
CHANNELS: Mapping[str, str] = {
    "email": "mail, e-mail, почта, письма",
    "phone": "sms, смс, телефон",
    "telegram": "телеграм, телеграмм, tg",
    "vk": "вк, вконтакте",
    "whatsapp": "вотсап, ватсап",
}
FORMS = ("%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y", "%d/%m/%Y")


def _known(meanings: Mapping[str, str], text: str) -> str:
    wanted = fold(text).strip()
    for meaning, words in meanings.items():
        if wanted == meaning or wanted in [fold(one).strip() for one in words.split(",")]:
            return meaning
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Reads the columns of consents, and says what a row lacks."""

    topics: frozenset[str]
    kinds: frozenset[str]
    now: int
    zone: str = "UTC"
    """Where a moment without a zone of its own was written."""

    def value(self, name: str, text: str) -> object:
        """Give a cell's value; raises Invalid."""
        if name == "consent":
            found = _known(MEANINGS, text)
            if not found:
                raise Invalid("write yes, no or ask", field=name)
            return found
        if name == "consent_channel":
            kind = _known(CHANNELS, text) or text.strip().lower()
            if kind not in self.kinds:
                raise Invalid("no channel of this kind is known", field=name)
            return kind
        return self._moment(text)

    def _moment(self, text: str) -> int:
        zone = ZoneInfo(self.zone)
        at = None
        try:
            at = datetime.fromisoformat(text.strip())
        except ValueError:
            for form in FORMS:
                try:
                    at = datetime.strptime(text.strip(), form).replace(tzinfo=zone)
                    break
                except ValueError:
                    continue
        if at is None:
            raise Invalid("this is not a date", field="consent_at")
        found = int((at if at.tzinfo else at.replace(tzinfo=zone)).timestamp() * 1_000_000)
        if self.now and found > self.now:
            raise Invalid("this is in the future", field="consent_at")
        return found

    def check(self, values: Mapping[str, object]) -> None:
        """Refuse a word that nobody could prove, and a question that cannot be put."""
        word = values.get("consent")
        if word == GIVEN and not (values.get("consent_source") or values.get("consent_text")):
            raise Invalid("say how we know: the proof is on us", field="consent_text")
        if word == ASK:
            if not values.get("email"):
                raise Invalid("only an e-mail address can be asked to confirm", field="email")
            if values.get("consent_topic") not in self.topics:
                raise Invalid("no such topic asks for a confirmation", field="consent_topic")
