"""What the world asks of who sends to many from a domain: SPF, DKIM, DMARC and the rules for bulk.

A pure function over a resolver: the same answers give the same findings. Gmail, Yahoo, Microsoft,
Mail.ru and Yandex ask for the same records; what one of them asks beyond stands beside it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from hub import SenderCheck

MOST_LOOKUPS = 10
"""RFC 7208 section 4.6.4."""
FREE = frozenset(
    {
        "gmail.com", "googlemail.com", "yahoo.com", "ymail.com", "aol.com", "outlook.com",
        "hotmail.com", "live.com", "msn.com", "mail.ru", "bk.ru", "inbox.ru", "list.ru",
        "internet.ru", "yandex.ru", "yandex.com", "ya.ru", "rambler.ru", "icloud.com", "me.com",
    }
)  # fmt: skip
_TAG = re.compile(r"\s*([a-zA-Z]+)\s*=\s*([^;]*?)\s*(?:;|$)")


class Resolver(Protocol):
    """What is asked of name servers. An empty answer is none; a failure raises OSError."""

    def txt(self, name: str) -> Sequence[str]:
        """The texts of a name."""

    def addresses(self, name: str) -> Sequence[str]:
        """The addresses of a name."""

    def mx(self, name: str) -> Sequence[str]:
        """The mail servers of a domain."""

    def pointer(self, address: str) -> Sequence[str]:
        """The names of an address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """How an account sends: from which address, over which servers, signed or not."""

    address: str
    relays: tuple[str, ...]
    selector: str = ""
    signing_domain: str = ""
    record: str = field(default="", repr=False)
    encrypted: bool = True
    ours: bool = True
    """Whether the relay's own addresses deliver; a provider's relay delivers from others."""


def check_sender(sending: Sending, resolver: Resolver) -> list[SenderCheck]:
    """Give one line per thing that is asked for."""
    domain = sending.address.rpartition("@")[2].lower()
    if domain in FREE:
        return [
            SenderCheck(
                name="From", ok=False, blocks=True,
                text="mailings from a free mailbox are refused everywhere: send from a domain of your own",
            )
        ]  # fmt: skip
    steps: list[tuple[str, Callable[[], SenderCheck]]] = [
        ("MX", lambda: _mx(domain, resolver)),
        ("SPF", lambda: _spf(domain, sending, resolver)),
        ("DKIM", lambda: _dkim(domain, sending, resolver)),
        ("DMARC", lambda: _dmarc(domain, sending, resolver)),
        ("PTR", lambda: _ptr(sending, resolver)),
        ("TLS", lambda: _tls(sending)),
    ]
    found = []
    for name, step in steps:
        try:
            found.append(step())
        except OSError:
            found.append(SenderCheck(name=name, ok=False, text="the name server did not answer"))
    return found


def _good(name: str, text: str = "") -> SenderCheck:
    return SenderCheck(name=name, ok=True, text=text)


def _bad(name: str, text: str, add: str = "", *, blocks: bool = True) -> SenderCheck:
    return SenderCheck(name=name, ok=False, text=text, add=add, blocks=blocks)


def _mx(domain: str, resolver: Resolver) -> SenderCheck:
    found = [one for one in resolver.mx(domain) if one not in ("", ".")]
    if not found and not resolver.addresses(domain):
        return _bad("MX", "the domain takes no letters: answers and bounces are lost")
    return _good("MX")


# -- SPF ------------------------------------------------------------------------------------------


def _spf(domain: str, sending: Sending, resolver: Resolver) -> SenderCheck:
    records = [one for one in resolver.txt(domain) if one.lower().split(" ")[0] == "v=spf1"]
    mechanism = " ".join(f"a:{one}" for one in sending.relays)
    add = f'{domain}. TXT "v=spf1 {mechanism} ~all"'
    if not records:
        return _bad("SPF", "there is no SPF record", add)
    if len(records) > 1:
        return _bad("SPF", "there are two SPF records: leave one", f"{domain}. TXT")
    record = records[0]
    terms = record.split()[1:]
    if any(one.lower() in ("+all", "all") for one in terms):
        return _bad("SPF", "it lets the whole world send in your name: end it with ~all", add)
    lookups = _lookups(domain, resolver, 0, set())
    if lookups > MOST_LOOKUPS:
        return _bad("SPF", "it asks more than ten questions: whoever checks it gives up")
    if sending.ours and not _covers(domain, sending, resolver):
        better = re.sub(r"\s+([~?-]all)\b", rf" {mechanism} \1", record) if "all" in record else add
        return _bad("SPF", "it does not name the server that sends", f'{domain}. TXT "{better}"')
    if not any(
        one.lower() in ("-all", "~all") or one.lower().startswith("redirect=") for one in terms
    ):
        return _bad("SPF", "it does not end with ~all or -all", f'{domain}. TXT "{record} ~all"',
                    blocks=False)  # fmt: skip
    return _good("SPF")


def _record(domain: str, resolver: Resolver) -> list[str]:
    for one in resolver.txt(domain):
        if one.lower().split(" ")[0] == "v=spf1":
            return one.split()[1:]
    return []


def _lookups(domain: str, resolver: Resolver, depth: int, seen: set[str]) -> int:
    if depth > MOST_LOOKUPS or domain in seen:
        return MOST_LOOKUPS + 1 if depth > MOST_LOOKUPS else 0
    seen.add(domain)
    count = 0
    for term in _record(domain, resolver):
        word = term.lstrip("+-~?").lower()
        name, _, value = word.replace("=", ":", 1).partition(":")
        if name.partition("/")[0] in ("a", "mx", "ptr", "exists"):
            count += 1
        elif name in ("include", "redirect"):
            count += 1 + _lookups(value, resolver, depth + 1, seen)
    return count


def _covers(domain: str, sending: Sending, resolver: Resolver) -> bool:
    wanted = {one for relay in sending.relays for one in _places(relay, resolver)}
    return not wanted or all(_allowed(domain, one, resolver, 0) for one in wanted)


def _places(relay: str, resolver: Resolver) -> list[str]:
    try:
        return [str(ipaddress.ip_address(relay))]
    except ValueError:
        return list(resolver.addresses(relay))


def _allowed(domain: str, address: str, resolver: Resolver, depth: int) -> bool:
    if depth > MOST_LOOKUPS:
        return False
    place = ipaddress.ip_address(address)
    for term in _record(domain, resolver):
        if term[:1] in "-~?":
            continue
        name, _, value = term.lstrip("+").replace("=", ":", 1).partition(":")
        name = name.lower()
        if name in ("ip4", "ip6"):
            try:
                if place in ipaddress.ip_network(value, strict=False):
                    return True
            except ValueError:
                continue
        elif name == "a" and address in resolver.addresses(value or domain):
            return True
        elif name == "mx":
            hosts = resolver.mx(value or domain)
            if any(address in resolver.addresses(one) for one in hosts):
                return True
        elif name in ("include", "redirect") and _allowed(value, address, resolver, depth + 1):
            return True
    return False


# -- DKIM, DMARC and the rest -------------------------------------------------------------------------


def tags(record: str) -> Mapping[str, str]:
    """Read tag=value; the last one of a name counts for nothing, as nobody writes two."""
    return {name.lower(): value.strip() for name, value in _TAG.findall(record)}


def _dkim(domain: str, sending: Sending, resolver: Resolver) -> SenderCheck:
    if not sending.selector:
        text = "letters leave unsigned: add a signing key, or be sure that the relay signs for this domain"
        return _bad("DKIM", text, blocks=False)
    name = f"{sending.selector}._domainkey.{sending.signing_domain or domain}"
    add = f'{name}. TXT "{sending.record}"'
    records = [one for one in resolver.txt(name) if "p=" in one]
    if not records:
        return _bad("DKIM", "the key is not published", add)
    if len(records) > 1:
        return _bad("DKIM", "two keys stand at one selector: leave one", add)
    found, ours = tags(records[0]), tags(sending.record)
    if not found.get("p"):
        return _bad("DKIM", "the key was revoked: it is empty", add)
    if re.sub(r"\s", "", found["p"]) != ours.get("p"):
        return _bad("DKIM", "another key is published than the one that signs", add)
    if "y" in found.get("t", "").split(":"):
        return _bad("DKIM", "the record says that it is only a test (t=y)", add, blocks=False)
    return _good("DKIM")


def organisation(domain: str) -> str:
    """Give the part of a domain that its owner registered, well enough for one line of advice."""
    parts = domain.split(".")
    short = len(parts) > 2 and len(parts[-1]) == 2 and len(parts[-2]) <= 3
    return ".".join(parts[-3:] if short else parts[-2:])


def _dmarc(domain: str, sending: Sending, resolver: Resolver) -> SenderCheck:
    add = f'_dmarc.{organisation(domain)}. TXT "v=DMARC1; p=none; rua=mailto:{sending.address}"'
    for place in dict.fromkeys((domain, organisation(domain))):
        records = [one for one in resolver.txt(f"_dmarc.{place}")
                   if one.lower().replace(" ", "").startswith("v=dmarc1")]  # fmt: skip
        if len(records) > 1:
            return _bad("DMARC", "there are two DMARC records: leave one")
        if records:
            break
    else:
        return _bad("DMARC", "there is no DMARC record", add)
    found = tags(records[0])
    if found.get("p", "").lower() not in ("none", "quarantine", "reject"):
        return _bad("DMARC", "it has no policy (p=)", add)
    signed = sending.signing_domain or domain
    strict = found.get("adkim", "r").lower() == "s"
    same = signed == domain if strict else organisation(signed) == organisation(domain)
    if sending.selector and not same:
        return _bad("DMARC", "the signature names another domain than the sender's address")
    if "pct" in found:
        better = re.sub(r"\s*pct\s*=\s*\d+\s*;?", "", records[0]).strip()
        return _bad("DMARC", "pct= is no part of it any more (RFC 9989)", f'_dmarc.{place}. TXT "{better}"',
                    blocks=False)  # fmt: skip
    if not found.get("rua"):
        return _bad("DMARC", "nobody gets its reports (rua=)", add, blocks=False)
    return _good("DMARC")


def _ptr(sending: Sending, resolver: Resolver) -> SenderCheck:
    if not sending.ours:
        return _good("PTR")
    for relay in sending.relays:
        for address in _places(relay, resolver):
            if not ipaddress.ip_address(address).is_global:
                continue
            names = resolver.pointer(address)
            if not names:
                return _bad("PTR", "the server's address has no name: large providers refuse it")
            if not any(address in resolver.addresses(one) for one in names):
                return _bad("PTR", "the name of the server's address leads elsewhere")
    return _good("PTR")


def _tls(sending: Sending) -> SenderCheck:
    if not sending.encrypted:
        return _bad("TLS", "letters leave unencrypted: Gmail asks for TLS", blocks=False)
    return _good("TLS")
