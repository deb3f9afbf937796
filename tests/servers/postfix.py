"""A private Postfix beside the machine's own: it takes mail on loopback and hands it to Dovecot.

    with Authority() as authority, Dovecot(authority) as dovecot, Postfix(dovecot) as postfix:
        # smtp_port         from anybody on loopback, STARTTLS offered        (port 25 of a server)
        # submission_port   after login with a Dovecot user, STARTTLS offered (port 587)
        # submissions_port  the same with TLS from the first byte             (port 465)

Letters to the domain `FULL` are refused as those to a full mailbox are (5.2.2).
Addresses in `postfix.domains` go by LMTP to that Dovecot; whom Dovecot does not know comes back to
the sender as a genuine delivery report. Every other address is refused by `default_transport`, and
the configuration holds no SMTP client at all, so nothing can leave the machine.

Postfix changes between users, so it needs root; the machine's own Postfix is not touched.
"""

import os
import subprocess
from pathlib import Path

from tests.servers.dovecot import Dovecot
from tests.servers.process import (
    PrivateServer,
    ServerMissing,
    find_binary,
    free_ports,
    ids_of,
    wait_until,
)

FULL = "full.hub.example"
MAIN = """
compatibility_level = 3.6
queue_directory = {directory}/queue
data_directory = {directory}/data
maillog_file = {directory}/mail.log
maillog_file_prefixes = {directory}
myhostname = mail.hub.example
mydestination =
local_recipient_maps =
alias_maps =
alias_database =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtpd_peername_lookup = no
smtputf8_enable = yes
recipient_delimiter = +
message_size_limit = {size_limit}

virtual_mailbox_domains = {domains}
virtual_transport = lmtp:inet:127.0.0.1:{lmtp_port}
lmtp_destination_recipient_limit = 1
relayhost =
transport_maps = inline:{{ {{ {full} = error:5.2.2 the mailbox is full }} }}
default_transport = error:5.1.2 this test server delivers to its own domains only
relay_transport = $default_transport
smtpd_relay_restrictions = permit_mynetworks, reject

smtpd_tls_security_level = may
smtpd_tls_cert_file = {authority.certificate_file}
smtpd_tls_key_file = {authority.key_file}
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{auth_port}

# A test waits for what a real server does in hours.
queue_run_delay = 2s
minimal_backoff_time = 1s
maximal_backoff_time = 3s
bounce_queue_lifetime = 1m
maximal_queue_lifetime = {queue_lifetime}
smtpd_error_sleep_time = 0
smtpd_client_connection_count_limit = 0
in_flow_delay = 0
"""

# Columns: service, type, private, unprivileged, chroot, wake up, process limit, program.
MASTER = """
{smtp} inet n - n - 50 smtpd
{submission} inet n - n - 50 smtpd {after_login}
{submissions} inet n - n - 50 smtpd -o smtpd_tls_wrappermode=yes {after_login}
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 2 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
AFTER_LOGIN = (
    "-o smtpd_sasl_auth_enable=yes"
    " -o smtpd_client_restrictions=permit_sasl_authenticated,reject"
    " -o smtpd_relay_restrictions=permit_sasl_authenticated,reject"
)


class Postfix(PrivateServer):
    name = "postfix"

    def __init__(
        self,
        dovecot: Dovecot,
        domains: tuple[str, ...] = ("hub.example", "away.example"),
        size_limit: int = 50_000_000,
        queue_lifetime: str = "1m",
    ) -> None:
        self._binary = find_binary("postfix", "/usr/sbin", package="postfix")
        if os.geteuid() != 0:
            raise ServerMissing("Postfix changes between users and needs root")
        self._master = find_binary("master", "/usr/lib/postfix/sbin", package="postfix")
        super().__init__()
        self._dovecot = dovecot
        self.domains = domains
        self._size_limit = size_limit
        self._queue_lifetime = queue_lifetime
        self.smtp_port, self.submission_port, self.submissions_port = free_ports(3)
        self.ports = (self.smtp_port, self.submission_port, self.submissions_port)
        self._etc = self.directory / "etc"

    def configure(self) -> None:
        for name in ("etc", "queue", "data"):
            (self.directory / name).mkdir()
        os.chown(self.directory / "data", *ids_of("postfix"))
        main = MAIN.format(
            directory=self.directory,
            domains=", ".join(self.domains),
            lmtp_port=self._dovecot.lmtp_port,
            auth_port=self._dovecot.auth_port,
            authority=self._dovecot.authority,
            size_limit=self._size_limit,
            queue_lifetime=self._queue_lifetime,
            full=FULL,
        )
        master = MASTER.format(
            smtp=f"127.0.0.1:{self.smtp_port}",
            submission=f"127.0.0.1:{self.submission_port}",
            submissions=f"127.0.0.1:{self.submissions_port}",
            after_login=AFTER_LOGIN,
        )
        (self._etc / "main.cf").write_text(main)
        (self._etc / "master.cf").write_text(master)
        # Makes the folders of the queue with the owners that Postfix wants.
        subprocess.run([self._binary, "-c", str(self._etc), "check"], check=True, timeout=60)

    def command(self) -> list[str]:
        # Postfix's own start script would put a shell between us and the server.
        return [self._master, "-c", str(self._etc), "-s"]

    def is_ready(self) -> bool:
        # The control socket comes last; before it, a message taken would wait for the next scan.
        return super().is_ready() and (self.directory / "queue/public/qmgr").exists()

    def log(self) -> str:
        mail_log = self.directory / "mail.log"
        return super().log() + (mail_log.read_text(errors="replace") if mail_log.exists() else "")

    def queue(self) -> list[Path]:
        """Messages that wait: freshly taken, being delivered, or to be tried again."""
        folders = ("maildrop", "incoming", "active", "deferred")
        return [
            path
            for folder in folders
            for path in (self.directory / "queue" / folder).rglob("*")
            if path.is_file()
        ]

    def wait_until_empty(self, seconds: float = 20.0) -> None:
        """Until everything taken so far was delivered or sent back."""
        wait_until(lambda: not self.queue(), "the queue is empty", seconds)

    def flush(self) -> None:
        """Tries every waiting message now."""
        subprocess.run([self._binary, "-c", str(self._etc), "flush"], check=True, timeout=30)
