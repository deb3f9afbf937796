"""Asking name servers, for the checks of a sender; blocking, so it runs in a thread."""

from __future__ import annotations

from collections.abc import Sequence

import dns.exception
import dns.resolver
import dns.reversename

SECONDS = 3.0


class NameServers:
    """The resolver of this machine."""

    def __init__(self) -> None:
        self._resolver = dns.resolver.Resolver()
        self._resolver.lifetime = SECONDS
        self._known: dict[tuple[str, str], list[str]] = {}

    def _ask(self, name: str, kind: str) -> list[str]:
        key = (name.rstrip("."), kind)
        if key not in self._known:
            try:
                answer = self._resolver.resolve(name, kind)
            except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
                self._known[key] = []
            except dns.exception.DNSException as error:
                raise OSError(f"name servers: {type(error).__name__}") from error
            else:
                self._known[key] = [_words(one, kind) for one in answer]
        return self._known[key]

    def txt(self, name: str) -> Sequence[str]:
        """The texts of a name."""
        return self._ask(name, "TXT")

    def addresses(self, name: str) -> Sequence[str]:
        """The addresses of a name."""
        return [*self._ask(name, "A"), *self._ask(name, "AAAA")]

    def mx(self, name: str) -> Sequence[str]:
        """The mail servers of a domain."""
        return self._ask(name, "MX")

    def pointer(self, address: str) -> Sequence[str]:
        """The names of an address."""
        return self._ask(str(dns.reversename.from_address(address)), "PTR")


def _words(answer: object, kind: str) -> str:
    if kind == "TXT":
        return b"".join(getattr(answer, "strings", ())).decode("utf-8", "replace")
    if kind == "MX":
        return str(getattr(answer, "exchange", "")).rstrip(".")
    return str(answer).rstrip(".")
