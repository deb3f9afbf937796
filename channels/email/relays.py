"""Several relays of one account: the next one where one cannot be reached or refuses its login.

One a line, as an address: `smtp://user:password@host:587?security=starttls&per_minute=100`. A relay
with `from=example.org` serves only senders of that domain, and with `minutes=8` its `per_minute` is for
so many minutes. What is refused after the login is the
letter's own fate and goes nowhere else: nobody gets it twice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qs, unquote, urlsplit

from channels.email.smtp import Relay, Sender, Unreachable
from hub import TemporaryFailure, Throttled

MINUTE_US = 60_000_000
REST_US = MINUTE_US
"""So long a relay that could not be reached is asked last."""
FARTHEST_US = 600_000_000
"""What a relay's share has no room for is asked again within so long, each in its turn."""
MOST_MINUTES = 1_440
PORTS = {"tls": 465, "starttls": 587, "none": 25}


@dataclass(frozen=True, slots=True)
class Road:
    """A relay with whom it serves and how fast."""

    relay: Relay
    per_minute: int = 0
    serves: str = ""
    minutes: int = 1

    @property
    def name(self) -> str:
        """Its name for limits and logs."""
        return f"{self.relay.host}:{self.relay.port}"


def read_relays(text: str, *, verify: bool, ca_file: str) -> list[Road]:
    """Read the lines; raises ValueError in words."""
    found = []
    for line in text.split():
        parts = urlsplit(line)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        security = query.get("security", "tls" if parts.scheme == "smtps" else "starttls")
        try:
            port, per_minute = parts.port or PORTS[security], int(query.get("per_minute", "0"))
            minutes = int(query.get("minutes", "1"))
        except (KeyError, ValueError):
            port, per_minute, minutes = 0, -1, 1
        possible = per_minute >= 0 and 0 < minutes <= MOST_MINUTES
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname or not possible:
            raise ValueError(
                "a relay is written smtp://user:password@host:587?security=starttls&per_minute=100"
            )
        relay = Relay(
            host=parts.hostname, port=port, security=security, user=unquote(parts.username or ""),
            password=unquote(parts.password or ""), verify=verify, ca_file=ca_file,
        )  # fmt: skip
        found.append(Road(relay, per_minute, query.get("from", "").lower(), minutes))
    return found


class Senders:
    """The relays of an account in order."""

    def __init__(
        self,
        roads: Sequence[Road],
        connections: int,
        take: Callable[[str, int, int], Awaitable[int]],
        now: Callable[[], int],
    ) -> None:
        self._roads = [(one, Sender(one.relay, connections)) for one in roads]
        self._take = take
        self._now = now
        self._resting: dict[str, int] = {}
        self._turns: dict[str, int] = {}

    @property
    def first(self) -> Sender:
        """The account's own relay."""
        return self._roads[0][1]

    async def close(self) -> None:
        """Say goodbye everywhere."""
        for _, sender in self._roads:
            await sender.close()

    async def send(
        self, sender: str, recipients: Sequence[str], letter: bytes, *, counted: bool
    ) -> dict[str, str]:
        """Hand a letter to the first relay that takes it; only what goes to many is `counted`."""
        domain = sender.rpartition("@")[2].lower()
        roads = [one for one in self._roads if one[0].serves in ("", domain)]
        roads.sort(key=lambda one: self._resting.get(one[0].name, 0) > self._now())
        error: TemporaryFailure | None = None
        waits: list[tuple[int, Road]] = []
        for road, relay in roads:
            if counted and road.per_minute:
                wait = await self._take(f"relay:{road.name}", road.per_minute, road.minutes)
                if wait:
                    waits.append((wait, road))
                    continue
            try:
                refused = await relay.send(sender, recipients, letter)
            except Unreachable as failure:
                self._resting[road.name] = self._now() + REST_US
                error = failure
                continue
            self._resting.pop(road.name, None)
            return refused
        if waits:
            wait, road = min(waits, key=lambda one: one[0])
            raise Throttled(
                "every relay has sent its share for now",
                retry_after=timedelta(microseconds=self._turn(road, wait)),
            )
        raise error or TemporaryFailure("no relay serves this sender")

    def _turn(self, road: Road, wait: int) -> int:
        """Give in how long a letter's turn at a relay comes: they do not all ask at one moment."""
        now = self._now()
        turn = min(max(self._turns.get(road.name, 0), now + wait), now + FARTHEST_US)
        self._turns[road.name] = turn + MINUTE_US // road.per_minute
        return turn - now
