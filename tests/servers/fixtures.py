"""The private servers as pytest fixtures.

Shared ones live as long as the test process and must be left as they were found; a test that
restarts, pauses or kills a server takes the class itself:

    with Dovecot(authority) as dovecot: ...

| fixture          | gives                                                             | lives   |
|------------------|-------------------------------------------------------------------|---------|
| authority        | Authority: ca_file, certificate_file, key_file, client_context()  | session |
| dovecot          | Dovecot: imap_port, imaps_port, lmtp_port, deliver(), kick() ...  | session |
| postfix          | Postfix: smtp_port, submission_port, submissions_port, queue()    | session |
| mailbox          | Mailbox: address, password; empty, known to Dovecot               | test    |
| new_mailbox      | new_mailbox(name="", domain="hub.example") -> Mailbox             | test    |
| smtp_sink        | SmtpSink: port                                                    | test    |
| postgres_cluster | Cluster: create_database(), drop_database(), url()                | run     |
"""

import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from tests.servers.certificates import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.postfix import Postfix
from tests.servers.postgres import Cluster, shared_cluster
from tests.servers.process import PrivateServer, ServerMissing
from tests.servers.smtp_sink import SmtpSink


@dataclass(frozen=True, kw_only=True)
class Mailbox:
    address: str
    password: str
    dovecot: Dovecot

    def deliver(self, raw: bytes, sender: str = "customer@away.example") -> None:
        self.dovecot.deliver(raw, self.address, sender)

    def messages(self) -> list[bytes]:
        """What lies in the INBOX, oldest first, seen by nobody."""
        return [path.read_bytes() for path in sorted(self._paths(), key=lambda path: path.name)]

    def count(self) -> int:
        """How many lie in the INBOX, none of them read: thousands are counted in no time."""
        return len(self._paths())

    def _paths(self) -> list[Path]:
        folder = self.dovecot.maildir(self.address)
        return [path for name in ("new", "cur") for path in (folder / name).glob("*")]


Server = TypeVar("Server", bound=PrivateServer)
NewMailbox = Callable[..., Mailbox]


def made(make: Callable[[], Server]) -> Server:
    """The server, or a skip that says what is missing; under `make test` a failure."""
    try:
        return make()
    except ServerMissing as missing:
        unless_required(missing)
        raise


def unless_required(missing: ServerMissing) -> None:
    if os.environ.get("HUB_TEST_REQUIRE_SERVERS") != "1":
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def authority() -> Iterator[Authority]:
    with Authority() as authority:
        yield authority


@pytest.fixture(scope="session")
def dovecot(authority: Authority) -> Iterator[Dovecot]:
    with made(lambda: Dovecot(authority)) as dovecot:
        yield dovecot


@pytest.fixture(scope="session")
def postfix(dovecot: Dovecot) -> Iterator[Postfix]:
    with made(lambda: Postfix(dovecot)) as postfix:
        yield postfix


@pytest.fixture
def smtp_sink() -> Iterator[SmtpSink]:
    with made(SmtpSink) as sink:
        yield sink


@pytest.fixture
def new_mailbox(dovecot: Dovecot) -> Iterator[NewMailbox]:
    addresses = []

    def new(name: str = "", domain: str = "hub.example") -> Mailbox:
        # A number of its own, because the server is shared with the tests before and after.
        address = f"{name or 'box'}.{secrets.token_hex(4)}@{domain}"
        addresses.append(address)
        password = secrets.token_hex(8)
        dovecot.add_user(address, password)
        return Mailbox(address=address, password=password, dovecot=dovecot)

    yield new
    for address in addresses:
        dovecot.remove_user(address)


@pytest.fixture
def mailbox(new_mailbox: NewMailbox) -> Mailbox:
    return new_mailbox()


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Cluster]:
    try:
        cluster = shared_cluster(Path(os.environ["HUB_TEST_FOLDER"]))
    except ServerMissing as missing:
        unless_required(missing)
        raise
    with cluster.kept_open():
        yield cluster
